"""The query of the reconciliation report, read from top to bottom; ``SHARES`` is that of the
aged memberships, too. Of some members only, it is ``get_reconciliation_query(OF_ASKED)``: the
documents are then those that share anything out among them, with all that were made to reverse
these, whoever's they are.

- ``tied``: what each posted document bills for each cotisation, in its own currency.
- ``document``: the posted membership invoices and credit notes, with the totals that Odoo keeps
  from their journal items, in the currency of the company.
- ``weight``: the parts of each document; 0 stands for lines that no cotisation is behind. However
  the taxes are rounded, the parts are what the total is shared out by.
- ``refund_share``, ``invoice_share``: each part in the currency of the company. Shares are
  differences of rounded running sums, so that they add up to the document's total exactly.
- ``gone``: who was taken off a shared invoice by a credit note had exactly what that one took
  back; the cents of the rounding are those of the others.
- ``settled``: what settled credit notes took off the invoices that they reverse: what is open
  on such an invoice belongs to the others.
- ``opened``: the same running sums for what is open, received and written off.
- ``late``, ``late_share``: what of it was due before the company's own day, part by part of the
  payment terms, shared out in the same way.
- ``settled_by_draft``: invoices that a payment or a credit note settles which is a draft again:
  to Odoo, what is open of them is what it was.
- ``money``: all of it per cotisation, and what its documents come to in their own currency
  (``own``); ``valued``: one row of the report each. A term whose price
  before taxes is the one on its invoice (``billed``), with the same taxes but for their rounding,
  is expected to bring in what stands there.
"""

# of everybody
OF_ALL = {
    "asked": "",
    "of_line": "TRUE",
    "of_document": "TRUE",
    "of_term": "TRUE",
    "of_renewal": "TRUE",
    "of_rest": "TRUE",
    "of_late": "TRUE",
    "line_of_document": "account_move_line",
}
# of the members whose ids the parameter ``asked`` selects
OF_ASKED = {
    "asked": """asked AS MATERIALIZED (
    SELECT partner_id FROM (%(asked)s) member
), document_of AS (
    SELECT move.id
      FROM account_move move
     WHERE move.partner_id IN (SELECT partner_id FROM asked)
       AND move.membri_invoice_type IS NOT NULL
     UNION
    SELECT line.move_id
      FROM membri_cotisation cotisation
      JOIN account_move_line line ON line.membri_cotisation_id = cotisation.id
     WHERE cotisation.partner_id IN (SELECT partner_id FROM asked)
), reversal AS (
    SELECT id FROM account_move WHERE reversed_entry_id IN (SELECT id FROM document_of)
), again AS (
    SELECT id FROM account_move WHERE reversed_entry_id IN (SELECT id FROM reversal)
), family AS (
    SELECT id FROM document_of
     UNION
    SELECT id FROM reversal
     UNION
    SELECT id FROM again
     UNION
    SELECT id FROM account_move WHERE reversed_entry_id IN (SELECT id FROM again)
), """,
    "of_line": "line.move_id IN (SELECT id FROM family)",
    "of_document": "move.id IN (SELECT id FROM family)",
    "of_term": "cotisation.partner_id IN (SELECT partner_id FROM asked)",
    "of_renewal": "renewal.partner_id IN (SELECT partner_id FROM asked)",
    "of_rest": "move.partner_id IN (SELECT partner_id FROM asked)",
    # nobody asks what of theirs is overdue
    "of_late": "FALSE",
    # document by document: of few, the database would read all lines
    "line_of_document": """LATERAL (
                SELECT item.move_id, item.display_type, item.membri_cotisation_id, item.price_total
                  FROM account_move_line item
                 WHERE item.move_id = document.id
                OFFSET 0
            )""",
}

