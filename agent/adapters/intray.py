"""What is it that came in, and which of our messages does it tell of?

Everything that arrives passes here, wherever it was picked up: one of our own messages, a report
that one of them failed, an answer of a machine, or mail of strangers, which is left alone. A token
counts only where it is genuine. Reading is done in a thread, because a peer decides how long it
takes.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.adapters.ledger import Ledger, Sighting
from agent.adapters.ledger_desk import SINK
from agent.adapters.mailbox import Folder, Letter
from agent.domain.dsn import Report, read_report
from agent.domain.entry import Entry
from agent.domain.header_fields import split
from agent.domain.integrity import Integrity, examine
from agent.domain.letter_kind import LetterKind, kind_of
from agent.domain.message import Token, find_tokens
from agent.domain.payload import PLAIN, Payload
from agent.domain.peer_text import PeerText
from agent.domain.report_words import is_loop, sentence

_OWN_FOLDERS = (Folder.SENT, Folder.DELETED)  # what lies there has not arrived, and is only litter
_ANSWERS = (LetterKind.AUTO_REPLY, LetterKind.CHALLENGE, LetterKind.MESSAGE)


Body = Literal["intact", "banner-allowed", "any"]


@dataclass(frozen=True, slots=True)
class Watched:
    """What has to be known of a route to read what arrives of it.

    ``body`` tells how the text may change on the way, ``is_reflected`` that it is an answer.
    """

    payload: Payload = PLAIN
    body: Body = "intact"
    is_reflected: bool = False


_UNKNOWN = Watched()


@dataclass(frozen=True, slots=True)
class _Read:
    """What a letter turned out to be."""

    letter: Letter
    kind: LetterKind
    tokens: tuple[Token, ...]
    report: Report | None
    changed: frozenset[str]  # nonces of those of our messages whose text has changed


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of some letters: the keys of those that are ours, and how many of each kind."""

    ours: tuple[str, ...] = ()
    kinds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Look:
    """How letters were found."""

    home: str
    before: float | None  # monotonic seconds
    repeats: "Repeats | None"
    way: str


class Repeats:
    """Which letters of the first look into a place are known from before it was opened?

    That look shows again what lies there since an earlier connection, or since before a restart. So
    of each message as many letters as the ledger knows of are no new ones.
    """

    def __init__(self) -> None:
        self._left: dict[str, int] = {}

    def is_known(self, entry: Entry) -> bool:
        """Tell whether the next letter of a message is one that the ledger knows of."""
        copies = 1 + entry.duplicates if entry.has_arrived else 0
        left = self._left.setdefault(entry.nonce, copies)
        self._left[entry.nonce] = max(left - 1, 0)
        return left > 0


class Intray:
    """Reads letters and tells the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._routes: Mapping[str, Watched] = {}

    def replace(self, routes: Mapping[str, Watched]) -> None:
        """Know these routes from now on, by the names the ledger knows them by."""
        self._routes = dict(routes)

    async def take(
        self,
        letters: Sequence[Letter],
        *,
        home: str = SINK,
        looked_before: float | None = None,
        repeats: Repeats | None = None,
        way: str = "",
    ) -> Batch:
        """Tell the ledger what *letters* say, and return once that is on the disk.

        *repeats* goes with the first look into a place. *way* is what is known of how they came,
        printable, for the evidence.
        """
        if not letters:
            return Batch()
        found = await asyncio.to_thread(self._read, letters)
        look = _Look(home, looked_before, repeats, way)
        ours: list[str] = []
        kinds: Counter[str] = Counter()
        for each in found:
            is_ours = self._tell(each, look)
            kinds[each.kind.value if is_ours else "stranger"] += 1
            if is_ours:
                ours.append(each.letter.key)
        if ours:
            await self._ledger.intake.settle()
        return Batch(tuple(ours), kinds)

    def _read(self, letters: Iterable[Letter]) -> list[_Read]:
        """Read letters; called in a thread, which changes nothing."""
        return [self._read_one(letter) for letter in letters]

    def _read_one(self, letter: Letter) -> _Read:
        tokens = find_tokens(letter.octets)
        if not tokens:
            return _Read(letter, LetterKind.MESSAGE, (), None, frozenset())
        kind = kind_of(letter.octets)
        report = None
        if kind in (LetterKind.BOUNCE, LetterKind.DELAY):
            report = read_report(letter.octets)
        changed: frozenset[str] = frozenset()
        if kind is LetterKind.MESSAGE and letter.folder not in _OWN_FOLDERS:
            changed = frozenset(each.nonce for each in tokens if self._is_changed(letter, each))
        return _Read(letter, kind, tokens, report, changed)

    def _is_changed(self, letter: Letter, token: Token) -> bool:
        watched = self._watched(self._ledger.intake.peek(token))
        if watched.is_reflected or watched.body == "any":
            return False
        found = examine(letter.octets, str(token), watched.payload, is_whole=letter.is_whole)
        return found is Integrity.CHANGED or (
            found is Integrity.BANNER and watched.body == "intact"
        )

    def _watched(self, entry: Entry | None) -> Watched:
        return _UNKNOWN if entry is None else self._routes.get(entry.route, _UNKNOWN)

    def _tell(self, read: _Read, look: _Look) -> bool:
        """Tell the ledger what one letter says; return whether it speaks of a message of ours."""
        is_ours = False
        for token in read.tokens:
            entry = self._ledger.intake.find(token)
            if entry is None:
                continue
            is_ours = True
            if read.letter.folder not in _OWN_FOLDERS:
                self._note(read, token, entry, look)
        return is_ours

    def _note(self, read: _Read, token: Token, entry: Entry, look: _Look) -> None:
        intake, kind = self._ledger.intake, read.kind
        if kind is LetterKind.BOUNCE and read.report is not None:
            intake.bounced(token, sentence(read.report), is_loop=is_loop(read.report))
        elif kind is LetterKind.DELAY and read.report is not None:
            intake.hinted(token, sentence(read.report))
        elif self._is_arrival(kind, entry):
            if look.repeats is None or not look.repeats.is_known(entry):
                intake.note_arrival(token, _sighting(read, token, look))
        else:
            intake.hinted(token, f"{kind.value} came back")

    def _is_arrival(self, kind: LetterKind, entry: Entry) -> bool:
        is_reflected = self._watched(entry).is_reflected
        return kind in _ANSWERS if is_reflected else kind is LetterKind.MESSAGE


def _sighting(read: _Read, token: Token, look: _Look) -> Sighting:
    letter = read.letter
    return Sighting(
        home=look.home,
        folder=letter.folder,
        damaged=token.nonce in read.changed,
        detail=PeerText(look.way or f"in {letter.folder}"),
        received_at=letter.received_at,
        looked_before=look.before,
        head=split(letter.octets)[0],
    )
