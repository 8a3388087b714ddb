"""The query of the figures, read from top to bottom. What each figure means is said in
``docs/figures.md``.

- ``asked``: the members that are asked about. ``terms`` and ``renewals`` are the tables, or what
  was in them on a day of the past (``insight_past.py``).
- ``timeline``: their terms that were paid for, each with the one that follows it; what a price was
  for is the whole term, though it may have ended early.
- ``unpaid``: of each member the first days of the terms that wait for their money.
- ``term``: the last term of each member in each season (the year of the last day), with what was
  asked for it, until when a next one counts as renewed, and what became of it.
- ``paid``: on which day the money of the next invoice was complete; credit notes are no money.

``joined_count`` is 1 once for each member and year of joining: it counts who joined in it.
``counted_from`` and ``life_from`` say in which years the member was one by this row and by no
other: from the first of them to the season, and, for whom a term for life follows, from the second
on.
The columns that most screens count come first: the nearer, the sooner they are read.
``valid_until`` is the last day on which a row is true without anything being recorded: an undecided
one turns with the calendar, another currency with its rate. ``kept_mixin.py`` keeps the rows.
"""

INSIGHT_QUERY = """
WITH asked AS (
    %(asked)s
), timeline AS (
    SELECT id, partner_id, company_id, option_set_id, currency_id, date_start, date_end,
           amount_total, date_terminated, termination_reason, termination_reason_id,
           CASE WHEN date_terminated IS NULL THEN date_end
                ELSE COALESCE(date_end_agreed, date_end) END AS priced_end,
           LEAD(CASE WHEN date_terminated IS NULL THEN date_end
                     ELSE COALESCE(date_end_agreed, date_end) END) OVER in_order AS next_priced_end,
           FIRST_VALUE(date_start) OVER in_order AS first_day,
           MIN(date_start) OVER (
               PARTITION BY partner_id, company_id, EXTRACT(YEAR FROM date_end)
           ) AS season_start,
           LEAD(id) OVER in_order AS next_id,
           LEAD(date_start) OVER in_order AS next_start,
           LEAD(date_end) OVER in_order AS next_end,
           LEAD(option_set_id) OVER in_order AS next_set_id,
           LEAD(amount_total) OVER in_order AS next_amount,
           LEAD(currency_id) OVER in_order AS next_currency_id,
           LEAD(invoice_id) OVER in_order AS next_invoice_id,
           LEAD(payment_state) OVER in_order AS next_payment_state,
           LEAD(origin) OVER in_order AS next_origin
      FROM %(terms)s term
     WHERE state IN ('scheduled', 'active', 'expired')
       AND (partner_id, company_id) IN (SELECT partner_id, company_id FROM asked)
    WINDOW in_order AS (PARTITION BY partner_id, company_id ORDER BY date_start, id)
), unpaid AS (
    SELECT partner_id, company_id, ARRAY_AGG(date_start) AS days
      FROM %(terms)s term
     WHERE state = 'pending'
       AND (partner_id, company_id) IN (SELECT partner_id, company_id FROM asked)
  GROUP BY partner_id, company_id
), term AS (
    SELECT timeline.*, company.currency_id AS company_currency_id, option_set.type_id,
           renewal.id AS renewal_id, renewal.state AS renewal_state,
           renewal.reminder_count, renewal.mode, renewal.is_answered_online,
           renewal.date_answer, renewal.date_approved,
           notice.day AS notice_day, answer.day AS answer_day,
           since.day AS since, AGE((timeline.date_end + 1)::timestamp, since.day::timestamp) AS age,
           reason.id AS reason_id,
           CASE
               WHEN timeline.next_start <= counted.until
                AND timeline.next_payment_state = 'not_paid' THEN 'unpaid'
               WHEN timeline.next_start <= counted.until THEN 'renewed'
               WHEN timeline.next_start IS NOT NULL
                AND timeline.next_payment_state IS DISTINCT FROM 'not_paid' THEN 'returned'
               WHEN timeline.date_terminated IS NOT NULL AND reason.is_death THEN 'deceased'
               WHEN timeline.date_terminated IS NOT NULL THEN 'terminated'
               WHEN EXISTS (
                        SELECT 1 FROM UNNEST(unpaid.days) pending (day)
                         WHERE pending.day > timeline.date_end AND pending.day <= counted.until
                    ) THEN 'unpaid'
               WHEN renewal.state = 'refused' AND reason.is_death THEN 'deceased'
               WHEN renewal.state = 'refused' AND reason.id = ANY(%(unpaid)s) THEN 'unpaid'
               WHEN renewal.state = 'refused'
                AND (reason.id != %(rejoined)s OR counted.until < today.day) THEN 'left'
               WHEN renewal.state = 'approved' THEN 'unpaid'
               WHEN renewal.state != 'refused' OR today.day <= counted.until THEN 'open'
               ELSE 'left'
           END AS outcome,
           counted.until,
           LAG(EXTRACT(YEAR FROM since.day)) OVER (
               PARTITION BY timeline.partner_id, timeline.company_id
                   ORDER BY timeline.date_start, timeline.id
           ) AS cohort_before,
           LAG(EXTRACT(YEAR FROM timeline.date_end)) OVER (
               PARTITION BY timeline.partner_id, timeline.company_id
                   ORDER BY timeline.date_start, timeline.id
           ) AS season_before
      FROM timeline
      JOIN res_company company ON company.id = timeline.company_id
      JOIN res_partner partner ON partner.id = timeline.partner_id
      JOIN membri_option_set option_set ON option_set.id = timeline.option_set_id
      JOIN (VALUES %(today)s) today (company_id, day) ON today.company_id = timeline.company_id
 LEFT JOIN %(renewals)s renewal ON renewal.cotisation_id = timeline.id
                                 AND renewal.state != 'cancelled'
 LEFT JOIN membri_refusal_reason reason
        ON reason.id = COALESCE(timeline.termination_reason_id, renewal.refusal_reason_id,
                                CASE WHEN timeline.date_terminated IS NOT NULL
                                     THEN %(terminated)s END)
 LEFT JOIN unpaid ON unpaid.partner_id = timeline.partner_id
                 AND unpaid.company_id = timeline.company_id
CROSS JOIN LATERAL (
               SELECT timeline.date_end + 1 + option_set.grace_days + %(catch_up)s AS until
           ) counted
CROSS JOIN LATERAL (
               SELECT partner.membri_member_since->>(timeline.company_id::text) AS day
           ) typed
CROSS JOIN LATERAL (
               SELECT CASE
                          WHEN typed.day ~ '^[0-9]{4}-' AND typed.day::date <= timeline.date_end
                          THEN typed.day::date
                          ELSE timeline.first_day
                      END AS day
           ) since
CROSS JOIN LATERAL (
               SELECT (COALESCE(renewal.date_sent, renewal.date_approved)
                       AT TIME ZONE 'UTC' AT TIME ZONE company.membri_tz)::date AS day
           ) notice
CROSS JOIN LATERAL (
               SELECT CASE
                          WHEN renewal.date_sent IS NOT NULL
                           AND (renewal.state != 'refused'
                                OR renewal.date_answer IS NOT NULL
                                OR renewal.refusal_reason_id != ALL(%(by_program)s))
                          THEN (COALESCE(renewal.date_answer, renewal.date_approved,
                                         renewal.date_refused)
                                AT TIME ZONE 'UTC' AT TIME ZONE company.membri_tz)::date
                      END AS day
           ) answer
     WHERE timeline.date_end IS NOT NULL
       AND (timeline.next_end IS NULL
            OR EXTRACT(YEAR FROM timeline.next_end) != EXTRACT(YEAR FROM timeline.date_end))
)
SELECT term.id, term.partner_id, term.company_id, term.option_set_id,
       EXTRACT(YEAR FROM term.since)::integer AS cohort_year, tenure.years AS tenure_years,
       1 AS member_count,
       (term.outcome = 'renewed')::integer AS renewed_count,
       (term.outcome IN ('left', 'unpaid', 'terminated', 'deceased', 'returned'))::integer
           AS lost_count,
       (term.outcome = 'open')::integer AS open_count,
       (tenure.years = 1 OR term.since >= term.date_start) AS is_first_year,
       (term.cohort_before IS DISTINCT FROM EXTRACT(YEAR FROM term.since))::integer
           AS joined_count,
       GREATEST(EXTRACT(YEAR FROM term.season_start), term.season_before + 1)::integer
           AS counted_from,
       CASE WHEN followed.id IS NOT NULL AND term.next_end IS NULL
            THEN GREATEST(EXTRACT(YEAR FROM term.next_start),
                          EXTRACT(YEAR FROM term.date_end) + 1)::integer
       END AS life_from,
       term.notice_day IS NOT NULL AS is_notified,
       EXTRACT(YEAR FROM term.date_end)::integer::varchar AS season,
       term.outcome,
       CASE term.outcome WHEN 'renewed' THEN 100.0 WHEN 'open' THEN NULL ELSE 0.0 END::float8
           AS renewal_rate,
       term.id AS cotisation_id, term.company_currency_id AS currency_id, term.type_id,
       term.renewal_id, followed.id AS next_cotisation_id, followed.set_id AS next_option_set_id,
       term.date_start, term.date_end, term.since AS member_since,
       CASE WHEN term.outcome = 'unpaid'
            THEN COALESCE(CASE WHEN term.reason_id != ALL(%(by_program)s) THEN term.reason_id END,
                          unpaid_reason.id)
            WHEN term.outcome IN ('left', 'terminated', 'deceased')
            THEN term.reason_id END AS reason_id,
       CASE WHEN term.outcome IN ('terminated', 'deceased')
            THEN term.termination_reason END AS reason_note,
       CASE
           WHEN term.is_answered_online THEN 'portal'
           WHEN term.renewal_state = 'approved' AND term.mode = 'invoice' THEN 'automatic'
           WHEN term.renewal_state IN ('approved', 'refused') OR term.date_answer IS NOT NULL
             OR (term.renewal_id IS NULL AND term.outcome IN ('renewed', 'returned')
                 AND term.next_origin = 'enrolment')
           THEN 'staff'
       END AS channel,
       COALESCE(term.reminder_count, 0) AS reminder_count,
       term.notice_day AS date_notice, term.answer_day AS date_answer,
       paid.day AS date_paid,
       CASE WHEN term.answer_day IS NOT NULL AND term.notice_day IS NOT NULL
            THEN GREATEST(0, term.answer_day - term.notice_day) END AS days_to_answer,
       CASE WHEN paid.day IS NOT NULL AND term.notice_day IS NOT NULL
            THEN GREATEST(0, paid.day - term.notice_day) END AS days_to_pay,
       price.before AS amount_before, price.after AS amount_after,
       price.after - price.before AS amount_change,
       CASE
           WHEN followed.id IS NULL THEN NULL
           WHEN followed.set_id = term.option_set_id THEN 'same'
           WHEN daily.after > daily.before * 1.005 THEN 'up'
           WHEN daily.after < daily.before * 0.995 THEN 'down'
           ELSE 'same'
       END AS set_change,
       foreign_price.is_foreign,
       CASE
           WHEN foreign_price.is_foreign THEN today.day
           WHEN term.outcome = 'open'
            AND COALESCE(term.renewal_state, 'refused') = 'refused' THEN term.until
       END AS valid_until
  FROM term
  JOIN (VALUES %(today)s) today (company_id, day) ON today.company_id = term.company_id
 LEFT JOIN (VALUES %(rates)s) rate (company_id, currency_id, factor)
        ON rate.company_id = term.company_id AND rate.currency_id = term.currency_id
 LEFT JOIN (VALUES %(rates)s) next_rate (company_id, currency_id, factor)
        ON next_rate.company_id = term.company_id
       AND next_rate.currency_id = term.next_currency_id
CROSS JOIN (SELECT NULLIF((%(unpaid)s)[1], 0) AS id) unpaid_reason
CROSS JOIN LATERAL (
    SELECT CASE WHEN term.outcome IN ('renewed', 'returned') THEN term.next_id END AS id,
           CASE WHEN term.outcome IN ('renewed', 'returned') THEN term.next_set_id END AS set_id
) followed
CROSS JOIN LATERAL (
    SELECT CASE
               WHEN followed.id IS NOT NULL AND term.next_payment_state IN ('paid', 'in_payment')
               THEN (
                       SELECT MAX(money.day)
                         FROM (
                                  SELECT item.date AS day
                                    FROM account_move_line receivable
                                    JOIN account_move invoice
                                      ON invoice.id = receivable.move_id
                                     AND invoice.membri_invoice_type IS NOT NULL
                                    JOIN account_partial_reconcile partial
                                      ON partial.debit_move_id = receivable.id
                                    JOIN account_move_line item
                                      ON item.id = partial.credit_move_id
                                    JOIN account_move entry ON entry.id = item.move_id
                                                           AND entry.move_type != 'out_refund'
                                   WHERE receivable.move_id = term.next_invoice_id
                                   UNION ALL
                                  SELECT payment.date
                                    FROM account_move__account_payment link
                                    JOIN account_payment payment ON payment.id = link.payment_id
                                   WHERE link.invoice_id = term.next_invoice_id
                                     AND payment.move_id IS NULL
                                     AND payment.state IN ('in_process', 'paid')
                              ) money
                    )
           END AS day
    OFFSET 0  -- asked once, though it is told twice
) paid
CROSS JOIN LATERAL (
    SELECT term.currency_id != term.company_currency_id
           OR followed.id IS NOT NULL AND term.next_currency_id != term.company_currency_id
           AS is_foreign
) foreign_price
CROSS JOIN LATERAL (
    SELECT ROUND((term.amount_total * COALESCE(rate.factor, 1))::numeric, 2) AS before,
           CASE WHEN followed.id IS NULL THEN 0
                ELSE ROUND((term.next_amount * COALESCE(next_rate.factor, 1))::numeric, 2)
           END AS after
) price
CROSS JOIN LATERAL (
    SELECT price.before / CASE WHEN term.next_priced_end IS NULL THEN 1
                               ELSE term.priced_end - term.date_start + 1 END AS before,
           price.after / CASE WHEN term.next_priced_end IS NULL THEN 1
                              ELSE term.next_priced_end - term.next_start + 1 END AS after
) daily
CROSS JOIN LATERAL (
    SELECT GREATEST(
               1,
               EXTRACT(YEAR FROM term.age)::integer
               + (term.age > MAKE_INTERVAL(years => EXTRACT(YEAR FROM term.age)::integer))::integer
           ) AS years
) tenure
"""
