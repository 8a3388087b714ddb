"""How figures are kept, so that a screen of 100,000 members with their years opens at once and is
yet never old. A model whose table is ``x`` has three tables, and says which query fills them:

- ``x_kept`` has the rows as they were when they were computed.
- ``x_stale`` names whose rows something was recorded about since. The database writes it itself,
  by triggers, in the very transaction of the change, whoever makes it (Odoo's merge of contacts
  writes SQL); it is only ever added to, so that no two transactions wait for each other.
- ``x_total`` has the kept rows added up, by what screens group and filter by.

What is read is the kept rows of all others, and the rows of those who are stale, computed at once;
or the totals, less the kept rows of those who are stale, plus what is computed of them. The
scheduled action computes these rows and takes them off the list: those of its own snapshot, so
that a change that is under way stays on it.
"""

from typing import NamedTuple

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

# in the context, it asks for totals; no client can send it
TOTALS = object()
# more stale members than these are not named one by one
MANY = 5_000
# aggregates that are the same of totals as of rows, of what totals are kept by
SAME = frozenset({"array_agg_distinct", "count_distinct", "min", "max", "bool_and", "bool_or"})

# of a rate: whether it is not, and was not, the one that counts on a day
NOT_THE_RATE = """EXISTS (
        SELECT 1
          FROM res_currency_rate other
         WHERE other.currency_id = fact.currency_id
           AND other.company_id IS NOT DISTINCT FROM fact.company_id
           AND other.id != fact.id
           AND other.name <= {day}
           AND (other.name > fact.name OR fact.name > {day})
    )"""

# of a rate: whether ``company`` uses it
RATE_OF_COMPANY = """(
        fact.company_id IS NULL
        OR fact.company_id = SPLIT_PART(company.parent_path, '/', 1)::integer
    )"""

FRESH_QUERY = """
SELECT kept.*
  FROM %(kept)s kept
 WHERE NOT EXISTS (SELECT 1 FROM (%(stale)s) stale WHERE %(same)s)
 UNION ALL
SELECT computed.*
  FROM (%(computed)s) computed
"""

TOTAL_QUERY = """
SELECT %(by)s, %(added)s
  FROM (
           SELECT %(by)s, %(totals)s
             FROM %(total)s
            UNION ALL
           SELECT %(by)s, %(less)s
             FROM %(kept)s kept
            WHERE (%(keys)s) IN (%(stale)s)
            UNION ALL
           SELECT %(by)s, %(more)s
             FROM (%(computed)s) computed
       ) part
 GROUP BY %(by)s
HAVING SUM(%(count)s) != 0
"""


class Watch(NamedTuple):
    """Which changes of a table make kept rows old. ``fact`` is the row, as it was and as it is.

    ``columns``: names; none of them for any. ``question``: the SQL that says whose rows, with the
    columns of the list of the stale. ``only``: of which rows. ``comes_and_goes``: whether new rows
    and those that are deleted count; without columns, they do.
    """

    columns: str
    question: str
    only: str = "TRUE"
    comes_and_goes: bool = False


