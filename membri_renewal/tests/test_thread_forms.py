from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common_portal import SECRET, ThreadCase


@tagged("post_install", "-at_install")
class TestThreadForms(ThreadCase):
    """11 A 2: Odoo's forms and windows about messages, activities and files name what their user
    reads."""

    def test_forms_of_odoo_name_nothing(self):
        """What a message or an activity is about is said in sudo: not of any record that a form
        may name."""
        west_invoice = self.invoice
        models = self.env["ir.model"].sudo()
        for user in (self.employee, self.stranger_user):
            for record in (self.renewal, self.renewal.cotisation_id, west_invoice):
                forms = [("mail.message", {"model": record._name}, "record_name")]
                if user == self.employee:
                    model_id = models._get_id(record._name)
                    forms.append(("mail.activity", {"res_model_id": model_id}, "res_name"))
                for name, values, shown in forms:
                    with self.subTest(user=user.login, form=name, record=record):
                        args = [[], {**values, "res_id": record.id}, [*values, "res_id"]]
                        result = call_kw(
                            self.env[name].with_user(user),
                            "onchange",
                            [*args, {shown: {}, "res_id": {}}],
                            {},
                        )
                        self.assertNotIn(record.display_name, str(result))
        values = {"model": "membri.renewal", "res_id": self.renewal.id}
        spec = {"record_name": {}}
        result = call_kw(
            self.env["mail.message"].with_user(self.auditor),
            "onchange",
            [[], values, list(values), spec],
            {},
        )
        self.assertEqual(result["value"]["record_name"], self.renewal.display_name)
        activity = self.renewal.activity_schedule("mail.mail_activity_data_todo")
        self.assertEqual(activity.res_name, self.renewal.display_name)

    def test_forms_name_no_record_of_the_audit_trail(self):
        """Odoo's audit trail says in a many2one, of a new message as well, what it is about."""
        for user, record, shown in (
            (self.employee, self.invoice, False),
            (self.stranger_user, self.invoice, False),
            (self.stranger_user, self.member, False),
            (self.officer, self.invoice, True),
            (self.officer, self.member, True),
        ):
            messages = self.env["mail.message"].with_user(user)
            context = {"default_model": record._name, "default_res_id": record.id}
            trail = {
                name: {"fields": {"display_name": {}}}
                for name, field in messages._fields.items()
                if name.startswith("account_audit_log_") and field.type == "many2one"
            }
            self.assertGreater(len(trail), 1)
            with self.subTest(user=user.login, record=record):
                result = call_kw(messages, "onchange", [[], {}, [], trail], {"context": context})
                named = [value["id"] for value in result["value"].values() if value]
                self.assertEqual(named, [record.id] if shown else [])

    def test_forms_name_nothing_that_is_called_after_a_member(self):
        """Followers, notifications and closed addresses are Odoo's, and have a member's name."""
        env = self.env_root
        self.renewal.message_subscribe(self.member.ids)
        closed = env["mail.blacklist"].create({"email": "closed@example.com"})
        for record in (self.renewal.message_follower_ids.sudo()[:1], closed):
            context = {"default_model": record._name, "default_res_id": record.id}
            for user in (self.stranger_user, self.employee):
                with self.subTest(user=user.login, model=record._name):
                    messages = self.env["mail.message"].with_user(user)
                    args = [[], {}, [], {"record_name": {}}]
                    result = call_kw(messages, "onchange", args, {"context": context})
                    self.assertFalse(result["value"]["record_name"])
            # activities compute it in sudo; strangers have none
            activities = self.env["mail.activity"].with_user(self.employee)
            with self.subTest(model=record._name, form="mail.activity"):
                model_id = env["ir.model"]._get_id(record._name)
                values = {"res_model_id": model_id, "res_id": record.id}
                args = [[], values, list(values), {"res_name": {}}]
                result = call_kw(activities, "onchange", args, {})
                self.assertFalse(result["value"].get("res_name"))
        args[1] = {"res_model_id": env["ir.model"]._get_id("res.partner"), "res_id": self.member.id}
        result = call_kw(self.env["mail.activity"].with_user(self.officer), "onchange", args, {})
        self.assertEqual(result["value"]["res_name"], self.member.display_name)

    def _get_ways_to_name(self, env, number):
        """:return: ``{way: function}`` by which a user names a message"""
        composer, channel = env["mail.compose.message"], env["discuss.channel"]
        own = channel.create({"name": "Own"}).channel_member_ids
        with_default = composer.with_context(default_parent_id=number)
        spec = {"subject": {}, "parent_id": {"fields": {"display_name": {}}}}
        lines = [Command.create({"seen_message_id": number})]
        spec_of_lines = {"channel_member_ids": {"fields": {"seen_message_id": {"fields": {}}}}}
        return {
            "create": lambda: composer.create({"parent_id": number}),
            "text": lambda: composer.create({"parent_id": str(number)}),
            "default": lambda: with_default.create({}),
            "form": lambda: composer.onchange({"parent_id": number}, ["parent_id"], spec),
            "by ID": lambda: composer.onchange({"parent_id": {"id": number}}, [], spec),
            "form, default": lambda: with_default.onchange({}, [], spec),
            "lines": lambda: channel.onchange({"channel_member_ids": lines}, [], spec_of_lines),
            "write": lambda: own.write({"seen_message_id": number}),
        }

    def test_messages_and_files_are_named_by_their_readers(self):
        """Whatever names a message shows its subject (*your payment failed*), the window of emails
        the recipients as well; files are named after members."""
        message = self.renewal.message_post(
            body="x", subject=SECRET, subtype_xmlid="mail.mt_note", partner_ids=self.member.ids
        )
        note = self.member._membri_noted_for(self.company).message_post(body="x", subject=SECRET)
        file = self.env["ir.attachment"].sudo().search([("name", "=", SECRET)], limit=1)
        foreigner = self._create_manager_of(
            self._create_other_company("West", "America/Vancouver"), "foreigner"
        )
        for user, named, may in (
            (self.employee, message, False),
            (foreigner, message, False),
            (foreigner, note, False),
            (self.auditor, message, True),
            (self.officer, note, True),
        ):
            attempts = self._get_ways_to_name(self.env(user=user.id, context={}), named.id)
            for name, attempt in attempts.items():
                with self.subTest(user=user.login, model=named.model, attempt=name):
                    if may:
                        attempt()
                        continue
                    with self.assertRaises(AccessError) as caught:
                        attempt()
                    self.assertNotIn(SECRET, str(caught.exception))
        with self.assertRaises(AccessError):
            self.env["ir.attachment"].with_user(self.employee).create(
                {"name": "own", "original_id": file.id}
            )

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_the_window_of_emails_tells_what_its_user_reads(self):
        """Odoo computes in sudo what it keeps of it: the name of any record, what a template says
        of it, and its reports, those of another model for the same number, too."""
        foreigner = self._create_manager_of(
            self._create_other_company("West", "America/Vancouver"), "foreigner"
        )
        message = self.renewal.message_post(body="x", subject=SECRET)
        Template = self.env_root["mail.template"]
        numbered = self.env_root["res.partner"].browse(self.invoice.id)
        for user in (self.employee, foreigner):
            windows = self.env(user=user.id, context={})["mail.compose.message"]
            for record in (self.renewal, self.invoice, message, self.invoice.line_ids[0]):
                template = Template.create(
                    {
                        "name": "x",
                        "model_id": self.env["ir.model"]._get_id(record._name),
                        "subject": "{{ object.display_name }}",
                    }
                )
                given = {"model": record._name, "res_ids": str(record.ids)}
                for vals in (given, {**given, "template_id": template.id}):
                    with self.subTest(user=user.login, vals=vals):
                        with self.assertRaises(AccessError):
                            windows.create(vals).read(["subject", "body"])
                        with self.assertRaises(AccessError):
                            windows.onchange(vals, list(vals), {"subject": {}})
            # a statement, and the receipt of the invoice with the number of a contact
            for name, contact in (("statement", self.member), ("membership_receipt", numbered)):
                report = self.env_root.ref(f"membri_renewal.action_report_{name}")
                template = Template.create(
                    {
                        "name": "x",
                        "model_id": self.env["ir.model"]._get_id("res.partner"),
                        "report_template_ids": [Command.set(report.ids)],
                    }
                )
                vals = {"model": "res.partner", "res_ids": str(contact.ids)}
                if (user, name) == (foreigner, "statement"):
                    continue  # of what is due to their own company
                with self.subTest(user=user.login, report=name), self.assertRaises(AccessError):
                    windows.create({**vals, "template_id": template.id}).read(["attachment_ids"])
        # who reads them, as ever
        window = self.env(user=self.auditor.id, context={})["mail.compose.message"].create(
            {"model": "membri.renewal", "res_ids": str(self.renewal.ids)}
        )
        self.assertEqual(window.subject, self.renewal._message_compute_subject())

    def test_activities_are_not_moved_to_records_of_others(self):
        user = new_test_user(
            self.env_root,
            "edits_contacts",
            "base.group_user,base.group_partner_manager",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        own = user.partner_id.with_user(user).activity_schedule(summary="Own", user_id=user.id)
        other = self.stranger.with_user(user)
        for record in (self.renewal, self.invoice):
            number = self.env["ir.model"].sudo()._get_id(record._name)
            with self.subTest(record=record), self.assertRaises(AccessError):
                own.write({"res_model_id": number, "res_id": record.id})
            self.assertFalse(record.activity_ids.filtered(lambda a: a.summary == "Own"))
        own.write({"res_id": other.id})
        self.assertEqual(other.activity_ids, own)

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_files_in_forms_of_odoo(self):
        """Letters by post, which are installed with Invoicing: the form showed any file. What was
        made by somebody who may is seen as in Odoo."""
        if "snailmail.letter" not in self.env:
            self.skipTest("Letters by post are not installed.")
        attachment = self.env_root["ir.attachment"].search(
            [("res_model", "=", "membri.renewal"), ("res_id", "=", self.renewal.id)], limit=1
        )
        spec = {"attachment_datas": {}, "attachment_fname": {}}
        args = [[], {"attachment_id": attachment.id}, ["attachment_id"], spec]
        letters = self.env["snailmail.letter"].with_user(self.employee)
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            call_kw(letters, "onchange", args, {})
        value = call_kw(letters.with_user(self.auditor), "onchange", args, {})["value"]
        self.assertEqual(value["attachment_fname"], attachment.name)
        letter = self.env_root["snailmail.letter"].create(
            {
                "model": "res.partner",
                "res_id": self.member.id,
                "partner_id": self.member.id,
                "company_id": self.company.id,
                "attachment_id": attachment.id,
            }
        )
        self.env.invalidate_all()
        kept = letter.with_user(self.employee).read(["attachment_fname"])
        self.assertEqual(kept[0]["attachment_fname"], attachment.name)

    def _ask_form(self, user, model, values, name, default=None):
        """:param default: of ``name``, which the user has kept for themselves
        :return: what the form of a new record of ``model`` shows in ``name``, and one step further
        """
        records = self.env(user=user.id, context={})[model]
        comodel = records.env[records._fields[name].comodel_name]
        further = {
            further_name: {"fields": {"display_name": {}}}
            for further_name, field in comodel._fields.items()
            if field.type == "many2one" and field.comodel_name in ("ir.attachment", "mail.message")
        }
        spec = {name: {"fields": {"display_name": {}, **further}}}
        if default:
            call_kw(records.env["ir.default"], "set", [model, name, default], {"user_id": True})
        self.env.invalidate_all()
        return str(call_kw(records, "onchange", [[], values, [], spec], {}))

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_forms_are_given_messages_and_files_by_no_detour(self):
        """A default that one keeps for oneself is given to a form as well, and so is what the form
        tells of a record that it names: what *that* replies to, or is a copy of."""
        env = self.env_root
        foreigner = self._create_manager_of(
            self._create_other_company("West", "America/Vancouver"), "foreigner"
        )
        message = self.renewal.message_post(body="x", subject=SECRET)
        file = env["ir.attachment"].create(
            {"name": SECRET, "res_model": "membri.renewal", "res_id": self.renewal.id}
        )
        for user, may in ((self.employee, False), (foreigner, False), (self.auditor, True)):
            channel = self.env(user=user.id, context={})["discuss.channel"].create({"name": "Own"})
            own_message = channel.sudo().message_post(body="own", message_type="comment")
            own_file = env["ir.attachment"].with_user(user).create({"name": "own"})
            for model, name, own, further, number in (
                ("ir.attachment", "original_id", own_file, "original_id", file.id),
                ("mail.message", "parent_id", own_message, "parent_id", message.id),
                ("mail.compose.message", "parent_id", own_message, "parent_id", message.id),
                ("discuss.channel.member", "seen_message_id", own_message, "parent_id", message.id),
            ):
                told = {"id": own.id, further: number}
                for way, values, default in (
                    ("own default", {}, number),
                    ("told", {name: told}, None),
                    ("told by number", {name: {**told, further: {"id": number}}}, None),
                    ("default that tells", {}, told),
                ):
                    with self.subTest(user=user.login, model=model, way=way):
                        if may:
                            shown = self._ask_form(user, model, values, name, default)
                            self.assertIn(SECRET, shown)
                        else:
                            with self.assertRaises(AccessError) as caught:
                                self._ask_form(user, model, values, name, default)
                            self.assertNotIn(SECRET, str(caught.exception))
                    env["ir.default"].search([("user_id", "=", user.id)]).unlink()

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_forms_tell_nothing_of_what_a_named_contact_would_have(self):
        """A form of Odoo's that names a contact, with values of that: a plan of another company."""
        west = self._create_other_company("West", "America/Vancouver")
        foreigner = self._create_manager_of(west, "foreigner")
        contact = foreigner.partner_id
        spec = {"author_id": {"fields": {"membri_option_set_id": {"fields": {"display_name": {}}}}}}
        plan = self.renewal.option_set_id
        told = {"id": contact.id, "membri_option_set_id": plan.id}
        for user, may in ((foreigner, False), (self.officer, True)):
            messages = self.env(user=user.id, context={})["mail.message"]
            self.env.invalidate_all()
            with self.subTest(user=user.login):
                args = [[], {"author_id": told}, [], spec]
                if may:
                    shown = call_kw(messages, "onchange", args, {})
                    self.assertIn(plan.display_name, str(shown))
                else:
                    with self.assertRaises(AccessError):
                        call_kw(messages, "onchange", args, {})
            # a login has the fields of its contact
            told_of_login = {**told, "id": user.id}
            activities = self.env(user=user.id, context={})["mail.activity"]
            args = [[], {"user_id": told_of_login}, [], {"user_id": spec["author_id"]}]
            self.env.invalidate_all()
            with self.subTest(user=user.login, form="mail.activity"):
                if may:
                    shown = call_kw(activities, "onchange", args, {})
                    self.assertIn(plan.display_name, str(shown))
                else:
                    with self.assertRaises(AccessError):
                        call_kw(activities, "onchange", args, {})
            # a default of one's own, which stops nobody
            contacts = self.env(user=user.id, context={})["res.partner"]
            args = ["res.partner", "membri_option_set_id", plan.id]
            call_kw(contacts.env["ir.default"], "set", args, {"user_id": True})
            with self.subTest(user=user.login, way="own default"):
                given = call_kw(contacts, "default_get", [["membri_option_set_id"]], {})
                self.assertEqual(given.get("membri_option_set_id"), plan.id if may else None)

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_forms_name_no_invoice_by_a_message_that_they_name(self):
        env = self.env(user=self.employee.id, context={})
        own = env["discuss.channel"].create({"name": "Own"}).sudo().message_post(body="own")
        name = "account_audit_log_move_id"
        spec = {"parent_id": {"fields": {name: {"fields": {"display_name": {}}}}}}
        for model in ("mail.message", "mail.compose.message"):
            args = [[], {"parent_id": {"id": own.id, name: self.invoice.id}}, [], spec]
            self.env.invalidate_all()
            with self.subTest(model=model), self.assertRaises(AccessError):
                call_kw(env[model], "onchange", args, {})

    def test_what_is_saved_is_named_by_its_number(self):
        """What is told of a record that one names was shown with what is saved."""
        file = self.env_root["ir.attachment"].create(
            {"name": SECRET, "res_model": "membri.renewal", "res_id": self.renewal.id}
        )
        files = self.env(user=self.employee.id, context={})["ir.attachment"]
        own, other = files.create([{"name": "own"}, {"name": "other"}])
        further = {"original_id": {"fields": {"display_name": {}}}}
        spec = {"original_id": {"fields": further}}
        for ids in (own.ids, []):
            told = {"name": "own", "original_id": {"id": other.id, "original_id": file.id}}
            self.env.invalidate_all()
            with self.subTest(ids=ids), self.assertRaises(AccessError):
                call_kw(files, "web_save", [ids, told, spec], {})
        call_kw(files, "web_save", [own.ids, {"original_id": other.id}, spec], {})
        self.assertEqual(own.original_id, other)

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_letters_by_post_stay_with_their_record(self):
        """Any employee moved a letter of theirs to a renewal or an invoice, which the scheduler
        printed for them."""
        if "snailmail.letter" not in self.env:
            self.skipTest("no letters by post")
        letters = self.env["snailmail.letter"].with_user(self.employee)
        channel = letters.env["discuss.channel"].create({"name": "Own"})
        own = {
            "model": channel._name,
            "res_id": channel.id,
            "partner_id": self.member.id,
            "company_id": self.company.id,
            "user_id": self.employee.id,
        }
        letter = letters.create(own)
        for record in (self.renewal, self.invoice):
            with self.subTest(record=record):
                with self.assertRaises(AccessError):
                    letter.write({"model": record._name, "res_id": record.id})
                with self.assertRaises(AccessError):
                    letter.web_save({"model": record._name, "res_id": record.id}, {})
                self.assertEqual(letter.sudo().model, channel._name)
            # the report of another model, for a record of the same number
            report = self.env["ir.actions.report"].sudo().search([("model", "=", record._name)])
            letter.sudo().res_id = record.id
            with self.subTest(record=record), self.assertRaises(AccessError):
                letter.write({"report_template": report[0].id})
            letter.sudo().res_id = channel.id
        # a statement of a contact
        statement = self.env.ref("membri_renewal.action_report_statement")
        with self.assertRaises(AccessError):
            letters.create({**own, "report_template": statement.id})
        # one of somebody else, to another address
        kept = letter.sudo().copy()
        kept.write({"model": self.renewal._name, "res_id": self.renewal.id})
        with self.assertRaises(AccessError):
            kept.with_user(self.employee).write({"partner_id": self.employee.partner_id.id})
        kept.with_user(self.officer).write({"state": "canceled"})
        letter.write({"state": "canceled"})
