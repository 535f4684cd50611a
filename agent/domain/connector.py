"""What would Exchange Online make of a smart host, as the connector tells it to look?

A walk is one session with one address of one smart host. Each fault is said in the words of an
administrator and with the code that Exchange Online would show in its queue, so that a search for
what the portal says leads here. How strict to be follows the connector's TlsSettings: what
Exchange does not look at cannot make it refuse.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from agent.domain import connector_rules as rules
from agent.domain.finding import Finding, Rule, Severity
from agent.domain.knowledge.exchange_tls import EXCHANGE_VERSIONS
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Accepted, Phase, Reason, Unreached
from agent.domain.smtp_reply import Reply
from agent.domain.tls import Fault, Flaw, judge
from agent.domain.walk import Walked

TlsSettings = Literal["none", "encryption-only", "certificate-validation", "domain-validation"]

_THROTTLES = ("4.3.2", "4.5.3", "4.7.500", "4.7.850")  # the first of their ranges


@dataclass(frozen=True, slots=True)
class Promise:
    """What the connector asks of its smart hosts."""

    tls_settings: TlsSettings
    tls_domain: str | None = None
    warn_before: timedelta = timedelta(days=30)


def examine(walked: Walked, promise: Promise, at: datetime) -> tuple[Finding, ...]:
    """Return all that is wrong with one walk."""
    findings = [*_dialogue(walked, promise), *_encryption(walked, promise, at)]
    if "XXXXXX" in walked.clear_text or "******" in walked.clear_text:
        findings.append(rules.INSPECTED.found(f"{walked.place}: {PeerText(walked.clear_text)}"))
    return tuple(findings)


def _dialogue(walked: Walked, promise: Promise) -> list[Finding]:
    dialogue = walked.dialogue
    if isinstance(dialogue, Accepted):
        return []
    if isinstance(dialogue, Unreached):
        return [_unreached(walked.place, dialogue, promise)]
    if dialogue.phase is Phase.STARTTLS:
        rule = _by_demand(rules.HANDSHAKE_FAILED, rules.TLS_BROKEN, promise)
        return [rule.found(f"{walked.place} refuses STARTTLS: {dialogue.reply.text}")]
    if dialogue.phase is not Phase.RCPT:
        return [_refused(walked.place, dialogue.phase, dialogue.reply)]
    return [
        _refused(f"{walked.place}, {recipient}", Phase.RCPT, reply)
        for recipient, reply in walked.recipients
        if reply.is_negative
    ]


def _refused(who: str, phase: Phase, reply: Reply) -> Finding:
    detail = f"{who}: {reply.text} (phase {phase})"
    if reply.code == 421 or (reply.is_transient and _is_throttle(reply.enhanced)):  # noqa: PLR2004
        return rules.THROTTLED.found(detail)
    if reply.is_transient:
        return rules.DEFERRED.found(detail)
    if phase is Phase.RCPT:
        return rules.RECIPIENT_REFUSED.found(detail)
    return rules.SESSION_REFUSED.found(detail)


def _is_throttle(enhanced: str) -> bool:
    if enhanced in _THROTTLES:
        return True
    prefix, _, last = enhanced.rpartition(".")
    return prefix == "4.7" and (500 <= int(last) <= 699 or 850 <= int(last) <= 899)  # noqa: PLR2004


_BY_REASON = {
    Reason.UNRESOLVED: rules.UNRESOLVED,
    Reason.REFUSED: rules.REFUSED,
    Reason.CONNECTION_LOST: rules.CONNECTION_LOST,
    Reason.PROTOCOL: rules.PROTOCOL,
    Reason.TLS_INJECTION: rules.INJECTED,
}


def _unreached(place: str, unreached: Unreached, promise: Promise) -> Finding:
    phase, reason = unreached.phase, unreached.reason
    more = f": {unreached.detail}" if unreached.detail else ""
    detail = f"{place}: {reason} at phase {phase}{more}"
    if reason.is_ours:
        return rules.NOT_TRIED.found(detail)
    if reason is Reason.TLS_NOT_OFFERED:
        return rules.STARTTLS_MISSING.found(f"{place} does not offer STARTTLS")
    if phase is Phase.CERTIFICATE and reason is not Reason.TLS_INJECTION:
        return _by_demand(rules.HANDSHAKE_FAILED, rules.TLS_BROKEN, promise).found(detail)
    if reason is Reason.TIMEOUT:
        rule = rules.TIMED_OUT if phase is Phase.CONNECT else rules.STALLED
        return rule.found(detail)
    return _BY_REASON.get(reason, rules.PROTOCOL).found(detail)


def _by_demand(demanded: Rule, optional: Rule, promise: Promise) -> Rule:
    """Without TlsSettings Exchange Online falls back to plain text."""
    return optional if promise.tls_settings == "none" else demanded


def _encryption(walked: Walked, promise: Promise, at: datetime) -> list[Finding]:
    if not walked.tls_version:
        is_plain = isinstance(walked.dialogue, Accepted)
        return (
            [rules.PLAINTEXT.found(f"{walked.place} takes mail in the clear")] if is_plain else []
        )
    findings = []
    if walked.tls_version not in EXCHANGE_VERSIONS:
        detail = f"{walked.place} speaks {walked.tls_version} at most"
        findings.append(_by_demand(rules.TLS_TOO_OLD, rules.TLS_BROKEN, promise).found(detail))
    if walked.presented is not None:
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


def summarise(examined: tuple[tuple[Finding, ...], ...]) -> tuple[Finding, ...]:
    """Make one list of the findings of all walks: one for each rule, the rest as evidence.

    Where some addresses work, Exchange Online delivers to those: what is critical at the others
    becomes one warning that says the share.
    """
    broken = [_worst(findings) is Severity.CRITICAL for findings in examined]
    working = [_worst(findings) < Severity.UNKNOWN for findings in examined]
    merged = _merge([finding for findings in examined for finding in findings])
    if not (any(broken) and any(working)):
        return merged
    failing = [each for each in merged if each.severity is Severity.CRITICAL]
    rest = tuple(each for each in merged if each.severity is not Severity.CRITICAL)
    evidence = [line for each in failing for line in (each.detail, *each.evidence)]
    detail = f"{sum(broken)} of {len(examined)} addresses fail"
    return (rules.PARTLY_FAILING.found(detail, *evidence), *rest)


def _worst(findings: tuple[Finding, ...]) -> Severity:
    return max((finding.severity for finding in findings), default=Severity.OK)


def _merge(findings: list[Finding]) -> tuple[Finding, ...]:
    by_rule: dict[Rule, list[str]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding.detail)
    return tuple(
        rule.found(details[0], *(*details[1:], *_in_exchange(rule)))
        for rule, details in by_rule.items()
    )


def _in_exchange(rule: Rule) -> tuple[str, ...]:
    words = rules.IN_EXCHANGE.get(rule.code)
    return (f"Exchange Online: {words}",) if words else ()
