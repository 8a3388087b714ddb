"""One row of a list in our terms: who it is about, what membership it tells of, and what cannot
be read of it."""

import re
from functools import lru_cache

from odoo.tools import email_normalize, formatLang

from ..mixins.formats import format_day
from .cells import AMBIGUOUS, MINUS, SHORTENED, Option, parse_amount, split_options
from .dates import ZERO_DATE, NotADate, get_proof, read_date, read_first_day
from .reading import CELL_ERRORS, normalize
from .targets import DATE_TARGETS, DATES_TELL, IDENTIFIERS, STATUSES, YES

CONTACT_TEXTS = (
    "ref",
    "email",
    "phone",
    "street",
    "street2",
    "zip",
    "city",
    "website",
    "function",
)


# identities, any of which may be the first column; and what a sum is written of
WHO = {"external_id", "ref", "name", "last_name", "first_name", "company", "email"}
SUMS = {"amount", "agreed_price", "balance"}
TOTAL = re.compile(
    r"(?:(?:grand|sous) )?(?:total|totaux|subtotal)\b|(?:nombre de|number of) (?:membres|members)\b"
)


def is_total(cells):
    """:param cells: ``{target: text}`` of one row
    :return: whether it is the last row of many lists: a word and sums, and nobody"""
    told = {target for target, text in cells.items() if text} - SUMS
    return len(told) == 1 and told <= WHO and bool(TOTAL.match(normalize(cells[told.pop()])))


def is_name_kept(ours, name):
    """:return: whether a list spells the same name worse: in capitals, or family name first"""
    return name_words(ours) == name_words(name) and (
        name.isupper() or name.islower() or normalize(ours) != normalize(name)
    )


def is_yes(text):
    return normalize(text) in YES


@lru_cache(maxsize=1024)  # asked twice of each row
def read_email(text):
    """:return: the address in the form in which contacts are looked for, or an empty text"""
    return email_normalize(text, strict=False) or ""


def name_words(name):
    """:return: a name to compare: « Boulanger, Ada » is “Ada Boulanger”"""
    return " ".join(sorted(normalize(name).split()))


def are_strangers(keys, others):
    """Rows of one list that have one number: somebody may be spelled, or write from, differently.

    :param keys: of a row, as ``RowReader`` gives them
    :param others: those of another one
    :return: whether they are about two members"""
    name, other = keys.get("name", ""), others.get("name", "")
    email, address = keys.get("email"), others.get("email")
    if not any(keys.get(key) and keys[key] == others.get(key) for key in ("external", "ref")):
        return False
    if not name or not other or name == other or (email and email == address):
        return False
    return bool(email and address) or not set(name.split()) & set(other.split())


def get_doubt(env, text, amount):
    """:param amount: what ``text`` is read as
    :return: that it can be read in another way (a sentence), or ``False``"""
    found = AMBIGUOUS.fullmatch(text.strip())
    if not found:
        return False
    told = {"text": text, "amount": formatLang(env, amount)}
    if found[1] == ".":
        return env._(
            "“%(text)s” is read as %(amount)s. If the period separates thousands, leave it out.",
            **told,
        )
    return env._(
        "“%(text)s” is read as %(amount)s. If the comma is a decimal separator, write two "
        "decimals.",
        **told,
    )


