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

    def _get_questions(self):
        return self.invoice.sudo().activity_ids.filtered(
            lambda a: a.activity_type_id == self.env.ref("membri_renewal.activity_write_off")
        )

    def _kinds(self, invoice=None):
        return [
            (entry["kind"], round(entry["amount"], 2))
            for entry in (invoice or self.invoice)._membri_get_settlements()
        ]
