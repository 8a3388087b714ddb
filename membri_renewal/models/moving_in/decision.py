from dataclasses import dataclass, field
from datetime import date

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.fields import Domain

from ..cotisation.cotisation import LIVING_STATES
from .matching import Matcher
from .profiles import PROFILES
from .reading import normalize
from .row import are_strangers, get_doubt
from .targets import ANSWER_WORDS

ONE_DAY = relativedelta(days=1)


@dataclass
class Decision:
    """What becomes of one row."""

    trace: dict  # of the row; of the record a copy is made each time that it is read
    result: str = "same"
    message: str = ""
    partner: object = None
    partner_vals: dict = field(default_factory=dict)
    option_set: object = None
    term: object = None  # the one that the row tells of, or changes
    term_vals: dict = field(default_factory=dict)  # of a new one
    term_change: dict = field(default_factory=dict)  # of the one that there is
    options: list = field(default_factory=list)  # ``(product, Option)`` that the row tells
    option_of: object = None  # the decision, or the term, that this one becomes an option of
    date_start: object = False
    date_end: object = False
    said: tuple = ()  # the days that the row says, where the term has others
    known: tuple = ()  # terms that the contact has
    listed: tuple = ()  # those of the list, of rows that were looked at, as ``_decide`` keeps them
    is_stranger: bool = False  # the row has the number of another member of the list
    done: dict = field(default_factory=dict)  # what was written, and what was there before

    @property
    def row_values(self):
        """What the row says, as ``RowReader.read_row`` gives it"""
        return self.trace["values"]

    def get_answer(self):
        """:return: what the list says of a renewal that was decided over there, or ``""``"""
        said = self.row_values["renewal_state"]
        return said if normalize(said) in ANSWER_WORDS else ""

    def is_followed(self):
        """:return: whether a later term is known, here or by rows that were looked at with this"""
        days = [t.date_start for t in self.known if t.state != "cancelled"]
        days += [first_day for first_day, *_others in self.listed]
        return bool(self.date_end) and any(day > self.date_end for day in days)


class Refused(Exception):
    """``args``: the result and a sentence."""


