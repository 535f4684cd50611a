"""Would Exchange Online attribute this server's mail to the tenant, and relay it?

Mail that comes in over an inbound connector is told by the certificate that the sending server
shows, or by its address. What was shown and what was answered is judged here, by the rules that
Exchange Online has had since November 2023: the certificate or the address must be the connector's,
and the certificate's domain or the sender's an accepted domain of the tenant.
"""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.domain import inbound_rules as rules
from agent.domain.diagnosis import diagnose
from agent.domain.finding import Finding, Rule
from agent.domain.knowledge.reply import ReplyClass
from agent.domain.smtp import Accepted, Phase, Reason, Refused, Unreached
from agent.domain.smtp_reply import Reply
from agent.domain.tls import Flaw, Presented, is_for, judge
from agent.domain.walk import Walked

_PARTNER_RESTRICTS = "5.7.51"


class Case(enum.StrEnum):
    """What a session tries: a closed set, fit for a label value."""

    RECIPIENT = "recipient"  # a mailbox of the tenant, which must be accepted
    RELAY = "relay"  # a stranger, accepted only where the connector relays
    IMPOSTOR = "impostor"  # a stranger, with a certificate that nobody vouches for


@dataclass(frozen=True, slots=True)
class Promise:
    """What the connector is meant to do.

    ``is_sender`` is true where this machine shows the connector's certificate or has its address,
    so that what Exchange answers is what the sending server would be answered.
    """

    certificate_name: str | None
    accepted_domains: tuple[str, ...]
    mail_from: str
    relays: bool
    is_sender: bool
    warn_before: timedelta = timedelta(days=30)


_BY_FLAW = {
    Flaw.EXPIRED: rules.EXPIRED,
    Flaw.NOT_YET_VALID: rules.EXPIRED,
    Flaw.EXPIRES_SOON: rules.EXPIRES_SOON,
    Flaw.NAME_MISMATCH: rules.NAME_MISMATCH,
    Flaw.NAME_AMBIGUOUS: rules.NAME_AMBIGUOUS,
    Flaw.SELF_SIGNED: rules.UNTRUSTED,
    Flaw.INCOMPLETE_CHAIN: rules.UNTRUSTED,
    Flaw.UNTRUSTED: rules.UNTRUSTED,
}


def examine_certificate(shown: Presented, promise: Promise, at: datetime) -> tuple[Finding, ...]:
    """Return what is wrong with the certificate that the sending server shows."""
    faults = judge(shown, expected=promise.certificate_name, at=at, soon=promise.warn_before)
    findings = [
        _BY_FLAW[fault.flaw].found(f"the certificate of {shown.leaf.subject}: {fault.detail}")
        for fault in faults
        if fault.flaw in _BY_FLAW
    ]
    if not is_for(shown.leaf, "clientAuth"):
        purposes = ", ".join(shown.leaf.purposes)
        findings.append(rules.WRONG_PURPOSE.found(f"it is only for {purposes}"))
    return tuple(findings)


def examine_domains(promise: Promise) -> tuple[Finding, ...]:
    """Return what is wrong with the domains that attribution goes by, where relaying is wanted."""
    accepted = {domain.lower() for domain in promise.accepted_domains}
    sender = promise.mail_from.rpartition("@")[2].lower()
    if not promise.relays or not accepted or promise.certificate_name is None:
        return ()
    name = promise.certificate_name.lower().removeprefix("*.")
    if name in accepted:
        return ()
    if any(name.endswith(f".{domain}") for domain in accepted):
        return (rules.PARENT_ONLY.found(f"{name} itself is not accepted"),)
    if sender in accepted:
        return ()
    said = f" nor {sender}" if sender else ""
    return (rules.NOT_ACCEPTED.found(f"not {name}{said} is among {', '.join(sorted(accepted))}"),)


def examine(case: Case, walked: Walked, promise: Promise) -> tuple[Finding, ...]:
    """Return what is wrong with one session."""
    if walked.asked is False and case is not Case.IMPOSTOR:
        return (rules.NOT_ASKED.found(f"{walked.place} asks for no certificate"),)
    dialogue = walked.dialogue
    if isinstance(dialogue, Accepted):
        return _accepted(case, walked, promise)
    if isinstance(dialogue, Refused):
        return _refused(case, walked.place, dialogue, promise)
    return () if case is Case.IMPOSTOR else (_unreached(walked.place, dialogue),)


def _accepted(case: Case, walked: Walked, promise: Promise) -> tuple[Finding, ...]:
    if case is Case.RECIPIENT or (case is Case.RELAY and promise.relays):
        return ()
    rule = rules.IMPOSTOR if case is Case.IMPOSTOR else rules.RELAYS
    taken = ", ".join(f"{to}: {reply.text}" for to, reply in walked.recipients)
    return (rule.found(f"{walked.place} takes {taken}"),)


def _unreached(place: str, unreached: Unreached) -> Finding:
    more = f": {unreached.detail}" if unreached.detail else ""
    detail = f"{place}: {unreached.reason} at phase {unreached.phase}{more}"
    if unreached.reason is Reason.HELD_BACK:
        return rules.THROTTLED.found(detail)
    if unreached.reason is Reason.TLS_NOT_OFFERED:
        return rules.TLS_STRIPPED.found(detail)
    is_tls = unreached.phase in (Phase.STARTTLS, Phase.CERTIFICATE, Phase.EHLO_AGAIN)
    is_ours = unreached.reason.is_ours or unreached.reason is Reason.TIMEOUT
    return (rules.TLS_FAILED if is_tls and not is_ours else rules.NOT_REACHED).found(detail)


def _refused(case: Case, place: str, refused: Refused, promise: Promise) -> tuple[Finding, ...]:
    reply, phase = refused.reply, refused.phase
    detail = f"{place}: {reply.text} (phase {phase})"
    advice = diagnose(reply).advice
    if rule := _hindrance(phase, reply):
        return () if case is Case.IMPOSTOR else (rule.found(detail, *advice),)
    if case is Case.IMPOSTOR or (case is Case.RELAY and not promise.relays):
        return ()
    if not promise.is_sender and (case is Case.RELAY or _is_restricted(reply)):
        return ()  # this machine is a stranger there, and strangers are to be refused
    if case is Case.RELAY:
        return (rules.RELAY_DENIED.found(detail, *advice),)
    rule = rules.RESTRICTED if _is_restricted(reply) else rules.RECIPIENT_REFUSED
    return (rule.found(detail, *advice),)


def _hindrance(phase: Phase, reply: Reply) -> Rule | None:
    """Return the rule for a refusal that says nothing of connector or recipient."""
    diagnosis = diagnose(reply)
    if diagnosis.reply_class is ReplyClass.REPUTATION:
        return rules.BANNED
    if reply.is_transient and diagnosis.reply_class is not ReplyClass.RELAY:
        return rules.THROTTLED if diagnosis.is_throttle else rules.DEFERRED
    is_about_rights = diagnosis.reply_class is ReplyClass.RELAY
    if phase in (Phase.MAIL, Phase.RCPT) or is_about_rights:
        return None
    return rules.TLS_FAILED if phase is Phase.STARTTLS else rules.SESSION_REFUSED


def _is_restricted(reply: Reply) -> bool:
    return reply.enhanced == _PARTNER_RESTRICTS
