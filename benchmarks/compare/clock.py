"""How long work takes, on a machine that does other things besides: CPU seconds of this process,
of the children that it has waited for (wkhtmltopdf), and of its PostgreSQL backend."""

import os
import statistics
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def read_backend(env):
    """:return: CPU seconds of the backend; 0 where it runs on another machine"""
    env.cr.execute("SELECT pg_backend_pid()")
    process = Path("/proc") / str(env.cr.fetchone()[0])
    try:
        return int((process / "schedstat").read_text().split()[0]) / 1e9
    except OSError:
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / TICKS


def read(env):
    times = os.times()
    return time.process_time() + times.children_user + times.children_system + read_backend(env)


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
