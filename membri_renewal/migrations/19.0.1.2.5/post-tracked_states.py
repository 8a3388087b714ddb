def migrate(cr, version):
    """The status of a contact's renewal was tracked on the contact as well, where people of other
    companies read it: each renewal has its own track. What is there is kept for the company of the
    renewals; where two would fit, or the note is about other things as well, it is taken off."""
    if not version:
        return
    cr.execute(
        """UPDATE mail_message m SET membri_company_id = renewal.company_id
             FROM (
                 SELECT partner_id, min(company_id) AS company_id
                   FROM membri_renewal
               GROUP BY partner_id
                 HAVING count(DISTINCT company_id) = 1
             ) renewal
            WHERE m.model = 'res.partner' AND m.membri_company_id IS NULL
              AND m.res_id = renewal.partner_id
              AND EXISTS (
                  SELECT FROM mail_tracking_value v
                     JOIN ir_model_fields f ON f.id = v.field_id
                   WHERE v.mail_message_id = m.id AND f.model = 'res.partner'
                     AND f.name = 'membri_renewal_state')
              AND NOT EXISTS (
                  SELECT FROM mail_tracking_value v
                LEFT JOIN ir_model_fields f ON f.id = v.field_id
                   WHERE v.mail_message_id = m.id
                     AND f.name IS DISTINCT FROM 'membri_renewal_state')"""
    )
    cr.execute(
        """DELETE FROM mail_tracking_value v USING mail_message m, ir_model_fields f
            WHERE m.id = v.mail_message_id AND f.id = v.field_id
              AND f.model = 'res.partner' AND f.name = 'membri_renewal_state'
              AND m.model = 'res.partner' AND m.membri_company_id IS NULL"""
    )
