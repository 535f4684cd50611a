"""What did DNS say last time, and does it still say so?

Most answers never change. A reply whose octets, but for the id and the times to live, were seen
before is recognised by a keyed digest and means the very same object as then: it is not read
again, and whoever compares identities need not think again. The key is random, because a peer
chooses the octets. The times to live are read all the same, so that the highest one is known.

That one is told until it is surely gone. A cache before us counts down, so a low reading says
little; but within the old time to live it has to ask again, and then hands out the whole of the new
one. When that time is over and many readings in a row were half or less, the owner has lowered it.
What was lowered by less is not noticed, for the price of never taking somebody's cache for it.
"""

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agent.adapters.dns_layout import Layout
from agent.adapters.dns_wire import Dangling, Reading
from agent.domain.lookup import Answer, Query, Type, Unanswered

if TYPE_CHECKING:
    from agent.adapters.dns_flight import Flight

Result = Answer | Unanswered | Dangling
MAX_MEMORIES = 8  # replies remembered for one question, enough for servers that rotate records
MAX_KEEP = 86_400  # seconds that anything is kept, whatever its time to live
MAX_KEEP_NEGATIVE = 900  # RFC 2308 section 5 leaves it to us: soon after a fix it shall be seen
LASTING = 6 * 3600  # seconds beyond its time that a question of hygiene makes do with an answer
_MAX_VOIDS = 1024
ENOUGH = 20  # readings in a row; where many caches share an address, each is a matter of chance
SLACK = 60  # seconds beyond the old time to live
KEEP_FAILURE = 5  # seconds; RFC 2308 section 7.1 allows five minutes


@dataclass(frozen=True, slots=True)
class Memory:
    """A reply by its digest, and what it meant."""

    layout: Layout
    digest: bytes
    meaning: Result


@dataclass(slots=True, eq=False)
class _Doubt:
    """Readings of half of what *answer* is known for, or less, with none above since."""

    answer: Answer
    since: float
    highest: int = 0
    readings: int = 0


@dataclass(slots=True, eq=False)
class Entry:
    """All that is known about one question.

    ``expires`` and ``used`` are on the monotonic clock; a time to live counts from when the
    question was put. ``whole`` is the answer after following aliases beyond the server's own.
    """

    name: str
    kind: Type
    result: Result | None = None
    expires: float = 0.0
    used: float = 0.0
    memories: tuple[Memory, ...] = ()
    whole: Answer | None = None
    doubt: _Doubt | None = None  # that its highest time to live still holds
    flight: "Flight | None" = field(default=None, repr=False)

    def known(self, now: float, *, lasting: bool) -> Result | None:
        """Return the result if it still holds, or held so lately that *lasting* makes do."""
        if now < self.expires:
            return self.result
        if lasting and isinstance(self.result, Answer) and now < self.expires + LASTING:
            return self.result
        return None


