"""Does an exchange take mail from the world, safely and under its own name?

An exchange is met as any sender meets it: TLS where it is offered, no certificate demanded. What a
strict sender would stumble over is a warning; that nobody gets in is critical.
"""

import re
from datetime import datetime, timedelta

from agent.domain import exchange_rules as rules
from agent.domain.diagnosis import diagnose
from agent.domain.finding import Finding, Rule
from agent.domain.knowledge.exchange_tls import EXCHANGE_VERSIONS
from agent.domain.peer_text import PeerText
from agent.domain.reverse import Reversal, Reversed
from agent.domain.smtp import Accepted, Phase, Reason, Refused, Unreached
from agent.domain.tls import Flaw, judge
from agent.domain.walk import Walked

_TLS_PHASES = (Phase.STARTTLS, Phase.CERTIFICATE, Phase.EHLO_AGAIN)
# RFC 5321 section 4.2: a domain or an address literal comes first in the greeting.
_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\.?|\[[0-9A-Fa-f:.]+\]")


def examine(walked: Walked, at: datetime, soon: timedelta) -> tuple[Finding, ...]:
    """Return all that is wrong with one walk. *soon* is how long before its end to warn."""
    return (*_dialogue(walked), *_encryption(walked, at, soon), *_greeting(walked))


def examine_reverse(place: str, found: Reversed) -> tuple[Finding, ...]:
    """Return what is wrong with the names that an address leads to."""
    if found.reversal is Reversal.MISSING:
        return (rules.NO_REVERSE_NAME.found(f"{place}: there is no PTR record"),)
    if found.reversal is Reversal.UNCONFIRMED:
        names = ", ".join(map(PeerText, found.names[:3]))
        return (rules.REVERSE_MISMATCH.found(f"{place}: {names} has other addresses"),)
    return ()


def _dialogue(walked: Walked) -> list[Finding]:
    dialogue, place = walked.dialogue, walked.place
    if isinstance(dialogue, Accepted):
        return []
    if isinstance(dialogue, Unreached):
        more = f": {dialogue.detail}" if dialogue.detail else ""
        detail = f"{place}: {dialogue.reason} at phase {dialogue.phase}{more}"
        return [_rule_of(walked, dialogue).found(detail)]
    if dialogue.phase is Phase.RCPT:
        return [
            _refused(walked, f"{place}, {recipient}", Refused(Phase.RCPT, reply))
            for recipient, reply in walked.recipients
            if reply.is_negative
        ]
    return [_refused(walked, place, dialogue)]


def _rule_of(walked: Walked, dialogue: Unreached) -> Rule:
    if dialogue.reason is Reason.HELD_BACK:
        return _throttled(walked)
    if dialogue.reason is Reason.CLIENT_CERTIFICATE:
        return rules.TLS_BROKEN  # no sender of the world has one
    if dialogue.reason.is_ours:
        return rules.NOT_TRIED
    return rules.TLS_BROKEN if dialogue.phase in _TLS_PHASES else rules.UNREACHABLE


def _throttled(walked: Walked) -> Rule:
    lasting = walked.throttled_for
    is_long = lasting is not None and lasting >= rules.THROTTLED_TOO_LONG
    return rules.THROTTLED_LASTING if is_long else rules.THROTTLED


def _refused(walked: Walked, who: str, refused: Refused) -> Finding:
    reply, phase = refused.reply, refused.phase
    diagnosis = diagnose(reply)
    if phase is Phase.STARTTLS:
        rule = rules.TLS_BROKEN
    elif diagnosis.is_throttle:
        rule = _throttled(walked)
    elif phase is not Phase.RCPT:
        rule = rules.REFUSES_US
    else:
        rule = rules.DEFERRED if reply.is_transient else rules.RECIPIENT_REFUSED
    return rule.found(f"{who}: {reply.text} (phase {phase})", *diagnosis.advice)


_BY_FLAW = {
    Flaw.EXPIRED: rules.EXPIRED,
    Flaw.NOT_YET_VALID: rules.EXPIRED,
    Flaw.EXPIRES_SOON: rules.EXPIRES_SOON,
    Flaw.NAME_MISMATCH: rules.NAME_MISMATCH,
    Flaw.NAME_AMBIGUOUS: rules.NAME_MISMATCH,
    Flaw.SELF_SIGNED: rules.UNTRUSTED,
    Flaw.INCOMPLETE_CHAIN: rules.UNTRUSTED,
    Flaw.UNTRUSTED: rules.UNTRUSTED,
    Flaw.NOT_FOR_SERVERS: rules.UNTRUSTED,
    Flaw.WEAK_KEY: rules.WEAK,
    Flaw.WEAK_SIGNATURE: rules.WEAK,
    Flaw.REVOKED: rules.REVOKED,
    Flaw.STALE_STAPLE: rules.REVOKED,
}


def _encryption(walked: Walked, at: datetime, soon: timedelta) -> list[Finding]:
    place = walked.place
    if not walked.tls_version:
        is_plain = isinstance(walked.dialogue, Accepted) or _has_come_to_mail(walked)
        detail = f"{place} offers no STARTTLS"
        return [rules.STARTTLS_MISSING.found(detail)] if is_plain else []
    findings = []
    if walked.tls_version not in EXCHANGE_VERSIONS:
        findings.append(rules.TLS_TOO_OLD.found(f"{place} speaks {walked.tls_version} at most"))
    if walked.presented is not None:
        for fault in judge(walked.presented, expected=walked.host, at=at, soon=soon):
            detail = f"{place}: {fault.flaw}, {fault.detail}"
            findings.append(_BY_FLAW[fault.flaw].found(detail))
    return findings


def _has_come_to_mail(walked: Walked) -> bool:
    """Tell whether the session went past the place where TLS would have begun."""
    dialogue = walked.dialogue
    return not isinstance(dialogue, Accepted) and dialogue.phase in (Phase.MAIL, Phase.RCPT)


def _greeting(walked: Walked) -> list[Finding]:
    if "XXXXXX" in walked.clear_text or "******" in walked.clear_text:
        return [rules.INSPECTED.found(f"{walked.place}: {PeerText(walked.clear_text)}")]
    if not walked.greeting:
        return []
    _, _, text = walked.greeting.partition(" ")  # behind the code
    if _NAME.fullmatch(text.partition(" ")[0]):
        return []
    return [rules.BANNER.found(f"{walked.place} greets with: {walked.greeting}")]
