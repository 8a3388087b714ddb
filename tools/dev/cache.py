"""The cache folder outside the clone, which every clone on the machine shares.

Each installed thing is a folder named after the hash of its inputs, finished by a
stamp: a build that was killed half-way has no stamp and is simply begun again, and
two clones that want different versions do not disturb one another.
"""

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from .report import Failure, say, step

REPO = Path(__file__).resolve().parents[2]
TOOLS = REPO / "tools"
STAMP = ".complete"


def root():
    configured = os.environ.get("MEMBRI_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = (
        Path(configured).expanduser().absolute() if configured else Path(base) / "membri_renewal"
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"cannot make the cache folder {folder}: {error.strerror}") from error
    return folder


def log(name):
    """Where a step writes what it has no room to print."""
    folder = root() / "logs"
    folder.mkdir(exist_ok=True)
    return folder / f"{name}.log"


def digest(*parts):
    """A short key over strings, paths' contents and lists of them."""
    state = hashlib.sha256()
    for part in parts:
        state.update(part.read_bytes() if isinstance(part, Path) else str(part).encode())
        state.update(b"\0")
    return state.hexdigest()[:12]


def digest_tree(folder, *, skip=()):
    """A key over a folder's file names and contents; a file merely touched changes nothing."""
    state = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if (
            path.is_file()
            and "__pycache__" not in relative.parts
            and not set(relative.parts) & set(skip)
        ):
            state.update(f"{relative}\0".encode() + path.read_bytes())
    return state.hexdigest()[:12]


@contextmanager
def lock(name):
    """Let one ./dev at a time build ``name``.

    The kernel frees the lock when its holder dies, and not before the programs that the holder has
    started are gone as well: they inherit it (see report.run), since they may still be writing.
    """
    path = root() / "locks" / name
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as handle:
        os.set_inheritable(handle.fileno(), True)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"  waiting for another ./dev that is preparing {name} …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def folder(name, key, title, build, parent=None):
    """The folder ``name-key``, made by ``build(folder)`` unless a finished one is there already."""
    target = (parent or root()) / f"{name}-{key}"
    if (target / STAMP).exists():
        return target
    with lock(name):
        if (target / STAMP).exists():
            return target
        with step(title):
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            build(target)
            (target / STAMP).touch()
    return target
