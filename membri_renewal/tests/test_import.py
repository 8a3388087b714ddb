import base64
import csv
import io
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common_import import ImportCase

LIST = """Name;Email;Member Number;Plan;Start;End;Amount;Member Since;Color
Ada Martin;ada@list.example;1001;Gold;2026-01-01;2026-12-31;120.00;2011-05-01;blue
Bea Roy;bea@list.example;1002;Gold;2025-01-01;2025-12-31;110.00;;red
Cyr Proulx;cyr@list.example;1003;Lead;2026-01-01;2026-12-31;;;
Dia Otis;dia@list.example;1004;Gold;31/31/2026;2026-12-31;;;
"""


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestImport(ImportCase):
    """Issue 16, 2: preview, run, run again, and undo."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gold = cls._plan("Gold")
        # batch by batch
        preview = "odoo.addons.membri_renewal.models.moving_in.preview"
        cls.startClassPatcher(patch(f"{preview}.READ_SECONDS", 0))

    def test_preview_creates_nothing(self):
        before = self._count()
        record = self._import(LIST)
        self.assertEqual(record.state, "previewed")
        self.assertEqual(self._get_results(record), ["new", "new", "error", "error"])
        self.assertEqual(self._count(), before)
        messages = record.line_ids.sorted("row").mapped("message")
        self.assertIn("Ada Martin", messages[0])
        self.assertIn("Gold", messages[0])
        self.assertIn("Lead", messages[2])
        self.assertIn("31/31/2026", messages[3])
        self.assertEqual(record.line_ids.sorted("row").mapped("row"), [2, 3, 4, 5])
        self.assertEqual(record.line_ids[0].aside, {"Color": "blue"})
        self.assertEqual(
            record.level_ids.filtered(lambda level: not level.option_set_id).name, "Lead"
        )
        totals = {
            (plan, day.year): (rows, amount) for plan, day, rows, _m, amount in record._get_totals()
        }
        self.assertEqual(totals, {(self.gold, 2026): (1, 120.0), (self.gold, 2025): (1, 110.0)})
        self.assertIn("120.00", record.totals)

    def test_run(self):
        record = self._import(LIST)
        before = self._count()
        record.action_run()
        self.assertEqual(record.state, "done")
        self.assertEqual(self._get_results(record), ["new", "new", "error", "error"])
        self.assertEqual(
            self._get_terms(record),
            [
                ("Ada Martin", "Gold", "2026-01-01", "2026-12-31", "active"),
                ("Bea Roy", "Gold", "2025-01-01", "2025-12-31", "expired"),
            ],
        )
        after = self._count()
        self.assertEqual(after["mail.mail"], before["mail.mail"])
        self.assertEqual(after["account.move"], before["account.move"])
        ada, bea = record.line_ids.sorted("row").partner_id
        self.assertEqual(ada.ref, "1001")
        self.assertEqual(ada.membri_status, "active")
        self.assertEqual(str(ada.membri_member_since), "2011-05-01")
        self.assertEqual(ada.membri_cotisation_id.amount_total, 120.0)
        self.assertEqual(ada.membri_cotisation_id.origin, "import")
        self.assertEqual(bea.membri_status, "inactive")
        self.assertTrue(bea.membri_cotisation_ids.is_history)
        self.assertFalse(self.env["membri.renewal"].search([("partner_id", "in", (ada + bea).ids)]))
        # what could not be taken over comes back, with the reason
        text = base64.b64decode(record.result_file).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text)))
        self.assertEqual(rows[0][-1], "Why")
        self.assertEqual([row[0] for row in rows[1:]], ["Cyr Proulx", "Dia Otis"])

    def test_history_is_not_renewed(self):
        record = self._import(LIST)
        record.action_run()
        self._run_cron("ir_cron_generate")
        terms = record.line_ids.cotisation_id
        self.assertEqual(terms.renewal_ids.partner_id.mapped("name"), ["Ada Martin"])

    def test_run_twice(self):
        first = self._import(LIST)
        first.action_run()
        before = self._count()
        first.action_run()
        self.assertEqual(self._count(), before)
        second = self._import(LIST)
        self.assertEqual(self._get_results(second), ["same", "same", "error", "error"])
        second.action_run()
        self.assertEqual(self._count(), before)

    def test_newer_file(self):
        """The third time, with what has changed meanwhile."""
        self._import(LIST).action_run()
        newer = (
            LIST.replace("2026-12-31;120.00", "2027-06-30;120.00")
            .replace("bea@list.example", "bea.roy@list.example")
            .replace("2025-01-01;2025-12-31;110.00", "2026-02-01;2027-01-31;115.00")
        )
        record = self._import(newer)
        self.assertEqual(self._get_results(record)[:2], ["differs", "new"])
        record.action_run()
        self.assertEqual(
            self._get_terms(),
            [
                ("Ada Martin", "Gold", "2026-01-01", "2027-06-30", "active"),
                ("Bea Roy", "Gold", "2025-01-01", "2025-12-31", "expired"),
                ("Bea Roy", "Gold", "2026-02-01", "2027-01-31", "active"),
            ],
        )
        bea = record.line_ids.sorted("row")[1].partner_id
        self.assertEqual(bea.email, "bea.roy@list.example")
        record.action_undo()
        self.assertEqual(bea.email, "bea@list.example")
        self.assertEqual(
            self._get_terms(),
            [
                ("Ada Martin", "Gold", "2026-01-01", "2026-12-31", "active"),
                ("Bea Roy", "Gold", "2025-01-01", "2025-12-31", "expired"),
            ],
        )

    def test_other_file_on_the_same_record(self):
        """The run before stays undoable, in a record of its own."""
        record = self._import(LIST)
        record.action_run()
        record.file = base64.b64encode(LIST.replace("2026-12-31;120", "2027-06-30;120").encode())
        record.action_preview()
        self.assertEqual(self._get_results(record)[:2], ["differs", "same"])
        earlier = self.Import.search([("id", "!=", record.id), ("state", "=", "done")])
        self.assertEqual(len(earlier.line_ids.filtered("is_done")), 2)
        before = self._count()
        earlier.action_undo()
        after = self._count()
        self.assertEqual(before["membri.cotisation"] - after["membri.cotisation"], 2)
        self.assertEqual(before["res.partner"] - after["res.partner"], 2)

    def test_undo(self):
        before = self._count()
        record = self._import(LIST)
        record.action_run()
        record.action_undo()
        self.assertEqual(record.state, "undone")
        self.assertEqual(self._count(), before)
        self.assertFalse(record.line_ids.cotisation_id)
        record.action_run()
        self.assertEqual(record.state, "done")
        self.assertEqual(len(self._get_terms(record)), 2)

    def test_undo_is_refused(self):
        """A renewal, an invoice, an edit: nothing is undone then."""
        record = self._import(LIST)
        record.action_run()
        ada = record.line_ids.sorted("row")[0].partner_id
        before = self._count()
        ada.phone = "555"  # of no matter: the list said nothing of it
        ada.email = "other@list.example"
        self.assertIn("Ada Martin", self._assert_refused(record.action_undo))
        ada.email = "ada@list.example"
        self._create_renewal(ada.membri_cotisation_id)
        self.assertIn("Ada Martin", self._assert_refused(record.action_undo))
        self.assertEqual(record.state, "done")
        self.assertEqual(self._count()["membri.cotisation"], before["membri.cotisation"])

    def test_existing_contact(self):
        """By email, by number, by name: nobody twice."""
        by_email = self._create_member("A. Martin", email="ada@list.example")
        by_ref = self._create_member("Beatrice Roy", email="b@x.example", ref="1002")
        record = self._import(LIST)
        lines = record.line_ids.sorted("row")
        self.assertEqual(lines[0].partner_id, by_email)
        self.assertEqual(lines[1].partner_id, by_ref)
        record.action_run()
        self.assertEqual(by_email.name, "Ada Martin")
        self.assertEqual(by_email.membri_status, "active")
        record.action_undo()
        self.assertEqual(by_email.name, "A. Martin")
        self.assertEqual(by_email.membri_status, "non_member")
        self.assertTrue(by_ref.exists())

    def test_who_signed_up_as_somebody_else(self):
        """Anybody may sign up on the portal by any name and email: the membership that the list
        brings for the true one is not theirs."""
        Partner = self.env["res.partner"].with_user(self.env.ref("base.public_user")).sudo()
        by_email = Partner.create({"name": "Eve", "email": "ada@list.example"})
        by_name = Partner.create({"name": "Bea Roy", "email": "eve@evil.example"})
        in_charge = Partner.create({"name": "Rita Right", "email": "rita@acme.example"})
        false = by_email + by_name + in_charge
        self.assertEqual(false._membri_filter_self_made(), false)
        text = (
            "Name;Email;Plan;Start;End;Membership Contact;Email of the Membership Contact\n"
            "Ada Martin;ada@list.example;Gold;2026-01-01;2026-12-31;;\n"
            "Bea Roy;;Gold;2026-01-01;2026-12-31;;\n"
            "Acme;;Gold;2026-01-01;2026-12-31;Rita Right;rita@acme.example\n"
        )
        record = self._import(text)
        lines = record.line_ids.sorted("row")
        self.assertEqual(lines.mapped("result"), ["new", "new", "new"])
        self.assertFalse(lines.partner_id)
        self.assertIn("Eve (ada@list.example)", lines[0].message)
        self.assertIn("Bea Roy (eve@evil.example)", lines[1].message)
        record.action_run()
        self.assertFalse(false & lines.partner_id)
        self.assertFalse(false.membri_cotisation_ids)
        self.assertEqual(by_email.name, "Eve")
        self.assertTrue(lines[2].partner_id.membri_responsible_id)
        self.assertNotEqual(lines[2].partner_id.membri_responsible_id, in_charge)
        # the same list once more: those that are members by now
        again = self._import(text)
        self.assertEqual(again.line_ids.partner_id, lines.partner_id)
        # the staff stands behind who has a member number, or a membership
        by_name.ref = "77"
        self._create_cotisation(by_email, "2026-01-01")
        self.assertEqual(false._membri_filter_self_made(), in_charge)

    def test_same_name(self):
        self._create_member("Jean Roy", email="jean1@x.example")
        self._create_member("Jean Roy", email="jean2@x.example")
        text = "Name;Plan;Start;End\nJean Roy;Gold;2026-01-01;2026-12-31\n"
        record = self._import(text)
        self.assertEqual(self._get_results(record), ["error"])
        self.assertIn("Jean Roy", record.line_ids.message)

    def test_family_email(self):
        """Two people of one address are two members."""
        text = (
            "Name;Email;Plan;Start;End\n"
            "Ada Roy;roy@x.example;Gold;2026-01-01;2026-12-31\n"
            "Bob Roy;roy@x.example;Gold;2026-01-01;2026-12-31\n"
        )
        for results in (["new", "new"], ["same", "same"]):
            record = self._import(text)
            self.assertEqual(self._get_results(record), results)
            record.action_run()
        self.assertEqual(len(record.line_ids.partner_id), 2)

    def test_two_memberships(self):
        extra = self._plan("Journal", products=self.extra)
        text = (
            "Name;Plan;Start;End;Amount\n"
            "Ada Roy;Gold;2026-01-01;2026-12-31;300\n"
            "Ada Roy;Journal;2026-01-01;2026-12-31;50\n"
        )
        record = self._import(text)
        self.assertEqual(self._get_results(record), ["new", "skipped"])
        record = self._import(text, second_membership="option")
        record.action_run()
        term = record.line_ids.partner_id.membri_cotisation_ids
        self.assertEqual(len(term), 1)
        self.assertEqual(term.line_ids.product_id, self.product + extra.line_ids.product_id)
        self.assertEqual(term.amount_total, 350.0)
        record.action_undo()
        self.assertFalse(term.exists())

    def test_dates_are_asked(self):
        """01/02/2027 is not guessed."""
        text = "Name;Plan;Start;End\nAda Roy;Gold;01/02/2026;05/01/2027\n"
        record = self._import(text)
        self.assertEqual(self._get_results(record), ["error"])
        self.assertTrue(record.is_date_order_asked)
        self.assertIn("01/02/2026", record.line_ids.message)
        record.date_order = "dmy"
        record.action_preview()
        self.assertEqual(str(record.line_ids.date_start), "2026-02-01")
        record.date_order = "mdy"
        record.action_preview()
        self.assertEqual(str(record.line_ids.date_start), "2026-01-02")
        self.assertEqual(str(record.line_ids.date_end), "2027-05-01")

    def test_other_rows_tell_the_dates(self):
        text = (
            "Name;Plan;Start;End\n"
            "Ada Roy;Gold;01/02/2026;05/01/2027\n"
            "Bea Roy;Gold;01/02/2026;31/01/2027\n"
        )
        record = self._import(text)
        self.assertFalse(record.is_date_order_asked)
        self.assertIn("31/01/2027", record.date_reading)
        self.assertEqual(set(record.line_ids.mapped("date_start")), {self.today_is("2026-02-01")})

    def today_is(self, day):
        return self.env["membri.cotisation"]._fields["date_start"].to_date(day)

    def test_agreed_price(self):
        text = "Name;Plan;Start;End;Agreed Price\nAda Roy;Gold;2026-01-01;2026-12-31;250\n"
        record = self._import(text)
        record.action_run()
        renewal = self._create_renewal(record.line_ids.cotisation_id)
        self.assertEqual(renewal.amount_untaxed, 250.0)

    def test_amount_is_not_the_next_price(self):
        record = self._import(LIST)
        record.action_run()
        term = record.line_ids.sorted("row")[0].cotisation_id
        self.assertEqual(self._create_renewal(term).amount_untaxed, 300.0)

    def test_leaving_and_dying(self):
        text = (
            "Name;Plan;Start;End;Left On;Deceased On\n"
            "Ada Roy;Gold;2026-01-01;2026-12-31;2026-12-01;\n"
            "Bea Roy;Gold;2026-01-01;2026-12-31;;2026-10-05\n"
        )
        record = self._import(text)
        record.action_run()
        ada, bea = record.line_ids.sorted("row").cotisation_id
        self.assertEqual((str(ada.date_end), ada.state), ("2026-12-01", "active"))
        self.assertTrue(ada.date_terminated)
        self.assertEqual((str(bea.date_end), bea.state), ("2026-10-05", "expired"))
        self._run_cron("ir_cron_generate")
        self.assertFalse((ada + bea).renewal_ids)

    def test_open_renewal(self):
        before = self._count()
        text = (
            "Name;Email;Plan;Start;End;Notice Sent On\n"
            "Ada Roy;ada@x.example;Gold;2026-01-01;2026-12-31;2026-11-02\n"
        )
        record = self._import(text)
        record.action_run()
        renewal = record.line_ids.cotisation_id.renewal_ids
        self.assertEqual(renewal.state, "sent")
        self.assertEqual(str(renewal.date_sent.date()), "2026-11-02")
        self.assertEqual(self._count()["mail.mail"], before["mail.mail"])
        record.action_undo()
        self.assertFalse(renewal.exists())

    def test_notices_of_terms_that_are_history_wait_for_no_answer(self):
        """Issue 12 A7: of several terms with the day of their notice, the running one is asked."""
        text = (
            "Name;Email;Plan;Start;End;Notice Sent On;Open Renewal\n"
            "Ada Roy;ada@x.example;Gold;2024-01-01;2024-12-31;2024-11-02;\n"
            "Ada Roy;ada@x.example;Gold;2025-01-01;2025-12-31;2025-11-02;sent\n"
            "Ada Roy;ada@x.example;Gold;2026-01-01;2026-12-31;2026-11-02;\n"
            "Bea Roy;bea@x.example;Gold;2025-01-01;2025-12-31;2025-11-02;\n"
        )
        record = self._import(text)
        record.action_run()
        asked = record.line_ids.cotisation_id.renewal_ids
        self.assertEqual(record.state, "done")
        self.assertEqual(str(asked.cotisation_id.date_end), "2026-12-31")

    def test_person_in_charge(self):
        """One person for several members, once, whatever is imported twice; companies' people
        are their contacts."""
        text = (
            "Name;Is a Company;Plan;Start;End;Membership Contact;Company\n"
            "Museum;yes;Gold;2026-01-01;2026-12-31;Zoe Key;\n"
            "Ada Roy;no;Gold;2026-01-01;2026-12-31;Max Aid;Museum\n"
            "Bea Roy;no;Gold;2026-01-01;2026-12-31;Max Aid;\n"
        )
        record = self._import(text)
        record.action_run()
        museum, ada, bea = record.line_ids.sorted("row").partner_id
        self.assertEqual(museum.membri_responsible_id.parent_id, museum)
        self.assertEqual(ada.parent_id, museum)
        self.assertEqual(ada.membri_responsible_id, bea.membri_responsible_id)
        before = self._count()
        again = self._import(text)
        again.action_run()
        self.assertEqual(self._count(), before)
        record.action_undo()
        self.assertEqual(self._count()["res.partner"], before["res.partner"] - 5)

    def test_included_in_the_membership_of(self):
        """By name, member number or record ID of the member, in whatever order the rows come."""
        text = (
            "Record ID;Name;Is a Company;Member Number;Plan;Start;End;Included in the Membership "
            "Of\n"
            "2;Ada Roy;no;;;;;Museum\n"
            "3;Bea Roy;no;;;;;M-1\n"
            "4;Cyr Roy;no;;;;;1\n"
            "1;Museum;yes;M-1;Gold;2026-01-01;2026-12-31;\n"
        )
        for results in (["new"] * 4, ["same"] * 4):
            record = self._import(text)
            self.assertEqual(self._get_results(record), results)
            record.action_run()
        *people, museum = record.line_ids.sorted("row").partner_id
        for person in people:
            self.assertEqual(person.parent_id, museum)
            self.assertFalse(person.membri_cotisation_ids)

    def test_background(self):
        rows = "".join(
            f"Member {number};m{number}@x.example;Gold;2026-01-01;2026-12-31\n"
            for number in range(320)
        )
        record = self._import("Name;Email;Plan;Start;End\n" + rows)
        record.action_run()
        self.assertEqual(record.state, "running")
        self._run_cron("ir_cron_process_imports")
        self.assertEqual(record.state, "done")
        self.assertEqual(record.progress, 100)
        self.assertEqual(len(record.line_ids.cotisation_id), 320)

    def test_cost(self):
        """Queries of a batch, however many rows it has: of new members, of those that are known,
        and of taking both back."""
        rows = "".join(
            f"{number};Member {number};m{number}@x.example;Gold;{year}-01-01;{year}-12-31;120\n"
            for year in (2025, 2026)
            for number in range(30)
        )
        text = "Record ID;Name;Email;Plan;Start;End;Amount\n" + rows
        run = "odoo.addons.membri_renewal.models.moving_in.run"
        preview = "odoo.addons.membri_renewal.models.moving_in.preview"
        with patch.object(type(self.Import), "_work_or_queue", lambda *_args: False):
            record = self._import(text)
            with patch(f"{preview}.PREVIEW_BATCH", 30):
                # the reading, its end, the preview of what was read, its end
                for queries in (15, 35, 32, 30):
                    with self.assertQueryCount(queries):
                        record._process_batch()
            self.assertEqual((record.state, record.new_count), ("previewed", 60))
            record.action_run()
            with patch(f"{run}.BATCH", 30):
                for queries in (90, 65):
                    with self.assertQueryCount(queries):
                        record._process_batch()
            self.assertEqual(record.state, "done")
            self.assertEqual(len(record.line_ids.cotisation_id), 60)
            record.action_undo()
            for queries in (60, 70):
                with self.assertQueryCount(queries):
                    record._process_batch()
            self.assertEqual(record.state, "undone")

    def test_what_becomes_of_a_term_is_told(self):
        text = (
            "Name;Plan;Start;End;Status\n"
            "Ada Roy;Gold;2026-01-01;2026-12-31;active\n"
            "Bea Roy;Gold;2026-01-01;2026-12-31;cancelled\n"
            "Cyr Roy;Gold;2026-01-01;2026-12-31;pending\n"
            "Dia Roy;Gold;2025-01-01;2025-12-31;active\n"
        )
        record = self._import(text)
        messages = record.line_ids.sorted("row").mapped("message")
        for message, word in zip(messages, ("", "void", "paid", "over"), strict=True):
            for other in ("void", "paid", "over"):
                self.assertEqual(other in message, other == word, message)
        record.action_run()
        self.assertEqual(
            record.line_ids.sorted("row").cotisation_id.mapped("state"),
            ["active", "cancelled", "pending", "expired"],
        )

    def test_preview_in_the_background(self):
        """Of a long list; who asks to import it gets that after the preview."""
        preview = "odoo.addons.membri_renewal.models.moving_in.preview"
        with patch(f"{preview}.FOREGROUND_PREVIEW", 1), patch(f"{preview}.PREVIEW_BATCH", 2):
            record = self._import(LIST)
            self.assertEqual((record.state, record.progress), ("running", 0))
            self.assertFalse(record.column_ids, "nothing was read while the user waits")
            steps = [record.step_display]
            for count, is_read in ((2, False), (4, True)):
                record._process_batch()
                self.assertEqual((record._count_read(), bool(record.overview)), (count, is_read))
                steps.append(record.step_display)
            self.assertEqual(len(set(steps)), 3, steps)
            self.assertFalse(record.line_ids)
            record._process_batch()
            self.assertEqual((record.state, record.progress), ("running", 50))
            self._run_cron("ir_cron_process_imports")
            self.assertEqual(record.state, "previewed")
            self.assertEqual(self._get_results(record), ["new", "new", "error", "error"])
            again = self.Import.create(
                {"file": record.file, "filename": "x.csv", "profile": "free"}
            )
            again.action_run()
            self.assertEqual(again.state, "running")
            self._run_cron("ir_cron_process_imports")
            self.assertEqual(again.state, "done")
            self.assertEqual(len(again.line_ids.cotisation_id), 2)
        self.assertFalse(record.parts or again.parts)
        self.assertFalse(self._get_parts())

    def _get_parts(self):
        return self.env_root["ir.attachment"].search(
            [("res_model", "=", "membri.import"), ("name", "=like", "%.json.gz")]
        )

    def test_reading_in_batches_tells_the_same(self):
        """What rows tell of all others is the same, however many batches they are read in."""
        text = (
            "Name;Email;Member Number;Plan;Start;End;Included in the Membership Of;Company\n"
            "Ada Roy;family@x.example;1;Gold;01/02/2026;31/12/2026;;\n"
            "Eve Roy;family@x.example;2;Lead;2026-01-01;2026-12-31;;\n"
            "Pat Roy;pat@x.example;3;;;;Museum;\n"
            ";museum@x.example;4;Gold;2026-01-01;2026-12-31;;Museum\n"
            "Cyr Roy;cyr@x.example;5;Gold;2026-01-01;05/06/2027;;\n"
        )
        preview = "odoo.addons.membri_renewal.models.moving_in.preview"
        facts = []
        for size, seconds in ((10_000, 0), (5, 0), (2, 0), (1, 0), (2, 20)):
            with (
                patch(f"{preview}.PREVIEW_BATCH", size),
                patch(f"{preview}.READ_SECONDS", seconds),
            ):
                record = self._import(text)
            self.assertEqual(record.state, "previewed")
            facts.append(
                (
                    record.overview,
                    record.date_reading,
                    sorted((level.name, level.row_count) for level in record.level_ids),
                    [
                        (line.row, line.result, line.message, line.cells, line.trace)
                        for line in record.line_ids.sorted("row")
                    ],
                )
            )
        self.assertEqual(facts[0][0]["shared_emails"], ["family@x.example"])
        for other in facts[1:]:
            self.assertEqual(other, facts[0])

    def test_preview_that_fails_in_the_background(self):
        """The sentence stays on the record, and nothing that was half read; what was imported
        before stays undoable."""
        preview = "odoo.addons.membri_renewal.models.moving_in.preview"
        record = self._import(LIST)
        record.action_run()
        bad = LIST + '"Eve Roy;' + "x" * 50_000
        with patch(f"{preview}.FOREGROUND_PREVIEW", 1), patch(f"{preview}.PREVIEW_BATCH", 2):
            record.file = base64.b64encode(bad.encode())
            record.action_preview()
            self.assertEqual((record.state, record.problem), ("running", False))
            record._process_batch()
            self.assertEqual(record._count_read(), 2)
            self._run_cron("ir_cron_process_imports")
            self.assertEqual(record.state, "draft")
            self.assertIn("list.csv", record.problem)
            self.assertFalse(record.line_ids or record.overview or record.parts)
            self.assertFalse(self._get_parts())
            record.action_run()
            self.assertTrue(record.is_run_next)
            self._run_cron("ir_cron_process_imports")
            self.assertEqual((record.state, record.is_run_next), ("draft", False))
            record.action_run()
            record.action_stop()
            self.assertTrue(record.is_run_next)
            record.file = base64.b64encode(LIST.encode())
            self.assertFalse(record.is_run_next, "another list, which nobody has looked at")
            record.action_resume()
            with patch.object(type(record), "_create_lines", side_effect=ValueError("a bug")):
                self._run_cron("ir_cron_process_imports")
            self.assertEqual((record.state, record.overview["rows"]), ("stopped", 4))
            self.assertIn("a bug", record.problem)
            record.action_resume()
            self._run_cron("ir_cron_process_imports")
            self.assertEqual((record.state, record.problem), ("previewed", False))
            self.assertEqual(self._get_results(record), ["same", "same", "error", "error"])
        earlier = self.Import.search([("id", "!=", record.id), ("state", "=", "done")])
        earlier.action_undo()
        self.assertEqual(earlier.state, "undone")

    def test_preview_is_killed_stopped_and_resumed(self):
        """Each batch is read, and looked at, once; who changes the list begins again."""
        module = "odoo.addons.membri_renewal.models.moving_in.preview"
        with patch(f"{module}.FOREGROUND_PREVIEW", 1), patch(f"{module}.PREVIEW_BATCH", 2):
            record = self._import(LIST)
            record._process_batch()

            def kill(*_args, **_kwargs):
                raise KeyboardInterrupt

            for method in ("_finish_reading", "_create_lines"):
                with (
                    patch.object(type(record), method, kill),
                    self.assertRaises(KeyboardInterrupt),
                    self.cr.savepoint(),
                ):
                    record._process_batch()
                self.assertEqual(record.state, "running")
                if method == "_finish_reading":
                    self.assertEqual((record._count_read(), record.overview), (2, False))
                    record._process_batch()
            self.assertFalse(record.line_ids)
            record._process_batch()
            with self.assertRaises(UserError):
                record.date_order = "dmy"
            with self.assertRaises(UserError):
                record.column_ids[0].target = False
            record.action_stop()
            self._run_cron("ir_cron_process_imports")
            self.assertEqual((record.state, len(record.line_ids)), ("stopped", 2))
            record.action_resume()
            self._run_cron("ir_cron_process_imports")
            self.assertEqual(self._get_results(record), ["new", "new", "error", "error"])

            record.action_preview()
            record._process_batch()
            record.action_stop()
            record.file = base64.b64encode(LIST.replace("Lead", "Gold").encode())
            self.assertFalse(record._count_read())
            record.action_resume()
            self._run_cron("ir_cron_process_imports")
            self.assertEqual(self._get_results(record), ["new", "new", "new", "error"])

            record.action_preview()
            record.action_stop()
            record.date_order = "dmy"
            record.action_preview()  # or the same button again
            self._run_cron("ir_cron_process_imports")
            self.assertEqual(record.state, "previewed")
            self.assertFalse(self._get_parts())

    def test_a_large_file_is_not_opened_while_the_user_waits(self):
        """How many bytes it has unpacked says that it is a long list."""
        sheet = self._xlsx([cells.split(";") for cells in LIST.splitlines()])
        preview = "odoo.addons.membri_renewal.models.moving_in.preview"
        with patch(f"{preview}.FOREGROUND_BYTES", 1000), patch("openpyxl.load_workbook") as load:
            record = self._import(sheet, filename="list.xlsx")
        load.assert_not_called()
        self.assertEqual(record.state, "running")
        self._run_cron("ir_cron_process_imports")
        self.assertEqual(self._get_results(record), ["new", "new", "error", "error"])

    def test_a_large_spreadsheet_is_unpacked_once(self):
        """However many steps its reading takes; what it was unpacked into is not kept."""
        sheet = self._xlsx([cells.split(";") for cells in LIST.splitlines()])
        preview = "odoo.addons.membri_renewal.models.moving_in.preview"
        plain = self._import(sheet, filename="list.xlsx")
        names = ("list.jsonl.gz", "memberships.jsonl.gz")

        def count_unpacked(record):
            domain = [("res_model", "=", "membri.import"), ("name", "in", names)]
            return self.env_root["ir.attachment"].search_count(
                [*domain, ("res_id", "=", record.id)]
            )

        with (
            patch(f"{preview}.FOREGROUND_BYTES", 1000),
            patch("odoo.addons.membri_renewal.models.moving_in.kept.FOREGROUND_BYTES", 1000),
            patch(f"{preview}.PREVIEW_BATCH", 1),
            patch(f"{preview}.READ_SECONDS", 0),
        ):
            record = self._import(sheet, filename="list.xlsx")
            record._process_batch()
            self.assertEqual((record._count_read(), count_unpacked(record)), (0, 1))
            with patch("openpyxl.load_workbook") as load:
                record._process_batch()
                self.assertEqual(record._count_read(), 1)
                # another list: what was unpacked of this one is no longer asked
                record.action_stop()
                record.file = base64.b64encode(LIST.encode())
                self.assertEqual(count_unpacked(record), 0)
                record.action_resume()
                self._run_cron("ir_cron_process_imports")
                self.assertEqual(record.state, "previewed")
                load.assert_not_called()
            record = self._import(sheet, filename="list.xlsx")
            self._run_cron("ir_cron_process_imports")
            self.assertEqual(count_unpacked(record), 0)
            facts = [
                (r.overview, [(line.row, line.message, line.cells) for line in r.line_ids])
                for r in (plain, record)
            ]
            self.assertEqual(facts[0], facts[1])

    def test_scheduler_knows_that_something_is_left(self):
        """A run that ends before the preview does is called again at once, not in an hour; one
        that begins when its time is up does nothing. What is left wakes the scheduler."""
        preview = "odoo.addons.membri_renewal.models.moving_in.preview"
        Cron = type(self.env["ir.cron"])
        told, time_left = [], iter((10, 0, 0, 10, 0))
        cron_id = self.env_root.ref("membri_renewal.ir_cron_process_imports").id
        work = self.Import.with_context(cron_id=cron_id)
        Trigger = self.env_root["ir.cron.trigger"]
        due = [("cron_id", "=", cron_id), ("call_at", "<=", "2026-11-15 15:00:00")]

        def commit(cron, processed=0, *, remaining=None):
            told.append((processed, remaining))
            return next(time_left, 10)

        with (
            patch(f"{preview}.FOREGROUND_PREVIEW", 1),
            patch(f"{preview}.PREVIEW_BATCH", 2),
            patch.object(Cron, "_commit_progress", commit),
        ):
            record = self._import(LIST)
            before = Trigger.search_count(due)
            work._cron_process_imports()
            self.assertEqual(told, [(0, 1), (2, 1)])
            self.assertEqual(Trigger.search_count(due), before + 1)
            self.assertEqual(record._count_read(), 2)
            work._cron_process_imports()
            self.assertEqual(told[2:], [(0, 1)])
            work._cron_process_imports()
            self.assertEqual(told[3:], [(0, 1), (2, 1)])
            self.assertEqual(Trigger.search_count(due), before + 2)
            work._cron_process_imports()
            self.assertEqual(told[5:], [(0, 4), (2, 2), (2, 1), (0, 0)])
        self.assertEqual(record.state, "previewed")
        self.assertEqual(Trigger.search_count(due), before + 2, "nothing is left")

    def test_stopped_and_resumed(self):
        rows = "".join(
            f"Member {number};m{number}@x.example;Gold;2026-01-01;2026-12-31\n"
            for number in range(301)
        )
        record = self._import("Name;Email;Plan;Start;End\n" + rows)
        record.action_run()
        record._process_batch()
        record.action_stop()
        done = len(record.line_ids.filtered("is_done"))
        self.assertGreater(done, 0)
        self.assertEqual(len(record.line_ids.cotisation_id), done)
        self._run_cron("ir_cron_process_imports")
        self.assertEqual(record.state, "stopped")
        record.action_resume()
        self._run_cron("ir_cron_process_imports")
        self.assertEqual(record.state, "done")
        self.assertEqual(len(record.line_ids.cotisation_id), 301)

    # ------------------------------------------------------------------
    # Open balances
    # ------------------------------------------------------------------

    BALANCES = (
        "Name;Email;Plan;Start;End;Amount;Open Balance\n"
        "Ada Roy;ada@b.example;Gold;2025-01-01;2025-12-31;120;45,50\n"
        "Ada Roy;ada@b.example;Gold;2026-01-01;2026-12-31;120;45,50\n"
        "Bea Roy;bea@b.example;Gold;2026-01-01;2026-12-31;120;0.00\n"
        "Cyr Roy;cyr@b.example;Gold;2026-01-01;2026-12-31;120;-20\n"
        "Dan Roy;dan@b.example;;;;;75\n"
    )

    def _get_opening_moves(self):
        return self.env_root["account.move"].search(
            [("journal_id.code", "=", "OPMEM"), ("company_id", "=", self.company.id)], order="id"
        )

    def test_balance_as_a_note(self):
        record = self._import(self.BALANCES)
        before = self._count()
        record.action_run()
        self.assertEqual(self._count()["account.move"], before["account.move"])
        ada, cyr = (
            record.line_ids.filtered(lambda line, n=name: line.name == n).partner_id
            for name in ("Ada Roy", "Cyr Roy")
        )
        self.assertTrue(ada.message_ids.filtered(lambda m: "45,50" in m.body))
        self.assertTrue(cyr.message_ids.filtered(lambda m: "-20" in m.body))

    def test_balance_as_an_opening_entry(self):
        """Posted in a journal of its own, unpaid; the payment activates the term. No email."""
        record = self._import(self.BALANCES, balance_mode="entry")
        self.assertIn("45.50", record.line_ids.sorted("row")[1].message)
        self.assertFalse(self._get_opening_moves())
        before = self._count()
        record.action_run()
        self.assertEqual(self._get_results(record), ["new"] * 5)
        lines = record.line_ids.sorted("row")
        past, term = lines[0].cotisation_id, lines[1].cotisation_id
        moves = self._get_opening_moves()
        self.assertRecordValues(
            moves,
            [
                {
                    "partner_id": lines[1].partner_id.id,
                    "state": "posted",
                    "payment_state": "not_paid",
                    "amount_total": 45.5,
                    "amount_tax": 0.0,
                    "membri_invoice_type": "renewal",
                },
                {
                    "partner_id": lines[4].partner_id.id,
                    "state": "posted",
                    "payment_state": "not_paid",
                    "amount_total": 75.0,
                    "amount_tax": 0.0,
                    "membri_invoice_type": False,
                },
            ],
        )
        self.assertEqual(
            moves.line_ids.account_id.mapped("account_type"),
            ["equity_unaffected", "asset_receivable"],
        )
        self.assertFalse(past.sudo().invoice_id)
        self.assertEqual(term.sudo().invoice_id, moves[0])
        self.assertEqual((past.state, term.state), ("expired", "pending"))
        self.assertEqual(term.payment_state, "not_paid")
        self.assertEqual(term.amount_total, 120.0)
        self.assertEqual(lines[2].cotisation_id.state, "active")
        self.assertTrue(lines[3].partner_id.message_ids.filtered(lambda m: "-20" in m.body))
        self.assertEqual(self._count()["mail.mail"], before["mail.mail"])
        # a second list books nothing again
        again = self._import(self.BALANCES, balance_mode="entry")
        again.action_run()
        self.assertEqual(self._get_opening_moves(), moves)
        self._pay(moves[0])
        self.assertEqual(term.state, "active")
        self.assertIn("Ada Roy", self._assert_refused(record.action_undo))

    def test_undo_of_opening_entries(self):
        before = self._count()
        record = self._import(self.BALANCES, balance_mode="entry")
        record.action_run()
        record.action_undo()
        self.assertEqual(record.state, "undone")
        self.assertFalse(self._get_opening_moves().filtered(lambda m: m.state == "posted"))
        self.assertEqual(self._count(), before)

    def test_undo_of_a_numbered_opening_entry(self):
        """Another one was numbered since: it is cancelled, and its contact archived."""
        record = self._import(self.BALANCES, balance_mode="entry")
        record.action_run()
        ada = record.line_ids.sorted("row")[0].partner_id
        later = self._import(
            self.BALANCES.replace("Roy", "Ito").replace("@b", "@c"), balance_mode="entry"
        )
        later.action_run()
        record.action_undo()
        self.assertEqual(record.state, "undone")
        self.assertEqual(
            self._get_opening_moves().mapped("state"), ["cancel", "cancel", "posted", "posted"]
        )
        self.assertFalse(ada.active)
        self.assertFalse(ada.membri_cotisation_ids)

    def test_balance_that_is_no_amount(self):
        text = self.BALANCES.replace("45,50", "some")
        self.assertEqual(
            self._get_results(self._import(text, balance_mode="entry"))[:3],
            ["error", "error", "new"],
        )
        self.assertEqual(self._get_results(self._import(text))[:2], ["new", "new"])

    def test_undo_deletes_in_parts(self):
        """Of few at a time, Odoo's search for whose term is deleted goes by our index."""
        self.cr.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'res_partner'"
        )
        indexes = dict(self.cr.fetchall())
        for name in ("cotisation", "renewal", "responsible"):
            definition = indexes[f"res_partner_membri_{name}_links"]
            self.assertIn(f"gin (membri_{name}_id)", definition)
        before = self._count()
        record = self._import(LIST)
        record.action_run()
        Term = type(self.env["membri.cotisation"])
        undo = "odoo.addons.membri_renewal.models.moving_in.undo"
        with (
            patch(f"{undo}.DELETED_TOGETHER", 1),
            patch.object(Term, "unlink", autospec=True, side_effect=Term.unlink) as unlink,
        ):
            record.action_undo()
        self.assertEqual([len(call.args[0]) for call in unlink.call_args_list], [1, 1])
        self.assertEqual(self._count(), before)

    def test_undo_in_the_background(self):
        """Of a long list; what has followed meanwhile stops it with the sentence."""
        undo = "odoo.addons.membri_renewal.models.moving_in.undo"
        rows = "".join(
            f"Member {number};m{number}@x.example;Gold;2026-01-01;2026-12-31\n"
            for number in range(7)
        )
        before = self._count()
        record = self._import("Name;Email;Plan;Start;End\n" + rows)
        record.action_run()
        partner = record.line_ids[0].partner_id
        with patch(f"{undo}.FOREGROUND_UNDO", 1), patch(f"{undo}.BATCH", 2):
            partner.email = "other@x.example"
            record.action_undo()
            self.assertEqual(record.state, "running")
            self._run_cron("ir_cron_process_imports")
            self.assertEqual(record.state, "stopped")
            self.assertIn("Member 0", record.problem)
            self.assertEqual(len(record.line_ids.cotisation_id), 7)
            partner.email = "m0@x.example"
            record.action_resume()
            record._process_batch()
            self.assertEqual(len(record.line_ids.cotisation_id), 5)
            self.assertEqual(record.state, "running")
            self._run_cron("ir_cron_process_imports")
        self.assertEqual(record.state, "undone")
        self.assertEqual(self._count(), before)

    def test_rights(self):
        record = self._import(LIST)
        for user in (self.officer, self.auditor, self.employee):
            for action in ("action_preview", "action_run", "action_undo"):
                with self.subTest(user=user.login, action=action), self.assertRaises(AccessError):
                    getattr(record.with_user(user), action)()
        with self.assertRaises(UserError):
            record.line_ids[0].message = "forged"

    def test_option_set_map(self):
        """By ID, by code or by name; a plan of another company is none."""
        self.gold.code = "G1"
        record = self._import(LIST.replace("Gold", "Or"))
        self.assertFalse(record.option_set_map)
        for value in (self.gold.id, "G1", "Gold"):
            record.option_set_map = {"or": value}
            record.invalidate_recordset()
            self.assertEqual(record.option_set_map, {"Or": self.gold.id})
        record.action_preview()
        self.assertEqual(self._get_results(record)[:2], ["new", "new"])
        with self.assertRaises(UserError):
            record.option_set_map = {"Lead": 10**8}

    def test_member_since_a_year_or_a_month(self):
        """Issue 12, A7: people know the year, or its month, in which somebody joined; a first or
        last day wants to be whole."""
        plan = self._plan("Silver")
        rows = [
            ("Ada", "2015", "2026-12-31"),
            ("Bob", "mars 2018", "2026-12-31"),
            ("Cy", "03/2018", "2026-12-31"),
            ("Dee", "2018-13", "2026-12-31"),
            ("Eve", "2018-01-05", "2026"),
        ]
        content = "Name;Member since;Last day;Plan\n" + "".join(
            f"{';'.join(row)};Silver\n" for row in rows
        )
        record = self._import(content, plans={"Silver": plan})
        self.assertEqual(self._get_results(record), ["new", "new", "new", "error", "error"])
        read = record.line_ids.sorted("row").mapped("message")
        self.assertIn("January 1, 2015", read[0])
        self.assertIn("2026-12-31", read[3])
        record.action_run()
        since = record.line_ids.partner_id.sorted("name").mapped("membri_member_since")
        self.assertEqual([str(day) for day in since], ["2015-01-01", "2018-03-01", "2018-03-01"])

    def test_a_vague_column_beside_a_plain_one(self):
        """“Type” says who is a company where the category is beside it, whichever comes first."""
        plan = self._plan("Silver")
        other = self._import("Name;Type;Plan\nBob;Silver;Silver\n", plans={"Silver": plan})
        self.assertEqual(
            other.column_ids.sorted("place").mapped("target"), ["name", False, "level"]
        )
        alone = self._import("Name;Type\nBob;Silver\n", plans={"Silver": plan})
        self.assertEqual(alone.column_ids.sorted("place").mapped("target"), ["name", "level"])
        content = (
            "Nom;Type;Catégorie de membre;Date de fin;Montant payé\n"
            "Plomberie Roy inc.;Entreprise;Silver;2026-12-31;100\n"
            "Ada Boulanger;Particulier;Silver;2026-12-31;50\n"
        )
        record = self._import(content, plans={"Silver": plan})
        self.assertEqual(
            record.column_ids.sorted("place").mapped("target"),
            ["last_name", "is_company", "level", "date_end", "amount"],
        )
        record.action_run()
        members = record.line_ids.sorted("row").partner_id
        self.assertEqual(members.mapped("is_company"), [True, False])

    def test_taxes_in_what_was_paid(self):
        """Issue 12, B: a list says what was paid, taxes included. The notice compares like with
        like, and says that a price has changed only where it has."""
        taxes = self.env_root["account.tax"].create(
            [
                {"name": f"Tax {rate}", "amount": rate, "company_id": self.company.id}
                for rate in (5.0, 9.975)
            ]
        )
        self.product.taxes_id = taxes
        for paid, untaxed in ((344.93, 300.0), (275.94, 240.0), (300.0, 300.0), (344.0, 344.0)):
            with self.subTest(paid=paid):
                record = self._import(
                    f"Name;Plan;Start;End;Amount\nAda {paid};Gold;2026-01-01;2026-12-31;{paid}\n"
                )
                record.action_run()
                term = record.line_ids.cotisation_id
                self.assertEqual((term.amount_total, term.amount_untaxed), (paid, untaxed))
                renewal = self._create_renewal(term)
                told = renewal._get_changes() + renewal._get_change_reasons()
                self.assertEqual(bool(told), paid in (275.94, 344.0))
        record = self._import(
            "Name;Plan;Start;End;Amount;Balance\nBea;Gold;2026-01-01;2026-12-31;344.93;344.93\n"
        )
        record.action_run()
        self.assertFalse(record.line_ids.cotisation_id.line_ids.tax_ids)
