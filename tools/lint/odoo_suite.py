"""Odoo's own test_lint on this add-on; run in an Odoo shell by ``./dev lint``, which reads the log.

Its tests look at every add-on that they find: here they find only ours, beside what they ask of
the models in memory.
"""

import os
import sys
from contextlib import ExitStack
from unittest import TestLoader, mock

# At the end, so that nothing of Odoo's own packages is replaced.
sys.path.append(os.environ["LINT_PACKAGES"])

from odoo.modules import Manifest
from odoo.tests import loader
from odoo.tests.suite import OdooSuite

from odoo.addons.test_lint import tests as suite

OURS = Manifest.for_addon("membri_renewal")
# Tests of Odoo's checkers themselves, which tell nothing about an add-on.
OF_THE_CHECKERS = {"TestPylintChecks", "TestSqlLint", "TestI18nChecks"}


class Config:
    """Odoo's configuration, with our add-on as the folder that holds everything."""

    root_path = OURS.path

    def __init__(self, config):
        self._config = config

    def __getitem__(self, name):
        return self._config[name]


def narrow(stack):
    def replace(target, name, value):
        stack.enter_context(mock.patch.object(target, name, value))

    replace(Manifest, "all_addon_manifests", lambda: [OURS])
    # what OCA's tools and pylint-odoo ask of a manifest beside Odoo's own keys
    keys = suite.test_manifests.MANIFEST_KEYS | {"development_status", "maintainers"}
    replace(suite.test_manifests, "MANIFEST_KEYS", keys)
    replace(suite.test_pofile, "get_modules", lambda: [OURS.name])
    replace(suite.test_eslint, "get_modules", lambda: [OURS.name])
    replace(suite.test_pylint.tools, "config", Config(suite.test_pylint.tools.config))
    eslint = suite.test_eslint.TestESLint
    check = eslint._test_eslint
    # without files (of a point of sale, which has rules of its own) eslint would check the folder
    replace(eslint, "_test_eslint", lambda self, modules, rc: modules and check(self, modules, rc))


def main():
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
        loader.run_suite(OdooSuite(tests))


main()
