from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

# records of Odoo's own models on which the officer is asked (``_membri_ask_officer``)
ASKED_ON = {
    "account.move": ("membri_invoice_type", "!=", False),
    "res.partner": ("membri_cotisation_ids", "!=", False),
}


class ResUsers(models.Model):
    """An officer who leaves hands over: nothing waits for somebody who does not come back."""

    _inherit = "res.users"

    def write(self, vals):
        # EXTENDS base: an officer who is archived, or who may not work in a company any more
        leaving = self.filtered("active") if not vals.get("active", True) else self.browse()
        staff = self & self._membri_get_staff() if "group_ids" in vals else self.browse()
        result = super().write(vals)
        leaving._membri_hand_over()
        if staff:
            (staff - self._membri_get_staff())._membri_leave_memberships()
        if "company_ids" in vals:
            self._membri_leave_companies()
        return result

    def action_archive(self):
        # EXTENDS mail: which deletes the activities of who is archived
        self.check_access("write")
        self.filtered("active")._membri_hand_over()
        return super().action_archive()

    def unlink(self):
        # EXTENDS base: the activities of who is deleted are deleted with the user
        self.check_access("unlink")
        self._membri_hand_over()
        return super().unlink()

    @api.depends_context("uid")
    def _compute_display_name(self):
        # EXTENDS base: a login is named after its contact, in sudo; by Odoo's routes that name the
        # record of an address (previews of links, breadcrumbs) any login read the names of all.
        # Employees are named on Odoo's pages, as who answers for a course
        readable = self
        if not self.env.su:
            # sudo: which of them are employees
            employees = self.filtered(lambda user: not user.sudo().share)
            readable = employees | self._filtered_access("read")
        (self - readable).display_name = False
        return super(ResUsers, readable)._compute_display_name()

    def _membri_get_followed_rule(self):
        """The followers of records of ours that this user may read, and of all others, for the
        record rule: ``Domain``"""
        user_id = self.id

        def to_sql(model, alias, query):
            res_model = model._field_to_sql(alias, "res_model", query)
            res_id = model._field_to_sql(alias, "res_id", query)
            parts = [SQL("%s NOT LIKE %s", res_model, "membri.%")]
            for name in model.pool.descendants(["mail.thread"], "_inherit"):
                if not name.startswith("membri."):
                    continue
                records = model.env[name].with_user(user_id).with_context(active_test=False)
                if not records._abstract and records.has_access("read"):
                    found = records._search(Domain.TRUE).subselect()
                    parts.append(SQL("(%s = %s AND %s IN %s)", res_model, name, res_id, found))
            return SQL("(%s)", SQL(" OR ").join(parts))

        return Domain.custom(to_sql=to_sql)

    def _membri_get_message_rule(self):
        """The messages that this user wrote or was sent, those on records that this user may read,
        and all that are about nothing of ours, for the record rule: ``Domain``. Odoo picks these
        from what a search has found, and so long as it was no more than its limit: by one of their
        own behind it everybody asked whether there is any other message that says so."""
        user_id, partner_id = self.id, self.partner_id.id

        def get_own(model, alias, query):
            yield SQL("%s = %s", model._field_to_sql(alias, "create_uid", query), user_id)
            yield SQL("%s = %s", model._field_to_sql(alias, "author_id", query), partner_id)
            told = model.env["mail.notification"]._fields["res_partner_id"]
            for table, field in (
                ("mail_message_res_partner_rel", model._fields["partner_ids"]),
                ("mail_notification", told),
            ):
                yield SQL(
                    "EXISTS (SELECT 1 FROM %s WHERE %s = %s AND %s = %s)",
                    SQL.identifier(table),
                    SQL.identifier(table, "mail_message_id"),
                    SQL.identifier(alias, "id"),
                    SQL.identifier(table, "res_partner_id", to_flush=field),
                    partner_id,
                )

        return self._membri_get_about_rule("model", get_own)

    def _membri_get_scheduled_rule(self):
        """The same of messages that are to be sent later: ``Domain``"""
        user_id = self.id

        def get_own(model, alias, query):
            yield SQL("%s = %s", model._field_to_sql(alias, "create_uid", query), user_id)

        return self._membri_get_about_rule("model", get_own)

    def _membri_get_activity_rule(self):
        """The same of activities: ``Domain``"""
        user_id = self.id

        def get_own(model, alias, query):
            yield SQL("%s = %s", model._field_to_sql(alias, "user_id", query), user_id)

        return self._membri_get_about_rule("res_model", get_own)

    def _membri_get_file_rule(self):
        """The same of files, whatever their fields are, for searches: ``Domain``"""
        user_id = self.id

        def get_own(model, alias, query):
            yield model._field_to_sql(alias, "public", query)
            yield SQL("%s = %s", model._field_to_sql(alias, "create_uid", query), user_id)

        return self._membri_get_about_rule("res_model", get_own)

    def _membri_get_salesperson_rule(self):
        """What this user may see of entries by the rules of Odoo's sales, which show invoices of
        nobody to those who see their own only: of memberships none of these, for record rules and
        for whoever reads memberships, too (:meth:`account.move._membri_get_read_otherwise`)"""
        sees_all = (
            "account.group_account_invoice,account.group_account_readonly,"
            "sales_team.group_sale_salesman_all_leads"
        )
        if self.has_groups(sees_all):
            return Domain.TRUE
        return Domain("membri_invoice_type", "=", False) | Domain("invoice_user_id", "!=", False)

    def _membri_get_about_rule(self, model_field, get_own):
        """:param model_field: which names the model of the record that something is about
        :param get_own: function of a model, its alias and a query; gives conditions of SQL, each of
            which is enough
        :return: for the record rule: ``Domain``"""
        user_id, is_visitor = self.id, self.share

        def to_sql(model, alias, query):
            about = model._field_to_sql(alias, model_field, query)
            res_id = model._field_to_sql(alias, "res_id", query)
            known = ("account.move", "res.partner") if is_visitor else ("account.move",)
            parts = [
                SQL("%s IS NULL", about),
                SQL("(%s NOT LIKE %s AND %s NOT IN %s)", about, "membri.%", about, known),
                *get_own(model, alias, query),
            ]
            for name in model.pool.descendants(["mail.thread"], "_inherit"):
                if name != "account.move" and (is_visitor or not name.startswith("membri.")):
                    continue
                records = model.env[name].with_user(user_id).with_context(active_test=False)
                if records._abstract or not records.has_access("read"):
                    continue
                found = records._search(Domain.TRUE)
                if found.is_empty():
                    continue
                found.add_where(SQL("%s = %s", SQL.identifier(found.table, "id"), res_id))
                parts.append(SQL("(%s = %s AND EXISTS %s)", about, name, found.subselect()))
            return SQL("(%s)", SQL(" OR ").join(parts))

        return Domain.custom(to_sql=to_sql)

    def _membri_hand_over(self):
        """Open renewals and our activities go to whom the company names; what is sent from now
        on asks ``membri.renewal._get_officer`` anyway."""
        leaving = self.filtered(lambda user: not user.share)
        if not leaving:
            return
        # sudo: who archives users need not be allowed to edit renewals; in every company
        renewals_sudo = (
            self.env["membri.renewal"]
            .sudo()
            .search([("user_id", "in", leaving.ids), ("is_open", "=", True)])
        )
        leaving._membri_hand_over_these(renewals_sudo, leaving._membri_find_activities())

    @api.model
    def _membri_get_staff(self):
        """:return: the users who may look at memberships"""
        group = self.env.ref("membri_renewal.group_membri_readonly", raise_if_not_found=False)
        if not group:  # while the add-on is installed
            return self.browse()
        # sudo: who is in which group is not for everyone to read
        return group.sudo().all_user_ids.with_env(self.env)

    def _membri_leave_memberships(self):
        """They are in use, but may not look at memberships any more."""
        if not self:
            return
        # sudo: as below
        Company_sudo = self.env["res.company"].sudo()
        Company_sudo.search([("membri_officer_id", "in", self.ids)]).membri_officer_id = False
        renewals_sudo = (
            self.env["membri.renewal"]
            .sudo()
            .search([("user_id", "in", self.ids), ("is_open", "=", True)])
        )
        self._membri_hand_over_these(renewals_sudo, self._membri_find_activities())

    def _membri_leave_companies(self):
        """What these users have in companies in which they may not work any more is somebody
        else's, who may."""
        staff = self.filtered(lambda user: user.active and not user.share)
        if not staff:
            return

        def is_out_of_reach(user, company):
            return user in staff and company not in user.company_ids

        # sudo: as above
        for company in (
            self.env["res.company"].sudo().search([("membri_officer_id", "in", staff.ids)])
        ):
            if is_out_of_reach(company.membri_officer_id, company):
                company.membri_officer_id = False
        renewals_sudo = (
            self.env["membri.renewal"]
            .sudo()
            .search([("user_id", "in", staff.ids), ("is_open", "=", True)])
        )
        staff._membri_hand_over_these(
            renewals_sudo.filtered(lambda r: is_out_of_reach(r.user_id, r.company_id)),
            staff._membri_find_activities().filtered(
                lambda activity: is_out_of_reach(activity.user_id, activity._membri_get_company())
            ),
        )

    def _membri_find_activities(self):
        """:return: the activities of these users (in sudo) that are about memberships"""
        # sudo: activities are handed over, whoever may see what they are about
        return (
            self.env["mail.activity"]
            .sudo()
            .search(Domain("user_id", "in", self.ids) & self._membri_get_activity_domain())
        )

    def _membri_hand_over_these(self, renewals_sudo, activities_sudo):
        for company, renewals in renewals_sudo.grouped("company_id").items():
            officer = company._membri_get_officer() - self
            renewals._internal_write({"user_id": officer.id})
        for company, activities in activities_sudo.grouped(
            lambda activity: activity._membri_get_company()
        ).items():
            if assignee := company._membri_get_assignee(but=self):
                activities.write({"user_id": assignee.id})

    def _membri_get_activity_domain(self):
        """What is about memberships: activities of our types, on our records, and what the officer
        is asked on an invoice or a member.

        :return: the domain of those of these users"""
        # sudo: external identifiers are the administrator's
        types_sudo = (
            self.env["ir.model.data"]
            .sudo()
            .search([("module", "=", "membri_renewal"), ("model", "=", "mail.activity.type")])
        )
        domain = Domain("res_model", "=like", "membri.%") | Domain(
            "activity_type_id", "in", types_sudo.mapped("res_id")
        )
        for model, condition in ASKED_ON.items():
            # sudo: activities are handed over, whoever may see what they are about
            on_model_sudo = (
                self.env["mail.activity"]
                .sudo()
                .search([("user_id", "in", self.ids), ("res_model", "=", model)])
            )
            records_sudo = (
                self.env[model]
                .sudo()
                .with_context(active_test=False)
                .search([("id", "in", on_model_sudo.mapped("res_id")), condition])
            )
            domain |= Domain("res_model", "=", model) & Domain("res_id", "in", records_sudo.ids)
        return domain


class ResGroups(models.Model):
    _inherit = "res.groups"

    def write(self, vals):
        # EXTENDS base: who is taken out of a group of ours, or of one that implies it
        if not {"user_ids", "implied_ids", "implied_by_ids"} & vals.keys():
            return super().write(vals)
        Users = self.env["res.users"]
        before = Users._membri_get_staff()
        result = super().write(vals)
        (before - Users._membri_get_staff())._membri_leave_memberships()
        return result


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def _membri_get_company(self):
        """Return the company that the record of this activity belongs to, else that of the
        user who has it."""
        self.ensure_one()
        record = self.env[self.res_model].browse(self.res_id)
        company = record.company_id if "company_id" in record._fields else None
        return company or self.user_id.company_id
