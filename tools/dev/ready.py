"""Everything Odoo needs, in the order in which a person would want to hear of what is missing."""

from . import browser, odoo_tree, postgres, template, venv, wkhtmltopdf


def ensure(with_browser=True):
    """Bring the machine to where Odoo runs; returns the name of the template database."""
    wkhtmltopdf.prepare()
    if with_browser:
        browser.ensure()
    odoo_tree.ensure()
    venv.odoo_python()
    wkhtmltopdf.ensure()
    postgres.ensure()
    return template.ensure()
