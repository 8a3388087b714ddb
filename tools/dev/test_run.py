"""Run Odoo with tests, one process or several at a time, and read their logs as they grow."""

import os
import subprocess
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from . import cache, odoo, template, test_log, venv
from .report import say, step


def screenshots():
    """Where Odoo leaves a picture of the page on which a tour stopped."""
    return cache.root() / "test-screenshots"


def logs():
    """The logs of this run; each process has its own, since several runs may share the cache."""
    return sorted(cache.log("test").parent.glob(f"test-{os.getpid()}-*.log"))


class Runner:
    """Gathers what several Odoo processes report."""

    def __init__(self, verbose):
        self.outcome = test_log.Outcome()
        self.exit_code = 0
        self._verbose = verbose
        self._processes = []
        _forget_old_logs()

    def alone(self, database, tags):
        """Install the add-on and test it in the same breath."""
        self._run(database, "-i", odoo.MODULE, "--test-tags", tags)

    def shared(self, database, selections, jobs):
        """Install the add-on once, and test parts of it side by side on copies."""
        with step("installing the add-on"):
            self._run(database, "-i", odoo.MODULE)
        if not self.exit_code:
            self.side_by_side(database, selections, jobs)

    def side_by_side(self, database, selections, jobs):
        """Test what is installed, on as many databases as there are jobs: this one and copies.

        Whoever is free takes the next selection, so that all end at about the same time.
        """
        jobs = min(jobs, len(selections))
        waiting = iter(selections)  # hands each to one of the threads

        def work(name):
            for tags in waiting:
                self._run(name, "--test-tags", tags)

        with ExitStack() as clones:
            copies = [
                clones.enter_context(template.clone(f"shard{number}", database))
                for number in range(2, jobs + 1)
            ]
            with ThreadPoolExecutor(jobs) as pool:
                workers = [pool.submit(work, name) for name in (database, *copies)]
                try:
                    for worker in workers:
                        worker.result()
                except BaseException:
                    # The threads end when nothing waits and nothing runs.
                    deque(waiting, maxlen=0)
                    for process in self._processes:
                        odoo.stop(process)
                    raise

    def with_bridges(self, database, bridges, tags):
        """Install these bridges as well, together, and test them."""
        beside = odoo.BESIDE_BRIDGES if set(bridges) - set(odoo.OWN_BRIDGES) else ()
        arguments = ["-i", ",".join([*bridges, *beside]), "--test-tags", tags]
        # those of Odoo's own are there already, by themselves, and would run no tests
        if own := set(bridges) & set(odoo.OWN_BRIDGES):
            arguments += ["-u", ",".join(sorted(own))]
        self._run(database, *arguments, environment=_environment_of(bridges))

    def with_applications(self, database, bridges, tags):
        """Install these applications as well, beside the bridges that are there, and test what is
        asked beside them."""
        environment = _environment_of(bridges)
        with step("installing applications of Odoo's"):
            self._run(database, "-i", ",".join(odoo.APPLICATIONS), environment=environment)
        self._run(database, "--test-tags", tags, environment=environment)

    def _run(self, database, *arguments, environment=None):
        options = [f"--http-port={odoo.free_port()}", f"--screenshots={screenshots()}"]
        command = odoo.command("-d", database, *arguments, *options, "--stop-after-init")
        process = subprocess.Popen(
            [*command, "--max-cron-threads=0"],
            env=environment or _environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._processes.append(process)
        try:
            self.outcome.merge(self._read(process))
        finally:
            odoo.stop(process)
        self.exit_code = self.exit_code or process.returncode

    def _read(self, process):
        reader = test_log.Reader(on_event=_show)
        path = cache.log(f"test-{os.getpid()}-{process.pid}")
        with path.open("w", encoding="utf-8", buffering=1) as log:
            for line in process.stdout:
                log.write(line)
                reader.feed(line)
                if self._verbose:
                    say(line.rstrip("\n"))
        reader.close()
        process.wait()
        return reader.outcome


def _environment():
    environment = odoo.environment()
    path = [environment["PYTHONPATH"], str(venv.test_packages())]
    return {
        **environment,
        "PYTHONPATH": os.pathsep.join(path),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(cache.root() / "hypothesis"),
    }


def _environment_of(bridges):
    """:return: the variables of a database that has these bridges"""
    environment = _environment()
    return (
        odoo.bridge_environment(environment)
        if set(bridges) - set(odoo.OWN_BRIDGES)
        else environment
    )


def _show(kind, text):
    if kind != "started":
        say(f"  {kind}: {text}")


def _forget_old_logs():
    for old in cache.log("test").parent.glob("test-*.log"):
        if old.stat().st_mtime < time.time() - 86400:
            old.unlink(missing_ok=True)
