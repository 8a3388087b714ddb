from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from .renewal import STAFF

BATCH = 50
# of the announcement: it has reached nobody, and is in a queue for that
NOT_REACHED = ("unreachable", "failed")


class MembriRenewal(models.Model):
    """A word before an automatic renewal: members who are invoiced at once are told so many days
    before, by the delivery that notices have, and may change or stop it. The invoice follows on
    that day unless they answered. Announced is what has left: the mail server took the email, or
    the letter was printed; what leaves late says a later day."""

    _inherit = "membri.renewal"

    date_auto_invoice = fields.Date(
        string="Invoice Announced For",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The member was told that the invoice is made on this day, unless the renewal is "
        "changed or stopped before.",
    )
    amount_auto_invoice = fields.Monetary(
        string="Amount Announced",
        readonly=True,
        copy=False,
        help="If the amount changes, it is announced again and the date moves.",
    )
    date_auto_invoice_told = fields.Datetime(
        string="Announcement Sent On",
        readonly=True,
        copy=False,
        groups=STAFF,
        help="When the email or letter announcing the invoice was sent. Empty until then: no "
        "invoice is created before that.",
    )

    def _is_announced(self):
        """:return: whether the member is told of the invoice, and it follows by itself"""
        self.ensure_one()
        return self.state == "sent" and self.mode == "invoice" and bool(self.date_auto_invoice)

    def _is_invoice_untold(self):
        """:return: whether its announcement has not left, or came back"""
        self.ensure_one()
        # sudo: what left is the staff's, the portal causes announcements, too
        return self._is_announced() and not self.sudo().date_auto_invoice_told

    def _is_to_be_announced(self):
        """:return: whether its option set asks for a word before the invoice"""
        self.ensure_one()
        # sudo: plans are the staff's
        return self.mode == "invoice" and self.option_set_id.sudo().announce_days > 0

    def _plan_auto_invoice(self):
        """The notice, or announcement, goes out now: say on which day the invoice follows. One
        that has left, and is only sent again for the same amount, keeps its day."""
        for renewal in self:
            vals = renewal._prepare_auto_invoice_vals()
            if any(renewal[name] != value for name, value in vals.items()):
                renewal._internal_write(vals)

    def _prepare_auto_invoice_vals(self):
        self.ensure_one()
        if not self._is_to_be_announced():
            return dict.fromkeys(
                ("date_auto_invoice", "amount_auto_invoice", "date_auto_invoice_told"), False
            )
        amount = self._get_amount_today()
        today = self.company_id._membri_today()
        if (
            self._is_announced()
            and not self._is_invoice_untold()
            and self.date_auto_invoice >= today
            and not self.currency_id.compare_amounts(amount, self.amount_auto_invoice)
        ):
            return {}
        lead = timedelta(days=self.option_set_id.announce_days)
        return {
            "date_auto_invoice": max(today + lead, self.cotisation_id._get_renewal_day()),
            "amount_auto_invoice": amount,
            "date_auto_invoice_told": False,
        }

    def _get_amount_today(self):
        """:return: what the invoice would come to today, at the rates that taxes have by now"""
        self.ensure_one()
        return self._get_proposal()._get_tax_totals_summary()["total_amount_currency"]

    def _get_announcement_sentence(self):
        """:return: what is invoiced and when, what to do otherwise, and what is charged then"""
        self.ensure_one()
        announced = self.env._(
            "Your membership renews automatically: on %(date)s we will send you the invoice of "
            "%(amount)s. To change or stop it, reply before then.",
            date=self._format_day(self.date_auto_invoice),
            amount=self._format_amount(self.amount_auto_invoice),
        )
        return " ".join(filter(None, [announced, self._get_charge_sentence()]))

    # ------------------------------------------------------------------
    # Announcing: only what has left counts as announced
    # ------------------------------------------------------------------

    def _get_auto_invoice_facts(self):
        """:return: what the announcement says, in short, or an empty text"""
        self.ensure_one()
        if not self._is_announced():
            return ""
        return f"invoice {self.id} {self.date_auto_invoice} {self.amount_auto_invoice:.2f}"

    def _delay_auto_invoice(self):
        """The announcement leaves only now, by email, by post or in another try: it keeps its
        lead."""
        for renewal in self.filtered(lambda r: r._is_invoice_untold()):
            lead = timedelta(days=renewal.option_set_id.announce_days)
            day = max(renewal.date_auto_invoice, renewal.company_id._membri_today() + lead)
            if day != renewal.date_auto_invoice:
                renewal._internal_write({"date_auto_invoice": day})

    def _record_auto_invoice_told(self, facts):
        """:param facts: what has left says, as of :meth:`_get_auto_invoice_facts`, and more"""
        for renewal in self:
            if renewal._is_invoice_untold() and renewal._get_auto_invoice_facts() in facts:
                renewal._internal_write({"date_auto_invoice_told": fields.Datetime.now()})

    def _forget_auto_invoice_told(self):
        """What was to leave did not, or came back: the member was told nothing."""
        told = self.filtered(lambda r: r._is_announced() and not r._is_invoice_untold())
        told._internal_write({"date_auto_invoice_told": False})

    # ------------------------------------------------------------------
    # Invoicing on the announced day
    # ------------------------------------------------------------------

    @api.model
    def _invoice_announced(self, day_has_come):
        """Make the invoices that were announced for today, each for itself (nightly).

        :param day_has_come: as of :meth:`_get_auto_invoice_due_domain`"""
        domain = day_has_come & self._get_told_domain()

        def invoice(due):
            errors = due._run_isolated_for_staff(type(self)._do_as_announced)
            for renewal, error in errors.items():
                renewal._do_require_intervention(renewal._get_error_sentence(error))

        self.env["ir.cron"]._membri_work_off(
            self,
            domain,
            invoice,
            order="date_auto_invoice, id",
            limit=BATCH,
            join=lambda batch: batch._with_announced_group(domain),
        )
        self._hold_untold_invoices(day_has_come)

    @api.model
    def _get_told_domain(self):
        """Return announced renewals that somebody was told of: by an email that left, or by a
        letter that was printed; those that go by notice by now, too."""
        waits_for_letter = Domain("letter_state", "=", "to_print") & Domain(
            "delivery_state", "in", (False, "letter", "withdrawn")
        )
        by_notice = Domain("mode", "!=", "invoice") & ~waits_for_letter
        return Domain("delivery_state", "not in", NOT_REACHED) & (
            Domain("date_auto_invoice_told", "!=", False) | by_notice
        )

    @api.model
    def _get_auto_invoice_due_domain(self, companies):
        """:param companies: those that manage memberships
        :return: announced renewals whose day has come"""
        due = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("date_auto_invoice", "<=", company._membri_today())
            for company in companies
        )
        return due & Domain("state", "=", "sent")

    @api.model
    def _hold_untold_invoices(self, day_has_come):
        """Say why no invoice was made on the announced day; what failed, and letters that wait,
        say so themselves."""
        untold = self.search(
            day_has_come
            & Domain("mode", "=", "invoice")
            & Domain("date_auto_invoice_told", "=", False)
            & Domain("delivery_state", "not in", (*NOT_REACHED, "letter", "withdrawn"))
        )
        # what somebody else is writing, the queue of emails perhaps, is looked at tomorrow
        for renewals in untold.try_lock_for_update()._split_by_staff_lang():
            for renewal in renewals:
                note = renewal._get_untold_invoice_sentence()
                if renewal.delivery_note != note:
                    renewal._internal_write({"delivery_note": note})
                    renewal._message_log(body=note)

    def _get_untold_invoice_sentence(self):
        self.ensure_one()
        days = self.option_set_id.announce_days
        if self.delivery_state == "queued":
            return self.env._(
                "The email that announces the invoice has not been sent yet, so no invoice was "
                "created. The invoice follows %(days)s days after it is sent.",
                days=days,
            )
        return self.env._(
            "The announcement of the invoice was not sent, so no invoice was created. Resend it: "
            "the invoice follows %(days)s days later.",
            days=days,
        )

    def _with_announced_group(self, domain):
        """:param domain: as of what :meth:`_invoice_announced` works off
        :return: ``self``, with those of the same payers, who get one invoice for several"""
        payers = {payer for renewal in self if (payer := renewal._get_grouping_payer())}
        if not payers:
            return self
        due = self.search(domain)
        return self | due.filtered(lambda r: r._get_grouping_payer() in payers)

    def _do_as_announced(self):
        """Approve what is as it was announced; who switched automatic renewal off gets the
        notice; what costs another amount by now is announced again."""
        now_by_notice = self.filtered(lambda r: r.mode != "invoice")
        held = self.browse()
        for renewal in self - now_by_notice:
            if reason := renewal._get_cannot_reason("approve"):
                renewal._do_require_intervention(reason)
                held |= renewal
        again = (self - now_by_notice - held).filtered(
            lambda r: r.currency_id.compare_amounts(r._get_amount_today(), r.amount_auto_invoice)
        )
        (now_by_notice | again)._do_send()
        (self - now_by_notice - held - again)._do_approve()


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    def _get_preparation_day(self):
        """Return the day from which on the night prepares the renewal: earlier than that of the
        notice or invoice where it is announced."""
        self.ensure_one()
        # sudo: what the member chose, whoever looks
        partner_sudo = self.partner_id.sudo().with_company(self.company_id)
        day = self._get_renewal_day()
        if not partner_sudo.membri_auto_renew:
            return day
        option_set = partner_sudo._membri_get_next_option_set(self)
        return day - timedelta(days=option_set.announce_days)

    @api.model
    def _get_to_announce_domain(self, company, lead_days, announce_days):
        """:param lead_days: the most of all option sets, as of the next one
        :return: the terms of ``company`` whose renewal is announced by now, although the day of its
            invoice has not come"""
        if not announce_days:
            return Domain.FALSE
        today = company._membri_today()
        # sudo: the rules are about facts, whoever looks
        near_sudo = self.sudo().search(
            Domain("company_id", "=", company.id)
            & Domain("state", "in", ("scheduled", "active"))
            & Domain("date_end", ">", today)
            & Domain("date_end", "<=", today + timedelta(days=lead_days + announce_days))
            & Domain("renewal_ids", "not any", [("state", "!=", "cancelled")])
        )
        due = near_sudo.filtered(lambda term: term._get_preparation_day() <= today)
        return Domain("id", "in", due.ids)
