def migrate(cr, version):
    """Companies share contacts: what was noted there about a membership is read in its company. The
    older notes name the renewal by a link, or the term by its number; a card by its last digits,
    and a statement the company in its subject. Where two companies would fit, the note stays as it
    was."""
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
    cr.execute(
        r"""WITH card AS (
                SELECT holder.commercial_partner_id AS payer_id,
                       right(regexp_replace(token.payment_details, '[^[:alnum:]]', '', 'g'), 4)
                           AS digits,
                       min(provider.company_id) AS company_id
                  FROM payment_token token
                  JOIN payment_provider provider ON provider.id = token.provider_id
                  JOIN res_partner holder ON holder.id = token.partner_id
                 WHERE token.payment_details ~ '[[:alnum:]]'
                   AND NOT EXISTS (
                       SELECT FROM res_company branch
                        WHERE branch.parent_id = provider.company_id)
              GROUP BY 1, 2
                HAVING count(DISTINCT provider.company_id) = 1
            )
            UPDATE mail_message m SET membri_company_id = card.company_id
              FROM card JOIN res_partner contact ON contact.commercial_partner_id = card.payer_id
             WHERE m.model = 'res.partner' AND m.membri_company_id IS NULL AND m.is_internal
               AND m.res_id = contact.id AND position('••' || card.digits IN m.body) > 0"""
    )
    cr.execute(
        """WITH statement AS (
               SELECT m.id, min(company.id) AS company_id
                 FROM ir_model_data data
                 JOIN mail_template template ON template.id = data.res_id
                CROSS JOIN jsonb_each_text(template.subject) AS subject (lang, words)
                CROSS JOIN res_company company
                 JOIN mail_message m
                   ON m.subject = replace(
                          subject.words, '{{ object.env.company.name }}', company.name)
                WHERE data.module = 'membri_renewal' AND data.name = 'mail_template_statement'
                  AND m.model = 'res.partner' AND m.membri_company_id IS NULL
             GROUP BY m.id
               HAVING count(DISTINCT company.id) = 1
           )
           UPDATE mail_message m SET membri_company_id = statement.company_id
             FROM statement WHERE m.id = statement.id"""
    )
    cr.execute(  # the reply to a statement quotes it
        """UPDATE mail_message m SET membri_company_id = parent.membri_company_id
             FROM mail_message parent
            WHERE m.parent_id = parent.id AND m.model = 'res.partner' AND m.message_type = 'email'
              AND m.membri_company_id IS NULL AND parent.membri_company_id IS NOT NULL
              AND NOT coalesce(parent.is_internal, FALSE)"""
    )
    cr.execute(  # a file of the contact is read by all who read the contact
        """UPDATE ir_attachment a SET res_model = 'mail.message', res_id = m.id
             FROM message_attachment_rel rel JOIN mail_message m ON m.id = rel.message_id
            WHERE a.id = rel.attachment_id AND a.res_model = 'res.partner'
              AND m.model = 'res.partner' AND m.membri_company_id IS NOT NULL
              AND NOT EXISTS (
                  SELECT FROM message_attachment_rel other
                    JOIN mail_message open ON open.id = other.message_id
                   WHERE other.attachment_id = a.id AND open.membri_company_id IS NULL)"""
    )
