"""Every new version brings its translations, also of words that it did not change.

Odoo's own update adds only what is missing, so that a corrected French word would never reach an
installed database. Records that people have edited keep their texts; names of Odoo's own models
and fields, which our files translate as well, keep Odoo's.
"""

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL
from odoo.tools.translate import TranslationImporter, get_po_paths

MODULE = "membri_renewal"


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    load(env, read_names_of_ours_alone(env), overwrite=True)
    load(env, read_names_of_unedited(env), force_overwrite=True)


def load(env, names, **how):
    importer = TranslationImporter(env.cr, verbose=False)
    for code, _name in env["res.lang"].get_installed():
        for path in get_po_paths(MODULE, code):
            importer.load_file(path, code, xmlids=names)
    importer.save(**how)


def read_names_of_ours_alone(env):
    """:return: the external ids of records that no other add-on knows"""
    rows = env.execute_query(
        SQL(
            """SELECT ours.module || '.' || ours.name
                 FROM ir_model_data AS ours
                WHERE ours.module = %s
                  AND NOT EXISTS (
                        SELECT FROM ir_model_data AS other
                         WHERE other.model = ours.model
                           AND other.res_id = ours.res_id
                           AND other.module <> ours.module
                      )""",
            MODULE,
        )
    )
    return {name for (name,) in rows}


def read_names_of_unedited(env):
    """Return the external ids of refusal reasons, which updates leave alone, that nobody has
    edited since they were made: an edit, also of a translation, moves the date of writing."""
    rows = env.execute_query(
        SQL(
            """SELECT data.module || '.' || data.name
                 FROM ir_model_data AS data
                 JOIN membri_refusal_reason AS reason ON reason.id = data.res_id
                WHERE data.module = %s
                  AND data.model = 'membri.refusal.reason'
                  AND reason.write_date = reason.create_date""",
            MODULE,
        )
    )
    # an empty set would mean all
    return {name for (name,) in rows} or {"none"}
