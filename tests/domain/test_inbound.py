"""Each rule about inbound connectors fires where it should, and only there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from agent.domain import inbound_rules as rules
from agent.domain.finding import Finding, Rule
from agent.domain.inbound import Case, Promise, examine, examine_certificate, examine_domains
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Accepted, Dialogue, Phase, Reason, Refused, Unreached
from agent.domain.smtp_reply import Reply
from agent.domain.tls import Presented, Trust
from agent.domain.walk import Walked
from proof import Proves, fires, named, quiet
from servers.certificate import DAY, NOW, SOUND

HOST = "contoso-com.mail.protection.outlook.com"
STRANGER = "relay-test@example.org"
YES = Accepted(Reply(250))
RELAYS = Promise("mail.contoso.com", ("contoso.com",), "a@contoso.com", relays=True, is_sender=True)
TAKES = replace(RELAYS, relays=False)
WATCHES = replace(RELAYS, is_sender=False)


@dataclass(frozen=True)
class Session:
    """One session, and what the connector is meant to do."""

    case: Case
    dialogue: Dialogue = YES
    promise: Promise = RELAYS
    asked: bool | None = True

    def findings(self) -> tuple[Finding, ...]:
        recipients = ((STRANGER, Reply(250)),)
        walked = Walked(host=HOST, dialogue=self.dialogue, asked=self.asked, recipients=recipients)
        return examine(self.case, walked, self.promise)


def said(phase: Phase, line: str) -> Refused:
    code, enhanced, text = line.split(" ", 2)
    return Refused(phase, Reply(int(code), enhanced, (PeerText(f"{enhanced} {text}"),)))


def ended(phase: Phase, reason: Reason) -> Unreached:
    return Unreached(phase, reason, "a detail")


DENIED = said(Phase.RCPT, "550 5.7.64 TenantAttribution; Relay Access Denied")
TURNED_AWAY = said(Phase.RCPT, "550 5.7.51 TenantInboundAttribution; partner connector")
UNKNOWN_USER = said(Phase.RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found")
BANNED = said(Phase.RCPT, "550 5.7.606 Access denied, banned sending IP")
BUSY = said(Phase.MAIL, "451 4.7.500 Server busy")
LATER = said(Phase.RCPT, "450 4.2.0 not now")
NO_SESSION = said(Phase.GREETING, "554 5.5.9 no")
LOST = ended(Phase.CERTIFICATE, Reason.CONNECTION_LOST)

SESSIONS = [
    (fires, rules.NOT_REACHED, "nobody", Session(Case.RELAY, ended(Phase.CONNECT, Reason.TIMEOUT))),
    (
        fires,
        rules.NOT_REACHED,
        "out of time in TLS",
        Session(Case.RELAY, ended(Phase.CERTIFICATE, Reason.TIMEOUT)),
    ),
    (quiet, rules.NOT_REACHED, "TLS", Session(Case.RELAY, LOST)),
    (quiet, rules.NOT_REACHED, "an impostor", Session(Case.IMPOSTOR, LOST)),
    (
        fires,
        rules.TLS_STRIPPED,
        "not offered",
        Session(Case.RELAY, ended(Phase.STARTTLS, Reason.TLS_NOT_OFFERED)),
    ),
    (quiet, rules.TLS_STRIPPED, "failed", Session(Case.RELAY, LOST)),
    (fires, rules.TLS_FAILED, "lost", Session(Case.RELAY, LOST)),
    (
        fires,
        rules.TLS_FAILED,
        "refused",
        Session(Case.RELAY, said(Phase.STARTTLS, "554 5.5.9 no TLS")),
    ),
    (
        quiet,
        rules.TLS_FAILED,
        "lost before",
        Session(Case.RELAY, ended(Phase.EHLO, Reason.CONNECTION_LOST)),
    ),
    (fires, rules.NOT_ASKED, "not asked", Session(Case.RECIPIENT, asked=False)),
    (quiet, rules.NOT_ASKED, "asked", Session(Case.RECIPIENT)),
    (quiet, rules.NOT_ASKED, "nobody looked", Session(Case.RECIPIENT, asked=None)),
    (fires, rules.RELAY_DENIED, "5.7.64", Session(Case.RELAY, DENIED)),
    (quiet, rules.RELAY_DENIED, "not meant to", Session(Case.RELAY, DENIED, TAKES)),
    (quiet, rules.RELAY_DENIED, "as a stranger", Session(Case.RELAY, DENIED, WATCHES)),
    (quiet, rules.RELAY_DENIED, "an impostor", Session(Case.IMPOSTOR, DENIED)),
    (quiet, rules.RELAY_DENIED, "relayed", Session(Case.RELAY)),
    (fires, rules.RELAYS, "taken", Session(Case.RELAY, promise=TAKES)),
    (quiet, rules.RELAYS, "meant to", Session(Case.RELAY)),
    (fires, rules.IMPOSTOR, "taken", Session(Case.IMPOSTOR)),
    (quiet, rules.IMPOSTOR, "denied", Session(Case.IMPOSTOR, DENIED)),
    (quiet, rules.IMPOSTOR, "not an impostor", Session(Case.RELAY)),
    (fires, rules.RESTRICTED, "5.7.51", Session(Case.RECIPIENT, TURNED_AWAY)),
    (quiet, rules.RESTRICTED, "as a stranger", Session(Case.RECIPIENT, TURNED_AWAY, WATCHES)),
    (quiet, rules.RESTRICTED, "unknown", Session(Case.RECIPIENT, UNKNOWN_USER)),
    (fires, rules.RECIPIENT_REFUSED, "unknown", Session(Case.RECIPIENT, UNKNOWN_USER)),
    (
        fires,
        rules.RECIPIENT_REFUSED,
        "unknown to a stranger",
        Session(Case.RECIPIENT, UNKNOWN_USER, WATCHES),
    ),
    (quiet, rules.RECIPIENT_REFUSED, "restricted", Session(Case.RECIPIENT, TURNED_AWAY)),
    (fires, rules.SESSION_REFUSED, "greeting", Session(Case.RELAY, NO_SESSION)),
    (quiet, rules.SESSION_REFUSED, "recipient", Session(Case.RECIPIENT, UNKNOWN_USER)),
    (fires, rules.BANNED, "banned", Session(Case.RELAY, BANNED)),
    (quiet, rules.BANNED, "denied", Session(Case.RELAY, DENIED)),
    (quiet, rules.BANNED, "an impostor too", Session(Case.IMPOSTOR, BANNED)),
    (fires, rules.THROTTLED, "busy", Session(Case.RECIPIENT, BUSY)),
    (quiet, rules.THROTTLED, "later", Session(Case.RECIPIENT, LATER)),
    (fires, rules.DEFERRED, "later", Session(Case.RECIPIENT, LATER)),
    (quiet, rules.DEFERRED, "busy", Session(Case.RECIPIENT, BUSY)),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(SESSIONS))
def test_a_session_is_told_from_what_is_near(proves: Proves, rule: Rule, case: Session) -> None:
    proves(rule, case.findings())


@dataclass(frozen=True)
class Shown:
    """A certificate that we show, sound but for what is said of it."""

    leaf: Mapping[str, Any] = field(default_factory=dict)
    trust: Trust = Trust.TRUSTED
    promise: Promise = RELAYS

    def findings(self) -> tuple[Finding, ...]:
        shown = Presented(replace(SOUND, **self.leaf), (), self.trust)
        return examine_certificate(shown, self.promise, NOW)


SECOND = timedelta(seconds=1)
DEEP = {"names": (PeerText("a.b.contoso.com"),)}
ANY_HOST = replace(RELAYS, certificate_name="*.contoso.com")
CERTIFICATES = [
    (fires, rules.EXPIRED, "over", Shown({"not_after": NOW - SECOND})),
    (fires, rules.EXPIRED, "too early", Shown({"not_before": NOW + SECOND})),
    (quiet, rules.EXPIRED, "now", Shown({"not_after": NOW})),
    (fires, rules.EXPIRES_SOON, "soon", Shown({"not_after": NOW + 30 * DAY - SECOND})),
    (quiet, rules.EXPIRES_SOON, "not so soon", Shown({"not_after": NOW + 30 * DAY})),
    (fires, rules.UNTRUSTED, "by itself", Shown(trust=Trust.SELF_SIGNED)),
    (fires, rules.UNTRUSTED, "incomplete", Shown(trust=Trust.INCOMPLETE)),
    (quiet, rules.UNTRUSTED, "trusted", Shown()),
    (fires, rules.WRONG_PURPOSE, "servers", Shown({"purposes": ("serverAuth",)})),
    (quiet, rules.WRONG_PURPOSE, "both", Shown({"purposes": ("serverAuth", "clientAuth")})),
    (quiet, rules.WRONG_PURPOSE, "anything", Shown()),
    (fires, rules.NAME_MISMATCH, "another", Shown({"names": (PeerText("x.contoso.com"),)})),
    (quiet, rules.NAME_MISMATCH, "the same", Shown()),
    (fires, rules.NAME_AMBIGUOUS, "too deep", Shown(DEEP, promise=ANY_HOST)),
    (quiet, rules.NAME_AMBIGUOUS, "directly below", Shown(promise=ANY_HOST)),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CERTIFICATES))
def test_a_certificate_is_told_from_what_is_near(proves: Proves, rule: Rule, case: Shown) -> None:
    proves(rule, case.findings())


def test_what_does_not_matter_for_a_client_is_left_out() -> None:
    assert Shown({"purposes": ("clientAuth",), "key_bits": 1024}).findings() == ()


DOMAINS = [
    (fires, rules.NOT_ACCEPTED, "neither", replace(RELAYS, accepted_domains=("fabrikam.com",))),
    (
        fires,
        rules.NOT_ACCEPTED,
        "the null sender",
        replace(RELAYS, accepted_domains=("fabrikam.com",), mail_from=""),
    ),
    (
        quiet,
        rules.NOT_ACCEPTED,
        "the sender's",
        replace(RELAYS, accepted_domains=("fabrikam.com",), mail_from="a@FABRIKAM.com"),
    ),
    (quiet, rules.NOT_ACCEPTED, "not known", replace(RELAYS, accepted_domains=())),
    (
        quiet,
        rules.NOT_ACCEPTED,
        "nothing is relayed",
        replace(TAKES, accepted_domains=("fabrikam.com",)),
    ),
    (quiet, rules.NOT_ACCEPTED, "by address", replace(RELAYS, certificate_name=None)),
    (quiet, rules.NOT_ACCEPTED, "a parent", RELAYS),
    (fires, rules.PARENT_ONLY, "a parent", RELAYS),
    (quiet, rules.PARENT_ONLY, "itself", replace(RELAYS, accepted_domains=("mail.contoso.com",))),
    (quiet, rules.PARENT_ONLY, "a wildcard", replace(RELAYS, certificate_name="*.contoso.com")),
    (
        quiet,
        rules.PARENT_ONLY,
        "alike only in letters",
        replace(RELAYS, accepted_domains=("toso.com",)),
    ),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(DOMAINS))
def test_domains_are_told_from_what_is_near(proves: Proves, rule: Rule, case: Promise) -> None:
    proves(rule, examine_domains(case))
