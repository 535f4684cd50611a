"""Does each rule about exchanges fire where it should, and only there?"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import pytest

from agent.domain import exchange_rules as rules
from agent.domain.connector_summary import Partial, summarise
from agent.domain.exchange import examine, examine_reverse
from agent.domain.finding import Finding, Rule
from agent.domain.peer_text import PeerText
from agent.domain.reverse import Reversal, Reversed
from agent.domain.smtp import Accepted, Dialogue, Phase, Reason, Refused, Unreached
from agent.domain.smtp_reply import Reply
from agent.domain.tls import Presented, Revocation, Staple, Trust
from agent.domain.walk import Walked
from proof import Proves, fires, named, quiet
from servers.certificate import DAY, NOW, SOUND

HOST = "mail.contoso.com"
YES = Accepted(Reply(250))
MINUTE = timedelta(minutes=1)


def said(phase: Phase, line: str) -> Refused:
    code, enhanced, text = line.split(" ", 2)
    return Refused(phase, Reply(int(code), enhanced, (PeerText(f"{enhanced} {text}"),)))


@dataclass(frozen=True)
class Case:
    """A walk, sound but for what is said of it."""

    dialogue: Dialogue = YES
    leaf: Mapping[str, Any] = field(default_factory=dict)
    trust: Trust = Trust.TRUSTED
    tls_version: str = "TLSv1.3"
    greeting: str = "220 mail.contoso.com ESMTP"
    more: str = ""
    address: str = "192.31.196.1"
    staple: Staple | None = None
    throttled_for: timedelta | None = None
    reversal: Reversal | None = None

    def walked(self) -> Walked:
        refused = isinstance(self.dialogue, Refused) and self.dialogue.phase is Phase.RCPT
        presented = Presented(replace(SOUND, **self.leaf), (), self.trust, staple=self.staple)
        return Walked(
            host=HOST,
            address=ip_address(self.address),
            dialogue=self.dialogue,
            presented=presented if self.tls_version else None,
            tls_version=self.tls_version,
            greeting=PeerText(self.greeting),
            clear_text=f"{self.greeting} {self.more}",
            recipients=(("a@contoso.com", self.dialogue.reply),)
            if refused and isinstance(self.dialogue, Refused)
            else (),
            throttled_for=self.throttled_for,
        )

    def findings(self) -> tuple[Finding, ...]:
        walked = self.walked()
        found = examine(walked, NOW, 21 * DAY)
        if self.reversal is not None:
            found += examine_reverse(walked.place, Reversed(self.reversal, ("x.example",)))
        return found


def ended(phase: Phase, reason: Reason) -> Case:
    return Case(Unreached(phase, reason, "a detail"), tls_version="", greeting="")


LATER = said(Phase.RCPT, "451 4.2.0 not now")
BUSY = said(Phase.GREETING, "421 4.3.2 too many connections")
UNKNOWN = said(Phase.RCPT, "550 5.1.1 no such user")
LISTED = said(Phase.GREETING, "554 5.7.1 blocked, see the list")
HELD = ended(Phase.CONNECT, Reason.HELD_BACK)
OPEN = timedelta(days=90)

CASES: list[tuple[Proves, Rule, str, Case]] = [
    (fires, rules.UNREACHABLE, "refused", ended(Phase.CONNECT, Reason.REFUSED)),
    (fires, rules.UNREACHABLE, "silent", ended(Phase.CONNECT, Reason.TIMEOUT)),
    (fires, rules.UNREACHABLE, "hangs up", ended(Phase.GREETING, Reason.CONNECTION_LOST)),
    (fires, rules.UNREACHABLE, "no SMTP", ended(Phase.GREETING, Reason.PROTOCOL)),
    (quiet, rules.UNREACHABLE, "closed here", ended(Phase.CONNECT, Reason.NO_EGRESS)),
    (quiet, rules.UNREACHABLE, "turned away", Case(LISTED, tls_version="")),
    (fires, rules.NOT_TRIED, "closed here", ended(Phase.CONNECT, Reason.NO_EGRESS)),
    (fires, rules.NOT_TRIED, "private", ended(Phase.CONNECT, Reason.FORBIDDEN_ADDRESS)),
    (quiet, rules.NOT_TRIED, "silent", ended(Phase.CONNECT, Reason.TIMEOUT)),
    (fires, rules.REFUSES_US, "listed", Case(LISTED, tls_version="")),
    (quiet, rules.REFUSES_US, "refuses a recipient", Case(UNKNOWN)),
    (fires, rules.THROTTLED, "busy", Case(BUSY, tls_version="")),
    (fires, rules.THROTTLED, "still busy", Case(BUSY, tls_version="", throttled_for=9 * MINUTE)),
    (fires, rules.THROTTLED, "left alone", HELD),
    (quiet, rules.THROTTLED, "later", Case(LATER)),
    (
        fires,
        rules.THROTTLED_LASTING,
        "busy for half an hour",
        Case(BUSY, tls_version="", throttled_for=30 * MINUTE),
    ),
    (
        fires,
        rules.THROTTLED_LASTING,
        "left alone once more",
        replace(HELD, throttled_for=45 * MINUTE),
    ),
    (
        quiet,
        rules.THROTTLED_LASTING,
        "busy for less",
        Case(BUSY, tls_version="", throttled_for=29 * MINUTE),
    ),
    (fires, rules.DEFERRED, "greylisted", Case(LATER)),
    (quiet, rules.DEFERRED, "for good", Case(UNKNOWN)),
    (fires, rules.RECIPIENT_REFUSED, "unknown", Case(UNKNOWN)),
    (quiet, rules.RECIPIENT_REFUSED, "greylisted", Case(LATER)),
    (fires, rules.STARTTLS_MISSING, "not offered", Case(tls_version="")),
    (fires, rules.STARTTLS_MISSING, "and refused later", Case(UNKNOWN, tls_version="")),
    (quiet, rules.STARTTLS_MISSING, "never came so far", Case(LISTED, tls_version="")),
    (fires, rules.TLS_BROKEN, "handshake", ended(Phase.CERTIFICATE, Reason.TLS_HANDSHAKE)),
    (
        fires,
        rules.TLS_BROKEN,
        "refused",
        Case(said(Phase.STARTTLS, "454 4.7.0 no"), tls_version=""),
    ),
    (
        fires,
        rules.TLS_BROKEN,
        "wants a certificate of every sender",
        ended(Phase.CERTIFICATE, Reason.CLIENT_CERTIFICATE),
    ),
    (quiet, rules.TLS_BROKEN, "before TLS", ended(Phase.EHLO, Reason.CONNECTION_LOST)),
    (fires, rules.TLS_TOO_OLD, "1.1", Case(tls_version="TLSv1.1")),
    (quiet, rules.TLS_TOO_OLD, "1.2", Case(tls_version="TLSv1.2")),
    (fires, rules.EXPIRED, "yesterday", Case(leaf={"not_after": NOW - DAY})),
    (quiet, rules.EXPIRED, "tomorrow", Case(leaf={"not_after": NOW + DAY})),
    (fires, rules.EXPIRES_SOON, "in 20 days", Case(leaf={"not_after": NOW + 20 * DAY})),
    (quiet, rules.EXPIRES_SOON, "in 21 days", Case(leaf={"not_after": NOW + 21 * DAY})),
    (
        fires,
        rules.NAME_MISMATCH,
        "another",
        Case(leaf={"names": (PeerText("mail.fabrikam.com"),), "name_count": 1}),
    ),
    (
        quiet,
        rules.NAME_MISMATCH,
        "a wildcard",
        Case(leaf={"names": (PeerText("*.contoso.com"),), "name_count": 1}),
    ),
    (fires, rules.UNTRUSTED, "self-signed", Case(trust=Trust.SELF_SIGNED)),
    (fires, rules.UNTRUSTED, "for clients", Case(leaf={"purposes": ("clientAuth",)})),
    (quiet, rules.UNTRUSTED, "for anything", Case(leaf={"purposes": ("any",)})),
    (fires, rules.WEAK, "1024 bits", Case(leaf={"key_type": "RSA", "key_bits": 1024})),
    (quiet, rules.WEAK, "2048 bits", Case(leaf={"key_type": "RSA", "key_bits": 2048})),
    (fires, rules.REVOKED, "revoked", Case(staple=Staple(Revocation.REVOKED, NOW - DAY))),
    (
        fires,
        rules.REVOKED,
        "stale",
        Case(staple=Staple(Revocation.GOOD, NOW - 9 * DAY, NOW - DAY)),
    ),
    (quiet, rules.REVOKED, "good", Case(staple=Staple(Revocation.GOOD, NOW - DAY, NOW + DAY))),
    (fires, rules.BANNER, "a single label", Case(greeting="220 localhost ESMTP")),
    (fires, rules.BANNER, "nothing", Case(greeting="220")),
    (quiet, rules.BANNER, "a literal", Case(greeting="220 [192.31.196.1] hello")),
    (fires, rules.INSPECTED, "starred", Case(greeting="220 ****************")),
    (fires, rules.INSPECTED, "rewritten", Case(more="250-XXXXXXXA")),
    (quiet, rules.INSPECTED, "a few stars", Case(greeting="220 mail.contoso.com ** hello **")),
    (fires, rules.NO_REVERSE_NAME, "none", Case(reversal=Reversal.MISSING)),
    (quiet, rules.NO_REVERSE_NAME, "unanswered", Case(reversal=Reversal.UNANSWERED)),
    (fires, rules.REVERSE_MISMATCH, "elsewhere", Case(reversal=Reversal.UNCONFIRMED)),
    (quiet, rules.REVERSE_MISMATCH, "confirmed", Case(reversal=Reversal.CONFIRMED)),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_rules(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


def test_a_sound_exchange_has_no_finding() -> None:
    assert Case(reversal=Reversal.CONFIRMED).findings() == ()


def test_a_certificate_that_cannot_be_read_is_not_judged() -> None:
    unread = replace(Case().walked(), presented=None)
    assert examine(unread, NOW, 21 * DAY) == ()


def together(*cases: Case) -> tuple[Finding, ...]:
    partial = Partial(rules.PARTLY_FAILING, rules.FAMILY_FAILING)
    return summarise(
        tuple(case.walked() for case in cases), tuple(case.findings() for case in cases), partial
    )


def test_a_part_that_fails_is_a_warning_with_its_share() -> None:
    dead, fine = ended(Phase.CONNECT, Reason.REFUSED), Case(address="192.31.196.2")
    found = together(dead, fine)
    quiet(rules.UNREACHABLE, found)
    quiet(rules.FAMILY_FAILING, found)
    assert fires(rules.PARTLY_FAILING, found).detail.startswith("1 of 2 addresses fail")
    both = together(dead, replace(dead, address="192.31.196.2"))
    quiet(rules.PARTLY_FAILING, both)
    fires(rules.UNREACHABLE, both)


def test_a_family_that_fails_is_told_as_such() -> None:
    found = together(replace(ended(Phase.CONNECT, Reason.TIMEOUT), address="2001:db8::1"), Case())
    assert "IPv6" in fires(rules.FAMILY_FAILING, found).detail
