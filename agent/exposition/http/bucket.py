"""How often may something be done?

A bucket of tokens: so many at once, and one more after each interval.
"""

from agent.adapters.clock import Clock


class Bucket:
    """Holds up to *burst* tokens, and gets a new one each *interval* seconds."""

    __slots__ = ("_at", "_burst", "_clock", "_interval", "_level")

    def __init__(self, interval: float, burst: int, clock: Clock) -> None:
        self._interval, self._burst, self._clock = interval, burst, clock
        self._level, self._at = float(burst), clock.monotonic()

    def take(self) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        now = self._clock.monotonic()
        gained = (now - self._at) / self._interval if self._interval else self._burst
        self._level, self._at = min(self._burst, self._level + gained), now
        if self._level < 1:
            return (1 - self._level) * self._interval
        self._level -= 1
        return 0.0

    @property
    def is_full(self) -> bool:
        """Whether nothing was taken for so long that it need not be remembered."""
        return self._level + (self._clock.monotonic() - self._at) / self._interval >= self._burst
