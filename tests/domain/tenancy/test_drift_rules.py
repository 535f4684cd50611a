"""Each rule about a change fires on just that change, and says what was, what is, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.finding import Finding, Rule, Severity
from agent.domain.tenancy import drift_rules as rules
from agent.domain.tenancy.drift import Change, Trait
from agent.domain.tenancy.drift_rules import judge_drift
from proof import Proves, fires, named, quiet

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BASE = Change(kind="inbound connector", name="From own servers", what="changed", seen_at=NOON)
OUT: Change = replace(BASE, kind="outbound connector", name="To own servers")
DOMAIN: Change = replace(BASE, kind="accepted domain", name="contoso.com")
RULE: Change = replace(BASE, kind="mail flow rule", name="Archive", traits=("on", "routes"))
ORG: Change = replace(BASE, kind="organisation", name="contoso")


def switched(base: Change, *traits: Trait, name: str = "Enabled", to: str = "False") -> Change:
    before = "True" if to == "False" else "False"
    return replace(base, property=name, before=before, after=to, traits=traits)


def turned(base: Change, name: str, before: str, after: str) -> Change:
    return replace(base, property=name, before=before, after=after)


def removed(base: Change, *traits: Trait) -> Change:
    return replace(base, what="removed", traits=traits)


CASES = [
    (fires, rules.CONNECTOR_REMOVED, "in use", removed(BASE, "on")),
    (fires, rules.CONNECTOR_REMOVED, "outbound", removed(OUT, "on", "restricted")),
    (quiet, rules.CONNECTOR_REMOVED, "off", removed(BASE, "on-premises")),
    (quiet, rules.CONNECTOR_REMOVED, "a domain", removed(DOMAIN)),
    (fires, rules.IDLE_CONNECTOR_REMOVED, "off", removed(OUT)),
    (quiet, rules.IDLE_CONNECTOR_REMOVED, "in use", removed(OUT, "on")),
    (fires, rules.CONNECTOR_OFF, "on-premises", switched(BASE, "on", "on-premises")),
    (fires, rules.CONNECTOR_OFF, "restricted partner", switched(BASE, "on", "restricted")),
    (
        fires,
        rules.CONNECTOR_OFF,
        "test mode",
        switched(OUT, "on", "on-premises", name="TestMode", to="True"),
    ),
    (quiet, rules.CONNECTOR_OFF, "without conditions", switched(BASE, "on")),
    (quiet, rules.CONNECTOR_OFF, "on again", switched(BASE, "on-premises", to="True")),
    (quiet, rules.CONNECTOR_OFF, "was in test mode anyway", switched(OUT, "on-premises")),
    (
        quiet,
        rules.CONNECTOR_OFF,
        "no switch",
        switched(OUT, "on", "on-premises", name="AllAcceptedDomains"),
    ),
    (fires, rules.PARTNER_OFF, "without conditions", switched(BASE, "on")),
    (quiet, rules.PARTNER_OFF, "on-premises", switched(BASE, "on", "on-premises")),
    (fires, rules.WEAKENED, "a restriction", replace(switched(BASE, "on"), is_weaker=True)),
    (quiet, rules.WEAKENED, "strengthened", turned(OUT, "TlsSettings", "none", "EncryptionOnly")),
    (fires, rules.DOMAIN_REMOVED, "a domain", removed(DOMAIN)),
    (quiet, rules.DOMAIN_REMOVED, "added", replace(DOMAIN, what="added")),
    (
        fires,
        rules.DOMAIN_TYPE,
        "to a relay",
        turned(DOMAIN, "DomainType", "Authoritative", "InternalRelay"),
    ),
    (quiet, rules.DOMAIN_TYPE, "something else", turned(DOMAIN, "OutboundOnly", "False", "True")),
    (fires, rules.ROUTING_OFF, "switched off", turned(RULE, "State", "Enabled", "Disabled")),
    (fires, rules.ROUTING_OFF, "removed", removed(RULE, "on", "routes")),
    (fires, rules.ROUTING_OFF, "only watched", turned(RULE, "Mode", "Enforce", "Audit")),
    (fires, rules.ROUTING_OFF, "nowhere", turned(RULE, "RouteMessageOutboundConnector", "a", "")),
    (
        quiet,
        rules.ROUTING_OFF,
        "elsewhere",
        turned(RULE, "RouteMessageOutboundConnector", "a", "b"),
    ),
    (quiet, rules.ROUTING_OFF, "removed when it was off", removed(RULE, "routes")),
    (
        quiet,
        rules.ROUTING_OFF,
        "it was off anyway",
        turned(replace(RULE, traits=("routes",)), "Mode", "Enforce", "Audit"),
    ),
    (quiet, rules.ROUTING_OFF, "in force", turned(RULE, "Mode", "Audit", "Enforce")),
    (fires, rules.ROUTING_CHANGED, "a condition", turned(RULE, "SentTo", "", "a@contoso.com")),
    (
        fires,
        rules.ROUTING_CHANGED,
        "routes from now on",
        turned(replace(RULE, traits=("on",)), "RouteMessageOutboundConnector", "", "a"),
    ),
    (
        quiet,
        rules.ROUTING_CHANGED,
        "one that routes nothing",
        turned(replace(RULE, traits=("on",)), "SetSCL", "", "5"),
    ),
    (fires, rules.ADDED, "a connector", replace(BASE, what="added", traits=("on",))),
    (quiet, rules.ADDED, "removed", removed(BASE, "on")),
    (fires, rules.REMOVED, "a rule that routes nothing", removed(RULE, "on")),
    (fires, rules.REMOVED, "signing", removed(replace(BASE, kind="DKIM configuration"))),
    (quiet, rules.REMOVED, "a rule that routes", removed(RULE, "on", "routes")),
    (fires, rules.CHANGED, "any property", turned(BASE, "SenderDomains", "*", "contoso.com")),
    (quiet, rules.CHANGED, "of the organisation", turned(ORG, "RejectDirectSend", "False", "True")),
    (
        fires,
        rules.ORGANISATION,
        "a setting",
        turned(ORG, "SmtpClientAuthenticationDisabled", "True", "False"),
    ),
    (quiet, rules.ORGANISATION, "of a connector", turned(BASE, "RequireTls", "False", "True")),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_a_rule_fires_on_its_change_only(proves: Proves, rule: Rule, case: Change) -> None:
    proves(rule, judge_drift([case]))


def only(change: Change) -> Finding:
    (finding,) = judge_drift([change])
    return finding


@pytest.mark.parametrize(
    ("change", "sentence", "evidence"),
    [
        pytest.param(
            turned(BASE, "TlsSenderCertificateName", "mail.contoso.com", "*.contoso.com"),
            "Inbound connector 'From own servers': TlsSenderCertificateName went from"
            " 'mail.contoso.com' to '*.contoso.com', seen at 2026-11-23 12:00:00 UTC.",
            (),
            id="from what to what",
        ),
        pytest.param(
            replace(turned(OUT, "TlsDomain", "", "x.example"), at=NOON - timedelta(hours=2)),
            "Outbound connector 'To own servers': TlsDomain went from nothing to 'x.example'"
            " at 2026-11-23 10:00:00 UTC.",
            ("seen at 2026-11-23 12:00:00 UTC",),
            id="when Exchange says that it changed",
        ),
        pytest.param(
            replace(removed(DOMAIN), who="admin@contoso.com"),
            "Accepted domain 'contoso.com' was removed, seen at 2026-11-23 12:00:00 UTC.",
            ("by admin@contoso.com",),
            id="who",
        ),
        pytest.param(
            replace(turned(ORG, "Name", "a", ""), seen_at=None),
            "The organisation: Name went from 'a' to nothing.",
            (),
            id="nobody knows when",
        ),
        pytest.param(
            replace(BASE, kind="DKIM configuration", name="contoso.com", what="added", at=NOON),
            "DKIM configuration 'contoso.com' was added at 2026-11-23 12:00:00 UTC.",
            ("seen at 2026-11-23 12:00:00 UTC",),
            id="added",
        ),
    ],
)
def test_a_finding_says_what_and_when(
    change: Change, sentence: str, evidence: tuple[str, ...]
) -> None:
    finding = only(change)
    assert (finding.detail, finding.evidence) == (sentence, evidence)


def test_a_finding_has_the_line_that_undoes_it() -> None:
    line = "Set-InboundConnector -Identity 'From own servers' -Enabled $true"
    assert only(replace(switched(BASE, "on"), fix=line)).fix == line


def test_what_loses_or_exposes_mail_is_critical() -> None:
    critical = {rule.code for rule in rules.RULES if rule.severity is Severity.CRITICAL}
    assert critical == {
        "drift-connector-removed",
        "drift-connector-off",
        "drift-weakened",
        "drift-domain-removed",
        "drift-domain-type-changed",
        "drift-routing-rule-off",
    }


@given(st.lists(st.sampled_from([case for *_, case in CASES])))
def test_each_change_gives_one_finding_of_a_declared_rule(changes: list[Change]) -> None:
    found = list(judge_drift(changes))
    assert len(found) == len(changes)
    assert {finding.rule for finding in found} <= set(rules.RULES)
