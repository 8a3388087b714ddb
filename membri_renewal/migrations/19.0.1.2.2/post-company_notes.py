def migrate(cr, version):
    """Companies share contacts: what was noted there about a membership is read in its company. The
    older notes name the renewal by a link, or the term by its number."""
    if not version:
        return
    cr.execute(
        r"""UPDATE mail_message m SET membri_company_id = r.company_id FROM membri_renewal r
             WHERE m.model = 'res.partner' AND m.membri_company_id IS NULL AND m.is_internal
               AND r.id = substring(
                   m.body FROM 'data-oe-model="membri\.renewal" data-oe-id="(\d{1,9})"')::int"""
    )
    cr.execute(
        """UPDATE mail_message m SET membri_company_id = c.company_id FROM membri_cotisation c
            WHERE m.model = 'res.partner' AND m.membri_company_id IS NULL AND m.is_internal
              AND m.res_id = c.partner_id AND position(c.name IN m.body) > 0"""
    )
    cr.execute(
        """UPDATE mail_activity a SET membri_company_id = c.company_id FROM membri_cotisation c
            WHERE a.res_model = 'res.partner' AND a.membri_company_id IS NULL
              AND a.res_id = c.partner_id AND position(c.name IN a.summary) > 0"""
    )
