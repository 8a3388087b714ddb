from odoo import fields

from .common_payments import MembriPaymentCommon


class WriteOffCase(MembriPaymentCommon):
    """344.93 $ are due; 5 % of it are 17.25 $."""

    def setUp(self):
        super().setUp()
        self._run_cron("ir_cron_update_states")  # the last term is over

    def _pay_and_write_off(self, amount, invoice=None):
        return self._register_payment(
            invoice or self.invoice,
            amount=amount,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.company_data["default_account_expense"].id,
        )

    def _settle_by_entry(self, account, amount, invoice=None, partner=None):
        """Reconcile the invoice by hand with an entry: ``account``, of ``partner``, to its
        receivable."""
        receivable = (invoice or self.invoice).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        entry = self.env_account["account.move"].create(
            {
                "journal_id": self.company_data["default_journal_misc"].id,
                "line_ids": [
                    fields.Command.create(
                        {
                            "account_id": receivable.account_id.id,
                            "partner_id": receivable.partner_id.id,
                            "credit": amount,
                        }
                    ),
                    fields.Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": partner.id if partner else False,
                            "debit": amount,
                        }
                    ),
                ],
            }
        )
        entry.action_post()
        (entry.line_ids.filtered("credit") | receivable).reconcile()
        return entry

    def _get_questions(self):
        return self.invoice.sudo().activity_ids.filtered(
            lambda a: a.activity_type_id == self.env.ref("membri_renewal.activity_write_off")
        )

    def _kinds(self, invoice=None):
        return [
            (entry["kind"], round(entry["amount"], 2))
            for entry in (invoice or self.invoice)._membri_get_settlements()
        ]
