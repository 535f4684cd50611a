"""How large are the latest values of something?"""

from collections import deque


class Recent:
    """The last *size* values, all in one unit."""

    __slots__ = ("_latest",)

    def __init__(self, size: int) -> None:
        self._latest: deque[float] = deque(maxlen=size)

    def add(self, value: float) -> None:
        """Take in one value."""
        self._latest.append(value)

    def quantile(self, share: float) -> float:
        """Return the value that *share* of the latest ones do not exceed; 0 without values."""
        if not self._latest:
            return 0.0
        ordered = sorted(self._latest)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def maximum(self) -> float:
        """The largest of the latest values; 0 without values."""
        return max(self._latest, default=0.0)
