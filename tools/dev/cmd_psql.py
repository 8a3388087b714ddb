"""Open psql on the demo database, or run one statement:  ./dev psql -- -c "SELECT 1" """

import os

from . import demo, postgres

HELP = "open psql on the demo database"


def add_arguments(parser):
    parser.add_argument("--database", help="another database than the demo's")
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="passed to psql, after --")


def main(options):
    database = options.database or demo.require()
    postgres.ensure()
    program = str(postgres.psql())
    os.execve(
        program,
        [program, "-d", database, *options.arguments],
        {**os.environ, **postgres.environment()},
    )
