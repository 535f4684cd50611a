"""What must be known of a domain to judge its SPF record?

Everything that the lints look at, fetched as one plan. Only the record itself is asked afresh; the
rest may come from a cache, so that a steady check stays at one question.
"""

from dataclasses import dataclass

from agent.domain.lookup import Answer, Plan, Query, Reply, TextRecord
from agent.domain.lookup import ask_all as ask_all_dns
from agent.domain.spf_mending import Mended, merge, tried
from agent.domain.spf_record import Selection, select
from agent.domain.spf_tree import Branch, Forest, State, grow, static_target

WILDCARD_LABEL = "_mailflow-agent-no-such-name"
_LABELS_OF_SUBDOMAIN = 3


@dataclass(frozen=True, slots=True)
class Bounds:
    """From where on an operator wants to be warned; TTLs in seconds, lengths in octets."""

    lookups: int = 8
    voids: int = 2
    ttl_low: int = 300
    ttl_high: int = 172_800
    record: int = 450
    answer: int = 512


@dataclass(frozen=True, slots=True)
class Survey:
    """What DNS says about a domain's SPF record and all that it leads to.

    ``merged`` is the one record to publish in the place of several; empty where there are none.
    """

    domain: str
    forest: Forest
    selection: Selection
    parent: Reply | None
    merged: Mended = Mended()  # noqa: RUF009 - frozen

    @property
    def root(self) -> Branch:
        """The domain's own record."""
        return self.forest.root

    @property
    def reply(self) -> Reply:
        """The reply that the domain's own record was in."""
        return self.forest.replies[Query(self.domain, "TXT")]

    @property
    def record(self) -> TextRecord | None:
        """The domain's one record as it is on the wire; None where there is not exactly one."""
        return self.selection.records[0] if len(self.selection.records) == 1 else None

    def answer(self, query: Query) -> Answer:
        """Return the answer to *query*; an empty one that exists where it is not known."""
        reply = self.forest.replies.get(query)
        return reply if isinstance(reply, Answer) else Answer()


def survey(domain: str) -> Plan[Survey]:
    """Fetch the tree of *domain* and what surrounds its record."""
    extra = (
        Query(domain, "SPF", lasting=True),
        Query(f"{WILDCARD_LABEL}.{domain}", "TXT", lasting=True),
        Query(domain, "MX"),
    )
    forest = yield from grow(domain, extra, fresh=True)
    last = _last_questions(domain, forest)
    replies = yield from ask_all_dns(last)
    said = {**forest.replies, **dict(zip(last, replies, strict=True))}
    reply = said[Query(domain, "TXT")]
    records = reply.records if isinstance(reply, Answer) else ()
    parent = said.get(Query(domain.partition(".")[2], "TXT"))
    selection = select(records)
    merged = yield from _merge(domain, selection)
    return Survey(domain, Forest(forest.root, said), selection, parent, merged)


def _merge(domain: str, selection: Selection) -> Plan[Mended]:
    """Merge several records that differ; servers change their order."""
    texts = sorted({record.joined for record in selection.records})
    return (yield from tried(domain, merge(texts))) if len(texts) > 1 else Mended()


def _last_questions(domain: str, forest: Forest) -> tuple[Query, ...]:
    """List the explanations to look at, and the parent of a domain that has no record."""
    wanted: dict[Query, None] = {}
    for branch in forest.policy:
        if branch.record is not None and branch.record.exp is not None:
            target = static_target(branch.record.exp.domain, branch.domain)
            if target is not None:
                wanted[Query(target, "TXT")] = None
    if forest.root.state is State.MISSING and domain.count(".") + 1 >= _LABELS_OF_SUBDOMAIN:
        wanted[Query(domain.partition(".")[2], "TXT")] = None
    return tuple(query for query in wanted if query not in forest.replies)
