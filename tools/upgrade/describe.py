"""Write down what the add-on has put into a database; run in an Odoo shell by ``./dev upgrade``.

One JSON file: the schema, and of each record with an external id of the add-on all stored
fields, with external ids instead of numbers, in every language.
"""

import json
import os
import re
from pathlib import Path

MODULE = "membri_renewal"
SCHEMA = {
    "column": """
        SELECT c.table_name || '.' || c.column_name,
               c.udt_name || ' ' || COALESCE(c.character_maximum_length::text, '')
                    || CASE c.is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
          FROM information_schema.columns c
          JOIN information_schema.tables t USING (table_schema, table_name)
         WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'""",
    "constraint": """
        SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
          FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'""",
    "index": """
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'""",
    "view": """
        SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'""",
}
# What every database has its own of: dates, counters, places, what people chose.
LOCAL_FIELDS = {
    "ir.cron": {"nextcall", "lastcall", "failure_count", "first_failure_date", "user_id"},
    "ir.sequence": {"number_next"},
    "ir.ui.menu": {"parent_path"},
    "ir.ui.view": {"arch_prev", "arch_updated"},
    "membri.dashboard": {"sequence", "color", "active"},
    "res.groups": {"user_ids", "all_user_ids"},
}
# A button of a view that opens an action bears the action's number.
ACTION_BUTTON = re.compile(r'(?<=name=")\d+(?=")')
MAGIC = {"id", "create_uid", "create_date", "write_uid", "write_date"}


def describe_schema(env):
    for kind, query in SCHEMA.items():
        env.cr.execute(query)
        yield from ((f"{kind} {name}", definition) for name, definition in env.cr.fetchall())


def read_external_ids(env):
    """:return: ``{(model, id): external id}``, the oldest where a record has several"""
    env.cr.execute(
        "SELECT model, res_id, module || '.' || name FROM ir_model_data ORDER BY id DESC"
    )
    return {(model, res_id): name for model, res_id, name in env.cr.fetchall()}


def describe_records(env):
    external_ids = read_external_ids(env)

    def name_of(record):
        return external_ids.get((record._name, record.id)) or record.display_name or ""

    actions = {
        str(number): name
        for (model, number), name in external_ids.items()
        if model.startswith("ir.actions.")
    }

    def name_actions(arch):
        return ACTION_BUTTON.sub(lambda found: actions.get(found[0], found[0]), arch)

    names = env["ir.model.data"].search([("module", "=", MODULE)], order="model, name")
    for model, data in names.grouped("model").items():
        records = env[model].with_context(active_test=False).browse(data.mapped("res_id"))
        existing = records.exists()
        for name, record in zip(data, records, strict=True):
            if name.name.startswith("demo"):
                continue
            title = f"{model} {name.name}"
            yield title, "exists" if record in existing else "has no record"
            yield f"{title} noupdate", name.noupdate
            if record in existing:
                for field, value in describe_record(record, name_of):
                    is_arch = field.startswith("arch_db")
                    yield f"{title} {field}", name_actions(value) if is_arch else value


def describe_record(record, name_of):
    """:param name_of: gives the name by which another record is known in every database"""
    skipped = MAGIC | LOCAL_FIELDS.get(record._name, set())
    for name, field in record._fields.items():
        if not field.store or (not field.column_type and field.type != "many2many"):
            continue
        if name in skipped or (field.related and field.inherited):
            continue
        if field.type in ("many2one", "many2many"):
            yield name, sorted(name_of(one) for one in record[name].with_context(lang=None))
        elif field.type == "reference":
            yield name, name_of(record[name]) if record[name] else ""
        elif field.type == "many2one_reference":
            yield name, bool(record[name])
        elif field.translate:
            langs = [code for code, _name in record.env["res.lang"].get_installed()]
            for lang in langs:
                yield f"{name} [{lang}]", str(record.with_context(lang=lang)[name])
        elif name in ("res_id", "db_id"):
            continue
        else:
            yield name, str(record[name])


def main(env):
    facts = dict([*describe_schema(env), *describe_records(env)])
    Path(os.environ["UPGRADE_FACTS"]).write_text(json.dumps(facts, indent=1, sort_keys=True))


main(env)  # noqa: F821 - the shell has it
