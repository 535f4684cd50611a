"""What became of every message of an agent that was killed again and again?

Two witnesses are compared that know nothing of each other: the agent's ledger, as it lies on the
disk, and the log of the relay that took the messages.
"""

import re
import sqlite3
import statistics
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from agent.adapters.entry_codec import decode_entry
from agent.adapters.store_file import FILE_NAME
from agent.domain.entry import Entry, State
from agent.domain.message import find_tokens
from servers.onward import TO_SINK, Onward, Taken
from servers.running import Seen

_AT_SINK = TO_SINK[TO_SINK.index("@") :]
START = 3.0  # seconds in which it must be back


@dataclass(frozen=True, slots=True)
class Life:
    """One life of the agent: what ended it, and the seconds and CPU seconds until it was ready.

    Who is not *fresh* was forked, and had imported everything before.
    """

    end: str
    start: float | None  # None where it was killed before it was ready
    cpu: float
    log: str = ""
    is_fresh: bool = True


@dataclass
class Judgement:
    """What was found; ``violations`` are the sentences that must not be."""

    entries: list[Entry]
    taken: list[Taken]
    lives: list[Life]
    log: str = field(repr=False)  # of the relay
    violations: list[str] = field(default_factory=list)

    def hold(self, what: str, offenders: object) -> None:
        """Note a violation where there are *offenders*."""
        if offenders:
            self.violations.append(f"{what}: {offenders}")

    def table(self) -> str:
        """Return the tally, for people to read."""
        states = Counter(str(entry.state) for entry in self.entries)
        ends = Counter(life.end for life in self.lives)
        starts = sorted(life.start for life in self.lives if life.start is not None)
        arrived = sum(entry.has_arrived for entry in self.entries)
        lines = [
            f"{'lives of the agent':40} {len(self.lives):6}",
            *(f"  ended {end:34} {count:4}" for end, count in ends.items()),
            f"{'until it is ready, s: median':40} {starts[len(starts) // 2]:6.2f}",
            f"{'until it is ready, s: most':40} {starts[-1]:6.2f}",
            f"{'until it is ready, s of CPU: most':40} {max(each.cpu for each in self.lives):6.2f}",
            f"{'messages planned':40} {len(self.entries):6}",
            f"{'messages that the relay took':40} {len(self.taken):6}",
            f"{'  handed on':40} {sum('sent' in each.statuses for each in self.taken):6}",
            f"{'messages that arrived':40} {arrived:6}",
            *(f"  {state:38} {count:6}" for state, count in sorted(states.items())),
            f"{'  marked as duplicates':40} {sum(bool(e.duplicates) for e in self.entries):6}",
            *(f"VIOLATED  {sentence}" for sentence in self.violations),
        ]
        return "\n".join(lines)


def judge(state: Path, relay: Onward, lives: list[Life], counters: Seen) -> Judgement:
    """Compare what the state says with what the relay's log says.

    *counters* is a scrape of an agent that has just started on that state and sent nothing.
    """
    problems: list[str] = []
    found = Judgement(entries_in(state, problems), relay.taken(), lives, relay.log)
    found.hold("the store is damaged", problems)
    found.hold("a store was moved aside", [each.name for each in state.glob("*.damaged-*")])
    found.hold("a traceback", [life.log for life in lives if "Traceback" in life.log])
    compare(found, relay)
    found.hold("the counters are wrong", miscounted(found.entries, counters))
    return found


def lateness(lives: list[Life]) -> str:
    """Say how long it takes until the agent is back, where that is too long; else empty.

    By CPU time: how long it takes besides is a matter of who else uses the machine.
    """
    fresh = [life for life in lives if life.is_fresh and life.start is not None]
    usual = statistics.median(life.cpu for life in fresh)
    return f"{usual:.1f} s" if usual > START else ""


def entries_in(state: Path, problems: list[str]) -> list[Entry]:
    """Return the messages in a state folder; what is wrong with the store goes to *problems*."""
    connection = sqlite3.connect(state / FILE_NAME)
    try:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            problems.append(str(verdict))
        rows = connection.execute("SELECT entry FROM message ORDER BY planned_at").fetchall()
    finally:
        connection.close()
    return [decode_entry(text) for (text,) in rows]


def _nonce(message_id: str) -> str:
    tokens = find_tokens(message_id.encode("ascii", "replace"))
    return tokens[0].nonce if tokens else message_id


def compare(found: Judgement, relay: Onward) -> None:
    """Hold every message of one witness against the other."""
    known = {entry.nonce: entry for entry in found.entries}
    taken = {_nonce(each.message_id): each for each in found.taken}
    begun = Counter(_nonce(message_id) for message_id in relay.begun())
    found.hold("taken by the relay and in no ledger", taken.keys() - known.keys())
    found.hold("handed over twice", [nonce for nonce, times in begun.items() if times > 1])
    both = [(known[nonce], each) for nonce, each in taken.items() if nonce in known]
    found.hold(
        "taken, but said not to be",
        [e.nonce for e, _ in both if e.state in (State.PLANNED, State.REJECTED)],
    )
    handed_on = [(entry, each) for entry, each in both if "sent" in each.statuses]
    found.hold("the relay still has it", [each for _, each in both if "sent" not in each.statuses])
    found.hold("handed on and lost", [e.nonce for e, _ in handed_on if not e.has_arrived])
    found.hold("failed by us", [e for e in found.entries if e.failure not in ("", "late")])
    _duplicates(found, handed_on)
    arrived = {entry.nonce for entry in found.entries if entry.has_arrived}
    found.hold("arrived without being taken", arrived - taken.keys())


def _duplicates(found: Judgement, handed_on: list[tuple[Entry, Taken]]) -> None:
    """See that nothing is called a duplicate that came once.

    What the relay brought again, because the agent was killed while it took it, did come twice.
    """
    wrong = [
        (entry.nonce, each.recipient, each.statuses)
        for entry, each in handed_on
        if entry.duplicates and (not each.recipient.endswith(_AT_SINK) or len(each.statuses) == 1)
    ]
    found.hold("called a duplicate, and came once", wrong)


def miscounted(entries: list[Entry], counters: Seen) -> list[str]:
    """Return where the counters do not count every one of *entries* once, as sentences."""
    told = []
    for route in dict.fromkeys(entry.route for entry in entries):
        ours = [entry for entry in entries if entry.route == route]
        judged, unjudged, in_flight, delivered = (
            sum(sample.value for sample in counters.all(f"mailflow_route_{name}", subject=subject))
            for subject in (route.partition("/")[2],)
            for name in (
                "messages_total",
                "messages_unjudged_total",
                "in_flight",
                "delivery_duration_seconds_count",
            )
        )
        arrived = sum(entry.has_arrived for entry in ours)
        if (judged + unjudged + in_flight, delivered) != (len(ours), arrived):
            counted = f"{judged:g} judged, {unjudged:g} not, {in_flight:g} in flight, {delivered:g}"
            told.append(f"{route}: {counted} in; {len(ours)} planned, {arrived} arrived")
    return told


def busiest_minute(relay: Onward) -> int:
    """Return the most messages that were begun to be handed over within a minute."""
    stamp = re.compile(
        r"^\w{3} +\d+ (\d\d):(\d\d):(\d\d) \S+ postfix/cleanup\[.*message-id=", re.MULTILINE
    )
    times = [int(h) * 3600 + int(m) * 60 + int(s) for h, m, s in stamp.findall(relay.log)]
    return max((sum(at <= each < at + 60 for each in times) for at in times), default=0)
