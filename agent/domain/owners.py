"""Whose host is that, on the way of a message?

The operator says which hosts and networks are theirs, their filter's and their partners'; what is
Microsoft's or a known filter's is known. A name or an address decides; the operator's word wins.
"""

import enum
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from agent.domain.estate import Estate
from agent.domain.knowledge.addresses import Use, special_use
from agent.domain.knowledge.filter_hosts import filter_title
from agent.domain.knowledge.microsoft_hosts import NETWORKS, host_class

_INNER = frozenset({Use.PRIVATE, Use.LINK_LOCAL, Use.LOOPBACK})
_NOTHING = Estate()
_MICROSOFT = Estate(networks=NETWORKS)


class Owner(enum.StrEnum):
    """Who runs a host: a closed set, fit for a label value."""

    US = "us"
    FILTER = "filter"
    MICROSOFT = "microsoft"
    PARTNER = "partner"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Owners:
    """What the operator says of who owns what. Without a word, only what is known is known."""

    us: Estate = _NOTHING
    filter: Estate = _NOTHING
    partner: Estate = _NOTHING

    def of(self, host: str, address: str = "") -> Owner:
        """Return who runs *host*, in lower case, at *address*; either may be empty."""
        for owner, estate in self._estates():
            if (host and estate.has_host(host)) or estate.has_address(address):
                return owner
        return _known(host)

    def of_client(self, host: str, name: str, address: str, *, is_looked_up: bool = True) -> Owner:
        """Return who runs the client that a server wrote down, as far as it cannot lie.

        *name* is that of its address in DNS; *host* is what the client called itself, and counts
        only where no stranger can be: without an address, or at one inside. A server that does not
        write names down (not *is_looked_up*) is taken at its word about known filters.
        """
        is_inside = not name and is_inner(address)
        for owner, estate in self._estates():
            if estate.has_address(address) or (name and estate.has_host(name)):
                return owner
            if is_inside and host and estate.has_host(host):
                return owner
        found = _known(name or host)
        if found is Owner.FILTER and not (name or is_inside) and is_looked_up:
            return Owner.UNKNOWN
        if found is Owner.MICROSOFT and address and not _is_microsofts(address):
            return Owner.UNKNOWN
        return found

    def _estates(self) -> tuple[tuple[Owner, Estate], ...]:
        return (
            (Owner.US, self.us),
            (Owner.FILTER, self.filter),
            (Owner.PARTNER, self.partner),
        )


def _known(host: str) -> Owner:
    if host_class(host) is not None:
        return Owner.MICROSOFT
    return Owner.FILTER if filter_title(host) else Owner.UNKNOWN


@lru_cache(maxsize=1024)
def is_inner(address: str) -> bool:
    """Tell whether no stranger can have *address*: it is private, loopback, or none at all."""
    if not address:
        return True
    special = special_use(ip_address(address))
    return special is not None and special.use in _INNER


def _is_microsofts(address: str) -> bool:
    """Tell whether Exchange Online's hosts have such addresses; inside, they are private ones."""
    return is_inner(address) or _MICROSOFT.has_address(address)
