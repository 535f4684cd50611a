"""Do the lab's name servers speak for its domains, and show what its faults do to them?"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from agent.adapters.dns_direct import Direct
from agent.adapters.history import History
from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.adapters.store import Store
from agent.domain.finding import Outcome
from agent.lab.dns_server import DnsServer, Role
from agent.lab.faults import World
from agent.lab.world import DOMAINS, NAME_SERVERS, REGISTRY
from agent.probes.base import Check, Toolbox
from agent.probes.nameservers import PROBE, NameserversSettings, run
from agent.settings import DomainSubject
from servers.standings import HandClock

Look = Callable[[str], Awaitable[Outcome]]


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def look(world: World) -> AsyncIterator[Look]:
    roles = {REGISTRY: Role.REGISTRY, NAME_SERVERS[0]: Role.FIRST, NAME_SERVERS[1]: Role.SECOND}
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(DnsServer(world))
        detours = {("127.0.0.1", server.port): ("127.0.0.1", server.port)}
        for address, role in roles.items():
            name_server = await stack.enter_async_context(DnsServer(world, role=role))
            detours[address, 53] = ("127.0.0.1", name_server.port)
        clock, store = HandClock(), Store(None)
        await store.open()
        places = (("127.0.0.1", server.port),)
        resolver = Resolver(places, clock, timeout=timedelta(milliseconds=100), attempts=1)
        await resolver.start()
        direct = Direct(clock, detours=detours, detours_only=True)
        recall = Recall(resolver)
        recall.controls = ("com",)
        tools = SimpleNamespace(
            resolver=resolver, recall=recall, clock=clock, history=History(store), direct=direct
        )
        settings = NameserversSettings(
            answers_may_differ_for=timedelta(0), serials_may_differ_for=timedelta(0)
        )

        async def look(domain: str) -> Outcome:
            check = Check("contoso", DomainSubject(name=domain), PROBE, settings)
            return await run(check, cast("Toolbox", tools))

        yield look
        await resolver.close()
        await store.close()


def codes(outcome: Outcome) -> set[str]:
    return {each.rule.code.removeprefix("nameservers-") for each in outcome.findings}


async def test_every_domain_is_served_well(look: Look) -> None:
    for domain in (*DOMAINS, "monitor.contoso.com"):
        assert codes(await look(domain)) == set(), domain


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("nameserver-lame", {"lame"}),
        ("nameservers-disagree", {"mx-elsewhere", "spf-differs", "serials-differ"}),
        ("delegation-changed", {"delegation-changed"}),
        ("dns-failing", {"dns-unanswered"}),
        ("dns-silent", {"dns-unanswered"}),
        ("dns-captive", {"dns-unanswered"}),
    ],
)
async def test_a_fault_shows_and_its_mending_too(
    look: Look, world: World, fault: str, expected: set[str]
) -> None:
    assert codes(await look("contoso.com")) == set()
    world.break_(fault)
    assert codes(await look("contoso.com")) == expected
    world.mend(fault)
    assert codes(await look("contoso.com")) == set()
