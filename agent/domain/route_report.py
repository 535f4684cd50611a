"""What do the messages of a route say about it?

Entries and tallies of the ledger in; findings, measurements and tables out.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from agent.domain import route_rules as rules
from agent.domain.fact import Mood, Phase, Table, Walk
from agent.domain.finding import Distribution, Finding, Measurement, Rule
from agent.domain.ledger import FAILURES, UNJUDGED, Entry, State
from agent.domain.smtp import Phase as SmtpPhase
from agent.domain.tally import Tally

TRANSIT = "transit"  # from the server's yes to the arrival

_BY_FAILURE = {
    "refused": rules.REFUSED,
    "deferred": rules.DEFERRED,
    "unreached": rules.UNREACHED,
}
_BY_STATE = {
    State.UNCERTAIN: rules.UNCERTAIN,
    State.LATE: rules.LATE,
    State.LOST: rules.LOST,
    State.JUNKED: rules.JUNKED,
    State.QUARANTINED: rules.QUARANTINED,
    State.BOUNCED: rules.BOUNCED,
    State.LOOPED: rules.LOOPED,
    State.MISROUTED: rules.MISROUTED,
}


def findings(entries: Iterable[Entry], overdue: Iterable[Entry] = ()) -> tuple[Finding, ...]:
    """Return what is wrong with these messages, one finding for each rule they break.

    *overdue* are messages in flight that are late already, whenever they come.
    """
    broken: dict[Rule, dict[str, None]] = {}
    for entry in entries:
        for rule in _broken(entry):
            broken.setdefault(rule, {})[_sentence(entry)] = None
    for entry in overdue:
        broken.setdefault(rules.LATE, {})[_sentence(entry)] = None
    return tuple(
        rule.found(next(iter(lines)) if len(lines) == 1 else f"{len(lines)} messages", *lines)
        for rule, lines in broken.items()
    )


def measurements(tally: Tally) -> tuple[Measurement, ...]:
    """Return the counters and gauges of a route."""
    counts = tally.counts
    stamps = ((rules.LAST_SENT, tally.last_sent), (rules.LAST_DELIVERED, tally.last_delivered))
    return (
        rules.MESSAGES.at(counts["messages"]),
        *(rules.FAILED.at(counts[f"failed {reason}"], reason) for reason in FAILURES),
        *(rules.UNJUDGED_TOTAL.at(counts[f"unjudged {reason}"], reason) for reason in UNJUDGED),
        rules.LATE_TOTAL.at(counts["late"]),
        rules.JUNK_TOTAL.at(counts["junk"]),
        rules.DUPLICATES_TOTAL.at(counts["duplicates"]),
        Measurement(rules.DELIVERY, Distribution(tally.cumulative, tally.duration_sum)),
        rules.IN_FLIGHT.at(tally.in_flight),
        *(signal.at(stamp.timestamp()) for signal, stamp in stamps if stamp is not None),
    )


def constants(
    *, objective: float, within: timedelta, interval: timedelta
) -> tuple[Measurement, ...]:
    """Return what the configuration says about a route, for rules that serve every one."""
    return (
        rules.OBJECTIVE.at(objective),
        rules.DEADLINE.at(within.total_seconds()),
        rules.INTERVAL.at(interval.total_seconds()),
    )


def transit(entry: Entry) -> float | None:
    """Return the seconds from the server's yes to the arrival; None where one is missing."""
    if entry.arrived_at is None or entry.answered_at is None or entry.sent_at is None:
        return None
    # The yes may come after the arrival, where a server hands on before it answers.
    return max(entry.seconds - (entry.answered_at - entry.sent_at).total_seconds(), 0.0)


def walk(timings: Mapping[SmtpPhase, float], entry: Entry) -> Walk:
    """Draw the way of a message: the phases of its sending, and its transit."""
    taken = entry.state not in (State.REJECTED, State.UNCERTAIN)
    last = max(len(timings) - 1, 0)
    sent = tuple(
        Phase(phase.value, seconds, "good" if taken or place < last else _mood(entry))
        for place, (phase, seconds) in enumerate(timings.items())
    )
    return Walk((*sent, Phase(TRANSIT, transit(entry), _mood(entry), _sentence(entry))))


def table(entries: Iterable[Entry]) -> Table:
    """List the last messages with what became of them."""
    return Table(
        ("sent", "message", "state", "after", "marks", "detail"), tuple(map(_row, entries))
    )


def _broken(entry: Entry) -> Iterator[Rule]:
    """Yield the rules that one message breaks."""
    if entry.state is State.REJECTED:
        yield _BY_FAILURE.get(entry.failure, rules.NOT_SENT)
    elif entry.is_interrupted:
        yield rules.INTERRUPTED
    elif entry.state in _BY_STATE:
        yield _BY_STATE[entry.state]
    if entry.duplicates:
        yield rules.DUPLICATE
    if entry.damaged:
        yield rules.DAMAGED


def _sentence(entry: Entry) -> str:
    """Say in one line what became of a message."""
    words = [f"message {entry.sequence} of {_time(entry.sent_at or entry.planned_at)}:"]
    if entry.arrived_at is not None:
        words.append(f"{entry.state} after {entry.seconds:.1f} s")
    else:
        words.append("under way" if entry.is_in_flight else str(entry.state))
    if entry.detail:
        words.append(f"({entry.detail})")
    return " ".join(words)


def _mood(entry: Entry) -> Mood:
    if entry.state is State.DELIVERED:
        return "good"
    if entry.is_in_flight:
        return "plain"
    worst = max((rule.severity for rule in _broken(entry)), default=None)
    moods: dict[str, Mood] = {"WARNING": "warning", "UNKNOWN": "unknown", "CRITICAL": "bad"}
    return moods[worst.name] if worst is not None else "plain"


def _row(entry: Entry) -> tuple[str, ...]:
    marks = [f"{entry.duplicates} more"] if entry.duplicates else []
    marks += ["damaged"] if entry.damaged else []
    return (
        _time(entry.sent_at or entry.planned_at),
        f"{entry.sequence} {entry.nonce[:8]}",
        str(entry.state),
        f"{entry.seconds:.2f} s" if entry.arrived_at else "",
        ", ".join(marks),
        entry.detail,
    )


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%SZ")
