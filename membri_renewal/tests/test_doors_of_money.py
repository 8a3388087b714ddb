"""Issue 11, A 5: that an invoice is paid, and by whose card, is said by Odoo's buttons and by the
provider, whatever a client names in records of its own."""

from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from ..models.doors.base import DOCUMENTS, check_form_may_tell_of, check_may_name
from ..models.invoice.journal import OF_ALL_ENTRIES
from .common_automatic_payment import AutomaticPaymentCommon
from .common_fee_notice import TODAY, FeeNoticePortalCase

LOGGERS = (
    "odoo.addons.base.models.ir_model",
    "odoo.addons.base.models.ir_rule",
    "odoo.models",
    "odoo.sql_db",
)


class MoneyDoorsCase(AutomaticPaymentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.west = cls._create_other_company("West", "America/Vancouver", with_accounting=True)
        cls.west_clerk = cls._create_clerk("west_clerk", cls.west)
        cls.clerk = cls._create_clerk("clerk", cls.company)
        cls.officer_alone = new_test_user(
            cls.env_root,
            "officer_alone",
            "membri_renewal.group_membri_user",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )
        cls.approved = cls._create_renewal(cls._create_cotisation(cls.member, "2026-01-01"))
        cls.approved.action_approve()
        cls.invoice = cls.approved.invoice_id

    @classmethod
    def _create_clerk(cls, login, company):
        return new_test_user(
            cls.env_root,
            login,
            "account.group_account_invoice",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    def _call(self, user, model, method, *args, **context):
        """As a client calls it."""
        self.env.flush_all()
        self.env.invalidate_all()
        records = self.env(user=user, context={})[model]
        with mute_logger(*LOGGERS), self.env.cr.savepoint():
            result = call_kw(records, method, list(args), {"context": context})
            self.env.flush_all()
        self.env.invalidate_all()
        return result

    def _assert_call_refused(self, user, model, method, *args, error=UserError, **context):
        """An ``AccessError`` is a ``UserError`` as well."""
        with self.subTest(user=user.login, model=model, method=method, args=args):
            with self.assertRaises(error):
                self._call(user, model, method, *args, **context)

    def _get_receivable(self, move):
        return move.sudo().line_ids.filtered(lambda line: line.account_type == "asset_receivable")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestMatchingDoors(MoneyDoorsCase):
    """Odoo has no rule for what is matched: by RPC, any invoice of any company was paid."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ordinary = cls.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": cls.member.id,
                "invoice_date": "2026-11-15",
                "invoice_line_ids": [Command.create({"name": "Chairs", "price_unit": 5000.0})],
            }
        )
        cls.ordinary.action_post()
        cls._register_payment(cls.ordinary, amount=10.0)

    def _prepare_partial(self, **vals):
        due = self.invoice.sudo().amount_total
        return {
            "debit_move_id": self._get_receivable(self.invoice).id,
            "credit_move_id": self._get_receivable(self.ordinary).id,
            "amount": due,
            "debit_amount_currency": due,
            "credit_amount_currency": due,
            **vals,
        }

    def _assert_unpaid(self):
        self.assertEqual(self.invoice.payment_state, "not_paid")
        self.assertEqual(self.invoice.amount_residual, self.invoice.amount_total)
        self.assertEqual(self.approved.new_cotisation_id.state, "pending")

    def test_nobody_says_that_an_invoice_is_paid(self):
        line, other = self._get_receivable(self.invoice), self._get_receivable(self.ordinary)
        partial = self._prepare_partial()
        partials = "account.partial.reconcile"
        for user in (self.west_clerk, self.clerk, self.officer_alone):
            for vals in (partial, {**partial, "company_id": user.company_id.id}):
                self._assert_call_refused(user, partials, "create", [vals])
                self._assert_call_refused(
                    user, partials, "create", [vals], membri_reconciling=["reconciling"]
                )
            lines = "account.move.line"
            for record, name, given in (
                (line, "matched_credit_ids", "debit_move_id"),
                (other, "matched_debit_ids", "credit_move_id"),
            ):
                command = Command.create({k: v for k, v in partial.items() if k != given})
                self._assert_call_refused(user, lines, "write", record.ids, {name: [command]})
            matched = {
                "partial_reconcile_ids": [Command.set(other.matched_credit_ids.ids)],
                "reconciled_line_ids": [Command.set((line | other).ids)],
            }
            self._assert_call_refused(user, "account.full.reconcile", "create", matched)
        self._assert_unpaid()

    def test_what_is_matched_is_as_money_came(self):
        """What Odoo's buttons match is neither changed by anybody, nor undone elsewhere."""
        self._pay(self.invoice, 100.0)
        partial = self._get_receivable(self.invoice).matched_credit_ids
        self.assertEqual(partial.amount, 100.0)
        partials = "account.partial.reconcile"
        for user in (self.west_clerk, self.clerk, self.officer_alone):
            for vals in (
                {"amount": 300.0, "debit_amount_currency": 300.0},
                {"debit_move_id": self._get_receivable(self.ordinary).id},
            ):
                self._assert_call_refused(user, partials, "write", partial.ids, vals)
        self.assertFalse(self._call(self.west_clerk, partials, "search", []))
        for method, args in (("read", [["amount"]]), ("unlink", [])):
            self._assert_call_refused(self.west_clerk, partials, method, partial.ids, *args)
        self._pay(self.invoice)
        self.assertEqual(self.invoice.payment_state, "paid")
        full = self._get_receivable(self.invoice).full_reconcile_id
        self.assertTrue(full)
        self.assertFalse(self._call(self.west_clerk, "account.full.reconcile", "search", []))
        self._assert_call_refused(self.west_clerk, "account.full.reconcile", "unlink", full.ids)
        self.assertTrue(full.exists())
        # a form would name the invoice, and its amounts
        for user, vals in (
            (self.west_clerk, {"debit_move_id": self._get_receivable(self.invoice).id}),
            (self.west_clerk, {"exchange_move_id": self.invoice.id}),
        ):
            names = {"fields": {"display_name": {}}}
            self._assert_call_refused(
                user,
                partials,
                "onchange",
                [],
                vals,
                list(vals),
                {**dict.fromkeys(vals, names), "company_id": names},
            )

    def test_buttons_match(self):
        """The clerk of this company books, takes back and matches as ever."""
        payment = self._pay(self.ordinary, 100.0)
        line = self._get_receivable(payment.move_id)
        moves = "account.move"
        self._call(
            self.clerk,
            moves,
            "js_remove_outstanding_partial",
            self.ordinary.ids,
            line.matched_debit_ids.id,
        )
        self.assertFalse(line.matched_debit_ids)
        self._call(self.clerk, moves, "js_assign_outstanding_line", self.invoice.ids, line.id)
        self.assertEqual(self.invoice.payment_state, "partial")
        self.assertEqual(line.matched_debit_ids.amount, 100.0)
        self._pay(self.invoice)
        self.assertEqual(self.approved.new_cotisation_id.state, "scheduled")
        self._call(self.clerk, "account.move.line", "remove_move_reconcile", line.ids)
        self.assertEqual(self.invoice.payment_state, "partial")

    def test_branches_match_with_their_parents(self):
        """Whoever works in a company sees what is matched below and above it."""
        branch = self.env_root["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self._pay(self.invoice, 100.0)
        partial = self._get_receivable(self.invoice).matched_credit_ids
        clerk = self._create_clerk("branch_clerk", branch)
        partials = "account.partial.reconcile"
        self.assertIn(partial.id, self._call(clerk, partials, "search", []))

    def test_windows_of_branches_name_no_document_of_their_parents(self):
        """Nothing is matched there: Odoo's window that sends an invoice showed the whole email."""
        branch = self.env_root["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        clerk = self._create_clerk("branch_clerk", branch)
        payment = self._pay(self.invoice, 100.0)
        for model, vals in (
            ("account.move.send.wizard", {"move_id": self.invoice.id}),
            ("payment.refund.wizard", {"payment_id": payment.id}),
        ):
            self._assert_call_refused(clerk, model, "create", vals, error=AccessError)
        self._call(self.clerk, "account.move.send.wizard", "create", {"move_id": self.invoice.id})
        # those of the branch, above it
        line = self._get_receivable(self.invoice)
        check_may_name(
            self.env(user=clerk)["account.partial.reconcile"], [{"debit_move_id": line.id}]
        )

    def test_records_that_name_a_document(self):
        """Any record of Odoo's that its user may make names, by a many2one, documents of the own
        companies alone: it shows their names, and what is computed of them."""
        payment = self._pay(self.invoice, 100.0)
        line = self._get_receivable(self.invoice)
        token = self._create_token(self.member)
        transaction = self.env_root["payment.transaction"].create(
            {
                "provider_id": self.provider.id,
                "payment_method_id": token.payment_method_id.id,
                "reference": "West never heard of it",
                "amount": 5.0,
                "currency_id": self.company.currency_id.id,
                "partner_id": self.member.id,
            }
        )
        foreign = {
            "account.move": self.invoice,
            "account.move.line": line,
            "account.partial.reconcile": line.matched_credit_ids,
            "account.payment": payment,
            "payment.token": token,
            "payment.transaction": transaction,
        }
        self.assertEqual(set(foreign), DOCUMENTS)
        tried = set()
        for name, model in sorted(self.env(user=self.west_clerk).registry.items()):
            records = self.env(user=self.west_clerk)[name]
            if model._abstract or not records.has_access("create"):
                continue
            for field in model._fields.values():
                if field.type != "many2one" or not field.store or field.inherited:
                    continue
                if record := foreign.get(field.comodel_name):
                    tried.add(str(field))
                    with self.subTest(field=str(field)):
                        with mute_logger(*LOGGERS), self.assertRaises(AccessError):
                            check_may_name(records, [{field.name: record.id}])
                        try:
                            self._call(self.west_clerk, name, "create", [{field.name: record.id}])
                            self.fail("named")
                        except (  # or what the model asks for first
                            UserError,
                            ValueError,
                            KeyError,
                        ):
                            continue
        self.assertLessEqual(
            {
                "account.move.auto_post_origin_id",
                "account.move.line.payment_id",
                "account.move.send.wizard.move_id",
                "account.payment.payment_token_id",
                "account.payment.payment_transaction_id",
                "payment.refund.wizard.payment_id",
            },
            tried,
        )
        # what the database takes for a number, and what is not said but meant
        records = self.env(user=self.west_clerk)["account.move.line"]
        for named in (str(payment.id), float(payment.id)):
            with self.subTest(named=named), self.assertRaises(AccessError):
                check_may_name(records, [{"payment_id": named}])
        for nothing in (False, None, "", "x", float("inf"), 0):
            check_may_name(records, [{"payment_id": nothing}])
        with self.assertRaises(AccessError):
            records.with_context(default_payment_id=payment.id)._prepare_create_values([{}])
        own = self._call(
            self.west_clerk,
            "account.move",
            "create",
            {"move_type": "out_invoice", "invoice_line_ids": [Command.create({"name": "x"})]},
        )
        line = self.env["account.move"].sudo().browse(own).invoice_line_ids
        for model, record, vals in (
            ("account.move", own, {"auto_post_origin_id": self.invoice.id}),
            ("account.move.line", line.id, {"payment_id": payment.id}),
        ):
            self._assert_call_refused(
                self.west_clerk, model, "write", record, vals, error=AccessError
            )

    def test_documents_of_memberships_are_named_by_who_reads_them(self):
        """Whoever approves expenses (an application of Odoo's) reads the invoices of expenses: of
        an expense that named it, any invoice of the company. Its form told every employee what is
        due on any invoice, and whether it was paid."""
        payment = self._pay(self.invoice, 100.0)
        line = self._get_receivable(self.invoice)
        employee = self._create_clerk("plain_employee", self.company)
        employee.sudo().group_ids = self.env.ref("base.group_user")
        reader = self._create_clerk("plain_reader", self.company)
        reader.sudo().group_ids = self.env.ref("membri_renewal.group_membri_readonly")
        both = self._create_clerk("clerk_of_both", self.company)
        both.sudo().company_ids += self.west
        for name, field, record in (
            ("account.move", "auto_post_origin_id", self.invoice),
            ("account.move.line", "move_id", self.invoice),
            ("account.move.line", "payment_id", payment),
            ("account.partial.reconcile", "debit_move_id", line),
        ):
            users = ((employee, False), (reader, False), (self.clerk, True), (both, True))
            for user, may in users:
                context = {"allowed_company_ids": self.west.ids} if user == both else {}
                model = self.env(user=user, context=context)[name]
                for check, given in (
                    (check_may_name, [{field: record.id}]),
                    (check_form_may_tell_of, {field: record.id}),
                    (check_form_may_tell_of, {field: {"id": record.id}}),
                ):
                    with self.subTest(user=user.login, field=f"{name}.{field}", given=given):
                        if may:
                            check(model, given)
                            continue
                        with mute_logger(*LOGGERS), self.assertRaises(AccessError):
                            check(model, given)
        # what is no membership's is told as ever
        lines = self.env(user=employee)["account.move.line"]
        check_may_name(lines, [{"move_id": self.ordinary.id}])


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestPostedItems(MoneyDoorsCase):
    """The items of a posted membership invoice are neither moved nor changed, in what they bill and
    to whom: less would be left to pay."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls.invoice.sudo()

    def test_what_is_to_be_paid_stays(self):
        clerk = self.clerk
        self.assertEqual(self.invoice.state, "posted")
        item = self.invoice.line_ids.filtered(lambda i: i.account_type == "asset_receivable")
        income = self.invoice.invoice_line_ids.account_id[:1]
        other = self.invoice.copy()
        owed = self.invoice.amount_residual
        bill = self.invoice.invoice_line_ids[0]
        for line, vals in (
            (item, {"account_id": income.id, "display_type": "product", "date_maturity": False}),
            (item, {"move_id": other.id}),
            (item, {"partner_id": clerk.partner_id.id}),
            (bill, {"debit": 1.0}),
            (bill, {"balance": -1.0}),
            (bill, {"amount_currency": -1.0}),
        ):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                line.with_user(clerk).write(vals)
            self._assert_unpaid(owed)
        by_clerk = self.invoice.with_user(clerk)
        for vals in (
            {"partner_id": clerk.partner_id.id},
            {"invoice_line_ids": [Command.create({"name": "Gift", "price_unit": -owed})]},
            {"line_ids": [Command.update(item.id, {"balance": 0.0})]},
        ):
            for context in ({}, {"skip_readonly_check": True}):
                with self.subTest(vals=vals, context=context), self.assertRaises(UserError):
                    by_clerk.with_context(**context).write(vals)
                self._assert_unpaid(owed)

    def test_members_pay_to_an_account_of_the_company(self):
        """Odoo lets whoever works on invoices name any bank account, of booked ones as well, and
        the page says where the money goes."""
        accounts = self.env_root["res.partner.bank"].create(
            [
                {"acc_number": "111", "partner_id": self.clerk.partner_id.id},
                {"acc_number": "222", "partner_id": self.company.partner_id.id},
            ]
        )
        for user in (self.clerk, self.officer_alone):
            self._assert_call_refused(
                user,
                "account.move",
                "write",
                self.invoice.ids,
                {"partner_bank_id": accounts[0].id},
                error=ValidationError,
            )
        self._call(
            self.clerk,
            "account.move",
            "write",
            self.invoice.ids,
            {"partner_bank_id": accounts[1].id},
        )
        self.assertEqual(self.invoice.sudo().partner_bank_id, accounts[1])

    def test_due_day_of_a_booked_invoice(self):
        """Odoo lets it be put off, and its items follow."""
        self.invoice.with_user(self.clerk).invoice_date_due = "2027-12-31"
        [item] = self.invoice.line_ids.filtered("date_maturity")
        self.assertEqual(item.date_maturity, date(2027, 12, 31))
        self._assert_unpaid(self.invoice.amount_total)

    def _assert_unpaid(self, owed):
        self.env.invalidate_all()
        self.assertEqual(self.invoice.amount_residual, owed)
        self.assertEqual(self.invoice.amount_total, owed)
        self.assertEqual(self.invoice.payment_state, "not_paid")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCardDoors(MoneyDoorsCase):
    """Odoo charges any saved card that somebody who books payments names, for any amount."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.card = cls._create_token(cls.member)
        cls.other = cls._create_member("Olga Other")
        cls.by_card = cls.provider.journal_id.inbound_payment_method_line_ids.filtered(
            lambda line: line.payment_provider_id == cls.provider
        )
        cls.by_hand = cls.provider.journal_id.inbound_payment_method_line_ids.filtered(
            lambda line: line.code == "manual"
        )[:1]

    def _charge_at_desk(self, user, partner, method, context=None, **vals):
        """Make a payment by RPC, and confirm it."""
        method = method.sudo()
        payment = self._call(
            user,
            "account.payment",
            "create",
            {
                "amount": 77.0,
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": partner.id,
                "journal_id": method.journal_id.id,
                "payment_method_line_id": method.id,
                "payment_token_id": self.card.id,
                **vals,
            },
        )
        self._call(user, "account.payment", "action_post", [payment], **(context or {}))
        return self.env["account.payment"].sudo().browse(payment)

    def _assert_not_charged(self, *args, **kwargs):
        with self.subTest(args=args, kwargs=kwargs), self.assertRaises(UserError):
            self._charge_at_desk(*args, **kwargs)
        self.assertFalse(self.card.transaction_ids)

    def test_card_of_another_company(self):
        by_hand = (
            self.env_root["account.journal"]
            .search([("type", "=", "bank"), ("company_id", "=", self.west.id)], limit=1)
            .inbound_payment_method_line_ids.filtered(lambda line: line.code == "manual")[:1]
        )
        self.assertTrue(by_hand)
        self._assert_not_charged(self.west_clerk, self.member, by_hand)
        self._assert_not_charged(self.west_clerk, self.other, by_hand)

    def test_card_of_somebody_else(self):
        for user in (self.clerk, self.officer_alone):
            self._assert_not_charged(user, self.other, self.by_card)
            self._assert_not_charged(user, self.member, self.by_hand)
            self._assert_not_charged(user, self.other, self.by_hand)

    def test_for_invoices_of_others(self):
        """What a payment is for is said by the context, which is the client's."""
        own = self._create_token(self.other, provider=self._create_provider(self.west))
        provider = own.provider_id
        provider.journal_id = self.env_root["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", self.west.id)], limit=1
        )
        method = provider.journal_id.inbound_payment_method_line_ids.filtered(
            lambda line: line.payment_provider_id == provider
        )
        self.assertTrue(method)
        for model, records in (
            ("account.move", self.invoice),
            ("account.move.line", self._get_receivable(self.invoice)),
        ):
            context = {"active_model": model, "active_ids": records.ids}
            with self.subTest(model=model), self.assertRaises(AccessError):
                self._charge_at_desk(
                    self.west_clerk, self.other, method, context, payment_token_id=own.id
                )
        self.assertFalse(self.invoice.sudo().transaction_ids)
        payment = self._charge_at_desk(self.west_clerk, self.other, method, payment_token_id=own.id)
        self.assertEqual(payment.payment_transaction_id.state, "done")

    def test_who_only_reads_captures_nothing(self):
        """Odoo's window captures and voids in sudo the authorized payments that its user reads:
        readers of memberships read them."""
        self.provider.capture_manually = True
        transaction = self.env_root["payment.transaction"].create(
            {
                "provider_id": self.provider.id,
                "payment_method_id": self.env_root.ref("payment_demo.payment_method_demo").id,
                "operation": "online_direct",
                "reference": "Authorized",
                "amount": self.invoice.amount_total,
                "currency_id": self.invoice.currency_id.id,
                "partner_id": self.member.id,
                "invoice_ids": [Command.set(self.invoice.ids)],
            }
        )
        transaction._set_authorized()
        window, user = "payment.capture.wizard", self.auditor
        self.assertTrue(transaction.with_user(user).has_access("read"))
        for vals in ({}, {"amount_to_capture": 0.01, "void_remaining_amount": True}):
            vals = {"transaction_ids": [Command.set(transaction.ids)], **vals}
            made = self._call(user, window, "create", vals)
            self._assert_call_refused(user, window, "action_capture", made, error=AccessError)
        self.assertEqual(transaction.state, "authorized")
        self.assertFalse(transaction.child_transaction_ids)
        vals = {"transaction_ids": [Command.set(transaction.ids)]}
        made = self._call(self.clerk, window, "create", vals)
        self._call(self.clerk, window, "action_capture", made)
        self.assertEqual(transaction.state, "done")

    def test_who_only_reads_sees_no_sums_of_journals(self):
        """Odoo adds up, for whoever reads a journal, all that is in it: the balance of the bank."""
        journal = self.company_data["default_journal_bank"]
        names = sorted(OF_ALL_ENTRIES)
        user = self.auditor
        own = journal.with_user(user)
        self.assertTrue(own.name)
        self.assertFalse(OF_ALL_ENTRIES & own.fields_get().keys())
        for name in names:
            self._assert_call_refused(
                user, "account.journal", "read", journal.ids, [name], error=AccessError
            )
        self.assertTrue(journal.with_user(self.clerk).read(names))

    def test_card_of_the_payer(self):
        payment = self._charge_at_desk(self.clerk, self.member, self.by_card)
        self.assertEqual(payment.payment_transaction_id.state, "done")
        self.assertEqual(self.card.transaction_ids.amount, 77.0)

    def test_card_of_a_person_whose_company_is_invoiced(self):
        """Odoo's window offers the card of whoever the invoice is addressed to."""
        corporation = self._create_member("Boulanger Ltd", is_company=True)
        self.member.parent_id = corporation
        invoice = self.invoice.sudo()
        self.assertEqual(invoice.partner_id, self.member)
        wizard = (
            self.env_root["account.payment.register"]
            .with_user(self.clerk)
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"payment_method_line_id": self.by_card.id})
        )
        self.assertEqual(wizard.suitable_payment_token_ids, self.card)
        wizard.payment_token_id = self.card
        wizard._create_payments()
        self.assertEqual(self.card.transaction_ids.state, "done")
        self.assertEqual(invoice.payment_state, "paid")


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestOfferedDoors(FeeNoticePortalCase):
    """Odoo takes money by whatever provider a browser names: by one that is under test, or of
    another company, an invoice was paid without money."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.west = cls.env_root["res.company"].create({"name": "West"})
        cls.posted = cls.stranger._membri_enrol(cls.yearly).invoice_id.sudo()
        if cls.posted.state == "draft":
            cls.posted.action_post()
        cls.posted._portal_ensure_token()

    def _begin(self, move, **form):
        is_notice = move.membri_fee_notice_state == "open"
        route = f"/my/fee-notices/{move.id}" if is_notice else f"/invoice/transaction/{move.id}"
        return self._start_transaction(
            token=move.access_token,
            route=f"{route}/transaction" if is_notice else route,
            amount=move.amount_total,
            **form,
        )

    def _assert_not_begun(self, **form):
        for login in (None, "stranger_user", "member_user"):
            self._sign_in(login)
            for move in (self.notice, self.posted):
                known = move.transaction_ids
                with self.subTest(login=login, move=move.id, form=form), mute_logger("odoo.http"):
                    with self.assertRaises(JsonRpcException):
                        self._begin(move, **form)
                self.env.invalidate_all()
                self.assertEqual(move.transaction_ids, known)

    def test_provider_of_another_company(self):
        foreign = self.provider.copy({"company_id": self.west.id})
        foreign.write({"state": "test", "is_published": True})
        self._assert_not_begun(provider_id=foreign.id)

    def test_provider_that_is_not_published(self):
        for vals in ({"is_published": False}, {"state": "disabled", "is_published": False}):
            hidden = self.provider.copy({"company_id": self.company.id})
            hidden.write({"state": "test", "is_published": True, **vals})
            self._assert_not_begun(provider_id=hidden.id)

    def test_way_to_pay_that_is_not_offered(self):
        methods = self.env_root["payment.method"].with_context(active_test=False)
        other = methods.search([("provider_ids", "not in", self.provider.ids)], limit=1)
        for method_id in (other.id, 0, 2**31 - 1, None, str(self.method.id)):
            self._assert_not_begun(payment_method_id=method_id)
        for provider_id in (0, 2**31 - 1, None, str(self.provider.id)):
            self._assert_not_begun(provider_id=provider_id)

    def test_card_with_another_provider(self):
        card = self.env_root["payment.token"].create(
            {
                "provider_id": self.provider.id,
                "payment_method_id": self.method.id,
                "partner_id": self.member.id,
                "payment_details": "1234",
                "provider_ref": "demo reference",
                "demo_simulated_state": "done",
            }
        )
        hidden = self.provider.copy({"company_id": self.company.id})
        hidden.write({"state": "test", "is_published": True})
        self._assert_not_begun(flow="token", token_id=card.id, provider_id=hidden.id)
        self._sign_in("member_user")
        paid = self._begin(self.notice, flow="token", token_id=card.id)
        self.assertEqual(paid.state, "done")

    def test_what_the_page_offers(self):
        for login in (None, "member_user"):
            self._sign_in(login)
            self.assertEqual(self._begin(self.posted).provider_id, self.provider)
