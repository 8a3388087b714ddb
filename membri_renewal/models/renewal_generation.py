from datetime import timedelta

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

BATCH = 50
# a term that ended this long ago without a renewal is caught up with: a long outage
# of the nightly run loses nobody
CATCH_UP_DAYS = 60


class MembriRenewal(models.Model):
    """Nightly generation (DESIGN §5.1): exactly one renewal for every term that is near
    its end, whatever is run twice, in parallel, late, or after a crash."""

    _inherit = "membri.renewal"

    @api.model
    def _cron_generate(self):
        cron = self.env["ir.cron"]
        Cotisation = self.env["membri.cotisation"]
        domain = self._get_to_renew_domain()
        cron._commit_progress(remaining=Cotisation.search_count(domain))
        seen = Cotisation.browse()
        while batch := Cotisation.search(
            domain & Domain("id", "not in", seen.ids), limit=BATCH, order="date_end, id"
        ):
            seen |= batch
            batch.try_lock_for_update().filtered_domain(domain)._generate_isolated()
            if not cron._commit_progress(len(batch)):
                return
        cron._commit_progress(remaining=0)

    @api.model
    def _get_to_renew_domain(self):
        """:return: the cotisations for which the night prepares a renewal"""
        domains = [
            self._get_company_to_renew_domain(company)
            for company in self.env["res.company"]._membri_get_all()
        ]
        return Domain.OR(domains)

    @api.model
    def _get_company_to_renew_domain(self, company, date_to=None):
        """:param date_to: consider terms that end until this day, instead of the lead days
        of each option set"""
        today = company._membri_today()
        domain = (
            Domain("company_id", "=", company.id)
            & Domain("state", "in", ("active", "scheduled", "expired"))
            & (
                Domain("state", "!=", "expired")
                | Domain("date_end", ">=", today - timedelta(days=CATCH_UP_DAYS))
            )
            & self._get_renewable_domain(company)
            & (Domain("renewal_error_date", "=", False) | Domain("renewal_error_date", "<", today))
        )
        if date_to:
            return domain & Domain("date_end", "<=", date_to)
        groups = (
            self.env["membri.option.set"]
            .sudo()
            .with_context(active_test=False)
            ._read_group(
                [("company_id", "=", company.id), ("lifetime", "=", False)],
                ["notice_lead_days"],
                ["id:array_agg"],
            )
        )
        due = Domain.OR(
            Domain("option_set_id", "in", set_ids)
            & Domain("date_end", "<=", today + timedelta(days=lead_days))
            for lead_days, set_ids in groups
        )
        return domain & due

    @api.model
    def _get_renewable_domain(self, company):
        """:return: terms that have neither a renewal (a cancelled one counts), nor a next
        term, nor a reason not to be renewed"""
        domain = (
            Domain("date_end", "!=", False)
            & Domain("date_terminated", "=", False)
            & Domain("renewal_ids", "=", False)
            & Domain("next_ids", "not any", [("state", "!=", "cancelled")])
            & Domain("partner_id.active", "=", True)
        )
        if company.membri_go_live:
            domain &= Domain("origin", "!=", "import") | Domain(
                "date_end", ">=", company.membri_go_live
            )
        return domain

    def _start(self):
        """Take drafts of the night to where their mode leads (DESIGN §5.1): held for the
        staff, invoiced at once, or sent."""
        flagged = self.filtered(
            lambda r: r.partner_id.with_company(r.company_id).membri_intervention_required
        )
        flagged._follow_intervention_flag()
        (self - flagged).action_send()


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    def _generate_isolated(self):
        """Prepare and start the renewals of ``self``. Where only the start fails (a template
        that does not render, a missing account), the draft is kept with the reason."""
        failed = self._run_isolated(type(self)._generate_renewals)
        for cotisation, error in failed.items():
            creation_errors = cotisation._run_isolated(type(self)._create_renewals)
            if creation_errors:
                cotisation._record_renewal_error(creation_errors[cotisation])
            else:
                cotisation.renewal_ids._mark_failed(error)

    def _generate_renewals(self):
        self._create_renewals()._start()

    def _create_renewals(self):
        """:return: the draft renewals of ``self``
        :raises UserError: when one cannot be prepared"""
        renewals = self.env["membri.renewal"].create(
            [{"cotisation_id": cotisation.id} for cotisation in self]
        )
        self.filtered("renewal_error")._internal_write(
            {"renewal_error": False, "renewal_error_date": False}
        )
        return renewals

    def _record_renewal_error(self, error):
        """The reason stays on the term until the renewal succeeds; tomorrow tries again."""
        self.ensure_one()
        message = str(error) if isinstance(error, UserError) else repr(error)
        self._internal_write(
            {"renewal_error": message, "renewal_error_date": self.company_id._membri_today()}
        )
        self._message_log(
            body=self.env._("The renewal could not be prepared: %(error)s", error=message)
        )
