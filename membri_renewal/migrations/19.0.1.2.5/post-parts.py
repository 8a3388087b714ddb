def migrate(cr, version):
    """What came for a part before parts were confirmed is not confirmed now."""
    if not version:
        return
    cr.execute(
        """UPDATE account_move SET membri_amount_confirmed = membri_amount_received
                   * COALESCE(amount_total / NULLIF(amount_total_signed, 0), 1)
            WHERE membri_invoice_type IS NOT NULL AND state = 'posted'
              AND payment_state IN ('partial', 'in_payment', 'paid')
              AND membri_amount_received > 0 AND membri_amount_confirmed IS NULL"""
    )
