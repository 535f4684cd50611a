"""What does a check of a tenant say where DNS does not answer?"""

from typing import Any

import pytest

from agent.domain.lookup import Silence
from agent.domain.tenancy.objects import AcceptedDomain, Export
from agent.domain.tenancy.tenancies import Surroundings
from agent.probes import hygiene, loop
from agent.probes.base import DNS_UNANSWERED
from proof import fires, quiet
from servers.dns import Fault
from servers.tenant_world import tenant_world


@pytest.mark.parametrize(
    ("count", "said"),
    [
        pytest.param(1, "d0.example (servfail): where", id="one name"),
        pytest.param(7, "d4.example (servfail) and 2 more: where", id="more than are named"),
    ],
)
async def test_names_that_dns_did_not_speak_of_are_told_once(count: int, said: str) -> None:
    names = [f"d{number}.example" for number in range(count)]
    zone: dict[tuple[str, str], Any] = {(name, "MX"): Fault.SERVFAIL for name in names}
    domains = tuple(AcceptedDomain(name=name, domain_type="authoritative") for name in names)
    async with tenant_world(zone) as world:
        world.tell(Export(domains=domains))
        outcome = await world.run(hygiene.PROBE)
        assert said in fires(DNS_UNANSWERED, outcome).detail
        assert outcome.failure == Silence.SERVFAIL
        quiet(DNS_UNANSWERED, await world.run(loop.PROBE))


async def test_a_name_that_dns_speaks_of_again_is_no_longer_told() -> None:
    domain = AcceptedDomain(name="contoso.com", domain_type="authoritative")
    async with tenant_world({("contoso.com", "MX"): "0 mx.contoso.com"}) as world:
        world.tell(Export(domains=(domain,)))
        known: Surroundings = world.tenancies.landscape.surroundings
        known.unanswered["contoso.com"] = Silence.TIMEOUT
        quiet(DNS_UNANSWERED, await world.run(hygiene.PROBE))
        assert "contoso.com" not in known.unanswered
