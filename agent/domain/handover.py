"""What came of handing a message over?"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.domain.diagnosis import Diagnosis, diagnose
from agent.domain.smtp import Accepted, Dialogue, Phase, Reason, Refused, Unreached

_UNKNOWN = Diagnosis()


class Fate(enum.StrEnum):
    """What is known of a message right after it was handed over: a closed set."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEFERRED = "deferred"  # before anything was taken, so that it may be sent again
    UNREACHED = "unreached"
    UNCERTAIN = "uncertain"  # it may have been taken
    OURS = "ours"  # for a reason on this side it was certainly not sent


@dataclass(frozen=True, slots=True)
class Handed:
    """What came of it, with what was said, printable, and the seconds of each phase.

    ``reason`` is one of a closed set where the cause is on our side; ``silence`` tells that DNS
    could not say; ``via`` is the server that decided, where there was a choice; ``diagnosis`` is
    what is known of the reply that decided.
    """

    fate: Fate
    detail: str
    reason: str = ""
    silence: bool = False
    via: str = ""
    diagnosis: Diagnosis = _UNKNOWN
    timings: Mapping[str, float] = field(default_factory=dict)
    transcript: tuple[str, ...] = ()


def judge(
    dialogue: Dialogue,
    timings: Mapping[Phase, float],
    transcript: tuple[str, ...] = (),
    *,
    via: str = "",
) -> Handed:
    """Return what an SMTP dialogue, in which a message was sent, came to."""
    fate, detail, reason, diagnosis = _verdict(dialogue)
    if diagnosis.advice:
        detail = f"{detail} ({' '.join(diagnosis.advice)})"
    return Handed(
        fate,
        f"{via}: {detail}" if via and fate is not Fate.ACCEPTED else detail,
        reason=reason,
        silence=isinstance(dialogue, Unreached) and dialogue.reason is Reason.DNS_UNANSWERED,
        via=via,
        diagnosis=diagnosis,
        timings={phase.value: seconds for phase, seconds in timings.items()},
        transcript=transcript,
    )


def _verdict(dialogue: Dialogue) -> tuple[Fate, str, str, Diagnosis]:
    """Return fate, detail, reason of ours, and what is known of the reply."""
    match dialogue:
        case Accepted(reply):
            return Fate.ACCEPTED, reply.text, "", _UNKNOWN
        case Refused(phase, reply):
            known = diagnose(reply)
            fate = Fate.DEFERRED if reply.is_transient else Fate.REFUSED
            if phase is Phase.AUTH:
                # The login is ours: of the way of mail behind it nothing is known.
                return Fate.OURS, f"at {phase}: {reply.text}", "login", known
            return fate, f"at {phase}: {reply.text}", "", known
    words = f"at {dialogue.phase}: {dialogue.reason} {dialogue.detail}".rstrip()
    if dialogue.is_uncertain:
        return Fate.UNCERTAIN, words, "uncertain", _UNKNOWN
    if dialogue.reason.is_ours:
        return Fate.OURS, words, dialogue.reason.value, _UNKNOWN
    return Fate.UNREACHED, words, "", _UNKNOWN
