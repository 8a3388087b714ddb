"""Odoo's own test_lint on this add-on; run in an Odoo shell by ``./dev lint``.

Its tests look at every add-on that they find; here they find only ours, beside what they ask of
the models in memory. What fails is printed, one paragraph each.
"""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from unittest import TestLoader, mock

# After Odoo's own packages, so that none of those is replaced.
sys.path.append(os.environ["LINT_PACKAGES"])

from odoo.addons.test_lint.tests import test_eslint, test_pofile, test_pylint
from odoo.modules import Manifest
from odoo.tests import loader
from odoo.tests.suite import OdooSuite

MODULE = "membri_renewal"
# Tests of Odoo's checkers themselves, which tell nothing about the add-ons that they check.
OF_THE_CHECKERS = {"TestPylintChecks", "TestSqlLint", "TestI18nChecks"}
OURS = Manifest.for_addon(MODULE)


def narrow(stack):
    """Let the tests find nothing but this add-on."""
    config = SimpleNamespace(root_path=OURS.path, **{"__getitem__": None})
    stack.enter_context(mock.patch.object(Manifest, "all_addon_manifests", lambda: [OURS]))
    for module in (test_eslint, test_pofile):
        stack.enter_context(mock.patch.object(module, "get_modules", lambda: [MODULE]))
    real = test_pylint.tools.config
    config = mock.MagicMock(root_path=OURS.path, __getitem__=lambda _, name: real[name])
    stack.enter_context(mock.patch.object(test_pylint.tools, "config", config))


def main():
    suite = __import__("odoo.addons.test_lint.tests", fromlist=["*"])
    modules = [value for name, value in vars(suite).items() if name.startswith("test_")]
    tests = [
        test
        for module in modules
        for group in TestLoader().loadTestsFromModule(module)
        for test in group
        if type(test).__name__ not in OF_THE_CHECKERS
    ]
    with ExitStack() as stack:
        narrow(stack)
        result = loader.run_suite(OdooSuite(tests))
    Path(os.environ["LINT_RESULT"]).write_text(f"{result.testsRun} {result.failures_count} {result.errors_count} {result.skipped}\n")


main()
