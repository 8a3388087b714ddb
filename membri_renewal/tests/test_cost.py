import re
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.sql_db import Cursor
from odoo.tests import tagged
from odoo.tools import SQL

from .common import MembriCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCost(MembriCommon):
    """issue 14: what the add-on costs, counted in statements (seconds are ``./dev bench``'s)."""

    def _record_queries(self, work):
        """:return: the statements that ``work()`` sends, what it leaves to be written included"""
        self.env.flush_all()
        self.env.invalidate_all()
        queries = []
        execute = Cursor.execute

        def record(cursor, query, *args, **kwargs):
            statement = getattr(query, "code", query)
            queries.append(statement if isinstance(statement, str) else statement.decode())
            return execute(cursor, query, *args, **kwargs)

        with patch.object(Cursor, "execute", record):
            work()
            self.env.flush_all()
        return queries

    def _get_ours(self, queries):
        # not the sub-queries of Odoo's own columns (`FROM "membri_x" AS "membri_x__exists"`)
        pattern = re.compile(r'(FROM|INTO|UPDATE) "membri_\w+"(?! AS)')
        return [query for query in queries if pattern.search(query)]

    def _invoice(self, partner):
        """An ordinary invoice, posted, as the accountant makes it."""
        move = self.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": "2026-11-15",
                "invoice_line_ids": [fields.Command.create({"product_id": self.product.id})],
            }
        )
        move.action_post()
        return move

    def test_ordinary_invoice_and_payment_ask_nearly_nothing_of_ours(self):
        """Point 3: nothing for an invoice, one look at terms and one at renewals for a payment."""
        stranger = self._create_member("Company that buys chairs")
        self._pay(self._invoice(stranger))  # warm caches
        made = []
        queries = self._record_queries(lambda: made.append(self._invoice(stranger)))
        self.assertEqual(self._get_ours(queries), [])
        queries = self._record_queries(lambda: self._pay(made[0]))
        self.assertEqual(made[0].payment_state, made[0]._get_invoice_in_payment_state())
        self.assertLessEqual(len(self._get_ours(queries)), 2)

    def _pay_at_once(self, moves):
        register = self.env_account["account.payment.register"].with_context(
            active_model="account.move", active_ids=moves.ids
        )
        register.create({"group_payment": False})._create_payments()

    def test_our_invoices_paid_at_once(self):
        """Point 3: what follows from many payments is decided once for all of them. Each more
        invoice of ours takes six queries more than one of Odoo's, which takes a hundred."""

        def cost_of_ours(count):
            renewals = self.env["membri.renewal"].union(
                *(self._create_renewal(self._create_yearly()) for _number in range(count))
            )
            renewals.action_approve()
            moves = renewals.sudo().invoice_id.with_env(self.env_account)
            cost = len(self._record_queries(lambda: self._pay_at_once(moves)))
            self.assertEqual(set(renewals.mapped("is_paid")), {True})
            self.assertEqual(set(renewals.new_cotisation_id.mapped("state")), {"scheduled"})
            return cost

        def cost_of_plain(count):
            self.member_number = getattr(self, "member_number", 0) + 1
            moves = self.env_account["account.move"].union(
                *(
                    self._invoice(self._create_member(f"Buyer {self.member_number} {number}"))
                    for number in range(count)
                )
            )
            return len(self._record_queries(lambda: self._pay_at_once(moves)))

        cost_of_ours(1), cost_of_plain(1)  # warm caches
        ours = cost_of_ours(5) - cost_of_ours(2)
        plain = cost_of_plain(5) - cost_of_plain(2)
        self.assertGreater(plain, 100)
        self.assertLessEqual((ours - plain) / 3, 6)

    def test_address_written_again_asks_nothing_of_invoices(self):
        """As an import of contacts does: only a corrected one is looked for among the unpaid."""
        member = self._create_member("Ada").with_env(self.env_root)
        for email, asks in ((member.email.upper(), False), ("other@example.com", True)):
            queries = self._record_queries(lambda email=email: member.write({"email": email}))
            condition = '"account_move"."membri_delivery_email" IN'
            self.assertEqual(any(condition in query for query in queries), asks)

    def test_employer_of_drafts_is_written(self):
        """Whatever the number of its members whose renewal was not sent; of none, one look."""
        employer = self._create_member("Employer", is_company=True).with_env(self.env_root)

        def cost(email):
            return len(self._record_queries(lambda: employer.write({"email": email})))

        cost("a@example.com")  # warm caches
        none = cost("b@example.com")
        for _number in range(2):
            term = self._create_yearly()
            term.partner_id.parent_id = employer
            self._create_renewal(term)
        few = cost("c@example.com")
        for _number in range(10):
            term = self._create_yearly()
            term.partner_id.parent_id = employer
            self._create_renewal(term)
        self.assertEqual(cost("d@example.com"), few)
        self.assertLessEqual(few - none, 15)

    def test_night_when_nothing_is_due(self):
        """Point 4: the three nightly runs ask once for each case."""
        self._create_yearly()
        Cron = self.registry["ir.cron"]
        with patch.object(Cron, "_commit_progress", lambda *args, **kwargs: 60.0):
            for _number in range(2):
                self.env_root.flush_all()
                self.env_root.invalidate_all()
                before = self.env.cr.sql_log_count
                self.env_root["membri.cotisation"]._cron_update_states()
                self.env_root["membri.renewal"]._cron_generate()
                self.env_root["membri.renewal"]._cron_send_reminders()
        self.assertLessEqual(self.env.cr.sql_log_count - before, 20)

    def test_queues_are_found_by_their_indexes(self):
        """Odoo asks what "IS TRUE": an index of what is "true" does not answer that, and each
        hour read every entry of the books."""
        queues = {
            "account_move_membri_receipt_queue": ("account.move", "membri_receipt_to_send"),
            "account_move_membri_part_queue": ("account.move", "membri_part_to_confirm"),
            "account_move_membri_fee_notice_queue": ("account.move", "membri_fee_notice_to_send"),
            "membri_campaign_line_todo": ("membri.campaign.line", "is_todo"),
        }
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        for index, (model, name) in queues.items():
            with self.subTest(index=index):
                query = self.env_root[model]._search([(name, "=", True)])
                plan = self.env.execute_query(SQL("EXPLAIN %s", query.select()))
                self.assertIn(f" {index} ", " ".join(row for (row,) in plan))

    def test_contacts_lead_to_documents_by_indexes(self):
        """Whoever corrects an address does not wait until all documents were read."""
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        for model, name, value in (
            ("account.move", "membri_delivery_email", "ada@example.com"),
            ("membri.renewal", "delivery_email", "ada@example.com"),
            ("membri.renewal", "recipient_id", self.member.id),
        ):
            with self.subTest(model=model, name=name):
                query = self.env_root[model]._search([(name, "in", [value])])
                plan = self.env.execute_query(SQL("EXPLAIN %s", query.select()))
                index = f"{model.replace('.', '_')}__{name}_index"
                self.assertIn(index, " ".join(row for (row,) in plan))

    def test_night_finds_each_case_as_before(self):
        """Searched case by case, the terms are those of the whole condition."""
        pending, active, over = (self._create_yearly() for _number in range(3))
        over._internal_write({"date_end": "2026-11-01"})
        scheduled = self._create_cotisation(
            self._create_member("Next"), "2026-11-01", state="scheduled"
        )
        pending._set_state("pending")
        renewal = self._create_renewal(active)
        renewal.action_approve()
        Cotisation = self.env_root["membri.cotisation"]
        found = Cotisation._search_cases(Cotisation._get_update_states_domains())
        whole = Cotisation.search(Cotisation._get_update_states_domain())
        self.assertEqual(set(found), set(whole.ids))
        self.assertLessEqual({over.id, scheduled.id}, set(found))
        self.assertNotIn(renewal.new_cotisation_id.id, found)
        Renewal = self.env_root["membri.renewal"]
        domain = Renewal._get_to_renew_domain()
        found = Renewal._search_to_renew(Renewal._get_first_domains(), domain)
        self.assertEqual(set(found), set(Cotisation.search(domain).ids))
        self.assertNotIn(active.id, found)

    def test_search_by_number_or_member(self):
        """Point 4: each by its index; who is archived is found as well."""
        renewal = self._create_renewal(self._create_yearly())
        other = self._create_renewal(self._create_yearly())
        member = renewal.partner_id
        member.name = "Zoé Tremblay-Lavoie"
        Renewal = self.env["membri.renewal"]
        self.assertEqual(Renewal.search([("search_text", "ilike", "tremblay-l")]), renewal)
        self.assertEqual(Renewal.search([("search_text", "ilike", other.name.lower())]), other)
        self.assertFalse(Renewal.search([("search_text", "ilike", "nobody of that name")]))
        member.with_env(self.env_root).active = False
        self.assertEqual(Renewal.search([("search_text", "ilike", "tremblay-l")]), renewal)
