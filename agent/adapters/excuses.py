"""Which failures are explained by something else, so that nobody need be told of them?

Where the uplink is cut, no mailbox can be looked into: that is one fault and not forty. What failed
because of another thing is excused while that thing is down, and for one more try afterwards, which
may have begun before it came back. A single try that fails is never told: the next one is due in
seconds, and a machine that was suspended finds all its connections broken.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_TRIES = 2  # that must fail in a row, and after the other thing has come back


@dataclass(slots=True)
class Excuses:
    """What was excused, by name, and for how many runs in a row anything else was told."""

    _excused: dict[str, int] = field(default_factory=dict)
    _told: dict[str, tuple[str, int]] = field(default_factory=dict)

    def is_to_tell(self, name: str, failures: int, *, explained: bool) -> bool:
        """Tell whether *name*, which failed so many times in a row, has itself to be blamed.

        *explained* says that something else is down now that accounts for it.
        """
        if not failures:
            self._excused.pop(name, None)
            return False
        if explained:
            self._excused[name] = failures
            return False
        return failures >= self._excused.get(name, 0) + _TRIES

    def tell(self, reasons: Mapping[str, str]) -> None:
        """Take in what one run has told: names, and why each is failing."""
        before = self._told
        self._told = {
            name: (reason, before.get(name, ("", 0))[1] + 1) for name, reason in reasons.items()
        }

    @property
    def told(self) -> Mapping[str, tuple[str, int]]:
        """What the last run told, by name: the reason, and for how many runs in a row."""
        return MappingProxyType(self._told)
