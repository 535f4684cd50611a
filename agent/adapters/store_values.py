"""What is handed to the store, and what does it say of itself?"""

from dataclasses import dataclass

Value = str | bytes | int | float | None
Statement = tuple[str, tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Change:
    """Statements that belong together; a later change of the same key replaces a waiting one."""

    key: str
    statements: tuple[Statement, ...]


@dataclass(slots=True)
class StoreStats:
    """How the store is doing, for the metrics and the page."""

    write_errors: int = 0
    dropped: int = 0
    moved_aside: int = 0
    pending: int = 0
    degraded: str = ""  # why nothing can be written, or nothing
