"""The RFC 7208 test suite, read from the shared data: cases, and zones for dict and server."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import yaml

from agent.domain.lookup import (
    Answer,
    Exchange,
    Query,
    Record,
    Reply,
    Silence,
    TextRecord,
    Unanswered,
)

SUITE = Path(__file__).parents[3] / "shared/data/spf/rfc7208-tests.yml"
MAX_ALIASES = 8
Rows = dict[tuple[str, str], tuple[Record, ...]]


@dataclass(frozen=True)
class Case:
    name: str
    group: str
    ip: str
    mail_from: str
    helo: str
    results: tuple[str, ...]
    explanation: str | None
    zone: "SuiteZone"


@dataclass(frozen=True)
class SuiteZone:
    """Records by name and type; names in *silent* do not answer for types they do not list."""

    rows: Rows
    silent: frozenset[str]

    def reply(self, query: Query) -> Reply:
        """Answer as a resolver does, following aliases."""
        name = query.name
        aliases: list[str] = []
        for _ in range(MAX_ALIASES):
            target = self.rows.get((name, "CNAME"))
            if target is None or query.type == "CNAME":
                return self._at(name, query.type, tuple(aliases))
            name = str(target[0])
            aliases.append(name)
        return Unanswered(Silence.ALIAS_LOOP)

    def _at(self, name: str, kind: str, aliases: tuple[str, ...]) -> Reply:
        records = self.rows.get((name, kind))
        if records is None and name in self.silent:
            return Unanswered(Silence.TIMEOUT)
        exists = any(known == name or known.endswith("." + name) for known, _ in self.rows)
        return Answer(records or (), exists or bool(records), aliases)


def _octets(text: str) -> bytes:
    return text.encode("latin-1")


def _record(kind: str, value: Any) -> Record:
    match kind:
        case "A":
            return IPv4Address(value)
        case "AAAA":
            return IPv6Address(value)
        case "MX":
            return Exchange(int(value[0]), str(value[1]).lower().removesuffix("."))
        case "TXT" | "SPF":
            strings = value if isinstance(value, list) else [value]
            return TextRecord(tuple(map(_octets, strings)) or (b"",))
        case _:
            return str(value).lower().removesuffix(".")


def _zone(data: dict[str, list[Any]]) -> SuiteZone:
    rows: dict[tuple[str, str], list[Record]] = {}
    silent = set()
    for owner, entries in data.items():
        name = owner.lower()
        kinds = {kind for entry in entries if isinstance(entry, dict) for kind in entry}
        for entry in entries:
            if entry == "TIMEOUT":
                silent.add(name)
                continue
            ((kind, value),) = entry.items()
            if value == "NONE":
                continue
            rows.setdefault((name, kind), []).append(_record(kind, value))
            if kind == "SPF" and "TXT" not in kinds:
                rows.setdefault((name, "TXT"), []).append(_record("TXT", value))
    return SuiteZone({key: tuple(value) for key, value in rows.items()}, frozenset(silent))


def cases() -> Iterator[Case]:
    """Read every case of the suite; none where the shared data is absent."""
    if not SUITE.exists():
        return
    for group in yaml.safe_load_all(SUITE.read_text("utf-8")):
        zone = _zone(group["zonedata"])
        for name, test in group["tests"].items():
            wanted = test["result"]
            yield Case(
                name,
                group["description"],
                str(test["host"]),
                test["mailfrom"],
                str(test["helo"]),
                tuple(wanted) if isinstance(wanted, list) else (wanted,),
                test.get("explanation"),
                zone,
            )
