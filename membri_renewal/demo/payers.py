from odoo import fields, models


class MembriDemo(models.AbstractModel):
    """A family with one invoice for its members, and a newcomer who has a fee notice."""

    _inherit = "membri.demo"

    def _play_payers(self, catalogue):
        self._enrol_family(catalogue["IND"])
        self._send_fee_notice(catalogue["IND"])

    def _enrol_family(self, option_set):
        family, *members = self._create_contacts(
            [
                {
                    "name": name,
                    "email": f"{email}@ouellet.example",
                    "city": "Rivière-Claire",
                    "lang": "fr_CA",
                }
                for name, email in (
                    ("Famille Ouellet", "famille"),
                    ("Léa Ouellet", "lea"),
                    ("Noé Ouellet", "noe"),
                )
            ]
        )
        family.membri_group_invoices = True
        vals_list = []
        for member in members:
            member.parent_id = family
            vals_list.append(self._prepare_enrolment(member, option_set))
        cotisations = self.env["membri.cotisation"].create(vals_list)
        cotisations._create_invoices("enrolment")
        self._name_record("shared_invoice", cotisations.invoice_id)

    def _prepare_enrolment(self, member, option_set):
        enrolment = self.env["membri.enrolment"].create(
            {"partner_id": member.id, "option_set_id": option_set.id, "prorate": True}
        )
        return enrolment._prepare_cotisation_vals()

    def _send_fee_notice(self, option_set):
        """The chamber tries the fee notices on one newcomer; the mode itself stays off."""
        newcomer = self._create_contacts(
            [
                {
                    "name": "Maëlle Gagnon",
                    "email": "maelle@gagnon.example",
                    "city": "Rivière-Claire",
                    "lang": "fr_CA",
                }
            ]
        )
        company = self.env.company
        company.membri_fee_notice = True
        notice = newcomer._membri_enrol(option_set, prorate=True).invoice_id
        company.membri_fee_notice = False
        notice.write(
            {"membri_fee_notice_to_send": False, "membri_date_sent": fields.Datetime.now()}
        )
        self._name_record("fee_notice", notice)
