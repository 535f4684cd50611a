"""What is it that came in, and which of our messages does it tell of?

Everything that arrives passes here, wherever it was picked up: one of our own messages, a report
that one of them failed, an answer of a machine, or mail of strangers, which is left alone. A token
counts only where it is genuine, and who only quotes one has not brought the message: that is a
hint. Reading is done in a thread, because a peer decides how long it takes.
"""

import asyncio
import enum
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.adapters.ledger import Ledger, Sighting
from agent.adapters.ledger_desk import SINK
from agent.adapters.mailbox import Folder, Letter
from agent.adapters.watched import Body, Watched, astray_of
from agent.domain.dsn import Report, read_report
from agent.domain.entry import Entry, Place
from agent.domain.header_fields import split
from agent.domain.identity import identity_of
from agent.domain.integrity import Integrity, examine
from agent.domain.letter_kind import LetterKind, kind_of
from agent.domain.message import Token, find_tokens
from agent.domain.peer_text import PeerText
from agent.domain.report_words import is_loop, sentence

__all__ = ["Batch", "Body", "Intray", "Repeats", "Watched"]

_OWN_FOLDERS = (Folder.SENT, Folder.DELETED)  # what lies there has not arrived, and is only litter
_ANSWERS = (LetterKind.AUTO_REPLY, LetterKind.CHALLENGE, LetterKind.MESSAGE)
_LITTER = (LetterKind.AUTO_REPLY, LetterKind.RECEIPT)  # of which nobody else has any use
_RULE_DELETES = "it lies in Deleted Items: a rule of the mailbox deletes it"

_UNKNOWN = Watched()


@dataclass(frozen=True, slots=True)
class _Read:
    """What a letter turned out to be.

    ``about`` are the tokens of the one message that it is, or answers; ``is_own`` tells that it is
    the message. Of the other ``tokens`` it only happens to speak.
    """

    letter: Letter
    kind: LetterKind = LetterKind.MESSAGE
    tokens: tuple[Token, ...] = ()
    about: tuple[Token, ...] = ()
    is_own: bool = False
    report: Report | None = None
    is_changed: bool = False


