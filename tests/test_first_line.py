"""Does `check` say first what an expert would mend first?

Domains shaped after real ones, looked at all at once over one real DNS server.
"""

import asyncio
from dataclasses import replace

import pytest
from domains.gallery_of_domains import CASES, Case, second_zone, zone
from domains.served_policies import Served

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.dns_direct import Direct
from agent.adapters.resolver import Resolver
from agent.cli.looking import Looked, look, public_probes
from agent.cli.toolbox import lending
from servers.authority import Authority
from servers.dns import DnsServer


@pytest.fixture(scope="module")
def looked() -> dict[str, Looked]:
    return asyncio.run(_look())


async def _look() -> dict[str, Looked]:
    clock = SystemClock()
    first, second = Authority(zone()), Authority(second_zone())
    async with DnsServer(zone()) as server, first, second:
        resolver = Resolver((server.address,), clock)
        await resolver.start()
        async with lending(resolver) as lent:
            nowhere = Dialer(clock=clock, detours_only=True)
            detours = {("192.31.196.53", 53): first.address, ("192.52.193.53", 53): second.address}
            direct = Direct(clock, detours=detours, detours_only=True)
            tools = replace(lent, dialer=nowhere, direct=direct)
            policies = {case.domain: case.policy for case in CASES if case.policy}
            tools = replace(tools, policies=Served(tools, policies))
            found: dict[str, Looked] = {}
            for senders in {case.senders for case in CASES}:
                names = tuple(case.domain for case in CASES if case.senders == senders)
                seen = await look(names, tools, public_probes(), senders=senders)
                found |= {one.domain: one for one in seen}
        await resolver.close()
    return found


def test_the_gallery_is_worth_its_name() -> None:
    assert len(CASES) >= 30
    assert len({case.slug for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.slug)
def test_the_first_item_is_what_an_expert_would_mend_first(
    looked: dict[str, Looked], case: Case
) -> None:
    seen = looked[case.domain]
    codes = [item.rule.code for item in seen.items]
    assert (codes or [""])[0] == case.first, codes
    if case.looks_like:
        assert seen.guess.title == case.looks_like
