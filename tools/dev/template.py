"""Databases that are ready to be cloned, so that a test run installs only the add-on."""

import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from . import cache, odoo, odoo_tree, postgres
from .report import Failure, step

MODULES = ["account_payment", "contacts", "payment_demo", "l10n_ca"]
LANGUAGES = ["en_US", "fr_FR", "fr_CA"]
# The first page of a fresh database builds assets for most of a minute, and the first PDF document
# some of its own; the clones inherit them.
SCRIPT = """\
qweb = env["ir.qweb"]
qweb._pregenerate_assets_bundles()
for bundle in ("web.report_assets_common", "web.report_assets_pdf"):
    qweb._get_asset_bundle(bundle, js=False, autoprefix=True).css()
env.cr.commit()
"""
RECIPE = "1"
PREFIX = "membri_template_"


def ensure():
    """The name of the template database; made when its inputs have changed."""
    source = odoo_tree.ensure()
    pins = cache.TOOLS / "requirements-odoo.txt"
    name = PREFIX + odoo.name_key(RECIPE, str(source), pins, *MODULES, *LANGUAGES, SCRIPT)
    odoo.environment(with_addon=False)
    if odoo.exists(name):
        return name
    with cache.lock("template"):
        if not odoo.exists(name):
            with step("making the template database (about two minutes)"):
                _build(name)
    return name


def _build(name):
    unfinished = "membri_unfinished_template"
    drop(unfinished)
    languages = f"--load-language={','.join(LANGUAGES)}"
    what = "make the template database"
    odoo.install(unfinished, MODULES, languages, what=what, log="template", with_addon=False)
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(SCRIPT)
        script.flush()
        odoo.shell(
            unfinished, script.name, "build the assets", log="template-assets", with_addon=False
        )
    rename(unfinished, name)


def copy(source, target):
    """Clone a database and its file store; Odoo never rewrites a stored file, so links suffice."""
    drop(target)
    shutil.copytree(odoo.filestore(source), odoo.filestore(target), copy_function=os.link)
    try:
        # Quickest where nothing waits for the disk; an older server lacks the word.
        strategy = "" if postgres.is_external() else "STRATEGY file_copy"
        postgres.query(f'CREATE DATABASE "{target}" TEMPLATE "{source}" {strategy}')
    except Failure as failure:
        # PostgreSQL does not clone a database that someone is connected to: ./dev run, say.
        if "being accessed" not in str(failure):
            raise
        postgres.query(f'CREATE DATABASE "{target}" TEMPLATE template0')
        postgres.transfer(source, target)


def drop(database):
    postgres.query(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    shutil.rmtree(odoo.filestore(database), ignore_errors=True)


def keep(database):
    """Rename a clone so that no later command drops it but the next ``keep``; returns its name."""
    target = "membri_kept_" + database.removeprefix("membri_").rpartition("_")[0]
    rename(database, target)
    return target


def rename(database, target):
    drop(target)
    # The database's name comes last: it is what says that everything is there.
    odoo.filestore(database).rename(odoo.filestore(target))
    postgres.query(f'ALTER DATABASE "{database}" RENAME TO "{target}"')


@contextmanager
def clone(purpose, source=None, keep=False):
    """A throw-away copy of the template or of another database, dropped unless ``keep``."""
    source = source or ensure()
    prefix = f"membri_{purpose}_"
    _drop_orphans(prefix)
    name = f"{prefix}{os.getpid()}"
    copy(source, name)
    try:
        yield name
    finally:
        if not keep:
            drop(name)


def _drop_orphans(prefix):
    """Clones carry the process id of their ./dev; a killed one leaves its clone behind."""
    for database in postgres.databases(prefix):
        with suppress(ValueError):
            if not Path(f"/proc/{int(database.removeprefix(prefix))}").exists():
                drop(database)