class _Worth(enum.IntEnum):
    """What a letter is to us; of several messages that it speaks of, the most counts."""

    STRANGER = 0
    QUOTES = 1  # a letter of somebody else, which names a message of ours
    KEPT = 2  # it tells us something, and others may have use for it
    OURS = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of some letters: the keys of those that are ours, and how many of each kind.

    ``ours`` may be removed. ``known`` counts those that at least name a message of ours.
    """

    ours: tuple[str, ...] = ()
    known: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Look:
    """How letters were found."""

    home: str
    before: float | None  # monotonic seconds
    repeats: "Repeats | None"
    way: str
    recipients: frozenset[str]


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

    async def take(  # noqa: PLR0913 - what is known of how they came, by keyword
        self,
        letters: Sequence[Letter],
        *,
        home: str = SINK,
        looked_before: float | None = None,
        repeats: Repeats | None = None,
        way: str = "",
        recipients: Collection[str] = (),
    ) -> Batch:
        """Tell the ledger what *letters* say, and return once that is on the disk.

        *repeats* goes with the first look into a place. *way* is what is known of how they came,
        printable, for the evidence; *recipients* are those of the envelope, where one is known.
        """
        if not letters:
            return Batch()
        found = await asyncio.to_thread(self._read, letters)
        addressed = frozenset(each.lower() for each in recipients)
        look = _Look(home, looked_before, repeats, way, addressed)
        worth = [self._tell(each, look) for each in found]
        kinds: Counter[str] = Counter()
        for each, value in zip(found, worth, strict=True):
            kinds[each.kind.value if value > _Worth.QUOTES else "stranger"] += 1
        known = sum(value > _Worth.STRANGER for value in worth)
        if known:
            await self._ledger.intake.settle()
        pairs = zip(found, worth, strict=True)
        ours = tuple(each.letter.key for each, value in pairs if value is _Worth.OURS)
        return Batch(ours, known, kinds)

    def _read(self, letters: Iterable[Letter]) -> list[_Read]:
        """Read letters; called in a thread, which changes nothing."""
        return [self._read_one(letter) for letter in letters]

    def _read_one(self, letter: Letter) -> _Read:
        octets = letter.octets
        tokens = find_tokens(octets)
        if not tokens:
            return _Read(letter)
        kind = kind_of(octets)
        identity = identity_of(octets) if kind is LetterKind.MESSAGE else None
        is_report = kind in (LetterKind.BOUNCE, LetterKind.DELAY)
        report = read_report(octets) if is_report else None
        return _Read(
            letter,
            kind,
            tokens,
            _about(tokens, identity, report),
            is_own=identity is not None,
            report=report,
            is_changed=identity is not None and self._is_changed(letter, identity),
        )

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

    def _tell(self, read: _Read, look: _Look) -> _Worth:
        """Tell the ledger what one letter says; return what it is to us."""
        worth = _Worth.STRANGER
        for token in dict.fromkeys((*read.about, *read.tokens)):
            entry = self._ledger.intake.find(token)
            if entry is not None:
                worth = max(worth, self._tell_of(read, token, entry, look))
        return worth

    def _tell_of(self, read: _Read, token: Token, entry: Entry, look: _Look) -> _Worth:
        """Tell the ledger what one letter says of one message."""
        is_told = read.letter.folder not in _OWN_FOLDERS
        is_about = token in read.about
        if is_about and self._is_arrival(read, entry):
            if is_told:
                self._arrive(read, token, entry, look)
            elif _is_thrown_away(read, entry, look):
                self._ledger.intake.hinted(token, _RULE_DELETES)
                return _Worth.KEPT
            return _Worth.OURS
        if is_about and _is_answer(read):
            if is_told:
                self._answer(read, token)
            is_litter = read.report is not None or read.kind in _LITTER
            return _Worth.OURS if is_litter else _Worth.KEPT
        # What decides nothing must not hide what somebody who knows has said.
        if is_told and entry.is_in_flight and not entry.hint:
            self._ledger.intake.hinted(token, _quotation(read))
        return _Worth.QUOTES

    def _arrive(self, read: _Read, token: Token, entry: Entry, look: _Look) -> None:
        if look.repeats is None or not look.repeats.is_known(entry):
            astray = astray_of(self._watched(entry), self._routes.values(), look.recipients)
            self._ledger.intake.note_arrival(token, _sighting(read, look, astray))

    def _answer(self, read: _Read, token: Token) -> None:
        """Tell what a machine answered to a message."""
        intake, report = self._ledger.intake, read.report
        if report is None:
            intake.hinted(token, f"{read.kind.value} came back")
        elif read.kind is LetterKind.BOUNCE:
            intake.bounced(token, sentence(report), is_loop=is_loop(report))
        else:
            intake.hinted(token, sentence(report))

    def _is_arrival(self, read: _Read, entry: Entry) -> bool:
        is_reflected = self._watched(entry).is_reflected
        return read.is_own or (is_reflected and read.kind in _ANSWERS)


def _about(
    tokens: tuple[Token, ...], identity: Token | None, report: Report | None
) -> tuple[Token, ...]:
    """Return the tokens of the one message that a letter is or answers; of none if of several.

    Of a report, what it returns tells that, whatever else its words name.
    """
    if identity is not None:
        return (identity,)
    found = tokens if report is None else report.tokens
    return found if len({each.nonce for each in found}) == 1 else ()


def _is_answer(read: _Read) -> bool:
    """Tell the answer of a machine from the letter of a person, who may write of failures too."""
    if read.report is not None:
        return read.report.is_of_machine
    return read.kind is not LetterKind.MESSAGE


def _is_thrown_away(read: _Read, entry: Entry, look: _Look) -> bool:
    """Tell whether a message that is waited for lies among what was deleted, where it belongs.

    What a mailbox has sent may be found there as well, and is litter.
    """
    is_deleted = read.letter.folder is Folder.DELETED
    return is_deleted and entry.is_in_flight and entry.home == look.home


def _quotation(read: _Read) -> str:
    if read.report is None or not read.about:
        return "a letter that is not the message names it"
    return f"a letter that no mail system wrote says: {sentence(read.report)}"


def _sighting(read: _Read, look: _Look, astray: Place | None) -> Sighting:
    letter = read.letter
    return Sighting(
        home=look.home,
        folder=letter.folder,
        damaged=read.is_changed,
        detail=PeerText(look.way or f"in {letter.folder}"),
        received_at=letter.received_at,
        looked_before=look.before,
        head=split(letter.octets)[0],
        astray=astray,
    )
