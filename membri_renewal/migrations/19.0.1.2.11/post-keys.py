"""Keys that came back (quoted by a reply, typed by a member, in a file that came in) leave what is
kept, as they do from now on."""

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL, split_every

from odoo.addons.membri_renewal.models.mixins.fields import MembriFieldsMixin
from odoo.addons.membri_renewal.models.mixins.keyless import (
    KEY_OF_ANY,
    KEY_OF_RENEWAL,
    SECRETS,
    strip_keys,
    take_out,
)

NOTED = {
    "mail_activity": ("note", "summary"),
    "mail_notification": ("failure_reason",),
    "mail_tracking_value": (
        "old_value_char",
        "new_value_char",
        "old_value_text",
        "new_value_text",
    ),
}
# whose threads hold what came in
HOLDERS = ("account.move", "membri.renewal", "res.partner")


def migrate(cr, version):
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    keys, invoices = _get_tokens(env, "membri_renewal"), _get_tokens(env, "account_move")
    came_in = SQL("message_type = 'email'")
    for name in ("body", "subject"):
        _clean(env, "mail_message", name, keys | invoices, KEY_OF_ANY, came_in)
        _clean(env, "mail_message", name, keys, KEY_OF_RENEWAL, SQL("message_type != 'email'"))
    noted = {table: set(names) for table, names in NOTED.items()}
    for model in env.values():
        if isinstance(model, MembriFieldsMixin) and model._auto and not model._abstract:
            noted.setdefault(model._table, set()).update(
                field.name
                for field in model._fields.values()
                if field.store
                and field.column_type
                and field.type in ("char", "text", "html")
                and not field.translate
                and model._is_our_field(field)
                and field.name not in SECRETS
            )
    for table, names in noted.items():
        for name in sorted(names):
            _clean(env, table, name, keys | invoices, KEY_OF_ANY)
    _clean_files(env)
    env.invalidate_all()


def _get_tokens(env, table):
    """:return: the set of tokens that open the renewals, or membership invoices, of ``table``"""
    rows = env.execute_query(
        SQL(
            "SELECT access_token FROM %s WHERE access_token IS NOT NULL AND %s",
            SQL.identifier(table),
            SQL("membri_invoice_type IS NOT NULL" if table == "account_move" else "TRUE"),
        )
    )
    return {token for [token] in rows}


def _clean(env, table, name, tokens, pattern, which=None):
    column, table = SQL.identifier(name), SQL.identifier(table)
    rows = env.execute_query(
        SQL(
            "SELECT id, %(column)s::text, pg_typeof(%(column)s)::text FROM %(table)s"
            " WHERE %(column)s::text ~* '[0-9a-f]{8}[-%%=]' AND %(which)s",
            column=column,
            table=table,
            which=which or SQL("TRUE"),
        )
    )
    for number, text, kind in rows:
        kept = strip_keys(take_out(tokens, text), pattern)
        if kept != text:
            env.execute_query(
                SQL(
                    "UPDATE %(table)s SET %(column)s = %(kept)s::%(kind)s WHERE id = %(number)s",
                    table=table,
                    column=column,
                    kept=kept,
                    kind=SQL(kind),
                    number=number,
                )
            )


def _clean_files(env):
    """Those that came with an email, or that a visitor sent."""
    rows = env.execute_query(
        SQL(
            """SELECT DISTINCT rel.attachment_id FROM message_attachment_rel rel
                 JOIN mail_message m ON m.id = rel.message_id
                 JOIN ir_attachment a ON a.id = rel.attachment_id
                 JOIN res_users u ON u.id = a.create_uid
                WHERE m.model = ANY(%s) AND (m.message_type = 'email' OR u.share)""",
            list(HOLDERS),
        )
    )
    # the content of each is read: of a part at a time, an archive has many
    for ids in split_every(200, [number for [number] in rows]):
        for file in env["ir.attachment"].browse(ids):
            content = file.raw or b""
            kept = file._membri_take_out_keys(content)
            if kept != content:
                file.raw = kept
        env.invalidate_all()
