from ast import literal_eval

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.doors.search import leads_to_memberships
from .common_portal import PortalCase

LOGGERS = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")


@tagged("post_install", "-at_install")
class TestInsideDoors(PortalCase):
    """Doors that Odoo's other applications open to the staff: what these may not read of
    memberships is read there by nobody, and what they may not write is not written."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.renewal, cls.invoice = cls._send_one_and_accept_one()
        cls.seller = cls._create_seller()

    @classmethod
    def _create_seller(cls):
        seller = new_test_user(
            cls.env_root,
            "seller",
            "base.group_user",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )
        seller.group_ids += cls._create_group_of_sellers()
        return seller

    def test_money_on_what_was_cancelled(self):
        """The statement of a payer who has no other invoice tells of it: in sudo, too, to who reads
        that invoice."""
        payer = self.invoice.sudo().partner_id
        self.invoice.sudo().button_draft()
        self.invoice.sudo().button_cancel()
        for user, had in ((self.seller, False), (self.officer, True)):
            payer = payer.with_env(self.env(user=user)).with_company(self.company)
            for contact in (payer, payer.sudo()):
                self.assertEqual(contact._membri_had_invoice(), had, user.login)

    @mute_logger(*LOGGERS)
    def test_templates_bring_reports_of_what_they_are_about(self):
        """Those of other models are printed for the number of what the template is about, and by
        the system where it sends the email."""
        report = self.env.ref("membri_renewal.action_report_renewal_notice").sudo()
        vals = {"name": "x", "model_id": self.env["ir.model"]._get_id("res.users")}
        reports = {"report_template_ids": [Command.link(report.id)]}
        for user in (self.employee, self.auditor, self.officer):
            mine = self.env["mail.template"].with_user(user)
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    mine.create({**vals, **reports})
                with self.assertRaises(AccessError):
                    mine.create(vals).write(reports)
        # who reads renewals has one about these, which stays what it is about
        mine = self.env["mail.template"].with_user(self.officer)
        mine = mine.create({**vals, **reports, "model_id": report.model_id.id})
        self.assertEqual(mine.report_template_ids, report)
        with self.assertRaises(AccessError):
            mine.write({"model_id": vals["model_id"]})

    # ------------------------------------------------------------------
    # Analytic items
    # ------------------------------------------------------------------

    @mute_logger(*LOGGERS)
    def test_analytic_items_are_for_readers_of_the_invoices(self):
        """Where analytic accounting is on, every employee has its group: they read who was invoiced
        how much for which plan and period, and wrote another payer there; so did auditors."""
        plan = self.env_root["account.analytic.plan"].create({"name": "Activities"})
        account = self.env_root["account.analytic.account"].create(
            {"name": "Congress", "plan_id": plan.id, "company_id": self.company.id}
        )
        for user in (self.employee, self.seller, self.auditor, self.officer):
            user.sudo().group_ids += self.env.ref("analytic.group_analytic_accounting")
        # employees make such models: that of the plan is not even needed
        self.env["account.analytic.distribution.model"].with_user(self.employee).create(
            {
                "product_id": self.product.id,
                "analytic_distribution": {str(account.id): 100.0},
                "company_id": self.company.id,
            }
        )
        self.renewal.action_approve()
        lines = self.renewal.invoice_id.sudo().invoice_line_ids.analytic_line_ids
        self.assertEqual(lines.partner_id, self.corporation)
        before = lines.read(["name", "partner_id", "amount"])
        column = plan._column_name()
        items = self.env["account.analytic.line"].with_user(self.employee)
        own = items.create({"name": "Own", column: account.id, "amount": 1.0})
        self.assertTrue(own.with_user(self.seller).has_access("write"), "others are as in Odoo")
        for user, reads in ((self.employee, False), (self.seller, False), (self.auditor, True)):
            items = own.with_user(user)
            with self.subTest(user=user.login):
                found = items.search([(column, "=", account.id)])
                self.assertEqual(set(found.ids), {*own.ids, *(lines.ids if reads else ())})
                [row] = items.formatted_read_group(
                    [(column, "=", account.id)], aggregates=["amount:sum"]
                )
                self.assertEqual(row["amount:sum"], 1.0 + sum(lines.mapped("amount")) * reads)
                self.assertEqual(lines.with_user(user).has_access("read"), reads)
                for vals in ({"partner_id": user.partner_id.id}, {"name": "x"}):
                    with self.assertRaises(AccessError):
                        lines.with_user(user).write(vals)
                with self.assertRaises(AccessError):
                    lines.with_user(user).unlink()
        self.assertEqual(lines.read(["name", "partner_id", "amount"]), before)
        # who works on invoices works on these, and a reset takes them away
        lines.with_user(self.officer).write({"name": "Checked"})
        self.renewal.with_user(self.officer).action_reset()
        self.assertFalse(lines.exists())

    @mute_logger(*LOGGERS)
    def test_invoices_of_no_salesperson_are_not_those_of_all(self):
        """Odoo's sales people, who see their own documents only, see those of nobody as well: where
        the organization has no officer, they read all membership invoices, with their tokens."""
        access = self.env_root["ir.rule"].search([("name", "=", "Own Invoices")])
        access.domain_force = (
            "['|', ('invoice_user_id', '=', user.id), ('invoice_user_id', '=', False)]"
        )
        items = self.env_root["ir.model"]._get("account.move.line")
        self.env_root["ir.model.access"].create(
            {"name": "x", "model_id": items.id, "group_id": access.groups.id, "perm_read": True}
        )
        self.company.sudo().membri_officer_id = False
        self.renewal.action_approve()
        invoice = self.renewal.invoice_id.sudo()
        self.assertFalse(invoice.invoice_user_id)
        ordinary = (
            self.env["account.move"]
            .sudo()
            .with_company(self.company)
            .create(
                {"move_type": "out_invoice", "partner_id": self.member.id, "invoice_user_id": False}
            )
        )
        for user, reads in ((self.seller, False), (self.auditor, True), (self.officer, True)):
            self.env.invalidate_all()
            with self.subTest(user=user.login):
                for record in (invoice, invoice.line_ids):
                    found = record.with_user(user).search([("id", "in", record.ids)])
                    self.assertEqual(bool(found), reads)
                    self.assertEqual(record.with_user(user).has_access("read"), reads)
        self.assertTrue(ordinary.with_user(self.seller).has_access("read"), "as in Odoo")
        # who sells and reads memberships reads it by our right, without its token
        self.auditor.sudo().group_ids += access.groups
        read = invoice.with_user(self.auditor)
        self.assertTrue(read.has_access("read"))
        self.assertTrue(read._membri_reads_as_reader())
        with self.assertRaises(AccessError):
            read.read(["access_token"])
        invoice.invoice_user_id = self.seller
        self.env.invalidate_all()
        self.assertTrue(invoice.with_user(self.seller).has_access("read"), "their own, as in Odoo")
        # on the portal, a salesperson is nobody's affair
        invoice.invoice_user_id = False
        self.env.invalidate_all()
        self.assertTrue(invoice.with_user(self.member_user).has_access("read"))

    # ------------------------------------------------------------------
    # Names
    # ------------------------------------------------------------------

    @mute_logger(*LOGGERS)
    def test_properties_name_no_message(self):
        """Whoever sets up properties (of tasks, of products) names any message by one: Odoo showed
        its subject, and exported all of it."""
        message = self.renewal.sudo().message_post(body="Ours", subject="Your payment failed")
        category = self.env_root["product.category"].create(
            {
                "name": "x",
                "product_properties_definition": [
                    {
                        "name": "told",
                        "string": "Told",
                        "type": "many2one",
                        "comodel": "mail.message",
                    }
                ],
            }
        )
        product = self.env_root["product.template"].create(
            {"name": "x", "categ_id": category.id, "product_properties": {"told": message.id}}
        )
        self.employee.sudo().group_ids += self.env.ref("base.group_allow_export")
        for user, may in ((self.employee, False), (self.auditor, True), (self.officer, True)):
            self.env.invalidate_all()
            with self.subTest(user=user.login):
                own = product.with_user(user)
                [told] = own.read(["product_properties"])[0]["product_properties"]
                self.assertEqual(told["value"][1], message.subject if may else False)
                shown = own.env["mail.message"].browse(message.id)
                self.assertEqual(shown.sudo().display_name, message.subject)
                self.assertEqual(bool(shown.display_name), may)
        self.env.invalidate_all()
        for path in ("body", "subject", "email_from"):
            with self.subTest(path=path), self.assertRaises(AccessError):
                product.with_user(self.employee).export_data([f"product_properties.told/{path}"])
        rows = product.with_user(self.officer).export_data(["product_properties.told/subject"])
        self.assertEqual(rows["datas"], [[message.subject]])

    @mute_logger(*LOGGERS)
    def test_records_are_no_files_of_others(self):
        """A document of a product is the file that it names: whoever makes some read the statements
        that wait in the emails of others."""
        file = (
            self.env["ir.attachment"]
            .with_user(self.officer)
            .create({"name": "x.pdf", "raw": b"x", "res_model": "mail.compose.message"})
        )
        self.employee.sudo().group_ids += self.env.ref("product.group_product_manager")
        documents = self.env["product.document"].with_user(self.employee)
        with self.assertRaises(AccessError):
            documents.create({"ir_attachment_id": file.id})
        product = self.env["product.template"].search([], limit=1)
        own = documents.create(
            {"name": "y.pdf", "raw": b"y", "res_model": product._name, "res_id": product.id}
        )
        with self.assertRaises(AccessError):
            own.write({"ir_attachment_id": file.id})
        self.assertEqual(own.raw, b"y")

    @mute_logger(*LOGGERS)
    def test_emails_carry_no_files_of_others(self):
        """Odoo makes the email of a template in sudo, with the values that a client gives: any
        employee sent any file of the database to any address."""
        notice = self.renewal.sudo().message_ids.attachment_ids[:1]
        message = self.renewal.sudo().message_ids[:1]
        own = (
            self.env["ir.attachment"]
            .with_user(self.employee)
            .create({"name": "y", "raw": b"y", "res_model": "mail.compose.message"})
        )
        template = self.env.ref("auth_signup.mail_template_user_signup_account_created")
        templates = template.with_user(self.employee)
        for values in (
            {"attachment_ids": [Command.link(notice.id)]},
            {"attachment_ids": [Command.set(notice.ids)]},
            {"attachment_ids": notice.ids},
            {"unrestricted_attachment_ids": [Command.link(notice.id)]},
            {"mail_message_id": message.id},
            {"model": self.renewal._name, "res_id": self.renewal.id},
            {"membri_kind": "notice"},
        ):
            for method, ids in (
                ("send_mail", self.employee.id),
                ("send_mail_batch", self.employee.ids),
            ):
                with self.subTest(values=values, method=method), self.assertRaises(UserError):
                    args = [template.id, ids]
                    call_kw(templates, method, args, {"email_values": values})
        values = {"email_to": "x@example.com", "attachment_ids": [Command.link(own.id)]}
        mail = templates.send_mail(self.employee.id, email_values=values)
        self.assertEqual(self.env["mail.mail"].sudo().browse(mail).attachment_ids, own.sudo())

    # ------------------------------------------------------------------
    # Invoices of others
    # ------------------------------------------------------------------

    @mute_logger(*LOGGERS)
    def test_who_reads_own_invoices_gets_no_statement(self):
        """Odoo's sales people read some invoices: the statement, which is whole, told of all."""
        payer = self.invoice.sudo().partner_id
        self.assertTrue(self.seller.has_group("base.group_user"))
        self.assertTrue(self.env["account.move"].with_user(self.seller).has_access("read"))
        for records in (payer.with_user(self.seller), payer.with_user(self.seller).sudo()):
            with self.subTest(su=records.env.su), self.assertRaises(AccessError):
                records._membri_get_statement_moves()
        auditors = payer.with_user(self.auditor)
        self.assertEqual(auditors._membri_get_statement_moves(), self.invoice.sudo())
        self.invoice.sudo().invoice_user_id = self.seller
        self.assertEqual(
            payer.with_user(self.seller)._membri_get_statement_moves(), self.invoice.sudo()
        )
        # who purchases writes vendor bills: of an auditor who does, anybody got the statement
        group = self._create_group_of_sellers()
        group.model_access.perm_write = True
        self.auditor.sudo().group_ids += group
        template = self.env.ref("membri_renewal.mail_template_statement").with_user(self.auditor)
        self.assertTrue(self.env["account.move"].with_user(self.auditor).has_access("write"))
        for send in (
            lambda: template.send_mail(payer.id),
            auditors.action_membri_send_statement,
        ):
            with self.assertRaises(AccessError):
                send()

    @mute_logger(*LOGGERS)
    def test_who_reads_own_invoices_gets_no_notification_of_others(self):
        """Subjects and recipients of what is sent about invoices are for who reads these."""
        message = self.invoice.sudo().message_post(
            body="x", subject="Pay", partner_ids=self.stranger.ids
        )
        told = Domain("mail_message_id", "=", message.id)
        own = self.env["mail.notification"].with_user(self.seller)
        self.assertFalse(own.search(told))
        self.assertTrue(own.with_user(self.auditor).search(told))
        self.invoice.sudo().invoice_user_id = self.seller
        self.env.flush_all()
        self.assertTrue(own.search(told))

    # ------------------------------------------------------------------
    # Odoo's other applications, where they are installed
    # ------------------------------------------------------------------

    def test_members_follow_nothing_in_sudo(self):
        """A route of Odoo's website subscribes whoever may read a record, in sudo."""
        for record in (self.renewal, self.member):
            own = record.with_user(self.member_user).sudo()
            own.message_subscribe(self.member.ids)
            self.assertNotIn(self.member, record.sudo().message_partner_ids)
            # the officer is to do what the member has asked for, and hears of the answers
            own.activity_schedule("mail.mail_activity_data_todo", user_id=self.officer.id)
            self.assertIn(self.officer.partner_id, record.sudo().message_partner_ids)

    def test_conditions_that_lead_to_memberships(self):
        for model, domain, leads in (
            ("res.partner", [("name", "=", "x")], False),
            ("res.partner", [("category_id.name", "=", "x")], False),
            ("res.partner", [("membri_status", "=", "active")], True),
            ("res.partner", [("membri_renewal_ids.access_token", "=like", "a%")], True),
            ("res.partner", [("parent_id", "any", [("membri_cotisation_ids", "!=", False)])], True),
            ("res.partner", [("user_ids.partner_id.message_ids.body", "ilike", "x")], True),
            ("res.partner", [("invoice_ids.amount_total", ">", 5)], True),
            ("res.users", [("membri_status", "=", "active")], True),
            ("res.users", [("login", "=", "x")], False),
            ("account.move", [], True),
            ("membri.renewal", [], True),
            ("mail.message", [("body", "ilike", "x")], True),
        ):
            with self.subTest(model=model, domain=domain):
                found = leads_to_memberships(self.env[model], Domain(domain))
                self.assertEqual(found, leads)


