"""Is that host, or that address, one of those?

A set of hosts as an operator writes it down: names, patterns and networks in one list.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Self

Network = IPv4Network | IPv6Network

_PATTERN = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?")


@dataclass(frozen=True, slots=True)
class _Range:
    """A network as numbers: Python's own test takes longer than reading the address."""

    version: int
    mask: int
    first: int


@dataclass(frozen=True, slots=True)
class Estate:
    """The hosts of one owner: names, patterns with one leading ``*.``, and networks."""

    patterns: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    _names: frozenset[str] = field(init=False, repr=False)
    _suffixes: tuple[str, ...] = field(init=False, repr=False)
    _ranges: tuple[_Range, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        names = [each.lower().removesuffix(".") for each in self.patterns]
        suffixes = tuple(each[1:] for each in names if each.startswith("*."))
        ranges = tuple(
            _Range(each.version, int(each.netmask), int(each.network_address))
            for each in self.networks
        )
        object.__setattr__(self, "_names", frozenset(names))
        object.__setattr__(self, "_suffixes", suffixes)
        object.__setattr__(self, "_ranges", ranges)

    @classmethod
    def read(cls, words: Iterable[str]) -> Self:
        """Sort words into patterns and networks.

        Raises ValueError, with the word and the reason, where one is neither.
        """
        patterns: list[str] = []
        networks: list[Network] = []
        for word in words:
            try:
                networks.append(ip_network(word, strict=False))
            except ValueError:
                pattern = word.lower().removesuffix(".")
                if not _PATTERN.fullmatch(pattern):
                    message = f"{word!r} is no host, no pattern such as *.example.com, no network"
                    raise ValueError(message) from None
                patterns.append(pattern)
        return cls(tuple(patterns), tuple(networks))

    def has_host(self, host: str) -> bool:
        """Tell whether *host*, in lower case, is one of the names or below one of the patterns."""
        return host in self._names or host.endswith(self._suffixes)

    def has_address(self, address: str) -> bool:
        """Tell whether *address*, in its usual spelling or empty, is in one of the networks."""
        if not address or not self._ranges:
            return False
        version, number = _number(address)
        return any(
            each.version == version and number & each.mask == each.first for each in self._ranges
        )


@lru_cache(maxsize=1024)
def _number(address: str) -> tuple[int, int]:
    """Return the version and the number of an address; the same hosts come all the time."""
    parsed = ip_address(address)
    return parsed.version, int(parsed)
