"""What do the messages of a route say about it?

Entries and tallies of the ledger in; findings, measurements and tables out.
"""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache

from agent.domain import route_rules as rules
from agent.domain import route_signals as signals
from agent.domain.fact import Fact, Mood, Phase, Table, Walk
from agent.domain.finding import Distribution, Finding, Measurement, Rule, Severity
from agent.domain.ledger import FAILURES, UNJUDGED, UNSEEN, Entry, State
from agent.domain.message import Token, message_id_of
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
# Of a message that was under way while the agent was not running these say nothing.
_UNTOLD = (State.UNCERTAIN, State.LATE)
_DETAIL = 160  # characters in a row; findings and pictures have it whole
_ARRIVED = {State.LATE: "arrived late,"}  # "late after" would be read as "late by"
_MEANING = " (Meaning: "  # begins what is known of a reply, behind its text
_PARTS = re.compile(r" (?=Usual cause: |What helps: )")
_NOTHING: Mapping[str, str] = {}
_MOODS: Mapping[Severity, Mood] = {
    Severity.WARNING: "warning",
    Severity.UNKNOWN: "unknown",
    Severity.CRITICAL: "bad",
}


def findings(
    entries: Iterable[Entry],
    overdue: Iterable[Entry] = (),
    *,
    folder: str = "inbox",
    remarks: Mapping[str, str] = _NOTHING,
) -> tuple[Finding, ...]:
    """Return what is wrong with these messages, one finding for each rule they break.

    *overdue* are messages in flight that are late already, whenever they come. *folder* is where
    they must arrive: only one that belongs in the Inbox is wrong in Junk. *remarks* are what else
    is known of a message that was not delivered as it should, by nonce.
    """
    broken: dict[Rule, dict[str, None]] = {}
    advice: dict[Rule, dict[str, None]] = {}
    for entry in entries:
        for rule in _broken(entry):
            if rule is not rules.JUNKED or folder == "inbox":
                broken.setdefault(rule, {})[_told(entry, remarks)] = None
                advice.setdefault(rule, {}).update(dict.fromkeys(_apart(entry.detail)[1]))
    for entry in overdue:
        broken.setdefault(rules.LATE, {})[_told(entry, remarks)] = None
    return tuple(_found(rule, tuple(lines), advice.get(rule, {})) for rule, lines in broken.items())


def _found(rule: Rule, lines: tuple[str, ...], advice: Iterable[str]) -> Finding:
    """Say what became of the messages, each once, and then once what their replies mean."""
    if len(lines) == 1:
        return rule.found(*lines, *advice)
    return rule.found(f"{len(lines)} messages", *lines, *advice)


def marks_of_lost(
    entries: Iterable[Entry], token_of: Callable[[Entry], Token], author: str
) -> dict[str, str]:
    """Say of each lost message by what the server that took it can find it, by nonce."""
    domain = author.rpartition("@")[2]
    return {
        entry.nonce: f"its Message-ID is {message_id_of(token_of(entry), domain)}"
        for entry in entries
        if entry.state is State.LOST
    }


def measurements(tally: Tally, within: timedelta) -> tuple[Measurement, ...]:
    """Return the counters and gauges of a route, whose messages are in time *within* that."""
    counts = tally.counts
    bounds, held = tally.with_bound(within.total_seconds())
    stamps = ((signals.LAST_SENT, tally.last_sent), (signals.LAST_DELIVERED, tally.last_delivered))
    return (
        signals.MESSAGES.at(counts["messages"]),
        *(signals.FAILED.at(counts[f"failed {reason}"], reason) for reason in FAILURES),
        *(signals.UNJUDGED_TOTAL.at(counts[f"unjudged {reason}"], reason) for reason in UNJUDGED),
        signals.LATE_TOTAL.at(counts["late"]),
        signals.JUNK_TOTAL.at(counts["junk"]),
        signals.DUPLICATES_TOTAL.at(counts["duplicates"]),
        Measurement(signals.DELIVERY, Distribution(held, tally.duration_sum, bounds)),
        signals.IN_FLIGHT.at(tally.in_flight),
        *(signal.at(stamp.timestamp()) for signal, stamp in stamps if stamp is not None),
    )


def constants(
    *, objective: float, within: timedelta, interval: timedelta
) -> tuple[Measurement, ...]:
    """Return what the configuration says about a route, for rules that serve every one."""
    return (
        signals.OBJECTIVE.at(objective),
        signals.DEADLINE.at(within.total_seconds()),
        signals.INTERVAL.at(interval.total_seconds()),
    )


