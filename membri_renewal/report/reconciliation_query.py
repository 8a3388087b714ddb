"""The query of the reconciliation report, read from top to bottom.

- ``tied``: what each posted document bills for each cotisation, in its own currency.
- ``document``: the posted membership invoices and credit notes, with the totals that Odoo keeps
  from their journal items, in the currency of the company.
- ``weight``: the parts of each document; 0 stands for lines that no cotisation is behind.
- ``share``: each part in the currency of the company. Shares are differences of rounded running
  sums, so that they add up to the document's total exactly.
- ``settled``: what settled credit notes took off the invoices that they reverse: what is open
  on such an invoice belongs to the others.
- ``opened``: the same running sums for what is open.
- ``money``: all of it per cotisation; ``fact``: one row of the report each.
"""

RECONCILIATION_QUERY = """
WITH tied AS (
    SELECT line.move_id, line.membri_cotisation_id AS cotisation_id, SUM(line.price_total) AS amount
      FROM account_move_line line
     WHERE line.membri_cotisation_id IS NOT NULL
       AND line.display_type = 'product'
       AND line.parent_state = 'posted'
  GROUP BY line.move_id, line.membri_cotisation_id
), tied_total AS (
    SELECT move_id, SUM(amount) AS amount
      FROM tied
  GROUP BY move_id
), document AS (
    SELECT move.id, move.move_type, move.reversed_entry_id, move.company_id,
           COALESCE(move.amount_total_signed, 0) AS total,
           COALESCE(move.amount_residual_signed, 0) AS residual,
           COALESCE(move.amount_total, 0) - COALESCE(tied_total.amount, 0) AS rest,
           COALESCE(tied_total.amount, 0) AS tied_amount,
           COALESCE(currency.decimal_places, 2) AS digits
      FROM account_move move
      JOIN res_company company ON company.id = move.company_id
      JOIN res_currency currency ON currency.id = company.currency_id
 LEFT JOIN tied_total ON tied_total.move_id = move.id
     WHERE move.state = 'posted'
       AND move.membri_invoice_type IS NOT NULL
       AND move.move_type IN ('out_invoice', 'out_refund')
), weight AS (
    SELECT tied.move_id, tied.cotisation_id, tied.amount
      FROM tied
     UNION ALL
    SELECT document.id, 0, document.rest
      FROM document
     WHERE ABS(document.rest) > CASE WHEN document.tied_amount = 0 THEN 0 ELSE 0.05 END
), running AS (
    SELECT weight.move_id, weight.cotisation_id, weight.amount,
           SUM(weight.amount) OVER up_to_here AS up_to,
           SUM(weight.amount) OVER (PARTITION BY weight.move_id) AS whole
      FROM weight
    WINDOW up_to_here AS (PARTITION BY weight.move_id ORDER BY weight.cotisation_id)
), share AS (
    SELECT running.move_id, running.cotisation_id,
           document.move_type, document.reversed_entry_id, document.company_id,
           document.total, document.residual, document.digits,
           COALESCE(
               ROUND(document.total * running.up_to / NULLIF(running.whole, 0), document.digits)
               - ROUND(
                   document.total * (running.up_to - running.amount) / NULLIF(running.whole, 0),
                   document.digits
               ),
               0
           ) AS invoiced
      FROM running
      JOIN document ON document.id = running.move_id
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
           ) AS open
      FROM open_up_to
), money AS (
    SELECT cotisation_id, SUM(invoiced) AS invoiced, SUM(open) AS open,
           COALESCE(SUM(invoiced) FILTER (WHERE move_type = 'out_refund'), 0) AS credited
      FROM opened
     WHERE cotisation_id != 0
  GROUP BY cotisation_id
), term AS (
    SELECT cotisation.id * 4 AS id, cotisation.company_id, cotisation.partner_id,
           cotisation.option_set_id, cotisation.id AS cotisation_id, cotisation.renewal_id,
           cotisation.invoice_id AS move_id, cotisation.date_start, cotisation.date_end,
           cotisation.currency_id AS price_currency_id, cotisation.state,
           CASE cotisation.state WHEN 'cancelled' THEN 0 ELSE cotisation.amount_total END AS price,
           COALESCE(money.invoiced, 0) AS invoiced, COALESCE(money.open, 0) AS open,
           COALESCE(money.credited, 0) AS credited, 'cotisation' AS source
      FROM membri_cotisation cotisation
 LEFT JOIN money ON money.cotisation_id = cotisation.id
     WHERE cotisation.state != 'cancelled' OR money.cotisation_id IS NOT NULL
     UNION ALL
    SELECT renewal.id * 4 + 1, renewal.company_id, renewal.partner_id,
           renewal.option_set_id, NULL, renewal.id,
           NULL, renewal.date_start, renewal.date_end,
           renewal.currency_id, renewal.state,
           renewal.amount_total,
           0, 0,
           0, 'renewal'
      FROM membri_renewal renewal
     WHERE renewal.state IN ('draft', 'sent', 'change_requested', 'intervention')
     UNION ALL
    SELECT opened.move_id * 4 + 2, opened.company_id, move.partner_id,
           NULL, NULL, NULL,
           opened.move_id, move.invoice_date, NULL,
           move.currency_id, move.state,
           0,
           opened.invoiced, opened.open,
           CASE WHEN opened.move_type = 'out_refund' THEN opened.invoiced ELSE 0 END, 'line'
      FROM opened
      JOIN account_move move ON move.id = opened.move_id
     WHERE opened.cotisation_id = 0
), fact AS (
    SELECT term.*, company.currency_id, move.partner_id AS payer_id,
           move.state AS move_state, move.membri_fee_notice_state AS fee_notice_state,
           move.currency_id AS move_currency_id,
           CASE WHEN move.state = 'posted' THEN move.invoice_date END AS invoice_date,
           tied.amount AS billed,
           CASE
               WHEN term.price_currency_id = company.currency_id THEN term.price
               ELSE ROUND(
                   term.price * (
                       SELECT rate.value
                         FROM (
                             SELECT COALESCE(
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
                             ) AS value
                         ) rate
                   ),
                   COALESCE(currency.decimal_places, 2)
               )
           END AS expected
      FROM term
      JOIN res_company company ON company.id = term.company_id
      JOIN res_currency currency ON currency.id = company.currency_id
 LEFT JOIN account_move move ON move.id = term.move_id
 LEFT JOIN tied ON tied.move_id = term.move_id AND tied.cotisation_id = term.cotisation_id
CROSS JOIN LATERAL (SELECT SPLIT_PART(company.parent_path, '/', 1)::integer AS id) root
CROSS JOIN LATERAL (SELECT COALESCE(move.invoice_date, term.date_start) AS day) valued
)
SELECT fact.id, fact.company_id, fact.currency_id, fact.partner_id, fact.payer_id,
       fact.option_set_id, fact.cotisation_id, fact.renewal_id, fact.move_id,
       fact.date_start, fact.date_end, fact.invoice_date,
       fact.expected, fact.invoiced, fact.credited, fact.open,
       fact.invoiced - fact.open AS paid,
       fact.expected - fact.invoiced AS difference,
       CASE
           WHEN fact.expected = fact.invoiced AND fact.source != 'line' THEN 'none'
           WHEN fact.source = 'renewal' THEN 'not_approved'
           WHEN fact.source = 'line' THEN 'other_line'
           WHEN fact.state = 'cancelled' THEN 'cancelled'
           WHEN fact.move_id IS NULL THEN 'no_invoice'
           WHEN fact.fee_notice_state = 'open' THEN 'fee_notice'
           WHEN fact.move_state = 'draft' THEN 'draft'
           WHEN fact.move_state = 'cancel' THEN 'voided'
           WHEN fact.credited != 0
                AND ABS(fact.expected - fact.invoiced + fact.credited) <= 0.05 THEN 'credited'
           WHEN fact.move_currency_id != fact.price_currency_id THEN 'currency'
           WHEN ABS(COALESCE(fact.billed, 0) - fact.price) > 0.05 THEN 'price_changed'
           WHEN ABS(fact.expected - fact.invoiced) <= 0.05 THEN 'rounding'
           WHEN fact.move_currency_id != fact.currency_id THEN 'currency'
           ELSE 'credited'
       END AS reason
  FROM fact
"""
