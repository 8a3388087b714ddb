"""How ./dev speaks: one line per long step, one sentence when something breaks."""

import subprocess
import sys
import time
from contextlib import contextmanager


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

    ``what`` completes "could not …".
    """
    with log.open("w", encoding="utf-8") as output:
        output.write("$ " + " ".join(map(str, command)) + "\n")
        output.flush()
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        try:
            process = subprocess.run(
                command, stdout=output, stderr=subprocess.STDOUT, check=False, **kwargs
            )
        except FileNotFoundError as error:
            raise Failure(f"could not {what}: the program {error.filename} is missing") from error
    if process.returncode:
        raise Failure(f"could not {what} ({_reason(log)}; the whole log: {log})")


def _reason(log):
    """The line of a log that most likely says why: the first error, else the last line."""
    lines = [
        line.strip()
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[1:]
        if line.strip()
    ]
    errors = [
        line
        for line in lines
        if line.startswith(("E: ", "ERROR: ", "error: ", "FATAL: ", "pg_ctl: ", "npm error"))
    ]
    reason = errors[0] if errors else (lines or ["no output"])[-1]
    return reason[:300].rstrip(".")