@tagged("post_install", "-at_install", "-standard", "membri_applications")
class TestDoorsOfApplications(PortalCase):
    """The same where these applications are: ``./dev test`` installs them after all other tests
    (crm, event_crm, hr, hr_expense, mail_group, mass_mailing)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.renewal = cls._create_renewal(cls._create_cotisation(cls.member, "2026-01-01"))
        cls.renewal.action_send()

    @mute_logger(*LOGGERS)
    def test_mailings_ask_with_the_rights_of_their_responsible(self):
        """Odoo's scheduler asks who receives a mailing as the system: who sends mailings, and reads
        no memberships, read the key of any renewal by who had received which of them."""
        group = self.env.ref("mass_mailing.group_mass_mailing_user")
        (self.employee | self.auditor).sudo().write({"group_ids": [Command.link(group.id)]})
        common = {
            "subject": "x",
            "body_html": "x",
            "mailing_model_id": self.env["ir.model"].sudo()._get_id("res.partner"),
        }
        key = f"{self.renewal.access_token[0]}%"
        secret = [("membri_renewal_ids.access_token", "=like", key)]
        ours = [("membri_renewal_ids.state", "=", "sent")]
        mailings = self.env["mailing.mailing"]
        for user, domain in (
            (self.employee, secret),
            (self.employee, ours),
            (self.auditor, secret),
        ):
            vals = {**common, "mailing_domain": repr(domain)}
            with self.subTest(user=user.login, domain=domain):
                with self.assertRaises(AccessError):
                    call_kw(mailings.with_user(user), "create", [vals], {})
                plain = mailings.with_user(user).create(
                    {**common, "mailing_domain": repr([("id", "=", self.member.id)])}
                )
                with self.assertRaises(AccessError):
                    plain.write({"mailing_domain": repr(domain)})
        mailing = mailings.with_user(self.auditor).create({**common, "mailing_domain": repr(ours)})
        self.assertEqual(literal_eval(mailing.mailing_domain), ours)
        with self.assertRaises(UserError):
            mailing.write({"user_id": self.officer.id})
        with self.assertRaises(AccessError):
            mailing.with_user(self.employee).write({"user_id": self.employee.id})
        self.assertIn(self.member.id, mailing.sudo()._get_recipients())
        # who is responsible, and reads them no more
        mailing.sudo().user_id = self.employee
        self.assertFalse(mailing.sudo()._get_recipients())
        # a team, to which the scheduler assigns leads
        self.employee.sudo().group_ids += self.env.ref("sales_team.group_sale_manager")
        path = "partner_id.membri_renewal_ids.access_token"
        teams = self.env["crm.team"].with_user(self.employee)
        with self.assertRaises(AccessError):
            teams.create({"name": "x", "assignment_domain": repr([(path, "=like", key)])})
        # a lead of each registration that meets a condition, which visitors register by themselves
        self.employee.sudo().group_ids += self.env.ref("event.group_event_manager")
        rules = self.env["event.lead.rule"].with_user(self.employee)
        condition = "event_registration_filter"
        with self.assertRaises(AccessError):
            rules.create({"name": "x", condition: repr([(path, "=like", key)])})
        rule = rules.create({"name": "x", condition: repr([("partner_id.name", "=", "x")])})
        with self.assertRaises(AccessError):
            rule.write({condition: repr([(path, "=like", key)])})

    @mute_logger(*LOGGERS)
    def test_kept_templates_are_not_about_memberships(self):
        """Odoo renders the template of a reminder as the system, for the record that has the number
        of an attendee: any employee read what any member was sent."""
        alarms = self.env["calendar.alarm"].with_user(self.employee)
        vals = {"name": "x", "alarm_type": "email", "duration": 1, "interval": "hours"}
        kept = alarms.create(vals)
        own = kept.mail_template_id
        self.assertEqual(own.model, "calendar.attendee")
        ours = self.env["mail.template"].sudo()
        for name in ("notice", "invoice", "statement"):
            ours += self.env.ref(f"membri_renewal.mail_template_{name}").sudo()
        self.assertEqual(len(set(ours.mapped("model"))), 3)
        for user in (self.employee, self.auditor, self.officer):
            for template in ours:
                with self.subTest(user=user.login, template=template.name):
                    for number in (template.id, str(template.id)):
                        with self.assertRaises(AccessError):
                            alarms.with_user(user).create({**vals, "mail_template_id": number})
                        with self.assertRaises(AccessError):
                            kept.with_user(user).write({"mail_template_id": number})
                    # nor does one that is kept become one
                    mine = self.env["mail.template"].with_user(user)
                    mine = mine.create(
                        {"name": "x", "model_id": self.env["ir.model"]._get_id("res.users")}
                    )
                    for change in (
                        {"model_id": template.model_id.id},
                        {"model": template.model},
                    ):
                        with self.assertRaises(AccessError):
                            mine.write(change)
        self.assertEqual(kept.mail_template_id, own)
        kept.write({"mail_template_id": own.id})
        self.employee.sudo().group_ids += self.env.ref("event.group_event_manager")
        event_type = self.env["event.type"].with_user(self.employee).create({"name": "x"})
        for template in ours:
            # Odoo's own has a space
            for about in (f"mail.template,{template.id}", f"mail.template, {template.id}"):
                with self.assertRaises(AccessError):
                    self.env["event.type.mail"].with_user(self.employee).create(
                        {"event_type_id": event_type.id, "template_ref": about}
                    )

    @mute_logger(*LOGGERS)
    def test_expenses_name_no_membership_invoice(self):
        """Whoever approves expenses reads the invoices of expenses, and what is due on one shows in
        the form of any employee's expense."""
        self.renewal.action_approve()
        invoice = self.renewal.invoice_id
        self.employee.sudo().group_ids += self.env.ref("hr_expense.group_hr_expense_team_approver")
        employee = self.env_root["hr.employee"].create(
            {"name": "x", "user_id": self.employee.id, "company_id": self.company.id}
        )
        expenses = self.env["hr.expense"].with_user(self.employee)
        vals = {"name": "x", "employee_id": employee.id, "total_amount_currency": 5.0}
        with self.assertRaises(AccessError):
            expenses.create({**vals, "account_move_id": invoice.id})
        with self.assertRaises(AccessError):
            expenses.create(vals).write({"account_move_id": invoice.id})
        self.assertFalse(invoice.with_user(self.employee).has_access("read"))
        with self.assertRaises(AccessError):
            expenses.onchange(
                {"account_move_id": invoice.id}, ["account_move_id"], {"amount_residual": {}}
            )

    @mute_logger(*LOGGERS)
    def test_employees_write_no_contact_of_a_member(self):
        """Odoo's employees: their work address is written on the contact that they name, in sudo.
        The notices of any member went to an address of whoever edits employees."""
        self.employee.sudo().group_ids += self.env.ref("hr.group_hr_user")
        employees = self.env["hr.employee"].with_user(self.employee)
        employee = employees.create({"name": "x", "work_email": "x@example.com"})
        before = self.member.sudo().email
        account = self.env_root["res.partner.bank"].create(
            {"acc_number": "12345", "partner_id": self.member.id}
        )
        for vals in (
            {"work_contact_id": self.member.id},
            {"work_contact_id": self.member.id, "work_email": "mine@example.com"},
            {"user_id": self.member_user.id},
            {"bank_account_ids": [Command.link(account.id)]},
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                employee.write(vals)
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                employees.create({"name": "x", **vals})
        self.assertEqual(self.member.sudo().email, before)
        # one of the staff, and an address of their own
        employee.write({"work_email": "y@example.com"})
        employee.write({"user_id": self.auditor.id})
        self.assertEqual(employee.work_contact_id, self.auditor.partner_id)

    @mute_logger(*LOGGERS)
    def test_mailing_lists_publish_no_files_of_others(self):
        """Odoo's mailing lists make their messages in sudo: any employee had any file of the
        database published on a page of theirs, and changed it."""
        file = self.env_root["ir.attachment"].create(
            {"name": "x", "res_model": "membri.renewal", "res_id": self.renewal.id}
        )
        own = self.env["ir.attachment"].with_user(self.employee).create({"name": "x"})
        group = self.env["mail.group"].with_user(self.employee)
        group = group.create({"name": "x", "moderator_ids": self.employee.ids})
        messages = self.env["mail.group.message"].with_user(self.employee)
        vals = {"mail_group_id": group.id, "subject": "x", "moderation_status": "accepted"}
        for command in (Command.link(file.id), Command.update(file.id, {"public": True})):
            with self.subTest(command=command), self.assertRaises(AccessError):
                call_kw(messages, "create", [{**vals, "attachment_ids": [command]}], {})
        self.assertFalse(file.public)
        message = messages.create({**vals, "attachment_ids": [Command.link(own.id)]})
        self.assertEqual(message.sudo().attachment_ids, own.sudo())

    def test_resellers_write_no_contact_of_a_member(self):
        """Odoo's website has a lead written in sudo by the visitor that it is assigned to, and the
        lead writes the email and the phone of its customer."""
        before = (self.member.sudo().email, self.member.sudo().phone)
        lead = self.env_root["crm.lead"].create({"name": "x", "partner_id": self.member.id})
        typed = {"email_from": "typed@example.com", "phone": "+1 999"}
        lead.with_user(self.stranger_user).sudo().write(typed)
        self.assertEqual(lead.email_from, "typed@example.com")
        self.assertEqual((self.member.sudo().email, self.member.sudo().phone), before)

    @mute_logger(*LOGGERS)
    def test_addresses_of_teams_keep_no_values_for_other_records(self):
        """An email to the address of a team makes a lead as the system, with values that who
        manages the team keeps: by its lines they changed whatever record they named."""
        self.employee.sudo().group_ids += self.env.ref("sales_team.group_sale_manager")
        team = self.env["crm.team"].with_user(self.employee).create({"name": "x"})
        notes = self.renewal.sudo().message_ids
        for defaults in (
            {"message_ids": [(1, notes[:1].id, {"model": "crm.lead", "res_id": 1})]},
            {"tag_ids": [(0, 0, {"name": "x"})]},
        ):
            with self.subTest(defaults=defaults), self.assertRaises(AccessError):
                team.write({"alias_defaults": repr(defaults)})
        tag = self.env_root["crm.tag"].create({"name": "x"})
        team.write({"alias_defaults": repr({"tag_ids": [(4, tag.id)]})})
        self.assertIn("tag_ids", team.alias_defaults)
