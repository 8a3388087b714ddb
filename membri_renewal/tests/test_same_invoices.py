from contextlib import ExitStack
from itertools import count as count_up
from unittest.mock import patch

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common import MembriCommon

# given to each record anew
UNCOMPARED = {"id", "create_date", "write_date", "access_token"}


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestSameInvoices(MembriCommon):
    """issue 14, points 1 and 2: invoices that are made in a batch are those that Odoo's own
    ``create`` and ``_post`` make, in every stored field of the moves and of their lines."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.extra.list_price = 33.33
        cls.product = cls.product.with_company(cls.company)
        cls.numbers = count_up()

    # ------------------------------------------------------------------
    # The comparison
    # ------------------------------------------------------------------

    def _approve(self, renewals):
        # as the officer's browser does: without the context of tests, which turns messages off
        renewals.with_env(self.env(context={"lang": "en_US"})).action_approve()
        self.env.flush_all()
        moves = renewals.new_cotisation_id.sudo().invoice_id.sorted("id")
        return [self._read_move(move) for move in moves]

    def _read_move(self, move):
        return {
            "move": self._read_stored(move),
            "lines": [self._read_stored(line) for line in move.line_ids.sorted("id")],
            "analytic": sorted(move.line_ids.analytic_line_ids.mapped("amount")),
            "followers": sorted(move.message_partner_ids.ids),
            "rank": move.partner_id.customer_rank,
            "messages": [
                (
                    message.body,
                    message.message_type,
                    message.subtype_id,
                    message.author_id,
                    message.email_from,
                    message.is_internal,
                    message.tracking_value_ids.mapped("field_id.name"),
                    message.notified_partner_ids,
                )
                for message in move.message_ids.sorted("id")
            ],
        }

    def _read_stored(self, record):
        """Return ``{name: value}``; what was made in the same transaction stands for its member,
        or for its place."""
        values = {}
        for name, field in record._fields.items():
            if name in UNCOMPARED or not field.store:
                continue
            if field.type in ("many2one", "many2many"):
                if field.comodel_name in ("account.move", "account.move.line"):
                    values[name] = len(record[name])
                elif field.comodel_name == "membri.cotisation":
                    values[name] = record[name].partner_id
                else:
                    values[name] = record[name]
            elif field.column_type:
                values[name] = record[name]
        return values

    def _compare(self, renewals, copied=None):
        """Approve ``renewals`` twice, once with the invoices made by Odoo alone.

        :param copied: how many invoices are given the lines of another one; default: all but one
        """
        Move = self.registry["account.move"]
        copies = []
        prepare = Move._membri_prepare_lines_like

        def count(move, complete, own_lines):
            copies.append(move.id)
            return prepare(move, complete, own_lines)

        def create(moves, vals_list):
            created = moves.create(vals_list)
            created.with_context(skip_is_manually_modified=True)._membri_fill_due_date()
            return created

        self.env.flush_all()
        with (
            patch.object(Move, "_membri_prepare_lines_like", count),
            self.env.cr.savepoint() as savepoint,
        ):
            ours = self._approve(renewals)
            savepoint.rollback()
        self.env.invalidate_all()
        plain = {
            "_membri_create_many": create,
            "_membri_post_many": lambda moves: moves._post(soft=False),
            "_membri_log_created": lambda moves: None,
        }
        with ExitStack() as stack:
            for name, method in plain.items():
                stack.enter_context(patch.object(Move, name, method))
            savepoint = stack.enter_context(self.env.cr.savepoint())
            theirs = self._approve(renewals)
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(len(ours), len(theirs))
        self.assertEqual(len(copies), len(ours) - 1 if copied is None else copied)
        for our, their in zip(ours, theirs, strict=True):
            self.assertEqual(len(our["lines"]), len(their["lines"]))
            self.assertGreater(len(our["lines"]), 1)
            for part in ("move", "analytic", "followers", "rank", "messages"):
                self.assertEqual(our[part], their[part], part)
            for our_line, their_line in zip(our["lines"], their["lines"], strict=True):
                self.assertEqual(our_line, their_line, our_line["display_type"])
        return theirs

    def _renew(self, count=3, option_set=None, partners=None, **vals):
        """Renewals of new members, or of ``partners``."""
        if not partners:
            partners = [
                self._create_member(f"Somebody {next(self.numbers)}", **vals) for _ in range(count)
            ]
        return self.env["membri.renewal"].union(
            *(
                self._create_renewal(self._create_cotisation(partner, "2026-01-01", option_set))
                for partner in partners
            )
        )

    def _create_set(self, *products, **vals):
        return self._create_option_set(f"Set {next(self.numbers)}", products, **vals)

    def _create_tax(self, amount, **vals):
        return self.tax.sudo().copy({"name": f"{amount} %", "amount": amount, **vals})

    def _create_account(self, code, account_type):
        return self.env_root["account.account"].create(
            {
                "name": code,
                "code": code,
                "account_type": account_type,
                "reconcile": account_type == "asset_receivable",
                "company_ids": [Command.set(self.company.ids)],
            }
        )

    # ------------------------------------------------------------------
    # Taxes and rounding
    # ------------------------------------------------------------------

    def test_one_line(self):
        theirs = self._compare(self._renew(4))
        self.assertEqual({move["move"]["amount_total"] for move in theirs}, {345.0})

    def test_canada_two_taxes_either_rounding(self):
        """Two taxes on each of three lines whose cents depend on how they are rounded."""
        taxes = self._create_tax(5.0) | self._create_tax(9.975)
        products = self.product | self.extra | self._create_option("Journal", 12.35)
        products.sudo().taxes_id = taxes
        for method in ("round_per_line", "round_globally"):
            with self.subTest(method):
                self.company.sudo().tax_calculation_rounding_method = method
                self._compare(self._renew(3, self._create_set(*products)))

    def test_france_tax_included_either_rounding(self):
        """The price of the line holds its tax; the sales tax of a second one does not."""
        self.company.sudo().country_id = self.env.ref("base.fr")
        included = self._create_tax(20.0, price_include_override="tax_included")
        self.product.sudo().taxes_id = included
        self.extra.sudo().taxes_id = self._create_tax(5.5, price_include_override="tax_included")
        for method in ("round_per_line", "round_globally"):
            with self.subTest(method):
                self.company.sudo().tax_calculation_rounding_method = method
                self._compare(self._renew(3, self._create_set(self.product, self.extra)))

    def test_united_states_taxed_and_untaxed(self):
        self.company.sudo().country_id = self.env.ref("base.us")
        self.product.sudo().taxes_id = self._create_tax(8.875)
        self.extra.sudo().taxes_id = False
        self._compare(self._renew(3, self._create_set(self.product, self.extra)))

    def test_cash_rounding_either_strategy(self):
        """As a default of the company, since nobody sees the invoice before it is posted."""
        self.product.sudo().list_price = 99.99
        for rounding in (self.cash_rounding_a, self.cash_rounding_b):
            with self.subTest(rounding.strategy):
                self.env_root["ir.default"].set(
                    "account.move", "invoice_cash_rounding_id", rounding.id
                )
                theirs = self._compare(self._renew(3, self._create_set(self.product)))
                self.assertEqual(theirs[0]["move"]["invoice_cash_rounding_id"], rounding)

    def test_currency(self):
        currency = self.env_root.ref("base.EUR")
        currency.active = True
        currency.rate_ids.unlink()
        self.env_root["res.currency.rate"].create(
            {
                "name": "2020-01-01",
                "rate": 0.7317,
                "currency_id": currency.id,
                "company_id": self.company.id,
            }
        )
        pricelist = self.env_root["product.pricelist"].create(
            {"name": "Abroad", "currency_id": currency.id}
        )
        renewals = self._renew(1)
        partners = self.env["res.partner"].union(
            *(self._create_member(f"Abroad {number}") for number in range(3))
        )
        for partner in partners.sudo().with_company(self.company):
            partner.specific_property_product_pricelist = pricelist
        theirs = self._compare(renewals | self._renew(partners=partners), copied=2)
        self.assertEqual([m["move"]["currency_id"] for m in theirs][1:], [currency] * 3)

    # ------------------------------------------------------------------
    # Terms, positions, accounts
    # ------------------------------------------------------------------

    def test_instalments(self):
        term = self.env_root["account.payment.term"].create(
            {
                "name": "In three parts",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 33.0, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 33.0, "nb_days": 30}),
                    Command.create({"value": "percent", "value_amount": 34.0, "nb_days": 60}),
                ],
            }
        )
        theirs = self._compare(self._renew(3, property_payment_term_id=term.id))
        self.assertEqual(len(theirs[0]["lines"]), 5)

    def test_early_discount_of_each_kind(self):
        for computation in ("included", "excluded", "mixed"):
            with self.subTest(computation):
                term = self.env_root["account.payment.term"].create(
                    {
                        "name": computation,
                        "early_discount": True,
                        "discount_percentage": 2.0,
                        "discount_days": 10,
                        "early_pay_discount_computation": computation,
                        "line_ids": [
                            Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
                        ],
                    }
                )
                self._compare(self._renew(3, property_payment_term_id=term.id))

    def test_fiscal_position(self):
        """Those who have it, and those who have not, in one batch."""
        account = self._create_account("400909", "income")
        receivable = self._create_account("110909", "asset_receivable")
        partner = self.env_account["res.partner"].create({"name": "Model"})
        position = self.env_root["account.fiscal.position"].create(
            {
                "name": "Reserve",
                "company_id": self.company.id,
                "account_ids": [
                    Command.create(
                        {
                            "account_src_id": self.product._get_product_accounts()["income"].id,
                            "account_dest_id": account.id,
                        }
                    ),
                    Command.create(
                        {
                            "account_src_id": partner.property_account_receivable_id.id,
                            "account_dest_id": receivable.id,
                        }
                    ),
                ],
            }
        )
        self._create_tax(
            7.0,
            fiscal_position_ids=[Command.link(position.id)],
            original_tax_ids=[Command.link(self.tax.id)],
        )
        mapped = self._renew(3, property_account_position_id=position.id)
        theirs = self._compare(mapped | self._renew(2), copied=3)
        self.assertEqual(theirs[0]["lines"][0]["account_id"], account)

    def test_own_accounts(self):
        self.product.sudo().property_account_income_id = self._create_account("400808", "income")
        receivable = self._create_account("110808", "asset_receivable")
        others = self._renew(2)
        ours = self._renew(3)
        ours.partner_id.sudo().with_company(
            self.company
        ).property_account_receivable_id = receivable
        theirs = self._compare(others | ours, copied=3)
        self.assertIn(receivable, [line["account_id"] for line in theirs[-1]["lines"]])

    def test_product_without_account(self):
        """Odoo looks for the account elsewhere: each invoice is left to it."""
        self.product.sudo().property_account_income_id = False
        self.product.categ_id.sudo().property_account_income_categ_id = False
        self.company.sudo().income_account_id = False
        if self.product._get_product_accounts()["income"]:
            self.skipTest("there is an account everywhere")
        self._compare(self._renew(2), copied=0)

    # ------------------------------------------------------------------
    # What is billed, to whom
    # ------------------------------------------------------------------

    def test_free(self):
        theirs = self._compare(self._renew(3, self._create_set(self._create_option("Free", 0.0))))
        self.assertEqual({move["move"]["payment_state"] for move in theirs}, {"paid"})

    def test_mixed_kinds_in_one_batch(self):
        """Two sets, a price agreed by hand, two languages: each kind has its own first."""
        self.env_root["res.lang"]._activate_lang("fr_CA")
        renewals = self._renew(3) | self._renew(2, self._create_set(self.product, self.extra))
        french = self._renew(2, lang="fr_CA")
        agreed = self._renew(1)
        agreed.line_ids.price_unit = 250.0
        self._compare(renewals | agreed | french, copied=2 + 1 + 1)

    def test_analytic_of_the_option(self):
        plan = self.env_root["account.analytic.plan"].create({"name": "Departments"})
        account = self.env_root["account.analytic.account"].create(
            {"name": "Members", "plan_id": plan.id, "company_id": False}
        )
        self.tax.sudo().analytic = True
        option_set = self._create_set(self.product, self.extra)
        option_set.line_ids[0].sudo().analytic_distribution = {str(account.id): 100.0}
        theirs = self._compare(self._renew(3, option_set))
        self.assertTrue(theirs[0]["analytic"])

    def test_analytic_model(self):
        """It may look at anything of an invoice: each is left to Odoo."""
        plan = self.env_root["account.analytic.plan"].create({"name": "Regions"})
        account = self.env_root["account.analytic.account"].create(
            {"name": "North", "plan_id": plan.id, "company_id": False}
        )
        renewals = self._renew(3)
        self.env_root["account.analytic.distribution.model"].create(
            {
                "partner_id": renewals[0].partner_id.id,
                "analytic_distribution": {str(account.id): 100.0},
                "company_id": self.company.id,
            }
        )
        theirs = self._compare(renewals, copied=0)
        self.assertEqual([bool(move["analytic"]) for move in theirs], [True, False, False])

    def test_shared_invoice(self):
        payer = self._create_member("Payer", is_company=True)
        payer.membri_group_invoices = True
        family = self.env["res.partner"].union(
            *(
                self._create_member(f"Child {number}", parent_id=payer.id, type="other")
                for number in range(2)
            )
        )
        theirs = self._compare(self._renew(partners=family) | self._renew(3), copied=2)
        self.assertEqual(len(theirs), 4)

    def test_fee_notice(self):
        self.company.sudo().membri_fee_notice = True
        theirs = self._compare(self._renew(3))
        self.assertEqual({move["move"]["state"] for move in theirs}, {"draft"})

    def test_dated_by_the_term(self):
        self.company.sudo().membri_invoice_dating = "term"
        self._compare(self._renew(3))

    def test_audit_trail(self):
        """Where the law wants one, Odoo writes its own messages."""
        self.company.sudo().restrictive_audit_trail = True
        self._compare(self._renew(3))

    # ------------------------------------------------------------------
    # Paid at once
    # ------------------------------------------------------------------

    def _pay_in_one_wizard(self, moves):
        """:return: all that is stored of the payments, of their entries and of what is paid"""
        register = self.env_account(context={"lang": "en_US"})["account.payment.register"]
        register = register.with_context(active_model="account.move", active_ids=moves.ids)
        payments = register.create({"group_payment": False})._create_payments()
        self.env.flush_all()
        documents = moves.sudo() | payments.sudo().move_id.sorted("id")
        partials = documents.line_ids.matched_credit_ids.sorted("id")
        read = {
            "documents": [self._read_move(move) for move in documents],
            "payments": [self._read_stored(payment) for payment in payments.sudo().sorted("id")],
            "partials": [self._read_stored(partial) for partial in partials],
            "matched": [
                (line.move_id.name, sorted(line._all_reconciled_lines().mapped("move_id.name")))
                for line in documents.line_ids.sorted("id")
            ],
            "linked": [(move.name, move.matched_payment_ids.mapped("name")) for move in documents],
            "terms": moves.sudo().membri_cotisation_ids.mapped("state"),
        }
        for values in [
            *(document["move"] for document in read["documents"]),
            *(line for document in read["documents"] for line in document["lines"]),
            *read["payments"],
            *read["partials"],
        ]:
            # numbers that were counted on since
            values.pop("membri_receipt_name", None)
            for name in (
                "matching_number",
                "full_reconcile_id",
                "origin_payment_id",
                "payment_id",
            ):
                if name in values:
                    values[name] = bool(values[name])
            for name in ("matched_payment_ids", "reconciled_payment_ids", "statement_id"):
                if name in values:
                    values[name] = len(values[name])
        return read

    def _compare_payments(self, moves, together):
        """Pay ``moves`` twice, once as Odoo alone reconciles them.

        :param together: whether they are reconciled in one plan"""
        Register = self.registry["account.payment.register"]
        Line = self.registry["account.move.line"]
        plans, reconcile = [], Line._reconcile_plan

        def count(lines, plan):
            plans.append(len(plan))
            return reconcile(lines, plan)

        self.env.flush_all()
        with patch.object(Line, "_reconcile_plan", count), self.env.cr.savepoint() as savepoint:
            ours = self._pay_in_one_wizard(moves)
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(max(plans), len(moves) if together else 1)
        alone = patch.object(Register, "_membri_can_reconcile_together", lambda *args: False)
        with alone, self.env.cr.savepoint() as savepoint:
            theirs = self._pay_in_one_wizard(moves)
            savepoint.rollback()
        self.env.invalidate_all()
        for part, found in theirs.items():
            self.assertEqual(len(ours[part]), len(found), part)
            for our, their in zip(ours[part], found, strict=True):
                self.assertEqual(our, their, part)
        return theirs

    def _invoice_members(self, count=3, **vals):
        renewals = self._renew(count, **vals)
        renewals.action_approve()
        return renewals.sudo().invoice_id.with_env(self.env_account)

    def test_paid_at_once(self):
        """Reconciled in one plan, payments and invoices are what Odoo makes one by one."""
        theirs = self._compare_payments(self._invoice_members(3), together=True)
        self.assertEqual(set(theirs["terms"]), {"scheduled"})
        self.assertEqual(len(theirs["partials"]), 3)

    def test_paid_at_once_in_parts(self):
        """The parts of an invoice, and another account for one of the payers."""
        moves = self._invoice_members(2)
        other = self._create_account("DEBTS.ELSEWHERE", "asset_receivable")
        partner = self._create_member("Elsewhere")
        partner.sudo().with_company(self.company).property_account_receivable_id = other
        partner.sudo().with_company(self.company).property_payment_term_id = self.pay_terms_b
        renewal = self._renew(partners=[partner])
        renewal.action_approve()
        moves |= renewal.sudo().invoice_id.with_env(self.env_account)
        self._compare_payments(moves, together=True)

    def test_paid_at_once_beside_others(self):
        """With an invoice that is for no membership, or in a currency, Odoo goes one by one."""
        moves = self._invoice_members(2)
        stranger = self.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner_a.id,
                "invoice_date": "2026-11-15",
                "invoice_line_ids": [Command.create({"product_id": self.product.id})],
            }
        )
        stranger.action_post()
        self._compare_payments(moves | stranger, together=False)
