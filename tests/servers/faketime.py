"""A wall clock that a test may step, for a process and its threads: libfaketime from Debian.

The clock that does not step, and by which the event loop waits, is left alone.
"""

from pathlib import Path

_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class WallClock:
    """The wall clock of a process that is started with :attr:`environment`."""

    def __init__(self, folder: Path) -> None:
        assert _LIBRARIES, "install Debian's faketime"
        self._file = folder / "faketime"
        self.step("+0")

    def step(self, offset: str) -> None:
        """Set the clock that far from the right time: ``+1h``, ``-1d``, ``+0``."""
        aside = self._file.with_suffix(".new")
        aside.write_text(f"{offset}\n")
        aside.rename(self._file)

    @property
    def environment(self) -> dict[str, str]:
        """What the process needs in its environment."""
        return {
            "LD_PRELOAD": str(_LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }


def hurried(factor: int) -> dict[str, str]:
    """Return the environment of a process for which all clocks run *factor* times as fast."""
    assert _LIBRARIES, "install Debian's faketime"
    return {"LD_PRELOAD": str(_LIBRARIES[0]), "FAKETIME": f"+0 x{factor}"}
