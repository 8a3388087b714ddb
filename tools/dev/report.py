"""How ./dev speaks: one line per long step, one sentence when something breaks."""

import re
import subprocess
import sys
import time
from contextlib import contextmanager

# How the tools we run begin the line that says what is wrong.
TOOL_ERRORS = ("E: ", "ERROR: ", "error: ", "FATAL: ", "pg_ctl: ", "initdb: error", "npm error")
EXCEPTION = re.compile(r"^[\w.]*(?:Error|Exception|Warning): ")


class Failure(Exception):
    """Something the developer can act on; main() prints it as one sentence, without a traceback."""


def say(text=""):
    print(text, flush=True)


@contextmanager
def step(title):
    """Show a long step on one line, with the seconds it took."""
    started = time.monotonic()
    print(f"  {title} …", end="", flush=True)
    try:
        yield
    except BaseException:
        print(
            " failed" if not isinstance(sys.exc_info()[1], KeyboardInterrupt) else " stopped",
            flush=True,
        )
        raise
    print(f" {time.monotonic() - started:.0f} s", flush=True)


def run(command, what, log, **kwargs):
    """Run a command with its output in a log file; a failure becomes one sentence that names it.

    ``what`` completes "could not …". The program inherits the locks we hold, unless ``close_fds``.
    """
    with log.open("w", encoding="utf-8") as output:
        output.write("$ " + " ".join(map(str, command)) + "\n")
        output.flush()
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("close_fds", False)
        try:
            process = subprocess.run(
                command, stdout=output, stderr=subprocess.STDOUT, check=False, **kwargs
            )
        except FileNotFoundError as error:
            raise Failure(f"could not {what}: the program {error.filename} is missing") from error
    if process.returncode:
        raise Failure(f"could not {what} ({_reason(log)}; the whole log: {log})")


def _reason(log):
    """The log's line that most likely says why: a tool's first error, else the last exception."""
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines()[1:]]
    errors = [line for line in lines if line.startswith(TOOL_ERRORS)]
    exceptions = [line for line in lines if EXCEPTION.match(line)]
    reason = (errors[:1] or exceptions[-1:] or list(filter(None, lines))[-1:] or ["no output"])[0]
    return reason[:300].rstrip(".")
