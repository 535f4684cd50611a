"""Which certificates did the probes see lately, at which hosts?

Probes that walk through a session note what they were shown; the retirement calendar and the
attribution of mail read it. Kept in memory only: after a restart the next runs see it all again.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

MAX_HOSTS = 10_000  # those that nobody has seen for longest go first
MAX_NAMES = 100  # of one certificate


@dataclass(frozen=True, slots=True)
class Seen:
    """The certificate that a host showed: its names, its end, and when it was shown. UTC."""

    names: tuple[str, ...]
    not_after: datetime
    seen_at: datetime


class Sightings:
    """The certificate last seen at each host."""

    def __init__(self) -> None:
        self._certificates: OrderedDict[str, Seen] = OrderedDict()

    def note_certificate(
        self, host: str, names: tuple[str, ...], not_after: datetime, now: datetime
    ) -> None:
        """Note the certificate that *host* shows; texts must be safe to show.

        Where the addresses of a host show different ones, the last that was noted counts.
        """
        host = host.lower().rstrip(".")
        self._certificates[host] = Seen(names[:MAX_NAMES], not_after, now)
        self._certificates.move_to_end(host)
        if len(self._certificates) > MAX_HOSTS:
            self._certificates.popitem(last=False)

    def certificates(self) -> Mapping[str, Seen]:
        """Return what is known by host, those seen longest ago first; it cannot be changed."""
        return MappingProxyType(self._certificates)

    def forget(self, before: datetime) -> None:
        """Forget what nobody has seen since *before*: the host may be gone."""
        while self._certificates:
            host, seen = next(iter(self._certificates.items()))
            if seen.seen_at >= before:
                return
            del self._certificates[host]
