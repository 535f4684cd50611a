"""Does each rule about accepted domains and what they need fire where it should, and only there?"""

from dataclasses import replace

import pytest

from agent.domain.finding import Rule
from agent.domain.tenancy import hygiene_rules as common
from agent.domain.tenancy import hygiene_rules_domains as rules
from agent.domain.tenancy.hygiene import Wishes
from agent.domain.tenancy.objects import AcceptedDomain, Organisation, TransportRule
from proof import Proves, fires, named, quiet
from servers.hygiene_case import (
    ADD_ON,
    AT_EXCHANGE,
    AT_FILTER,
    AT_HOME,
    CENTRAL,
    CLOUD,
    CONTOSO,
    DEVICES,
    DOMAIN,
    FROM_HOME,
    FROM_PARTNER,
    FROM_SERVICE,
    HYBRID,
    INITIAL,
    LOCK,
    RELAY,
    SERVICE,
    SIGNED,
    TO_HOME,
    TO_PARTNER,
    TO_SERVICE,
    Case,
)

DECLARED = replace(HYBRID, topologies={CONTOSO: "hybrid"})
BEHIND = replace(HYBRID, topologies={CONTOSO: "on-premises"})
RELAYED = replace(CLOUD, domains=(RELAY, INITIAL))
BY_HAND = replace(TO_HOME, connector_source="AdminUI")
OTHER = AcceptedDomain(name="fourth.example", domain_type="authoritative")
WISHED = Wishes(reject_direct_send=True)


def relayed(*outbound: object, **changes: object) -> Case:
    return replace(RELAYED, outbound=outbound, **changes)  # type: ignore[arg-type] # any field


def at(host: str, topology: str = "") -> Case:
    return replace(CLOUD, mx={CONTOSO: host}, topologies={CONTOSO: topology} if topology else {})


def signed(**changes: object) -> Case:
    return replace(CLOUD, dkim=(replace(SIGNED, **changes),))  # type: ignore[arg-type] # any field


ROUTE = TransportRule(
    name="To the branch",
    enabled=True,
    mode="Enforce",
    route_message_outbound_connector="To the signatures",
    conditions=(("RecipientDomainIs", f"fabrikam.example {CONTOSO}"),),
)

