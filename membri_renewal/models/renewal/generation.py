from datetime import timedelta

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..cotisation.cotisation import PAID_FOR_STATES
from .eligibility import CATCH_UP_DAYS, NIGHTLY

BATCH = 50
ACTIVITY = "membri_renewal.activity_not_prepared"


class MembriRenewal(models.Model):
    """Nightly generation (specification §5.1): exactly one renewal for every term that is near
    its end, whatever is run twice, in parallel, late, or after a crash. Which terms these
    are is in ``renewal/eligibility.py``."""

    _inherit = "membri.renewal"

    @api.model
    def _cron_generate(self):
        def generate(due):
            for cotisations in due._split_by_staff_lang():
                cotisations._generate_isolated()

        Cotisation = self.env["membri.cotisation"]
        firsts = self._get_first_domains()
        # asked before the commits below, after which each company is read again
        day_has_come = self._get_auto_invoice_due_domain(firsts)
        domain = Domain.OR(
            first & Cotisation._get_rule_no_other_renewal_domain(company)
            for company, first in firsts.items()
        )
        self.env["ir.cron"]._membri_work_off(
            Cotisation,
            domain,
            generate,
            limit=BATCH,
            join=lambda batch: batch._with_invoice_group(domain),
            search=lambda: self._search_to_renew(firsts, domain),
        )
        self._invoice_announced(day_has_come)

    @api.model
    def _get_first_domains(self):
        """Return ``{company: domain}`` of the terms to be renewed, but for who has another
        renewal open: that is asked of the few that are found."""
        return {
            company: self.env["membri.cotisation"]._get_to_renew_domain(
                company, NIGHTLY, but=("no_other_renewal",)
            )
            for company in self.env["res.company"]._membri_get_all()
        }

    @api.model
    def _search_to_renew(self, firsts, domain):
        """:param firsts: as of :meth:`_get_first_domains`
        :param domain: as of :meth:`_get_to_renew_domain`
        :return: ids of the terms that the nightly run renews, found by what an index answers: those
            that run, and those that ended or expired lately"""
        Cotisation = self.env["membri.cotisation"]
        found = Cotisation.browse()
        for company, first in firsts.items():
            since = company._membri_today() - timedelta(days=CATCH_UP_DAYS)
            cases = (
                Domain("state", "in", PAID_FOR_STATES),
                Domain("state", "=", "expired")
                & (Domain("date_end", ">=", since) | Domain("date_expired", ">=", since)),
            )
            for case in cases:
                found |= Cotisation.search(case & first)
        if not found:
            return []
        return Cotisation.search(domain & Domain("id", "in", found.ids), order="date_end, id").ids

    @api.model
    def _get_to_renew_domain(self):
        """:return: the cotisations for which the night prepares a renewal"""
        return Domain.OR(
            self._get_company_to_renew_domain(company)
            for company in self.env["res.company"]._membri_get_all()
        )

    @api.model
    def _get_company_to_renew_domain(self, company):
        return self.env["membri.cotisation"]._get_to_renew_domain(company, NIGHTLY)

    def _start(self):
        """Take drafts of the night, or of a campaign, to where they lead (specification §5.1): held
        for the staff, invoiced at once, or sent."""
        held = self._hold_for_staff()
        ready = self - held
        ready._check_ready_to_leave(at_night=True)
        ready._check_can("send")
        ready._do_send_or_approve()

    def _hold_for_staff(self):
        """Hold the drafts that no email or invoice may go out for: the contact carries the
        flag or is archived, or the term that they propose is over already (a very late payer).

        :return: those that are held
        """
        flagged = self.filtered(
            lambda r: r.partner_id.with_company(r.company_id).membri_intervention_required
        )
        flagged._follow_intervention_flag()
        archived = (self - flagged)._hold_archived()
        over = (self - flagged - archived).filtered(lambda r: r._get_term_over_reason())
        for renewal in over:
            renewal._do_require_intervention(renewal._get_term_over_reason())
        return flagged | archived | over


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    def _generate_isolated(self, only_drafts=False):
        """Prepare and start the renewals of ``self``. Where only the start fails (a template
        that does not render, a missing account), the draft is kept with the reason.

        :param only_drafts: nothing goes out yet; what the staff must look at is held
        """
        effect = type(self)._prepare_drafts if only_drafts else type(self)._generate_renewals
        failed = self._run_isolated(effect)
        for cotisation, error in failed.items():
            creation_errors = cotisation._run_isolated(type(self)._create_renewals)
            if creation_errors:
                cotisation._record_renewal_error(creation_errors[cotisation])
            else:
                sentence = cotisation._get_error_sentence(error)
                cotisation._get_living_renewal()._mark_failed(sentence)

    def _get_living_renewal(self):
        return self.renewal_ids.filtered(lambda renewal: renewal.state != "cancelled")

    def _generate_renewals(self):
        self._create_renewals()._start()

    def _prepare_drafts(self):
        self._create_renewals()._hold_for_staff()

    def _create_renewals(self):
        """:return: the draft renewals of ``self``
        :raises UserError: when one cannot be prepared"""
        for company, terms in self.grouped("company_id").items():
            if reason := company._membri_get_no_language_reason(terms.partner_id):
                raise UserError(reason)
        renewals = self.env["membri.renewal"].create(
            [{"cotisation_id": cotisation.id} for cotisation in self]
        )
        mended = self.filtered("renewal_error")
        mended._internal_write({"renewal_error": False, "renewal_error_date": False})
        for company, terms in mended.grouped("company_id").items():
            # sudo: they are the officer's
            members_sudo = terms.partner_id.sudo()._membri_noted_for(company)
            members_sudo.activity_unlink([ACTIVITY])
        for renewal in renewals.filtered(lambda r: r.currency_id.is_zero(r.amount_total)):
            renewal._message_log(body=renewal.option_set_id._get_free_remark())
        return renewals

    def _record_renewal_error(self, error):
        """The reason stays on the term until the renewal succeeds; tomorrow tries again."""
        self.ensure_one()
        message = self._get_error_sentence(error)
        self._internal_write(
            {"renewal_error": message, "renewal_error_date": self.company_id._membri_today()}
        )
        self._message_log(
            body=self.env._("The renewal could not be prepared: %(error)s", error=message)
        )
        # there is no renewal to show in a queue: one activity for the officer instead
        officer = self.company_id._membri_get_assignee()
        # sudo: the question is the officer's, whoever prepares
        member_sudo = self.sudo().partner_id._membri_noted_for(self.company_id)
        if officer and not member_sudo.activity_search([ACTIVITY]):
            # a plan may fail for hundreds of members: no email for each activity
            member_sudo.with_context(mail_activity_quick_update=True).activity_schedule(
                ACTIVITY,
                summary=self.env._(
                    "The renewal of %(cotisation)s (until %(date)s) could not be prepared: "
                    "%(error)s The nightly run tries again.",
                    cotisation=self.name,
                    date=self._format_day(self.date_end),
                    error=message,
                ),
                user_id=officer.id,
            )
