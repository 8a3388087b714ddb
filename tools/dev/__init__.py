"""The machine side of the project: what ./dev installs, starts, tests and shows.

Only the standard library, so that it runs on a machine that has nothing yet.
One file per concern; ``cmd_*.py`` holds one command each.
"""
