"""Where in a reply do the times to live stand, and what do they amount to?"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

MAX_TTL = 0x7FFFFFFF  # RFC 2181 section 8: larger ones mean 0
_ZERO_TTL: Final = bytes(4)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a reply's times to live stand, so that they can be read without reading the rest.

    ``ttls`` are the offsets of all of them; ``own`` those that make ``Answer.ttl`` and ``aliases``
    those of the aliases before; both bound how long the reply may be kept. ``cap`` is the SOA's
    minimum where nothing was found (RFC 2308 section 5). Without ``own`` and ``aliases`` the reply
    must not be kept.
    """

    size: int
    ttls: tuple[int, ...]
    own: tuple[int, ...]
    aliases: tuple[int, ...]
    cap: int

    def digest(self, wire: bytes, key: bytes) -> bytes:
        """Return a keyed digest of all octets but the id and the times to live."""
        rest = bytearray(wire)
        rest[:2] = b"\0\0"
        for offset in self.ttls:
            rest[offset : offset + 4] = _ZERO_TTL
        return blake2b(rest, digest_size=16, key=key).digest()

    def ttl(self, wire: bytes) -> int:
        """Return the time to live of what was asked for, in seconds; 0 if there is none."""
        return self._lowest(wire, self.own) if self.own else 0

    def lifetime(self, wire: bytes, ttl: int) -> int:
        """Return how many seconds a reply whose own time to live is *ttl* may be kept."""
        if not self.aliases:
            return ttl
        lowest = self._lowest(wire, self.aliases)
        return min(lowest, ttl) if self.own else lowest

    def _lowest(self, wire: bytes, offsets: tuple[int, ...]) -> int:
        lowest = self.cap
        for offset in offsets:
            ttl = int.from_bytes(wire[offset : offset + 4], "big")
            if ttl < lowest:
                lowest = ttl
            elif ttl > MAX_TTL:
                return 0
        return lowest
