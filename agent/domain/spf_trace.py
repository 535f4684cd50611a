"""What did an evaluation of SPF do, step by step, and why did it end as it did?

The trace is data: a :class:`Visit` for each record that was read, a :class:`Step` for each term
that was looked at. :func:`tree` draws it.
"""

from dataclasses import dataclass
from typing import Literal

from agent.domain.fact import Mood, Node, bounded
from agent.domain.lookup import Answer, Query, Reply, Silence, TextRecord, Unanswered
from agent.domain.peer_text import PeerText
from agent.domain.spf_identity import Identity
from agent.domain.spf_macro import Address
from agent.domain.spf_terms import Result

StepEnd = Literal["match", "no match", "temperror", "permerror", "result"]
MAX_LOOKUPS = 10  # RFC 7208 section 4.6.4
MAX_VOIDS = 2  # RFC 7208 section 4.6.4
MAX_NAMES = 10  # exchanges of an mx term, names of a client; RFC 7208 section 4.6.4
_RECORDS_SHOWN = 6
_RECORD_TEXT = 1000  # characters; a published record longer than that is not read on a page


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and its reply; ``counted`` where a void reply counts as a void lookup."""

    query: Query
    reply: Reply
    counted: bool = True

    @property
    def is_void(self) -> bool:
        """Whether the reply counts against the limit of void lookups."""
        return self.counted and isinstance(self.reply, Answer) and self.reply.is_void


@dataclass(frozen=True, slots=True)
class Step:
    """One term that was looked at.

    ``lookups``, ``voids`` and ``void_queries`` are what this term cost with all below it: terms
    that cost a lookup, terms of which a lookup was void, and queries that were void.
    """

    term: str
    end: StepEnd
    detail: str
    target: str = ""
    lookups: int = 0
    voids: int = 0
    void_queries: int = 0
    asked: tuple[Asked, ...] = ()
    visit: "Visit | None" = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One record that was read for *domain*, and what its terms did."""

    domain: str
    record: str
    result: Result
    detail: str
    steps: tuple[Step, ...] = ()
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The verdict of check_host() for one client, and how it came about.

    ``terms``, ``voids`` and ``void_queries`` are the three counters: terms that cost a lookup,
    terms of which a lookup was void, queries that were void. ``differs`` says, in words, why other
    receivers come to another verdict; it is empty where none is known to. ``explanation`` is the
    domain's own text for a fail. ``reason`` is the closed-set cause of a temperror.
    """

    ip: Address
    identity: Identity
    result: Result
    detail: str
    terms: int
    voids: int
    void_queries: int
    visit: Visit
    differs: str = ""
    explanation: str = ""
    reason: Silence | None = None

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        who = PeerText(self.identity.sender)
        return f"{self.result}: {self.ip} for {who}: {self.detail}"


_MOODS: dict[str, Mood] = {
    "pass": "good",
    "match": "good",
    "fail": "bad",
    "permerror": "bad",
    "softfail": "warning",
    "neutral": "warning",
    "none": "warning",
    "temperror": "unknown",
}


def tree(evaluation: Evaluation) -> Node:
    """Draw an evaluation, with the lookups spent at each branch."""
    node = _visit_node(evaluation.visit, evaluation.terms)
    extra = [Node("differs between receivers", evaluation.differs, "warning")]
    counters = Node(
        "counters",
        f"{evaluation.terms} of {MAX_LOOKUPS} lookups, {evaluation.voids} of {MAX_VOIDS} void"
        f" lookups ({evaluation.void_queries} void queries)",
    )
    said = [Node("explanation", evaluation.explanation)] if evaluation.explanation else []
    children = (*node.children, counters, *said, *(extra if evaluation.differs else []))
    return Node(node.label, evaluation.detail, node.mood, node.count, children)


def _visit_node(visit: Visit, count: int) -> Node:
    children = bounded(tuple(map(_step_node, visit.steps)))
    label = f"{PeerText(visit.domain)}: {visit.result}"
    record = PeerText(visit.record, _RECORD_TEXT)
    return Node(label, record or visit.detail, _MOODS[visit.result], count, children)


def _step_node(step: Step) -> Node:
    below = tuple(_asked_node(asked) for asked in step.asked)
    count = step.lookups or None
    if step.visit is not None:
        below = (*below, _visit_node(step.visit, step.lookups - 1))
    detail = f"{step.end}: {step.detail}"
    return Node(PeerText(step.term), detail, _MOODS.get(step.end, "plain"), count, below)


def _asked_node(asked: Asked) -> Node:
    label = f"{PeerText(asked.query.name)} {asked.query.type}"
    mood: Mood = "warning" if asked.is_void else "plain"
    if isinstance(asked.reply, Unanswered):
        mood = "unknown"
    return Node(label, describe(asked.reply), mood)


def describe(reply: Reply) -> str:
    """Say what DNS said, in a few words."""
    if isinstance(reply, Unanswered):
        return f"unanswered: {reply.reason}"
    if not reply.records:
        return "no such record" if reply.name_exists else "no such name"
    shown = [
        PeerText(record.joined if isinstance(record, TextRecord) else _plain(record))
        for record in reply.records[:_RECORDS_SHOWN]
    ]
    more = len(reply.records) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _plain(record: object) -> str:
    exchange = getattr(record, "exchange", None)
    return str(record) if exchange is None else f"{exchange or '.'}"