class MembriImport(models.Model):
    """What becomes of each row, for the preview and for the run alike."""

    _inherit = "membri.import"

    def _get_told(self, keys):
        """:param keys: of the members of some rows
        :return: ``{member: what the rows before them tell of it}``, for :meth:`_decide`"""
        told = {}
        earlier = self.env["membri.import.line"].search_fetch(
            [
                ("import_id", "=", self.id),
                ("key", "in", list(keys)),
                ("result", "in", ("new", "differs", "same")),
            ],
            ["key", "result", "partner_id", "option_set_id", "date_start", "date_end", "trace"],
            order="id",
        )
        for line in earlier:
            values = line.trace["values"]
            person = told.setdefault(
                f"partner:{line.partner_id.id}" if line.partner_id else line.key,
                {"terms": [], "is_new": False, "keys": values["keys"]},
            )
            if not line.option_set_id or line.result != "new":
                continue
            if values["status"] != "cancelled":
                person["terms"].append(
                    (line.date_start, line.date_end, line.option_set_id, None, None)
                )
        return told

    @staticmethod
    def _prepare_line_vals(decision):
        return {
            "result": decision.result,
            "message": decision.message,
            "partner_id": decision.partner.id if decision.partner else False,
            "cotisation_id": decision.term.id if decision.term else False,
            "option_set_id": decision.option_set.id if decision.option_set else False,
            "date_start": decision.date_start,
            "date_end": decision.date_end,
        }

    def _decide(self, traces, memory):
        """:param traces: ``{row: what it says}``, of rows that can be read, in their order
        :param memory: see :meth:`_get_told`; filled in
        :return: ``{row: Decision}``"""
        values_list = [trace["values"] for trace in traces.values()]
        matcher = Matcher(self, values_list)
        found = {row: self._find(matcher, trace["values"]) for row, trace in traces.items()}
        partners = self.env["res.partner"].union(*(partner for partner, _r, _p in found.values()))
        known = self._get_known_terms(partners)
        numbered = matcher.find_terms(values_list)
        levels = {normalize(level.name): level.option_set_id for level in self.level_ids}
        products = self._get_products_by_words(values_list)
        decisions = {
            row: self._decide_row(
                trace,
                # read together
                (found[row][0].with_prefetch(partners.ids), *found[row][1:]),
                known.get(found[row][0], ()),
                numbered.get(trace["values"]["term_id"]),
                levels,
                products,
                memory,
            )
            for row, trace in traces.items()
        }
        for decision in decisions.values():  # once the rows that follow are known
            if remark := self._get_renewal_remark(decision):
                decision.message = f"{decision.message} {remark}"
        return decisions

    def _find(self, matcher, values):
        """:return: as ``Matcher.find``, with a remark on whoever this one is said to belong to"""
        partner, remark, problem = matcher.find(values)
        owner, key = values["owner"], values.get("owner_key")
        if owner and (key == values["key"] or not (key or matcher.find_named(owner))):
            lost = self.env._(
                "This contact should be included in the membership of “%(owner)s”, who was not "
                "found, or was found more than once, here and in the list. The contact is "
                "imported alone.",
                owner=owner.partition(":")[2] if ":" in owner else owner,
            )
            remark = f"{remark} {lost}".strip()
        return partner, remark, problem

    def _get_known_terms(self, partners):
        """:return: ``{contact: its terms in this company that are not void, in time order}``"""
        terms = self.env["membri.cotisation"].search(
            Domain("partner_id", "in", partners.ids)
            & Domain("company_id", "=", self.company_id.id),
            order="date_start, id",
        )
        return terms.grouped("partner_id")

    def _decide_row(self, trace, match, known, numbered, levels, products, memory):
        """:param trace: with what the row says
        :param match: as ``Matcher.find`` returns it
        :param known: the terms that the contact has
        :param numbered: the term that has the number of this row, if it was imported before
        :param products: see :meth:`_match_options`
        :param memory: see :meth:`_get_told`; filled in"""
        partner, remark, problem = match
        decision = Decision(trace, partner=partner, option_set=self.env["membri.option.set"])
        values = decision.row_values
        remarks = [*trace.get("remarks", ()), *filter(None, [remark])]
        if problem:
            decision.result, decision.message = "error", problem
            return decision
        person = memory.setdefault(
            f"partner:{partner.id}" if partner else values["key"],
            {"terms": [], "is_new": not partner, "keys": values["keys"]},
        )
        decision.known, decision.listed = known, person["terms"]
        if are_strangers(values["keys"], person["keys"]):
            decision.result, decision.is_stranger = "error", True
            decision.message = self.env._(
                "Another row of the list, for a different person, also has the number %(number)s.",
                number=values["keys"].get("external") or values["keys"].get("ref", ""),
            )
            return decision
        try:
            self._check_is_member(values, is_new=not partner and person["is_new"])
            if partner:
                decision.partner_vals = self._get_contact_changes(partner, values)
            terms = [
                *((t.date_start, t.date_end, t.option_set_id, t) for t in known),
                *person["terms"],
            ]
            if values["has_term"]:
                self._decide_term(decision, values, terms, numbered, levels)
                # a term that is here already may have options that are unknown by now
                if decision.term_vals or decision.option_of is not None:
                    decision.options = self._match_options(decision, products)
                # what is void is in nobody's way
                if decision.term_vals and values["status"] != "cancelled":
                    person["terms"].append(
                        (
                            decision.date_start,
                            decision.date_end,
                            decision.option_set,
                            None,
                            decision,
                        )
                    )
            self._tell(decision, values, is_new=not partner and person["is_new"])
            person["is_new"] = False
            remarks += filter(
                None,
                (
                    self._get_days_remark(decision),
                    self._get_state_remark(decision),
                    self._get_options_remark(decision, values),
                ),
            )
            remarks += self._get_money_remarks(decision, values)
        except Refused as refused:
            decision.result, decision.message = refused.args
        decision.message = " ".join([decision.message, *remarks]).strip()
        return decision

    def _check_is_member(self, values, *, is_new):
        """:raises Refused: when a row is about nobody who could become a contact"""
        if values.get("is_total"):
            raise Refused(
                "skipped", self.env._("Left out, because the row is a total and not a member.")
            )
        if is_new and not values["contact"].get("name"):
            raise Refused(
                "error",
                self.env._(
                    "The row has a number but no name or email, and no contact has this number."
                ),
            )

    def _tell(self, decision, values, *, is_new):
        """One sentence about what becomes of the row."""
        names = {
            "name": (decision.partner and decision.partner.display_name)
            or values["contact"].get("name")
            or values["key"],
            "plan": decision.option_set.name or "",
            "period": self.env["membri.cotisation"]._format_period(
                decision.date_start, decision.date_end
            ),
        }
        changed = ", ".join(
            self.env["res.partner"]._fields[name]._description_string(self.env)
            for name in decision.partner_vals
        )
        if decision.option_of is not None:
            decision.result = "new"
            decision.message = self.env._(
                "%(name)s: “%(plan)s” becomes an option of the membership for these days.", **names
            )
        elif decision.term_vals and is_new:
            decision.result = "new"
            decision.message = self.env._("New member %(name)s: %(plan)s, %(period)s.", **names)
        elif decision.term_vals:
            decision.result = "new"
            decision.message = self.env._("New term of %(name)s: %(plan)s, %(period)s.", **names)
        elif decision.term_change:
            decision.result = "differs"
            decision.message = self.env._(
                "The term of %(name)s differs: it becomes %(period)s.", **names
            )
        elif is_new and values["owner"]:
            decision.result = "new"
            decision.message = self.env._(
                "New contact %(name)s, included in the membership of another: no term and no fee "
                "of their own.",
                **names,
            )
        elif is_new:
            decision.result = "new"
            decision.message = self.env._("New contact %(name)s, without a membership.", **names)
        elif not decision.partner_vals:
            decision.message = self.env._("Nothing differs for %(name)s.", **names)
        if decision.partner_vals and decision.partner:
            if decision.result == "same":
                decision.result = "differs"
            sentence = self.env._("%(name)s differs in: %(fields)s.", fields=changed, **names)
            decision.message = " ".join(filter(None, (decision.message, sentence)))

    def _get_days_remark(self, decision):
        """:return: which days of a row are not taken over (a sentence), or ``False``"""
        return bool(decision.said) and self.env._(
            "The list says %(period)s, but the member has a term for some of these days.",
            period=self.env["membri.cotisation"]._format_period(*decision.said),
        )

    def _get_state_remark(self, decision):
        """:return: what is particular to the new term of a row (a sentence), or ``False``"""
        state = decision.term_vals.get("state")
        if state == "cancelled":
            return self.env._("The term is void.")
        if state == "pending":
            return self.env._("The term is pending until it is paid.")
        if state == "expired":
            return self.env._("The term is over and is not renewed.")
        if decision.term_vals.get("date_terminated"):
            return self.env._(
                "The member leaves on the last day of the term, so it is not renewed."
            )
        return False

    def _get_renewal_remark(self, decision):
        """:return: that the answer of a running term's renewal waits for the staff, or ``False``"""
        answer = decision.get_answer()
        over = decision.term_vals.get("state") in ("cancelled", "expired")
        if not answer or over or decision.result not in ("new", "differs"):
            return False
        if decision.is_followed():
            return False
        return self._get_answer_sentence(answer)

    def _get_answer_sentence(self, answer):
        """Said of the row, and kept on the renewal that is held."""
        return self.env._(
            "The imported list says that this renewal is “%(answer)s”. Nothing is sent: approve "
            "or decline it here.",
            answer=answer,
        )

    def _find_followed(self, todo):
        """Return those of these rows whose member has a later term in the list, perhaps in a row
        that is imported after them."""
        asked = [
            line
            for line, decision in todo.items()
            if (values := decision.row_values)["renewal_state"]
            or values["notice"]
            or values["status"] == "renewing"
        ]
        if not asked:
            return set()
        rows = self.env["membri.import.line"].search_fetch(
            [
                ("import_id", "=", self.id),
                ("key", "in", [line.key for line in asked]),
                ("result", "in", ("new", "differs", "same")),
            ],
            ["key", "date_start", "trace"],
        )
        last = {}
        for row in rows.filtered(lambda r: r.trace["values"]["status"] != "cancelled"):
            last[row.key] = max(last.get(row.key) or date.min, row.date_start or date.min)
        return {
            line
            for line in asked
            if todo[line].date_end and last.get(line.key, date.min) > todo[line].date_end
        }

    def _get_money_remarks(self, decision, values):
        """:return: list of what becomes of the open balance and of the invoice of a row
        :raises Refused: when the balance is no amount"""
        try:
            owed = self._get_owed(values)
        except ValueError as error:
            raise Refused(
                "error",
                self.env._("“%(text)s” is not an amount.", text=values["balance"]),
            ) from error
        if owed and not (decision.term and decision.term._get_invoice_sudo()):
            posted = self.env._(
                "The open balance of %(amount)s is posted as an opening entry, once for each "
                "member.",
                amount=self.company_id.currency_id.format(owed),
            )
            return [posted, *filter(None, [get_doubt(self.env, values["balance"], owed)])]
        if values.get("invoice_line") and decision.term_vals:
            return [self.env._("The invoice that is in this database is linked to the term.")]
        return []

    # ------------------------------------------------------------------
    # The term
    # ------------------------------------------------------------------

    def _decide_term(self, decision, values, terms, numbered, levels):
        """Decide which term a row makes or changes.

        :param terms: list of ``(first day, last day, plan, term or None)`` that are known; of an
            earlier row of this list, with its decision behind"""
        option_set = levels.get(normalize(values["level"]))
        if not option_set:
            raise Refused("error", self._get_no_plan_sentence(values["level"]))
        decision.option_set = option_set
        self._set_period(decision, values, terms)
        if numbered and numbered.state == "cancelled":
            decision.term = numbered
            return
        if values["status"] == "cancelled":
            self._decide_void(decision, values, terms)
            return
        terms = [t for t in terms if t[3] is None or t[3].state != "cancelled"]
        start, end = decision.date_start, decision.date_end or date.max
        in_the_way = [t for t in terms if t[0] <= end and start <= (t[1] or date.max)]
        if not in_the_way:
            decision.term_vals = self._prepare_term_vals(decision, values)
            return
        own = [t for t in in_the_way if t[2] == option_set]
        own = [t for t in own if numbered and t[3] == numbered] or own
        if not own:
            self._decide_second(decision, in_the_way[0])
            return
        self._decide_same(decision, values, own, in_the_way)

    def _get_no_plan_sentence(self, level):
        if level:
            return self.env._(
                "No membership plan is chosen for “%(level)s” of the list.", level=level
            )
        return self.env._("No membership plan is chosen for rows that name none.")

    def _decide_void(self, decision, values, terms):
        same = [
            t[3]
            for t in terms
            if t[3]
            and t[3].state == "cancelled"
            and t[:3] == (decision.date_start, decision.date_end, decision.option_set)
        ]
        if same and not values["term_id"]:
            decision.term = same[0]
        else:
            decision.term_vals = self._prepare_term_vals(decision, values)

    def _decide_second(self, decision, other):
        """Another plan for days that the member has a term for."""
        names = {
            "plan": decision.option_set.name,
            "other": other[2].name,
            "period": self.env["membri.cotisation"]._format_period(other[0], other[1]),
        }
        term = other[3]
        if self.second_membership == "option" and (term is None or term.origin == "import"):
            if term and decision.option_set.line_ids.product_id <= term.line_ids.product_id:
                decision.term = term
            else:
                decision.option_of = term or other[4] or decision
            return
        raise Refused(
            "skipped",
            self.env._(
                "Left out, because the member has “%(other)s” (%(period)s) for these days. Add "
                "“%(plan)s” as an option of that term.",
                **names,
            ),
        )

    def _decide_same(self, decision, values, own, in_the_way):
        """The member has a term of this plan for some of these days: it is the one, it goes on
        for longer, or it is shorter than we thought."""
        first_day, last_day, _plan, term = own[-1][:4]
        end, last = decision.date_end or date.max, last_day or date.max
        decision.term = term
        days = decision.date_start, decision.date_end
        if end < last or (end > last and decision.date_start != first_day):
            decision.said = days
        if end == last or (end < last and decision.date_start != first_day):
            decision.date_start, decision.date_end = first_day, last_day
            return
        may_change = term is not None and self._may_change(term)
        if end > last and not may_change:
            # what is over stays as it is: what comes after it is a term of its own
            decision.term, decision.date_start = None, last_day + ONE_DAY
            if any(t for t in in_the_way if t[0] > last_day):
                raise Refused("skipped", self.env._("Left out, because the days overlap."))
            decision.term_vals = self._prepare_term_vals(decision, values)
        elif may_change:
            decision.date_start, decision.said = first_day, ()
            decision.term_change = {"date_end": decision.date_end}
        else:
            decision.date_start, decision.date_end = first_day, last_day

    @staticmethod
    def _may_change(term):
        return (
            term.origin == "import"
            and term.state in LIVING_STATES
            and not term.invoice_id
            and not term.renewal_ids
            and not term.next_ids
        )

    def _set_period(self, decision, values, terms):
        """Fill in the first and the last day, as far as the plan tells what the list does not."""
        option_set, profile = decision.option_set, PROFILES[self.profile]
        start = fields.Date.to_date(values["start"]) or None
        end = fields.Date.to_date(values["end"]) or None
        since = fields.Date.to_date(values["since"]) or None
        today = self.company_id._membri_today()
        is_for_life = not end and (values["lifetime"] or option_set.lifetime)
        if is_for_life:
            if not option_set.lifetime:
                raise Refused(
                    "error",
                    self.env._(
                        "The membership has no last day, but the plan “%(plan)s” is not for life.",
                        plan=option_set.name,
                    ),
                )
            start = start or since or today
        elif end and not start:
            start = self._count_back(option_set, end)
            earlier = [t[1] for t in terms if t[1] and t[0] < end and start <= t[1] < end]
            if earlier and all(t[3] is None or t[3].state != "cancelled" for t in terms):
                start = max(earlier) + ONE_DAY
            elif since and start < since <= end:
                start = since
        elif start and not end:
            end = option_set._get_period(start)[1] or None
            if next_start := fields.Date.to_date(values.get("next_start")):
                end = min(end, next_start - ONE_DAY) if end else next_start - ONE_DAY
        elif not start:
            if option_set.lifetime or not (profile.is_running or self._tells_no_days()):
                raise Refused("error", self.env._("The row has neither a first nor a last day."))
            # who has left was a member of the period of that day
            left = fields.Date.to_date(values["left"])
            day = min(left, today) if left else today
            start, following = option_set._get_grid_bounds(day, since or day.replace(day=1))
            end = following - ONE_DAY
        if end and start > end:
            raise Refused("error", self.env._("The first day is after the last day."))
        self._end_early(decision, values, start, end, today)

    def _tells_no_days(self):
        """Return whether the list has no column for the days of a term, but one that tells since
        when somebody is a member: who is on it is a member of the running period."""
        targets = set(self.column_ids.mapped("target"))
        return "member_since" in targets and not targets & {
            "date_start",
            "date_end",
            "first_unpaid_day",
        }

    def _end_early(self, decision, values, start, end, today):
        """Who has left has a last day."""
        decision.date_start, decision.date_end = start, end or False
        left = fields.Date.to_date(values["left"])
        if left:
            if left < start:
                raise Refused("error", self.env._("The member left before the first day."))
            decision.date_end = min(end, left) if end else left
        elif values["status"] == "deceased" and start < today <= (end or today):
            decision.date_end = today - ONE_DAY  # nobody wrote the day down
        elif values["status"] == "over" and (not end or end >= today):
            raise Refused(
                "error",
                self.env._(
                    "The status says that the membership is over, but its last day does not."
                ),
            )

    @staticmethod
    def _count_back(option_set, end):
        if option_set.lifetime:
            return end
        return end + ONE_DAY - relativedelta(months=option_set._get_period_months())

    def _prepare_term_vals(self, decision, values):
        """:return: values of a ``membri.cotisation``, but for its member"""
        today = self.company_id._membri_today()
        start, end = decision.date_start, decision.date_end
        if values["status"] in ("pending", "cancelled"):
            state = values["status"]
        elif end and end < today:
            state = "expired"
        else:
            state = "scheduled" if start > today else "active"
        vals = {
            "option_set_id": decision.option_set.id,
            "company_id": self.company_id.id,
            "date_start": start,
            "date_end": end,
            "state": state,
            "origin": "import",
        }
        if values["left"] or values["status"] in ("left", "deceased"):
            vals["date_terminated"] = end
            vals["termination_reason"] = self.env._("Left, as the imported list says")
        if values["status"] == "deceased":
            reason = self.env.ref("membri_renewal.refusal_reason_deceased")
            vals["termination_reason"] = self.env._("Deceased")
            vals["termination_reason_id"] = reason.id
        return vals