class MembriKeptMixin(models.AbstractModel):
    """A report whose rows are kept until something is recorded that they are made of."""

    _name = "membri.kept.mixin"
    _inherit = "membri.report.mixin"
    _description = "Report whose rows are kept"
    # whose rows are computed together, and what names them on the list of the stale
    _kept_by = ("partner_id", "company_id")
    _stale_columns = ("partner_id", "company_id")
    _kept_everybody = "SELECT DISTINCT partner_id, company_id FROM membri_cotisation"
    _kept_indexes = ()
    _kept_watched = {}
    # what totals are kept by; their number of rows, what is added up, and of what there is a mean
    _total_by = ()
    _total_count = ""
    _total_sums = ()
    _total_means = ()

    def init(self):
        # EXTENDS base: when the tables that are watched are there
        if not self._abstract:
            self.pool.post_init(self._init_kept)

    def _init_kept(self):
        """Make the tables, and what notes whose rows are old by now: those of all are."""
        table = self._table
        by = ", ".join(self._total_by)
        columns = ", ".join(f"{name} integer" for name in self._stale_columns)
        nobody = SQL("SELECT %s", SQL(", ").join(SQL(f"0 AS {name}") for name in self._kept_by))
        statements = [
            *map(SQL, self._get_drop_statements()),
            SQL(f"CREATE TABLE {table}_stale ({columns})"),
            SQL(
                f"CREATE TABLE {table}_kept AS %s WITH NO DATA",
                self._get_computed_query(nobody, self._get_no_values()),
            ),
            SQL(f"ALTER TABLE {table}_kept ADD PRIMARY KEY (id)"),
            SQL(f"CREATE INDEX ON {table}_kept ({', '.join(self._kept_by)})"),
            *(SQL(f"CREATE INDEX ON {table}_kept {index}") for index in self._kept_indexes),
            SQL(
                f"CREATE TABLE {table}_total AS SELECT {by}, {self._get_added_up()}"  # nosec B608: our names
                f" FROM {table}_kept GROUP BY {by} WITH NO DATA"
            ),
            *map(SQL, self._get_trigger_statements()),
            SQL(f"INSERT INTO {table}_stale {self._kept_everybody}"),
        ]
        for statement in statements:
            self.env.cr.execute(statement)

    def _get_drop_statements(self):
        """:return: the SQL statements that take away what ``_init_kept`` makes"""
        for watched in self._kept_watched:
            yield f"DROP FUNCTION IF EXISTS {self._table}_note_{watched}() CASCADE"
        names = ", ".join(f"{self._table}_{part}" for part in ("kept", "stale", "total"))
        yield f"DROP TABLE IF EXISTS {names}"

    def _get_trigger_statements(self):
        """Return the SQL statements that make the database note whose rows a change may have
        made old."""
        for table, watch in self._kept_watched.items():
            function = f"{self._table}_note_{table}"
            names = watch.columns.split(", ") if watch.columns else []
            note = f"IF {watch.only} THEN INSERT INTO {self._table}_stale {watch.question}; END IF;"
            notes = [note.replace("fact.", f"{row}.") for row in ("OLD", "NEW")]
            yield f"""
                CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF TG_OP = 'UPDATE' AND {get_same(names)} THEN RETURN NULL; END IF;
                    IF TG_OP != 'INSERT' THEN {notes[0]} END IF;
                    IF TG_OP != 'DELETE' THEN {notes[1]} END IF;
                    RETURN NULL;
                END $$
            """
            events = [f"UPDATE OF {watch.columns}"] if names else ["UPDATE"]
            if watch.comes_and_goes or not names:
                events += ["INSERT", "DELETE"]
            yield f"DROP TRIGGER IF EXISTS {self._table}_note ON {table}"
            yield (
                f"CREATE TRIGGER {self._table}_note AFTER {' OR '.join(events)} ON {table}"
                f" FOR EACH ROW EXECUTE FUNCTION {function}()"
            )

    # ------------------------------------------------------------------
    # What each report says
    # ------------------------------------------------------------------

    def _get_query_values(self):
        """:return: dict of what the query cannot know, such as each company's own day"""
        return {"today": self.env["res.company"]._membri_get_days_sql()}

    def _get_no_values(self):
        """:return: the same, while the module is installed"""
        return {"today": SQL("(0, DATE '2000-01-01')")}

    def _get_computed_query(self, asked, values):
        """:param asked: SQL of the columns ``_kept_by``
        :return: SQL of the rows of these, none of them kept"""
        raise NotImplementedError

    def _get_stale_query(self):
        """:return: SQL of the columns ``_kept_by``: whose kept rows are not to be read"""
        names = ", ".join(self._kept_by)
        return SQL(f"SELECT {names} FROM {self._table}_stale")  # nosec B608: our names

    # ------------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------------

    @property
    def _table_query(self):
        return self._get_fresh_query()

    def _get_fresh_query(self):
        """:return: SQL of all rows, or of the totals, as they are now"""
        stale = self._get_stale_query()
        if self.pool.ready:
            # named one by one, so that the database knows how few they are; mostly there is none
            members = self._find_stale(MANY + 1)
            if not members:
                part = "total" if self._reads_totals() else "kept"
                return SQL("SELECT * FROM %s", SQL.identifier(f"{self._table}_{part}"))
            if len(members) <= MANY:
                stale = self._get_named(members)
        parts = {
            "kept": SQL.identifier(f"{self._table}_kept"),
            "stale": stale,
            "computed": self._get_computed_query(stale, self._get_query_values()),
        }
        if not self._reads_totals():
            same = " AND ".join(f"stale.{name} = kept.{name}" for name in self._kept_by)
            return SQL(FRESH_QUERY, same=SQL(same), **parts)
        columns = self._get_total_columns()
        named = {
            "by": ", ".join(self._total_by),
            "keys": ", ".join(self._kept_by),
            "added": ", ".join(f"SUM({name}) AS {name}" for name in columns),
            "totals": ", ".join(columns),
            "less": ", ".join(f"-({part}) AS {name}" for name, part in columns.items()),
            "more": ", ".join(f"{part} AS {name}" for name, part in columns.items()),
            "count": self._total_count,
            "total": f"{self._table}_total",
        }
        return SQL(TOTAL_QUERY, **parts, **dict(zip(named, map(SQL, named.values()), strict=True)))

    def _find_stale(self, limit=None):
        """:param limit: of how many at most
        :return: list of tuples with the columns ``_kept_by``: whose kept rows are old"""
        self.env.flush_all()
        query = SQL("SELECT DISTINCT * FROM (%s) stale", self._get_stale_query())
        return self.env.execute_query(SQL("%s LIMIT %s", query, limit) if limit else query)

    def _get_named(self, members):
        """:return: SQL of the columns ``_kept_by`` of these members"""
        return SQL(
            f"SELECT * FROM unnest(%s) AS member ({', '.join(self._kept_by)})",  # nosec B608: our names
            SQL(", ").join(
                SQL("%s::integer[]", list(column)) for column in zip(*members, strict=True)
            ),
        )

    def _get_total_columns(self):
        """:return: ``{column of the totals: SQL of what of a row is added up}``"""
        columns = {name: name for name in (self._total_count, *self._total_sums)}
        for name in self._total_means:
            columns[f"{name}_sum"] = f"COALESCE({name}, 0)"
            columns[f"{name}_known"] = f"({name} IS NOT NULL)::integer"
        return columns

    def _get_added_up(self, sign=""):
        return ", ".join(
            f"{sign}SUM({part}) AS {name}" for name, part in self._get_total_columns().items()
        )

    def _reads_totals(self):
        return self.env.context.get("membri_totals") is TOTALS

    @api.model
    def _read_group(
        self, domain, groupby=(), aggregates=(), having=(), offset=0, limit=None, order=None
    ):
        # EXTENDS base: where totals tell it, they are read
        model = self
        if not having and self._is_told_by_totals(domain, groupby, aggregates, order):
            model = self.with_context(membri_totals=TOTALS)
        groups = super(MembriKeptMixin, model)._read_group(
            domain, groupby, aggregates, having, offset, limit, order
        )
        return self._forget_totals(groups)

    @api.model
    def _read_grouping_sets(self, domain, grouping_sets, aggregates=(), order=None):
        # EXTENDS base: where totals tell it, they are read
        model = self
        groupby = [spec for groupby in grouping_sets for spec in groupby]
        if self._is_told_by_totals(domain, groupby, aggregates, order):
            model = self.with_context(membri_totals=TOTALS)
        found = super(MembriKeptMixin, model)._read_grouping_sets(
            domain, grouping_sets, aggregates, order
        )
        return [self._forget_totals(groups) for groups in found]

    def _forget_totals(self, groups):
        """:return: the groups, whose records ask for no totals by themselves"""
        return [
            tuple(
                value.with_env(self.env) if isinstance(value, models.BaseModel) else value
                for value in group
            )
            for group in groups
        ]

    def _is_told_by_totals(self, domain, groupby, aggregates, order):
        """Return whether all that is asked about, and asked for, is what totals are kept by, or
        what is added up in them."""
        conditions = list(Domain(domain).iter_conditions())
        if not self.env.su:
            rules = self.env["ir.rule"]._compute_domain(self._name, "read")
            conditions += Domain(rules).iter_conditions()
        asked = {condition.field_expr for condition in conditions} | set(groupby)
        names = {spec.partition(":")[0].partition(".")[0] for spec in asked}
        ordered = {part.split()[0] for part in (order or "").split(",") if part.strip()}
        return (
            names <= set(self._total_by)
            and ordered <= {*groupby, *aggregates}
            and all(map(self._is_added_up, aggregates))
        )

    def _is_added_up(self, aggregate):
        name, _colon, function = aggregate.partition(":")
        return (
            aggregate == "__count"
            or (function in ("sum", "sum_currency") and name in self._get_sums())
            or (function == "avg" and name in self._total_means)
            or (function in SAME and name in self._total_by)
        )

    def _get_sums(self):
        """:return: names of the fields that are added up in totals"""
        return {self._total_count, *self._total_sums}

    def _read_group_select(self, aggregate_spec, query):
        # EXTENDS base: one of the totals stands for many rows
        term = super()._read_group_select(aggregate_spec, query)  # what may be read is asked there
        if not self._reads_totals():
            return term
        if aggregate_spec == "__count":
            return SQL("SUM(%s)::bigint", SQL.identifier(self._table, self._total_count))
        name, _colon, function = aggregate_spec.partition(":")
        if function == "avg":
            return SQL(
                "SUM(%s)::float8 / NULLIF(SUM(%s), 0)::float8",
                SQL.identifier(self._table, f"{name}_sum"),
                SQL.identifier(self._table, f"{name}_known"),
            )
        if function == "sum" and self._fields[name].type == "integer":
            return SQL("(%s)::bigint", term)
        return term

    # ------------------------------------------------------------------
    # Keeping
    # ------------------------------------------------------------------

    def _get_stale(self):
        """:return: those whose rows are to be kept anew, as of :meth:`_find_stale`"""
        return self._find_stale()

    def _keep_stale(self, batch):
        """Compute and keep the rows of those about whom something was recorded since. What is
        read is the same before and after.

        :param batch: how many of them at a time
        :return: whether there was time for all"""
        while left := self._get_stale():
            self._keep(left[:batch])
            if not self.env["ir.cron"]._commit_progress(
                min(batch, len(left)), remaining=max(0, len(left) - batch)
            ):
                return False
        return True

    def _keep(self, members):
        """:param members: list of tuples with the columns ``_kept_by``"""
        keys, table = ", ".join(self._kept_by), self._table
        by, columns = ", ".join(self._total_by), ", ".join(self._get_total_columns())
        asked = self._get_named(members)
        mine = SQL(f"({keys}) IN (%s)", asked)
        added = f"{by}, {self._get_added_up()}"
        computed = self._get_computed_query(asked, self._get_query_values())
        for statement in (
            SQL(
                f"WITH gone AS (DELETE FROM {table}_kept WHERE %s RETURNING *)"  # nosec B608: our names
                f" INSERT INTO {table}_total ({by}, {columns})"
                f" SELECT {by}, {self._get_added_up('-')} FROM gone GROUP BY {by}",
                mine,
            ),
            SQL(
                f"WITH come AS (INSERT INTO {table}_kept %s RETURNING *)"  # nosec B608: our names
                f" INSERT INTO {table}_total ({by}, {columns}) SELECT {added}"
                f" FROM come GROUP BY {by}",
                computed,
            ),
            SQL(f"DELETE FROM {table}_stale WHERE %s", mine),  # nosec B608: our names
            # what was taken off and added becomes one line again
            SQL(
                f"WITH gone AS (DELETE FROM {table}_total RETURNING *)"  # nosec B608: our names
                f" INSERT INTO {table}_total ({by}, {columns}) SELECT {by},"
                f" {', '.join(f'SUM({name})' for name in self._get_total_columns())}"
                f" FROM gone GROUP BY {by} HAVING SUM({self._total_count}) != 0"
            ),
        ):
            self.env.cr.execute(statement)


def get_same(names):
    """:return: SQL that says whether an update left all of the columns as they were"""
    if not names:
        return "FALSE"
    old, new = (", ".join(f"{row}.{name}" for name in names) for row in ("OLD", "NEW"))
    return f"ROW({old}) IS NOT DISTINCT FROM ROW({new})"
