from datetime import date, timedelta

from odoo import api, fields, models
from odoo.tools import email_normalize

from ..portal.renewal_answer import MESSAGE_MAX_LENGTH
from .detail import DETAIL_FIELDS

DETAIL_LENGTH = 128
DETAIL_MAX_LENGTH = {"email": 254, "phone": 32, "zip": 16}
INPUT_TYPES = {"email": "email", "phone": "tel"}
# what browsers may fill in: the visitor's own details, not those of another person
AUTOCOMPLETE = {
    ("contact", "email"): "email",
    ("contact", "phone"): "tel",
    ("contact", "street"): "address-line1",
    ("contact", "street2"): "address-line2",
    ("contact", "city"): "address-level2",
    ("contact", "zip"): "postal-code",
    ("billing", "name"): "billing organization",
    ("billing", "email"): "billing email",
    ("billing", "street"): "billing address-line1",
    ("billing", "street2"): "billing address-line2",
    ("billing", "city"): "billing address-level2",
    ("billing", "zip"): "billing postal-code",
}
START_MAX_DAYS = 92


class MembriRenewal(models.Model):
    """The form on which members ask for changes: what it shows, and what it means when it
    comes back. Nothing in it is believed: what is not offered cannot be asked for."""

    _inherit = "membri.renewal"

    # ------------------------------------------------------------------
    # What the form shows
    # ------------------------------------------------------------------

    def _get_change_offers(self):
        """Return per option set that may be chosen, a dict: ``option_set``, ``term`` (a
        ``membri.change.request`` that is in no database), ``options`` (dicts)."""
        self.ensure_one()
        proposal = self._get_proposal()
        return [
            self._get_change_offer(option_set, proposal)
            for option_set in self._get_offered_option_sets(proposal)
        ]

    def _get_change_offer(self, option_set, proposal):
        usual = self._get_proposed_quantities(option_set, proposal)
        every = {
            line: usual.get(line, line.quantity) for line in option_set._get_offered_lines(proposal)
        }
        dates = self._get_requested_dates(option_set, proposal)
        lines_vals = self._prepare_requested_lines(option_set, every, dates, proposal)
        Request = self.env["membri.change.request"]
        vals = self._prepare_change_request_vals(option_set)
        all_lines = [fields.Command.create(line_vals) for line_vals in lines_vals]
        term = Request.new({**vals, "line_ids": all_lines})
        is_current = option_set == proposal.option_set_id
        return {
            "option_set": option_set,
            "is_current": is_current,
            "term": term,
            "total": proposal.amount_total if is_current else Request.new(vals).amount_total,
            "options": [
                {
                    "line": line,
                    "name": line.product_id.display_name,
                    "price": priced.price_subtotal / (priced.asked_quantity or 1),
                    "quantity": every[line],
                    "is_chosen": line in usual,
                    "is_fixed": line.is_required and (line in usual or not is_current),
                }
                # strict=False: what was agreed beside the set comes last
                for line, priced in zip(every, term.line_ids, strict=False)
            ],
            "extras": self._get_extra_lines(proposal) if is_current else proposal.line_ids[:0],
        }

    def _get_start_bounds(self):
        """Return ``(earliest, latest)`` first day that the member may ask for, or ``False``
        while the current term runs: the next one follows it without a gap."""
        self.ensure_one()
        today = self.company_id._membri_today()
        if self.current_date_end >= today:
            return False
        return self.current_date_end + timedelta(days=1), today + timedelta(days=START_MAX_DAYS)

    def _get_detail_values(self, subject):
        """:return: ``{field name: value}`` that the contact has now, as a form takes it"""
        target = self._get_member()._membri_get_detail_target(subject)
        return {
            name: str(target[name].id) if name in ("state_id", "country_id") else target[name]
            for name in DETAIL_FIELDS[subject]
            if target and target[name]
        }

    def _get_detail_inputs(self, subject, knows_member, form):
        """The inputs for the details of one contact.

        :param knows_member: whether the visitor may see what we have; else they are empty
        :param form: what was sent before, ``{}`` on the first showing
        :return: list of dicts: ``name``, ``label``, ``value``, ``type``, ``autocomplete``,
            ``max_length``, ``choices`` (records)
        """
        now = self._get_detail_values(subject) if knows_member else {}
        labels = self.env["membri.change.request.detail"]._get_labels()
        choices = {
            "country_id": self.env["res.country"].search([("code", "!=", False)]),
            "state_id": self._get_states(),
        }
        return [
            {
                "name": f"{subject}_{name}",
                "label": labels[name],
                "value": form.get(f"{subject}_{name}", now.get(name)) or "",
                "type": INPUT_TYPES.get(name, "text"),
                "autocomplete": AUTOCOMPLETE.get((subject, name), "off"),
                "max_length": DETAIL_MAX_LENGTH.get(name, DETAIL_LENGTH),
                "choices": choices.get(name),
            }
            for name in DETAIL_FIELDS[subject]
            if name != "state_id" or choices["state_id"]
        ]

    def _get_states(self, country_id=None):
        """Return the provinces or states to choose from: of the member's country, else of
        the organisation's."""
        country = (
            self.env["res.country"].browse(country_id).exists()
            or self.partner_id.country_id
            or self.company_id.country_id
        )
        return country.state_ids

    # ------------------------------------------------------------------
    # What comes back
    # ------------------------------------------------------------------

    def _read_change_form(self, form, knows_member=True):
        """Check a form that was filled in.

        :param form: ``{name: text}``, as a browser, or anybody else, has sent it
        :param knows_member: whether the visitor may see what we have. What a link may have been
            forwarded with is asked as it was typed: a guess that is right would show
        :return: ``(ask, errors)``: keyword arguments of :meth:`_prepare_change_request_vals`,
            and ``{name of the input: sentence for the member}``
        """
        self.ensure_one()
        errors, ask = {}, {}
        message, too_long = self._clean_member_text(form.get("message"))
        if too_long:
            errors["message"] = self.env._(
                "Your message is too long (%(max)s characters maximum).",
                max=MESSAGE_MAX_LENGTH,
            )
        if form.get("option_set_id"):
            ask = self._read_term(form, errors)
        ask.update(details=self._read_details(form, errors, knows_member), message=message or False)
        if not errors and not self._asks_something(ask):
            errors["form"] = self.env._("Please tell us which changes you would like.")
        return ask, errors

    def _asks_something(self, ask):
        return bool(
            ask["message"]
            or ask["details"]
            or self._prepare_change_request_vals(**ask)["changes_term"]
        )

    def _read_term(self, form, errors):
        """:return: the option set, quantities and first day that are asked for"""
        proposal = self._get_proposal()
        option_set = self._get_offered_option_sets(proposal).filtered(
            lambda s: str(s.id) == form["option_set_id"]
        )
        if not option_set:
            errors["option_set_id"] = self.env._("Please choose one of the available memberships.")
            return {}
        usual = self._get_proposed_quantities(option_set, proposal)
        quantities = {}
        for line in option_set._get_offered_lines(proposal):
            # an option that is required was proposed, or was taken out by the staff
            fixed = line.is_required and (line in usual or option_set != proposal.option_set_id)
            if fixed or form.get(f"option_{line.id}"):
                quantities[line] = self._read_quantity(
                    line, usual.get(line, line.quantity), form, errors
                )
        if not quantities and not self._get_extra_lines(proposal):
            errors["option_set_id"] = self.env._("Please keep at least one option.")
        return {
            "option_set": option_set,
            "quantities": quantities,
            "date_start": self._read_start(form, errors),
        }

    def _read_quantity(self, line, usual, form, errors):
        name = f"quantity_{line.id}"
        text = (form.get(name) or "").strip()
        if not line.quantity_max or not text or text == f"{usual:g}":
            return usual
        if not (text.isdecimal() and len(text) <= 9 and 1 <= int(text) <= line.quantity_max):
            errors[name] = self.env._(
                "%(option)s: enter a whole number from 1 to %(max)s.",
                option=line.product_id.display_name,
                max=line.quantity_max,
            )
            return usual
        return float(text)

    def _read_start(self, form, errors):
        bounds, text = self._get_start_bounds(), (form.get("date_start") or "").strip()
        if not bounds or not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = None
        if not day or not bounds[0] <= day <= bounds[1]:
            errors["date_start"] = self.env._(
                "Please choose a first day from %(first)s to %(last)s.",
                first=self._format_day(bounds[0]),
                last=self._format_day(bounds[1]),
            )
        return day

    def _read_details(self, form, errors, knows_member):
        """Return a list of values of ``membri.change.request.detail``: what is given, and
        differs from what the visitor may see that we have. What is left empty stays as it is."""
        details = []
        for subject, names in DETAIL_FIELDS.items():
            now = self._get_detail_values(subject) if knows_member else {}
            given = {
                name: " ".join((form.get(f"{subject}_{name}") or "").replace("\x00", "").split())
                for name in names
            }
            # of another person everything is new, even an address that stays
            other = subject == "responsible" and given["name"] not in ("", now.get("name"))
            asked = []
            for name, text in given.items():
                if text and (other or text != now.get(name)):
                    vals = self._read_detail(subject, name, text, form, errors)
                    asked.append({"subject": subject, "field_name": name, **vals})
            details += asked
            if subject == "responsible" and asked:
                self._check_responsible({vals["field_name"] for vals in asked}, errors)
        return details

    def _read_detail(self, subject, name, text, form, errors):
        """:return: the old and the new value of one detail"""
        error, vals = False, {"new_value": text}
        target = self._get_member()._membri_get_detail_target(subject)
        if name in ("state_id", "country_id"):
            record = self._read_record(subject, name, text, form)
            vals = {"new_value": record.name, "value_id": record.id}
            old_value = target[name].name
            if not record:
                error = self.env._("Please choose from the list.")
        else:
            old_value = target[name]
            max_length = DETAIL_MAX_LENGTH.get(name, DETAIL_LENGTH)
            if len(text) > max_length:
                error = self.env._("Too long (%(max)s characters maximum).", max=max_length)
            elif name == "email" and (text.count("@") != 1 or not email_normalize(text)):
                error = self.env._("This email address is not valid.")
        if error:
            errors[f"{subject}_{name}"] = self._label_error(name, error)
        return {**vals, "old_value": old_value}

    def _read_record(self, subject, name, text, form):
        """:return: the country, or the state of the country, that was chosen"""
        record_id = int(text) if text.isdecimal() and len(text) <= 9 else 0
        if name == "country_id":
            return self.env["res.country"].browse(record_id).exists()
        country = (form.get(f"{subject}_country_id") or "").strip()
        country_id = int(country) if country.isdecimal() and len(country) <= 9 else None
        return self._get_states(country_id).filtered(lambda state: state.id == record_id)

    def _check_responsible(self, asked, errors):
        """A person in charge has a name, and a new one an address: notices go there."""
        if not self._get_member().membri_responsible_id and "name" not in asked:
            errors["responsible_name"] = self._label_error(
                "name", self.env._("Please enter the name of the membership contact.")
            )
        if "name" in asked and "email" not in asked:
            errors["responsible_email"] = self._label_error(
                "email",
                self.env._(
                    "Please enter this person's email address. Renewal notices will be sent there."
                ),
            )

    @api.model
    def _label_error(self, name, error):
        labels = self.env["membri.change.request.detail"]._get_labels()
        return self.env._("%(label)s: %(error)s", label=labels[name], error=error)
