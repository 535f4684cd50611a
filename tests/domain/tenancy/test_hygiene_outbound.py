"""Does each rule about an outbound connector fire where it should, and only there?"""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.domain.finding import Rule
from agent.domain.tenancy import hygiene_rules as common
from agent.domain.tenancy import hygiene_rules_outbound as rules
from agent.domain.tenancy.hygiene import Wishes
from agent.domain.tenancy.objects import Inbound, Outbound, TransportRule
from proof import Proves, fires, named, quiet
from servers.hygiene_case import (
    ADD_ON,
    AT_EXCHANGE,
    AT_HOME,
    CENTRAL,
    CONTOSO,
    DEVICES,
    FROM_HOME,
    FROM_SERVICE,
    HYBRID,
    NOW,
    SERVICE,
    TO_HOME,
    TO_PARTNER,
    TO_SERVICE,
    TO_SIGN,
    Case,
)


def out(*connectors: Outbound, wishes: Wishes | None = None) -> Case:
    return Case(inbound=(FROM_HOME,), outbound=connectors, wishes=wishes or Wishes())


def ruled(rule: TransportRule, *connectors: Outbound) -> Case:
    return replace(ADD_ON, rules=(rule,), outbound=connectors)


def comes_back(inbound: Inbound, outbound: Outbound = TO_SERVICE) -> Case:
    unguarded = replace(TO_SIGN, exception_headers=())
    return replace(ADD_ON, inbound=(inbound,), outbound=(outbound,), rules=(unguarded,))


VALIDATED = Wishes(tls="certificate-validation")
NAMED = Wishes(tls="domain-validation")
ANOTHER = replace(TO_PARTNER, name="To Fabrikam too", guid="15")
ALL = replace(TO_HOME, recipient_domains=(), all_accepted_domains=True)
WILD = replace(TO_PARTNER, recipient_domains=("*",))
UNGUARDED = replace(ADD_ON, rules=(replace(TO_SIGN, exception_headers=()),))
BY_ADDRESS = replace(
    FROM_SERVICE, tls_sender_certificate_name="", sender_ip_addresses=("192.31.7.0/24",)
)

