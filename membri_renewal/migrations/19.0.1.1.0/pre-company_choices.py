"""Person in charge, address for renewals and letters become choices per company; terms learn
whether they were over when they were recorded."""

from odoo.tools import SQL

CHOICES = (
    "membri_responsible_id",
    "membri_renewal_email",
    "membri_renewal_email_normalized",
    "membri_renewal_email_bounced",
    "membri_notice_on_paper",
)


def migrate(cr, version):
    for column in CHOICES:
        _make_company_dependent(cr, column)
    _record_history(cr)


def _make_company_dependent(cr, column):
    """What was chosen holds in every company. Odoo keeps such a field as ``{company: value}``,
    without the values that mean nothing."""
    cr.execute(
        """SELECT data_type FROM information_schema.columns
            WHERE table_schema = current_schema
              AND table_name = 'res_partner' AND column_name = %s""",
        [column],
    )
    row = cr.fetchone()
    if not row or row[0] == "jsonb":
        return
    # the foreign key and the index go with the old column
    name = SQL.identifier(column)
    cr.execute(SQL("ALTER TABLE res_partner RENAME COLUMN %s TO membri_old_choice", name))
    cr.execute(SQL("ALTER TABLE res_partner ADD COLUMN %s jsonb", name))
    cr.execute(
        SQL(
            """UPDATE res_partner
                  SET %s = (
                          SELECT jsonb_object_agg(company.id::text, to_jsonb(membri_old_choice))
                            FROM res_company AS company
                      )
                WHERE membri_old_choice IS NOT NULL
                  AND membri_old_choice::text NOT IN ('', 'false')""",
            name,
        )
    )
    cr.execute("ALTER TABLE res_partner DROP COLUMN membri_old_choice")


def _record_history(cr):
    """Over when it was created, by the civil day of its company."""
    cr.execute("ALTER TABLE membri_cotisation ADD COLUMN IF NOT EXISTS is_history boolean")
    cr.execute(
        """UPDATE membri_cotisation AS term
              SET is_history = term.date_end < (
                      (term.create_date AT TIME ZONE 'UTC') AT TIME ZONE company.membri_tz
                  )::date
             FROM res_company AS company
            WHERE company.id = term.company_id
              AND term.date_end IS NOT NULL"""
    )
