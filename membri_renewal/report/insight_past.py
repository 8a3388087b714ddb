"""The figures as they were on a day of the past: the same query, of the terms and renewals as they
were known on that day. What was recorded afterwards (payments, terminations, credits, replies) is
not in them.

- ``late``: invoices that money came for after the day. Whatever is paid by now, and not late, was.
- A term without an invoice (imported, or entered by hand) is known from its first day on.
- When a termination was entered is not kept: it is known from the last day of membership on.
"""

PAST_TERMS = """
(
    WITH late AS (
        SELECT line.move_id
          FROM account_partial_reconcile partial
          JOIN account_move_line item ON item.id = partial.credit_move_id AND item.date > %(day)s
          JOIN account_move entry ON entry.id = item.move_id AND entry.move_type != 'out_refund'
          JOIN account_move_line line ON line.id = partial.debit_move_id
         UNION
        SELECT link.invoice_id
          FROM account_payment payment
          JOIN account_move__account_payment link ON link.payment_id = payment.id
         WHERE payment.date > %(day)s
           AND payment.move_id IS NULL
           AND payment.state IN ('in_process', 'paid')
    )
    SELECT term.id, term.partner_id, term.company_id, term.option_set_id, term.currency_id,
           term.date_start,
           CASE
               WHEN term.date_terminated > %(day)s AND NOT COALESCE(option_set.lifetime, FALSE)
               THEN COALESCE(term.date_end_agreed, term.date_end)
               WHEN term.date_terminated > %(day)s THEN term.date_end_agreed
               ELSE term.date_end
           END AS date_end,
           term.amount_total, term.invoice_id, term.origin,
           CASE WHEN late.move_id IS NOT NULL AND option_set.activation = 'approved'
                THEN 'not_paid' ELSE term.payment_state
           END AS payment_state,
           term.date_end_agreed,
           CASE WHEN term.date_terminated <= %(day)s THEN term.date_terminated
           END AS date_terminated,
           CASE WHEN term.date_terminated <= %(day)s THEN term.termination_reason
           END AS termination_reason,
           CASE WHEN term.date_terminated <= %(day)s THEN term.termination_reason_id
           END AS termination_reason_id,
           CASE
               WHEN known.since > %(day)s THEN 'cancelled'
               WHEN term.state IN ('scheduled', 'active', 'expired')
                AND (late.move_id IS NULL OR option_set.activation = 'approved')
               THEN 'active'
               WHEN term.state IN ('scheduled', 'active', 'expired')
                AND option_set.activation = 'first_part'
                AND first_money.day <= %(day)s THEN 'active'
               WHEN term.state IN ('pending', 'cancelled')
                AND term.date_deactivated > %(day)s
                AND COALESCE(term.date_activated, term.date_start) <= %(day)s THEN 'active'
               WHEN term.state = 'cancelled' AND term.date_deactivated IS NULL THEN 'cancelled'
               ELSE 'pending'
           END AS state
      FROM membri_cotisation term
      JOIN membri_option_set option_set ON option_set.id = term.option_set_id
 LEFT JOIN account_move invoice ON invoice.id = term.invoice_id
 LEFT JOIN late ON late.move_id = term.invoice_id
CROSS JOIN LATERAL (
               SELECT CASE
                          WHEN invoice.id IS NULL THEN term.date_start
                          ELSE LEAST(invoice.invoice_date, term.date_activated)
                      END AS since
           ) known
CROSS JOIN LATERAL (
               SELECT CASE
                          WHEN option_set.activation = 'first_part' AND late.move_id IS NOT NULL
                          THEN (
                                  SELECT MIN(item.date)
                                    FROM account_move_line line
                                    JOIN account_partial_reconcile partial
                                      ON partial.debit_move_id = line.id
                                    JOIN account_move_line item
                                      ON item.id = partial.credit_move_id
                                   WHERE line.move_id = term.invoice_id
                               )
                      END AS day
           ) first_money
     WHERE term.company_id = %(company)s
)
"""

PAST_RENEWALS = """
(
    SELECT renewal.id, renewal.cotisation_id, renewal.mode, renewal.reminder_count,
           renewal.is_answered_online AND renewal.date_answer < %(night)s AS is_answered_online,
           CASE WHEN renewal.date_sent < %(night)s THEN renewal.date_sent END AS date_sent,
           CASE WHEN renewal.date_answer < %(night)s THEN renewal.date_answer END AS date_answer,
           CASE WHEN renewal.date_approved < %(night)s THEN renewal.date_approved
           END AS date_approved,
           CASE WHEN renewal.date_refused < %(night)s THEN renewal.date_refused
           END AS date_refused,
           CASE WHEN renewal.state = 'refused' AND renewal.date_refused < %(night)s
                THEN renewal.refusal_reason_id
           END AS refusal_reason_id,
           CASE
               WHEN renewal.state = 'approved' AND renewal.date_approved >= %(night)s THEN 'sent'
               WHEN renewal.state = 'refused' AND renewal.date_refused >= %(night)s THEN 'sent'
               ELSE renewal.state
           END AS state
      FROM membri_renewal renewal
     WHERE LEAST(renewal.date_sent, renewal.date_approved, renewal.date_refused,
                 renewal.create_date) < %(night)s
       AND renewal.company_id = %(company)s
)
"""
