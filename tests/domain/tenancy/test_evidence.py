"""What is expected of a domain of which only an export tells."""

from dataclasses import replace

import pytest
from routing import CENTRAL, FROM_OWN, LOCK, TO_OWN, tenant
from tenancies import own

from agent.domain.tenancy.evidence import evident_topology
from agent.domain.tenancy.objects import AcceptedDomain, Inbound, Outbound

OPEN = replace(LOCK, restrict_domains_to_certificate=False)
EVERYBODY = replace(TO_OWN, recipient_domains=("*",))


@pytest.mark.parametrize(
    ("things", "topology"),
    [
        pytest.param((), "exchange-online", id="nothing"),
        pytest.param((LOCK,), "third-party-filter", id="a lock"),
        pytest.param((replace(LOCK, enabled=False),), "custom", id="a lock that is off"),
        pytest.param((OPEN,), "custom", id="open to all"),
        pytest.param(
            (replace(OPEN, sender_domains=("fabrikam.com",)),), "exchange-online", id="a partner"
        ),
        pytest.param((own("*.pphosted.com"),), "custom", id="a filter as own server"),
        pytest.param((own("", "192.0.2.7"),), "exchange-online", id="a device"),
        pytest.param(
            (replace(FROM_OWN, cloud_services_mail_enabled=True),), "hybrid", id="Exchange servers"
        ),
        pytest.param(
            (replace(FROM_OWN, connector_source="HybridWizard", enabled=False),),
            "hybrid",
            id="the wizard's, off",
        ),
        pytest.param((TO_OWN,), "hybrid", id="mailboxes elsewhere"),
        pytest.param((replace(TO_OWN, enabled=False),), "hybrid", id="mailboxes elsewhere, off"),
        pytest.param((CENTRAL,), "hybrid", id="centralised transport"),
        pytest.param((EVERYBODY,), "exchange-online", id="a smart host for everybody"),
        pytest.param(
            (replace(TO_OWN, is_transport_rule_scoped=True),), "exchange-online", id="for rules"
        ),
    ],
)
def test_what_connectors_tell(things: tuple[Inbound | Outbound, ...], topology: str) -> None:
    export = tenant(*things).export
    assert evident_topology(export, AcceptedDomain(name="contoso.com")) == topology


def test_a_filter_name_that_is_the_tenants_own_is_none() -> None:
    export = tenant(own("c1.pphosted.com"), also=("c1.pphosted.com",)).export
    assert evident_topology(export, AcceptedDomain(name="contoso.com")) == "exchange-online"


def test_the_domain_itself_tells() -> None:
    export = tenant().export
    relay = AcceptedDomain(name="contoso.com", domain_type="internal-relay")
    assert evident_topology(export, relay) == "hybrid"
    assert evident_topology(export, replace(relay, outbound_only=True)) == "custom"
