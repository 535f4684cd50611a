"""What would Exchange Online make of a smart host, as the connector tells it to look?

A walk is one session with one address of one smart host. Each fault is said in the words of an
administrator and with the code that Exchange Online would show in its queue, so that a search for
what the portal says leads here. How strict to be follows the connector's TlsSettings: what
Exchange does not look at cannot make it refuse.
"""

import enum
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from agent.domain import connector_rules as rules
from agent.domain.diagnosis import Diagnosis, diagnose
from agent.domain.finding import Finding, Rule, Severity
from agent.domain.knowledge.exchange_tls import EXCHANGE_CIPHERS, EXCHANGE_VERSIONS
from agent.domain.knowledge.reply import ReplyClass
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Accepted, Phase, Reason, Refused, Unreached
from agent.domain.smtp_reply import Reply
from agent.domain.tls import Fault, Flaw, judge
from agent.domain.walk import Walked, words_of

TlsSettings = Literal["none", "encryption-only", "certificate-validation", "domain-validation"]

_CERTIFICATE_WANTED = "client certificate"  # as Postfix says it, with 421
_WITH_OTHER_CIPHERS = "TLSv1.2"  # those of TLS 1.3 are all accepted


class Again(enum.Enum):
    """Why a host is walked a second time."""

    AS_EXCHANGE = "with the ciphers that Exchange Online offers"
    IN_THE_CLEAR = "without TLS, because TLS fails and is not demanded"


@dataclass(frozen=True, slots=True)
class Promise:
    """What the connector asks of its smart hosts.

    ``is_by_dane`` where the certificate is held against DNS, so that its name, issuer and time
    count for nothing (RFC 7672 section 3.1.1).
    """

    tls_settings: TlsSettings
    tls_domain: str | None = None
    warn_before: timedelta = timedelta(days=30)
    is_by_dane: bool = False


def examine(walked: Walked, promise: Promise, at: datetime) -> tuple[Finding, ...]:
    """Return all that is wrong with one walk."""
    findings = [*_dialogue(walked, promise), *_encryption(walked, promise, at)]
    if walked.tls_failure is not None:
        detail = f"{walked.place}: {words_of(walked.tls_failure)}"
        findings.append(rules.TLS_BROKEN.found(detail))
    if "XXXXXX" in walked.clear_text or "******" in walked.clear_text:
        findings.append(rules.INSPECTED.found(f"{walked.place}: {PeerText(walked.clear_text)}"))
    return tuple(findings)


def examine_relaying(walked: Walked) -> tuple[Finding, ...]:
    """Return what is wrong where a foreign recipient was named on purpose, and nothing else."""
    taken = [f"{to}: {reply.text}" for to, reply in walked.recipients if not reply.is_negative]
    return tuple(rules.OPEN_RELAY.found(f"{walked.place} takes {each}") for each in taken)


def looks_again(walked: Walked, promise: Promise) -> Again | None:
    """Tell how Exchange Online would go on where the first session does not settle it.

    A server may agree with us on a cipher that Exchange does not offer, and on another with
    Exchange. Without TlsSettings, Exchange delivers in the clear where TLS fails.
    """
    if walked.tls_version == _WITH_OTHER_CIPHERS and walked.tls_cipher not in EXCHANGE_CIPHERS:
        return Again.AS_EXCHANGE
    if promise.tls_settings == "none" and _is_broken_tls(walked):
        return Again.IN_THE_CLEAR
    return None


def _is_broken_tls(walked: Walked) -> bool:
    """Tell whether TLS ended the session, for a cause of which a session without it is free."""
    match walked.dialogue:
        case Refused(phase=Phase.STARTTLS):
            return True
        case Unreached(phase=Phase.CERTIFICATE, reason=reason):
            return reason not in (Reason.TLS_INJECTION, Reason.TIMEOUT, Reason.CLIENT_CERTIFICATE)
    return bool(walked.tls_version) and walked.tls_version not in EXCHANGE_VERSIONS


def joined(first: Walked, as_exchange: Walked) -> Walked:
    """Return what Exchange Online would see, with what the *first* session learned.

    Where no cipher is shared a server ends the handshake with or without a word; the first one
    succeeded, so that is the cause.
    """
    dialogue = as_exchange.dialogue
    match dialogue:
        case Unreached(Phase.CERTIFICATE, Reason.TLS_HANDSHAKE | Reason.CONNECTION_LOST):
            detail = f"it takes {first.tls_cipher}, and no cipher that Exchange Online offers"
            dialogue = Unreached(Phase.CERTIFICATE, Reason.TLS_VERSION, detail)
    return replace(as_exchange, dialogue=dialogue, presented=first.presented, chain=first.chain)


def failure_of_tls(walked: Walked) -> Refused | Unreached:
    """Return how TLS ended a session of which :func:`looks_again` says that it did."""
    if isinstance(walked.dialogue, Accepted):
        detail = f"it speaks {walked.tls_version} at most"
        return Unreached(Phase.CERTIFICATE, Reason.TLS_VERSION, detail)
    return walked.dialogue


def _dialogue(walked: Walked, promise: Promise) -> list[Finding]:
    dialogue = walked.dialogue
    if isinstance(dialogue, Accepted):
        return []
    if isinstance(dialogue, Unreached):
        return [_unreached(walked, dialogue, promise)]
    if dialogue.phase is Phase.STARTTLS:
        rule = _by_demand(rules.HANDSHAKE_FAILED, rules.TLS_BROKEN, promise)
        return [rule.found(f"{walked.place} refuses STARTTLS: {dialogue.reply.text}")]
    if walked.is_throttled or dialogue.phase is not Phase.RCPT:
        return [_refused(walked, walked.place, dialogue)]
    return [
        _refused(walked, f"{walked.place}, {recipient}", Refused(Phase.RCPT, reply))
        for recipient, reply in walked.recipients
        if reply.is_negative
    ]