TARGETS = [
    (fires, rules.NO_SMART_HOST, "neither", out(replace(TO_HOME, smart_hosts=()))),
    (quiet, rules.NO_SMART_HOST, "a smart host", HYBRID),
    (quiet, rules.NO_SMART_HOST, "MX", out(TO_PARTNER)),
    (quiet, rules.NO_SMART_HOST, "not said", out(replace(TO_PARTNER, use_mx_record=None))),
    (quiet, rules.NO_SMART_HOST, "off", out(replace(TO_HOME, smart_hosts=(), enabled=False))),
    (
        fires,
        rules.SMART_HOST_IS_EXCHANGE,
        "the endpoint",
        out(replace(TO_HOME, smart_hosts=(AT_EXCHANGE,))),
    ),
    (
        fires,
        rules.SMART_HOST_IS_EXCHANGE,
        "an address",
        out(replace(TO_HOME, smart_hosts=("[52.101.1.1]",))),
    ),
    (
        fires,
        rules.SMART_HOST_IS_EXCHANGE,
        "another name of it",
        replace(HYBRID, addresses={AT_HOME: "203.0.113.9 40.107.1.2"}),
    ),
    (
        fires,
        rules.SMART_HOST_IS_EXCHANGE,
        "a domain whose MX leads there",
        replace(HYBRID, outbound=(replace(TO_HOME, smart_hosts=(CONTOSO,)),)),
    ),
    (
        quiet,
        rules.SMART_HOST_IS_EXCHANGE,
        "an address of it, and an MX elsewhere",
        replace(
            HYBRID,
            mx={CONTOSO: AT_EXCHANGE, AT_HOME: "mx1.contoso.example"},
            addresses={AT_HOME: "40.107.1.2"},
        ),
    ),
    (
        fires,
        rules.SMART_HOST_IS_EXCHANGE,
        "for everybody",
        out(replace(WILD, use_mx_record=False, smart_hosts=(AT_EXCHANGE,))),
    ),
    (
        fires,
        rules.SMART_HOST_IS_EXCHANGE,
        "for rules",
        out(
            replace(
                WILD,
                recipient_domains=(),
                use_mx_record=False,
                smart_hosts=(AT_EXCHANGE,),
                is_transport_rule_scoped=True,
            )
        ),
    ),
    (
        quiet,
        rules.SMART_HOST_IS_EXCHANGE,
        "a partner that is there",
        out(replace(TO_PARTNER, use_mx_record=False, smart_hosts=(AT_EXCHANGE,))),
    ),
    (
        quiet,
        rules.SMART_HOST_IS_EXCHANGE,
        "not used",
        out(replace(WILD, use_mx_record=True, smart_hosts=(AT_EXCHANGE,))),
    ),
    (quiet, rules.SMART_HOST_IS_EXCHANGE, "one's own", HYBRID),
]
TLS = [
    (
        fires,
        rules.TLS_WEAK,
        "none",
        out(replace(TO_PARTNER, tls_settings="none"), wishes=VALIDATED),
    ),
    (fires, rules.TLS_WEAK, "validated", out(TO_PARTNER, wishes=NAMED)),
    (quiet, rules.TLS_WEAK, "as wished", out(TO_PARTNER, wishes=VALIDATED)),
    (quiet, rules.TLS_WEAK, "stronger", out(TO_HOME, wishes=VALIDATED)),
    (quiet, rules.TLS_WEAK, "no wish", out(replace(TO_PARTNER, tls_settings="none"))),
    (quiet, rules.TLS_WEAK, "not said", out(replace(TO_PARTNER, tls_settings=None), wishes=NAMED)),
    (fires, rules.TLS_WITHOUT_DOMAIN, "empty", out(replace(TO_HOME, tls_domain=""))),
    (quiet, rules.TLS_WITHOUT_DOMAIN, "named", HYBRID),
    (quiet, rules.TLS_WITHOUT_DOMAIN, "another setting", out(TO_PARTNER)),
    (
        fires,
        rules.TRANSPORT_SECURITY_OFF,
        "MTA-STS",
        out(replace(TO_PARTNER, mta_sts_mode="None")),
    ),
    (fires, rules.TRANSPORT_SECURITY_OFF, "DANE", out(replace(TO_PARTNER, smtp_dane_mode="none"))),
    (quiet, rules.TRANSPORT_SECURITY_OFF, "opportunistic", out(TO_PARTNER)),
    (
        quiet,
        rules.TRANSPORT_SECURITY_OFF,
        "mandatory and not said",
        out(replace(TO_PARTNER, smtp_dane_mode="Mandatory", mta_sts_mode="")),
    ),
]
CENTRALISED = [
    (fires, rules.CMT_SCOPED, "a domain", out(replace(CENTRAL, recipient_domains=(CONTOSO,)))),
    (fires, rules.CMT_SCOPED, "accepted domains", out(replace(CENTRAL, all_accepted_domains=True))),
    (quiet, rules.CMT_SCOPED, "everybody", out(CENTRAL)),
    (quiet, rules.CMT_SCOPED, "nothing named", out(replace(CENTRAL, recipient_domains=()))),
    (quiet, rules.CMT_SCOPED, "not centralised", HYBRID),
    (
        fires,
        rules.CMT_NO_CONNECTOR,
        "a partner",
        out(replace(TO_PARTNER, route_all_messages_via_on_premises=True)),
    ),
    (quiet, rules.CMT_NO_CONNECTOR, "servers of one's own", out(CENTRAL)),
    (
        quiet,
        rules.CMT_NO_CONNECTOR,
        "both",
        out(CENTRAL, replace(TO_PARTNER, route_all_messages_via_on_premises=True)),
    ),
    (
        fires,
        common.INEFFECTIVE,
        "centralised on a partner beside the one",
        out(CENTRAL, replace(TO_PARTNER, route_all_messages_via_on_premises=True)),
    ),
    (
        fires,
        common.INEFFECTIVE,
        "accepted domains of a partner",
        out(replace(TO_PARTNER, all_accepted_domains=True)),
    ),
    (
        fires,
        common.INEFFECTIVE,
        "rewriting for a partner",
        out(replace(TO_PARTNER, sender_rewriting_enabled=True)),
    ),
    (
        fires,
        common.INEFFECTIVE,
        "a name that is not validated",
        out(replace(TO_PARTNER, tls_domain="fabrikam.example")),
    ),
    (
        fires,
        common.INEFFECTIVE,
        "smart hosts beside MX",
        out(replace(TO_PARTNER, smart_hosts=("mail.fabrikam.example",))),
    ),
    (quiet, common.INEFFECTIVE, "all of it on premises", out(ALL)),
    (
        quiet,
        common.INEFFECTIVE,
        "a name, settings not said",
        out(replace(TO_PARTNER, tls_domain="fabrikam.example", tls_settings=None)),
    ),
]
OVERLAPS = [
    (fires, rules.OVERLAP, "everybody", out(WILD, replace(WILD, name="B", guid="15"))),
    (
        fires,
        rules.OVERLAP,
        "accepted domains",
        out(ALL, replace(ALL, name="B", guid="15")),
    ),
    (
        fires,
        rules.OVERLAP,
        "one domain, two types",
        out(TO_HOME, replace(TO_PARTNER, recipient_domains=(CONTOSO.upper(),))),
    ),
    (quiet, rules.OVERLAP, "two levels", out(TO_HOME, replace(ALL, name="B"), WILD)),
    (
        quiet,
        rules.OVERLAP,
        "the second off",
        out(WILD, replace(WILD, name="B", guid="15", enabled=False)),
    ),
    (
        quiet,
        rules.OVERLAP,
        "the second for rules",
        out(WILD, replace(WILD, name="B", guid="15", is_transport_rule_scoped=True)),
    ),
    (
        quiet,
        rules.OVERLAP,
        "the second perhaps for rules",
        out(WILD, replace(WILD, name="B", guid="15", is_transport_rule_scoped=None)),
    ),
    (quiet, rules.OVERLAP, "one partner twice", out(TO_PARTNER, ANOTHER)),
    (fires, common.PARTNER_TWICE, "one recipient twice", out(TO_PARTNER, ANOTHER)),
    (
        quiet,
        common.PARTNER_TWICE,
        "another domain",
        out(TO_PARTNER, replace(ANOTHER, recipient_domains=("fabrikam.test",))),
    ),
    (quiet, common.PARTNER_TWICE, "everybody", out(WILD, replace(WILD, name="B", guid="15"))),
]
WIRING = [
    (
        fires,
        rules.RULE_NAMES_MISSING,
        "another name",
        ruled(replace(TO_SIGN, route_message_outbound_connector="To nowhere"), TO_SERVICE),
    ),
    (quiet, rules.RULE_NAMES_MISSING, "its name", ADD_ON),
    (
        quiet,
        rules.RULE_NAMES_MISSING,
        "its Guid",
        ruled(replace(TO_SIGN, route_message_outbound_connector="8"), TO_SERVICE),
    ),
    (
        quiet,
        rules.RULE_NAMES_MISSING,
        "its name below the organisation",
        ruled(
            replace(
                TO_SIGN,
                route_message_outbound_connector="contoso.onmicrosoft.com\\To the Signatures",
            ),
            TO_SERVICE,
        ),
    ),
    (quiet, rules.RULE_NAMES_MISSING, "not exported", replace(ADD_ON, outbound=None)),
    (quiet, rules.RULE_NAMES_MISSING, "off", ruled(replace(TO_SIGN, enabled=False))),
    (
        quiet,
        rules.RULE_NAMES_MISSING,
        "a rule for something else",
        ruled(replace(TO_SIGN, route_message_outbound_connector=""), TO_SERVICE),
    ),
    (fires, rules.RULE_NAMES_UNEXPORTED, "none for rules", ruled(TO_SIGN, TO_PARTNER)),
    (
        quiet,
        rules.RULE_NAMES_UNEXPORTED,
        "one for rules",
        ruled(replace(TO_SIGN, route_message_outbound_connector="To nowhere"), TO_SERVICE),
    ),
    (fires, rules.RULE_NAMES_OFF, "off", ruled(TO_SIGN, replace(TO_SERVICE, enabled=False))),
    (fires, rules.RULE_NAMES_OFF, "a test", ruled(TO_SIGN, replace(TO_SERVICE, test_mode=True))),
    (quiet, rules.RULE_NAMES_OFF, "on", ADD_ON),
    (
        quiet,
        rules.RULE_NAMES_OFF,
        "both off",
        ruled(replace(TO_SIGN, enabled=False), replace(TO_SERVICE, enabled=False)),
    ),
    (
        fires,
        rules.RULE_NAMES_UNSCOPED,
        "for everybody",
        ruled(TO_SIGN, replace(TO_SERVICE, is_transport_rule_scoped=False)),
    ),
    (
        quiet,
        rules.RULE_NAMES_UNSCOPED,
        "not said",
        ruled(TO_SIGN, replace(TO_SERVICE, is_transport_rule_scoped=None)),
    ),
    (quiet, rules.RULE_NAMES_UNSCOPED, "for rules", ADD_ON),
    (fires, rules.CONNECTOR_WITHOUT_RULE, "no rule", replace(ADD_ON, rules=())),
    (
        fires,
        rules.CONNECTOR_WITHOUT_RULE,
        "a rule that is off",
        ruled(replace(TO_SIGN, enabled=False), TO_SERVICE),
    ),
    (quiet, rules.CONNECTOR_WITHOUT_RULE, "a rule", ADD_ON),
    (quiet, rules.CONNECTOR_WITHOUT_RULE, "rules not exported", replace(ADD_ON, rules=None)),
    (quiet, rules.CONNECTOR_WITHOUT_RULE, "for everybody", HYBRID),
    (
        quiet,
        rules.CONNECTOR_WITHOUT_RULE,
        "off",
        replace(ADD_ON, rules=(), outbound=(replace(TO_SERVICE, enabled=False),)),
    ),
]
GUARDS = [
    (fires, rules.NO_LOOP_GUARD, "by certificate", UNGUARDED),
    (
        fires,
        rules.NO_LOOP_GUARD,
        "by the name given to the tenant",
        comes_back(FROM_SERVICE, replace(TO_SERVICE, smart_hosts=(SERVICE,), tls_domain="")),
    ),
    (
        fires,
        rules.NO_LOOP_GUARD,
        "by address",
        replace(comes_back(BY_ADDRESS), addresses={"smtp.signatures.example": "192.31.7.9"}),
    ),
    (
        fires,
        rules.NO_LOOP_GUARD,
        "an exception for something else",
        replace(
            UNGUARDED,
            rules=(
                replace(
                    TO_SIGN,
                    exception_headers=(),
                    conditions=(("AnyOfToHeader", "x"), ("ExceptIfSentTo", "y")),
                ),
            ),
        ),
    ),
    (quiet, rules.NO_LOOP_GUARD, "an exception", ADD_ON),
    (
        quiet,
        rules.NO_LOOP_GUARD,
        "an exception by address",
        replace(
            UNGUARDED,
            rules=(
                replace(
                    TO_SIGN,
                    exception_headers=(),
                    conditions=(("ExceptIfSenderIpRanges", "192.31.7.0/24"),),
                ),
            ),
        ),
    ),
    (
        quiet,
        rules.NO_LOOP_GUARD,
        "a condition on a header",
        replace(
            UNGUARDED,
            rules=(
                replace(
                    TO_SIGN,
                    exception_headers=(),
                    conditions=(("HeaderContainsMessageHeader", "X-Sign"),),
                ),
            ),
        ),
    ),
    (quiet, rules.NO_LOOP_GUARD, "no way back", replace(UNGUARDED, inbound=(DEVICES,))),
    (
        quiet,
        rules.NO_LOOP_GUARD,
        "another address",
        replace(comes_back(BY_ADDRESS), addresses={"smtp.signatures.example": "192.31.8.9"}),
    ),
    (
        quiet,
        rules.NO_LOOP_GUARD,
        "the way back is off",
        comes_back(replace(FROM_SERVICE, enabled=False)),
    ),
    (
        quiet,
        rules.NO_LOOP_GUARD,
        "the way out is off",
        comes_back(FROM_SERVICE, replace(TO_SERVICE, enabled=False)),
    ),
    (
        quiet,
        rules.NO_LOOP_GUARD,
        "servers of one's own",
        comes_back(FROM_HOME, replace(TO_SERVICE, smart_hosts=(AT_HOME,), tls_domain="")),
    ),
    (
        quiet,
        rules.NO_LOOP_GUARD,
        "a server with the name of the domain",
        comes_back(FROM_HOME, replace(TO_SERVICE, smart_hosts=(CONTOSO,), tls_domain="")),
    ),
    (
        quiet,
        rules.NO_LOOP_GUARD,
        "an address as smart host",
        comes_back(FROM_HOME, replace(TO_SERVICE, smart_hosts=("203.0.113.9",), tls_domain="")),
    ),
]
UPKEEP = [
    (
        fires,
        common.LEFTOVER,
        "a month ago",
        out(TO_HOME, replace(TO_PARTNER, enabled=False, changed_at=NOW - timedelta(days=31))),
    ),
    (
        quiet,
        common.LEFTOVER,
        "less than a month ago",
        out(TO_HOME, replace(TO_PARTNER, enabled=False, changed_at=NOW - timedelta(days=30))),
    ),
    (
        quiet,
        common.LEFTOVER,
        "nobody knows when",
        out(TO_HOME, replace(TO_PARTNER, enabled=False, changed_at=None)),
    ),
    (
        quiet,
        common.LEFTOVER,
        "needed by what was not exported, perhaps",
        replace(
            out(TO_HOME, replace(TO_PARTNER, enabled=False, changed_at=NOW - timedelta(days=31))),
            rules=None,
        ),
    ),
    (quiet, common.LEFTOVER, "needed", out(replace(TO_HOME, enabled=False))),
    (
        quiet,
        common.LEFTOVER,
        "a rule names it",
        ruled(TO_SIGN, replace(TO_SERVICE, enabled=False)),
    ),
    (fires, common.TEST_MODE, "a partner", out(replace(TO_PARTNER, test_mode=True))),
    (quiet, common.TEST_MODE, "needed", out(replace(TO_HOME, test_mode=True))),
    (quiet, common.TEST_MODE, "off", out(replace(TO_PARTNER, test_mode=True, enabled=False))),
    (quiet, common.TEST_MODE, "none", HYBRID),
    (
        fires,
        common.NEVER_VALIDATED,
        "not",
        out(replace(TO_HOME, is_validated=False, last_validated_at=None)),
    ),
    (fires, common.NEVER_VALIDATED, "failed", out(replace(TO_HOME, is_validated=False))),
    (quiet, common.NEVER_VALIDATED, "validated", HYBRID),
    (
        quiet,
        common.NEVER_VALIDATED,
        "not said",
        out(replace(TO_HOME, is_validated=None, last_validated_at=None)),
    ),
    (
        quiet,
        common.NEVER_VALIDATED,
        "off",
        out(replace(TO_HOME, is_validated=False, enabled=False)),
    ),
    (
        fires,
        common.VALIDATED_LONG_AGO,
        "half a year and more",
        out(
            replace(
                TO_HOME,
                last_validated_at=NOW - timedelta(days=181),
                changed_at=NOW - timedelta(days=181),
            )
        ),
    ),
    (
        quiet,
        common.VALIDATED_LONG_AGO,
        "half a year",
        out(replace(TO_HOME, last_validated_at=NOW - timedelta(days=180), changed_at=None)),
    ),
    (
        fires,
        common.CHANGED_SINCE,
        "two days later",
        out(replace(TO_HOME, changed_at=NOW - timedelta(days=18))),
    ),
    (quiet, common.CHANGED_SINCE, "by the note of the validation", HYBRID),
    (quiet, common.CHANGED_SINCE, "before", out(TO_PARTNER)),
]


