"""What do the files that Exchange's cmdlets wrote say of a tenant, all together?

Connectors, domains and rules may come in any number of files, and the same object twice: an export
of outbound connectors needs four calls. Objects are put together by their Guid, or else by name.
Where something is no export, or is that of two tenants, nothing is read at all: whoever took half
of a tenant for the whole would report the other half as removed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from agent.domain.names import DomainName
from agent.domain.peer_text import PeerText
from agent.domain.tenancy.export_hosts import domain, mail_domain_text
from agent.domain.tenancy.export_kinds import (
    CMDLETS,
    SCRIPT,
    Document,
    Found,
    Section,
    asked_at,
    sections_of,
)
from agent.domain.tenancy.export_objects import (
    NAMED_BY,
    Kind,
    Properties,
    read_fields,
    unsaid_of,
)
from agent.domain.tenancy.export_organisation import organisation_of
from agent.domain.tenancy.export_trouble import ExportError, Notes, Place, Remark
from agent.domain.tenancy.export_values import Cell, guid, label
from agent.domain.tenancy.objects import (
    AcceptedDomain,
    DkimConfig,
    DnsRecord,
    Export,
    Inbound,
    Outbound,
    TransportRule,
)
from agent.domain.tenancy.one_tenant import see_one_tenant

__all__ = ["Document", "ExportError", "ExportReading", "Place", "Remark", "read_documents"]

T = TypeVar("T")
_APART = 3600.0  # seconds between two exports that nobody made at one time
_LONGEST_NAME = 64  # characters, in Exchange
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_REMOVE = "remove files of earlier exports"


@dataclass(frozen=True, slots=True)
class ExportReading:
    """What the files say, and what in them was not understood."""

    export: Export
    remarks: tuple[Remark, ...] = ()


def read_documents(documents: Sequence[Document], remarks: Iterable[Remark] = ()) -> ExportReading:
    """Read the files of one tenant, in any order; *remarks* are those that there are already.

    Raises ExportError, with all mistakes, where nothing of it can be trusted.
    """
    notes = Notes(remarks=list(remarks))
    sections: list[Section] = []
    times: list[datetime] = []
    for document in sorted(documents, key=lambda each: each.file):
        times.append(asked_at(document, notes))
        sections += sections_of(document, notes, times[-1])
    if not sections and not notes.mistakes:
        right = f"what is read is the output of {', '.join(CMDLETS.values())}"
        notes.mistake(Place(", ".join(each.file for each in documents)), "holds no export", right)
    _see_times(sections, notes)
    found = [each for section in sections for each in section.found]
    see_one_tenant(found, notes)
    export = _export({section.kind for section in sections}, found, notes, times)
    return ExportReading(export, notes.closed())


def _export(kinds: set[Kind], found: list[Found], notes: Notes, times: list[datetime]) -> Export:
    def read(kind: Kind, make: Callable[[Properties], T]) -> tuple[T, ...] | None:
        if kind not in kinds:
            return None
        return _merged([each for each in found if each.kind == kind], make, notes)

    return Export(
        inbound=read("inbound", lambda each: Inbound(**_named("inbound", each))),
        outbound=read("outbound", lambda each: Outbound(**_named("outbound", each))),
        domains=read("domains", _domain),
        rules=read("rules", lambda each: TransportRule(**_named("rules", each))),
        dkim=read("dkim", _dkim),
        records=read("records", _record),
        organisation=organisation_of(found) if kinds & {"org", "transport"} else None,
        exported_at=min(times, default=None),
    )


def _named(kind: Kind, properties: Properties) -> dict[str, Any]:
    """Return the fields of an object with its name."""
    cell = _name_cell(kind, properties)
    name = label(cell)
    if isinstance(cell.value, str) and len(cell.value) > _LONGEST_NAME:
        cell.remark(f"is a name of more than {_LONGEST_NAME} characters", "Exchange has none such")
    return {"name": name, **_fields(kind, properties)}


def _fields(kind: Kind, properties: Properties) -> dict[str, Any]:
    return {**read_fields(kind, properties), "unsaid": unsaid_of(kind, properties)}


def _name_cell(kind: Kind, properties: Properties) -> Cell:
    """Return the property that names an object, an empty one where none does."""
    cells = [properties.cell(name) for name in NAMED_BY[kind]]
    return next((each for each in cells if label(each.quietly)), cells[0])


def _domain(properties: Properties) -> AcceptedDomain:
    name = domain(_name_cell("domains", properties)).removeprefix("*.")
    return AcceptedDomain(name=name, **_fields("domains", properties))


def _dkim(properties: Properties) -> DkimConfig:
    name = domain(_name_cell("dkim", properties))
    return DkimConfig(domain=name, **_fields("dkim", properties))


def _record(properties: Properties) -> DnsRecord:
    name = mail_domain_text(_name_cell("records", properties))
    return DnsRecord(name=name, **_fields("records", properties))


def _merged(found: list[Found], make: Callable[[Properties], T], notes: Notes) -> tuple[T, ...]:
    """Return each object once, by name: the newest where it is there several times."""
    keyed = [(each, *_keys(each)) for each in found]
    # An export without Guids may stand beside one with them.
    known = {name: key for _, key, name in keyed if key}
    groups: dict[str, list[Found]] = {}
    order: dict[str, tuple[str, str]] = {}
    for each, key, name in keyed:
        if not name:
            right = f"every object of {CMDLETS[each.kind]} has {' or '.join(NAMED_BY[each.kind])}"
            notes.mistake(each.properties.place, "has no name", right)
        same = key or known.get(name, f"name {name}")
        groups.setdefault(same, []).append(each)
        order[same] = min(order.get(same, (name, key)), (name, key))
    return tuple(
        _newest(groups[each], make, notes) for each in sorted(groups, key=order.__getitem__)
    )


def _keys(found: Found) -> tuple[str, str]:
    """Return the Guid of an object, empty where it has none, and its name, in lower case."""
    cell = _name_cell(found.kind, found.properties).quietly
    # Not cut: two names that differ after two hundred characters are two names.
    name = cell.value.strip().lower() if isinstance(cell.value, str) else label(cell).lower()
    if found.kind == "records":
        # One name has several, which differ in what they say.
        said = read_fields("records", found.properties.quietly)
        what = (said.get(each) for each in ("record_type", "target", "text"))
        return "", f"{name} {' '.join(map(str, what))}".strip().lower() if name else ""
    if found.kind in ("domains", "dkim"):
        return "", _domain_key(name)
    return guid(found.properties.cell("Guid").quietly), name


def _domain_key(name: str) -> str:
    try:
        return DomainName.parse(name[:1000]).ascii
    except ValueError:
        return name


def _newest(group: list[Found], make: Callable[[Properties], T], notes: Notes) -> T:
    """Return the object as it was last exported, whichever file that is in."""
    kept, *others = sorted(group, key=lambda each: _age(each, make), reverse=True)
    made = make(kept.properties)
    for each in others:
        if not _agree(make(each.properties.quietly), made):
            there = PeerText(f"{kept.properties.place.file}: {kept.properties.place.path}")
            notes.remark(each.properties.place, f"is not as in {there}, which counts", _REMOVE)
    return made


def _agree(thing: Any, made: Any) -> bool:
    """Tell whether two exports of an object say the same, whichever properties they leave out."""
    return bool(replace(thing, unsaid=()) == replace(made, unsaid=()))


def _age(found: Found, make: Callable[[Properties], T]) -> tuple[datetime, datetime, str]:
    """Return by what one export of an object is newer than another, and then by what it differs."""
    thing = make(found.properties.quietly)
    return found.asked_at, getattr(thing, "changed_at", None) or _LONG_AGO, repr(thing)


def _see_times(sections: list[Section], notes: Notes) -> None:
    """Remark where one kind of object is in files that were not made at one time.

    A connector that was removed in between would still be in the older one.
    """
    newest: dict[Kind, Section] = {}
    for each in sections:
        if each.kind not in newest or each.asked_at > newest[each.kind].asked_at:
            newest[each.kind] = each
    for each in sections:
        last = newest[each.kind]
        hours = (last.asked_at - each.asked_at).total_seconds() / _APART
        if hours > 1 and each.place.file != last.place.file:
            there = PeerText(last.place.file)
            what = (
                f"is the output of {CMDLETS[each.kind]}, {hours:.0f} h older than that in {there}"
            )
            notes.remark(Place(each.place.file), what, f"{_REMOVE}; {SCRIPT} writes one file")
