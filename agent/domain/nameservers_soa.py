"""What does the SOA record of a zone say of how its servers keep up with one another?

RFC 1035 section 3.3.13. Serials go round (RFC 1982), so that newer is not greater. Servers with
different primaries count by themselves, and their serials cannot be compared.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agent.domain.direct import Said
from agent.domain.nameservers import Survey, Voice

_FIELDS = 7
_HALF = 1 << 31
_WHOLE = 1 << 32


@dataclass(frozen=True, slots=True)
class Soa:
    """The fields of a SOA record; times are in seconds. ``ttl`` is the record's own."""

    primary: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int
    ttl: int = 0

    @property
    def negative_ttl(self) -> int:
        """How long resolvers keep that there is nothing, RFC 2308 section 5."""
        return min(self.ttl, self.minimum)


def read_soa(said: object) -> Soa | None:
    """Read the SOA in a server's answer; None where there is none that can be read."""
    if not isinstance(said, Said) or not said.records:
        return None
    words = str(said.records[0]).split()
    if len(words) != _FIELDS or not all(word.isdigit() for word in words[2:]):
        return None
    serial, refresh, retry, expire, minimum = map(int, words[2:])
    primary = words[0].rstrip(".").lower()
    return Soa(primary, serial % _WHOLE, refresh, retry, expire, minimum, said.ttl or 0)


def ahead(one: int, other: int) -> int:
    """Return by how much serial *one* is newer than *other*; negative where it is older."""
    distance = (one - other) % _WHOLE
    return distance - _WHOLE if distance > _HALF else distance


def newest(serials: Iterable[int]) -> int:
    """Return the newest of some serials."""
    found, *others = serials
    for serial in others:
        found = serial if ahead(serial, found) > 0 else found
    return found


@dataclass(frozen=True, slots=True)
class Behind:
    """A server whose serial is older than another's of the same primary."""

    voice: Voice
    serial: int
    newest: int


def behind(found: Survey) -> tuple[Behind, ...]:
    """Return the servers that are behind others with the same primary."""
    groups: dict[str, list[tuple[Voice, int]]] = {}
    for voice in found.voices:
        soa = read_soa(voice.soa)
        if soa is not None:
            groups.setdefault(soa.primary, []).append((voice, soa.serial))
    late = []
    for members in groups.values():
        best = newest(serial for _, serial in members)
        late += [Behind(voice, serial, best) for voice, serial in members if serial != best]
    return tuple(late)


def soa_of(found: Survey) -> Soa | None:
    """Return the first SOA that a server gave."""
    return next((soa for voice in found.voices if (soa := read_soa(voice.soa))), None)
