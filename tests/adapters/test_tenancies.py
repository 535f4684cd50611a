"""Are tenants analysed aside, on what is known by then, and tied as DNS and probes see them?"""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from agent.adapters.plans import Recall
from agent.adapters.tenancies import Known, Tenancies
from agent.domain.lookup import Answer, Exchange, Plan, Query, Reply, Silence, Unanswered
from agent.domain.tenancy.attribution_lint import claims
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.objects import AcceptedDomain, Export, Inbound
from agent.domain.tenancy.ways import Ways

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Zone:
    """Answers MX queries from a table, and nothing else."""

    def __init__(self, **hosts: str) -> None:
        self.hosts = {name.replace("_", "."): host for name, host in hosts.items()}

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple(self._of(each) for each in queries)

    def _of(self, query: Query) -> Reply:
        host = self.hosts.get(query.name)
        if query.type != "MX" or host is None:
            return Unanswered(Silence.TIMEOUT, "nobody is there")
        return Answer((Exchange(0, host),))


def tenant(name: str, *inbound: Inbound) -> Tenancy:
    domain = AcceptedDomain(name=f"{name}.com", domain_type="authoritative", is_default=True)
    return Tenancy(name=name, export=Export(domains=(domain,), inbound=inbound, outbound=()))


CLAIMANT = tenant(
    "alpha",
    Inbound(
        name="From relay",
        connector_type="on-premises",
        sender_domains=("*",),
        tls_sender_certificate_name="*.relay.example",
    ),
)


def told(*tenancies: Tenancy) -> Tenancies:
    found = Tenancies()
    for each in tenancies:
        found.tell(each.name, Known(tenancy=each))
    return found


def codes(tenancy: Tenancy, ways: Ways) -> set[str]:
    return {each.rule.code for each in claims(tenancy, ways.landscape)}


@pytest.mark.parametrize("first", ["alpha", "fabrikam", "zeta"])
async def test_a_certificate_ties_everybody_whoever_asks_first(first: str) -> None:
    tenancies = told(CLAIMANT, tenant("fabrikam"), tenant("zeta"))
    recall = Recall(Zone(fabrikam_com="mx.gw.example"))
    names = ("alpha", "fabrikam", "zeta")
    for each in names:
        await tenancies.analyse(recall, f"{each}/a", each, codes)
    assert "attribution-certificate-claims-others" not in cast(
        "set[str]", await tenancies.analyse(recall, "alpha/a", "alpha", codes)
    )
    assert [each.name for each in await tenancies.related("alpha")] == ["alpha"]
    tenancies.sightings.note_certificate("mx.gw.example", ("gw1.relay.example",), NOON, NOON)
    for each in (first, *(name for name in names if name != first)):
        await tenancies.analyse(recall, f"{each}/a", each, codes)
    assert [each.name for each in await tenancies.related("alpha")] == ["alpha", "fabrikam"]


async def test_what_was_told_counts_for_the_next_who_asks() -> None:
    tenancies = told(tenant("contoso"))
    recall = Recall(Zone())
    count = len

    def tenants(tenancy: Tenancy, ways: Ways) -> int:
        del tenancy
        return count(ways.landscape)

    assert await tenancies.analyse(recall, "c", "contoso", tenants) == 1
    tenancies.tell("fabrikam", Known(tenancy=tenant("fabrikam")))
    assert await tenancies.analyse(recall, "c", "contoso", tenants) == 2
    tenancies.keep(("fabrikam",))
    assert await tenancies.analyse(recall, "c", "contoso", tenants) is None
    assert tenancies["contoso"].tenancy is None


async def test_a_tenant_that_goes_while_dns_is_asked_is_not_analysed() -> None:
    tenancies = told(tenant("contoso"))

    class Leaving(Zone):
        async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
            tenancies.keep(())
            return await super().resolve_all(queries)

    assert await tenancies.analyse(Recall(Leaving()), "c", "contoso", codes) is None


async def test_the_loop_goes_on_while_a_tenant_is_analysed() -> None:
    tenancies = told(tenant("contoso"))
    gate = threading.Event()
    found = asyncio.create_task(
        tenancies.analyse(Recall(Zone()), "c", "contoso", lambda *_: gate.wait(10))
    )
    for _ in range(100):
        await asyncio.sleep(0)
    assert not found.done()
    tenancies.tell("fabrikam", Known(tenancy=tenant("fabrikam")))  # waits for nobody
    gate.set()
    assert await found
    assert [each.name for each in tenancies.landscape] == ["contoso", "fabrikam"]


async def test_who_gives_up_leaves_the_landscape_to_the_next_in_one_piece() -> None:
    tenancies = told(tenant("contoso"))
    recall = Recall(Zone())
    began, gate = threading.Event(), threading.Event()
    inside: list[str] = []

    def slow(tenancy: Tenancy, ways: Ways) -> None:
        del tenancy, ways
        inside.append("in")
        began.set()
        gate.wait(10)
        inside.append("out")

    def quick(tenancy: Tenancy, ways: Ways) -> list[str]:
        del tenancy, ways
        return list(inside)

    task = asyncio.create_task(tenancies.analyse(recall, "c", "contoso", slow))
    await asyncio.to_thread(began.wait, 10)
    task.cancel()
    await asyncio.wait({task})
    after = asyncio.create_task(tenancies.analyse(recall, "d", "contoso", quick))
    await asyncio.sleep(0)
    gate.set()
    assert await after == ["in", "out"]


async def test_nothing_is_kept_of_names_that_are_gone() -> None:
    tenancies = Tenancies()
    for number in range(50):
        name = f"t{number}"
        tenancies.tell(name, Known(tenancy=tenant(name)))
        recall = Recall(Zone(**{f"{name}_com": f"mx.{name}.com"}))
        await tenancies.analyse(recall, f"{name}/hygiene", name, codes)
        tenancies.keep(())
    seen = tenancies.landscape.surroundings
    assert (seen.exchanges, seen.addresses, seen.unanswered) == ({}, {}, {})


async def test_plans_are_not_made_again_where_nothing_changed() -> None:
    tenancies = told(tenant("contoso"), tenant("fabrikam"))
    made: list[object] = []

    class Counting(Recall):
        async def derive(self, key: str, owner: object, make: Callable[[], Plan[Any]]) -> Any:
            made.append(owner)
            return await super().derive(key, owner, make)

    recall = Counting(Zone(contoso_com="mx.contoso.com"))
    for _ in range(3):
        await tenancies.analyse(recall, "c", "contoso", codes)
    tenancies.tell("fabrikam", Known(tenancy=tenant("fabrikam", Inbound(name="another"))))
    await tenancies.analyse(recall, "c", "contoso", codes)
    assert all(each is made[0] for each in made)