SHARES_OF = """
WITH {asked}tied AS (
    SELECT line.move_id, line.membri_cotisation_id AS cotisation_id,
           SUM(line.price_total) AS amount, SUM(line.price_subtotal) AS untaxed,
           COUNT(*) AS lines
      FROM account_move_line line
     WHERE line.membri_cotisation_id IS NOT NULL
       AND line.display_type = 'product'
       AND line.parent_state = 'posted'
       AND {of_line}
  GROUP BY line.move_id, line.membri_cotisation_id
), document AS (
    SELECT move.id, move.move_type, move.reversed_entry_id, move.company_id,
           COALESCE(move.amount_total_signed, 0) AS total,
           COALESCE(move.amount_residual_signed, 0) AS residual,
           COALESCE(move.membri_amount_received, 0) AS received,
           COALESCE(move.membri_amount_written_off, 0) AS written_off,
           COALESCE(currency.decimal_places, 2) AS digits
      FROM account_move move
      JOIN res_company company ON company.id = move.company_id
      JOIN res_currency currency ON currency.id = company.currency_id
     WHERE move.state = 'posted'
       AND move.membri_invoice_type IS NOT NULL
       AND move.move_type IN ('out_invoice', 'out_refund')
       AND {of_document}
), weight AS (
    SELECT tied.move_id, tied.cotisation_id, tied.amount
      FROM tied
     UNION ALL
    SELECT document.id, 0, COALESCE(SUM(line.price_total), 0)
      FROM document
 LEFT JOIN {line_of_document} line ON line.move_id = document.id
                                 AND line.display_type = 'product'
                                 AND line.membri_cotisation_id IS NULL
  GROUP BY document.id
    HAVING COALESCE(SUM(line.price_total), 0) != 0
        OR NOT EXISTS (SELECT 1 FROM tied WHERE tied.move_id = document.id)
), refund_running AS (
    SELECT weight.move_id, weight.cotisation_id, weight.amount,
           SUM(weight.amount) OVER up_to_here AS up_to,
           SUM(weight.amount) OVER (PARTITION BY weight.move_id) AS whole
      FROM weight
      JOIN document ON document.id = weight.move_id AND document.move_type = 'out_refund'
    WINDOW up_to_here AS (PARTITION BY weight.move_id ORDER BY weight.cotisation_id)
), refund_share AS (
    SELECT refund_running.move_id, refund_running.cotisation_id, document.reversed_entry_id,
           COALESCE(
               ROUND(
                   document.total * refund_running.up_to / NULLIF(refund_running.whole, 0),
                   document.digits
               )
               - ROUND(
                   document.total * (refund_running.up_to - refund_running.amount)
                   / NULLIF(refund_running.whole, 0),
                   document.digits
               ),
               0
           ) AS invoiced
      FROM refund_running
      JOIN document ON document.id = refund_running.move_id
), taken_back AS (
    SELECT refund_share.reversed_entry_id AS move_id, refund_share.cotisation_id,
           SUM(refund_share.invoiced) AS invoiced, SUM(tied.untaxed) AS untaxed
      FROM refund_share
      JOIN tied ON tied.move_id = refund_share.move_id
               AND tied.cotisation_id = refund_share.cotisation_id
     WHERE refund_share.reversed_entry_id IS NOT NULL
  GROUP BY refund_share.reversed_entry_id, refund_share.cotisation_id
), gone AS (
    SELECT taken_back.move_id, taken_back.cotisation_id, -taken_back.invoiced AS invoiced
      FROM taken_back
      JOIN tied ON tied.move_id = taken_back.move_id
               AND tied.cotisation_id = taken_back.cotisation_id
               AND tied.untaxed = taken_back.untaxed
     WHERE EXISTS (
               SELECT 1
                 FROM weight other
            LEFT JOIN taken_back other_back ON other_back.move_id = other.move_id
                                           AND other_back.cotisation_id = other.cotisation_id
                WHERE other.move_id = taken_back.move_id
                  AND other.cotisation_id != taken_back.cotisation_id
                  AND other_back.move_id IS NULL
           )
), running AS (
    SELECT weight.move_id, weight.cotisation_id, weight.amount,
           SUM(weight.amount) OVER up_to_here AS up_to,
           SUM(weight.amount) OVER (PARTITION BY weight.move_id) AS whole
      FROM weight
      JOIN document ON document.id = weight.move_id AND document.move_type = 'out_invoice'
 LEFT JOIN gone ON gone.move_id = weight.move_id AND gone.cotisation_id = weight.cotisation_id
     WHERE gone.move_id IS NULL
    WINDOW up_to_here AS (PARTITION BY weight.move_id ORDER BY weight.cotisation_id)
), gone_total AS (
    SELECT move_id, SUM(invoiced) AS invoiced
      FROM gone
  GROUP BY move_id
), invoice_share AS (
    SELECT running.move_id, running.cotisation_id,
           COALESCE(
               ROUND(left_over.total * running.up_to / NULLIF(running.whole, 0), document.digits)
               - ROUND(
                   left_over.total * (running.up_to - running.amount)
                   / NULLIF(running.whole, 0),
                   document.digits
               ),
               0
           ) AS invoiced
      FROM running
      JOIN document ON document.id = running.move_id
 LEFT JOIN gone_total ON gone_total.move_id = running.move_id
CROSS JOIN LATERAL (
               SELECT document.total - COALESCE(gone_total.invoiced, 0) AS total
           ) left_over
     UNION ALL
    SELECT move_id, cotisation_id, invoiced
      FROM gone
), share AS (
    SELECT part.move_id, part.cotisation_id, part.invoiced,
           document.move_type, document.reversed_entry_id, document.company_id,
           document.total, document.residual, document.received, document.written_off,
           document.digits
      FROM (
               SELECT move_id, cotisation_id, invoiced
                 FROM invoice_share
                UNION ALL
               SELECT move_id, cotisation_id, invoiced
                 FROM refund_share
           ) part
      JOIN document ON document.id = part.move_id
), settled AS (
    SELECT share.reversed_entry_id AS move_id, share.cotisation_id,
           SUM(share.invoiced * (share.total - share.residual) / NULLIF(share.total, 0)) AS amount
      FROM share
     WHERE share.reversed_entry_id IS NOT NULL
  GROUP BY share.reversed_entry_id, share.cotisation_id
), open_weight AS (
    SELECT share.*,
           share.invoiced + COALESCE(settled.amount, 0) AS owed,
           SUM(share.invoiced + COALESCE(settled.amount, 0)) OVER (PARTITION BY share.move_id)
               AS owed_whole
      FROM share
 LEFT JOIN settled ON settled.move_id = share.move_id
                  AND settled.cotisation_id = share.cotisation_id
), open_running AS (
    SELECT open_weight.*,
           CASE WHEN owed_whole = 0 THEN invoiced ELSE owed END AS part
      FROM open_weight
), open_up_to AS (
    SELECT open_running.*,
           SUM(part) OVER (PARTITION BY move_id ORDER BY cotisation_id) AS up_to,
           SUM(part) OVER (PARTITION BY move_id) AS whole
      FROM open_running
), opened AS (
    SELECT open_up_to.*,
           COALESCE(
               ROUND(residual * up_to / NULLIF(whole, 0), digits)
               - ROUND(residual * (up_to - part) / NULLIF(whole, 0), digits),
               0
           ) AS open,
           COALESCE(
               ROUND(received * up_to / NULLIF(whole, 0), digits)
               - ROUND(received * (up_to - part) / NULLIF(whole, 0), digits),
               0
           ) AS received_part,
           COALESCE(
               ROUND(written_off * up_to / NULLIF(whole, 0), digits)
               - ROUND(written_off * (up_to - part) / NULLIF(whole, 0), digits),
               0
           ) AS written_off_part
      FROM open_up_to
)
"""
SHARES = SHARES_OF.format(**OF_ALL)