class AnswerCache:
    """Entries by question, at most *limit* of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._key = os.urandom(32)
        self._entries: dict[Type, dict[str, Entry]] = {}
        self._layouts: dict[Layout, Layout] = {}
        self._voids: dict[tuple[object, ...], Answer] = {}
        self.count = 0

    def entry(self, query: Query) -> Entry:
        """Return the entry for *query*, a new one if there was none."""
        kinds = self._entries.get(query.type)
        if kinds is None:
            kinds = self._entries[query.type] = {}
        entry = kinds.get(query.name)
        if entry is None:
            if self.count >= self._limit:
                self._drop_oldest()
            entry = kinds[query.name] = Entry(query.name, query.type)
            self.count += 1
        return entry

    def recognise(self, entry: Entry, wire: bytes) -> bool:
        """Tell whether *wire* was seen before for *entry*; then its meaning is the result."""
        size = len(wire)
        layout, digest = None, b""
        for memory in entry.memories:
            if memory.layout.size != size:
                continue
            if memory.layout is not layout:
                layout = memory.layout
                digest = layout.digest(wire, self._key)
            if memory.digest == digest:
                meaning = memory.meaning
                ttl = layout.ttl(wire)
                if isinstance(meaning, Answer) and (ttl != meaning.ttl or entry.doubt is not None):
                    meaning = _timed(entry, meaning, ttl)
                _keep(entry, meaning, layout.lifetime(wire, ttl))
                return True
        return False

    def learn(self, entry: Entry, wire: bytes, reading: Reading) -> Result:
        """Keep what *wire* was read to say, unless it is a failure, and return it."""
        layout = reading.layout
        if isinstance(reading.reply, Unanswered) or layout is None:
            return reading.reply
        if len(self._layouts) > self._limit:
            self._layouts.clear()
        layout = self._layouts.setdefault(layout, layout)
        ttl = layout.ttl(wire)
        meaning = _intern(entry, reading.reply, ttl if layout.own else None)
        if isinstance(meaning, Answer) and not meaning.records:
            meaning = self._share(meaning)
        memory = Memory(layout, layout.digest(wire, self._key), meaning)
        entry.memories = (memory, *entry.memories[: MAX_MEMORIES - 1])
        _keep(entry, meaning, layout.lifetime(wire, ttl))
        return meaning

    def _share(self, void: Answer) -> Answer:
        """Return one object for all that say alike that there is nothing: half of all answers."""
        if len(self._voids) > _MAX_VOIDS:
            self._voids.clear()
        alike = (void.name_exists, void.aliases, void.ttl, void.size)
        return self._voids.setdefault(alike, void)

    def fail(self, entry: Entry, reply: Unanswered) -> Unanswered:
        """Remember briefly that there was no answer."""
        known = entry.result
        if known is not None and not isinstance(known, Unanswered) and entry.used < entry.expires:
            return reply  # an answer stands for its time to live
        if known == reply and isinstance(known, Unanswered):
            reply = known
        entry.result = reply
        entry.expires = entry.used + KEEP_FAILURE
        return reply

    def sweep(self, before: float) -> None:
        """Forget what has not been asked for since *before*."""
        for kinds in self._entries.values():
            idle = [n for n, entry in kinds.items() if entry.used < before and not entry.flight]
            for name in idle:
                del kinds[name]
            self.count -= len(idle)

    def _drop_oldest(self) -> None:
        """Make room; what is under way finishes without its place in the cache."""
        kinds = max(self._entries.values(), key=len)
        del kinds[next(iter(kinds))]
        self.count -= 1


def _keep(entry: Entry, meaning: Result, lifetime: int) -> None:
    longest = MAX_KEEP
    if isinstance(meaning, Answer) and not meaning.records:
        longest = MAX_KEEP_NEGATIVE
    entry.result = meaning
    entry.expires = entry.used + (min(longest, lifetime))


def _intern(entry: Entry, result: Answer | Dangling, ttl: int | None) -> Result:
    """Return the object that said the same before, or *result* with its time to live."""
    known = (*(memory.meaning for memory in entry.memories), entry.result)
    same = next((old for old in known if old == result), None)
    if isinstance(same, Answer):
        return same if ttl is None else _timed(entry, same, ttl)
    if same is not None:
        return same
    return replace(result, ttl=ttl) if isinstance(result, Answer) else result


def _timed(entry: Entry, answer: Answer, ttl: int) -> Answer:
    """Return *answer* with the highest time to live that still holds, now that *ttl* was read."""
    known = answer.ttl or 0
    doubt, entry.doubt = entry.doubt, None
    if ttl > known:
        return _put_ttl(entry, answer, ttl)
    if ttl == known or 2 * ttl > known or not answer.records:
        return answer
    if doubt is None or doubt.answer is not answer:
        doubt = _Doubt(answer, entry.used)
    doubt.readings += 1
    doubt.highest = max(doubt.highest, ttl)
    if doubt.readings >= ENOUGH and entry.used - doubt.since > min(known, MAX_KEEP) + SLACK:
        return _put_ttl(entry, answer, doubt.highest)
    entry.doubt = doubt
    return answer


def _put_ttl(entry: Entry, answer: Answer, ttl: int) -> Answer:
    """Put another time to live on *answer*, wherever it is remembered."""
    timed = replace(answer, ttl=ttl)
    entry.memories = tuple(
        replace(memory, meaning=timed) if memory.meaning is answer else memory
        for memory in entry.memories
    )
    return timed
