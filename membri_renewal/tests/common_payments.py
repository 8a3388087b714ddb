from .common import MembriCommon


class MembriPaymentCommon(MembriCommon):
    """An approved renewal, its pending cotisation and its unpaid invoice (as the accountant
    sees it), and what to expect of the three."""

    def setUp(self):
        super().setUp()
        self.renewal = self._renewal_in("approved")
        self.cotisation = self.renewal.new_cotisation_id
        self.invoice = self.renewal.invoice_id.with_env(self.env_account)

    def _assert_paid(self, cotisation_state="scheduled"):
        self.assertEqual(self.cotisation.state, cotisation_state)
        self.assertEqual(self.cotisation.payment_state, "paid")
        self.assertTrue(self.renewal.is_paid)
        self.assertFalse(self.renewal.is_open)
        self.assertEqual(self.renewal.state, "approved")

    def _assert_unpaid(self, payment_state="not_paid"):
        self.assertEqual(self.cotisation.state, "pending")
        self.assertEqual(self.cotisation.payment_state, payment_state)
        self.assertFalse(self.renewal.is_paid)
        self.assertTrue(self.renewal.is_open)
        self.assertEqual(self.renewal.state, "approved")

    def _assert_void(self):
        """The system transition of DESIGN §2: cancelled, and back to the staff."""
        self.assertEqual(self.cotisation.state, "cancelled")
        self.assertRecordValues(
            self.renewal,
            [
                {
                    "state": "intervention",
                    "intervention_reason": "The invoice was cancelled or credited in full.",
                    "invoice_id": False,
                    "new_cotisation_id": False,
                    "is_paid": False,
                    "is_open": True,
                }
            ],
        )
        self.assertTrue(self.renewal.partner_id.membri_intervention_required)

    def _credit(self, invoice, price=None):
        """Post a credit note from Odoo's own dialog, of all, or of ``price`` before taxes."""
        wizard = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        credit_note = self.env_account["account.move"].browse(wizard.reverse_moves()["res_id"])
        if price:
            credit_note.invoice_line_ids.price_unit = price
        credit_note.action_post()
        return credit_note
