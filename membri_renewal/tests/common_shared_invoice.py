from odoo import fields

from .common import MembriCommon


class SharedInvoiceCommon(MembriCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.payer = cls._create_member("Chain Ltd", is_company=True)
        cls.payer.membri_group_invoices = True
        cls.members = cls.env["res.partner"].union(
            *(cls._create_member(f"Branch {n}", parent_id=cls.payer.id) for n in range(1, 4))
        )

    def _prepare(self, members=None):
        """:return: their renewals, sent"""
        renewals = self.env["membri.renewal"]
        for member in members or self.members:
            renewals |= self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        renewals.action_send()
        return renewals

    def _create_terms_that_end(self):
        """A monthly term of each member, which the night renews with an invoice at once."""
        for number, member in enumerate(self.members):
            self._create_cotisation(
                member,
                fields.Date.to_date("2026-10-20"),
                self.monthly,
                state="active",
                date_end=f"2026-11-{18 + number}",
            )

    def _get_invoice(self, renewals):
        invoice = renewals.invoice_id.with_env(self.env_account)
        invoice.ensure_one()
        return invoice
