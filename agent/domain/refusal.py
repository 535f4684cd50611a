"""Was a door found shut, and for the right reason?

A refusal proves a lock only when it is the lock that refused: a banned address or an unknown
recipient is refused whatever the connectors say.
"""

import enum

from agent.domain import refusal_rules as rules
from agent.domain.diagnosis import diagnose
from agent.domain.finding import Finding
from agent.domain.knowledge.reply import ReplyClass
from agent.domain.smtp import Phase, Reason, Refused, Unreached
from agent.domain.walk import Walked, words_of


class Case(enum.StrEnum):
    """What a session tries, and must not get: a closed set, fit for a label value."""

    BYPASS = "bypass"  # a stranger writes to a mailbox, past the filter
    DIRECT_SEND = "direct-send"  # a stranger writes to a mailbox in the domain's own name
    OWN_DOMAIN = "own-domain"  # somebody writes to strangers in the domain's own name
    OPEN_RELAY = "open-relay"  # a stranger writes to strangers

    @property
    def is_relaying(self) -> bool:
        """True where the recipient is a stranger."""
        return self in (Case.OWN_DOMAIN, Case.OPEN_RELAY)


_OPEN = {
    Case.BYPASS: rules.BYPASSED,
    Case.DIRECT_SEND: rules.DIRECT_SEND,
    Case.OWN_DOMAIN: rules.OWN_DOMAIN_RELAYED,
    Case.OPEN_RELAY: rules.OPEN_RELAY,
}
_SAYS_NOTHING = frozenset({ReplyClass.REPUTATION, ReplyClass.THROTTLE, ReplyClass.IPV6})


def examine(case: Case, walked: Walked) -> tuple[Finding, ...]:
    """Return what is wrong with one session, which had to be refused."""
    dialogue, place = walked.dialogue, walked.place
    taken = [(to, reply) for to, reply in walked.recipients if not reply.is_negative]
    if taken:
        said = ", ".join(f"{to}: {reply.text}" for to, reply in taken)
        return (_OPEN[case].found(f"{place} takes {said}"),)
    if isinstance(dialogue, Unreached):
        if dialogue.reason is Reason.HELD_BACK:
            return (rules.INCONCLUSIVE.found(f"{place}: {words_of(dialogue)}"),)
        if case is Case.OPEN_RELAY and not dialogue.reason.is_ours:
            return ()  # who takes no session relays for nobody; that it is down is told elsewhere
        return (rules.NOT_TRIED.found(f"{place}: {words_of(dialogue)}"),)
    if isinstance(dialogue, Refused) and not _is_lock(case, dialogue):
        advice = diagnose(dialogue.reply).advice
        return (rules.INCONCLUSIVE.found(f"{place}: {words_of(dialogue)}", *advice),)
    return ()


def is_shut(case: Case, walked: Walked) -> bool | None:
    """Tell whether the door was found shut; None where it could not be told."""
    findings = examine(case, walked)
    if not findings:
        return True if isinstance(walked.dialogue, Refused) else None
    return False if findings[0].rule is _OPEN[case] else None


def _is_lock(case: Case, refused: Refused) -> bool:
    """Tell whether a refusal is the one that was to be seen."""
    reply, known = refused.reply, diagnose(refused.reply).reply_class
    if known in _SAYS_NOTHING or refused.phase not in (Phase.MAIL, Phase.RCPT):
        return False
    if case.is_relaying:
        # Postfix denies relaying with a transient code by default, and it stays so.
        return not reply.is_transient or known is ReplyClass.RELAY
    return not reply.is_transient and known is not ReplyClass.ADDRESS