class RowReader:
    """Reads the rows of one import.

    :param env: of the user who reads the sentences
    :param profile: of ``PROFILES``
    :param order: ``dmy`` or ``mdy``: of dates that can be read in two ways
    """

    def __init__(self, env, profile, order):
        self.env = env
        self.profile = profile
        self.order = order
        self.problems = []
        self.remarks = []
        self.has_ambiguous = False
        self._langs = {}  # by their names in the list: whether they are installed

    @staticmethod
    def get_proofs(cells):
        """:return: ``{dmy or mdy: a date that can only be read so}`` of one row"""
        proofs = {}
        for target in DATE_TARGETS:
            if (text := cells.get(target)) and (proof := get_proof(text)):
                proofs[proof] = text
        return proofs

    def read_row(self, cells):
        """:param cells: ``{target: text}``
        :return: ``(values, sentences of what is wrong, remarks)``"""
        self.problems, self.remarks = [], []
        cells = dict(cells)
        for target, text in cells.items():
            if text in CELL_ERRORS:
                cells[target] = ""
                self.problems.append(
                    self.env._(
                        "A formula in the spreadsheet returns an error (%(error)s). Correct the "
                        "cell, or clear it.",
                        error=text,
                    )
                )
        self._drop_shortened(cells)
        self.profile.adapt(cells)
        values = {
            **self._read_contact(cells),
            **self._read_term(cells),
            **self._read_beside(cells),
        }
        values["is_total"] = is_total(cells)
        values["keys"] = self._get_keys(values, cells)
        values["key"] = self._get_key(values["keys"])
        if not values["key"]:
            self.problems.append(
                self.env._("The row has no name, email or number, so nobody can be identified.")
            )
        return values, self.problems, self.remarks

    def _drop_shortened(self, cells):
        """Two members may have become one, of whom only some digits are left."""
        for target in IDENTIFIERS:
            if SHORTENED.fullmatch(cells.get(target, "")):
                sentence = self.env._(
                    "“%(text)s” is a number that the spreadsheet program has shortened. Format "
                    "the column as text, then enter the number again.",
                    text=cells.pop(target),
                )
                # without its phone number a member is a member
                (self.remarks if target in ("phone", "zip") else self.problems).append(sentence)

    # ------------------------------------------------------------------
    # Who
    # ------------------------------------------------------------------

    def _read_contact(self, cells):
        person = " ".join(filter(None, (cells.get("first_name"), cells.get("last_name"))))
        name = cells.get("name") or person
        if (
            cells.get("first_name")
            and not cells.get("last_name")
            and cells.get("name")
            and not set(normalize(cells["first_name"]).split()) < set(normalize(name).split())
        ):
            name = f"{cells['first_name']} {name}"  # which is the family name there
        company = cells.get("company", "")
        is_company = is_yes(cells["is_company"]) if cells.get("is_company") else not name
        contact = {target: cells[target] for target in CONTACT_TEXTS if cells.get(target)}
        if number := cells.get("house_number"):
            contact["street"] = f"{contact.get('street', '')} {number}".strip()
        values = {"contact": contact}
        if is_company and (company or name):
            contact["is_company"] = True
            contact["name"] = company or name
            if company and person:
                values["responsible"] = [person, cells.get("responsible_email", "")]
        elif name:
            contact["name"] = name
            values["employer"] = company
        elif contact.get("email"):
            contact["name"] = contact["email"]
            values["is_named_after_email"] = True
        if cells.get("responsible") or cells.get("responsible_email"):
            values["responsible"] = [
                cells.get("responsible", ""),
                cells.get("responsible_email", ""),
            ]
        for target in ("country", "state", "lang"):
            if cells.get(target):
                values[target] = cells[target]
        if cells.get("lang") and not self._is_lang_installed(cells["lang"]):
            self.remarks.append(
                self.env._(
                    "The language “%(language)s” is not installed. Install it, then refresh the "
                    "preview; otherwise, emails to this member are in %(default)s.",
                    language=cells["lang"],
                    default=dict(self.env["res.lang"].get_installed()).get(
                        self.env.lang, self.env.lang
                    ),
                )
            )
        if contact.get("email") and not read_email(contact["email"]):
            self.remarks.append(
                self.env._("“%(email)s” is not a valid email address.", email=contact["email"])
            )
        values["archived"] = is_yes(cells.get("archived"))
        values["notes"] = cells.get("notes", "")
        return values

    def _is_lang_installed(self, text):
        if text not in self._langs:
            self._langs[text] = bool(self.env["membri.import"]._find_lang(text))
        return self._langs[text]

    @staticmethod
    def _get_keys(values, cells):
        contact = values["contact"]
        keys = {
            "external": cells.get("external_id", ""),
            "ref": contact.get("ref", ""),
            "email": read_email(contact.get("email", "")),
            "name": name_words(contact.get("name")),
        }
        return {kind: key for kind, key in keys.items() if key}

    @staticmethod
    def _get_key(keys):
        """:return: what tells the members of one list apart"""
        if "external" in keys:
            return f"id:{keys['external']}"
        if "ref" in keys:
            return f"ref:{normalize(keys['ref'])}"
        if "email" in keys:
            return f"email:{keys['email']} {keys.get('name', '')}"
        return f"name:{keys['name']}" if "name" in keys else ""

    # ------------------------------------------------------------------
    # The membership
    # ------------------------------------------------------------------

    def _read_term(self, cells):
        dates = {target: self._read_date(cells, target) for target in DATE_TARGETS}
        end = dates["date_end"]
        if not end and dates["first_unpaid_day"]:
            end = dates["first_unpaid_day"].fromordinal(dates["first_unpaid_day"].toordinal() - 1)
        told = normalize(cells.get("status"))
        status = STATUSES.get(told, "")
        left = dates["date_deceased"] or dates["date_left"]
        if dates["date_deceased"]:
            status = "deceased"
        elif dates["date_left"]:
            status = "left"
        values = {
            "level": cells.get("level", "").strip(),
            "start": self._to_json(dates["date_start"]),
            "end": self._to_json(end),
            "since": self._to_json(dates["member_since"]),
            "left": self._to_json(left),
            "notice": self._to_json(dates["notice_date"]),
            "status": status,
            "lifetime": is_yes(cells.get("lifetime")),
            "amount": self._read_amount(cells, "amount"),
            "agreed": self._read_amount(cells, "agreed_price"),
            "options": self._read_options(cells),
            "term_id": cells.get("term_id", ""),
            "owner": cells.get("owner", "").strip(),
            "bundle": cells.get("bundle", ""),
        }
        values["has_term"] = bool(
            not values["owner"]
            and not is_yes(cells.get("contact_only"))
            and (values["level"] or values["start"] or values["end"] or values["lifetime"])
        )
        if told and not status and told not in DATES_TELL and values["has_term"]:
            self.remarks.append(
                self.env._(
                    "The status “%(status)s” is unknown, so the dates decide whether the "
                    "membership is active.",
                    status=cells["status"].strip(),
                )
            )
        if status == "new" and values["has_term"]:
            values["has_term"] = False
            self.remarks.append(
                self.env._("The application is not decided yet: use “Enroll” to accept it.")
            )
        return values

    def _read_date(self, cells, target):
        text = cells.get(target, "").strip()
        if not text or normalize(text) in ("0", "null", "none") or ZERO_DATE.match(text):
            return None
        try:
            return read_date(text, self.order)
        except NotADate as error:
            if target == "member_since" and (day := self._read_since(text)):
                return day
            self.problems.append(self._get_date_problem(text, error.args[0]))
            return None

    def _read_since(self, text):
        """:return: the first day of a year or month, which the row tells; ``None`` for neither"""
        try:
            day = read_first_day(text)
        except NotADate:
            return None
        self.remarks.append(
            self.env._(
                "Member since “%(text)s”: read as %(day)s.",
                text=text,
                day=format_day(self.env, day),
            )
        )
        return day

    def read_day(self, text):
        """:return: the date, or ``None`` when it cannot be read"""
        try:
            return read_date(text, self.order)
        except NotADate:
            return None

    def _get_date_problem(self, text, reason):
        if reason == "ambiguous":
            self.has_ambiguous = True
            first, second = (
                format_day(self.env, read_date(text, order)) for order in ("dmy", "mdy")
            )
            return self.env._(
                "%(text)s can be %(first)s or %(second)s. Choose “Day First” or “Month First”.",
                text=text,
                first=first,
                second=second,
            )
        if reason == "year":
            return self.env._("The year of %(text)s cannot be right.", text=text)
        return self.env._(
            "“%(text)s” is not a date. Write the year, the month and the day: 2026-12-31.",
            text=text,
        )

    def _read_amount(self, cells, target):
        text = cells.get(target, "").strip()
        if not text.strip(MINUS):
            return None
        try:
            amount = parse_amount(text)
        except ValueError:
            self.problems.append(self.env._("“%(text)s” is not an amount.", text=text))
            return None
        if doubt := get_doubt(self.env, text, amount):
            self.remarks.append(doubt)
        return amount

    def _read_options(self, cells):
        """:return: the texts of the options, each of which can be read"""
        texts = split_options(cells.get("options", ""))
        for text in texts:
            try:
                Option.parse(text)
            except ValueError:
                self.problems.append(
                    self.env._(
                        "The option “%(text)s” cannot be read. Write: name | quantity | unit price "
                        "| agreed, and only the name if the price is the plan's.",
                        text=text,
                    )
                )
                return []
        return texts

    @staticmethod
    def _to_json(day):
        return day.isoformat() if day else ""

    # ------------------------------------------------------------------
    # What goes with it
    # ------------------------------------------------------------------

    @staticmethod
    def _read_beside(cells):
        values = {
            "renewal_email": cells.get("renewal_email", ""),
            "renewal_state": cells.get("renewal_state", ""),
            "balance": cells.get("balance", ""),
            "invoice_line": cells.get("invoice_line", ""),
        }
        if cells.get("auto_renew"):
            values["auto_renew"] = "yes" if is_yes(cells["auto_renew"]) else "no"
        return values
