"""Run Odoo: one-off commands, scripts in its shell, and a server.

What other commands (season, bench, shots …) build upon::

    from . import demo, odoo, template

    with template.clone("season") as db:      # a throw-away database with what the add-on needs
        odoo.install(db, ["membri_renewal"])
        odoo.shell(db, Path("tools/season.py"), env={"SEASON_MEMBERS": "1000"})
        with odoo.server(db) as served:       # served.url is http://127.0.0.1:<free port>
            ...

Every function starts or installs what it needs first.
"""

import functools
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from . import cache, odoo_tree, postgres, venv, wkhtmltopdf
from .report import Failure, run

MODULE = "membri_renewal"
# add-ons of ours that join it to others: to one of Odoo's own, which needs nothing else; and to
# the job queue and direct debits of the community
OWN_BRIDGES = ("membri_renewal_spreadsheet",)
BRIDGES = ("membri_renewal_queue_job", "membri_renewal_debit", *OWN_BRIDGES)
# no bridge depends on these, and one does more beside them
BESIDE_BRIDGES = ("account_payment_return",)
# of Odoo's, whose doors to memberships are closed: nothing depends on them, tests with this tag ask
APPLICATIONS = ("crm", "event_crm", "hr", "hr_expense", "mail_group", "mass_mailing")
APPLICATIONS_TAG = "membri_applications"
HOST = "127.0.0.1"


def addons_path():
    """The folder that holds the add-on; MEMBRI_ADDONS lets the tools be tried on another one."""
    folder = Path(os.environ.get("MEMBRI_ADDONS") or cache.REPO).absolute()
    if not (folder / MODULE / "__manifest__.py").exists():
        raise Failure(f"there is no add-on {MODULE} in {folder}")
    return folder


def addons():
    """The folders of the repository's add-ons, the main one first."""
    return sorted(manifest.parent for manifest in addons_path().glob(f"{MODULE}*/__manifest__.py"))


def data_dir():
    """Odoo's file store and sessions: one per database server, being named after databases."""
    server = (
        cache.digest(*sorted(postgres.environment().items())) if postgres.is_external() else "local"
    )
    return cache.root() / f"data-{server}"


def filestore(database):
    return data_dir() / "filestore" / database


def exists(database):
    """A database without its file store is a half one."""
    return postgres.exists(database) and filestore(database).is_dir()


def name_key(*parts):
    """A key for database names; several caches may share an external server."""
    return cache.digest(*parts, *([str(cache.root())] if postgres.is_external() else []))


@functools.cache
def _base_environment():
    postgres.ensure()
    source = odoo_tree.ensure()
    configuration = cache.root() / "odoo.conf"
    # An empty file of our own, or else the developer's ~/.odoorc would bend what is tested here.
    if not configuration.exists():
        configuration.write_text("[options]\n")
    return {
        **os.environ,
        **postgres.environment(),
        "PATH": f"{wkhtmltopdf.ensure()}:{os.environ['PATH']}",
        "PYTHONPATH": str(source),
        "ODOO_RC": str(configuration),
        "ODOO_DATA_DIR": str(data_dir()),
        "ODOO_HTTP_INTERFACE": HOST,
        "LC_ALL": "C.UTF-8",
    }


def bridge_environment(environment):
    """:return: the same variables, with what the bridges stand on"""
    packages = venv.bridge_packages()
    addons = [environment["ODOO_ADDONS_PATH"], str(packages / "odoo/addons")]
    path = [environment["PYTHONPATH"], str(packages)]
    return {
        **environment,
        "ODOO_ADDONS_PATH": ",".join(addons),
        "PYTHONPATH": os.pathsep.join(path),
    }


def environment(with_addon=True, peers=(), **extra):
    """The variables by which ``python -m odoo`` finds its source, PostgreSQL and the add-on.

    ``peers`` are more folders of add-ons.
    """
    source = Path(_base_environment()["PYTHONPATH"])
    addons = [
        str(folder) for folder in (source / "addons", source / "odoo/addons") if folder.is_dir()
    ]
    if with_addon:
        addons.append(str(addons_path()))
    addons.extend(map(str, peers))
    return {**_base_environment(), "ODOO_ADDONS_PATH": ",".join(addons), **extra}


def command(*arguments, python=None):
    """``python`` is another interpreter that finds Odoo by itself."""
    return [python or venv.odoo_python(), "-m", "odoo", *arguments]


