from datetime import date, timedelta

from odoo import api, models

from ..renewal.renewal import UNDECIDED_STATES


class MembriCotisation(models.Model):
    """Two contacts that are merged: both histories are kept, with one active term and no
    day of membership lost (specification §2)."""

    _inherit = "membri.cotisation"

    def _merge_histories(self, partners):
        """Prepare the histories of ``partners`` for one contact, before foreign keys move.

        Of two paid terms that overlap, the one that ends later is kept whole. The other
        keeps the days before it, or is cancelled when none are left. An unpaid term that
        overlaps another one is void.
        """
        history = self.search([("partner_id", "in", partners.ids), ("state", "!=", "cancelled")])
        if len(history.partner_id) < 2:
            return
        for terms in history.grouped("company_id").values():
            paid = []
            # before any is void with its term
            notes = terms._get_merged_notes()
            terms._trim_overlaps(paid)
            terms._ask_about_merged_money(paid)
            terms.filtered(lambda c: c.state != "cancelled")._void_what_is_covered()
            terms._keep_one_undecided(notes)
        self.env.flush_all()

    def _trim_overlaps(self, paid):
        """Paid terms go before unpaid ones: what was paid is never lost to what was not.

        :param paid: list that gets ``(term, facts)`` of those whose days another one covers, and
            that have money
        """
        unpaid = self.filtered(lambda c: c.state == "pending")
        kept = (self - unpaid)._trim_paid_overlaps(paid)
        for cotisation in unpaid.sorted(lambda c: c.date_end or date.max, reverse=True):
            if any(cotisation._overlaps(other) for other in kept):
                cotisation._give_up(paid)
            else:
                kept |= cotisation

    def _trim_paid_overlaps(self, paid):
        """:param paid: see :meth:`_trim_overlaps`
        :return: the terms that are left"""
        latest_first = self.sorted(
            lambda c: (not c.date_end, c.date_end or c.date_start, c.state == "active"),
            reverse=True,
        )
        kept_start = None
        for cotisation in latest_first:
            if kept_start and (not cotisation.date_end or cotisation.date_end >= kept_start):
                cotisation._cede(kept_start, paid)
            if cotisation.state != "cancelled":
                kept_start = min(kept_start or cotisation.date_start, cotisation.date_start)
        return self.filtered(lambda c: c.state != "cancelled")

    def _overlaps(self, other):
        """:param other: a term, or a renewal that proposes one"""
        return self.date_start <= (other.date_end or date.max) and other.date_start <= (
            self.date_end or date.max
        )

    def _void_what_is_covered(self):
        """One of the contacts has accepted, or enrolled, for days that another is still asked
        about: nobody is asked, or reminded, any more. What waits for the staff stays there."""
        asked = self.partner_id.membri_renewal_ids.filtered(
            lambda r: r.state in ("draft", "sent") and r.company_id == self.company_id
        )
        covered = asked.filtered(lambda r: any(term._overlaps(r) for term in self))
        covered._do_cancel()
        for renewals in covered._split_by_staff_lang():  # not in the language of who merges
            note = renewals._get_merge_note()
            for renewal in renewals:
                renewal._message_log(body=note)

    def _get_undecided_renewals(self):
        """:return: the undecided renewals of the members of these terms, in their company"""
        return self.partner_id.membri_renewal_ids.filtered(
            lambda r: r.state in UNDECIDED_STATES and r.company_id == self.company_id
        )

    def _get_merged_notes(self):
        """:return: ``{renewal: what the staff was to look at on it}`` (sentences)"""
        notes = {renewal: renewal._get_merged_note() for renewal in self._get_undecided_renewals()}
        return {renewal: note for renewal, note in notes.items() if note}

    def _keep_one_undecided(self, notes):
        """Of several undecided renewals keep the one of the latest term; void the others. What
        the staff was to look at on what a merge has voided holds the one that stays; where none
        does, the officer is asked.

        :param notes: see :meth:`_get_merged_notes`, before anything was void"""
        undecided = self._get_undecided_renewals()
        kept = undecided.sorted("date_start", reverse=True)[:1]
        (undecided - kept)._do_cancel()
        lost = [note for renewal, note in notes.items() if renewal.state == "cancelled"]
        if lost and kept:
            own = kept.intervention_reason if kept.state == "intervention" else False
            kept._do_require_intervention("\n".join(filter(None, [own, *lost])))
        elif lost:
            last = self.filtered(lambda c: c.state != "cancelled").sorted("date_start")[-1:]
            last._ask_officer(" ".join(lost))

    def _give_up(self, paid):
        """Void an unpaid term whose days another one covers, with what was asked for it.
        Where some money came in already, the staff decides what becomes of it.

        :param paid: see :meth:`_trim_overlaps`"""
        self.ensure_one()
        invoice = self.invoice_id
        renewal = self.renewal_id.filtered(lambda r: r.state == "approved")
        has_money = bool(invoice) and invoice._membri_has_money()
        if not has_money:
            brought_sudo = self._get_brought_invoices()
            renewal._do_cancel()
            self._void_invoices(brought_sudo)
        if self.state != "cancelled":
            self._do_cancel()
        [told] = self._split_by_staff_lang()
        note = told.env["membri.renewal"]._get_merge_note()
        if has_money:
            renewal.with_env(told.env)._do_reopen_for_staff(note)
            paid.append((told, told._get_merged_facts()))
        told._message_log(body=note)

    @api.model
    def _ask_about_merged_money(self, paid):
        """Both were paid for, this year or for several: the officer decides, in one activity, what
        becomes of the money of the one.

        :param paid: as :meth:`_trim_overlaps` fills it"""
        if not paid:
            return
        latest, facts = max(paid, key=lambda told: told[0].date_start)
        member = latest.partner_id._membri_get_names()
        if len(paid) == 1:
            latest._ask_officer(
                latest.env._(
                    "Two merged contacts had both paid. The membership term of %(member)s on "
                    "%(invoice)s (%(term)s, %(amount)s) is covered by another one. Refund the "
                    "payment, or keep it as a credit for the payer.",
                    member=member,
                    **facts,
                )
            )
            return
        note = latest.env._(
            "Two merged contacts had both paid. These membership terms of %(member)s are covered "
            "by other ones: %(terms)s. Refund the payments, or keep them as a credit for the "
            "payer.",
            member=member,
            terms="; ".join("{invoice} ({term}, {amount})".format(**told[1]) for told in paid),
        )
        latest._ask_officer(note)
        for term, _facts in paid:
            if term.invoice_id != latest.invoice_id:
                term.invoice_id._message_log(body=note)

    def _get_merged_facts(self):
        """:return: which invoice, days and amount the officer is asked about, as texts"""
        self.ensure_one()
        return {
            "invoice": self.invoice_id._membri_get_document_label(),
            "term": self.term_display,
            "amount": self.currency_id.format(self.amount_total),
        }

    def _cede(self, day, paid):
        """Leave the days from ``day`` on to another term of the merged member.

        :param paid: see :meth:`_trim_overlaps`"""
        self.ensure_one()
        [self] = self._split_by_staff_lang()
        note = self.env._(
            "Two contacts were merged: another term of the member covers the days from %(day)s.",
            day=self._format_day(day),
        )
        invoice = self.invoice_id
        if invoice and invoice._membri_has_money():
            paid.append((self, self._get_merged_facts()))
        if self.date_start >= day:
            if invoice and invoice._membri_is_open() and not invoice._membri_has_money():
                self._give_up(paid)  # active before it is paid: nobody pays for what is void
                return
            self._do_cancel()
        else:
            last = day - timedelta(days=1)
            self._internal_write({"date_end": last})
            if self.state == "active" and last < self.company_id._membri_today():
                self._do_expire()
        self._message_log(body=note)


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"

    @api.model
    def _get_merge_note(self):
        """:return: why a merge has voided something, or holds it (a sentence)"""
        return self.env._(
            "Two contacts were merged: another term of the member covers this period."
        )

    def _get_merged_note(self):
        """:return: what the staff is to look at on this renewal (a sentence), or ``False``"""
        self.ensure_one()
        [self] = self._split_by_staff_lang()
        if self.state == "intervention" and not self.is_held_archived:
            reason = self.intervention_reason
        else:
            reason = self.state == "change_requested" and self.change_request
        return reason and self.env._(
            "Two contacts were merged. On %(renewal)s: %(reason)s",
            renewal=self.name,
            reason=reason,
        )