def transit(entry: Entry) -> float | None:
    """Return the seconds from the server's yes to the arrival; None where one is missing."""
    if entry.arrived_at is None or entry.answered_at is None or entry.sent_at is None:
        return None
    # The yes may come after the arrival, where a server hands on before it answers.
    return max(entry.seconds - (entry.answered_at - entry.sent_at).total_seconds(), 0.0)


def walk(timings: Mapping[str, float], entry: Entry) -> Walk:
    """Draw the way of a message: the phases of its sending, and its transit."""
    taken = entry.state not in (State.REJECTED, State.UNCERTAIN) and not entry.is_waiting
    last = max(len(timings) - 1, 0)
    sent = tuple(
        Phase(phase, seconds, "good" if taken or place < last else mood_of(entry))
        for place, (phase, seconds) in enumerate(timings.items())
    )
    return Walk((*sent, Phase(TRANSIT, transit(entry), mood_of(entry), _sentence(entry))))


def tables(recent: Iterable[Entry], about: Table) -> dict[str, Fact]:
    """Return the last messages of a route, and what it is, under their headings."""
    return {"Messages": table(recent), "Route": about}


def table(entries: Iterable[Entry]) -> Table:
    """List the last messages with what became of them."""
    return Table(
        ("sent", "message", "state", "after", "witness", "marks", "detail"),
        tuple(map(_row, entries)),
    )


def _broken(entry: Entry) -> Iterator[Rule]:
    """Yield the rules that one message breaks."""
    if entry.state is State.REJECTED:
        yield _BY_FAILURE.get(entry.failure, rules.NOT_SENT)
    elif entry.is_waiting:
        yield rules.DEFERRED
    elif entry.is_interrupted and entry.state in _UNTOLD:
        yield rules.INTERRUPTED
    elif entry.unjudged == UNSEEN and entry.state is State.UNCERTAIN:
        yield rules.UNSEEN
    elif entry.state in _BY_STATE:
        yield _BY_STATE[entry.state]
    if entry.duplicates:
        yield rules.DUPLICATE
    if entry.damaged:
        yield rules.DAMAGED


def _told(entry: Entry, remarks: Mapping[str, str]) -> str:
    remark = remarks.get(entry.nonce, "")
    return f"{_sentence(entry)}; {remark}" if remark else _sentence(entry)


def _sentence(entry: Entry) -> str:
    """Say in one line what became of a message."""
    words = [f"message {entry.sequence} of {_time(entry.sent_at or entry.planned_at)}:"]
    if entry.arrived_at is not None:
        words.append(f"{_ARRIVED.get(entry.state, entry.state)} after {entry.seconds:.1f} s")
    else:
        words.append(_whereabouts(entry))
    if entry.detail:
        words.append(f"({said_of(entry)})")
    if entry.hint:
        words.append(f"[{entry.hint}]")
    return " ".join(words)


def _apart(detail: str) -> tuple[str, tuple[str, ...]]:
    """Part what a server said of a message from what that means, a line for each part of it."""
    said, mark, meaning = detail.rpartition(_MEANING)
    if not mark:
        return detail, ()
    lines = _PARTS.split(meaning.removesuffix(")"))
    return said, (f"{_MEANING.removeprefix(' (')}{lines[0]}", *lines[1:])


def said_of(entry: Entry) -> str:
    """Return what a server said of a message, without what that means."""
    return _apart(entry.detail)[0]


def _whereabouts(entry: Entry) -> str:
    """Say where a message is that has not arrived."""
    if entry.is_waiting:
        again = f", to be sent again from {_time(entry.retry_at)}" if entry.retry_at else ""
        return f"put off {entry.attempts} times{again}"
    return "under way" if entry.is_in_flight else str(entry.state)


def mood_of(entry: Entry) -> Mood:
    """Return how a message does, as a colour says it."""
    if entry.state is State.DELIVERED:
        return "good"
    worst = max((rule.severity for rule in _broken(entry)), default=Severity.OK)
    return _MOODS.get(worst, "plain")


def _row(entry: Entry) -> tuple[str, ...]:
    marks = [f"{entry.duplicates} more"] if entry.duplicates else []
    marks += ["damaged"] if entry.damaged else []
    marks += [entry.folder] if entry.folder not in ("", "inbox") else []
    return (
        _time(entry.sent_at or entry.planned_at),
        f"{entry.sequence} {entry.nonce[:8]}",
        str(entry.state),
        f"{entry.seconds:.2f} s" if entry.arrived_at else "",
        str(entry.witness),
        ", ".join(marks),
        textwrap.shorten(said_of(entry), _DETAIL, placeholder=" ..."),
    )


@lru_cache(maxsize=8192)
def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%SZ")
