def migrate(cr, version):
    """What is left of a term that was ended early on a day that was over is earned when it was
    ended. That day was not kept; the term expired on it. Of one that still ends, credit notes from
    now on give back the days that are left."""
    if not version:
        return
    cr.execute(
        """
        UPDATE membri_cotisation
           SET date_termination_recorded = COALESCE(date_expired, CURRENT_DATE)
         WHERE date_terminated IS NOT NULL
           AND (date_expired > date_end + 1 OR (date_expired IS NULL AND date_end >= CURRENT_DATE))
        """
    )
