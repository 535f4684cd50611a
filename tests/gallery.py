"""The gallery of tenants: folders of exports, each with what the analysis has to say of them.

``tests/tenants/NNN-name/case.yaml`` has the words of the configuration where it says anything, DNS
as a small zone, and the codes of the rules that are broken. Exports stand beside it, in the shapes
in which PowerShell writes them.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import yaml

from agent.adapters.export_files import find_files, read_tenant
from agent.domain.finding import Finding
from agent.domain.lookup import Answer, Exchange, Record, Reply, Silence, Unanswered, replay
from agent.domain.tenancy.attribution_lint import claims
from agent.domain.tenancy.export_trouble import Remark
from agent.domain.tenancy.hygiene import Wishes, hygiene
from agent.domain.tenancy.landscape import Landscape
from agent.domain.tenancy.loops import loops
from agent.domain.tenancy.retirement import calendar
from agent.domain.tenancy.retirement_facts import seen_in
from agent.domain.tenancy.seeing import look
from agent.domain.tenancy.tenancies import Surroundings, Tenancy

GALLERY = Path(__file__).parent / "tenants"
FOLDERS = tuple(sorted(each.name for each in GALLERY.iterdir()))
EXPORTED_AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TENANT_KEYS = {
    "name",
    "files",
    "topologies",
    "may_declare",
    "gateways",
    "presents",
    "wishes",
    "remarks",
    "expected",
}
KEYS = {"about", "page", "tenants", "dns", "ranges", "shown"}
Findings = dict[str, tuple[Finding, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitter:
    """One tenant of a case. ``may_declare`` are topologies that fit, and must change nothing."""

    tenancy: Tenancy
    files: tuple[str, ...]
    remarks: tuple[Remark, ...]
    expected: tuple[str, ...]
    may_declare: Mapping[str, str]
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class Case:
    """A folder: what it shows, its tenants, and what is seen around them.

    That is what DNS says, the networks that providers publish, and the certificates that probes saw
    at hosts.
    """

    about: str
    page: str
    sitters: tuple[Sitter, ...]
    zone: Mapping[tuple[str, str], Reply]
    ranges: Mapping[str, tuple[str, ...]]
    shown: Mapping[str, tuple[str, ...]]

    def declared(self) -> "Case":
        """Return the same case with all topologies said that may be."""
        return replace(self, sitters=tuple(map(_declared, self.sitters)))

    def without(self, kind: str) -> "Case":
        """Return the same case where no file holds objects of a *kind*, a field of an export."""
        return replace(self, sitters=tuple(_without(each, kind) for each in self.sitters))

    def in_silence(self) -> "Case":
        """Return the same case where DNS answers nothing, and no probe saw anything."""
        names = {name for each in self.sitters for name in _asked(each.tenancy)}
        silent: dict[tuple[str, str], Reply] = {
            (name, kind): Unanswered(Silence.TIMEOUT) for name in names for kind in ("MX", "A")
        }
        return replace(self, zone=silent, shown={}, ranges={})

    def findings(self) -> Findings:
        """Return what the checks of tenants find that need no past, tenant by tenant."""
        landscape = Landscape(self.surroundings())
        for each in self.sitters:
            landscape.put(each.tenancy)
        return {each.tenancy.name: tuple(_findings(each, landscape)) for each in self.sitters}

    def surroundings(self) -> Surroundings:
        """Return what the agent would see of DNS, by its own plan."""
        tenancies = [each.tenancy for each in self.sitters]
        said = [name for each in tenancies for name in each.topologies]
        seen = replay(look(tenancies, said), self.zone)
        for title, networks in self.ranges.items():
            seen.ranges[title] = tuple(map(ip_network, networks))
        seen.certificates.update(self.shown)
        return seen


def _asked(tenancy: Tenancy) -> Iterator[str]:
    yield from (*tenancy.export.domain_names, *tenancy.topologies)
    for connector in tenancy.export.outbound or ():
        yield from connector.smart_hosts


def _without(sitter: Sitter, kind: str) -> Sitter:
    export = replace(sitter.tenancy.export, **{kind: None})
    return replace(sitter, tenancy=replace(sitter.tenancy, export=export))


def _declared(sitter: Sitter) -> Sitter:
    topologies = {**sitter.may_declare, **sitter.tenancy.topologies}
    return replace(sitter, tenancy=replace(sitter.tenancy, topologies=topologies))


def _findings(sitter: Sitter, landscape: Landscape) -> Iterator[Finding]:
    yield from hygiene(sitter.tenancy, landscape.surroundings, NOW, sitter.wishes)
    yield from claims(sitter.tenancy, landscape)
    yield from loops(sitter.tenancy, landscape)
    yield from _ending(sitter.tenancy, landscape.surroundings)


def _ending(tenancy: Tenancy, seen: Surroundings) -> Iterator[Finding]:
    """Yield what comes to an end of what export and DNS show in use."""
    known = seen.exchanges
    exchanges = {name: known[name].hosts for name in tenancy.export.domain_names if name in known}
    yield from calendar(replace(seen_in(tenancy.export), exchanges=exchanges), NOW).findings


def hang(there: Path) -> Path:
    """Copy the gallery, with the times of the files that the exports had when they were made.

    A checkout gives every file a time of its own, and an export without a time has the file's.
    """
    copied = Path(shutil.copytree(GALLERY, there / "tenants"))
    at = EXPORTED_AT.timestamp()
    for path in copied.rglob("*"):
        os.utime(path, (at, at))
    return copied


@cache
def words_of(folder: Path) -> dict[str, Any]:
    """Return what ``case.yaml`` says."""
    words: dict[str, Any] = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    assert set(words) <= KEYS, f"{folder.name} has keys that nobody reads"
    return words


@cache
def read_case(folder: Path, *, backwards: bool = False) -> Case:
    """Read a case by the reader that the agent has; *backwards* in another order throughout."""
    words = words_of(folder)
    step = -1 if backwards else 1
    return Case(
        about=words["about"],
        page=words["page"],
        sitters=tuple(_sitter(each, folder, step) for each in words["tenants"][::step]),
        zone=dict(_zone(words["dns"])),
        ranges={title: tuple(each) for title, each in words.get("ranges", {}).items()},
        shown={host: tuple(each) for host, each in words.get("shown", {}).items()},
    )


def _sitter(words: dict[str, Any], folder: Path, step: int) -> Sitter:
    assert set(words) <= TENANT_KEYS, f"{folder.name} has keys that nobody reads"
    files = tuple(find_files(words["files"], folder).paths)
    reading = read_tenant(files[::step])
    tenancy = Tenancy(
        name=words["name"],
        export=reading.export,
        topologies=words.get("topologies", {}),
        gateways=tuple(words.get("gateways", ())),
        presents=tuple(words.get("presents", ())),
    )
    return Sitter(
        tenancy=tenancy,
        files=files,
        remarks=reading.remarks,
        expected=tuple(words["expected"]),
        may_declare=words.get("may_declare", {}),
        wishes=Wishes(**words.get("wishes", {})),
    )


def _zone(
    words: Mapping[str, Mapping[str, Iterable[str]]],
) -> Iterator[tuple[tuple[str, str], Reply]]:
    for name, sets in words.items():
        for kind, texts in sets.items():
            records: list[Record] = [_record(kind, text) for text in texts]
            yield (name, kind.upper()), Answer(tuple(records))


def _record(kind: str, text: str) -> Record:
    if kind != "mx":
        return ip_address(text)
    preference, exchange = text.split()
    return Exchange(int(preference), exchange.removesuffix("."))
