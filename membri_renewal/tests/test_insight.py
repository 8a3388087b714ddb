"""Issue 17, points 1 and 2: what became of each term; the figures were computed by hand."""

from datetime import date, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.membri_renewal.models.renewal.eligibility import CATCH_UP_DAYS
from odoo.addons.membri_renewal.report import insight

from .common_insight import InsightCase, SeasonCase, check_money


@tagged("post_install", "-at_install")
@freeze_time("2027-06-15 15:00:00")
class TestSeason(SeasonCase):
    """Forty members, computed on paper."""

    def _count(self, field):
        groups = self.env["membri.insight"]._read_group(
            [("season", "=", "2026")], [field], ["__count"]
        )
        return {value: count for value, count in groups if value}

    def test_each_member_once(self):
        rows = self._get_rows(season="2026")
        self.assertEqual(rows.cotisation_id, self.terms)
        self.assertEqual(len(rows.partner_id), 40)

    def test_outcomes(self):
        self.assertEqual(
            self._count("outcome"),
            {
                "renewed": 29,
                "returned": 1,
                "left": 4,
                "unpaid": 2,
                "terminated": 1,
                "deceased": 2,
                "open": 1,
            },
        )

    def test_rates(self):
        """29 of the 39 that are known: 74.36 %; of the first year 5 of 7: 71.43 %."""
        Insight = self.env["membri.insight"]
        measures = ["member_count:sum", "renewed_count:sum", "lost_count:sum", "open_count:sum"]
        season = [("season", "=", "2026")]
        [(*counts, rate)] = Insight._read_group(season, [], [*measures, "renewal_rate:avg"])
        self.assertEqual(counts, [40, 29, 10, 1])
        self.assertAlmostEqual(rate, 74.359, 3)
        first = [*season, ("is_first_year", "=", True)]
        [(*counts, rate)] = Insight._read_group(first, [], [*measures, "renewal_rate:avg"])
        self.assertEqual(counts, [7, 5, 2, 0])
        self.assertAlmostEqual(rate, 71.429, 3)

    def test_cohorts(self):
        groups = self.env["membri.insight"]._read_group(
            [("season", "=", "2026")],
            ["cohort_year", "tenure_years"],
            ["__count", "renewed_count:sum"],
        )
        self.assertEqual(
            {(cohort, years): counts for cohort, years, *counts in groups},
            {
                (2018, 9): [1, 0],
                (2020, 7): [22, 18],
                (2022, 5): [2, 1],
                (2024, 3): [8, 5],
                (2026, 1): [7, 5],
            },
        )

    def test_money(self):
        """Before: 31 × 100 + 9 × 250. After: 21 × 110 and 7 × 260 of those who renewed, and 110 of
        the one who came back."""
        [(before, after)] = self.env["membri.insight"]._read_group(
            [("season", "=", "2026")], [], ["amount_before:sum", "amount_after:sum"]
        )
        self.assertEqual((before, after), (5350.0, 4350.0))
        self.assertEqual(self._count("set_change"), {"up": 3, "down": 2, "same": 25})

    def test_reasons_and_days(self):
        self.assertEqual(
            self._count("reason_id"),
            {
                self.reason: 2,
                self.deceased: 2,
                self.env.ref("membri_renewal.refusal_reason_terminated"): 1,
                self.env.ref("membri_renewal.refusal_reason_not_paid"): 2,
            },
        )
        rows = self._get_rows(season="2026").filtered("date_answer")
        self.assertEqual(rows.mapped("days_to_answer"), [20, 20, 20])
        # whoever has not replied has no part in the mean
        [(days,)] = self.env["membri.insight"]._read_group([], [], ["days_to_answer:avg"])
        self.assertEqual(days, 20)
        self.assertEqual(set(rows.mapped("channel")), {"staff"})

    def test_undecided_is_open_until_it_is_decided(self):
        self.assertEqual(self._get_outcome(self.asked.cotisation_id), "open")
        self.asked._do_refuse(self.reason)
        self.assertEqual(self._get_outcome(self.asked.cotisation_id), "left")

    def test_what_comes_is_the_next_season(self):
        """30 were paid for and end in 2027 or 2028: nothing is known of them yet."""
        following = self._get_rows().filtered(lambda row: row.season > "2026")
        self.assertEqual(len(following), 30)
        self.assertEqual(set(following.mapped("outcome")), {"open"})
        self.assertEqual(following.mapped("season").count("2028"), 2)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestInsight(InsightCase):
    def test_paid_on_the_portal(self):
        """Asked on the 15th, accepted on the 20th, paid on the 30th."""
        term = self._create_yearly()
        renewal = self._create_renewal(term)
        renewal.action_send()
        self.assertEqual(self._get_outcome(term), "open")
        with freeze_time("2026-11-21 03:30:00"):  # still the 20th in Toronto
            self.assertFalse(renewal._portal_accept(renewal.partner_id))
        row = self._get_rows(term)
        self.assertRecordValues(
            row, [{"outcome": "unpaid", "channel": "portal", "days_to_answer": 5, "days_to_pay": 0}]
        )
        with freeze_time("2026-11-30 15:00:00"):
            self._register_payment(
                renewal.invoice_id.with_env(self.env_account), payment_date="2026-11-30"
            )
        row = self._get_rows(term)
        self.assertRecordValues(
            row,
            [
                {
                    "partner_id": term.partner_id.id,
                    "company_id": self.company.id,
                    "option_set_id": self.yearly.id,
                    "cohort_year": 2026,
                    "tenure_years": 1,
                    "is_first_year": True,
                    "date_end": date(2026, 12, 31),
                    "outcome": "renewed",
                    "next_cotisation_id": renewal.new_cotisation_id.id,
                    "amount_after": renewal.new_cotisation_id.amount_total,
                    "days_to_pay": 15,
                    "set_change": "same",
                }
            ],
        )

    def test_money_that_goes_again(self):
        """Renewed, then the payment is undone: unpaid; credited in full: open again."""
        renewal = self._renewal_in("approved")
        term = renewal.cotisation_id
        payment = self._pay(renewal.invoice_id)
        self.assertEqual(self._get_outcome(term), "renewed")
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual(self._get_outcome(term), "unpaid")
        wizard = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=renewal.invoice_id.ids)
            .create({"journal_id": renewal.invoice_id.journal_id.id})
        )
        wizard.refund_moves()
        credit_note = renewal.invoice_id.with_env(self.env_account).reversal_move_ids
        if credit_note.state == "draft":
            credit_note.action_post()
        self.env["membri.cotisation"].search([])._sync_with_invoice()
        self.assertEqual(renewal.new_cotisation_id.state or "cancelled", "cancelled")
        self.assertEqual(self._get_outcome(term), "open")
        # the term that was credited is nobody's membership
        self.assertEqual(len(self._get_rows(partner_id=term.partner_id.id)), 1)

    def test_automatic(self):
        renewal = self._create_renewal(self._create_yearly(), mode="invoice")
        renewal.action_approve()
        self.assertEqual(self._get_rows(renewal.cotisation_id).channel, "automatic")

    def test_refused_and_reset(self):
        renewal = self._renewal_in("refused")
        row = self._get_rows(renewal.cotisation_id)
        self.assertRecordValues(
            row, [{"outcome": "left", "reason_id": self.reason.id, "channel": "staff"}]
        )
        renewal.action_reset()
        self.assertRecordValues(
            self._get_rows(renewal.cotisation_id), [{"outcome": "open", "reason_id": False}]
        )

    def test_unpaid(self):
        """Active as soon as it is approved is not paid yet; and ended unpaid is unpaid."""
        renewal = self._renewal_in("approved")
        self.assertEqual(self._get_outcome(renewal.cotisation_id), "unpaid")
        renewal.new_cotisation_id._set_state("scheduled")
        self.assertEqual(renewal.new_cotisation_id.payment_state, "not_paid")
        self.assertEqual(self._get_outcome(renewal.cotisation_id), "unpaid")
        other = self._renewal_in("approved")
        self._pay(other.invoice_id)
        self.assertEqual(self._get_outcome(other.cotisation_id), "renewed")
        renewal.action_end_unpaid()
        row = self._get_rows(renewal.cotisation_id)
        reason = self.env.ref("membri_renewal.refusal_reason_not_paid")
        self.assertRecordValues(row, [{"outcome": "unpaid", "reason_id": reason.id}])

    def test_terminated_and_deceased(self):
        """A death is told by the reason of the list, in any language, or by the word."""
        for text, outcome in (
            ("Resigned", "terminated"),
            ("deceased", "deceased"),
            ("Death of the owner", "deceased"),
            ("Décès de madame", "deceased"),
            ("A dead end", "deceased"),
            ("Deadline missed", "terminated"),
        ):
            term = self._create_yearly()
            term.action_terminate("2026-11-30", text)
            with self.subTest(text=text):
                row = self._get_rows(term)
                self.assertRecordValues(row, [{"outcome": outcome, "reason_note": text}])
        term.action_undo_termination()
        self.assertEqual(self._get_outcome(term), "open")

    def test_terminated_by_the_window(self):
        term = self._create_yearly()
        wizard = self._open_wizard(
            term.action_terminate(), date="2026-11-30", reason_id=self.reason.id
        )
        self.assertEqual(wizard.reason, self.reason.name)
        wizard.action_confirm()
        row = self._get_rows(term)
        self.assertRecordValues(row, [{"outcome": "terminated", "reason_id": self.reason.id}])

    def test_ended_and_enrolled_again(self):
        """Ended for another plan that begins at once: kept. The term of the season counts once."""
        term = self._create_yearly()
        term.action_terminate("2026-11-14", "Other plan")
        following = term.partner_id._membri_enrol(self.yearly, "2026-11-15")
        self.assertEqual(self._get_outcome(term), "terminated")
        self._pay(following.invoice_id)
        self.assertEqual(self._get_outcome(term), "renewed")

    def test_price_of_a_term_that_was_ended_early(self):
        """The price was for the whole year: the same one for another plan is the same price."""
        for price, change in ((100, "same"), (120, "up"), (80, "down")):
            member = self._create_member(f"Moves at {price}")
            terms = self.env["membri.cotisation"].create(
                self._prepare_term(member, self.yearly, 100, "2026-01-01", state="active")
            )
            terms.action_terminate("2026-06-30", "Other plan")
            terms |= self.env["membri.cotisation"].create(
                self._prepare_term(member, self.fixed, price, "2026-07-01", date_end="2027-06-30")
            )
            with self.subTest(price=price):
                self.assertRecordValues(
                    self._get_rows(terms[0]),
                    [{"outcome": "renewed", "set_change": change, "amount_before": 100.0}],
                )

    def test_an_older_debt_hides_no_newer_one(self):
        """Two terms wait for their money, one of them from before: the next one is unpaid."""
        term = self._create_yearly()
        Cotisation = self.env["membri.cotisation"]
        for day in ("2024-01-01", "2027-01-01"):
            Cotisation.create(
                self._prepare_term(term.partner_id, self.yearly, 100, day, state="pending")
            )
        self.assertEqual(self._get_outcome(term), "unpaid")

    def test_rejoined_and_unpaid(self):
        """Who enrolls in place of the renewal has not left."""
        renewal = self._renewal_in("sent")
        following = renewal.partner_id._membri_enrol(self.fixed, "2027-01-01")
        self.assertEqual(renewal.state, "refused")
        self.assertEqual(self._get_outcome(renewal.cotisation_id), "unpaid")
        self._pay(following.invoice_id)
        self.assertEqual(self._get_outcome(renewal.cotisation_id), "renewed")

    def test_lifetime(self):
        """A member for life ends no season; who becomes one is kept."""
        term = self._create_cotisation(self.member, "2025-01-01", state="expired")
        self._create_cotisation(self.member, "2026-01-01", self.for_life)
        rows = self._get_rows(partner_id=self.member.id)
        self.assertEqual(rows.cotisation_id, term)
        self.assertEqual(rows.outcome, "renewed")

    def test_monthly_once_per_season(self):
        terms = self.env["membri.cotisation"].create(
            [
                self._prepare_term(self.member, self.monthly, 10, f"2025-{month:02}-01")
                for month in range(1, 13)
            ]
        )
        rows = self._get_rows(partner_id=self.member.id)
        self.assertEqual(rows.cotisation_id, terms[-1])
        self.assertRecordValues(rows, [{"season": "2025", "outcome": "left"}])

    def test_cancelled_duplicate(self):
        """Terms and renewals that are void count for nothing."""
        term = self._create_yearly()
        self._create_renewal(term).action_cancel()
        duplicate = term.partner_id._membri_enrol(self.yearly, "2028-01-01")
        duplicate.action_cancel()
        renewal = self._create_renewal(term)
        renewal.action_send()
        rows = self._get_rows(partner_id=term.partner_id.id)
        self.assertRecordValues(rows, [{"renewal_id": renewal.id, "outcome": "open"}])

    def test_odd_lives(self):
        """Terms as an import brings them: first day, price (and last day); what the first one of
        them became, what the next one brings, and the year of membership in which it ended."""
        lives = {
            "free afterwards": ([("2025-01-01", 100), ("2026-01-01", 0)], "renewed", 0.0, 1),
            "free always": ([("2025-01-01", 0), ("2026-01-01", 0)], "renewed", 0.0, 1),
            "late, in time": ([("2025-01-01", 100), ("2026-03-01", 110)], "renewed", 110.0, 1),
            "late, too late": ([("2025-01-01", 100), ("2026-09-01", 110)], "returned", 110.0, 1),
            "history only": ([("2019-01-01", 100)], "left", 0.0, 1),
            "cut, then gone": ([("2025-01-01", 100, "2025-05-31")], "left", 0.0, 1),
            "cut, another plan": (
                [("2025-01-01", 100, "2025-05-31"), ("2025-06-01", 90, "2026-05-31")],
                "renewed",
                90.0,
                1,
            ),
            "twice in one season": (
                [("2025-01-01", 50, "2025-06-30"), ("2025-07-01", 60, "2025-12-31")],
                "left",
                0.0,
                1,
            ),
            "begun last year": (
                [("2024-11-15", 100, "2025-11-14"), ("2025-11-15", 100, "2026-11-14")],
                "renewed",
                100.0,
                1,
            ),
        }
        for life, (terms, outcome, after, years) in lives.items():
            member = self._create_member(life.replace(",", ""))
            for start, price, *last in terms:
                vals = {"date_end": last[0]} if last else {}
                self.env["membri.cotisation"].create(
                    self._prepare_term(member, self.yearly, price, start, **vals)
                )
            row = self._get_rows(partner_id=member.id).sorted("date_end")[0]
            with self.subTest(life):
                self.assertRecordValues(
                    row, [{"outcome": outcome, "amount_after": after, "tenure_years": years}]
                )

    def test_credited_in_part(self):
        """What was given back is money; the member is one, at the price of the term."""
        renewal = self._renewal_in("approved")
        invoice, total = renewal.invoice_id, renewal.new_cotisation_id.amount_total
        self._pay(invoice)
        credit = invoice.with_env(self.env_account)._reverse_moves([{"invoice_date": "2026-11-15"}])
        credit.invoice_line_ids.price_unit = 40.0
        credit.action_post()
        self._register_payment(credit)
        row = self._get_rows(renewal.cotisation_id)
        self.assertRecordValues(row, [{"outcome": "renewed", "amount_after": total}])
        check_money(self)
        money = self.env["membri.money"].search([("partner_id", "=", renewal.partner_id.id)])
        left = invoice.amount_total - credit.amount_total
        for name, amount in {"invoiced": left, "received": left, "open": 0.0}.items():
            self.assertAlmostEqual(sum(money.mapped(name)), amount, 2, name)

    def test_merge(self):
        """Two contacts that were one member: one history, in which the year was renewed."""
        double = self._create_member("Ada Boulanger bis")
        term = self._create_cotisation(double, "2025-01-01", state="expired")
        self._create_cotisation(self.member, "2026-01-01")
        with freeze_time("2027-01-15 15:00:00"):
            self.assertEqual(self._get_outcome(term), "left")
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.member + double).ids, self.member, extra_checks=False)
        self.env.invalidate_all()
        rows = self._get_rows(partner_id=self.member.id)
        self.assertEqual(rows.mapped("outcome"), ["open", "renewed"])
        self.assertEqual(set(rows.mapped("cohort_year")), {2025})

    def test_year_of_joining(self):
        """Typed or imported, else the first term's; the first year only the first time."""
        self.member.membri_member_since = "2010-05-01"
        self._create_cotisation(self.member, "2025-01-01", state="expired")
        self._create_cotisation(self.member, "2026-01-01")
        rows = self._get_rows(partner_id=self.member.id)
        self.assertEqual(rows.mapped("cohort_year"), [2010, 2010])
        self.assertEqual(rows.mapped("tenure_years"), [17, 16])
        self.assertFalse(any(rows.mapped("is_first_year")))
        other = self._create_member("New in July")
        self._create_cotisation(other, "2025-07-01", self.fixed, state="expired")
        self._create_cotisation(other, "2026-01-01", self.fixed)
        rows = self._get_rows(partner_id=other.id)
        self.assertEqual(rows.mapped("tenure_years"), [2, 1])
        self.assertEqual(rows.mapped("is_first_year"), [False, True])

    def test_companies_and_access(self):
        term = self._create_yearly()
        for user in (self.officer, self.manager, self.auditor):
            self.assertEqual(self._get_rows(term, user).outcome, "open")
        accountant = new_test_user(
            self.env_root,
            "accountant",
            "account.group_account_user",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        self.assertEqual(self._get_rows(term, accountant).outcome, "open")
        note = self.env["membri.insight"].with_user(accountant)
        self.assertFalse(note._has_field_access(note._fields["reason_note"], "read"))
        self.assertTrue(
            note.with_user(self.auditor)._has_field_access(note._fields["reason_note"], "read")
        )
        portal = new_test_user(self.env_root, "portal", "base.group_portal")
        for user in (self.employee, portal):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._get_rows(term, user)
        for operation in ("write", "create", "unlink"):
            self.assertFalse(
                self.env["membri.insight"].with_user(self.manager).has_access(operation)
            )
        other = self._create_other_company("Other chapter", "UTC")
        rows = self.env["membri.insight"].with_context(allowed_company_ids=other.ids)
        self.assertFalse(rows.search([]))

    # ------------------------------------------------------------------
    # Kept rows (point 7): _get_rows() checks each time that they are not old
    # ------------------------------------------------------------------

    def test_settings_change(self):
        """What is set elsewhere changes figures that were kept: grace, zone, joining, a reason
        that is a death."""
        plan = self.yearly.with_env(self.env_root)
        plan.grace_days = 30
        term = self._create_cotisation(self.member, "2025-01-01", state="expired")
        self._create_cotisation(self.member, "2026-04-05")
        ended = self._create_yearly()
        ended.action_terminate("2026-11-30", self.reason.name)
        ended._internal_write({"termination_reason_id": self.reason.id})
        asked = self._renewal_in("sent")
        asked._internal_write({"date_sent": "2026-11-14 03:30:00"})
        self.assertEqual(self._get_outcome(term), "returned")
        self.assertEqual(self._get_outcome(ended), "terminated")
        self.assertEqual(self._get_rows(asked.cotisation_id).date_notice, date(2026, 11, 13))
        plan.grace_days = 60
        self.assertEqual(self._get_outcome(term), "renewed")
        self.reason.sudo().is_death = True
        self.assertEqual(self._get_outcome(ended), "deceased")
        self.company.sudo().membri_tz = "UTC"
        self.assertEqual(self._get_rows(asked.cotisation_id).date_notice, date(2026, 11, 14))
        self.member.membri_member_since = "2001-01-01"
        self.assertEqual(self._get_rows(term).cohort_year, 2001)

    def test_calendar_turns(self):
        """Nothing is recorded, and yet who was open has left: the last day on which it is true is
        kept with the row."""
        term = self._create_cotisation(self.member, "2025-12-01", state="expired")
        until = term.date_end + timedelta(days=1 + self.yearly.grace_days + CATCH_UP_DAYS)
        for days, outcome in ((0, "open"), (1, "left")):
            with freeze_time(f"{until + timedelta(days=days)} 15:00:00"):
                self.assertEqual(self._get_outcome(term), outcome)

    def test_rates_change(self):
        """Amounts in another currency are worth what its rate of today says."""
        currency = self.env_root.ref("base.EUR")
        currency.active = True
        term = self.env["membri.cotisation"].create(
            self._prepare_term(self.member, self.yearly, 100, "2026-01-01", state="active")
        )
        term._internal_write({"currency_id": currency.id})
        for rate in (2.0, 4.0):
            self.env_root["res.currency.rate"].create(
                {
                    "currency_id": currency.id,
                    "company_id": self.company.id,
                    "name": f"2026-11-{10 + rate:.0f}",
                    "rate": rate,
                }
            )
            self.assertAlmostEqual(self._get_rows(term).amount_before, 100 / rate, 2)

    def test_a_rate_that_counts_for_nobody(self):
        """Of a rate, only those are computed anew whose amounts it changes."""
        euro, pound = (self.env_root.ref(f"base.{name}") for name in ("EUR", "GBP"))
        (euro | pound).active = True
        Insight = self.env["membri.insight"]

        def record(currency, day, company=self.company):
            return self.env_root["res.currency.rate"].create(
                {"currency_id": currency.id, "company_id": company.id, "name": day, "rate": 2.0}
            )

        term, home = self._create_yearly(), self._create_yearly()
        term._internal_write({"currency_id": euro.id})
        today = record(euro, "2026-11-10")
        Insight._keep(Insight._get_stale())
        other = self._create_other_company("Chapter", "America/Toronto")
        before, after = record(euro, "2026-11-01"), record(euro, "2026-11-16")
        record(pound, "2026-11-15")
        record(euro, "2026-11-15", other)
        before.rate = after.rate = 3.0
        before.unlink()
        self.assertFalse(Insight._get_stale())
        today.rate = 4.0
        self.assertEqual(Insight._get_stale(), [(term.partner_id.id, self.company.id)])
        self.assertAlmostEqual(self._get_rows(term).amount_before, term.amount_total / 4, 2)
        today.unlink()  # the first one that is known counts for the days before it
        self.assertAlmostEqual(self._get_rows(term).amount_before, term.amount_total / 3, 2)
        record(euro, "2026-11-12")
        self.assertAlmostEqual(self._get_rows(term).amount_before, term.amount_total / 2, 2)
        with freeze_time("2026-11-16 15:00:00"):  # the day of a rate that was known before
            self.assertAlmostEqual(self._get_rows(term).amount_before, term.amount_total / 3, 2)
        self.assertNotIn((home.partner_id.id, self.company.id), Insight._get_stale())

    def test_whoever_writes(self):
        """SQL of others, as of a merge of contacts, is noted by the database."""
        term = self._create_yearly()
        other = self._create_member("Other")
        self.assertEqual(self._get_rows(term).partner_id, term.partner_id)
        self.env.cr.execute(
            "UPDATE membri_cotisation SET partner_id = %s WHERE id = %s", [other.id, term.id]
        )
        self.assertEqual(self._get_rows(term).partner_id, other)
        self.env.cr.execute("DELETE FROM membri_cotisation WHERE id = %s", [term.id])
        self.assertFalse(self._get_rows(partner_id=other.id))

    def test_scheduled_action(self):
        """Batches, one after the other; nobody's figures are old when it is done."""
        terms = self._create_yearly() + self._create_yearly()
        self.patch(insight, "BATCH", 1)
        self.assertGreater(len(self.env["membri.insight"]._get_stale()), 1)
        with self.enter_registry_test_mode():
            self.env_root.ref("membri_renewal.ir_cron_keep_figures").method_direct_trigger()
        self.assertFalse(self.env["membri.insight"]._get_stale())
        self.assertEqual(set(self._get_rows(terms).mapped("outcome")), {"open"})

    def test_read_without_a_search(self):
        """The name of one row is not lost while another one is read; and a search after a change
        finds what is now."""
        terms = self._create_yearly() + self._create_yearly()
        rows = self._get_rows(terms)
        rows.mapped("partner_id")
        rows[1].invalidate_recordset(["partner_id"], flush=False)
        self.assertEqual(rows.mapped("display_name"), rows.partner_id.mapped("display_name"))
        self._create_renewal(rows[0].cotisation_id)._do_refuse(self.reason)
        self.assertEqual(rows.search([("id", "=", rows[0].id)]).outcome, "left")

    def test_every_figure_opens_its_members(self):
        terms = self._create_yearly() + self._create_yearly()
        rows = self._get_rows(terms)
        action = rows.action_open_members()
        self.assertEqual(action["res_model"], "res.partner")
        self.assertEqual(rows[0].action_open_member()["res_id"], rows[0].partner_id.id)
