"""Does the tenant analysis foretell what the lab's Exchange Online then does?"""

from datetime import UTC, datetime
from ipaddress import IPv4Address

import pytest

from agent.domain.attribution import Arrival, Verdict, attribute
from agent.domain.lookup import Exchange
from agent.domain.tenancy.attribution_lint import claims
from agent.domain.tenancy.export_reader import Document, ExportReading, read_documents
from agent.domain.tenancy.hygiene import hygiene
from agent.domain.tenancy.landscape import Exchanges, Landscape, Surroundings, Tenancy
from agent.domain.tenancy.loops import loops
from agent.lab.faults import World
from agent.lab.tenants import NAMES, export_of, id_of, tenants
from agent.lab.world import FILTERS

NOW = datetime(2026, 11, 1, 7, tzinfo=UTC)  # an hour after the exports of the package
GATEWAYS = ("mx1.filter.example", "mx2.filter.example")
PROVIDER = {
    ("relecloud", "attribution-claims-others-mail"),
    ("relecloud", "loop-attribution"),
    ("fabrikam", "attribution-mail-claimed-elsewhere"),
    ("fabrikam", "loop-attribution"),
}


def world_with(*faults: str) -> World:
    world = World()
    for each in faults:
        world.break_(each)
    return world


def reading(world: World, tenant: str) -> ExportReading:
    return read_documents([Document(f"{tenant}.json", export_of(world, tenant), NOW)])


def landscape(world: World) -> Landscape:
    """Return what is known of the lab's tenants, and what DNS and the gateways say."""
    seen = Surroundings(certificates={each: (each,) for each in GATEWAYS})
    for (name, kind), records in world.zone.items():
        if kind == "A":
            seen.addresses[name] = tuple(r for r in records if isinstance(r, IPv4Address))
        elif kind == "MX":
            found = sorted(
                (each for each in records if isinstance(each, Exchange)),
                key=lambda each: each.preference,
            )
            hosts = tuple(each.exchange for each in found if each.exchange)
            seen.exchanges[name] = Exchanges(hosts, is_null=not hosts)
    together = Landscape(seen)
    for name in NAMES:
        is_provider = name == "relecloud"
        together.put(
            Tenancy(
                name=name,
                export=reading(world, name).export,
                topologies={"fabrikam.com": "third-party-filter"} if name == "fabrikam" else {},
                gateways=("*.filter.example",) if is_provider else (),
                presents=("*.filter.example",) if is_provider else (),
            )
        )
    return together


@pytest.mark.parametrize("tenant", NAMES)
@pytest.mark.parametrize(
    "fault",
    ["", "provider-certificate-shared", "filter-bypassed", "exchange-forgets-connector"],
)
def test_the_exports_are_read_without_a_remark(tenant: str, fault: str) -> None:
    found = reading(world_with(*filter(None, [fault])), tenant)
    assert found.remarks == ()
    organisation = found.export.organisation
    assert organisation is not None
    assert organisation.tenant_id == id_of(tenant)


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        pytest.param((), set(), id="all is well"),
        pytest.param(("provider-certificate-shared",), PROVIDER, id="provider-certificate-shared"),
        pytest.param(
            ("filter-bypassed",), {("fabrikam", "hygiene-not-locked-down")}, id="filter-bypassed"
        ),
    ],
)
def test_each_mistake_has_just_its_findings(
    faults: tuple[str, ...], expected: set[tuple[str, str]]
) -> None:
    together = landscape(world_with(*faults))
    found = {
        (tenant.name, finding.rule.code)
        for tenant in together
        for finding in (
            *claims(tenant, together),
            *hygiene(tenant, together.surroundings, NOW),
            *loops(tenant, together),
        )
    }
    assert found == expected


@pytest.mark.parametrize(
    ("faults", "verdict", "tenant"),
    [
        pytest.param((), Verdict.DELIVERED, "fabrikam", id="all is well"),
        pytest.param(("provider-certificate-shared",), Verdict.RELAYED, "relecloud", id="claimed"),
        pytest.param(("filter-bypassed",), Verdict.DELIVERED, "fabrikam", id="unrestricted"),
    ],
)
def test_the_front_door_decides_by_the_same_exports(
    faults: tuple[str, ...], verdict: Verdict, tenant: str
) -> None:
    arrival = Arrival(
        certificate_names=GATEWAYS[:1],
        address=IPv4Address(FILTERS[0]),
        mail_from="visitor@contoso.com",
        rcpt_to="probe@fabrikam.com",
    )
    found = attribute(arrival, tenants(world_with(*faults)))
    assert found.tenant is not None
    assert (found.verdict, found.tenant.name) == (verdict, tenant)
