"""Lost mail is told by how much of it is lost: an outage pages, a single loss does not.

Each scenario is a message in five minutes on one route, over hours or days.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.exposition import alerts
from servers.promtool import AGENT, try_tests

ROUTE = f'{AGENT},tenant="contoso",subject="inward",probe="route"'
GROUPS = tuple(group for group in alerts.groups(()) if group.name == "mailflow-routes")
HOUR = 12  # messages
DAY = 24 * HOUR
FAST, SLOW, DOWN = "fast", "slow", "down"


@dataclass(frozen=True)
class Scenario:
    """How many messages were lost after each, and what fires at some times, in minutes."""

    title: str
    objective: float
    messages: int
    lost: Callable[[int], int]
    firing: dict[int, set[str]]
    down_from: int | None = None


def single(at: int) -> Callable[[int], int]:
    return lambda number: int(number >= at)


def every(distance: int) -> Callable[[int], int]:
    return lambda number: number // distance


def outage(since: int) -> Callable[[int], int]:
    return lambda number: max(number - since, 0)


def sampled(first: int, last: int, what: set[str]) -> dict[int, set[str]]:
    """Expect the same at ten times between two, in minutes."""
    return {first + (last - first) * step // 9 // 30 * 30: what for step in range(10)}


SCENARIOS = [
    Scenario(
        "a hard outage after an hour pages within 25 minutes, by both alerts",
        0.995,
        30,
        outage(12),
        {60: set(), 65: set(), 85: {FAST, DOWN}, 140: {FAST, DOWN}},
        down_from=12,
    ),
    Scenario(
        "of a route that was set up just now nothing is said yet",
        0.995,
        16,
        lambda number: min(number, 4),  # mended after twenty minutes
        {minute: set() for minute in range(5, 80, 5)},
    ),
    Scenario(
        "where it has been losing mail since it was set up, half an hour is enough",
        0.995,
        16,
        outage(0),
        {30: set(), 40: {FAST}, 75: {FAST}},
    ),
    Scenario(
        "and a ticket is for what has lasted for hours",
        0.98,
        10 * HOUR,
        every(10),
        {60: set(), 300: set(), 450: {SLOW}, 570: {SLOW}},
    ),
    *(
        Scenario(
            f"one loss of a young installation at {objective}",
            objective,
            4 * HOUR,
            single(HOUR),
            {62: set(), 65: set(), 80: set(), 100: set(), 150: set()},
        )
        for objective in (0.99, 0.995, 0.999)
    ),
    Scenario(
        "one loss after three days at 0.999",
        0.999,
        3 * DAY + 6 * HOUR,
        single(3 * DAY + 4 * HOUR),
        {4575: set(), 4590: set(), 4620: set(), 4650: set(), 4680: set()},
    ),
    Scenario(
        "one of twenty at 0.99 is a ticket, always",
        0.99,
        33 * HOUR,
        every(20),
        sampled(20 * 60, 33 * 60, {SLOW}),
    ),
    Scenario(
        "one of fifty at 0.99 is a ticket",
        0.99,
        33 * HOUR,
        every(50),
        sampled(20 * 60, 33 * 60, {SLOW}),
    ),
    Scenario(
        "one of fifty at 0.995 is a ticket",
        0.995,
        33 * HOUR,
        every(50),
        sampled(20 * 60, 33 * 60, {SLOW}),
    ),
    Scenario(
        "one of two hundred at 0.99 is what the objective allows",
        0.99,
        33 * HOUR,
        every(200),
        sampled(20 * 60, 33 * 60, set()),
    ),
    Scenario(
        "one of two hundred at 0.999 is too few to tell: the price of the guard",
        0.999,
        33 * HOUR,
        every(200),
        sampled(20 * 60, 33 * 60, set()),
    ),
]


def values(count: int, of: Callable[[int], float]) -> str:
    return " ".join(f"{of(number):g}" for number in range(count + 1))


def case_of(scenario: Scenario) -> dict[str, Any]:
    count, down = scenario.messages, scenario.down_from
    last = (lambda number: 300 * min(number, down)) if down else (lambda number: 300 * number)
    series = {
        f"mailflow_route_messages_total{{{ROUTE}}}": values(count, float),
        f'mailflow_route_messages_failed_total{{{ROUTE},reason="lost"}}': values(
            count, scenario.lost
        ),
        f"mailflow_route_slo_objective_ratio{{{ROUTE}}}": f"{scenario.objective}x{count}",
        f"mailflow_route_last_sent_timestamp_seconds{{{ROUTE}}}": f"0+300x{count}",
        f"mailflow_route_last_delivered_timestamp_seconds{{{ROUTE}}}": values(count, last),
        f"mailflow_route_deadline_seconds{{{ROUTE}}}": f"60x{count}",
        f"mailflow_route_interval_seconds{{{ROUTE}}}": f"300x{count}",
    }
    names = {
        FAST: 'alertname="MailflowRouteErrorBudgetBurn", severity="critical", window="fast"',
        SLOW: 'alertname="MailflowRouteErrorBudgetBurn", severity="warning", window="slow"',
        DOWN: 'alertname="MailflowRouteDown", severity="critical"',
    }
    return {
        "name": scenario.title,
        "interval": "5m",
        "input_series": [{"series": key, "values": text} for key, text in series.items()],
        "promql_expr_test": [
            {
                "expr": 'group by (alertname, severity, window) (ALERTS{alertstate="firing"})',
                "eval_time": f"{at}m",
                "exp_samples": [
                    {"labels": f"{{{names[each]}}}", "value": 1} for each in sorted(what)
                ],
            }
            for at, what in scenario.firing.items()
        ],
    }


@pytest.mark.integration
def test_what_a_share_of_lost_messages_leads_to(tmp_path: Path) -> None:
    # What lasts for days is looked at less often: it would take most of the time.
    for least, most, interval in ((0, 4, "5m"), (4, 48, "30m"), (48, 99, "15m")):
        chosen = [each for each in SCENARIOS if least < each.messages / HOUR <= most]
        try_tests(tmp_path, GROUPS, map(case_of, chosen), interval)
