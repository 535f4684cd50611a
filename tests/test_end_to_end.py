"""The program as a process: it watches, outlives outages, reloads, stops, and comes back."""

import asyncio
import re
import signal
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from servers.program import mailflow_agent
from servers.prometheus import PROMTOOL, Prometheus, prometheus
from servers.running import Installation, Running, eventually, running

SEVERITY = "mailflow_check_severity"
ROUTE = {"subject": "to-mailbox", "probe": "route"}
SUCCESSFUL = "mailflow_config_last_reload_successful"
OF_DOMAINS = (
    *("autodiscover", "dane", "dkim", "dmarc", "exchange", "mta-sts", "mx", "nameservers"),
    *("refusal", "reputation", "reverse", "spf", "tls-rpt"),
)
DOMAINS = ("contoso.com", "fabrikam.com", "fourthcoffee.com")
CHECKS = {
    *(f"{domain}/{kind}" for domain in DOMAINS for kind in OF_DOMAINS),
    "from-datacentre/inbound",
    "internet-to-mailbox/route",
    "local/self",
    "to-datacentre/connector",
    "to-mailbox/route",
}


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


@pytest.fixture
async def agent(installation: Installation) -> AsyncIterator[Running]:
    async with running(installation) as agent:
        yield agent


@pytest.fixture
async def watcher(agent: Running, tmp_path: Path) -> AsyncIterator[Prometheus]:
    """A Prometheus that has seen all to be well."""
    async with prometheus(agent.url, tmp_path) as prometheus_:
        await eventually(
            lambda: prometheus_.query(SEVERITY),
            lambda values: values == dict.fromkeys(CHECKS, 0.0),
            40,
        )
        yield prometheus_


@pytest.mark.integration
async def test_a_failing_name_server_is_unknown_to_prometheus_and_never_critical(
    agent: Running, watcher: Prometheus
) -> None:
    began = await watcher.now()
    await agent.order("break", "dns-failing")
    values = await eventually(
        # A blocklist is asked of its own servers.
        lambda: watcher.query(f'{SEVERITY}{{subject="contoso.com", probe!="reputation"}}'),
        lambda values: set(values.values()) == {2},
    )
    assert set(values) == {f"contoso.com/{kind}" for kind in OF_DOMAINS} - {
        "contoso.com/reputation"
    }
    findings = await watcher.query('mailflow_finding{subject="contoso.com", severity="unknown"}')
    assert set(findings) == set(values)
    others = await watcher.query(f'{SEVERITY}{{subject=~"fabrikam.com|fourthcoffee.com|local"}}')
    assert {check for check, severity in others.items() if severity} == set()
    await agent.order("mend", "dns-failing")
    await eventually(
        lambda: watcher.query(f'{SEVERITY}{{probe!="route"}}'),
        lambda values: set(values.values()) == {0},
    )
    assert await watcher.highest(SEVERITY, began) == 2


@pytest.mark.integration
async def test_when_the_resolver_is_silent_only_the_agent_itself_is_critical(
    agent: Running, watcher: Prometheus
) -> None:
    began = await watcher.now()
    dependent = f'{SEVERITY}{{probe!="self"}}'
    await agent.order("break", "dns-silent")
    await eventually(
        lambda: watcher.query("mailflow_dependency_up"), lambda up: up.get("resolver") == 0, 40
    )
    await eventually(
        lambda: watcher.query(dependent),
        lambda values: dict.fromkeys(CHECKS - {"local/self"}, 2.0) == values,
        40,
    )
    await eventually(  # a run waits for every control name, and the last result may expire
        lambda: watcher.query(f'{SEVERITY}{{probe="self"}}'),
        lambda values: values == {"local/self": 3},
        40,
    )
    causes = "dependency-down|dns-unanswered"
    await eventually(  # a route's run that was under way ends first, as unknown too
        lambda: watcher.query(f'mailflow_finding{{rule=~"{causes}"}}'),
        lambda found: set(found) == set(CHECKS) - {"local/self"},
        40,
    )
    await eventually(
        lambda: watcher.query('ALERTS{severity="critical", alertstate="firing"}'),
        lambda alerts: set(alerts) == {"local/self/MailflowResolverDown"},
    )
    await agent.order("mend", "dns-silent")
    await eventually(
        lambda: watcher.query(SEVERITY), lambda values: set(values.values()) == {0}, 40
    )
    await eventually(
        lambda: watcher.query("mailflow_dependency_up"), lambda up: up.get("resolver") == 1, 40
    )
    assert await watcher.highest(dependent, began) == 2


