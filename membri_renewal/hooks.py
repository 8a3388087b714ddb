from .report.insight import KEPT


def pre_init_hook(env):
    """The no-overlap constraint of cotisations compares a contact (=) and a range of
    dates (&&) in one index, which PostgreSQL does with its trusted btree_gist extension.
    """
    env.cr.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")


def uninstall_hook(env):
    """What watches tables of Odoo for the figures goes first."""
    for name in KEPT:
        for statement in env[name]._get_drop_statements():
            env.cr.execute(statement)
