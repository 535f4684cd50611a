"""Do the checks of a tenant say what its export, DNS and the calendar tell?"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from agent.domain.fact import Diagram, Table
from agent.domain.finding import Rule
from agent.domain.tenancy import attribution_rules, drift_rules
from agent.domain.tenancy.drift import differences
from agent.domain.tenancy.objects import (
    AcceptedDomain,
    DkimConfig,
    Export,
    Inbound,
    Organisation,
    Outbound,
)
from agent.probes import attribution, drift, export, hygiene, loop, retirement
from agent.probes.base import DEPENDENCY_DOWN, Probe
from agent.settings import LoginUse, SecretUse, TenantSubject
from proof import fires, quiet
from servers.standings import NOON
from servers.tenant_world import TenantWorld, tenant_world

ZONE = {
    ("contoso.com", "MX"): "0 contoso-com.mail.protection.outlook.com",
    ("contoso-com.mail.protection.outlook.com", "A"): "52.101.0.1",
    ("mail.contoso.com", "A"): "192.31.196.25",
}
DOMAIN = AcceptedDomain(name="contoso.com", domain_type="authoritative", is_default=True)
EXPORT = Export(
    inbound=(),
    outbound=(),
    domains=(DOMAIN,),
    rules=(),
    dkim=(DkimConfig(domain="contoso.com", enabled=True, status="Valid"),),
    organisation=Organisation(name="contoso.onmicrosoft.com"),
    exported_at=NOON,
)
OTHERS = (attribution.PROBE, drift.PROBE, hygiene.PROBE, loop.PROBE, retirement.PROBE)


@pytest.fixture
async def world() -> AsyncIterator[TenantWorld]:
    async with tenant_world(ZONE) as it:
        yield it


async def test_a_whole_and_fresh_export_is_fine(world: TenantWorld) -> None:
    world.tell(EXPORT, unchecked=(("From own servers", "it needs an endpoint"),))
    outcome = await world.run(export.PROBE)
    for rule in export.PROBE.rules:
        quiet(rule, outcome)
    values = {(each.signal.name, *each.labels): each.value for each in outcome.measurements}
    assert values["mailflow_export_readable",] == 1
    assert values["mailflow_export_objects", "domains"] == 1
    assert values["mailflow_export_timestamp_seconds",] == NOON.timestamp()
    assert isinstance(outcome.facts["Not proven by a check of its own"], Table)


async def test_an_export_that_was_never_read_is_unknown(world: TenantWorld) -> None:
    outcome = await world.run(export.PROBE)
    assert "not been read" in fires(export.UNREADABLE, outcome).detail
    assert outcome.failure == "export-unreadable"


@pytest.mark.parametrize("probe", OTHERS, ids=lambda probe: probe.kind)
async def test_without_an_export_nothing_is_said_of_a_tenant(
    probe: Probe[TenantSubject, Any], world: TenantWorld
) -> None:
    outcome = await world.run(probe)
    fires(DEPENDENCY_DOWN, outcome)


@pytest.mark.parametrize(
    ("rule", "broken", "told"),
    [
        pytest.param(
            export.BROKEN,
            EXPORT,
            {"trouble": "contoso.json:1 is no JSON", "broken_since": NOON},
            id="broken",
        ),
        pytest.param(export.BROKEN, EXPORT, {"trouble": "it is gone"}, id="gone"),
        pytest.param(
            export.STALE, replace(EXPORT, exported_at=NOON - timedelta(days=2)), {}, id="stale"
        ),
        pytest.param(
            export.INCOMPLETE, replace(EXPORT, rules=None, organisation=None), {}, id="incomplete"
        ),
        pytest.param(
            export.NOT_UNDERSTOOD, EXPORT, {"remarks": ("inbound[0].Enabled",)}, id="a remark"
        ),
        pytest.param(export.NOT_UNDERSTOOD, EXPORT, {"remarks": ("x",) * 30}, id="thirty remarks"),
        pytest.param(
            export.OVERRIDE_UNUSED,
            EXPORT,
            {"unchecked": (("To nobody", export.UNUSED_OVERRIDE),)},
            id="an override of no connector",
        ),
    ],
)
async def test_what_is_wrong_with_an_export_is_told(
    rule: Rule, broken: Export, told: dict[str, Any], world: TenantWorld
) -> None:
    world.tell(broken, **told)
    outcome = await world.run(export.PROBE)
    fires(rule, outcome)
    is_ours = rule in (export.BROKEN, export.STALE)
    assert outcome.failure == (rule.code if is_ours else "")


async def test_an_override_is_not_judged_where_the_connectors_are_not_known(
    world: TenantWorld,
) -> None:
    unused = (("To nobody", export.UNUSED_OVERRIDE),)
    world.tell(replace(EXPORT, outbound=None), unchecked=unused)
    quiet(export.OVERRIDE_UNUSED, await world.run(export.PROBE))


async def test_nobody_knows_when_an_export_was_made(world: TenantWorld) -> None:
    off = Inbound(name="old", enabled=False)
    world.tell(replace(EXPORT, exported_at=None, inbound=(off,)))
    outcome = await world.run(export.PROBE)
    quiet(export.STALE, outcome)
    shown = outcome.facts["Export"]
    assert isinstance(shown, Table)
    assert ("inbound connectors", "1, of which 1 off") in shown.rows


@pytest.mark.parametrize("probe", OTHERS, ids=lambda probe: probe.kind)
async def test_a_healthy_tenant_has_no_findings(
    probe: Probe[TenantSubject, Any], world: TenantWorld
) -> None:
    world.tell(EXPORT)
    assert (await world.run(probe)).findings == ()


async def test_hygiene_asks_dns_where_mail_comes_in(world: TenantWorld) -> None:
    world.tell(replace(EXPORT, domains=(replace(DOMAIN, domain_type="internal-relay"),)))
    found = await world.run(hygiene.PROBE)
    assert {each.rule.code for each in found.findings} == {"hygiene-relay-without-connector"}


async def test_a_wish_is_looked_after(world: TenantWorld) -> None:
    world.tell(EXPORT)
    found = await world.run(hygiene.PROBE, reject_direct_send=True)
    assert found.findings == ()  # the export does not say
    organisation = Organisation(reject_direct_send=False)
    world.tell(replace(EXPORT, organisation=organisation))
    found = await world.run(hygiene.PROBE, reject_direct_send=True)
    assert [each.rule.code for each in found.findings] == ["hygiene-direct-send"]


async def test_the_way_of_mail_is_drawn_and_a_loop_told(world: TenantWorld) -> None:
    relay = replace(DOMAIN, domain_type="internal-relay")
    home = Outbound(
        name="To home",
        connector_type="on-premises",
        recipient_domains=("contoso.com",),
        use_mx_record=True,
    )
    world.tell(replace(EXPORT, domains=(relay,), outbound=(home,)))
    outcome = await world.run(loop.PROBE)
    assert {each.rule.code for each in outcome.findings} == {"loop-dns-routing"}
    assert isinstance(outcome.facts["Routing"], Diagram)


async def test_another_tenant_that_names_ones_certificate_is_told(world: TenantWorld) -> None:
    own = Inbound(
        name="From home",
        connector_type="on-premises",
        sender_domains=("*",),
        tls_sender_certificate_name="mail.contoso.com",
    )
    world.tell(replace(EXPORT, inbound=(own,)))
    other = AcceptedDomain(name="fabrikam.com", domain_type="authoritative")
    world.tell(replace(EXPORT, inbound=(own,), domains=(other,)), "fabrikam")
    outcome = await world.run(attribution.PROBE)
    assert any(each.rule.code.startswith("attribution-") for each in outcome.findings)
    related = await world.tenancies.related("contoso")
    assert [each.name for each in related] == ["contoso", "fabrikam"]


@pytest.mark.parametrize(
    "probe", [each for each in OTHERS if each is not drift.PROBE], ids=lambda probe: probe.kind
)
async def test_a_tenant_that_goes_while_dns_is_asked_is_no_crash(
    probe: Probe[TenantSubject, Any], world: TenantWorld
) -> None:
    world.tell(EXPORT)
    known = world.tenancies["contoso"]
    world.tenancies.keep(())
    world.tenancies._known["contoso"] = known
    fires(DEPENDENCY_DOWN, await world.run(probe))


async def test_a_change_is_a_finding_for_a_while(world: TenantWorld) -> None:
    before = replace(EXPORT, inbound=(Inbound(name="From home", connector_type="on-premises"),))
    (found,) = differences(before, EXPORT)
    seen = replace(found, seen_at=NOON)
    world.tenancies.changes = lambda *_: (seen,)
    world.tell(EXPORT)
    outcome = await world.run(drift.PROBE)
    assert any(each.rule in drift_rules.RULES for each in outcome.findings)
    assert outcome.measurements[0].value == 1
    assert isinstance(outcome.facts["Changes of thirty days"], Table)
    world.clock.advance(timedelta(hours=25))
    outcome = await world.run(drift.PROBE)
    assert outcome.findings == ()
    assert outcome.facts


async def test_what_comes_to_an_end_is_on_the_calendar(world: TenantWorld) -> None:
    outbound = Outbound(name="To home", smart_hosts=("mail.contoso.com",))
    world.tell(replace(EXPORT, outbound=(outbound,)))
    ends = datetime(2027, 1, 1, tzinfo=NOON.tzinfo)
    world.tenancies.sightings.note_certificate("mail.contoso.com", ("x",), ends, NOON)
    login = LoginUse(
        protocol="smtp", host="smtp.office365.com", is_password=True, whose="route out"
    )
    secret = SecretUse(whose="graph", expires=date(2027, 2, 1))
    world.subject = world.subject.model_copy(update={"logins": (login,), "secrets": (secret,)})
    shown = (await world.run(retirement.PROBE)).facts["Calendar"]
    assert isinstance(shown, Table)
    whose = {row[3] for row in shown.rows}
    assert {"mail.contoso.com", "graph", "route out"} <= whose


def test_a_tenant_without_an_import_has_no_such_checks() -> None:
    assert export.unfit(TenantSubject(name="contoso")) == "the tenant imports nothing"
    assert export.unfit(TenantSubject(name="contoso", imports=("x",))) == ""


async def test_a_message_that_bears_another_tenants_stamp_is_told(world: TenantWorld) -> None:
    own, foreign = "7f3c9d52-0a41-4c8e-9b1d-2f6e0c5a7b10", "11111111-0a41-4c8e-9b1d-2f6e0c5a7b10"
    world.tell(replace(EXPORT, organisation=Organisation(tenant_id=own)))
    world.tenancies.sightings.note_tenants("contoso.com", (own,))
    quiet(attribution_rules.FOREIGN_STAMP, await world.run(attribution.PROBE))
    world.tenancies.sightings.note_tenants("Contoso.com", (foreign,))
    world.tenancies.sightings.note_tenants("contoso.com", ())
    found = fires(attribution_rules.FOREIGN_STAMP, await world.run(attribution.PROBE))
    assert foreign in found.detail
