"""What Odoo's log tells of a test run: what started, failed, was skipped, or is out of place."""

import re
from dataclasses import dataclass, field

from .odoo import MODULE

RECORD = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ \d+ ([A-Z]+) \S+ (\S+): (.*)$", re.DOTALL)
STARTED = re.compile(r"^Starting (\S+) \.\.\.")
SKIPPED = re.compile(r"^skipped (.+?) : ?(.*)$", re.DOTALL)
# what a tour has measured: see tests/test_first_run_tour.py
TOLD = re.compile(r"^First run: \d.*")
FAILED = re.compile(r"^(?:FAIL|ERROR): (?:Subtest )?(.+)")
IN_CLASS = re.compile(r"^(?:setUpClass|tearDownClass) \((.+)\)$")
# Odoo's own words when it cannot run a browser; it then skips the tour and calls the run a success.
NO_BROWSER = re.compile(r"chrom|websocket|devtools|chrome dev tools", re.IGNORECASE)
# Odoo sums up at ERROR level what it has reported test by test already.
SUMMARIES = re.compile(
    r"^(?:\d+ failed, \d+ error\(s\) of \d+ tests|Module \w+: \d+ failures, \d+ errors of \d+ tests"
    r"|At least one test failed when loading the modules)"
)
OURS = "membri"
# Noise of packages that is not ours to mend, as (logger, pattern) with the reason; keep it short.
ALLOWED = [
    # Odoo 19 still uses what the Werkzeug it pins announces to drop
    ("py.warnings", re.compile(r"'werkzeug\.urls\.\w+' is deprecated")),
]


@dataclass
class Outcome:
    """Names are (logger, Class.method), as Odoo's log has them."""

    started: set = field(default_factory=set)
    failed: dict = field(default_factory=dict)
    failed_classes: dict = field(default_factory=dict)
    skipped: dict = field(default_factory=dict)
    skipped_classes: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)  # (logger, text)

    def merge(self, other):
        for name in ("started", "failed", "failed_classes", "skipped", "skipped_classes"):
            getattr(self, name).update(getattr(other, name))
        self.problems += other.problems

    def problems_beside_failures(self):
        """What failed tests logged belongs to their failure: a tour's console errors, say."""
        tests = tuple(f"{logger}.{name}." for logger, name in self.failed)
        return [text for logger, text in self.problems if not f"{logger}.".startswith(tests)]


class Reader:
    """Fed with the log's lines; a record may span several."""

    def __init__(self, on_event=lambda kind, text: None):
        self.outcome = Outcome()
        self._record = None
        self._on_event = on_event

    def feed(self, line):
        if RECORD.match(line):
            self.close()
            self._record = line
        elif self._record is not None:
            self._record += line

    def close(self):
        if self._record is not None:
            level, logger, message = RECORD.match(self._record).groups()
            self._record = None
            self._handle(level, logger, message.rstrip())

    def _handle(self, level, logger, message):
        if match := STARTED.match(message):
            self.outcome.started.add((logger, match[1]))
            self._on_event("started", match[1])
        elif level == "INFO" and (match := SKIPPED.match(message)):
            self._skip(logger, match[1], match[2].strip())
        elif level == "INFO" and (match := TOLD.match(message)):
            self._on_event("told", match[0])
        elif level == "ERROR" and (match := FAILED.match(message)):
            self._fail(logger, match[1], message)
        elif self._is_problem(level, logger, message):
            self.outcome.problems.append((logger, f"{level} {logger}: {message}"))
            self._on_event("problem", f"{level} {logger}: {message.splitlines()[0]}")

    def _fail(self, logger, description, message):
        if match := IN_CLASS.match(description):
            self.outcome.failed_classes[match[1]] = message
        else:
            self.outcome.failed.setdefault((logger, description.split()[0]), []).append(message)
        self._on_event("failed", message.splitlines()[0])

    def _skip(self, logger, description, reason):
        if match := IN_CLASS.match(description):
            self.outcome.skipped_classes[match[1]] = reason
        else:
            self.outcome.skipped[logger, description] = reason
        if not reason:
            self.outcome.problems.append((logger, f"{description} was skipped without a reason"))
        elif NO_BROWSER.search(reason):
            self.outcome.problems.append((logger, f"the tour {description} was skipped: {reason}"))

    def _is_problem(self, level, logger, message):
        if level not in ("WARNING", "ERROR", "CRITICAL") or SUMMARIES.match(message):
            return False
        if _is_allowed(logger, message):
            return False
        ours = logger.startswith(f"odoo.addons.{MODULE}") or OURS in _without_cache(message)
        return ours or level != "WARNING"


def complaints(path):
    """Every record of a whole log at the level WARNING or above, but the allowed noise."""
    records = []
    for line in path.read_text("utf-8", "replace").splitlines():
        if RECORD.match(line):
            records.append(line)
        elif records:
            records[-1] += f"\n{line}"
    for record in records:
        level, logger, message = RECORD.match(record).groups()
        if level in ("WARNING", "ERROR", "CRITICAL") and not _is_allowed(logger, message):
            yield f"{level} {logger}: {message}"


def _is_allowed(logger, message):
    return any(logger == name and pattern.search(message) for name, pattern in ALLOWED)


def _without_cache(message):
    """The message without the cache's paths and database names, which bear our name anywhere."""
    return re.sub(
        r"/\S*membri_renewal/(?:odoo|venv|data|wkhtmltopdf)-\S*|membri_(?:test|shard|template)\w*",
        "",
        message,
    )
