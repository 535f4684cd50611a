"""Which export can follow on another, and what stays of the one before?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.domain.tenancy.objects import (
    AcceptedDomain,
    Export,
    Inbound,
    Organisation,
    Outbound,
    TransportRule,
)
from agent.domain.tenancy.succession import Together, together, why_not

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OWN = Inbound(
    name="From own servers",
    guid="1",
    require_tls=True,
    tls_sender_certificate_name="mail.contoso.com",
    changed_at=NOON,
)
RULE = TransportRule(name="Archive", guid="2", conditions=(("FromScope", "InOrganization"),))


def export(name: str, tenant_id: str = "", **more: object) -> Export:
    domains = (AcceptedDomain(name=f"{name}.com"), AcceptedDomain(name=f"{name}.onmicrosoft.com"))
    return replace(
        Export(domains=domains, organisation=Organisation(tenant_id=tenant_id)),
        **more,  # type: ignore[arg-type] # fields of an export
    )


BARE = Export(domains=(AcceptedDomain(name="contoso.com"),), inbound=(OWN,))
OTHER = Export(domains=(AcceptedDomain(name="fabrikam.com"),), inbound=(replace(OWN, guid="9"),))


@pytest.mark.parametrize(
    ("last", "new", "why"),
    [
        pytest.param(export("contoso", "1"), export("contoso", "1"), "", id="the same"),
        pytest.param(export("contoso", "1"), export("contoso", "2"), "", id="one initial domain"),
        pytest.param(export("contoso", "1"), export("fabrikam", "1"), "", id="one id"),
        pytest.param(
            export("contoso", "1"), export("fabrikam", "2"), "is of another", id="all else"
        ),
        pytest.param(
            export("contoso"), export("fabrikam", "2"), "is of another", id="no id to compare"
        ),
        pytest.param(BARE, OTHER, "is of another", id="nothing in common"),
        pytest.param(BARE, replace(OTHER, inbound=(OWN,)), "", id="a connector in common"),
        pytest.param(BARE, Export(), "", id="nothing to compare"),
        pytest.param(Export(), Export(organisation=Organisation(tenant_id="1")), "", id="one id"),
        pytest.param(
            Export(organisation=Organisation(tenant_id="1")),
            Export(organisation=Organisation(tenant_id="2")),
            "tenant: 2, and the last one was of 1",
            id="two ids",
        ),
        pytest.param(
            replace(BARE, exported_at=NOON),
            replace(BARE, exported_at=NOON - 2 * HOUR),
            "is older than the last one: of 2026-11-23 10:00 UTC",
            id="older",
        ),
        pytest.param(
            replace(BARE, exported_at=NOON), replace(BARE, exported_at=NOON - HOUR), "", id="clocks"
        ),
        pytest.param(replace(BARE, exported_at=NOON), BARE, "", id="nobody knows when"),
    ],
)
def test_an_export_follows_on_another_or_says_why_not(last: Export, new: Export, why: str) -> None:
    assert why in why_not(last, new)
    assert bool(why) == bool(why_not(last, new))


def test_properties_without_which_a_job_exports_are_as_they_were() -> None:
    bare = replace(
        OWN,
        tls_sender_certificate_name="",
        require_tls=None,
        changed_at=None,
        unsaid=("changed_at", "ef_users", "require_tls", "tls_sender_certificate_name"),
    )
    last, new = Export(inbound=(OWN,)), Export(inbound=(bare, replace(bare, name="new", guid="3")))
    found = together(last, new)
    assert found.export.inbound is not None
    assert found.export.inbound[0] == replace(OWN, changed_at=None, unsaid=("changed_at",))
    assert found.export.inbound[1] == new.inbound[1]  # type: ignore[index] # it is there
    assert found.taken_over == (
        "RequireTls of inbound connectors",
        "TlsSenderCertificateName of inbound connectors",
    )
    assert together(new, new) == Together(new)


def test_conditions_of_rules_and_settings_of_the_organisation_are_as_they_were() -> None:
    organisation = Organisation(name="contoso", reject_direct_send=True)
    last = Export(rules=(RULE,), organisation=organisation)
    new = Export(
        rules=(replace(RULE, conditions=(), unsaid=("conditions",)),),
        organisation=Organisation(name="contoso"),
    )
    found = together(last, new)
    assert found.export == last
    assert found.taken_over == (
        "conditions of mail flow rules",
        "RejectDirectSend of settings of the organisation",
    )


def test_an_empty_list_is_no_gap() -> None:
    last = Export(outbound=(Outbound(name="To own servers"),))
    assert together(last, Export(outbound=())) == Together(Export(outbound=()))
    found = together(last, Export(rules=()))
    assert found == Together(replace(last, rules=()), ("outbound connectors",))
