def migrate(cr, version):
    """The figures are kept every few minutes, unless somebody has chosen when."""
    if not version:
        return
    cr.execute(
        """UPDATE ir_cron SET interval_number = 5, interval_type = 'minutes'
            WHERE interval_number = 1 AND interval_type = 'hours'
              AND id = (SELECT res_id FROM ir_model_data WHERE module = 'membri_renewal'
                           AND name = 'ir_cron_keep_figures')"""
    )
