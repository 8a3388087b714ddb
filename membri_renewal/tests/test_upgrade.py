"""What an update of the add-on brings, and what it leaves to the people who edited it."""

from odoo.modules.module import load_script
from odoo.tests import TransactionCase, tagged
from odoo.tools import convert_file, file_path

MODULE = "membri_renewal"


@tagged("post_install", "-at_install")
class TestUpgrade(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.env.ref(f"{MODULE}.mail_template_reminder")
        cls.dashboard = cls.env.ref(f"{MODULE}.dashboard_letters")
        cls.officer = cls.env["res.users"].create(
            {
                "name": "Officer",
                "login": "upgrade-officer",
                "group_ids": [(4, cls.env.ref(f"{MODULE}.group_membri_manager").id)],
            }
        )

    def _update(self, file):
        """Load a data file as ``-u`` does."""
        self.env.flush_all()
        convert_file(self.env, MODULE, f"data/{file}", {}, mode="update")
        self.env.invalidate_all()

    def _age(self, record, **values):
        """Give a record what an earlier version shipped."""
        record.with_context(install_mode=True).write(values)

    def _is_ours(self, record):
        name = self.env["ir.model.data"].search(
            [("model", "=", record._name), ("res_id", "=", record.id), ("module", "=", MODULE)]
        )
        return not name.noupdate

    def test_b_rules_are_not_noupdate(self):
        """A fix of a record rule reaches installed databases."""
        rules = self.env["ir.model.data"].search(
            [("module", "=", MODULE), ("model", "in", ("ir.rule", "ir.model.access"))]
        )
        self.assertGreater(len(rules), 20)
        self.assertFalse(rules.filtered("noupdate").mapped("name"))

    def test_b_frames_and_screens_are_not_noupdate(self):
        """So does one of a frame, a document or a screen."""
        views = self.env["ir.model.data"].search(
            [
                ("module", "=", MODULE),
                ("model", "in", ("ir.ui.view", "ir.ui.menu", "ir.actions.report")),
            ]
        )
        self.assertIn("mail_frame", views.mapped("name"))
        self.assertFalse(views.filtered("noupdate").mapped("name"))

    def test_b_untouched_template_is_brought(self):
        shipped = self.template.body_html, self.template.subject
        self._age(self.template, body_html="<p>Old</p>", email_layout_xmlid=False)
        self.assertTrue(self._is_ours(self.template))
        self._update("mail_template_data.xml")
        self.assertEqual((self.template.body_html, self.template.subject), shipped)
        self.assertEqual(self.template.email_layout_xmlid, f"{MODULE}.mail_frame")

    def test_b_edited_template_is_left(self):
        """Whoever edits, in whatever field: an administrator, a script, the cron."""
        for field, value in {"subject": "Ours", "email_from": "us@example.com"}.items():
            with self.subTest(field=field):
                self.template[field] = value
                self.assertFalse(self._is_ours(self.template))
                self._update("mail_template_data.xml")
                self.assertEqual(self.template[field], value)

    def test_b_template_edited_in_one_language_is_left(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        for field in ("subject", "body_html"):
            with self.subTest(field=field):
                self._take_back(self.template)
                term = "Notre mot"
                self.template.update_field_translations(field, {"fr_FR": term})
                self.assertFalse(self._is_ours(self.template))
                self._update("mail_template_data.xml")
                self.assertIn(term, self.template.with_context(lang="fr_FR")[field])

    def test_b_context_action_claims_nothing(self):
        """A template that is offered in the menu of its records was not rewritten."""
        self.template.create_action()
        self.assertTrue(self._is_ours(self.template))
        self._update("mail_template_data.xml")
        self.assertTrue(self.template.ref_ir_act_window)

    def test_b_reset_template_gives_it_back(self):
        """Odoo's own *Reset Template* ends the claim: the next update brings ours again."""
        self.template.subject = "Ours"
        self.template.reset_template()
        self.assertNotEqual(self.template.subject, "Ours")
        self.assertTrue(self._is_ours(self.template))

    def test_b_templates_of_others_are_not_touched(self):
        other = self.env["mail.template"].search(
            [("template_fs", "not like", f"{MODULE}/"), ("template_fs", "!=", False)], limit=1
        )
        name = self.env["ir.model.data"].search(
            [("model", "=", "mail.template"), ("res_id", "=", other.id)], limit=1
        )
        name.noupdate = False
        other.subject = "Elsewhere"
        self.assertFalse(name.noupdate)

    def test_b_queue_is_brought_where_the_staff_put_it(self):
        """Moving, painting or archiving a card is no edit: *Letters to print* kept its old
        queue."""
        shipped = self.dashboard.domain
        self.dashboard.with_user(self.officer).write({"sequence": 3, "color": 4, "active": False})
        self._age(self.dashboard, domain="[('state', '=', 'sent')]")
        self._update("dashboard_data.xml")
        self.assertEqual(self.dashboard.domain, shipped)
        self.assertEqual(
            (self.dashboard.sequence, self.dashboard.color, self.dashboard.active), (3, 4, False)
        )

    def test_b_rewritten_queue_is_left(self):
        self.dashboard.with_user(self.officer).domain = "[('state', '=', 'draft')]"
        self._update("dashboard_data.xml")
        self.assertEqual(self.dashboard.domain, "[('state', '=', 'draft')]")

    def test_b_deleted_suggestion_does_not_come_back(self):
        self.env.ref(f"{MODULE}.refusal_reason_moved").unlink()
        self._update("refusal_reason_data.xml")
        self.assertFalse(self.env.ref(f"{MODULE}.refusal_reason_moved", raise_if_not_found=False))

    def test_b_jobs_keep_their_clock(self):
        """When and how often a job runs is the administrator's."""
        cron = self.env.ref(f"{MODULE}.ir_cron_generate")
        cron.write({"interval_number": 2, "active": False})
        nextcall = cron.nextcall
        self._update("ir_cron_data.xml")
        self.assertEqual((cron.interval_number, cron.active), (2, False))
        self.assertEqual(cron.nextcall, nextcall)

    def test_b_only_documents_that_still_answer_are_removed(self):
        """The copy of a notice that is decided is a record: it stays, whatever bytes are in it."""
        path = file_path(f"{MODULE}/migrations/19.0.1.1.0/post-keys.py")
        script = load_script(path, "membri_post_keys")
        link = b"%PDF-1.4 \0 /URI (https://example.com/my/renewals/7?access_token=sec\\055ret)"
        document = self.env["ir.attachment"].create({"name": "notice.pdf", "raw": link})
        for keys, is_keyed in (
            ({7: b"sec-ret"}, True),
            ({7: b"another"}, False),
            ({8: b"sec-ret"}, False),
            ({}, False),
        ):
            self.assertEqual(script._holds_key(document, keys), is_keyed, keys)

    def _take_back(self, record):
        self.env["ir.model.data"].search(
            [("model", "=", record._name), ("res_id", "=", record.id), ("module", "=", MODULE)]
        ).noupdate = False

    def test_b_new_words_reach_what_updates_leave_alone(self):
        """Reasons and jobs follow the words of 19.0.1.1.0, unless somebody has named them."""
        reason = self.env.ref(f"{MODULE}.refusal_reason_no_answer")
        edited = self.env.ref(f"{MODULE}.refusal_reason_unused")
        job = self.env.ref(f"{MODULE}.ir_cron_process_bulk")
        shipped = reason.name, job.name
        reason.name = "No answer"
        edited.name = "Never came"
        job.name = "Membership: work on many renewals"
        self.env.flush_all()
        load_script(
            file_path(f"{MODULE}/migrations/19.0.1.1.0/pre-words.py"), "membri_pre_words"
        ).migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()
        self.assertEqual((reason.name, job.name), shipped)
        self.assertEqual(job.cron_name, shipped[1])
        self.assertEqual(edited.name, "Never came")
