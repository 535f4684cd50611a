"""What changed in a tenant between two exports: which object, what of it, from what to what?

Objects are the same by their Guid, else by their name, so that one with a new name has changed and
was not replaced. What one of the two exports does not say is not compared. Exports do not say who
changed a thing; the audit log of the tenant does.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from agent.domain.tenancy.drift_properties import (
    ORGANISATION,
    PRIORITY,
    PROPERTIES,
    Kind,
    Thing,
    name_of,
    shortened,
    written,
)
from agent.domain.tenancy.drift_restore import make_again, set_back, switch_off
from agent.domain.tenancy.drift_weakening import weakens
from agent.domain.tenancy.objects import (
    Export,
    Inbound,
    Organisation,
    Outbound,
    TransportRule,
)

What = Literal["added", "removed", "changed"]
Trait = Literal["on", "on-premises", "restricted", "routes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of one object, in Exchange's words.

    ``before`` and ``after`` are short texts, empty for nothing. ``at`` is when Exchange says that
    the object last changed, None where it does not say; ``seen_at`` is when the change was noticed.
    ``who`` is empty: exports do not say. ``traits`` is what the object was before (what it is, for
    one that was added). ``is_weaker``: it holds back less than before. ``fix`` is what to type to
    undo it, where one line does.
    """

    kind: Kind
    name: str
    what: What
    property: str = ""
    before: str = ""
    after: str = ""
    at: datetime | None = None
    seen_at: datetime | None = None
    who: str = ""
    traits: tuple[Trait, ...] = ()
    is_weaker: bool = False
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """An object as it was, and as it is."""

    before: Thing
    after: Thing


@dataclass(frozen=True, slots=True)
class Matched:
    """What is in two exports, what only in the earlier, and what only in the later one."""

    both: tuple[Pair, ...]
    removed: tuple[Thing, ...]
    added: tuple[Thing, ...]


def differences(before: Export, after: Export) -> tuple[Change, ...]:
    """Return what differs, kind by kind; nothing of a kind that one of the exports does not hold.

    The order of objects in the exports makes no difference.
    """
    found: list[Change] = []
    for kind, things_of in THINGS.items():
        old, new = things_of(before), things_of(after)
        if old is not None and new is not None and old != new:
            found += _of_kind(kind, old, new)
    return tuple(found)


THINGS: dict[Kind, Callable[[Export], tuple[Thing, ...] | None]] = {
    "inbound connector": lambda export: export.inbound,
    "outbound connector": lambda export: export.outbound,
    "accepted domain": lambda export: export.domains,
    "mail flow rule": lambda export: export.rules,
    "DKIM configuration": lambda export: export.dkim,
    "organisation": lambda export: None if export.organisation is None else (export.organisation,),
}


def _of_kind(kind: Kind, old: tuple[Thing, ...], new: tuple[Thing, ...]) -> list[Change]:
    matched = match(kind, old, new)
    found = [
        Change(
            kind=kind,
            name=name_of(thing),
            what="removed",
            traits=_traits(thing),
            fix=make_again(thing),
        )
        for thing in sorted(matched.removed, key=name_of)
    ]
    found += [
        Change(
            kind=kind,
            name=name_of(thing),
            what="added",
            at=_changed_at(thing),
            traits=_traits(thing),
            fix=switch_off(thing),
        )
        for thing in sorted(matched.added, key=name_of)
    ]
    moved = _moved(matched.both) if kind == "mail flow rule" else frozenset()
    pairs = sorted(enumerate(matched.both), key=lambda each: name_of(each[1].after))
    for number, pair in pairs:
        found += _of_pair(kind, pair, is_moved=number in moved)
    return found


def match(kind: Kind, old: tuple[Thing, ...], new: tuple[Thing, ...]) -> Matched:
    """Find what is the same object: by its Guid, else by its name.

    There is one organisation, whatever it is called.
    """
    if kind == "organisation":
        return Matched((Pair(old[0], new[0]),), (), ())
    pairs: list[Pair] = []
    for key in (_guid, _name):
        waiting: defaultdict[str, list[Thing]] = defaultdict(list)
        for thing in old:
            waiting[key(thing)].append(thing)
        added: list[Thing] = []
        for thing in new:
            same = waiting[key(thing)] if key(thing) else []
            if same:
                pairs.append(Pair(same.pop(0), thing))
            else:
                added.append(thing)
        old = tuple(thing for things in waiting.values() for thing in things)
        new = tuple(added)
    return Matched(tuple(pairs), old, new)


