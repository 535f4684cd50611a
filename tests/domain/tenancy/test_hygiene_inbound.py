"""Does each rule about an inbound connector fire where it should, and only there?"""

from dataclasses import replace

import pytest

from agent.domain.finding import Rule
from agent.domain.tenancy import hygiene_rules as common
from agent.domain.tenancy import hygiene_rules_inbound as rules
from agent.domain.tenancy.objects import AcceptedDomain, Inbound
from proof import Proves, fires, named, quiet
from servers.hygiene_case import (
    ADD_ON,
    CONTOSO,
    DEVICES,
    DOMAIN,
    FROM_HOME,
    FROM_PARTNER,
    FROM_SERVICE,
    LOCK,
    Case,
)


def one(connector: Inbound, **changes: object) -> Case:
    changed: Inbound = replace(connector, **changes)  # type: ignore[arg-type] # any field
    return Case(inbound=(changed,))


def listing(*addresses: str) -> Case:
    return one(DEVICES, sender_ip_addresses=addresses)


BOTH = replace(LOCK, restrict_domains_to_ip_addresses=True, sender_ip_addresses=("203.0.113.0/24",))
SECOND = replace(FROM_PARTNER, name="From Fabrikam too", guid="7")
INTERNAL = replace(DEVICES, treat_messages_as_internal=True)
OTHER = AcceptedDomain(name="fourth.example", domain_type="authoritative")

