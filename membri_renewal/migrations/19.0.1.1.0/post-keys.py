"""Answering keys leave what is kept: until 19.0.1.0.0 everybody who could read a message or a
document of a renewal could answer it.

Links keep their address and lose their key. A PDF cannot lose the key that is printed in it: the
copies of notices that can still be answered are removed (they are printed again from the renewal),
those of others are kept, and their keys open nothing any more.
"""

import logging

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL, split_every
from odoo.tools.sql import column_exists

from odoo.addons.membri_renewal.models.doors.outgoing_key import find_documents
from odoo.addons.membri_renewal.models.mixins.keyless import KEY_OF_ANY, strip_keys

_logger = logging.getLogger(__name__)

TEXTS = (
    ("mail_message", "body"),
    ("mail_mail", "body_html"),  # one that waits gets its key as it leaves
    ("payment_transaction", "landing_route"),
)
HOLDERS = ("membri.renewal", "membri.bulk.job", "res.partner", "mail.message")


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    for table, column in TEXTS:
        if column_exists(cr, table, column):
            _strip_texts(env, SQL.identifier(table), SQL.identifier(column))
    closed = env["membri.renewal"].search([("is_open", "=", False)])
    closed.invalidate_recordset(["access_token"])
    env.execute_query(
        SQL("UPDATE membri_renewal SET access_token = NULL WHERE id = ANY(%s)", closed.ids)
    )
    _remove_documents(env)


def _strip_texts(env, table, column):
    rows = env.execute_query(
        SQL(
            "SELECT id, %(column)s FROM %(table)s WHERE %(column)s LIKE %(key)s",
            column=column,
            table=table,
            key="%/my/%_token=%",
        )
    )
    for number, text in rows:
        stripped = strip_keys(text, KEY_OF_ANY)
        if stripped != text:
            env.execute_query(
                SQL(
                    "UPDATE %(table)s SET %(column)s = %(text)s WHERE id = %(number)s",
                    table=table,
                    column=column,
                    text=stripped,
                    number=number,
                )
            )


def _remove_documents(env):
    open_renewals = env["membri.renewal"].search(
        [("is_open", "=", True), ("access_token", "!=", False)]
    )
    keys = {renewal.id: renewal.access_token.encode() for renewal in open_renewals}
    documents = env["ir.attachment"].search(
        [
            ("mimetype", "=", "application/pdf"),
            ("res_model", "in", HOLDERS),
        ]
    )
    # the content of each is read: of a part at a time, an archive has many
    for ids in split_every(200, documents.ids):
        keyed = env["ir.attachment"].browse(ids).filtered(lambda file: _holds_key(file, keys))
        if keyed:
            _logger.info("removing %s documents with answering keys", len(keyed))
            keyed.unlink()
        env.invalidate_all()


def _holds_key(document, keys):
    # writers of PDFs may escape what is no letter
    content = (document.raw or b"").replace(rb"\055", b"-")
    renewal_ids, _move_ids = find_documents(content)
    return any(number in keys and keys[number] in content for number in renewal_ids)