@pytest.mark.integration
async def test_prometheus_takes_the_alert_rules_and_one_of_them_fires(
    agent: Running, watcher: Prometheus
) -> None:
    await agent.order("break", "spf-too-many-lookups")
    await eventually(
        lambda: watcher.query('ALERTS{alertstate="firing", subject="contoso.com"}'),
        lambda alerts: "contoso.com/spf/MailflowSpfTooManyLookups" in alerts,
    )
    groups = (await watcher.ask("rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 100
    assert {rule["health"] for rule in rules} == {"ok"}, [
        (rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"
    ]


@pytest.mark.integration
async def test_promtool_has_nothing_to_say_against_the_metrics(agent: Running) -> None:
    assert PROMTOOL is not None
    await agent.until(lambda seen: seen.is_well())
    await agent.order("break", "spf-missing")
    await agent.until(lambda seen: seen.found("spf", "contoso.com"))
    _, text = await agent.get("metrics")
    tool = await asyncio.create_subprocess_exec(
        PROMTOOL, "check", "metrics", stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    out, err = await tool.communicate(text.encode())
    assert (tool.returncode, out.decode(), err.decode()) == (0, "", "")


async def test_a_wrong_file_changes_nothing_and_a_right_one_is_taken_in(
    agent: Running, installation: Installation
) -> None:
    await agent.until(lambda seen: seen.value(SUCCESSFUL) == 1)
    installation.write("nonsense: 1\n")
    agent.process.send_signal(signal.SIGHUP)
    seen = await agent.until(lambda seen: seen.value(SUCCESSFUL) == 0)
    assert len(seen.all("mailflow_check_interval_seconds")) == len(CHECKS)
    assert "nonsense" in (await agent.get(""))[1]
    status, text = await agent.reload()
    assert status == 500
    assert "nonsense" in text
    installation.write(
        tenants=installation.tenants + "  - {name: d, domains: [{name: litwareinc.com}]}\n"
    )
    assert await agent.reload() == (200, "reloaded\n")
    seen = await agent.until(lambda seen: seen.severity("mx", "litwareinc.com") is not None)
    assert seen.value(SUCCESSFUL) == 1
    assert await agent.stop() == 0


async def test_what_was_seen_before_a_restart_is_still_known(installation: Installation) -> None:
    installation.write(changes="1h")
    async with running(installation, is_fresh=True) as agent:
        await agent.until(lambda seen: seen.severity("mx", "contoso.com") == 0)
        first_seen = await _first_seen(agent)
        await agent.order("break", "mx-stranger")
        await agent.until(lambda seen: "mx-changed" in seen.found("mx", "contoso.com"))
        assert await agent.stop(signal.SIGINT) == 0
    async with running(installation) as agent:  # in a lab in which nothing is broken
        seen = await agent.until(lambda seen: seen.severity("mx", "contoso.com") == 0)
        assert await _first_seen(agent) == first_seen
        assert "mx-changed" not in seen.found("mx", "contoso.com"), "they are again as they were"
        page = (await agent.get("subjects/contoso/domain/contoso.com"))[1]
        assert "last change: " in page, "the stranger's, which stood as the other one stopped"


async def _first_seen(agent: Running) -> list[str]:
    """Return since when the records of contoso.com are known, as its page has it."""
    seen = await agent.until(lambda seen: seen.severity("spf", "contoso.com") == 0)
    assert seen.severity("mx", "contoso.com") is not None
    await agent.until(lambda seen: seen.severity("dmarc", "contoso.com") is not None)
    await agent.until(lambda seen: seen.severity("nameservers", "contoso.com") is not None)
    page = (await agent.get("subjects/contoso/domain/contoso.com"))[1]
    lines = re.findall(r"first seen: [-0-9: ]+UTC", page)
    assert len(lines) == 4
    return sorted(lines)


async def test_after_a_kill_it_starts_again_and_no_counter_falls_back(
    installation: Installation,
) -> None:
    async with running(installation) as agent:
        seen = await agent.until(
            lambda seen: seen.value("mailflow_route_messages_total", **ROUTE), 40
        )
        sent = seen.value("mailflow_route_messages_total", **ROUTE) or 0
        assert await agent.stop(signal.SIGKILL) == -signal.SIGKILL
    async with running(installation) as agent:
        # Prometheus would take a 0 before the first run for a reset, and all that is old for new.
        seen = await agent.look()
        assert (seen.value("mailflow_route_messages_total", **ROUTE) or 0) >= sent
        assert not any("damaged" in line for line in agent.log)
        await agent.order("break", "spf-missing")  # its socket was left over, too
        await agent.until(lambda seen: "spf-missing" in seen.found("spf", "contoso.com"))


async def test_a_stop_does_not_wait_for_a_resolver_that_is_silent(
    agent: Running,
) -> None:
    await agent.until(lambda seen: seen.severity("spf", "contoso.com") == 0)
    await agent.order("break", "dns-silent")
    await agent.until(lambda seen: (seen.severity("self", "local") or 0) > 0, 40)
    began = asyncio.get_running_loop().time()
    assert await agent.stop() == 0
    assert asyncio.get_running_loop().time() - began < 12  # ten for what runs, two for readers


async def test_a_second_lab_with_the_same_state_is_refused_and_leaves_the_first_alone(
    agent: Running, installation: Installation
) -> None:
    ended = await mailflow_agent("run", "--lab", "--config", str(installation.path))
    assert ended.code == 69
    assert len(ended.err.splitlines()) == 1, ended.err
    await agent.order("break", "spf-missing")
    await agent.until(lambda seen: "spf-missing" in seen.found("spf", "contoso.com"))
