"""Zones for SPF tests, written as ``name type value`` lines, one record each."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address

from agent.domain.lookup import Answer, Exchange, Record, Reply, Silence, TextRecord, Unanswered

Zone = Mapping[tuple[str, str], Reply]


def zone_of(
    text: str, *, ttl: int | None = 3600, size: int = 100, silent: tuple[str, ...] = ()
) -> dict[tuple[str, str], Reply]:
    """Read lines; ``|`` parts the strings of a TXT record; names in *silent* time out for TXT."""
    rows: dict[tuple[str, str], tuple[Record, ...]] = {}
    for line in text.strip("\n").splitlines():
        name, kind, value = line.strip().split(" ", 2)
        rows[name, kind] = (*rows.get((name, kind), ()), _record(kind, value))
    zone: dict[tuple[str, str], Reply] = {
        key: Answer(records, ttl=ttl, size=size) for key, records in rows.items()
    }
    zone.update({(name, "TXT"): Unanswered(Silence.SERVFAIL) for name in silent})
    return zone


def _record(kind: str, value: str) -> Record:
    match kind:
        case "A":
            return IPv4Address(value)
        case "AAAA":
            return IPv6Address(value)
        case "MX":
            preference, exchange = value.split()
            return Exchange(int(preference), exchange.removesuffix("."))
        case "TXT" | "SPF":
            return TextRecord(tuple(part.encode("latin-1") for part in value.split("|")))
        case _:
            return value
