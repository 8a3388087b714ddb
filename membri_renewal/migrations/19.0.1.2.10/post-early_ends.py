def migrate(cr, version):
    """What is left of a term that was ended early on a day that was over is earned when it was
    ended. That day was not kept; the term expired on it."""
    if not version:
        return
    cr.execute(
        """
        UPDATE membri_cotisation
           SET date_termination_recorded = date_expired
         WHERE date_terminated IS NOT NULL
           AND date_expired > date_end + 1
        """
    )
