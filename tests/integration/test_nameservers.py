"""A real secondary that has not heard of a change is found out; one that cannot know is not."""

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from agent.adapters.dns_direct import Direct
from agent.adapters.history import History
from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.adapters.store import Store
from agent.domain import nameservers_rules as rules
from agent.domain.finding import Outcome
from agent.probes.base import Check, Toolbox
from agent.probes.nameservers import PROBE, NameserversSettings, run
from agent.settings import DomainSubject
from proof import fires, quiet
from servers.authority import Authority
from servers.dns import Content, DnsServer
from servers.knot_pair import Pair, knot_pair
from servers.standings import HandClock

pytestmark = pytest.mark.integration

ABOVE, FIRST, SECOND = "192.31.196.1", "192.31.196.53", "192.52.193.53"
LINES = """
$ORIGIN contoso.com.
$TTL 3600
@ SOA ns1.dns.example. host.dns.example. 7 3600 600 1209600 3600
@ NS ns1.dns.example.
@ NS ns2.dns.example.
@ MX 0 mx
@ TXT "v=spf1 -all"
_dmarc TXT "v=DMARC1; p=reject"
selector1._domainkey TXT "v=DKIM1; p=AAAA"
"""
DELEGATION: dict[tuple[str, str], Content] = {
    ("contoso.com", "NS"): ["ns1.dns.example", "ns2.dns.example"],
    ("contoso.com", "SOA"): "ns1.dns.example",
    ("com", "NS"): "a.registry.example",
    ("a.registry.example", "A"): ABOVE,
    ("ns1.dns.example", "A"): FIRST,
    ("ns2.dns.example", "A"): SECOND,
}


async def test_a_secondary_that_was_not_told_of_a_change_is_found_out() -> None:
    async with (
        knot_pair("contoso.com", LINES) as pair,
        DnsServer(DELEGATION) as server,
        Authority(DELEGATION, "com") as above,
    ):
        clock, store = HandClock(), Store(None)
        await store.open()
        resolver = Resolver((server.address,), clock)
        await resolver.start()
        tools = SimpleNamespace(
            resolver=resolver,
            recall=Recall(resolver),
            clock=clock,
            history=History(store),
            direct=Direct(clock, detours=_detours(pair, above.address), detours_only=True),
        )
        subject = DomainSubject(name="contoso.com")
        check = Check("contoso", subject, PROBE, NameserversSettings())

        async def look(after: timedelta = timedelta(0)) -> Outcome:
            clock.advance(after)
            return await run(check, cast("Toolbox", tools))

        assert (await look()).findings == ()
        await pair.rewrite(LINES.replace(" 7 ", " 8 ").replace("MX 0 mx", "MX 0 mx.new.example."))
        assert (await look()).findings == ()  # a change takes its time
        outcome = await look(timedelta(minutes=15))
        found = fires(rules.MX_ELSEWHERE, outcome)
        assert found.evidence == (
            f"ns1.dns.example ({FIRST}): 0 mx.new.example",
            f"ns2.dns.example ({SECOND}): 0 mx.contoso.com",
        )
        quiet(rules.SERIALS_DIFFER, outcome)
        late = fires(rules.SERIALS_DIFFER, await look(timedelta(hours=1)))
        assert late.detail == f"ns2.dns.example ({SECOND}) has serial 7, and 8 is the newest."
        await resolver.close()
        await store.close()


def _detours(pair: Pair, above: tuple[str, int]) -> dict[tuple[str, int], tuple[str, int]]:
    return {(ABOVE, 53): above, (FIRST, 53): pair.first, (SECOND, 53): pair.second}
