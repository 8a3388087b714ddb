from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.fields import Command

# name, last day of the current term in days from today, how its card answers, what became of it
CARD_HOLDERS = [
    ("Rosalie Fournier", 150, "done", "to_come"),
    ("Olivier Pelletier", 44, "done", "announced_renewal"),
    ("Juliette Bélanger", 21, "done", "announced"),
    ("Antoine Lavoie", -3, "done", "charged"),
    ("Florence Cloutier", -4, "error", "declined"),
    ("Samuel Girard", -12, "cancel", "refused"),
    ("Alice Poirier", 12, None, "without_card"),
]
IN_PARTS = ("Édouard Simard", -20)


class MembriDemo(models.AbstractModel):
    """Members whose saved card pays, or does not, and one who pays in parts and is late."""

    _inherit = "membri.demo"

    def _play_cards(self, catalogue, draw):
        plan = self._create_card_plan(catalogue["IND"])
        provider = self._get_demo_provider()
        for name, end, answer, outcome in CARD_HOLDERS:
            member = self._create_card_holder(name)
            cotisation = self._create_last_term(member, plan, end)
            if answer and provider:
                self._save_demo_card(member, provider, answer)
            elif answer:  # without Odoo's test provider there are no cards
                continue
            if outcome != "to_come":
                self._play_card(cotisation, outcome)
        self._play_parts(catalogue["IND"], draw)

    def _get_demo_provider(self):
        """:return: Odoo's test provider of the demo company, if it is installed"""
        return self.env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", self.env.company.id)], limit=1
        )

    def _create_card_plan(self, option_set):
        plan = option_set.copy(
            {"code": "AUTO", "automatic_payment": "required", "announce_days": 14}
        )
        plan.with_context(lang="en_US").name = "Person (paid by saved card)"
        for lang in ("fr_CA", "fr_FR"):
            plan.with_context(lang=lang).name = "Particulier (payé par carte enregistrée)"
        return self._name_record("set_auto", plan)

    def _create_card_holder(self, name):
        first, last = name.split()
        return self._create_contacts(
            [
                {
                    "name": name,
                    "email": f"{first}@{last}.example".lower().translate(
                        str.maketrans("éèâç", "eeac")
                    ),
                    "city": "Rivière-Claire",
                    "lang": "fr_CA",
                }
            ]
        )

    def _create_last_term(self, member, plan, end):
        """:param end: its last day, in days from today"""
        last = self.env.company._membri_today() + timedelta(days=end)
        first = last + timedelta(days=1) - relativedelta(years=1)
        lines_vals = plan._prepare_term_lines(member, first, last)
        return self.env["membri.cotisation"].create(
            {
                "partner_id": member.id,
                "option_set_id": plan.id,
                "date_start": first,
                "date_end": last,
                "date_anchor": first,
                "origin": "import",
                "state": "expired" if end < 0 else "active",
                "line_ids": [Command.create(vals) for vals in lines_vals],
            }
        )

    def _save_demo_card(self, member, provider, answer):
        token = self.env["payment.token"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": self.env.ref("payment_demo.payment_method_demo").id,
                "partner_id": member.id,
                "payment_details": "4242",
                "provider_ref": "demo",
                "demo_simulated_state": answer,
            }
        )
        member._membri_save_card(token, self.env.company._membri_get_consent_wording(), "payment")

    def _play_card(self, cotisation, outcome):
        renewal = self.env["membri.renewal"].create({"cotisation_id": cotisation.id})
        self._name_record(f"renewal_card_{outcome}", renewal)
        if outcome == "announced_renewal":
            renewal._plan_auto_invoice()
            renewal._set_state("sent", date_sent=fields.Datetime.now())
            renewal._portal_ensure_token()
            renewal._before_document()
            renewal._post_notices(renewal._get_notice_template(), {})
            renewal._refresh_members()
            return
        renewal._do_approve()
        if outcome not in ("announced", "without_card"):
            self._charge_in_the_past(renewal)

    def _charge_in_the_past(self, renewal):
        """Announced long ago, and charged on its day, without the emails and their PDFs."""
        today = self.env.company._membri_today()
        lead = timedelta(days=self.env.company.membri_charge_lead_days)
        renewal._internal_write(
            {
                "date_charge": today,
                "date_charge_announced": fields.Datetime.now() - lead,
                "delivery_state": "delivered",
            }
        )
        renewal._begin_charge()
        renewal._send_charge()
        charge = renewal._get_last_charge()
        if charge.state == "done":
            renewal._book_charge()
            return
        vals = {
            "charge_state": "failed",
            "charge_note": renewal._get_decline_sentence(charge),
            "date_charge_retry": renewal._get_retry_day(charge),
        }
        renewal._internal_write(vals)
        renewal._post_notices(
            self.env.ref("membri_renewal.mail_template_charge_failed"), {}, "charge"
        )

    def _play_parts(self, option_set, draw):
        """Three payments were agreed on; the first one came."""
        today = self.env.company._membri_today()
        name, end = IN_PARTS
        member = self._create_card_holder(name)
        member.property_payment_term_id = self._create_named(
            "account.payment.term",
            ("Three payments", "Trois versements"),
            self.env.company,
            line_ids=[
                Command.create({"value": "percent", "value_amount": share, "nb_days": days})
                for share, days in ((40, 0), (30, 30), (30, 60))
            ],
        )
        renewal = self.env["membri.renewal"].create(
            {"cotisation_id": self._create_last_term(member, option_set, end).id}
        )
        self._name_record("renewal_in_parts", renewal)
        approved = today + timedelta(days=end - option_set.notice_lead_days)
        self._approve_in_the_past(renewal, {renewal: (approved, approved)}, draw)
        invoice = renewal.invoice_id
        first = min(invoice._membri_get_plan())
        self._pay_in_the_past({invoice: approved + timedelta(days=2)}, {invoice: first[1]})