def unsaid_of(thing: Thing) -> tuple[str, ...]:
    """Return the fields of which the export of an object says nothing.

    What is set for the organisation comes from two cmdlets: none of it is empty.
    """
    if isinstance(thing, Organisation):
        return tuple(each.field for each in ORGANISATION if each.value_of(thing) in (None, ""))
    return thing.unsaid


def _guid(thing: Thing) -> str:
    found: str = getattr(thing, "guid", "")
    return found.lower()


def _name(thing: Thing) -> str:
    return name_of(thing).casefold()


def _of_pair(kind: Kind, pair: Pair, *, is_moved: bool) -> Iterator[Change]:
    before, after = pair.before, pair.after
    unsaid = {*unsaid_of(before), *unsaid_of(after)}
    base = Change(
        kind=kind,
        name=name_of(after),
        what="changed",
        at=_changed_at(after) if _changed_at(after) != _changed_at(before) else None,
        traits=_traits(before),
    )
    changed = [
        spec
        for spec in PROPERTIES[kind]
        if spec.field not in unsaid and spec.differs(spec.value_of(before), spec.value_of(after))
    ]
    if is_moved and PRIORITY.differs(PRIORITY.value_of(before), PRIORITY.value_of(after)):
        changed.append(PRIORITY)
    for spec in changed:
        # The one that changed first: it decides which cmdlet sets it.
        as_well = [each for each in changed if each.key == spec.key and each != spec]
        old, new = spec.value_of(before), spec.value_of(after)
        yield replace(
            base,
            property=spec.name,
            before=written(spec, old, new),
            after=written(spec, new, old),
            is_weaker=weakens(kind, spec.name, old, new),
            fix=set_back(kind, before, after, (spec, *as_well)),
        )
    if isinstance(before, TransportRule) and isinstance(after, TransportRule):
        if "conditions" in unsaid:
            return
        yield from _conditions(base, before, after)


def _conditions(base: Change, before: TransportRule, after: TransportRule) -> Iterator[Change]:
    old, new = dict(before.conditions), dict(after.conditions)
    for name in sorted({*old, *new}):
        was, now = old.get(name, ""), new.get(name, "")
        if was != now:
            yield replace(base, property=name, before=shortened(was), after=shortened(now))


def _moved(pairs: tuple[Pair, ...]) -> frozenset[int]:
    """Return which pairs changed their place among the others; one that was added moves nobody.

    Those that are in their old order, as many as possible, have stayed; the rest has moved.
    """
    placed = []
    for number, pair in enumerate(pairs):
        old, new = PRIORITY.value_of(pair.before), PRIORITY.value_of(pair.after)
        if old is not None and new is not None:
            placed.append((old, new, number))
    placed.sort()
    tails: list[int] = []  # the lowest last place of a run of each length
    ends: list[int] = []  # which of the placed that is
    behind: list[int] = []  # which of the placed comes before in the run, -1 for none
    for at, (_, new, _) in enumerate(placed):
        length = bisect_right(tails, new)
        tails[length : length + 1] = [new]
        ends[length : length + 1] = [at]
        behind.append(ends[length - 1] if length else -1)
    stayed, at = set(), ends[-1] if ends else -1
    while at >= 0:
        stayed.add(placed[at][2])
        at = behind[at]
    return frozenset(number for _, _, number in placed) - stayed


def _traits(thing: Thing) -> tuple[Trait, ...]:
    found: list[Trait] = []
    if isinstance(thing, Inbound | Outbound | TransportRule) and thing.is_on:
        found.append("on")
    if isinstance(thing, Inbound | Outbound) and thing.connector_type == "on-premises":
        found.append("on-premises")
    if isinstance(thing, Inbound) and thing.is_restricted:
        found.append("restricted")
    if isinstance(thing, Outbound) and thing.tls_settings not in (None, "none"):
        found.append("restricted")
    if isinstance(thing, TransportRule) and thing.route_message_outbound_connector:
        found.append("routes")
    return tuple(found)


def _changed_at(thing: Thing) -> datetime | None:
    found: datetime | None = getattr(thing, "changed_at", None)
    return found