WAY_OUT = replace(TO_HOME, connector_source="AdminUI")
OUT_ONLY = replace(CLOUD, outbound=(WAY_OUT,))
WAY_IN = replace(FROM_HOME, connector_source="AdminUI")
NEEDS = [
    (fires, common.INBOUND_NONE, "only a way out", OUT_ONLY),
    (
        fires,
        common.INBOUND_NONE,
        "for all accepted domains",
        replace(
            OUT_ONLY,
            outbound=(replace(WAY_OUT, recipient_domains=(), all_accepted_domains=True),),
        ),
    ),
    (
        fires,
        common.INBOUND_NONE,
        "the way in is off",
        replace(OUT_ONLY, inbound=(replace(WAY_IN, enabled=False),)),
    ),
    (quiet, common.INBOUND_NONE, "both", replace(OUT_ONLY, inbound=(WAY_IN,))),
    (quiet, common.INBOUND_NONE, "not exported", replace(OUT_ONLY, inbound=None)),
    (
        quiet,
        common.INBOUND_NONE,
        "for everybody",
        replace(OUT_ONLY, outbound=(replace(WAY_OUT, recipient_domains=("*",)),)),
    ),
    (fires, common.INBOUND_MISSING, "hybrid", replace(DECLARED, inbound=())),
    (fires, common.INBOUND_MISSING, "the wizard's other one", replace(HYBRID, inbound=())),
    (fires, common.INBOUND_MISSING, "behind Exchange Online", replace(BEHIND, inbound=())),
    (quiet, common.INBOUND_MISSING, "there", DECLARED),
    (quiet, common.INBOUND_MISSING, "not exported", replace(DECLARED, inbound=None)),
    (
        quiet,
        common.INBOUND_MISSING,
        "of a type that is not said",
        replace(DECLARED, inbound=(replace(FROM_HOME, connector_type=None),)),
    ),
    (
        quiet,
        common.INBOUND_MISSING,
        "all on premises, MX too",
        replace(BEHIND, inbound=(), outbound=(), mx={CONTOSO: AT_HOME}),
    ),
    (quiet, common.INBOUND_MISSING, "all in Exchange Online", CLOUD),
    (
        quiet,
        common.INBOUND_MISSING,
        "a domain of another tenant",
        replace(CLOUD, topologies={"fabrikam.example": "hybrid"}),
    ),
    (fires, common.OUTBOUND_MISSING, "hybrid", replace(DECLARED, outbound=())),
    (
        fires,
        common.OUTBOUND_MISSING,
        "only for rules",
        replace(DECLARED, outbound=(TO_SERVICE,)),
    ),
    (
        fires,
        common.OUTBOUND_MISSING,
        "only for partners",
        replace(DECLARED, outbound=(TO_PARTNER,)),
    ),
    (quiet, common.OUTBOUND_MISSING, "there", DECLARED),
    (quiet, common.OUTBOUND_MISSING, "not exported", replace(DECLARED, outbound=None)),
    (
        fires,
        common.NEEDED_BUT_OFF,
        "inbound",
        replace(DECLARED, inbound=(replace(FROM_HOME, enabled=False),)),
    ),
    (
        fires,
        common.NEEDED_BUT_OFF,
        "outbound in test mode",
        replace(DECLARED, outbound=(replace(TO_HOME, test_mode=True),)),
    ),
    (
        fires,
        common.NEEDED_BUT_OFF,
        "of an internal relay",
        relayed(replace(TO_HOME, enabled=False)),
    ),
    (
        fires,
        common.NEEDED_BUT_OFF,
        "of an internal relay, of the other type",
        relayed(replace(TO_PARTNER, recipient_domains=(CONTOSO,), enabled=False)),
    ),
    (
        quiet,
        common.NEEDED_BUT_OFF,
        "a deployment that is over",
        replace(
            HYBRID,
            inbound=(replace(FROM_HOME, enabled=False),),
            outbound=(replace(TO_HOME, enabled=False),),
        ),
    ),
    (
        quiet,
        common.NEEDED_BUT_OFF,
        "a way to everybody else",
        relayed(replace(TO_PARTNER, recipient_domains=("*",), enabled=False)),
    ),
    (quiet, common.NEEDED_BUT_OFF, "on", DECLARED),
]
RELAYS = [
    (fires, rules.RELAY_WITHOUT_CONNECTOR, "none", RELAYED),
    (quiet, rules.RELAY_WITHOUT_CONNECTOR, "MX not known", replace(RELAYED, mx={})),
    (fires, rules.RELAY_WITHOUT_CONNECTOR, "a filter", replace(RELAYED, mx={CONTOSO: AT_FILTER})),
    (
        fires,
        rules.RELAY_WITHOUT_CONNECTOR,
        "for another domain",
        relayed(replace(BY_HAND, recipient_domains=("fabrikam.example", "*.fabrikam.example"))),
    ),
    (fires, rules.RELAY_WITHOUT_CONNECTOR, "only for rules", relayed(TO_SERVICE)),
    (
        fires,
        rules.RELAY_WITHOUT_CONNECTOR,
        "a rule for another domain",
        relayed(
            TO_SERVICE, rules=(replace(ROUTE, conditions=(("RecipientDomainIs", "x.example"),)),)
        ),
    ),
    (quiet, rules.RELAY_WITHOUT_CONNECTOR, "for the domain", relayed(BY_HAND)),
    (
        quiet,
        rules.RELAY_WITHOUT_CONNECTOR,
        "for all accepted domains",
        relayed(replace(BY_HAND, recipient_domains=(), all_accepted_domains=True)),
    ),
    (
        quiet,
        rules.RELAY_WITHOUT_CONNECTOR,
        "for all below",
        relayed(replace(BY_HAND, recipient_domains=("*.example",))),
    ),
    (quiet, rules.RELAY_WITHOUT_CONNECTOR, "for everybody", relayed(CENTRAL)),
    (quiet, rules.RELAY_WITHOUT_CONNECTOR, "a rule", relayed(TO_SERVICE, rules=(ROUTE,))),
    (quiet, rules.RELAY_WITHOUT_CONNECTOR, "authoritative", CLOUD),
    (quiet, rules.RELAY_WITHOUT_CONNECTOR, "not exported", replace(RELAYED, outbound=None)),
    (
        quiet,
        rules.RELAY_WITHOUT_CONNECTOR,
        "MX leads to the other mailboxes",
        replace(RELAYED, mx={CONTOSO: AT_HOME}),
    ),
    (
        fires,
        rules.EXTERNAL_RELAY,
        "external",
        replace(CLOUD, domains=(replace(DOMAIN, domain_type="external-relay"),)),
    ),
    (quiet, rules.EXTERNAL_RELAY, "internal", RELAYED),
]
EXCHANGES = [
    (
        fires,
        rules.MX_CONTRADICTS,
        "elsewhere",
        at("aspmx.l.google.com", "exchange-online"),
    ),
    (
        fires,
        rules.MX_CONTRADICTS,
        "past the filter",
        at(f"{AT_FILTER} {AT_EXCHANGE}", "third-party-filter"),
    ),
    (fires, rules.MX_CONTRADICTS, "parked", at(AT_EXCHANGE, "parked")),
    (quiet, rules.MX_CONTRADICTS, "at Exchange Online", at(AT_EXCHANGE, "exchange-online")),
    (quiet, rules.MX_CONTRADICTS, "no MX", at("", "exchange-online")),
    (quiet, rules.MX_CONTRADICTS, "the filter", at(AT_FILTER, "third-party-filter")),
    (quiet, rules.MX_CONTRADICTS, "parked without MX", at("", "parked")),
    (quiet, rules.MX_CONTRADICTS, "hybrid", at(AT_HOME, "hybrid")),
    (quiet, rules.MX_CONTRADICTS, "nothing assumed", at("aspmx.l.google.com", "custom")),
    (fires, rules.MX_STRANGE, "a stranger", at("mx1.stranger.test")),
    (quiet, rules.MX_STRANGE, "another provider", at("aspmx.l.google.com")),
    (quiet, rules.MX_STRANGE, "one's own", at("mx1.contoso.example")),
    (quiet, rules.MX_STRANGE, "what the topology is about", at("mx1.stranger.test", "hybrid")),
    (quiet, rules.MX_STRANGE, "not known", replace(CLOUD, mx={})),
    (
        quiet,
        rules.MX_STRANGE,
        "connectors that were not exported",
        replace(at("mx1.stranger.test"), inbound=None),
    ),
    (
        quiet,
        rules.MX_STRANGE,
        "smart hosts that were not exported",
        replace(at("mx1.stranger.test"), outbound=None),
    ),
    (
        quiet,
        rules.MX_STRANGE,
        "a filter that delivers from other hosts",
        replace(at("mx1.stranger.test"), inbound=(LOCK,)),
    ),
    (
        fires,
        rules.MX_STRANGE,
        "beside a lock that is off",
        replace(at("mx1.stranger.test"), inbound=(replace(LOCK, enabled=False),)),
    ),
    (
        fires,
        rules.MX_STRANGE,
        "beside a lock for one partner",
        replace(at("mx1.stranger.test"), inbound=(FROM_PARTNER,)),
    ),
    (
        quiet,
        rules.MX_STRANGE,
        "servers with a connector to them",
        replace(
            at("mx1.branch.test"), outbound=(replace(BY_HAND, smart_hosts=("in.branch.test",)),)
        ),
    ),
    (
        quiet,
        rules.MX_STRANGE,
        "servers with a connector from them",
        replace(
            at("mx1.branch.test"), inbound=(DEVICES,), addresses={"mx1.branch.test": "203.0.113.7"}
        ),
    ),
    (
        quiet,
        rules.MX_STRANGE,
        "a name that a service gave",
        replace(
            ADD_ON,
            inbound=(replace(FROM_SERVICE, sender_domains=("*",)),),
            mx={SERVICE: "mx1.stranger.test"},
        ),
    ),
    (
        fires,
        rules.MX_NOT_ACCEPTED,
        "a configured domain",
        replace(
            CLOUD,
            topologies={"fourth.example": "exchange-online"},
            mx={"fourth.example": "fourth-example.mail.protection.outlook.com"},
        ),
    ),
    (quiet, rules.MX_NOT_ACCEPTED, "accepted", at(AT_EXCHANGE, "exchange-online")),
    (
        quiet,
        rules.MX_NOT_ACCEPTED,
        "accepted with its parent",
        replace(
            CLOUD,
            domains=(replace(DOMAIN, match_subdomains=True),),
            topologies={f"eu.{CONTOSO}": "exchange-online"},
            mx={f"eu.{CONTOSO}": AT_EXCHANGE},
        ),
    ),
    (
        quiet,
        rules.MX_NOT_ACCEPTED,
        "somewhere else",
        replace(CLOUD, topologies={"fourth.example": "custom"}, mx={"fourth.example": AT_FILTER}),
    ),
    (
        quiet,
        rules.MX_NOT_ACCEPTED,
        "MX not known",
        replace(CLOUD, topologies={"fourth.example": "custom"}),
    ),
    (
        quiet,
        rules.MX_NOT_ACCEPTED,
        "domains not exported",
        replace(at(AT_EXCHANGE, "exchange-online"), domains=None),
    ),
]
STRIPPED = replace(FROM_HOME, cloud_services_mail_enabled=False)
BARE = replace(BY_HAND, cloud_services_mail_enabled=False)
HAND_MADE = replace(STRIPPED, connector_source="AdminUI")
HEADERS = [
    (fires, rules.HEADERS_NOT_TRUSTED, "the wizard's", replace(HYBRID, inbound=(STRIPPED,))),
    (
        fires,
        rules.HEADERS_NOT_TRUSTED,
        "neither, in a hybrid",
        replace(DECLARED, inbound=(HAND_MADE,), outbound=(BARE,)),
    ),
    (
        fires,
        rules.HEADERS_NOT_TRUSTED,
        "one direction only",
        replace(HYBRID, inbound=(HAND_MADE,), outbound=(BY_HAND,)),
    ),
    (
        fires,
        rules.HEADERS_NOT_TRUSTED,
        "the wizard's, though another trusts",
        replace(HYBRID, inbound=(STRIPPED, replace(FROM_HOME, name="B", guid="12"))),
    ),
    (quiet, rules.HEADERS_NOT_TRUSTED, "both", HYBRID),
    (
        quiet,
        rules.HEADERS_NOT_TRUSTED,
        "devices beside",
        replace(HYBRID, inbound=(FROM_HOME, DEVICES)),
    ),
    (
        quiet,
        rules.HEADERS_NOT_TRUSTED,
        "not said",
        replace(HYBRID, inbound=(replace(FROM_HOME, cloud_services_mail_enabled=None),)),
    ),
    (
        quiet,
        rules.HEADERS_NOT_TRUSTED,
        "servers that are not Exchange",
        replace(BEHIND, inbound=(HAND_MADE,), outbound=(BARE,)),
    ),
    (
        quiet,
        rules.HEADERS_NOT_TRUSTED,
        "an add-on beside such servers",
        replace(ADD_ON, inbound=(HAND_MADE, FROM_SERVICE), outbound=(BARE, TO_SERVICE), rules=()),
    ),
    (quiet, rules.HEADERS_NOT_TRUSTED, "devices only", replace(CLOUD, inbound=(DEVICES,))),
]
SHOP = "contoso-shop.example"


