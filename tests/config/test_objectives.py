"""A route whose objective so few messages cannot show is worth a line, with the way out."""

from collections.abc import Iterator
from typing import Any

from agent.config import build
from agent.config.objectives import unwatchable
from agent.probes.base import discover
from servers.standings import PROBES


def routes(*settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "tenants": [
            {
                "name": "contoso",
                "routes": [
                    {
                        "name": f"r{number}",
                        "send": {
                            "smtp": {"host": "127.0.0.1"},
                            "mail_from": "a@contoso.com",
                            "rcpt_to": "b@contoso.com",
                        },
                        "checks": {"route": each},
                    }
                    for number, each in enumerate(settings)
                ],
            }
        ]
    }


def told(*settings: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for warning in build(routes(*settings), probes=discover()).warnings:
        yield warning.path, warning.message


def test_the_default_and_what_fits_are_worth_no_line() -> None:
    assert list(told({}, {"interval": "1m", "objective": 0.998})) == []


def test_what_does_not_fit_is_told_with_the_arithmetic_and_two_ways_out() -> None:
    ((path, message),) = told({}, {"interval": "5m", "objective": 0.999})
    assert path == "tenants[contoso].routes[r1]"
    assert message == (
        "sends a message every 5m for an objective of 0.999, which do not fit together: of 12"
        " messages in an hour 0.001 may fail, which is 0.012 of one: a single loss is 83 times"
        " that, and the alert waits for 2 instead; send one every 51s or more often, or set the"
        " objective to 0.994 at most"
    )


def test_a_way_out_that_does_not_exist_is_not_told() -> None:
    (seldom,) = (message for _, message in told({"interval": "1h", "objective": 0.9}))
    assert seldom.endswith("many of those would hold no message; send one every 15m or more often")
    (high,) = (message for _, message in told({"interval": "5m", "objective": 0.99999}))
    assert high.endswith("; set the objective to 0.994 at most")


def test_checks_of_other_kinds_are_left_alone() -> None:
    config = build({}, probes=PROBES)
    assert list(unwatchable(config.file, config.checks)) == []
