"""Does each rule about smart hosts fire where it should, and only there?

What a real server can do is done by real servers in the tests of the probe; here stand the walks
beside it: almost broken, or broken in a way that loopback does not give.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import IPv4Address
from typing import Any

import pytest

from agent.domain import connector_rules as rules
from agent.domain.connector import Promise, examine, summarise
from agent.domain.finding import Finding, Rule
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Accepted, Dialogue, Phase, Reason, Refused, Unreached
from agent.domain.smtp_reply import Reply
from agent.domain.tls import Presented, Trust
from agent.domain.walk import Walked
from proof import Proves, fires, named, quiet
from servers.certificate import DAY, NOW, SOUND

HOST = "mail.contoso.com"
RECIPIENT = "probe@contoso.com"
SECOND = timedelta(seconds=1)
LAX = Promise("none")
FORCED = Promise("encryption-only")
VALID = Promise("certificate-validation")
NAMED = Promise("domain-validation", HOST)
YES = Accepted(Reply(250))


@dataclass(frozen=True)
class Case:
    """A walk, sound but for what is said of it, and what the connector asks for."""

    dialogue: Dialogue = YES
    promise: Promise = NAMED
    leaf: Mapping[str, Any] = field(default_factory=dict)
    trust: Trust = Trust.TRUSTED
    tls_version: str = "TLSv1.2"
    recipients: tuple[tuple[str, Reply], ...] = ()
    clear_text: str = "220 mail.contoso.com"

    def walked(self) -> Walked:
        is_shown = bool(self.tls_version)
        return Walked(
            host=HOST,
            address=IPv4Address("192.31.196.1"),
            dialogue=self.dialogue,
            presented=Presented(replace(SOUND, **self.leaf), (), self.trust) if is_shown else None,
            tls_version=self.tls_version,
            recipients=self.recipients,
            clear_text=self.clear_text,
        )

    def findings(self) -> tuple[Finding, ...]:
        return examine(self.walked(), self.promise, NOW)


def ended(phase: Phase, reason: Reason, promise: Promise = FORCED) -> Case:
    return Case(Unreached(phase, reason), promise, tls_version="")


def said(phase: Phase, code: int, enhanced: str = "", promise: Promise = FORCED) -> Case:
    """A refusal; at RCPT it is said of the one recipient."""
    reply = Reply(code, enhanced)
    recipients = ((RECIPIENT, reply),) if phase is Phase.RCPT else ()
    return Case(Refused(phase, reply), promise, tls_version="", recipients=recipients)


PLAIN = Case(promise=LAX, tls_version="")
TOO_DEEP = {"names": (PeerText("a.b.contoso.com"),)}
ANY_HOST = Promise("domain-validation", "*.contoso.com")
SESSIONS = [
    (fires, rules.UNRESOLVED, "no address", ended(Phase.RESOLVE, Reason.UNRESOLVED)),
    (quiet, rules.UNRESOLVED, "DNS could not say", ended(Phase.RESOLVE, Reason.DNS_UNANSWERED)),
    (fires, rules.REFUSED, "refused", ended(Phase.CONNECT, Reason.REFUSED)),
    (quiet, rules.REFUSED, "silence", ended(Phase.CONNECT, Reason.TIMEOUT)),
    (quiet, rules.REFUSED, "refused in words", said(Phase.GREETING, 554)),
    (fires, rules.TIMED_OUT, "no connection", ended(Phase.CONNECT, Reason.TIMEOUT)),
    (quiet, rules.TIMED_OUT, "no greeting", ended(Phase.GREETING, Reason.TIMEOUT)),
    (fires, rules.STALLED, "no greeting", ended(Phase.GREETING, Reason.TIMEOUT)),
    (quiet, rules.STALLED, "no connection", ended(Phase.CONNECT, Reason.TIMEOUT)),
    (quiet, rules.STALLED, "no handshake", ended(Phase.CERTIFICATE, Reason.TIMEOUT)),
    (fires, rules.CONNECTION_LOST, "lost", ended(Phase.EHLO, Reason.CONNECTION_LOST)),
    (
        quiet,
        rules.CONNECTION_LOST,
        "lost in the handshake",
        ended(Phase.CERTIFICATE, Reason.CONNECTION_LOST),
    ),
    (fires, rules.PROTOCOL, "nonsense", ended(Phase.EHLO, Reason.PROTOCOL)),
    (quiet, rules.PROTOCOL, "lost", ended(Phase.EHLO, Reason.CONNECTION_LOST)),
    (fires, rules.INJECTED, "injected", ended(Phase.CERTIFICATE, Reason.TLS_INJECTION)),
    (quiet, rules.INJECTED, "no handshake", ended(Phase.CERTIFICATE, Reason.TLS_HANDSHAKE)),
    (fires, rules.SESSION_REFUSED, "sender refused", said(Phase.MAIL, 550)),
    (quiet, rules.SESSION_REFUSED, "sender deferred", said(Phase.MAIL, 450)),
    (quiet, rules.SESSION_REFUSED, "recipient refused", said(Phase.RCPT, 550)),
    (fires, rules.RECIPIENT_REFUSED, "refused", said(Phase.RCPT, 550)),
    (quiet, rules.RECIPIENT_REFUSED, "deferred", said(Phase.RCPT, 450)),
    (quiet, rules.RECIPIENT_REFUSED, "sender refused", said(Phase.MAIL, 550)),
    (fires, rules.DEFERRED, "no enhanced code", said(Phase.MAIL, 451)),
    (fires, rules.DEFERRED, "between the ranges", said(Phase.MAIL, 451, "4.7.700")),
    (fires, rules.DEFERRED, "before the ranges", said(Phase.MAIL, 451, "4.7.499")),
    (fires, rules.DEFERRED, "after the ranges", said(Phase.MAIL, 451, "4.7.900")),
    (quiet, rules.DEFERRED, "for good", said(Phase.RCPT, 551)),
    (quiet, rules.DEFERRED, "throttled has its own rule", said(Phase.MAIL, 451, "4.7.500")),
    (fires, rules.THROTTLED, "service closes", said(Phase.GREETING, 421)),
    (fires, rules.THROTTLED, "concurrent connections", said(Phase.MAIL, 451, "4.3.2")),
    (fires, rules.THROTTLED, "first of a range", said(Phase.MAIL, 451, "4.7.500")),
    (fires, rules.THROTTLED, "last of another", said(Phase.MAIL, 451, "4.7.899")),
    (quiet, rules.THROTTLED, "between the ranges", said(Phase.MAIL, 451, "4.7.700")),
    (quiet, rules.THROTTLED, "for good", said(Phase.MAIL, 550, "5.7.500")),
    (fires, rules.NOT_TRIED, "no route", ended(Phase.CONNECT, Reason.NO_ROUTE)),
    (quiet, rules.NOT_TRIED, "no answer", ended(Phase.CONNECT, Reason.TIMEOUT)),
    (fires, rules.INSPECTED, "stars", replace(PLAIN, clear_text="220 ******")),
    (fires, rules.INSPECTED, "an unknown capability", replace(PLAIN, clear_text="XXXXXXXA")),
    (quiet, rules.INSPECTED, "a few stars", replace(PLAIN, clear_text="220 ***** mail *****")),
]
ENCRYPTION = [
    (fires, rules.STARTTLS_MISSING, "not offered", ended(Phase.EHLO, Reason.TLS_NOT_OFFERED)),
    (quiet, rules.STARTTLS_MISSING, "offered and refused", said(Phase.STARTTLS, 454)),
    (quiet, rules.STARTTLS_MISSING, "not asked for", PLAIN),
    (fires, rules.PLAINTEXT, "in the clear", PLAIN),
    (quiet, rules.PLAINTEXT, "encrypted", Case(promise=LAX)),
    (quiet, rules.PLAINTEXT, "refused in the clear", said(Phase.MAIL, 550, promise=LAX)),
    (fires, rules.HANDSHAKE_FAILED, "refused", said(Phase.STARTTLS, 454)),
    (
        fires,
        rules.HANDSHAKE_FAILED,
        "failed",
        ended(Phase.CERTIFICATE, Reason.TLS_HANDSHAKE),
    ),
    (quiet, rules.HANDSHAKE_FAILED, "not asked for", said(Phase.STARTTLS, 454, promise=LAX)),
    (quiet, rules.HANDSHAKE_FAILED, "lost after it", ended(Phase.EHLO_AGAIN, Reason.TIMEOUT)),
    (fires, rules.TLS_BROKEN, "not asked for", said(Phase.STARTTLS, 454, promise=LAX)),
    (fires, rules.TLS_BROKEN, "old", Case(promise=LAX, tls_version="TLSv1.1")),
    (quiet, rules.TLS_BROKEN, "asked for", said(Phase.STARTTLS, 454)),
    (quiet, rules.TLS_BROKEN, "not old", Case(promise=LAX)),
    (fires, rules.TLS_TOO_OLD, "TLS 1.1", Case(tls_version="TLSv1.1")),
    (quiet, rules.TLS_TOO_OLD, "TLS 1.2", Case(tls_version="TLSv1.2")),
    (quiet, rules.TLS_TOO_OLD, "not asked for", Case(promise=LAX, tls_version="TLSv1.1")),
]
CERTIFICATES = [
    (fires, rules.EXPIRED, "a second ago", Case(leaf={"not_after": NOW - SECOND})),
    (fires, rules.EXPIRED, "not yet valid", Case(leaf={"not_before": NOW + SECOND})),
    (quiet, rules.EXPIRED, "now", Case(leaf={"not_after": NOW, "not_before": NOW})),
    (quiet, rules.EXPIRED, "nobody looks", Case(YES, FORCED, {"not_after": NOW - SECOND})),
    (fires, rules.EXPIRES_SOON, "soon", Case(leaf={"not_after": NOW + 30 * DAY - SECOND})),
    (quiet, rules.EXPIRES_SOON, "not so soon", Case(leaf={"not_after": NOW + 30 * DAY})),
    (quiet, rules.EXPIRES_SOON, "a second ago", Case(leaf={"not_after": NOW - SECOND})),
    (fires, rules.NAME_MISMATCH, "another", Case(leaf={"names": (PeerText("x.contoso.com"),)})),
    (quiet, rules.NAME_MISMATCH, "wildcard", Case(leaf={"names": (PeerText("*.contoso.com"),)})),
    (quiet, rules.NAME_MISMATCH, "no name is asked for", Case(YES, VALID, TOO_DEEP)),
    (quiet, rules.NAME_MISMATCH, "undocumented", Case(YES, ANY_HOST, TOO_DEEP)),
    (fires, rules.NAME_AMBIGUOUS, "undocumented", Case(YES, ANY_HOST, TOO_DEEP)),
    (quiet, rules.NAME_AMBIGUOUS, "directly below", Case(YES, ANY_HOST)),
    (fires, rules.UNTRUSTED, "an intermediate is missing", Case(trust=Trust.INCOMPLETE)),
    (fires, rules.UNTRUSTED, "signed by itself", Case(trust=Trust.SELF_SIGNED)),
    (quiet, rules.UNTRUSTED, "signed by itself and known", Case(leaf={"is_self_signed": True})),
    (quiet, rules.UNTRUSTED, "nobody looks", Case(promise=FORCED, trust=Trust.UNTRUSTED)),
    (fires, rules.WEAK, "RSA", Case(leaf={"key_bits": 2047})),
    (fires, rules.WEAK, "SHA-1", Case(leaf={"signature": "sha1"})),
    (quiet, rules.WEAK, "short for RSA", Case(leaf={"key_type": "EC", "key_bits": 256})),
    (quiet, rules.WEAK, "of 2048 bits", Case(leaf={"key_bits": 2048})),
    (fires, rules.UNVALIDATED, "nobody looks", Case(promise=FORCED, trust=Trust.UNTRUSTED)),
    (quiet, rules.UNVALIDATED, "Exchange looks", Case(promise=VALID, trust=Trust.UNTRUSTED)),
    (quiet, rules.UNVALIDATED, "only weak", Case(YES, FORCED, {"signature": "sha1"})),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named([*SESSIONS, *ENCRYPTION, *CERTIFICATES]))
def test_the_rule_is_told_from_what_is_near(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


DOWN = ended(Phase.CONNECT, Reason.REFUSED)
TOGETHER: list[tuple[Proves, Rule, str, tuple[Case, ...]]] = [
    (fires, rules.PARTLY_FAILING, "one of two", (Case(), DOWN)),
    (
        fires,
        rules.PARTLY_FAILING,
        "two, each with its own fault",
        (
            Case(),
            DOWN,
            ended(Phase.CONNECT, Reason.TIMEOUT),
        ),
    ),
    (quiet, rules.PARTLY_FAILING, "all", (DOWN, DOWN)),
    (
        quiet,
        rules.PARTLY_FAILING,
        "the other was not tried",
        (
            DOWN,
            ended(Phase.CONNECT, Reason.NO_ROUTE),
        ),
    ),
    (quiet, rules.PARTLY_FAILING, "only a warning", (Case(), replace(PLAIN, promise=LAX))),
    (quiet, rules.REFUSED, "another address takes the mail", (Case(), DOWN)),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(TOGETHER))
def test_addresses_are_judged_together(proves: Proves, rule: Rule, case: tuple[Case, ...]) -> None:
    proves(rule, summarise(tuple(each.findings() for each in case)))


@pytest.mark.parametrize("promise", [LAX, FORCED, VALID, NAMED], ids=lambda one: one.tls_settings)
def test_a_sound_walk_breaks_no_rule(promise: Promise) -> None:
    assert Case(promise=promise).findings() == ()


def test_a_certificate_that_cannot_be_read_is_not_judged() -> None:
    unreadable = replace(Case().walked(), presented=None)
    assert examine(unreadable, NAMED, NOW) == ()


def test_one_recipient_of_two_is_named() -> None:
    recipients = (("a@contoso.com", Reply(250)), (RECIPIENT, Reply(550)))
    case = replace(said(Phase.RCPT, 550), recipients=recipients)
    (finding,) = case.findings()
    assert RECIPIENT in finding.detail


def test_a_rule_is_found_once_with_all_places_as_evidence() -> None:
    other = replace(DOWN.walked(), address=IPv4Address("192.31.196.2"))
    (finding,) = summarise((DOWN.findings(), examine(other, FORCED, NOW)))
    assert finding.evidence[0].startswith(f"{HOST} [192.31.196.2]")


@pytest.mark.parametrize("reason", Reason, ids=str)
@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.CERTIFICATE], ids=str)
def test_every_reason_has_a_rule(phase: Phase, reason: Reason) -> None:
    assert ended(phase, reason, LAX).findings()
