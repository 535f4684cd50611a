"""Does each rule about smart hosts fire where it should, and only there?

What a real server can do is done by real servers in the tests of the probe; here stand the walks
beside it: almost broken, or broken in a way that loopback does not give.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address
from typing import Any

import pytest

from agent.domain import connector_rules as rules
from agent.domain.connector import (
    Again,
    Promise,
    examine,
    examine_relaying,
    failure_of_tls,
    joined,
    looks_again,
)
from agent.domain.connector_summary import summarise, verdict
from agent.domain.finding import Finding, Rule
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Accepted, Dialogue, Phase, Reason, Refused, Unreached
from agent.domain.smtp_reply import Reply
from agent.domain.tls import Presented, Revocation, Staple, Trust
from agent.domain.walk import Walked
from proof import Proves, fires, named, quiet
from servers.certificate import DAY, NOW, SOUND

HOST = "mail.contoso.com"
RECIPIENT = "probe@contoso.com"
SECOND = timedelta(seconds=1)
HALF_AN_HOUR = timedelta(minutes=30)
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
    address: str = "192.31.196.1"
    host: str = HOST
    staple: Staple | None = None
    tls_failure: Unreached | None = None
    throttled_for: timedelta | None = None

    def walked(self) -> Walked:
        is_shown = bool(self.tls_version)
        leaf = replace(SOUND, **self.leaf)
        presented = Presented(leaf, (), self.trust, staple=self.staple)
        return Walked(
            host=self.host,
            address=ip_address(self.address),
            dialogue=self.dialogue,
            presented=presented if is_shown else None,
            tls_failure=self.tls_failure,
            throttled_for=self.throttled_for,
            tls_version=self.tls_version,
            recipients=self.recipients,
            clear_text=self.clear_text,
        )

    def findings(self) -> tuple[Finding, ...]:
        return examine(self.walked(), self.promise, NOW)


def ended(phase: Phase, reason: Reason, promise: Promise = FORCED) -> Case:
    return Case(Unreached(phase, reason), promise, tls_version="")


def said(
    phase: Phase, code: int, enhanced: str = "", promise: Promise = FORCED, *, text: str = ""
) -> Case:
    """A refusal; at RCPT it is said of the one recipient."""
    reply = Reply(code, enhanced, (PeerText(text),))
    recipients = ((RECIPIENT, reply),) if phase is Phase.RCPT else ()
    return Case(Refused(phase, reply), promise, tls_version="", recipients=recipients)


def said_until(end: datetime) -> Staple:
    return Staple(Revocation.GOOD, NOW - DAY, next_update=end)


OLD = Unreached(Phase.CERTIFICATE, Reason.TLS_VERSION)
CERTIFIED = ended(Phase.EHLO_AGAIN, Reason.CLIENT_CERTIFICATE)
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
    (fires, rules.THROTTLED, "left alone", ended(Phase.CONNECT, Reason.HELD_BACK)),
    (
        fires,
        rules.THROTTLED_LASTING,
        "left alone again",
        replace(ended(Phase.CONNECT, Reason.HELD_BACK), throttled_for=HALF_AN_HOUR),
    ),
    (
        fires,
        rules.THROTTLED_LASTING,
        "for half an hour",
        replace(said(Phase.RCPT, 451, "4.7.500"), throttled_for=HALF_AN_HOUR),
    ),
    (
        quiet,
        rules.THROTTLED_LASTING,
        "for less",
        replace(said(Phase.RCPT, 451, "4.7.500"), throttled_for=HALF_AN_HOUR - SECOND),
    ),
    (fires, rules.THROTTLED, "concurrent", said(Phase.MAIL, 432, "4.3.2", text="limit exceeded")),
    (quiet, rules.THROTTLED, "not now", said(Phase.RCPT, 450, "4.3.2", text="Try again later")),
    (
        fires,
        rules.RECIPIENT_REFUSED,
        "relaying denied for now",
        said(Phase.RCPT, 454, "4.7.1", text="Relay access denied"),
    ),
    (
        fires,
        rules.CLIENT_CERTIFICATE,
        "asked for in words",
        said(Phase.EHLO_AGAIN, 421, "4.7.1", text="Error: No client certificate presented"),
    ),
    (fires, rules.THROTTLED, "first of a range", said(Phase.MAIL, 451, "4.7.500")),
    (fires, rules.THROTTLED, "last of another", said(Phase.MAIL, 451, "4.7.899")),
    (quiet, rules.THROTTLED, "between the ranges", said(Phase.MAIL, 451, "4.7.700")),
    (quiet, rules.THROTTLED, "for good", said(Phase.MAIL, 550, "5.7.500")),
    (fires, rules.CLIENT_CERTIFICATE, "demanded", CERTIFIED),
    (quiet, rules.CLIENT_CERTIFICATE, "lost there", ended(Phase.EHLO_AGAIN, Reason.TIMEOUT)),
    (quiet, rules.NOT_TRIED, "a certificate is demanded", CERTIFIED),
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
    (fires, rules.TLS_BROKEN, "then in the clear", replace(PLAIN, tls_failure=OLD)),
    (quiet, rules.PLAINTEXT, "only because TLS failed", replace(PLAIN, tls_failure=OLD)),
    (fires, rules.TLS_TOO_OLD, "none in common", Case(OLD, FORCED, tls_version="")),
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
    (fires, rules.REVOKED, "revoked", Case(staple=Staple(Revocation.REVOKED, NOW))),
    (quiet, rules.REVOKED, "good", Case(staple=Staple(Revocation.GOOD, NOW))),
    (quiet, rules.REVOKED, "not known", Case(staple=Staple(Revocation.UNKNOWN, NOW))),
    (fires, rules.STALE_STAPLE, "over", Case(staple=said_until(NOW - SECOND))),
    (quiet, rules.STALE_STAPLE, "its last second", Case(staple=said_until(NOW))),
    (fires, rules.WRONG_PURPOSE, "clients", Case(leaf={"purposes": ("clientAuth",)})),
    (quiet, rules.WRONG_PURPOSE, "both", Case(leaf={"purposes": ("clientAuth", "serverAuth")})),
    (quiet, rules.WRONG_PURPOSE, "any", Case(leaf={"purposes": ("any",)})),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named([*SESSIONS, *ENCRYPTION, *CERTIFICATES]))
def test_the_rule_is_told_from_what_is_near(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


DOWN = ended(Phase.CONNECT, Reason.REFUSED)
DOWN_6 = replace(DOWN, address="2001:db8::1")
CASE_6 = Case(address="2001:db8::2")
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
    (fires, rules.FAMILY_FAILING, "IPv6", (Case(), DOWN_6)),
    (quiet, rules.FAMILY_FAILING, "IPv6 and one more", (Case(), DOWN, DOWN_6)),
    (quiet, rules.FAMILY_FAILING, "one IPv6 of two", (Case(), CASE_6, DOWN_6)),
    (quiet, rules.FAMILY_FAILING, "one of two of the same", (Case(), DOWN)),
    (quiet, rules.PARTLY_FAILING, "a family", (Case(), DOWN_6)),
    (quiet, rules.REFUSED, "another address takes the mail", (Case(), DOWN)),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(TOGETHER))
def test_addresses_are_judged_together(proves: Proves, rule: Rule, case: tuple[Case, ...]) -> None:
    seen = tuple(each.walked() for each in case)
    proves(rule, summarise(seen, tuple(each.findings() for each in case)))


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
    seen = (DOWN.walked(), other)
    (finding,) = summarise(seen, tuple(examine(each, FORCED, NOW) for each in seen))
    assert finding.evidence[0].startswith(f"{HOST} [192.31.196.2]")


@pytest.mark.parametrize("reason", Reason, ids=str)
@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.CERTIFICATE], ids=str)
def test_every_reason_has_a_rule(phase: Phase, reason: Reason) -> None:
    assert ended(phase, reason, LAX).findings()


def test_the_share_names_hosts_of_which_nothing_works() -> None:
    cases = (Case(), replace(DOWN, host="two.contoso.com"), DOWN)
    seen = tuple(each.walked() for each in cases)
    (finding,) = summarise(seen, tuple(each.findings() for each in cases))
    assert finding.detail == "2 of 3 addresses fail: all of two.contoso.com"


NAMED_STRANGER = (("relay-test@example.org", Reply(250)),)


def test_taking_a_strangers_recipient_is_relaying() -> None:
    walked = replace(Case().walked(), recipients=NAMED_STRANGER)
    fires(rules.OPEN_RELAY, examine_relaying(walked))
    refused = replace(walked, recipients=(("relay-test@example.org", Reply(554)),))
    quiet(rules.OPEN_RELAY, examine_relaying(refused))
    quiet(rules.OPEN_RELAY, examine(walked, NAMED, NOW))


@pytest.mark.parametrize(
    ("case", "words"),
    [
        pytest.param(Case(), "deliver it over TLSv1.2", id="encrypted"),
        pytest.param(replace(PLAIN), "deliver in the clear", id="in the clear"),
        pytest.param(DOWN, "queue it: 450 4.4.316 Connection refused", id="refused"),
        pytest.param(
            ended(Phase.EHLO, Reason.TLS_INJECTION), "not deliver it safely", id="injected"
        ),
        pytest.param(
            ended(Phase.CONNECT, Reason.NO_ROUTE), "cannot be told from here", id="not tried"
        ),
        pytest.param(said(Phase.RCPT, 450), "queue it and try again", id="deferred"),
    ],
)
def test_the_verdict_says_what_exchange_online_would_do(case: Case, words: str) -> None:
    assert verdict(case.walked(), case.findings()) == words


CBC = "ECDHE-RSA-AES128-SHA"


@pytest.mark.parametrize(
    ("case", "cipher", "again"),
    [
        pytest.param(Case(), "ECDHE-RSA-AES256-GCM-SHA384", None, id="a cipher of Exchange's"),
        pytest.param(Case(), CBC, Again.AS_EXCHANGE, id="another cipher"),
        pytest.param(Case(tls_version="TLSv1.3"), "TLS_AES_128_CCM_8_SHA256", None, id="TLS 1.3"),
        pytest.param(
            Case(promise=LAX, tls_version="TLSv1.1"), CBC, Again.IN_THE_CLEAR, id="too old"
        ),
        pytest.param(Case(tls_version="TLSv1.1"), CBC, None, id="too old and demanded"),
        pytest.param(
            said(Phase.STARTTLS, 454, promise=LAX), "", Again.IN_THE_CLEAR, id="STARTTLS refused"
        ),
        pytest.param(
            ended(Phase.CERTIFICATE, Reason.TLS_HANDSHAKE, LAX),
            "",
            Again.IN_THE_CLEAR,
            id="handshake failed",
        ),
        pytest.param(ended(Phase.CERTIFICATE, Reason.TIMEOUT, LAX), "", None, id="no time is left"),
        pytest.param(ended(Phase.EHLO, Reason.TIMEOUT, LAX), "", None, id="not for TLS"),
    ],
)
def test_a_host_is_walked_again_where_exchange_would_go_on(
    case: Case, cipher: str, again: Again | None
) -> None:
    walked = replace(case.walked(), tls_cipher=cipher)
    assert looks_again(walked, case.promise) is again
    if again is Again.IN_THE_CLEAR:
        assert failure_of_tls(walked).phase in (Phase.STARTTLS, Phase.CERTIFICATE)


@pytest.mark.parametrize(
    ("phase", "reason", "expected"),
    [
        pytest.param(
            Phase.CERTIFICATE, Reason.TLS_HANDSHAKE, Reason.TLS_VERSION, id="with an alert"
        ),
        pytest.param(Phase.CERTIFICATE, Reason.CONNECTION_LOST, Reason.TLS_VERSION, id="without"),
        pytest.param(Phase.CERTIFICATE, Reason.TIMEOUT, Reason.TIMEOUT, id="out of time"),
        pytest.param(Phase.EHLO, Reason.CONNECTION_LOST, Reason.CONNECTION_LOST, id="before it"),
    ],
)
def test_a_handshake_that_fails_with_exchanges_ciphers_lacks_one(
    phase: Phase, reason: Reason, expected: Reason
) -> None:
    first = replace(Case().walked(), tls_cipher=CBC)
    seen = joined(first, ended(phase, reason).walked())
    assert isinstance(seen.dialogue, Unreached)
    assert seen.dialogue.reason is expected
    assert seen.presented is first.presented
