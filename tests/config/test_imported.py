"""Which checks follow from an export?"""

from dataclasses import replace
from typing import Any

import pytest

from agent.config import Config, build
from agent.config.imported import checks_of, named
from agent.config.model import Probes
from agent.config.tenant_whole import subject_of
from agent.domain.tenancy.objects import AcceptedDomain, Export, Inbound, Organisation, Outbound
from agent.probes.export import UNUSED_OVERRIDE
from agent.settings import ConnectorSubject, DomainSubject
from agent.settings.tenancy import label_of, tenancy_of

OWN = Outbound(
    name="To own servers",
    guid="0a1b2c3d-0000",
    connector_type="on-premises",
    recipient_domains=("contoso.com",),
    smart_hosts=("mail.contoso.com",),
    tls_settings="domain-validation",
    tls_domain="mail.contoso.com",
    validation_recipients=("probe@contoso.com",),
)
FROM = Inbound(
    name="From own servers",
    guid="1a1b2c3d-0000",
    connector_type="on-premises",
    tls_sender_certificate_name="*.contoso.com",
    sender_ip_addresses=("192.31.196.25",),
)
EXPORT = Export(
    inbound=(FROM,),
    outbound=(OWN,),
    domains=(
        AcceptedDomain(name="contoso.com", domain_type="authoritative"),
        AcceptedDomain(name="contoso.onmicrosoft.com", is_initial=True),
    ),
    organisation=Organisation(tenant_id="7f3c9d52-0a41-4c8e-9b1d-2f6e0c5a7b10"),
)


def configured(probes: Probes, **tenant: Any) -> Config:
    connectors = {"import": "contoso.json"} | tenant.pop("connectors", {})
    data = {"tenants": [{"name": "contoso", "connectors": connectors, **tenant}]}
    return build(data, probes=probes)


def follows(config: Config, export: Export, probes: Probes) -> dict[str, Any]:
    checks, _ = checks_of(config.file, config.file.tenants[0], export, probes)
    return {check.identity: check for check in checks}


def test_each_domain_and_each_connector_is_checked(probes: Probes) -> None:
    found = follows(configured(probes), EXPORT, probes)
    assert set(found) == {
        "contoso/domain/contoso.com/mta-sts",
        "contoso/domain/contoso.com/spf",
        "contoso/connector/to-own-servers/connector",
    }
    connector = found["contoso/connector/to-own-servers/connector"].target
    assert isinstance(connector, ConnectorSubject)
    assert str(connector.smart_hosts[0]).startswith("mail.contoso.com")
    assert connector.tls_settings == "domain-validation"
    domain = found["contoso/domain/contoso.com/spf"].target
    assert isinstance(domain, DomainSubject)
    assert domain.topology == "hybrid"


def test_a_domain_of_the_file_is_as_the_file_has_it(probes: Probes) -> None:
    found = follows(configured(probes, domains=[{"name": "contoso.com"}]), EXPORT, probes)
    assert not [identity for identity in found if "/domain/" in identity]


def test_what_the_file_says_of_a_connector_goes_over_the_export(probes: Probes) -> None:
    overrides = [
        {
            "name": "From own servers",
            "endpoint": "contoso-com.mail.protection.outlook.com",
            "relays": True,
        },
        {
            "name": "to-own-servers",
            "validation_recipients": ["other@contoso.com"],
            "checks": {"connector": {"interval": "30m"}},
        },
    ]
    found = follows(configured(probes, connectors={"overrides": overrides}), EXPORT, probes)
    to = found["contoso/connector/to-own-servers/connector"]
    assert to.target.validation_recipients == ("other@contoso.com",)
    assert to.settings.interval.total_seconds() == 1800
    inbound = found["contoso/connector/from-own-servers/connector"].target
    assert inbound.direction == "inbound"
    assert inbound.relays
    assert inbound.accepted_domains == ("contoso.com", "contoso.onmicrosoft.com")


def test_a_check_can_be_switched_off(probes: Probes) -> None:
    overrides = [{"name": "To own servers", "checks": {"connector": "off"}}]
    found = follows(configured(probes, connectors={"overrides": overrides}), EXPORT, probes)
    assert "contoso/connector/to-own-servers/connector" not in found


@pytest.mark.parametrize(
    ("connector", "why"),
    [
        pytest.param(
            replace(OWN, smart_hosts=(), recipient_domains=("*",), validation_recipients=()),
            "has neither smart hosts nor a domain to find exchanges of",
            id="nothing to walk",
        ),
        pytest.param(
            replace(OWN, smart_hosts=("not a host",)),
            "smart_hosts: has the label",
            id="no host",
        ),
        pytest.param(FROM, "to be proven it needs an endpoint", id="inbound"),
    ],
)
def test_what_cannot_be_checked_is_said(
    connector: Inbound | Outbound, why: str, probes: Probes
) -> None:
    config = configured(probes)
    found = isinstance(connector, Outbound)
    export = Export(outbound=(connector,)) if found else Export(inbound=(connector,))  # type: ignore[arg-type]
    checks, skipped = checks_of(config.file, config.file.tenants[0], export, probes)
    assert not checks
    assert [each.name for each in skipped] == [connector.name]
    assert skipped[0].why.startswith(why)


