from odoo.fields import Command

from .common import MembriCommon


class InstalmentCommon(MembriCommon):
    """Members who pay by payment terms in several parts: 345 in two halves, today and in 60
    days."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.halves = cls._create_terms((50, 0), (50, 60))

    @classmethod
    def _create_terms(cls, *parts, **vals):
        return cls.env_account["account.payment.term"].create(
            {
                "name": "Parts",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": share, "nb_days": days})
                    for share, days in parts
                ],
                **vals,
            }
        )

    def _approve_in_parts(self, terms=None, activation="first_part"):
        """A renewal of a new member that is approved and paid in parts."""
        self.yearly.sudo().activation = activation
        renewal = self._create_renewal(self._create_yearly())
        renewal.partner_id.sudo().property_payment_term_id = terms or self.halves
        renewal.action_approve()
        return renewal

    def _register(self, notice, amount):
        """The payment of a fee notice, as the accountant registers it."""
        action = notice.with_env(self.env_account).action_membri_register_fee_notice_payment()
        wizard = self.env_account[action["res_model"]].browse(action["res_id"])
        wizard.amount = amount
        wizard.action_confirm()

    def _unreconcile(self, invoice):
        invoice.with_env(self.env_account).line_ids.remove_move_reconcile()

    def _run_states(self):
        """The night, which has nothing left to correct afterwards."""
        self._run_cron("ir_cron_update_states")
        Cotisation = self.env_root["membri.cotisation"]
        self.assertFalse(Cotisation.search(Cotisation._get_update_states_domain()))
