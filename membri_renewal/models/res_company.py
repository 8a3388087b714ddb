from datetime import datetime, time, timedelta

import pytz
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from .mixins.delays import check_delays


class ResCompany(models.Model):
    """The settings of memberships: the staff's. Portal users read their company; what these
    settings decide for them is asked in sudo, here."""

    _name = "res.company"
    _inherit = ["res.company", "membri.fields.mixin"]

    membri_tz = fields.Selection(
        lambda self: [(tz, tz) for tz in sorted(pytz.all_timezones)],
        string="Membership Timezone",
        required=True,
        default=lambda self: self.env.user.tz or "UTC",
        help="Terms begin and end at midnight in this time zone.",
    )
    membri_go_live = fields.Date(
        string="Go-Live Date",
        help="Imported terms that ended before this date are never renewed.",
    )
    membri_test_notice_date = fields.Datetime(
        string="Test Notice Sent On",
        readonly=True,
        help="Last time someone sent themselves a notice to check it.",
    )
    membri_officer_id = fields.Many2one(
        "res.users",
        string="Membership Officer",
        domain=[("share", "=", False)],
        help="Signs the notices, and receives replies and activities.",
    )
    membri_no_answer_days = fields.Integer(string="No Reply After (days)", default=7)
    membri_no_answer_months = fields.Integer(string="Likely Lost After (months)", default=6)
    membri_invoice_dating = fields.Selection(
        [("approval", "Approval Date"), ("term", "First Day of the Term")],
        string="Invoice Date",
        default="approval",
        required=True,
        help="Sets the fiscal year of invoices approved before the term begins. Once it has "
        "begun, the approval date is used.",
    )
    membri_check_payee = fields.Char(
        string="Checks Payable To",
        help="Printed on membership invoices. Default: the name of the company.",
    )
    membri_check_address = fields.Text(
        string="Address for Checks",
        help="Address to which checks are mailed. Default: the address of the company.",
    )
    membri_payment_confirmation = fields.Boolean(
        string="Confirm Payments by Email",
        default=True,
        help="When a membership invoice is paid, the payer receives the receipt by email.",
    )
    membri_write_off_share = fields.Float(
        string="Write-Offs Without Confirmation (%)",
        default=5.0,
        help="When more than this share of a membership invoice is written off, the membership "
        "officer decides whether the membership is kept.",
    )
    membri_portal_decline = fields.Boolean(string="Members Can Decline on the Portal")
    membri_portal_call = fields.Boolean(
        string="Offer a Call Before Members Decline",
        default=True,
        help="Members who are about to decline can ask for a call instead. The renewal is then "
        "flagged for intervention.",
    )
    membri_report_hold_days = fields.Integer(
        string="Pause Reminders After a Reported Payment (days)",
        default=10,
        help="Number of days without automatic reminders after a member reports a payment.",
    )
    membri_payment_user_id = fields.Many2one(
        "res.users",
        string="Reported Payments Handled By",
        domain=[("share", "=", False)],
        help="Leave empty to use the membership officer.",
    )
    membri_signatory = fields.Char(
        string="Certificates Signed By",
        translate=True,
        help="Name and title below a membership certificate. Leave empty to use the membership "
        "officer.",
    )
    membri_signature = fields.Image(
        string="Signature",
        max_width=600,
        max_height=200,
        help="Printed above the name. Leave empty to sign by hand.",
    )
    membri_fee_notice = fields.Boolean(
        string="Fee Notices",
        help="Approvals and enrollments send a fee notice, which has its own number. The "
        "invoice is created, numbered and sent when the fee notice is paid.",
    )
    membri_receipt_sequence_id = fields.Many2one(
        "ir.sequence", string="Receipt Numbers", copy=False, readonly=True
    )
    membri_fee_notice_sequence_id = fields.Many2one(
        "ir.sequence", string="Fee Notice Numbers", copy=False, readonly=True
    )

    _membri_hold_positive = models.Constraint(
        "CHECK (membri_report_hold_days >= 0)",
        "The pause cannot be negative.",
    )

    _membri_no_answer_positive = models.Constraint(
        "CHECK (membri_no_answer_days >= 0 AND membri_no_answer_months >= 0)",
        "The delays of the dashboards cannot be negative.",
    )

    _membri_write_off_share_range = models.Constraint(
        "CHECK (membri_write_off_share BETWEEN 0 AND 100)",
        "The write-off share must be between 0 and 100%.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS base: a branch without a logo shows its parent's, not Odoo's placeholder
        for vals in vals_list:
            if parent := self.browse(vals.get("parent_id")):
                # sudo: the logo of the parent, which all of its people see
                vals["logo"] = vals.get("logo") or parent.sudo().logo
        return super().create(vals_list)

    @api.constrains("membri_no_answer_days", "membri_no_answer_months", "membri_report_hold_days")
    def _check_membri_delays(self):
        check_delays(
            self, "membri_no_answer_days", "membri_no_answer_months", "membri_report_hold_days"
        )

    @api.constrains("membri_officer_id", "membri_payment_user_id")
    def _check_membri_users(self):
        for company in self:
            officer = company.membri_officer_id
            if officer and company not in officer.company_ids:
                raise ValidationError(
                    self.env._(
                        "%(officer)s cannot be the membership officer of %(company)s "
                        "without access to this company. Give this user access first.",
                        officer=officer.name,
                        company=company.name,
                    )
                )
            user = company.membri_payment_user_id
            if user and company not in user.company_ids:
                raise ValidationError(
                    self.env._(
                        "%(user)s cannot handle the reported payments of %(company)s "
                        "without access to this company. Give this user access first.",
                        user=user.name,
                        company=company.name,
                    )
                )

    def _membri_get_officer(self):
        """The ``res.users`` who signs and receives the replies: nobody when there is
        none, or when the officer has left"""
        self.ensure_one()
        # sudo: settings are the staff's
        return self.sudo().membri_officer_id.filtered("active").with_env(self.env)

    def _membri_get_assignee(self, but=None):
        """:param but: ``res.users`` who are about to leave
        :return: the ``res.users`` who gets the activities: the officer, else a manager of
            memberships who may work in this company"""
        self.ensure_one()
        leaving = but or self.env["res.users"]
        if officer := self._membri_get_officer() - leaving:
            return officer
        # sudo: who is in which group is not for everyone to read
        managers_sudo = self.env.ref("membri_renewal.group_membri_manager").sudo().all_user_ids
        able_sudo = managers_sudo.filtered(
            lambda user: user.active and not user.share and self.sudo() in user.company_ids
        )
        return (
            (able_sudo - leaving).sorted(lambda user: (user._is_system(), user.id))[:1]
        ).with_env(self.env)

    def _membri_get_staff_lang(self):
        """:return: the language of what is kept for the staff"""
        self.ensure_one()
        company_sudo = self.sudo()  # sudo: settings are the staff's
        return company_sudo._membri_get_officer().lang or company_sudo.partner_id.lang

    @api.model
    def _membri_get_all(self):
        """:return: the companies that manage memberships, in sudo: the night looks at all"""
        companies_sudo = self.env["res.company"].sudo().with_context(active_test=False)
        query = companies_sudo._search(Domain.TRUE, order="id")
        names = ("parent_path", "active")
        path, active = (companies_sudo._field_to_sql(query.table, n, query) for n in names)
        # branches work with the plans of their parents
        query.add_where(
            SQL(
                "EXISTS (SELECT FROM membri_option_set plan"
                " JOIN res_company owner ON owner.id = plan.company_id"
                " WHERE owner.id = %(id)s"
                " OR (%(active)s AND starts_with(%(path)s, owner.parent_path)))",
                id=SQL.identifier(query.table, "id"),
                active=active,
                path=path,
                to_flush=self.env["membri.option.set"]._fields["company_id"],
            )
        )
        # what the three nightly runs ask of a company
        asked = ("active", "parent_path", "membri_tz", "membri_go_live")
        fields_to_fetch = [companies_sudo._fields[name] for name in asked]
        return companies_sudo._fetch_query(query, fields_to_fetch).with_env(self.sudo().env)

    @api.model
    def _membri_get_days_sql(self):
        """Each company's own day, for the queries of reports: the database knows neither it nor
        a day that a test has frozen.

        :return: rows ``(company, day)``, as SQL"""
        # sudo: of all companies; the rules say which rows are shown
        companies_sudo = self.sudo().search(Domain.TRUE)
        return SQL(", ").join(
            SQL("(%s, %s::date)", company.id, company._membri_today()) for company in companies_sudo
        )

    def _membri_get_sale_journals_sudo(self):
        """The journals that this company sells on: a branch, on those of its parents.
        In sudo: they are the accountants'; whether there are any is no secret"""
        self.ensure_one()
        Journal_sudo = self.env["account.journal"].sudo()
        return Journal_sudo.search(
            [*Journal_sudo._check_company_domain(self), ("type", "=", "sale")]
        )

    @api.model
    def _membri_share_logos(self):
        """Branches that were there before show the logo of their parents, too. Called with each
        update."""
        # sudo: the update's own
        branches_sudo = self.sudo().search(
            [("parent_id", "!=", False), ("uses_default_logo", "=", True)], order="parent_path"
        )
        for branch in branches_sudo:  # from above
            if not branch.parent_id.uses_default_logo:
                branch.logo = branch.parent_id.logo

    @api.model
    def _membri_get_logo_followers(self, partners):
        """:param partners: contacts that are about to get another image, which is the logo of a
            company
        :return: ``{contact: those (in sudo) of the branches that show it, having none of their
            own}``"""
        # sudo: the logo is one for all who see it
        Company_sudo = self.sudo().with_context(active_test=False)
        companies = Company_sudo.search(
            [("partner_id", "in", partners.ids), ("child_ids", "!=", False)]
        )
        return {
            company.partner_id: company.child_ids.filtered(
                lambda branch, logo=company.partner_id.image_1920: (
                    branch.uses_default_logo or branch.partner_id.image_1920 == logo
                )
            ).partner_id
            for company in companies
        }

    def _membri_today(self):
        """:return: the civil day in the company's own timezone, as a ``date``"""
        self.ensure_one()
        return self._membri_local_date(fields.Datetime.now())

    def _membri_local_date(self, moment):
        """:param moment: naive UTC datetime, as fields hold it
        :return: the civil day of that moment for this company"""
        self.ensure_one()
        zone = pytz.timezone(self.sudo().membri_tz)  # sudo: settings are the staff's
        return pytz.utc.localize(moment).astimezone(zone).date()

    def _membri_midnight(self, day):
        """:return: the first moment of ``day`` for this company, as a naive UTC datetime"""
        self.ensure_one()
        zone = pytz.timezone(self.sudo().membri_tz)  # sudo: settings are the staff's
        local = zone.localize(datetime.combine(day, time.min))
        return local.astimezone(pytz.utc).replace(tzinfo=None)

    def _membri_get_held_until(self, moment):
        """:param moment: when a payment was reported, or money found (naive UTC datetime)
        :return: the day from which on automatic reminders, which wait for it, leave again"""
        self.ensure_one()
        days = self.sudo().membri_report_hold_days  # sudo: settings are the staff's
        return self._membri_local_date(moment) + timedelta(days=days)

    def _membri_get_held_since(self):
        """Return the moment (naive UTC datetime) since which what was reported or found holds
        reminders today: the same day, for conditions."""
        self.ensure_one()
        days = self.sudo().membri_report_hold_days  # sudo: settings are the staff's
        return self._membri_midnight(self._membri_today() - timedelta(days=days - 1))

    def _membri_get_lost_before(self):
        """:return: the moment (UTC) before which whoever was asked and is silent is likely lost"""
        self.ensure_one()
        # whole days: a notice of that many months ago, at whatever hour
        months = relativedelta(months=self.membri_no_answer_months)
        return self._membri_midnight(self._membri_today() - months + timedelta(days=1))

    def _membri_get_payment_user(self):
        """:return: the ``res.users`` who checks payments that members announce"""
        self.ensure_one()
        # sudo: settings are the staff's
        user_sudo = self.sudo().membri_payment_user_id.filtered("active")
        return user_sudo.with_env(self.env) or self._membri_get_assignee()

    def _membri_get_signatory(self):
        """:return: the name below an attestation"""
        self.ensure_one()
        return self.membri_signatory or self._membri_get_officer().name or self.name

    def _membri_get_receipt_sequence(self):
        return self._membri_ensure_sequence(
            "membri_receipt_sequence_id",
            name=self.env._("Receipts (%(company)s)", company=self.name),
            code="membri.receipt",
            prefix="REC/%(range_year)s/",
        )

    def _membri_get_fee_notice_sequence(self):
        return self._membri_ensure_sequence(
            "membri_fee_notice_sequence_id",
            name=self.env._("Fee notices of %(company)s", company=self.name),
            code="membri.fee.notice",
            prefix="AVIS/%(range_year)s/",
        )

    def _membri_ensure_sequence(self, field, **vals):
        """Numbers of this company's documents, made when first needed; the caller is in sudo,
        for sequences are the administrators'

        :param field: of the company, that holds the ``ir.sequence``
        :return: the ``ir.sequence``"""
        self.ensure_one()
        if not self[field]:
            self[field] = self.env["ir.sequence"].create(
                {"company_id": self.id, "padding": 5, "use_date_range": True, **vals}
            )
        return self[field]

    def _membri_get_check_rows(self):
        """``(label, value)`` pairs of whom a check is made payable to, and where it is
        mailed: the settings, else the name and the address of the company; the caller is in
        sudo"""
        self.ensure_one()
        address = self.membri_check_address or self.partner_id._display_address(
            without_company=True
        )
        lines = [line.strip() for line in address.splitlines() if line.strip()]
        rows = [(self.env._("Check payable to"), self.membri_check_payee or self.name)]
        if lines and (self.membri_check_address or self.street):
            rows.append((self.env._("Mail the check to"), ", ".join(lines)))
        return rows
