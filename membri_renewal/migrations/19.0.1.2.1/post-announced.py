def migrate(cr, version):
    """What announced an automatic invoice, and left before anybody wrote down that it did: the
    invoice follows on the announced day. What has not left says so, and waits."""
    if not version:
        return
    cr.execute(
        """UPDATE membri_renewal SET date_auto_invoice_told = COALESCE(date_printed, date_sent)
            WHERE state = 'sent' AND mode = 'invoice' AND date_auto_invoice IS NOT NULL
              AND date_auto_invoice_told IS NULL
              AND (delivery_state = 'delivered' OR letter_state = 'printed')"""
    )
