def migrate(cr, version):
    """What a spreadsheet program has made of a number, “1234.0”, is read as “1234”: of the lists
    that were imported before, too, so that the same list finds the same contacts and terms."""
    if not version:
        return
    cr.execute(
        r"""UPDATE ir_model_data d SET name = regexp_replace(d.name, '_(\d+)_0+$', '_\1')
             WHERE d.module = '__membri_import__' AND d.name ~ '_(contact|term)_\d+_0+$'
               AND NOT EXISTS (
                   SELECT FROM ir_model_data other
                    WHERE other.module = d.module AND other.id != d.id
                      AND regexp_replace(other.name, '_(\d+)_0+$', '_\1')
                        = regexp_replace(d.name, '_(\d+)_0+$', '_\1'))"""
    )
    cr.execute(
        r"""UPDATE res_partner p SET ref = regexp_replace(p.ref, '^(\d+)[.,]0+$', '\1')
             WHERE p.ref ~ '^\d+[.,]0+$'
               AND EXISTS (
                   SELECT FROM ir_model_data d
                    WHERE d.module = '__membri_import__' AND d.model = 'res.partner'
                      AND d.res_id = p.id)"""
    )
