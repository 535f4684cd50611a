"""The dashboards' queries, sent by a real Prometheus to what it knows of a real agent."""

import re
from pathlib import Path
from typing import Any

import pytest

from servers.dashboards import BOARDS, Asked, metrics_in, queries, substituted
from servers.prometheus import Prometheus, prometheus
from servers.running import TENANTS, Installation, Seen, eventually, running

_OFTEN = "{interval: 1s}"
_CHECKS = ", ".join(
    f"{kind}: {_OFTEN}"
    for kind in ("attribution", "drift", "export", "hygiene", "loop", "retirement")
)
EXPORTED = f"""\
  - name: relecloud
    gateways: {{hosts: ["*.filter.example"], presents: ["*.filter.example"]}}
    connectors: {{import: [state/lab-exports/relecloud.json]}}
    checks: {{{_CHECKS}}}
"""
UNTOLD = "mailflow_run_failures_total"  # perhaps not there yet: it appears with the first failure
# By metric: why no query of it alone has an answer. A new one that the lab cannot show goes here.
NOT_IN_THE_LAB = {
    "mailflow_dane_domain_signed": "its DNS server signs nothing",
    "mailflow_dane_signature_expiry_timestamp_seconds": "its DNS server signs nothing",
    "mailflow_mta_sts_certificate_expiry_timestamp_seconds": "no domain has a policy",
    "mailflow_mta_sts_exchanges_uncovered": "no domain has a policy",
    "mailflow_mta_sts_max_age_seconds": "no domain has a policy",
    "mailflow_registration_expiry_timestamp_seconds": "no registry is asked",
    "mailflow_registration_told_timestamp_seconds": "no registry is asked",
    "mailflow_credential_failing": "no route logs in",
    "mailflow_credential_secret_expiry_timestamp_seconds": "no route logs in",
    "mailflow_credential_token_expiry_timestamp_seconds": "no route logs in",
    "mailflow_self_credential_refused_runs": "no route logs in",
    "mailflow_self_mailbox_failing_runs": "its mailbox is a folder, which is always open",
    "mailflow_pickup_errors_total": "its mailbox is a folder, which is always open",
    "mailflow_mailbox_limit_bytes": "a folder has no quota",
    "mailflow_mailbox_used_bytes": "a folder has no quota",
    "mailflow_inbound_certificate_expiry_timestamp_seconds": "the sender shows no certificate",
    "mailflow_retirement_due_timestamp_seconds": "nothing in use is being retired",
    "mailflow_web_config_last_reload_success_timestamp_seconds": "there is no such file",
    "mailflow_web_config_last_reload_successful": "there is no such file",
}
TILE = {asked.panel: asked for asked in queries("mailflow-overview")}


async def answers(watcher: Prometheus, asked: Asked) -> list[dict[str, Any]]:
    """Ask what a panel asks, of the last seconds; an error is a failure of the test."""
    query = substituted(asked.expr, shortened=True)
    found: list[dict[str, Any]] = (await watcher.ask("query", query=query))["result"]
    return found


async def number(watcher: Prometheus, title: str) -> float | None:
    """Return the number on a tile of the overview; None where it has no data."""
    found = await answers(watcher, TILE[title])
    return float(found[0]["value"][1]) if found else None


async def all_answered(watcher: Prometheus, asked: list[Asked], seconds: float) -> None:
    """Ask until each of some queries has had an answer; a slow scrape in between is no fault."""
    waiting = list(asked)

    async def ask_again() -> list[str]:
        waiting[:] = [each for each in waiting if not await answers(watcher, each)]
        return [each.name for each in waiting]

    await eventually(ask_again, lambda names: not names, seconds)


def is_never(asked: Asked) -> bool:
    """Tell whether a query needs nothing but what the lab does not have."""
    needed = metrics_in(asked.expr)
    return bool(needed) and needed <= NOT_IN_THE_LAB.keys()


def have_run(seen: Seen) -> bool:
    """Tell whether every check has a result."""
    checks = seen.all("mailflow_check_interval_seconds")
    return len(checks) == len(seen.all("mailflow_check_severity")) > 0


async def check_choices(watcher: Prometheus) -> None:
    """See that every choice has something to choose from."""
    for board in BOARDS.values():
        for variable in board["templating"]["list"]:
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"])
            if found:
                selector = substituted(found[1])
                assert await watcher.ask(f"label/{found[2]}/values", **{"match[]": selector})


@pytest.mark.integration
async def test_every_query_has_an_answer_and_none_calls_a_dead_agent_well(tmp_path: Path) -> None:
    installation = Installation(tmp_path, TENANTS + EXPORTED)
    async with running(installation) as agent, prometheus(agent.url, tmp_path) as watcher:
        await agent.until(have_run, 40)
        untold = [asked for asked in queries() if UNTOLD in asked.expr]
        never = [asked for asked in queries() if is_never(asked)]
        await all_answered(watcher, [a for a in queries() if a not in (*untold, *never)], 40)
        await check_choices(watcher)
        for asked in never:  # what the list says of the lab holds
            assert await answers(watcher, asked) == [], asked.name
        assert await number(watcher, "Broken routes") is not None
        assert await number(watcher, "Agents down") == 0

        await agent.order("break", "smarthost-down")
        await eventually(lambda: number(watcher, "Broken routes"), lambda n: n, 30)
        rows = [row["metric"] for row in await answers(watcher, TILE["Findings"])]
        assert ("connector-refused", "mailflow-connector", "connector") in {
            (row["rule"], row["board"], row["kind"]) for row in rows
        }
        await agent.order("break", "dns-failing")
        await eventually(lambda: number(watcher, "Unknown checks"), lambda n: n, 30)
        await all_answered(watcher, untold, 30)

        await agent.stop()
        await eventually(lambda: number(watcher, "Agents down"), lambda n: n == 1)
        assert await number(watcher, "Broken routes") is None
        assert await number(watcher, "Unknown checks") is None
        assert await answers(watcher, TILE["Findings"]) == []
