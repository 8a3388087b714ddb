"""What the figures ask, of what was recorded before they did: deaths that were typed, terms that a
credit note took back, and replies on the portal."""

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    _find_reasons(env)
    _date_credits(env)
    _find_portal_replies(env)


def _find_reasons(env):
    Reason = env["membri.refusal.reason"]
    terms = env["membri.cotisation"].search(
        [("termination_reason", "!=", False), ("termination_reason_id", "=", False)]
    )
    for text, of_text in terms.grouped("termination_reason").items():
        if reason := Reason._get_of_text(text):
            env.execute_query(
                SQL(
                    "UPDATE membri_cotisation SET termination_reason_id = %s WHERE id = ANY(%s)",
                    reason.id,
                    of_text.ids,
                )
            )


def _date_credits(env):
    """The day of the first credit note of a term that was paid for until then."""
    env.execute_query(
        SQL(
            """
            UPDATE membri_cotisation term
               SET date_deactivated = credit.day
              FROM (
                       SELECT line.membri_cotisation_id AS id, MIN(move.invoice_date) AS day
                         FROM account_move_line line
                         JOIN account_move move ON move.id = line.move_id
                        WHERE line.membri_cotisation_id IS NOT NULL
                          AND move.move_type = 'out_refund'
                          AND move.state = 'posted'
                     GROUP BY line.membri_cotisation_id
                   ) credit
             WHERE credit.id = term.id
               AND term.state = 'cancelled'
               AND term.is_voided_by_credit
               AND term.date_deactivated IS NULL
               AND term.payment_state IN ('paid', 'in_payment')
               AND credit.day > term.date_start
            """
        )
    )


def _find_portal_replies(env):
    """Replies on the portal were posted in the name of the member, as no letter or mail was."""
    env.execute_query(
        SQL(
            """
            UPDATE membri_renewal renewal
               SET is_answered_online = TRUE
             WHERE renewal.date_answer IS NOT NULL
               AND EXISTS (
                       SELECT 1
                         FROM mail_message message
                         JOIN res_partner author ON author.id = message.author_id
                        WHERE message.model = 'membri.renewal'
                          AND message.res_id = renewal.id
                          AND message.message_type = 'comment'
                          AND message.subtype_id = %s
                          AND author.partner_share
                   )
            """,
            env.ref("mail.mt_note").id,
        )
    )
