"""What do the walks to all addresses of a connector come to, taken together?

Exchange Online tries one address after the other, so a connector of which a part works still
delivers; who repairs it wants to know which part.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agent.domain import connector_rules as rules
from agent.domain import delivery_rules
from agent.domain.finding import Finding, Rule, Severity
from agent.domain.smtp import Accepted
from agent.domain.walk import Walked

# What the queue of Exchange Online shows for the same cause.
IN_EXCHANGE = {
    rules.UNRESOLVED.code: "450 4.4.312 DNS query failed",
    rules.TIMED_OUT.code: "450 4.4.315 Connection timed out",
    rules.STALLED.code: "450 4.4.315 Connection timed out",
    rules.REFUSED.code: "450 4.4.316 Connection refused",
    rules.PROTOCOL.code: "450 4.4.317 Cannot connect to remote server",
    rules.STARTTLS_MISSING.code: "450 4.4.317 Cannot connect to remote server",
    rules.HANDSHAKE_FAILED.code: "450 4.4.317 Cannot connect to remote server",
    rules.TLS_TOO_OLD.code: "450 4.4.317 Cannot connect to remote server",
    rules.CONNECTION_LOST.code: "450 4.4.318 Connection was closed abruptly",
    rules.EXPIRED.code: "450 4.7.320 Certificate validation failed",
    rules.NAME_MISMATCH.code: "450 4.7.320 Certificate validation failed [Message=SubjectMismatch]",
    rules.REVOKED.code: "450 4.7.320 Certificate validation failed",
    rules.WRONG_PURPOSE.code: "450 4.7.320 Certificate validation failed",
    rules.UNTRUSTED.code: "450 4.4.317 Cannot connect to remote server [Message=UntrustedRoot]",
    rules.RECIPIENT_REFUSED.code: "550 5.1.351 or 5.0.350, with the server's reply after the arrow",
    rules.SESSION_REFUSED.code: "550 5.0.350 Remote server returned an error -> the server's reply",
}

IN_EXCHANGE |= delivery_rules.IN_EXCHANGE

Examined = tuple[tuple[Finding, ...], ...]


@dataclass(frozen=True, slots=True)
class Partial:
    """The rules for a part that fails: ``some`` addresses, or a whole address ``family``."""

    some: Rule = rules.PARTLY_FAILING
    family: Rule = rules.FAMILY_FAILING


def summarise(
    seen: tuple[Walked, ...], examined: Examined, partial: Partial = Partial()
) -> tuple[Finding, ...]:
    """Make one list of the findings of all walks: one for each rule, the rest as evidence.

    *examined* has the findings of each walk in *seen*. Where some addresses work, what is critical
    at the others becomes one warning that says the share.
    """
    merged = merge(finding for findings in examined for finding in findings)
    worst = [_worst(findings) for findings in examined]
    broken = [each for each, bad in zip(seen, worst, strict=True) if bad is Severity.CRITICAL]
    working = [each for each, bad in zip(seen, worst, strict=True) if bad < Severity.UNKNOWN]
    if not broken or not working:
        return merged
    failing = [each for each in merged if each.severity is Severity.CRITICAL]
    rest = tuple(each for each in merged if each.severity is not Severity.CRITICAL)
    evidence = [line for each in failing for line in (each.detail, *each.evidence)]
    rule, detail = _share(broken, working, len(seen), partial)
    return (rule.found(detail, *evidence), *rest)


def _share(
    broken: list[Walked], working: list[Walked], tried: int, partial: Partial
) -> tuple[Rule, str]:
    """Say which part fails: a whole address family, whole hosts, or single addresses."""
    detail = f"{len(broken)} of {tried} addresses fail"
    lost = _families(broken) - _families(working)
    if len(lost) == 1 and _families(broken) == lost:
        return partial.family, f"{detail}: all that are IPv{lost.pop()}"
    fine = {each.host for each in working}
    dead = dict.fromkeys(each.host for each in broken if each.host not in fine)
    return partial.some, f"{detail}: all of {', '.join(dead)}" if dead else detail


def _families(seen: Iterable[Walked]) -> set[int]:
    return {each.address.version for each in seen if each.address is not None}


def _worst(findings: tuple[Finding, ...]) -> Severity:
    return max((finding.severity for finding in findings), default=Severity.OK)


def merge(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Make one finding of all that break the same rule, the further ones as evidence."""
    by_rule: dict[Rule, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    return tuple(
        rule.found(
            first.detail,
            *first.evidence,
            *(line for each in others for line in (each.detail, *each.evidence)),
            *_in_exchange(rule),
        )
        for rule, (first, *others) in by_rule.items()
    )


def _in_exchange(rule: Rule) -> tuple[str, ...]:
    words = IN_EXCHANGE.get(rule.code)
    return (f"Exchange Online: {words}",) if words else ()


def verdict(walked: Walked, findings: tuple[Finding, ...]) -> str:
    """Say what Exchange Online would do with a message at this address."""
    worst = max(findings, key=lambda each: each.severity, default=None)
    if worst is not None and worst.severity is Severity.CRITICAL:
        words = IN_EXCHANGE.get(worst.rule.code)
        return f"queue it: {words}" if words else "not deliver it safely"
    if worst is not None and worst.severity is Severity.UNKNOWN:
        return "cannot be told from here"
    if not isinstance(walked.dialogue, Accepted):
        return "queue it and try again"
    return f"deliver it over {walked.tls_version}" if walked.tls_version else "deliver in the clear"