@pytest.mark.parametrize(
    ("proves", "rule", "case"),
    named([*TARGETS, *TLS, *CENTRALISED, *OVERLAPS, *WIRING, *GUARDS, *UPKEEP]),
)
def test_rules(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.seen())


@pytest.mark.parametrize(
    ("rule", "case", "fix"),
    [
        pytest.param(
            rules.TLS_WEAK,
            out(replace(TO_PARTNER, tls_settings="none"), wishes=VALIDATED),
            "Set-OutboundConnector -Identity 'To Fabrikam' -TlsSettings 'CertificateValidation'",
            id="a valid certificate",
        ),
        pytest.param(rules.TLS_WEAK, out(TO_PARTNER, wishes=NAMED), "", id="no name to validate"),
        pytest.param(
            rules.TLS_WEAK,
            out(replace(TO_PARTNER, tls_domain="fabrikam.example"), wishes=NAMED),
            "Set-OutboundConnector -Identity 'To Fabrikam' -TlsSettings 'DomainValidation'",
            id="a name to validate",
        ),
        pytest.param(
            rules.TRANSPORT_SECURITY_OFF,
            out(replace(TO_PARTNER, mta_sts_mode="None", smtp_dane_mode="None")),
            "Set-OutboundConnector -Identity 'To Fabrikam' -MtaStsMode 'Opportunistic'"
            " -SmtpDaneMode 'Opportunistic'",
            id="both",
        ),
        pytest.param(
            rules.CMT_SCOPED,
            out(replace(CENTRAL, recipient_domains=(CONTOSO,))),
            "Set-OutboundConnector -Identity 'Outbound to 7f' -AllAcceptedDomains $false"
            " -RecipientDomains '*'",
            id="centralised",
        ),
        pytest.param(
            common.INEFFECTIVE,
            out(
                replace(
                    TO_PARTNER,
                    all_accepted_domains=True,
                    smart_hosts=("h.example",),
                    tls_domain="x",
                )
            ),
            "Set-OutboundConnector -Identity 'To Fabrikam' -AllAcceptedDomains $false"
            " -TlsDomain $null -SmartHosts $null",
            id="several properties",
        ),
        pytest.param(
            rules.RULE_NAMES_OFF,
            ruled(TO_SIGN, replace(TO_SERVICE, test_mode=True, enabled=False)),
            "Set-OutboundConnector -Identity 'To the signatures' -Enabled $true -TestMode $false",
            id="off and in test mode",
        ),
        pytest.param(
            rules.RULE_NAMES_MISSING,
            ruled(replace(TO_SIGN, route_message_outbound_connector="?"), TO_SERVICE),
            "Disable-TransportRule -Identity 'Sign'",
            id="missing",
        ),
        pytest.param(rules.RULE_NAMES_UNEXPORTED, ruled(TO_SIGN), "", id="not exported"),
        pytest.param(
            rules.RULE_NAMES_UNSCOPED,
            ruled(TO_SIGN, replace(TO_SERVICE, is_transport_rule_scoped=False)),
            "Set-OutboundConnector -Identity 'To the signatures' -IsTransportRuleScoped $true",
            id="not for rules",
        ),
        pytest.param(
            rules.CONNECTOR_WITHOUT_RULE,
            replace(ADD_ON, rules=()),
            "Remove-OutboundConnector -Identity 'To the signatures'",
            id="no rule",
        ),
        pytest.param(
            rules.CONNECTOR_WITHOUT_RULE,
            ruled(replace(TO_SIGN, enabled=False), TO_SERVICE),
            "Enable-TransportRule -Identity 'Sign'",
            id="a rule that is off",
        ),
        pytest.param(
            rules.CONNECTOR_WITHOUT_RULE,
            ruled(replace(TO_SIGN, mode="Audit"), TO_SERVICE),
            "Set-TransportRule -Identity 'Sign' -Mode 'Enforce'",
            id="a rule that only watches",
        ),
        pytest.param(
            common.NEVER_VALIDATED,
            out(replace(TO_HOME, is_validated=False)),
            "Validate-OutboundConnector -Identity 'Outbound to 7f'"
            " -Recipients 'probe@contoso.example'",
            id="validation",
        ),
        pytest.param(
            common.NEVER_VALIDATED,
            out(replace(TO_PARTNER, is_validated=False)),
            "",
            id="nobody to send to",
        ),
        pytest.param(
            common.LEFTOVER,
            replace(HYBRID, inbound=(FROM_HOME, replace(DEVICES, enabled=False))),
            "Remove-InboundConnector -Identity 'Printers'",
            id="leftover",
        ),
        pytest.param(
            common.TEST_MODE,
            out(replace(TO_PARTNER, test_mode=True)),
            "Set-OutboundConnector -Identity 'To Fabrikam' -TestMode $false",
            id="test mode",
        ),
    ],
)
def test_the_line_that_mends_it(rule: Rule, case: Case, fix: str) -> None:
    assert fires(rule, case.seen()).fix == fix


def test_only_one_thing_is_said_of_a_validation() -> None:
    old = replace(
        TO_PARTNER,
        is_validated=False,
        last_validated_at=NOW - timedelta(days=400),
        changed_at=NOW - timedelta(days=3),
    )
    assert [each.detail for each in out(old, TO_HOME).seen()] == [
        "Outbound connector 'To Fabrikam' is not validated; the last try is of 2025-10-24."
    ]


def test_a_name_that_went_through_the_gate_is_found_by_its_guid() -> None:
    odd = replace(TO_PARTNER, name="To M\\xfcller", test_mode=True)
    fix = fires(common.TEST_MODE, out(odd).seen()).fix
    assert fix == "Set-OutboundConnector -Identity '5' -TestMode $false"
