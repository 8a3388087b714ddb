"""Stop the private PostgreSQL server that the other commands leave running."""

from . import postgres
from .report import say

HELP = "stop the private PostgreSQL server"


def add_arguments(parser):
    pass


def main(options):
    if postgres.is_external():
        say("PostgreSQL is your own (PGHOST, PGPORT); it is left alone.")
    else:
        say("PostgreSQL stopped." if postgres.stop() else "PostgreSQL was not running.")