def further(name: str, mx: str | None = AT_EXCHANGE) -> Case:
    """Return a tenant with a second domain, of which there is no DKIM configuration."""
    known = {} if mx is None else {name: mx}
    second = AcceptedDomain(name=name, domain_type="authoritative")
    return replace(
        CLOUD, dkim=(SIGNED,), domains=(DOMAIN, INITIAL, second), mx={**CLOUD.mx, **known}
    )


DKIM = [
    (fires, rules.DKIM_OFF, "off", signed(enabled=False)),
    (fires, rules.DKIM_OFF, "no configuration", replace(CLOUD, dkim=())),
    (fires, rules.DKIM_OFF, "no configuration of a further domain", further(SHOP)),
    (fires, rules.DKIM_OFF, "no configuration of one without MX", further(SHOP, mx="")),
    (quiet, rules.DKIM_OFF, "nothing known of a further domain", further(SHOP, mx=None)),
    (
        fires,
        rules.DKIM_OFF,
        "nothing known of a further domain but its topology",
        replace(further(SHOP, mx=None), topologies={SHOP: "exchange-online"}),
    ),
    (
        quiet,
        rules.DKIM_OFF,
        "perhaps a name that a service gave",
        replace(further(SERVICE, mx=""), inbound=None),
    ),
    (quiet, rules.DKIM_OFF, "on", signed()),
    (quiet, rules.DKIM_OFF, "not exported", CLOUD),
    (quiet, rules.DKIM_OFF, "not said", signed(enabled=None)),
    (
        quiet,
        rules.DKIM_OFF,
        "signed on premises",
        replace(signed(enabled=False), topologies={CONTOSO: "on-premises"}),
    ),
    (
        quiet,
        rules.DKIM_OFF,
        "no sender",
        replace(CLOUD, dkim=(), domains=(replace(DOMAIN, sending_from_disabled=True),)),
    ),
    (quiet, rules.DKIM_OFF, "null MX", replace(CLOUD, dkim=(), mx={}, null_mx=(CONTOSO,))),
    (quiet, rules.DKIM_OFF, "a name that a service gave", replace(ADD_ON, dkim=(SIGNED,))),
    (
        fires,
        rules.DKIM_CNAME_MISSING,
        "both",
        signed(status="CnameMissing", enabled=False, selector1_key_size=1024),
    ),
    (quiet, rules.DKIM_CNAME_MISSING, "valid", signed()),
    (fires, rules.DKIM_KEY_SHORT, "1024", signed(selector2_key_size=1024)),
    (quiet, rules.DKIM_KEY_SHORT, "2048", signed()),
    (quiet, rules.DKIM_KEY_SHORT, "off", signed(enabled=False, selector2_key_size=1024)),
    (
        quiet,
        rules.DKIM_KEY_SHORT,
        "not said",
        signed(selector1_key_size=None, selector2_key_size=None),
    ),
]
ORGANISATION = [
    (
        fires,
        rules.DIRECT_SEND,
        "open",
        replace(CLOUD, organisation=Organisation(reject_direct_send=False), wishes=WISHED),
    ),
    (
        fires,
        rules.DIRECT_SEND,
        "closed to devices",
        replace(
            CLOUD,
            organisation=Organisation(reject_direct_send=True),
            wishes=Wishes(reject_direct_send=False),
        ),
    ),
    (
        quiet,
        rules.DIRECT_SEND,
        "as wished",
        replace(CLOUD, organisation=Organisation(reject_direct_send=True), wishes=WISHED),
    ),
    (
        quiet,
        rules.DIRECT_SEND,
        "no wish",
        replace(CLOUD, organisation=Organisation(reject_direct_send=False)),
    ),
    (
        quiet,
        rules.DIRECT_SEND,
        "not said",
        replace(CLOUD, organisation=Organisation(), wishes=WISHED),
    ),
    (quiet, rules.DIRECT_SEND, "not exported", replace(CLOUD, wishes=WISHED)),
]