def install(
    database,
    modules,
    *options,
    what="install {modules}",
    log="odoo-install",
    with_addon=True,
    peers=(),
):
    """Install modules into a database (made when it is missing) and stop."""
    names = ",".join(modules)
    arguments = ["-d", database, "-i", names, "--stop-after-init", "--no-http", *options]
    run(
        command(*arguments),
        what.format(modules=names),
        cache.log(log),
        env=environment(with_addon, peers),
    )


def upgrade(database, modules, log="odoo-upgrade"):
    names = ",".join(modules)
    arguments = ["-d", database, "-u", names, "--stop-after-init", "--no-http"]
    run(command(*arguments), f"upgrade {names}", cache.log(log), env=environment())


def uninstall(database, modules, log="odoo-uninstall"):
    names = ",".join(modules)
    arguments = ["module", "uninstall", "-d", database, *modules]
    run(command(*arguments), f"uninstall {names}", cache.log(log), env=environment())


def shell(
    database,
    script,
    what="run a script in Odoo",
    log="odoo-shell",
    with_addon=True,
    peers=(),
    options=(),
    env=None,
):
    """Run a Python file in ``odoo shell``: it finds ``env`` defined, and commits for itself."""
    arguments = ["shell", "-d", database, "--no-http", *options]
    with Path(script).open(encoding="utf-8") as source:
        full = environment(with_addon, peers, **(env or {}))
        run(command(*arguments), what, cache.log(log), env=full, stdin=source)


def script(database, path, *arguments, env=None):
    """Like ``shell``, but the script speaks to the terminal; returns its exit code.

    ``arguments`` reach the script as the environment variable SCRIPT_ARGUMENTS, one a line.
    """
    full = environment(SCRIPT_ARGUMENTS="\n".join(map(str, arguments)), **(env or {}))
    options = ["shell", "-d", database, "--no-http", "--log-level=warn"]
    with Path(path).open(encoding="utf-8") as source:
        return subprocess.run(command(*options), env=full, stdin=source, check=False).returncode


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def require_port(port):
    """Say so when a port is taken, before minutes are spent on what would be served there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Failure(
                f"port {port} is busy ({error.strerror}); choose another with --port"
            ) from error


def set_base_url(database, url):
    """Links in mails, and wkhtmltopdf's style sheets, must come from the address that is served."""
    for name, value in {
        "web.base.url": url,
        "web.base.url.freeze": "True",
        "report.url": url,
    }.items():
        postgres.query(
            "INSERT INTO ir_config_parameter (key, value)"
            f" VALUES ({postgres.quoted(name)}, {postgres.quoted(value)})"
            " ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
            database,
        )


class Server(NamedTuple):
    """A running Odoo server."""

    url: str
    process: subprocess.Popen
    log: Path

    def wait(self):
        """Return only by Ctrl-C, or with a Failure when the server dies by itself."""
        raise Failure(
            f"the Odoo server ended by itself with exit code {self.process.wait()} (see {self.log})"
        )


@contextmanager
def server(database, port=None, *options, crons=False, env=None, python=None, with_addon=True):
    """Serve one database while the block runs; yields a Server once it answers.

    Threads, not workers: they suffice for a browser or two, and PDFs can fetch their style sheets
    meanwhile.
    Crons stay off unless asked for, so that what a script shows is not moved by a clock.
    """
    port = port or free_port()
    require_port(port)
    url = f"http://{HOST}:{port}"
    set_base_url(database, url)
    arguments = [
        "-d",
        database,
        f"--db-filter=^{database}$",
        "--no-database-list",
        f"--http-port={port}",
    ]
    arguments += [
        f"--gevent-port={free_port()}",
        f"--max-cron-threads={1 if crons else 0}",
        *options,
    ]
    path = cache.log(f"server-{database}")
    with path.open("w", encoding="utf-8") as output:
        # A session of its own: a Ctrl-C reaches only ./dev, which then stops it in order.
        process = subprocess.Popen(
            command("server", *arguments, python=python),
            env=environment(with_addon, **(env or {})),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_served(process, url, path)
            yield Server(url, process, path)
        finally:
            stop(process)


def _wait_until_served(process, url, log):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Failure(f"the Odoo server stopped at once (see {log})")
        try:
            with urllib.request.urlopen(f"{url}/web/health", timeout=20):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise Failure(f"the Odoo server did not answer within two minutes (see {log})")


def stop(process):
    """Stop a process started with a session of its own, and what it started."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
