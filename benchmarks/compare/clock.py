"""How long work takes, on a machine that does other things besides: CPU seconds of this process,
of the children that it has waited for (wkhtmltopdf), and of its PostgreSQL backend."""

import os
import statistics
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def read_process(pid):
    """:return: CPU seconds of a process of one thread; 0 where it runs on another machine"""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


def read_backend(env):
    env.cr.execute("SELECT pg_backend_pid()")
    return read_process(env.cr.fetchone()[0])


def read(env):
    times = os.times()
    return time.process_time() + times.children_user + times.children_system + read_backend(env)


def read_server(env, pid):
    """:return: CPU seconds of an Odoo server and of its backends on the database of ``env``"""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    env.cr.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    backends = sum(read_process(backend) for (backend,) in env.cr.fetchall())
    env.cr.commit()
    return (int(fields[11]) + int(fields[12])) / TICKS + backends


def measure(env, work):
    """Run ``work()`` from a cold cache to the commit.

    :return: (CPU seconds, queries, result)"""
    env.flush_all()
    env.cr.commit()
    env.invalidate_all()
    started, queries = read(env), env.cr.sql_log_count
    result = work()
    env.cr.commit()
    queries = env.cr.sql_log_count - queries
    return read(env) - started, queries, result


def in_turn(rounds, **ways):
    """Measure each way once a round, after one round that warms caches.

    :param ways: name → function(number of the round) → (seconds, queries)
    :return: {name: (median of the seconds, spread in %, queries of the last round)}, and the
        median of the ratios of the first way to each"""
    taken = {name: [] for name in ways}
    queries = {}
    for number in range(rounds + 1):
        for name, way in ways.items():
            seconds, queries[name] = way(number)
            if number:
                taken[name].append(seconds)
    first = next(iter(ways))
    summary, ratios = {}, {}
    for name, values in taken.items():
        middle = statistics.median(values)
        spread = 100 * (max(values) - min(values)) / middle if middle else 0.0
        summary[name] = (middle, spread, queries[name])
        pairs = zip(taken[first], values, strict=True)
        ratios[name] = statistics.median(ours / other if other else 0.0 for ours, other in pairs)
    return summary, ratios
