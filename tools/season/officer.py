"""The membership officer empties the dashboards, with the buttons' own methods."""

from members import plan


class Officer:
    def __init__(self, world):
        self.world = world

    def work(self, week):
        self._answer_change_requests()
        self._intervene()
        self._send_drafts()
        self._retry_failed()
        self._refuse_by_phone(week)
        self._refuse_the_silent()
        self._give_up_unpaid(week)
        self._enrol(week)

    def _queue(self, env, code):
        dashboard = env["membri.dashboard"].search([("code", "=", code)])
        return env["membri.renewal"].search(dashboard._get_domain())

    def _answer_change_requests(self):
        with self.world.acting_as("officer") as env:
            for renewal in self._queue(env, "change_requested"):
                if renewal._get_cannot_reason("approve"):
                    self.refuse(env, renewal, "membri_renewal.refusal_reason_no_answer")
                    continue
                if renewal.id % 2:
                    renewal.line_ids[:1].quantity += 1
                renewal.action_approve()
                self.world.ledger.note("approved after a change")

    def _intervene(self):
        with self.world.acting_as("officer") as env:
            for renewal in self._queue(env, "intervention"):
                if renewal.is_held_archived:
                    continue  # until the contact is restored, or for ever
                ended = "ended" in renewal.invoice_ids.mapped("membri_write_off_state")
                if ended or renewal._get_cannot_reason("approve"):
                    self.refuse(env, renewal, "membri_renewal.refusal_reason_no_answer")
                else:
                    renewal.action_approve()
                    self.world.ledger.note("approved after an intervention")

    def _send_drafts(self):
        with self.world.acting_as("officer") as env:
            drafts = env["membri.renewal"].search([("state", "=", "draft")])
            drafts.filtered(lambda r: not r._get_cannot_reason("send")).action_bulk("send")

    def _retry_failed(self):
        with self.world.acting_as("officer") as env:
            for renewal in self._queue(env, "send_failed"):
                if not renewal._get_cannot_reason("retry_sending"):
                    renewal.action_retry_sending()
                    self.world.ledger.note("sent again")

    def _refuse_by_phone(self, week):
        with self.world.acting_as("officer") as env:
            for renewal in env["membri.renewal"].search([("state", "=", "sent")]):
                kind, delay = plan(renewal.id)
                if (
                    kind == "phone_refusal"
                    and week - self.world.ledger.first_seen(renewal, week) >= delay
                ):
                    self.refuse(env, renewal, "membri_renewal.refusal_reason_price")

    def _refuse_the_silent(self):
        with self.world.acting_as("officer") as env:
            silent = self._queue(env, "no_answer_6m")
            if silent:
                self.refuse(env, silent, "membri_renewal.refusal_reason_no_answer")

    def _give_up_unpaid(self, week):
        """Accepted and never paid: reset, then refuse; nothing is owed (specification §5.4)."""
        with self.world.acting_as("officer") as env:
            for renewal in self._queue(env, "accepted_unpaid"):
                invoice = renewal.invoice_id
                if week - self.world.ledger.first_seen(invoice, week) < 14:
                    continue
                if renewal._get_cannot_reason("reset") or self.world.cast.holds(renewal.partner_id):
                    continue
                renewal.action_reset()
                self.refuse(env, renewal, "membri_renewal.refusal_reason_no_answer")
                self.world.ledger.note("given up unpaid")

    def _enrol(self, week):
        """Every four weeks somebody new joins, and a former member returns; once, one resigns."""
        if week % 4 != 2:
            return
        with self.world.acting_as("officer") as env:
            option_set = env.ref("membri_renewal.demo_set_cal_m")
            # what they paid a part of, before the rest was written off, is to be credited first
            unsettled = env["account.move"].browse(self.world.mishaps.written_off).sudo()
            for status in ("non_member", "inactive"):
                contact = env["res.partner"].search(
                    [
                        ("membri_status", "=", status),
                        ("parent_id", "=", False),
                        ("user_ids", "=", False),
                        ("ref_company_ids", "=", False),
                        ("email", "=like", "%.example"),
                        ("id", "not in", unsettled.membri_cotisation_ids.partner_id.ids),
                    ],
                    limit=1,
                )
                if contact:
                    wizard = env["membri.enrolment"].create(
                        {"partner_id": contact.id, "option_set_id": option_set.id, "prorate": True}
                    )
                    wizard.action_confirm()
                    self.world.ledger.note("enrolled" if status == "non_member" else "re-enrolled")
            if week == 10:
                term = env["membri.cotisation"].search(
                    [
                        ("state", "=", "active"),
                        ("date_end", "!=", False),
                        ("next_ids", "=", False),
                        ("renewal_ids", "=", False),
                    ],
                    limit=1,
                )
                term.action_terminate(env.company._membri_today(), "Démission")
                self.world.ledger.note("resigned")

    def refuse(self, env, renewals, reason):
        wizard = env["membri.renewal.refuse"].create(
            {"renewal_ids": renewals.ids, "reason_id": env.ref(reason).id}
        )
        wizard.action_confirm()
        self.world.ledger.note("refused", len(renewals))