CASES = [
    (
        fires,
        rules.RESTRICTION_WITHOUT_VALUE,
        "no certificate",
        one(LOCK, tls_sender_certificate_name=""),
    ),
    (
        fires,
        rules.RESTRICTION_WITHOUT_VALUE,
        "no addresses",
        one(BOTH, sender_ip_addresses=(), restrict_domains_to_certificate=False),
    ),
    (fires, rules.RESTRICTION_WITHOUT_VALUE, "one of two", one(BOTH, sender_ip_addresses=())),
    (quiet, rules.RESTRICTION_WITHOUT_VALUE, "a certificate", Case(inbound=(LOCK,))),
    (
        quiet,
        rules.RESTRICTION_WITHOUT_VALUE,
        "no restriction",
        one(LOCK, tls_sender_certificate_name="", restrict_domains_to_certificate=False),
    ),
    (
        quiet,
        rules.RESTRICTION_WITHOUT_VALUE,
        "another type",
        one(FROM_HOME, tls_sender_certificate_name="", restrict_domains_to_certificate=True),
    ),
    (
        quiet,
        rules.RESTRICTION_WITHOUT_VALUE,
        "switched off",
        one(LOCK, tls_sender_certificate_name="", enabled=False),
    ),
    (
        quiet,
        rules.RESTRICTION_WITHOUT_VALUE,
        "between organisations",
        one(LOCK, tls_sender_certificate_name="", trusted_organizations=("fabrikam",)),
    ),
    (fires, rules.RESTRICTION_MIXED, "both", Case(inbound=(BOTH,))),
    (quiet, rules.RESTRICTION_MIXED, "one", one(BOTH, restrict_domains_to_ip_addresses=False)),
    (quiet, rules.RESTRICTION_MIXED, "one without value", one(BOTH, sender_ip_addresses=())),
    (fires, rules.CERTIFICATE_WITHOUT_TLS, "RequireTls off", one(LOCK, require_tls=False)),
    (quiet, rules.CERTIFICATE_WITHOUT_TLS, "RequireTls not said", one(LOCK, require_tls=None)),
    (
        quiet,
        rules.CERTIFICATE_WITHOUT_TLS,
        "by address",
        one(BOTH, restrict_domains_to_certificate=False, require_tls=False),
    ),
    (
        fires,
        common.INEFFECTIVE,
        "restricted addresses on premises",
        one(DEVICES, restrict_domains_to_ip_addresses=True),
    ),
    (
        fires,
        common.INEFFECTIVE,
        "restricted certificate on premises",
        one(FROM_HOME, restrict_domains_to_certificate=True),
    ),
    (
        fires,
        common.INEFFECTIVE,
        "restricted to no certificate beside an add-on",
        replace(ADD_ON, inbound=(replace(FROM_SERVICE, tls_sender_certificate_name=""),)),
    ),
    (quiet, common.INEFFECTIVE, "the way back from an add-on", ADD_ON),
    (
        quiet,
        common.INEFFECTIVE,
        "perhaps the way back from an add-on",
        replace(ADD_ON, outbound=None),
    ),
    (
        quiet,
        common.INEFFECTIVE,
        "the way back from an add-on whose connector was not exported",
        replace(ADD_ON, outbound=()),
    ),
    (
        quiet,
        common.INEFFECTIVE,
        "perhaps the way back from an add-on, where no rules were exported",
        replace(ADD_ON, outbound=(), rules=None),
    ),
    (
        fires,
        common.INEFFECTIVE,
        "what would be the way back from an add-on that is not there",
        replace(ADD_ON, outbound=(), rules=()),
    ),
    (quiet, common.INEFFECTIVE, "RequireTls on premises", Case(inbound=(DEVICES,))),
    (quiet, common.INEFFECTIVE, "restrictions of a partner", Case(inbound=(BOTH,))),
    (
        quiet,
        common.INEFFECTIVE,
        "a type that is not said",
        one(DEVICES, connector_type=None, restrict_domains_to_ip_addresses=True),
    ),
    (
        fires,
        common.INEFFECTIVE,
        "internal and headers",
        one(INTERNAL, cloud_services_mail_enabled=True),
    ),
    (
        fires,
        common.INEFFECTIVE,
        "internal from a partner",
        one(LOCK, treat_messages_as_internal=True),
    ),
    (quiet, common.INEFFECTIVE, "internal alone", Case(inbound=(INTERNAL,))),
    (fires, rules.TREATED_AS_INTERNAL, "a device", Case(inbound=(INTERNAL,))),
    (
        quiet,
        rules.TREATED_AS_INTERNAL,
        "where it does nothing",
        one(INTERNAL, cloud_services_mail_enabled=True),
    ),
    (
        quiet,
        rules.TREATED_AS_INTERNAL,
        "a partner",
        one(LOCK, treat_messages_as_internal=True),
    ),
    (quiet, rules.TREATED_AS_INTERNAL, "not set", Case(inbound=(DEVICES,))),
    (
        fires,
        rules.SCOPED_TO_DOMAINS,
        "one of two",
        Case(
            inbound=(replace(DEVICES, associated_accepted_domains=(CONTOSO,)),),
            domains=(DOMAIN, OTHER),
        ),
    ),
    (
        fires,
        rules.SCOPED_TO_DOMAINS,
        "all there are",
        Case(
            inbound=(replace(DEVICES, associated_accepted_domains=(CONTOSO,)),), domains=(DOMAIN,)
        ),
    ),
    (quiet, rules.SCOPED_TO_DOMAINS, "none", Case(inbound=(DEVICES,))),
    (fires, common.PARTNER_TWICE, "one sender twice", Case(inbound=(FROM_PARTNER, SECOND))),
    (
        quiet,
        common.PARTNER_TWICE,
        "the second switched off",
        Case(inbound=(FROM_PARTNER, replace(SECOND, enabled=False))),
    ),
    (
        quiet,
        common.PARTNER_TWICE,
        "two filters for everybody",
        Case(inbound=(LOCK, replace(LOCK, name="From the other filter", guid="7"))),
    ),
    (
        quiet,
        common.PARTNER_TWICE,
        "servers of one's own beside",
        Case(inbound=(FROM_PARTNER, replace(SECOND, connector_type="on-premises"))),
    ),
    (fires, rules.ADDRESS_IPV6, "an address", listing("203.0.113.7", "2600::1")),
    (quiet, rules.ADDRESS_IPV6, "IPv4 only", listing("203.0.113.7")),
    (fires, rules.ADDRESS_UNREADABLE, "a name", listing("mail.contoso.example")),
    (fires, rules.ADDRESS_UNREADABLE, "a range", listing("203.0.113.1-203.0.113.9")),
    (quiet, rules.ADDRESS_UNREADABLE, "a network", listing("203.0.113.0/28")),
    (quiet, rules.ADDRESS_UNREADABLE, "in brackets", listing("[203.0.113.7]")),
    (fires, rules.ADDRESS_WIDE, "a /23", listing("203.0.112.0/23")),
    (quiet, rules.ADDRESS_WIDE, "a /24", listing("203.0.113.0/24")),
    (fires, rules.ADDRESS_PRIVATE, "RFC 1918", listing("192.168.0.25")),
    (fires, rules.ADDRESS_PRIVATE, "shared", listing("100.64.0.0/24")),
    (quiet, rules.ADDRESS_PRIVATE, "public", listing("11.0.0.25")),
    (fires, rules.ADDRESS_OF_MICROSOFT, "one address", listing("40.107.1.2")),
    (fires, rules.ADDRESS_OF_MICROSOFT, "the whole range", listing("52.100.0.0/14")),
    (
        fires,
        rules.ADDRESS_OF_MICROSOFT,
        "a lock",
        one(BOTH, sender_ip_addresses=("104.47.1.0/24",)),
    ),
    (quiet, rules.ADDRESS_OF_MICROSOFT, "the next range", listing("40.108.0.0/24")),
    (
        quiet,
        rules.ADDRESS_OF_MICROSOFT,
        "not acted on",
        one(LOCK, sender_ip_addresses=("104.47.1.0/24",)),
    ),
    (
        quiet,
        rules.ADDRESS_OF_MICROSOFT,
        "switched off",
        one(DEVICES, sender_ip_addresses=("104.47.1.0/24",), enabled=False),
    ),
    (fires, rules.EF_ADDRESS, "private", one(LOCK, ef_skip_ips=("10.0.0.0/24",))),
    (fires, rules.EF_ADDRESS, "Microsoft's", one(LOCK, ef_skip_ips=("40.107.0.0/24",))),
    (
        fires,
        rules.EF_ADDRESS,
        "a range that ends inside",
        one(LOCK, ef_skip_ips=("9.255.255.0 - 10.0.0.9", "203.0.113.7")),
    ),
    (
        quiet,
        rules.EF_ADDRESS,
        "public and unreadable",
        one(LOCK, ef_skip_ips=("203.0.113.1-203.0.113.9", "somewhere")),
    ),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_rules(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.seen())


@pytest.mark.parametrize(
    ("rule", "case", "fix"),
    [
        pytest.param(
            rules.RESTRICTION_MIXED,
            Case(inbound=(BOTH,)),
            "Set-InboundConnector -Identity 'From the filter' -RestrictDomainsToIPAddresses $false",
            id="mixed",
        ),
        pytest.param(
            common.INEFFECTIVE,
            one(INTERNAL, cloud_services_mail_enabled=True, restrict_domains_to_ip_addresses=True),
            "Set-InboundConnector -Identity 'Printers' -RestrictDomainsToIPAddresses $false"
            " -TreatMessagesAsInternal $false",
            id="two properties",
        ),
        pytest.param(
            rules.SCOPED_TO_DOMAINS,
            one(DEVICES, associated_accepted_domains=(CONTOSO,)),
            "Set-InboundConnector -Identity 'Printers' -AssociatedAcceptedDomains $null",
            id="scope",
        ),
        pytest.param(
            rules.ADDRESS_IPV6,
            listing("203.0.113.7", "2600::1"),
            "Set-InboundConnector -Identity 'Printers' -SenderIPAddresses '203.0.113.7'",
            id="one address is left",
        ),
        pytest.param(rules.ADDRESS_IPV6, listing("2600::1"), "", id="nobody would be known"),
        pytest.param(
            rules.ADDRESS_PRIVATE,
            one(FROM_HOME, sender_ip_addresses=("10.0.0.1",)),
            "Set-InboundConnector -Identity 'Inbound from 7f' -SenderIPAddresses $null",
            id="the certificate is left",
        ),
        pytest.param(
            rules.ADDRESS_WIDE,
            listing("203.0.112.0/23", "203.0.113.0/24"),
            "Set-InboundConnector -Identity 'Printers'"
            " -SenderIPAddresses '203.0.112.0/24','203.0.113.0/24'",
            id="split",
        ),
        pytest.param(
            rules.ADDRESS_WIDE,
            listing("203.0.0.0/16", "203.2.0.0/23"),
            "",
            id="too much to split",
        ),
        pytest.param(
            rules.EF_ADDRESS,
            one(LOCK, ef_skip_ips=("203.0.113.7", "10.0.0.1")),
            "Set-InboundConnector -Identity 'From the filter' -EFSkipIPs '203.0.113.7'",
            id="skipped",
        ),
        pytest.param(
            rules.EF_ADDRESS, one(LOCK, ef_skip_ips=("10.0.0.1",)), "", id="nothing to skip is left"
        ),
    ],
)
def test_the_line_that_mends_it(rule: Rule, case: Case, fix: str) -> None:
    assert fires(rule, case.seen()).fix == fix


def test_the_domains_that_are_left_out_are_named() -> None:
    others = tuple(replace(OTHER, name=f"d{place}.example") for place in range(5))
    case = Case(
        inbound=(replace(DEVICES, associated_accepted_domains=(CONTOSO,)),),
        domains=(DOMAIN, *others),
    )
    found = fires(rules.SCOPED_TO_DOMAINS, case.seen())
    assert found.detail == (
        "Inbound connector 'Printers' is limited by AssociatedAcceptedDomains and leaves out"
        " d0.example, d1.example, d2.example and 2 more."
    )
    assert found.evidence == tuple(each.name for each in others)


def test_partners_that_share_several_domains_are_one_finding() -> None:
    several = ("fabrikam.example", "fabrikam.test")
    first, second = (replace(each, sender_domains=several) for each in (FROM_PARTNER, SECOND))
    (found,) = Case(inbound=(second, first)).seen()
    assert found.detail == (
        "The inbound connectors From Fabrikam, From Fabrikam too are all for mail from"
        " fabrikam.example, fabrikam.test."
    )
