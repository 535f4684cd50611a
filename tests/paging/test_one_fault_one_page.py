"""Is a person called once for each fault, by its right name, and once when it is over?

The real agent with fifty routes, a real Prometheus with the rules that are shipped, and a real
Alertmanager with the configuration that is shipped; only times are shortened, as
:mod:`servers.shortened` says. One thing after the other is taken down and given back.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
import pytest_asyncio

from agent.lab.control import order
from servers.alertmanager import Call
from servers.night import Night, night
from servers.paging_world import INTERVAL, MAILBOX, OTHER_MAILBOX, ROUTES
from servers.running import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

WITHIN = 2 * INTERVAL + 10  # seconds: two intervals, and what the machine takes
UNKNOWN = 'count(mailflow_check_severity{probe="route"} == 2)'
UNREACHED = 'count(mailflow_finding{rule="route-unreached"} >= 2)'
Act = Callable[[Night], Awaitable[None]]


@dataclass(frozen=True)
class Outage:
    """One thing that fails: whom it pages, and what else must be seen before it is mended.

    ``shows`` is an expression, ``fires`` are alerts that would page as well if nobody hid them.
    ``says`` are words of the page that tell what is broken.
    """

    alert: str
    breaks: Act
    mends: Act
    says: tuple[str, ...]
    shows: str = "vector(1)"
    fires: frozenset[str] = frozenset()


async def silence(it: Night) -> None:
    await it.world.silence_resolver()


async def speak(it: Night) -> None:
    await it.world.start_resolver()


async def close_mailbox(it: Night) -> None:
    it.world.application.mailboxes = {MAILBOX}


async def open_mailbox(it: Night) -> None:
    it.world.application.mailboxes = None


async def kill(it: Night) -> None:
    await it.agent.end()


async def freeze(it: Night) -> None:
    it.agent.signal(signal.SIGSTOP)


async def thaw(it: Night) -> None:
    it.agent.signal(signal.SIGCONT)


async def stall(it: Night) -> None:
    await asyncio.to_thread(order, it.world.folder, "break", "scheduler-stalled")


async def go_on(it: Night) -> None:
    await asyncio.to_thread(order, it.world.folder, "mend", "scheduler-stalled")


OUTAGES = {
    "resolver": Outage(
        "MailflowResolverDown",
        silence,
        speak,
        ("resolver", "dig SOA com", "contoso"),
        shows=f"{UNKNOWN} >= 20",
    ),
    "uplink": Outage(
        "MailflowUplinkDown",
        lambda it: it.world.cut_uplink(),
        lambda it: it.world.join_uplink(),
        ("No connection leaves", "ip route"),
        shows=f"{UNKNOWN} >= 20",
    ),
    "mailbox": Outage(
        "MailflowMailboxDown",
        close_mailbox,
        open_mailbox,
        (OTHER_MAILBOX, "permission", "of fabrikam"),
        shows=f"{UNKNOWN} >= 2",
    ),
    "identity provider": Outage(
        "MailflowIdentityProviderDown",
        lambda it: it.world.provider.cut(),
        lambda it: it.world.provider.join(),
        ("identity provider", "curl", "contoso"),
        shows=f"{UNKNOWN} >= 20",
    ),
    "smart host": Outage(
        "MailflowSmartHostDown",
        lambda it: it.world.smart_host.cut(),
        lambda it: it.world.smart_host.join(),
        ("smart.contoso.com:25", "openssl s_client"),
        shows=f"{UNREACHED} > {ROUTES // 2}",
        fires=frozenset({"MailflowConnectorRefused"}),
    ),
    "scheduler": Outage(
        "MailflowAgentStuck", stall, go_on, ("answers, and does nothing", "systemctl restart")
    ),
    "agent that is frozen": Outage(
        "MailflowAgentAbsent", freeze, thaw, ("No agent is watching", "journalctl")
    ),
    "agent that is killed": Outage(
        "MailflowAgentAbsent",
        kill,
        lambda it: it.agent.start(),
        ("No agent is watching", "journalctl"),
    ),
}


def told(calls: Sequence[Call]) -> list[tuple[str, str]]:
    """Return the names of the alerts that somebody was called for, and what was said of them."""
    return [(call.name, call.status) for call in calls]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def it(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Night]:
    async with night(tmp_path_factory.mktemp("night")) as running:
        yield running


async def test_nobody_is_called_for_single_failures(it: Night) -> None:
    it.world.host.flaky = 0.05
    await it.until('count(mailflow_finding{rule="route-deferred"}) >= 2')
    it.world.host.flaky = 0.0
    assert it.world.host.put_off >= 2
    assert not it.calls.by_receiver["pager"]


@pytest.mark.parametrize("what", OUTAGES)
async def test_one_page_and_one_recovery_for(it: Night, what: str) -> None:
    outage = OUTAGES[what]
    pager = it.calls.by_receiver["pager"]
    before, began = len(pager), time.monotonic()
    await outage.breaks(it)
    try:
        page = await it.until_called(outage.alert, "firing", before)
        await it.until(outage.shows)
        await eventually(it.firing, lambda names: names >= outage.fires, 2 * WITHIN)
    finally:
        await outage.mends(it)
    await it.until_called(outage.alert, "resolved", before)
    assert told(pager[before:]) == [(outage.alert, "firing"), (outage.alert, "resolved")]
    assert page.at - began < WITHIN
    (alert,) = page.alerts
    text = " ".join(alert["annotations"].values())
    assert not [word for word in outage.says if word not in text], text
    assert alert["annotations"]["runbook_url"].startswith("https://mailflow.example/rules/")


async def test_nobody_is_called_by_what_an_outage_leaves_behind(it: Night) -> None:
    pager = it.calls.by_receiver["pager"]
    before = len(pager)
    await it.until_well()
    assert told(pager[before:]) == []


async def test_the_dead_mans_switch_is_called_again_and_again(it: Night) -> None:
    calls = it.calls.by_receiver["dead-man"]
    assert len(calls) > 5
    assert max(later.at - call.at for call, later in pairwise(calls)) < 10
    assert {(call.name, call.status) for call in calls} == {("MailflowWatchdog", "firing")}