RECONCILIATION_OF = """
, late AS (
    SELECT line.move_id, SUM(line.amount_residual) AS overdue
      FROM account_move_line line
      JOIN document ON document.id = line.move_id
      JOIN (VALUES %(today)s) today (company_id, day) ON today.company_id = document.company_id
     WHERE line.display_type = 'payment_term'
       AND line.parent_state = 'posted'
       AND line.date_maturity < today.day
       AND {of_late}
  GROUP BY line.move_id
), late_share AS (
    SELECT opened.move_id, opened.cotisation_id,
           COALESCE(
               ROUND(late.overdue * opened.up_to / NULLIF(opened.whole, 0), opened.digits)
               - ROUND(
                   late.overdue * (opened.up_to - opened.part) / NULLIF(opened.whole, 0),
                   opened.digits
               ),
               0
           ) AS overdue
      FROM opened
      JOIN late ON late.move_id = opened.move_id
), money AS (
    SELECT opened.cotisation_id, SUM(invoiced) AS invoiced, SUM(open) AS open,
           COALESCE(SUM(late_share.overdue), 0) AS overdue,
           SUM(received_part) AS received, SUM(written_off_part) AS written_off,
           COALESCE(SUM(invoiced) FILTER (WHERE move_type = 'out_refund'), 0) AS credited,
           SUM(CASE move_type WHEN 'out_refund' THEN -tied.amount ELSE tied.amount END) AS own
      FROM opened
      JOIN tied ON tied.move_id = opened.move_id AND tied.cotisation_id = opened.cotisation_id
 LEFT JOIN late_share ON late_share.move_id = opened.move_id
                     AND late_share.cotisation_id = opened.cotisation_id
     WHERE opened.cotisation_id != 0
  GROUP BY opened.cotisation_id
), term AS (
    SELECT cotisation.id * 4 AS id, cotisation.company_id, cotisation.partner_id,
           cotisation.option_set_id, cotisation.id AS cotisation_id, cotisation.renewal_id,
           cotisation.invoice_id AS move_id, cotisation.date_start, cotisation.date_end,
           cotisation.currency_id AS price_currency_id, cotisation.state,
           CASE cotisation.state WHEN 'cancelled' THEN 0 ELSE cotisation.amount_total END AS price,
           COALESCE(money.invoiced, 0) AS invoiced, COALESCE(money.open, 0) AS open,
           COALESCE(money.overdue, 0) AS overdue,
           COALESCE(money.credited, 0) AS credited,
           COALESCE(money.own, 0) AS own,
           COALESCE(money.received, 0) AS received,
           COALESCE(money.written_off, 0) AS written_off,
           cotisation.amount_untaxed AS untaxed, 'term' AS source
      FROM membri_cotisation cotisation
 LEFT JOIN money ON money.cotisation_id = cotisation.id
     WHERE (cotisation.state != 'cancelled' OR money.cotisation_id IS NOT NULL)
       AND {of_term}
     UNION ALL
    SELECT renewal.id * 4 + 1, renewal.company_id, renewal.partner_id,
           renewal.option_set_id, NULL, renewal.id,
           NULL, renewal.date_start, renewal.date_end,
           renewal.currency_id, renewal.state,
           renewal.amount_total,
           0, 0, 0,
           0, 0,
           0, 0,
           renewal.amount_untaxed, 'renewal'
      FROM membri_renewal renewal
     WHERE renewal.state IN ('draft', 'sent', 'change_requested', 'intervention')
       AND {of_renewal}
     UNION ALL
    SELECT opened.move_id * 4 + 2, opened.company_id, move.partner_id,
           NULL, NULL, NULL,
           opened.move_id, move.invoice_date, NULL,
           move.currency_id, move.state,
           0,
           opened.invoiced, opened.open, COALESCE(late_share.overdue, 0),
           CASE WHEN opened.move_type = 'out_refund' THEN opened.invoiced ELSE 0 END,
           0,
           opened.received_part, opened.written_off_part,
           0, 'line'
      FROM opened
      JOIN account_move move ON move.id = opened.move_id
 LEFT JOIN late_share ON late_share.move_id = opened.move_id AND late_share.cotisation_id = 0
     WHERE opened.cotisation_id = 0
       AND {of_rest}
), settled_by_draft AS (
    SELECT DISTINCT document.id AS move_id
      FROM account_move_line entry
      JOIN account_partial_reconcile partial ON partial.credit_move_id = entry.id
      JOIN account_move_line line ON line.id = partial.debit_move_id
      JOIN document ON document.id = line.move_id AND document.move_type = 'out_invoice'
     WHERE entry.parent_state = 'draft'
), valued AS (
    SELECT term.*, company.currency_id, move.partner_id AS payer_id,
           move.state AS move_state, move.membri_fee_notice_state AS fee_notice_state,
           move.currency_id AS move_currency_id,
           CASE WHEN move.state = 'posted' THEN move.invoice_date END AS invoice_date,
           COALESCE(currency.decimal_places, 2) AS digits,
           billed_share.invoiced AS gross,
           settled_by_draft.move_id IS NOT NULL AS is_settled_by_draft,
           CASE
               WHEN tied.move_id IS NOT NULL
                AND term.state != 'cancelled'
                AND move.currency_id = term.price_currency_id
                AND ABS(tied.untaxed - term.untaxed)
                    <= tied.lines * POWER(10.0, -COALESCE(price_currency.decimal_places, 2))
                AND ABS(tied.amount - term.price)
                    <= tied.lines * 5 * POWER(10.0, -COALESCE(price_currency.decimal_places, 2))
               THEN tied.amount
           END AS billed,
           CASE
               WHEN term.price_currency_id = company.currency_id THEN 1.0
               ELSE COALESCE(
                       (SELECT home.rate FROM res_currency_rate home
                         WHERE home.currency_id = company.currency_id
                           AND (home.company_id IS NULL OR home.company_id = root.id)
                           AND home.name <= valued.day
                      ORDER BY home.company_id, home.name DESC LIMIT 1), 1
                    ) / COALESCE(
                       (SELECT away.rate FROM res_currency_rate away
                         WHERE away.currency_id = term.price_currency_id
                           AND (away.company_id IS NULL OR away.company_id = root.id)
                           AND away.name <= valued.day
                      ORDER BY away.company_id, away.name DESC LIMIT 1),
                       (SELECT away.rate FROM res_currency_rate away
                         WHERE away.currency_id = term.price_currency_id
                           AND (away.company_id IS NULL OR away.company_id = root.id)
                      ORDER BY away.company_id, away.name LIMIT 1), 1
                    )
           END AS rate
      FROM term
      JOIN res_company company ON company.id = term.company_id
      JOIN res_currency currency ON currency.id = company.currency_id
      JOIN res_currency price_currency ON price_currency.id = term.price_currency_id
 LEFT JOIN account_move move ON move.id = term.move_id
 LEFT JOIN tied ON tied.move_id = term.move_id AND tied.cotisation_id = term.cotisation_id
 LEFT JOIN share billed_share ON billed_share.move_id = term.move_id
                             AND billed_share.cotisation_id = term.cotisation_id
 LEFT JOIN settled_by_draft ON settled_by_draft.move_id = term.move_id
CROSS JOIN LATERAL (SELECT SPLIT_PART(company.parent_path, '/', 1)::integer AS id) root
CROSS JOIN LATERAL (SELECT COALESCE(move.invoice_date, term.date_start) AS day) valued
), priced AS (
    SELECT valued.*, ROUND((COALESCE(billed, price) * rate)::numeric, digits) AS converted,
           5 * POWER(10.0, -digits) AS cents
      FROM valued
), fact AS (
    SELECT priced.*,
           CASE
               WHEN billed IS NOT NULL
                AND (price_currency_id = currency_id OR ABS(converted - gross) <= cents)
               THEN gross
               ELSE converted
           END AS expected
      FROM priced
)
SELECT fact.id, fact.company_id, fact.currency_id, fact.partner_id, fact.payer_id,
       fact.option_set_id, fact.cotisation_id, fact.renewal_id, fact.move_id,
       fact.date_start, fact.date_end, fact.invoice_date,
       fact.expected, fact.invoiced, fact.credited, fact.open, fact.overdue,
       fact.invoiced - fact.open AS paid, fact.received, fact.written_off,
       fact.source AS row_type, fact.price_currency_id != fact.currency_id AS is_foreign,
       fact.expected - fact.invoiced AS difference,
       CASE
           WHEN fact.is_settled_by_draft AND fact.source = 'term' THEN 'draft_settlement'
           WHEN fact.expected = fact.invoiced AND fact.source != 'line' THEN 'none'
           WHEN fact.source = 'renewal' THEN 'not_approved'
           WHEN fact.source = 'line' THEN 'other_line'
           -- credited in full, and at another rate
           WHEN fact.state = 'cancelled' AND fact.move_currency_id != fact.currency_id
                AND ABS(fact.own) <= fact.cents THEN 'currency'
           WHEN fact.state = 'cancelled' THEN 'cancelled'
           WHEN fact.move_id IS NULL THEN 'no_invoice'
           WHEN fact.fee_notice_state = 'open' THEN 'fee_notice'
           WHEN fact.move_state = 'draft' THEN 'draft'
           WHEN fact.move_state = 'cancel' THEN 'voided'
           WHEN fact.credited != 0
                AND ABS(fact.expected - fact.invoiced + fact.credited) <= fact.cents THEN 'credited'
           WHEN fact.move_currency_id != fact.price_currency_id THEN 'currency'
           WHEN fact.billed IS NULL
                AND ABS(fact.expected - fact.invoiced) > fact.cents THEN 'price_changed'
           WHEN ABS(fact.expected - fact.invoiced) <= fact.cents THEN 'rounding'
           WHEN fact.move_currency_id != fact.currency_id THEN 'currency'
           ELSE 'credited'
       END AS reason
  FROM fact
"""


def get_reconciliation_query(part):
    """:param part: ``OF_ALL`` or ``OF_ASKED``
    :return: the query; its parameters are ``today`` and, of some, ``asked``"""
    return (SHARES_OF + RECONCILIATION_OF).format(**part)
