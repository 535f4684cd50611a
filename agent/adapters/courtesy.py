"""How does a mail server see us behave: not too often, and less when it asks for that?

A monitor that goes on knocking while a server says "too many connections" becomes the cause of
what it measures. So connections to one address keep a distance, and an address that throttled us is
left alone for a while, twice as long each time until a quarter of an hour.
"""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address

from agent.adapters.clock import Clock

Address = IPv4Address | IPv6Address

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
_MAX_KNOWN = 4096  # addresses that are remembered


@dataclass(slots=True)
class _Hold:
    """An address that asked us to slow down: since when, until when, and how long the pause is."""

    since: float
    until: float
    pause: float


class Courtesy:
    """What is known of how often addresses want to see us. Times are monotonic, in seconds."""

    def __init__(self, clock: Clock, spacing: timedelta = timedelta()) -> None:
        self._clock = clock
        self._spacing = spacing.total_seconds()
        self._free_from: dict[Address, float] = {}
        self._holds: dict[Address, _Hold] = {}

    def wait_for(self, address: Address) -> float:
        """Take the next turn at *address*, and return after how many seconds it is."""
        if not self._spacing:
            return 0.0
        now = self._clock.monotonic()
        if len(self._free_from) >= _MAX_KNOWN:
            self._free_from = {each: at for each, at in self._free_from.items() if at > now}
        turn = max(now, self._free_from.get(address, now))
        self._free_from[address] = turn + self._spacing
        return turn - now

    def note(self, address: Address, *, throttled: bool) -> timedelta | None:
        """Take in how a session ended; return for how long *address* has been throttling us."""
        if not throttled:
            self._holds.pop(address, None)
            return None
        now, hold = self._clock.monotonic(), self._holds.get(address)
        if hold is None:
            if len(self._holds) >= _MAX_KNOWN:
                self._holds.clear()
            hold = self._holds[address] = _Hold(now, now, FIRST_PAUSE.total_seconds() / 2)
        hold.pause = min(2 * hold.pause, LONGEST_PAUSE.total_seconds())
        hold.until = now + hold.pause
        return timedelta(seconds=now - hold.since)

    def held(self, address: Address) -> tuple[timedelta, timedelta] | None:
        """Return for how long *address* has throttled us, and how long it is left alone; or None.

        None also means that the pause is over and the next session may find out.
        """
        now, hold = self._clock.monotonic(), self._holds.get(address)
        if hold is None or now >= hold.until:
            return None
        return timedelta(seconds=now - hold.since), timedelta(seconds=hold.until - now)
