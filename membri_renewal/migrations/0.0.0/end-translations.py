"""Every new version brings its translations, also of words that it did not change.

Odoo's own update adds only what is missing, so that a corrected French word would never reach an
installed database. Records that people have rewritten keep their texts; names of Odoo's own
models and fields, which our files translate as well, keep Odoo's.
"""

from odoo import SUPERUSER_ID, api
from odoo.tools.translate import TranslationImporter, get_po_paths

MODULE = "membri_renewal"


def migrate(cr, version):
    cr.execute(
        """SELECT ours.module || '.' || ours.name
             FROM ir_model_data AS ours
            WHERE ours.module = %s
              AND NOT EXISTS (
                    SELECT FROM ir_model_data AS other
                     WHERE other.model = ours.model
                       AND other.res_id = ours.res_id
                       AND other.module <> ours.module
                  )""",
        (MODULE,),
    )
    names = {name for (name,) in cr.fetchall()}
    env = api.Environment(cr, SUPERUSER_ID, {})
    importer = TranslationImporter(cr, verbose=False)
    for code, _name in env["res.lang"].get_installed():
        for path in get_po_paths(MODULE, code):
            importer.load_file(path, code, xmlids=names)
    importer.save(overwrite=True)
