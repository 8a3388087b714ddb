"""The demo database of this clone: a chamber of commerce with members, made once and reused; and
an empty one, as whoever moves in finds it."""

import json
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from . import cache, odoo, postgres, ready, template, venv
from .report import Failure, say, step

LOGINS = [
    "admin",
    "manager",
    "officer",
    "accountant",
    "member",
]  # each with its own name as password
FILE = "demo/membri_demo.xml"
DATA_SCRIPT = f"""\
import os
from odoo.modules.module import get_module_path
from odoo.tools import convert_file

if os.path.exists(os.path.join(get_module_path("{odoo.MODULE}"), "{FILE}")):
    convert_file(env, "{odoo.MODULE}", "{FILE}", {{}}, mode="init", noupdate=True)
"""
SCRIPT = """\
env.ref("base.user_admin").password = "admin"
env["ir.qweb"]._pregenerate_assets_bundles()
env.cr.commit()
"""


def name(*, empty=False):
    """Clones share the cache, but not one another's demo database."""
    kind = "empty" if empty else "demo"
    return f"membri_{kind}_{odoo.name_key(str(odoo.addons_path()))[:6]}"


def ensure(fresh=False, *, empty=False):
    """The database's name: made when it is missing, upgraded when the add-on has changed."""
    source = ready.ensure(with_browser=False)
    database = name(empty=empty)
    addon = cache.digest_tree(odoo.addons_path() / odoo.MODULE, skip={"tests", "description"})
    with cache.lock(database):
        state = _state(database)
        if fresh or state.get("template") != source or not odoo.exists(database):
            _make(database, source, empty=empty)
        elif state.get("addon") != addon:
            with step("bringing the database up to date with the add-on"):
                odoo.upgrade(database, [odoo.MODULE])
        _set_state(database, {"template": source, "addon": addon})
    return database


def require():
    """The demo database's name, for commands that only look into it."""
    postgres.ensure()
    if not odoo.exists(name()):
        raise Failure("there is no demo database yet; ./dev run makes it")
    return name()


def _make(database, source, *, empty=False):
    with step(f"making the {'empty' if empty else 'demo'} database (about a minute)"):
        build(database, source, empty=empty)
    if not empty and not (odoo.addons_path() / odoo.MODULE / FILE).exists():
        say(f"  NOTE: the add-on has no {FILE}; the demo database holds no members.")


def build(database, source, addons=None, *, empty=False):
    """Make a demo database, with the add-on of the folder ``addons`` or else this clone's; or an
    ``empty`` one: the add-on, its administrator, and nobody's data."""
    unfinished = f"{database}_unfinished"
    place = {"with_addon": False, "peers": [addons]} if addons else {}
    template.copy(source, unfinished)
    odoo.install(unfinished, [odoo.MODULE], log="demo-install", **place)
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(SCRIPT if empty else DATA_SCRIPT + SCRIPT)
        script.flush()
        odoo.shell(unfinished, script.name, "load the data", log="demo-data", **place)
    template.rename(unfinished, database)


def _state(database):
    """What the database was made from; kept as its comment, so that the two cannot part."""
    comment = postgres.query(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database "
        f"WHERE datname = {postgres.quoted(database)}"
    )
    return json.loads(comment) if comment.startswith("{") else {}


def _set_state(database, state):
    postgres.query(f'COMMENT ON DATABASE "{database}" IS {postgres.quoted(json.dumps(state))}')


def mail_folder(*, empty=False):
    return cache.root() / "mail" / name(empty=empty)


@contextmanager
def mail_catcher(folder=None):
    """Catch every mail while the block runs; yields the SMTP port and the folder."""
    port, folder = odoo.free_port(), folder or mail_folder()
    folder.mkdir(parents=True, exist_ok=True)
    script = Path(__file__).with_name("mailcatcher.py")
    log = cache.log("mailcatcher")
    with log.open("w") as output:
        process = subprocess.Popen(
            [venv.tools_python(), script, odoo.HOST, str(port), folder],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield port, folder
            if process.poll() is not None:
                raise Failure(f"the mail catcher stopped (see {log})")
        finally:
            odoo.stop(process)


def clear_mail(*, empty=False):
    shutil.rmtree(mail_folder(empty=empty), ignore_errors=True)


@contextmanager
def served(port=None, fresh=False, crons=True, *, empty=False):
    """Serve the demo database, or the empty one, with its mail caught; yields the odoo.Server and
    the mail folder."""
    if port:
        odoo.require_port(port)
    database = ensure(fresh, empty=empty)
    if fresh:
        clear_mail(empty=empty)
    with mail_catcher(mail_folder(empty=empty)) as (smtp_port, folder):
        smtp = [f"--smtp={odoo.HOST}", f"--smtp-port={smtp_port}"]
        with odoo.server(database, port, *smtp, crons=crons) as server:
            yield server, folder
