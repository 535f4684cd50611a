"""To whom Exchange Online attributes mail: the cases that Microsoft's text decides."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.attribution import (
    Arrival,
    Attribution,
    InboundConnector,
    Tenant,
    Verdict,
    attribute,
)
from agent.domain.tls import Match, match_one

STRANGER = ip_address("198.51.100.7")
DATACENTRE = ip_address("203.0.113.5")
BY_CERTIFICATE = InboundConnector(name="c", tls_sender_certificate_name="mail.contoso.com")
BY_ADDRESS = InboundConnector(name="a", sender_ip_addresses=(ip_network("203.0.113.0/28"),))
BY_WIDE_ADDRESS = replace(BY_ADDRESS, sender_ip_addresses=(ip_network("203.0.113.0/24"),))
CONTOSO = Tenant(name="contoso", accepted_domains=("contoso.com",), connectors=(BY_CERTIFICATE,))
FABRIKAM = Tenant(name="fabrikam", accepted_domains=("fabrikam.com",))
OWN, TO = "a@fabrikam.com", "b@fabrikam.com"
LOCK = InboundConnector(
    name="lock",
    connector_type="partner",
    tls_sender_certificate_name="*.filter.example",
    is_restricted=True,
)


def arrive(
    *tenants: Tenant,
    names: tuple[str, ...] = (),
    address: object = STRANGER,
    sender: str = "a@elsewhere.example",
    to: str = "b@elsewhere.example",
) -> Attribution:
    known = tenants or (CONTOSO, FABRIKAM)
    arrival = Arrival(
        certificate_names=names, address=ip_address(str(address)), mail_from=sender, rcpt_to=to
    )
    return attribute(arrival, known)


def test_a_certificate_relays_whatever_the_sender_is() -> None:
    found = arrive(names=("mail.contoso.com",), sender="")
    assert found.verdict is Verdict.RELAYED
    assert found.tenant is CONTOSO
    assert found.connector is BY_CERTIFICATE


def test_an_address_relays_for_the_tenants_own_senders_only() -> None:
    contoso = replace(CONTOSO, connectors=(BY_ADDRESS,))
    own = arrive(contoso, address=DATACENTRE, sender="a@contoso.com")
    assert own.verdict is Verdict.RELAYED
    assert arrive(contoso, address=DATACENTRE).verdict is Verdict.RELAY_DENIED
    assert arrive(contoso, sender="a@contoso.com").verdict is Verdict.RELAY_DENIED


def test_a_connector_that_is_off_or_for_another_name_claims_nothing() -> None:
    off = replace(CONTOSO, connectors=(replace(BY_CERTIFICATE, is_enabled=False),))
    assert arrive(off, names=("mail.contoso.com",)).verdict is Verdict.RELAY_DENIED
    assert arrive(names=("mail2.contoso.com",)).verdict is Verdict.RELAY_DENIED


def test_mail_to_an_accepted_domain_needs_no_connector() -> None:
    found = arrive(to="b@fabrikam.com")
    assert found.verdict is Verdict.DELIVERED
    assert found.tenant is FABRIKAM


def test_a_shared_certificate_takes_another_tenants_mail_away() -> None:
    """The provider's rule: its own connector claims what it delivers to its customers."""
    shared = replace(BY_CERTIFICATE, tls_sender_certificate_name="gw.provider.example")
    provider = Tenant(name="provider", accepted_domains=("provider.example",), connectors=(shared,))
    found = arrive(provider, FABRIKAM, names=("gw.provider.example",), to="b@fabrikam.com")
    assert found.tenant is provider
    assert found.verdict is Verdict.RELAYED  # out again, to an MX that leads back


def test_of_two_that_match_the_certificates_domain_decides_before_the_senders() -> None:
    mine = replace(CONTOSO, connectors=(BY_CERTIFICATE, BY_WIDE_ADDRESS))
    other = replace(FABRIKAM, connectors=(BY_WIDE_ADDRESS,))
    by_name = arrive(
        other, mine, names=("mail.contoso.com",), address=DATACENTRE, sender="x@fabrikam.com"
    )
    assert by_name.tenant is mine
    by_sender = arrive(other, mine, address=DATACENTRE, sender="x@contoso.com")
    assert by_sender.tenant is mine
    by_recipient = arrive(other, mine, address=DATACENTRE, to="b@contoso.com")
    assert by_recipient.tenant is mine
    assert by_recipient.verdict is Verdict.DELIVERED


@pytest.mark.parametrize(
    ("names", "verdict"),
    [
        pytest.param((), Verdict.RESTRICTED, id="no certificate"),
        pytest.param(("mx1.filter.example",), Verdict.DELIVERED, id="the filter's"),
        pytest.param(("mx1.filter.invalid",), Verdict.RESTRICTED, id="another"),
    ],
)
def test_a_partner_connector_that_restricts_is_a_lock(
    names: tuple[str, ...], verdict: Verdict
) -> None:
    locked = replace(FABRIKAM, connectors=(LOCK,))
    assert arrive(locked, names=names, to="b@fabrikam.com").verdict is verdict


def test_a_partner_connector_for_other_senders_is_none() -> None:
    narrow = replace(LOCK, sender_domains=("partner.example", "*.group.example"))
    locked = replace(FABRIKAM, connectors=(narrow,))
    assert arrive(locked, to="b@fabrikam.com").verdict is Verdict.DELIVERED
    for sender in ("a@partner.example", "a@x.group.example"):
        assert arrive(locked, sender=sender, to="b@fabrikam.com").verdict is Verdict.RESTRICTED


def test_direct_send_is_refused_where_it_is_switched_off() -> None:
    strict = replace(FABRIKAM, rejects_direct_send=True)
    assert arrive(strict, sender=OWN, to=TO).verdict is Verdict.DIRECT_SEND
    assert arrive(FABRIKAM, sender=OWN, to=TO).verdict is Verdict.DELIVERED
    assert arrive(strict, to="b@fabrikam.com").verdict is Verdict.DELIVERED
    through = replace(strict, connectors=(replace(LOCK, is_restricted=False),))
    known = arrive(through, names=("mx1.filter.example",), sender=OWN, to=TO)
    assert known.verdict is Verdict.DELIVERED


some_names = st.lists(st.sampled_from(("*", "a", "B", "c")), min_size=1, max_size=3).map(".".join)


@given(some_names, st.lists(some_names, max_size=3))
def test_a_certificate_is_matched_as_everywhere(wanted: str, names: list[str]) -> None:
    connector = InboundConnector(name="c", tls_sender_certificate_name=wanted)
    expected = any(match_one(wanted, each) is Match.YES for each in names)
    assert connector.shows_certificate(names) is expected
