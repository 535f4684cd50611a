"""Clocks that step and processes that are stopped make no message late, lost or counted twice."""

import asyncio
import signal
from pathlib import Path

import pytest

from agent.domain.entry import FAILURES
from servers.faketime import WallClock, hurried
from servers.running import Installation, Running, Seen, running

pytestmark = pytest.mark.integration

ROUTES = ("to-mailbox", "internet-to-mailbox")
HASTE = 60
STEPPED = """\
agent: {listen: "127.0.0.1:0", state: state}
budget: {messages_per_minute: 20, messages_per_route_per_minute: 20, messages_per_day: 30000}
tenants:
  - name: contoso
    routes:
      - name: to-mailbox
        send:
          smtp: {host: mail.contoso.com, tls: required}
          mail_from: probe@contoso.com
          rcpt_to: probe@monitor.contoso.com
        expect: {within: 15s, lost_after: 60s}
        checks: {route: {interval: 9s, timeout: 9s}}
      - name: internet-to-mailbox
        send: {mx: {}, mail_from: visitor@contoso.com, rcpt_to: probe@fabrikam.com}
        receive: {maildir: {path: state/lab-mailbox}, poll: 500ms}
        expect: {within: 15s, lost_after: 60s}
        checks: {route: {interval: 9s, timeout: 9s}}
"""
SLOW = """\
agent: {listen: "127.0.0.1:0", state: state}
budget: {messages_per_minute: 20, messages_per_route_per_minute: 20}
checks: {self: {interval: 60s}}
tenants:
  - name: contoso
    routes:
      - name: internet-to-mailbox
        send: {mx: {}, mail_from: visitor@contoso.com, rcpt_to: probe@fabrikam.com}
        receive: {maildir: {path: state/lab-mailbox}, poll: 30s}
        expect: {within: 5m, lost_after: 10m}
        checks: {route: {interval: 3m, timeout: 2m}}
"""


def installed(folder: Path, text: str) -> Installation:
    installation = Installation(folder)
    installation.path.write_text(text)
    return installation


def delivered(seen: Seen, route: str) -> float:
    return seen.value("mailflow_route_messages_total", subject=route) or 0


def failures(seen: Seen) -> dict[str, float]:
    """Return the messages that failed, by route and reason, those that are none left out."""
    found = seen.all("mailflow_route_messages_failed_total")
    assert {sample.labels["reason"] for sample in found} == set(FAILURES)
    return {
        f"{sample.labels['subject']} {sample.labels['reason']}": sample.value
        for sample in found
        if sample.value
    }


async def one_more(agent: Running, route: str) -> Seen:
    before = delivered(await agent.look(), route)
    return await agent.until(lambda seen: delivered(seen, route) > before, 40)


@pytest.mark.timeout(180)
async def test_steps_of_the_wall_clock_move_neither_schedule_nor_latency(tmp_path: Path) -> None:
    clock = WallClock(tmp_path)
    async with running(installed(tmp_path, STEPPED), environment=clock.environment) as agent:
        for step in ("+0", "+1d", "-1h", "+0"):  # a day on, more than a day back, an hour on
            clock.step(step)
            for route in ROUTES:
                seen = await one_more(agent, route)
                took = seen.value("mailflow_route_delivery_duration_seconds_sum", subject=route)
                assert (took or 0) / delivered(seen, route) < 15
            assert failures(seen) == {}, step
        assert sum(s.value for s in seen.all("mailflow_run_crashes_total")) == 0


async def test_a_quarter_of_an_hour_in_which_the_process_stood_still_loses_nothing(
    tmp_path: Path,
) -> None:
    async with running(installed(tmp_path, SLOW), environment=hurried(HASTE)) as agent:
        await one_more(agent, "internet-to-mailbox")
        agent.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(15 * 60 / HASTE)  # a quarter of an hour of its time
        agent.process.send_signal(signal.SIGCONT)
        for _ in range(2):
            seen = await one_more(agent, "internet-to-mailbox")
        reasons = ("lost", "refused", "bounced", "misrouted", "looped")
        found = {
            reason: seen.value("mailflow_route_messages_failed_total", reason=reason)
            for reason in reasons
        }
        assert found == dict.fromkeys(reasons, 0)
        assert seen.value("mailflow_route_in_flight") in (0, 1)
        assert agent.process.returncode is None
