from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from ..models.dashboard import DUE_QUEUES
from .common_instalments import InstalmentCommon
from .common_shared_invoice import SharedInvoiceCommon

NOVEMBER = "2026-11-15 15:00:00"


@tagged("post_install", "-at_install")
@freeze_time(NOVEMBER)
class TestAmountDue(InstalmentCommon):
    """Issue 12, B1: the queues of what is awaited add up what is left to pay."""

    def _get_card(self, code="accepted_unpaid"):
        card = self.env.ref(f"membri_renewal.dashboard_{code}")
        card.invalidate_recordset()
        return card

    def test_part_money(self):
        renewal = self._approve_in_parts()
        self.assertEqual(renewal.amount_due, 345.0)
        payment = self._pay(renewal.invoice_id, 172.5)
        self.assertEqual(renewal.amount_due, 172.5)
        self.assertEqual(self._get_card().amount_at_stake, "$\N{NO-BREAK SPACE}172.50")
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual(renewal.amount_due, 345.0, "it went again")
        self._pay(renewal.invoice_id, 345.0)
        self.assertRecordValues(renewal, [{"amount_due": 0.0, "is_paid": True}])
        self.assertEqual(self._get_card().amount_at_stake, "")

    def test_queues_agree_with_their_lists(self):
        first, second = self._approve_in_parts(), self._approve_in_parts()
        undecided = self._renewal_in("sent")
        self._pay(first.invoice_id, 300.0)
        with freeze_time("2027-02-20 15:00:00"):
            for code, expected in (
                ("accepted_unpaid", 390.0),
                ("in_arrears", 390.0),
                ("all_open", 390.0 + undecided.amount_total),
            ):
                with self.subTest(code=code):
                    self.assertEqual(
                        self._get_card(code).amount_at_stake,
                        f"$\N{NO-BREAK SPACE}{expected:,.2f}",
                    )
            domain = self._get_card("in_arrears").action_open()["domain"]
            found = self.env["membri.renewal"].search(domain)
            self.assertEqual(found, first | second)
            self.assertEqual(sum(found.mapped("amount_due")), 390.0)
            groups = self.env["membri.renewal"]._read_group(domain, aggregates=["amount_due:sum"])
            self.assertEqual(groups, [(390.0,)])

    def test_payments_without_entry(self):
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            renewal = self._approve_in_parts()
            payment = self._pay(renewal.invoice_id, 172.5)
            self.assertEqual(renewal.invoice_id.amount_residual, 345.0)
            self.assertEqual(renewal.amount_due, 172.5)
            payment.action_cancel()
            self.assertEqual(renewal.amount_due, 345.0)

    def test_fee_notice(self):
        self.company.membri_fee_notice = True
        renewal = self._approve_in_parts()
        self.assertEqual(renewal.invoice_id.membri_fee_notice_state, "open")
        self.assertEqual(renewal.amount_due, 345.0)
        self._register(renewal.invoice_id, 100.0)
        self.assertEqual(renewal.amount_due, 245.0)

    def test_credit_note(self):
        """A gesture on the invoice is not due any more; void, nothing is."""
        renewal = self._approve_in_parts()
        invoice = renewal.invoice_id.with_env(self.env_account)
        note = invoice._reverse_moves([{"invoice_date": "2026-11-15"}])
        note.invoice_line_ids.price_unit = 100.0
        note.action_post()
        (note | invoice).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        ).reconcile()
        self.assertEqual(note.amount_total, 115.0)
        self.assertEqual(renewal.amount_due, 230.0)

    def test_another_currency(self):
        """In the currency of the renewal, whatever the accountant invoiced in."""
        renewal = self._approve_in_parts()
        invoice = renewal.invoice_id.with_env(self.env_account)
        euro = self.env_root.ref("base.EUR")
        euro.write(
            {
                "active": True,
                "rate_ids": [
                    Command.clear(),
                    Command.create(
                        {"name": "2026-01-01", "rate": 0.5, "company_id": self.company.id}
                    ),
                ],
            }
        )
        invoice.button_draft()
        self.assertEqual(renewal.amount_due, 345.0, "awaited while it is revised")
        invoice.currency_id = euro
        invoice.action_post()
        due = invoice.amount_residual
        self.assertEqual(renewal.amount_due, 2.0 * due)

    def test_draft_that_is_revised(self):
        """What the officer awaits does not vanish from the queue while the invoice is changed."""
        renewal = self._approve_in_parts()
        invoice = renewal.invoice_id.with_env(self.env_account)
        invoice.button_draft()
        self.assertEqual(renewal.amount_due, 345.0)
        self.assertEqual(self._get_card().amount_at_stake, "$\N{NO-BREAK SPACE}345.00")
        invoice.invoice_line_ids[0].price_unit += 100.0
        self.assertEqual(renewal.amount_due, 460.0)
        invoice.action_post()
        self.assertEqual(renewal.amount_due, 460.0)

    def test_cards_of_the_queues_add_up_what_is_due(self):
        """The columns of cards, as the list, where members accepted and have not paid."""
        due = self.env.ref("membri_renewal.membri_renewal_view_kanban_due")
        arch = self.env["membri.renewal"].get_view(due.id, "kanban")["arch"]
        self.assertIn('sum_field="amount_due"', arch)
        for code in DUE_QUEUES:
            action = self._get_card(code).action_open_kanban()
            self.assertEqual(action["views"][0], (due.id, "kanban"))
        others = self._get_card("all_open").action_open()["views"]
        self.assertNotIn((due.id, "kanban"), others)

    def test_the_list_asks_once(self):
        for _number in range(3):
            self._approve_in_parts()
        renewals = self.env["membri.renewal"].search([("state", "=", "approved")])
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(1):
            self.assertEqual(renewals.mapped("amount_due"), [345.0] * 3)


@tagged("post_install", "-at_install")
@freeze_time(NOVEMBER)
class TestSharedAmountDue(SharedInvoiceCommon):
    def test_part_of_each_member(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self._pay(invoice, 344.99)
        self.assertEqual(invoice.amount_residual, 690.01)
        self.assertEqual(renewals.mapped("amount_due"), [230.0, 230.01, 230.0])
        renewals[0].action_take_off()
        self.assertEqual(invoice.amount_residual, 345.01)
        self.assertEqual(renewals.mapped("amount_due"), [0.0, 172.51, 172.5])
        self._pay(invoice)
        self.assertEqual(renewals.mapped("amount_due"), [0.0, 0.0, 0.0])
        self.assertEqual(renewals.mapped("is_paid"), [False, True, True])

    def test_agrees_with_the_reconciliation(self):
        renewals = self.env["membri.renewal"].union(
            *(
                self._create_renewal(self._create_cotisation(member, "2026-01-01"))
                for member in self.members
            )
        )
        renewals[0].line_ids[0].quantity = 3
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self._pay(invoice, 100.0)
        self.env.flush_all()
        rows = self.env_account["membri.reconciliation"].search([("move_id", "=", invoice.id)])
        for renewal in renewals:
            row = rows.filtered(lambda r, own=renewal: r.cotisation_id == own.new_cotisation_id)
            self.assertEqual(renewal.amount_due, sum(row.mapped("open")))
