"""Is anybody woken by what goes wrong once and not again?

Ten thousand runs of the checks of a small installation, of which one in a hundred fails in a way
that networks and servers fail in: a 421, a connection that is lost, a SERVFAIL. The board counts
them as it does in the agent, and Prometheus' own promtool evaluates the rules that are shipped over
all of it. That the same check fails in the same way in two runs in a row is no single failure, so
it does not come about here; two different checks, and a route twice within hours, do.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.config import build
from agent.domain import connector_rules, route_rules
from agent.domain.finding import Outcome, Rule
from agent.exposition import alerts
from agent.probes.base import DNS_UNANSWERED, Check, discover
from agent.runtime.board import Board, Run
from servers.promtool import AGENT, try_tests
from servers.standings import NOON

SEED, SHARE, ROUNDS = 20261128, 0.01, 100
EVERY = timedelta(minutes=5)
FAILURES: dict[str, tuple[Rule, ...]] = {
    "spf": (DNS_UNANSWERED,),
    "mx": (DNS_UNANSWERED,),
    "connector": (connector_rules.TIMED_OUT, connector_rules.STALLED, DNS_UNANSWERED),
    "route": (route_rules.DEFERRED, route_rules.UNREACHED, route_rules.UNCERTAIN, DNS_UNANSWERED),
}
COUNTED = (route_rules.UNREACHED,)  # as a message that failed
WOKEN = 'count by (alertname) (ALERTS{alertstate="firing", severity="critical"})'


def checks(folder: Path) -> tuple[Check[Any, Any], ...]:
    """Return a hundred checks: of twenty domains, ten connectors and fifty routes."""
    tenant = {
        "name": "contoso",
        "domains": [{"name": f"domain{number}.example"} for number in range(20)],
        "connectors": [
            {"name": f"to-{number}", "smart_hosts": [f"mail{number}.contoso.com"]}
            for number in range(10)
        ],
        "routes": [
            {
                "name": f"route-{number}",
                "send": {
                    "smtp": {"host": "mail.contoso.com"},
                    "mail_from": f"a{number}@contoso.com",
                    "rcpt_to": "b@contoso.com",
                },
            }
            for number in range(50)
        ],
    }
    budget = {"messages_per_minute": 600, "messages_per_day": 100_000}
    config = build({"tenants": [tenant], "budget": budget}, folder=folder)
    return tuple(each for each in config.checks if each.probe.kind in FAILURES)


def labels(check: Check[Any, Any], **more: str) -> str:
    whole = {"tenant": check.tenant, "subject": check.subject, "probe": check.probe.kind, **more}
    return f"{AGENT}," + ",".join(f'{name}="{value}"' for name, value in whole.items())


def simulated(board: Board, some: tuple[Check[Any, Any], ...]) -> Iterator[tuple[str, int, float]]:
    """Run everything so many rounds, and yield series, round and value."""
    chance, failed = random.Random(SEED), defaultdict[str, int](int)
    for turn in range(ROUNDS):
        at = NOON + turn * EVERY
        for check in some:
            rule = chance.choice(FAILURES[check.probe.kind]) if chance.random() < SHARE else None
            standing = board.standing(check.identity)
            assert standing is not None
            if rule is not None and rule.code in standing.consecutive:
                rule = None
            outcome = Outcome((rule.found("once"),)) if rule else Outcome()
            board.publish(Run(check, at, timedelta(seconds=1), outcome))
            yield f"mailflow_check_severity{{{labels(check)}}}", turn, outcome.severity.value
            yield f"mailflow_check_interval_seconds{{{labels(check)}}}", turn, 300
            for code, runs in standing.consecutive.items():
                assert rule is not None
                found = labels(check, rule=code, severity=rule.severity.word)
                yield f"mailflow_finding{{{found}}}", turn, runs
            if check.probe.kind == "route":
                failed[check.subject] += rule in COUNTED
                yield from of_route(check, turn, failed[check.subject], well=rule is None)


def of_route(
    check: Check[Any, Any], turn: int, failed: int, *, well: bool
) -> Iterator[tuple[str, int, float]]:
    """Yield what a route exports besides."""
    own, at = labels(check), turn * EVERY.total_seconds()
    info = labels(check, server="mail.contoso.com:25", place="sink")
    lost = labels(check, reason="unreached")
    yield f"mailflow_route_info{{{info}}}", turn, 1
    yield f"mailflow_route_slo_objective_ratio{{{own}}}", turn, 0.99
    yield f"mailflow_route_deadline_seconds{{{own}}}", turn, 60
    yield f"mailflow_route_interval_seconds{{{own}}}", turn, 300
    yield f"mailflow_route_messages_total{{{own}}}", turn, turn + 1
    yield f"mailflow_route_messages_failed_total{{{lost}}}", turn, failed
    yield f"mailflow_route_last_sent_timestamp_seconds{{{own}}}", turn, at
    if well or not turn:
        yield f"mailflow_route_last_delivered_timestamp_seconds{{{own}}}", turn, at


def values(samples: dict[int, float], *, lasts: bool) -> str:
    """Write samples as promtool reads them; what *lasts* keeps its value where none is new."""
    written, last = [], ""
    for turn in range(ROUNDS):
        if turn in samples:
            last = f"{samples[turn]:g}"
            written.append(last)
        else:
            written.append(last if lasts else ("stale" if written and last else "_"))
            last = last if lasts else ""
    return " ".join(written)


@pytest.mark.integration
def test_ten_thousand_runs_with_single_failures_wake_nobody(tmp_path: Path) -> None:
    board, some = Board(), checks(tmp_path)
    board.keep(some, NOON)
    assert len(some) * ROUNDS == 10_000
    series: dict[str, dict[int, float]] = defaultdict(dict)
    for name, turn, value in simulated(board, some):
        series[name][turn] = value
    failures = [key for key in series if key.startswith("mailflow_finding")]
    assert sum(len(series[key]) for key in failures) > 80
    assert all(set(series[key].values()) == {1} for key in failures)
    found = [
        {"series": key, "values": values(its, lasts="last_delivered" in key)}
        for key, its in series.items()
    ]
    ends = int(ROUNDS * EVERY.total_seconds() / 60)
    test = {
        "interval": "5m",
        "input_series": [{"series": f"up{{{AGENT}}}", "values": f"1x{ROUNDS}"}, *found],
        "promql_expr_test": [
            {"expr": f"count_over_time(({WOKEN})[{ends}m:5m])", "eval_time": f"{ends}m"}
        ],
    }
    try_tests(tmp_path, alerts.groups(discover()), [test], "5m")