def _refused(walked: Walked, who: str, refused: Refused) -> Finding:
    reply, phase = refused.reply, refused.phase
    diagnosis = diagnose(reply)
    rule = _rule_of_refusal(phase, reply, diagnosis)
    rule = _throttled(walked) if rule is rules.THROTTLED else rule
    return rule.found(f"{who}: {reply.text} (phase {phase})", *diagnosis.advice)


def _throttled(walked: Walked) -> Rule:
    """Return the rule for a limit, which is no fault until it lasts."""
    lasting = walked.throttled_for
    is_long = lasting is not None and lasting >= rules.THROTTLED_TOO_LONG
    return rules.THROTTLED_LASTING if is_long else rules.THROTTLED


def _rule_of_refusal(phase: Phase, reply: Reply, diagnosis: Diagnosis) -> Rule:
    if _CERTIFICATE_WANTED in reply.text.lower():
        return rules.CLIENT_CERTIFICATE
    # Postfix says by default that relaying is denied for now; it stays so.
    if reply.is_transient and diagnosis.reply_class is not ReplyClass.RELAY:
        return rules.THROTTLED if diagnosis.is_throttle else rules.DEFERRED
    return rules.RECIPIENT_REFUSED if phase is Phase.RCPT else rules.SESSION_REFUSED


_BY_REASON = {
    Reason.UNRESOLVED: rules.UNRESOLVED,
    Reason.REFUSED: rules.REFUSED,
    Reason.CONNECTION_LOST: rules.CONNECTION_LOST,
    Reason.PROTOCOL: rules.PROTOCOL,
    Reason.TLS_INJECTION: rules.INJECTED,
    Reason.TLS_NOT_OFFERED: rules.STARTTLS_MISSING,
    Reason.CLIENT_CERTIFICATE: rules.CLIENT_CERTIFICATE,
}


def _unreached(walked: Walked, unreached: Unreached, promise: Promise) -> Finding:
    phase, reason = unreached.phase, unreached.reason
    more = f": {unreached.detail}" if unreached.detail else ""
    is_held = reason is Reason.HELD_BACK
    rule = _throttled(walked) if is_held else _rule_of(phase, reason, promise)
    return rule.found(f"{walked.place}: {reason} at phase {phase}{more}")


def _rule_of(phase: Phase, reason: Reason, promise: Promise) -> Rule:
    if reason.is_ours and reason not in _BY_REASON:
        return rules.NOT_TRIED
    if reason is Reason.TLS_VERSION:
        return _by_demand(rules.TLS_TOO_OLD, rules.TLS_BROKEN, promise)
    if phase is Phase.CERTIFICATE and reason not in (
        Reason.TLS_INJECTION,
        Reason.CLIENT_CERTIFICATE,
    ):
        return _by_demand(rules.HANDSHAKE_FAILED, rules.TLS_BROKEN, promise)
    if reason is Reason.TIMEOUT:
        return rules.TIMED_OUT if phase is Phase.CONNECT else rules.STALLED
    return _BY_REASON.get(reason, rules.PROTOCOL)


def _by_demand(demanded: Rule, optional: Rule, promise: Promise) -> Rule:
    """Without TlsSettings Exchange Online falls back to plain text."""
    return optional if promise.tls_settings == "none" else demanded


def _encryption(walked: Walked, promise: Promise, at: datetime) -> list[Finding]:
    if not walked.tls_version:
        is_plain = isinstance(walked.dialogue, Accepted) and walked.tls_failure is None
        return (
            [rules.PLAINTEXT.found(f"{walked.place} takes mail in the clear")] if is_plain else []
        )
    findings = []
    if walked.tls_version not in EXCHANGE_VERSIONS:
        detail = f"{walked.place} speaks {walked.tls_version} at most"
        findings.append(_by_demand(rules.TLS_TOO_OLD, rules.TLS_BROKEN, promise).found(detail))
    if walked.presented is not None and not promise.is_by_dane:
        faults = judge(
            walked.presented, expected=promise.tls_domain, at=at, soon=promise.warn_before
        )
        findings += [_certificate(walked.place, fault, promise) for fault in faults]
    return findings


_BY_FLAW = {
    Flaw.EXPIRED: rules.EXPIRED,
    Flaw.NOT_YET_VALID: rules.EXPIRED,
    Flaw.EXPIRES_SOON: rules.EXPIRES_SOON,
    Flaw.NAME_MISMATCH: rules.NAME_MISMATCH,
    Flaw.NAME_AMBIGUOUS: rules.NAME_AMBIGUOUS,
    Flaw.SELF_SIGNED: rules.UNTRUSTED,
    Flaw.INCOMPLETE_CHAIN: rules.UNTRUSTED,
    Flaw.UNTRUSTED: rules.UNTRUSTED,
    Flaw.WEAK_KEY: rules.WEAK,
    Flaw.WEAK_SIGNATURE: rules.WEAK,
    Flaw.REVOKED: rules.REVOKED,
    Flaw.STALE_STAPLE: rules.STALE_STAPLE,
    Flaw.NOT_FOR_SERVERS: rules.WRONG_PURPOSE,
}


def _certificate(place: str, fault: Fault, promise: Promise) -> Finding:
    rule = _BY_FLAW[fault.flaw]
    is_looked_at = promise.tls_settings in ("certificate-validation", "domain-validation")
    if rule.severity is Severity.CRITICAL and not is_looked_at:
        rule = rules.UNVALIDATED  # Exchange Online does not look; a person should
    return rule.found(f"{place}: {fault.flaw}, {fault.detail}")
