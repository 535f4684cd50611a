"""May an export take the place of the one before, and what of that one stays?

A job fails in many ways, and most leave a file that can be read: that of another tenant, one from
last week, one without the outbound connectors. Taken for the truth, each looks like a tenant whose
connectors somebody has removed. What a new export leaves out is therefore taken over from the last
one, and said.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from agent.domain.tenancy.drift import THINGS, match, unsaid_of
from agent.domain.tenancy.drift_properties import ORGANISATION, Kind, Thing
from agent.domain.tenancy.export_objects import FIELDS
from agent.domain.tenancy.export_objects import Kind as Section
from agent.domain.tenancy.objects import MICROSOFT_DOMAINS, Export, Organisation

_APART = timedelta(hours=1)  # by which the clocks of machines may differ unnoticed
_KINDS: dict[Kind, Section] = {
    "inbound connector": "inbound",
    "outbound connector": "outbound",
    "accepted domain": "domains",
    "mail flow rule": "rules",
    "DKIM configuration": "dkim",
}
# When something changed last is not known any more where no file says it.
_TIMES = ("changed_at", "created_at", "last_validated_at", "rotate_on_date")
_EMPTY = (None, "", ())
_PLURALS: dict[Kind, str] = {
    kind: "settings of the organisation" if kind == "organisation" else f"{kind}s"
    for kind in THINGS
}


@dataclass(frozen=True, slots=True)
class Together:
    """An export with what it left out as it was before; ``taken_over`` says what that is."""

    export: Export
    taken_over: tuple[str, ...] = ()


def why_not(last: Export, new: Export) -> str:
    """Say why *new* cannot be the next export of the tenant that *last* is of; empty if it can."""
    if is_of_another(last, new):
        return f"is of another tenant: {called(new)}, and the last one was of {called(last)}"
    if last.exported_at and new.exported_at and last.exported_at - new.exported_at > _APART:
        return (
            f"is older than the last one: of {new.exported_at:%Y-%m-%d %H:%M} UTC, and that was of"
            f" {last.exported_at:%Y-%m-%d %H:%M} UTC"
        )
    return ""


def is_of_another(one: Export, other: Export) -> bool:
    """Tell whether two exports are certainly of two tenants.

    A domain of Microsoft's belongs to one tenant for ever, and so does an id. Without either, two
    exports are of two tenants where they have neither a domain nor an object in common.
    """
    initials = initial_domains(one), initial_domains(other)
    if initials[0] & initials[1]:
        return False
    ids = tenant_id_of(one), tenant_id_of(other)
    if all(ids):
        return ids[0] != ids[1]
    if all(initials):
        return True
    return _are_apart(one.domain_names, other.domain_names) and _are_apart(
        tuple(_guids(one)), tuple(_guids(other))
    )


def initial_domains(export: Export) -> frozenset[str]:
    """Return the domains that Microsoft gave the tenant: nobody else can ever have them."""
    return frozenset(each for each in export.domain_names if each.endswith(MICROSOFT_DOMAINS))


def tenant_id_of(export: Export) -> str:
    """Return the id of the tenant in Entra, in lower case; empty where the export has none."""
    return export.organisation.tenant_id if export.organisation else ""


def called(export: Export) -> str:
    """Return by what people know the tenant of an export."""
    names = sorted(initial_domains(export)) or sorted(export.domain_names)
    return next(iter(names), "") or tenant_id_of(export) or "one without a domain"


def _guids(export: Export) -> Iterator[str]:
    for things in (export.inbound, export.outbound, export.rules):
        yield from (each.guid for each in things or () if each.guid)


def _are_apart(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return bool(one and other) and not set(one) & set(other)


def together(last: Export, new: Export) -> Together:
    """Return *new*, with what it does not hold of *last*: kinds of objects, and their properties.

    An empty list of objects is one that is held: they have been removed.
    """
    changes: dict[str, Any] = {}
    taken_over: list[str] = []
    for kind, things_of in THINGS.items():
        old, now = things_of(last), things_of(new)
        if old is None or old == now:
            continue
        if now is None:
            changes |= _held(kind, old)
            taken_over.append(_PLURALS[kind])
            continue
        filled, names = _filled(kind, old, now)
        if filled != now:
            changes |= _held(kind, filled)
        taken_over += [f"{name} of {_PLURALS[kind]}" for name in names]
    return Together(replace(new, **changes) if changes else new, tuple(taken_over))


def _held(kind: Kind, things: tuple[Thing, ...]) -> dict[str, Any]:
    """Return the objects of a kind by the field that an export has for them."""
    return {"organisation": things[0]} if kind == "organisation" else {_KINDS[kind]: things}


def _filled(
    kind: Kind, old: tuple[Thing, ...], now: tuple[Thing, ...]
) -> tuple[tuple[Thing, ...], tuple[str, ...]]:
    """Return the objects of *now* with what they do not say of *old*, and what that is."""
    if not any(map(unsaid_of, now)):
        return now, ()
    before = {id(pair.after): pair.before for pair in match(kind, old, now).both}
    names: dict[str, None] = {}
    filled = []
    for thing in now:
        was = before.get(id(thing))
        missing = set() if was is None else set(unsaid_of(thing)) - {*unsaid_of(was), *_TIMES}
        if was is not None and missing:
            filled.append(_with(thing, was, missing))
            lost = {each for each in missing if getattr(was, each) not in _EMPTY}
            names |= dict.fromkeys(_names(kind, lost))
        else:
            filled.append(thing)
    return tuple(filled), tuple(names)


def _with(thing: Thing, was: Thing, missing: set[str]) -> Thing:
    values: dict[str, Any] = {name: getattr(was, name) for name in missing}
    if not isinstance(thing, Organisation):
        values["unsaid"] = tuple(each for each in thing.unsaid if each not in missing)
    return replace(thing, **values)


def _names(kind: Kind, missing: set[str]) -> Iterator[str]:
    """Yield what Exchange calls the fields; the conditions of a rule have many names."""
    if kind == "organisation":
        yield from (each.name for each in ORGANISATION if each.field in missing)
        return
    known = {each.field: each.name for each in FIELDS[_KINDS[kind]]}
    yield from (known.get(each, each.replace("_", " ")) for each in sorted(missing))