@pytest.mark.parametrize(
    ("proves", "rule", "case"),
    named([*NEEDS, *RELAYS, *EXCHANGES, *HEADERS, *DKIM, *ORGANISATION]),
)
def test_rules(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.seen())


@pytest.mark.parametrize(
    ("rule", "case", "detail", "fix"),
    [
        pytest.param(
            common.INBOUND_MISSING,
            replace(DECLARED, inbound=()),
            "Mailboxes of contoso.example are on servers of your own, and no connector leads from"
            " the servers.",
            "",
            id="missing",
        ),
        pytest.param(
            common.NEEDED_BUT_OFF,
            replace(DECLARED, outbound=(replace(TO_HOME, enabled=False),)),
            "Outbound connector 'Outbound to 7f' is off, and mailboxes of contoso.example are on"
            " servers of your own, and no connector leads to the servers.",
            "Set-OutboundConnector -Identity 'Outbound to 7f' -Enabled $true",
            id="off",
        ),
        pytest.param(
            rules.RELAY_WITHOUT_CONNECTOR,
            RELAYED,
            "contoso.example is an internal relay domain without a connector to relay by.",
            "Set-AcceptedDomain -Identity 'contoso.example' -DomainType 'Authoritative'",
            id="relay",
        ),
        pytest.param(
            rules.RELAY_WITHOUT_CONNECTOR,
            relayed(
                replace(BY_HAND, recipient_domains=("fabrikam.example",)),
                inbound=(FROM_HOME,),
                topologies={CONTOSO: "hybrid"},
            ),
            "contoso.example is an internal relay domain without a connector to relay by.",
            "",
            id="relay to mailboxes elsewhere",
        ),
        pytest.param(
            rules.EXTERNAL_RELAY,
            replace(CLOUD, domains=(replace(DOMAIN, domain_type="external-relay"),)),
            "Accepted domain contoso.example is of the type ExternalRelay.",
            "Set-AcceptedDomain -Identity 'contoso.example' -DomainType 'InternalRelay'",
            id="external relay",
        ),
        pytest.param(
            rules.MX_CONTRADICTS,
            at(AT_HOME, "exchange-online"),
            "contoso.example is all in Exchange Online, and its MX leads elsewhere:"
            " mail.contoso.example.",
            "",
            id="MX",
        ),
        pytest.param(
            rules.HEADERS_NOT_TRUSTED,
            replace(HYBRID, inbound=(STRIPPED,)),
            "Inbound connector 'Inbound from 7f' does not set CloudServicesMailEnabled.",
            "Set-InboundConnector -Identity 'Inbound from 7f' -CloudServicesMailEnabled $true",
            id="headers",
        ),
        pytest.param(
            rules.DKIM_OFF,
            replace(CLOUD, dkim=()),
            "There is no DKIM configuration of contoso.example.",
            "New-DkimSigningConfig -DomainName 'contoso.example' -Enabled $true",
            id="no DKIM",
        ),
        pytest.param(
            rules.DKIM_OFF,
            signed(enabled=False),
            "Signing with contoso.example is switched off.",
            "Set-DkimSigningConfig -Identity 'contoso.example' -Enabled $true",
            id="DKIM off",
        ),
        pytest.param(
            rules.DKIM_KEY_SHORT,
            signed(selector2_key_size=1024),
            "The DKIM keys of contoso.example have 2048 and 1024 bits.",
            "Rotate-DkimSigningConfig -Identity 'contoso.example' -KeySize '2048'",
            id="short key",
        ),
        pytest.param(
            rules.DIRECT_SEND,
            replace(CLOUD, organisation=Organisation(reject_direct_send=False), wishes=WISHED),
            "RejectDirectSend is False, and True is wished.",
            "Set-OrganizationConfig -RejectDirectSend $true",
            id="direct send",
        ),
    ],
)
def test_what_is_said(rule: Rule, case: Case, detail: str, fix: str) -> None:
    found = fires(rule, case.seen())
    assert (found.detail, found.fix) == (detail, fix)


def test_the_records_that_are_missing_are_shown() -> None:
    found = fires(
        rules.DKIM_CNAME_MISSING, signed(status="CnameMissing", selector2_cname="").seen()
    )
    (record,) = found.evidence
    assert record == f"selector1._domainkey.contoso.example. CNAME {SIGNED.selector1_cname}."


def test_hosts_of_strangers_pass_the_gate() -> None:
    found = fires(rules.MX_STRANGE, at("mx1.\x1b[31m.test").seen())
    assert found.detail.isprintable()
    assert all(line.isprintable() for line in found.evidence)


def test_a_missing_way_out_is_said_once() -> None:
    case = replace(DECLARED, outbound=(), domains=(RELAY, INITIAL))
    assert [each.rule for each in case.seen()] == [common.OUTBOUND_MISSING]