def test_a_connector_by_mx_is_walked_at_its_domains(probes: Probes) -> None:
    connector = replace(
        OWN,
        smart_hosts=(),
        use_mx_record=True,
        recipient_domains=("partner.example",),
        tls_settings=None,
        tls_domain="",
    )
    found = follows(configured(probes), Export(outbound=(connector,)), probes)
    target = found["contoso/connector/to-own-servers/connector"].target
    assert target.use_mx_record
    assert target.domains == ("partner.example", "contoso.com")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("To own servers", "to-own-servers"),
        ("Outbound to 7f3c", "outbound-to-7f3c"),
        ("(ünlü)", "nl"),
        ("---", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_a_name_becomes_a_label(name: str, label: str) -> None:
    assert label_of(name) == label


def test_two_connectors_of_one_label_are_told_apart() -> None:
    same = replace(OWN, name="to own SERVERS", guid="99999999-0000")
    nameless = replace(OWN, name="???", guid="77777777-0000")
    hopeless = replace(OWN, name="!!!", guid="")
    off = replace(OWN, name="off", enabled=False)
    found = [name for name, _ in named(Export(outbound=(OWN, same, nameless, hopeless, off)))]
    assert found == ["to-own-servers-0a1b2c3d", "to-own-servers-99999999", "77777777"]
    assert [name for name, _ in named(EXPORT)] == ["to-own-servers", "from-own-servers"]


def test_a_label_stays_when_another_connector_is_switched_off() -> None:
    same = replace(OWN, name="to own SERVERS", guid="99999999-0000")
    for others in ((OWN, same), (replace(OWN, enabled=False), same)):
        found = {each.guid: name for name, each in named(Export(outbound=others))}
        assert found[same.guid] == "to-own-servers-99999999"


def test_guids_that_begin_alike_are_written_out() -> None:
    same = replace(OWN, name="to own SERVERS", guid="0a1b2c3d-0001")
    found = [name for name, _ in named(Export(outbound=(OWN, same)))]
    assert found == ["to-own-servers-0a1b2c3d-0000", "to-own-servers-0a1b2c3d-0001"]


def test_a_connector_without_a_label_of_its_own_is_left_out_in_words(probes: Probes) -> None:
    bare = replace(OWN, guid="")
    same, off = replace(bare, name="to own SERVERS"), replace(bare, name="TO own", enabled=False)
    config = configured(probes)
    export = Export(outbound=(bare, same, off, replace(off, name="to OWN")))
    checks, skipped = checks_of(config.file, config.file.tenants[0], export, probes)
    assert not checks
    assert {each.name for each in skipped} == {bare.name, same.name}


def test_an_override_of_any_name_is_found_and_one_of_no_connector_told(probes: Probes) -> None:
    overrides = [
        {"name": "F\u00fcr B\u00fcro ", "checks": {"connector": "off"}},
        {"name": "To nobody"},
        {"name": "off"},
    ]
    config = configured(probes, connectors={"overrides": overrides})
    office = replace(OWN, name="F\\xfcr B\\xfcro")
    export = Export(outbound=(office, replace(OWN, name="Off", guid="2", enabled=False)))
    checks, skipped = checks_of(config.file, config.file.tenants[0], export, probes)
    assert not checks
    assert [each.name for each in skipped if each.why == UNUSED_OVERRIDE] == ["To nobody"]


def test_what_is_no_mail_domain_is_left_out(probes: Probes) -> None:
    export = Export(domains=(AcceptedDomain(name="not a domain"),))
    assert follows(configured(probes), export, probes) == {}


def test_a_tenant_is_as_both_have_it(probes: Probes) -> None:
    gateways = {"hosts": ["*.contoso.net"], "presents": ["gw.contoso.net"]}
    config = configured(
        probes,
        gateways=gateways,
        domains=[{"name": "contoso.com", "topology": "third-party-filter"}],
    )
    tenancy = tenancy_of(subject_of(config.file.tenants[0], {}), EXPORT)
    assert tenancy.topologies == {"contoso.com": "third-party-filter"}
    assert tenancy.gateways == ("*.contoso.net",)
    assert tenancy.presents == ("gw.contoso.net",)
    assert tenancy.tenant_id == "7f3c9d52-0a41-4c8e-9b1d-2f6e0c5a7b10"
    assert tenancy_of(subject_of(config.file.tenants[0], {}), Export()).tenant_id == ""
