"""How are the entries and tallies of the ledger written down?

As JSON in one column: the store looks for nothing inside of them, and a field that is added later
needs no new table.
"""

import json
from collections import Counter
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.domain.ledger import Entry, State, Witness
from agent.domain.tally import Tally

_TIMES = frozenset(
    {
        "planned_at",
        "sent_at",
        "answered_at",
        "arrived_at",
        "judged_at",
        "first_sent_at",
        "retry_at",
    }
)
_SPANS = frozenset({"within", "lost_after", "duration"})
_NAMES = tuple(field.name for field in fields(Entry))


def encode_entry(entry: Entry) -> str:
    """Write an entry; what is empty is left out."""
    return json.dumps(
        {name: _plain(value) for name in _NAMES if (value := getattr(entry, name))},
        separators=(",", ":"),
    )


def decode_entry(text: str) -> Entry:
    """Read what :func:`encode_entry` wrote, by this version or an older one."""
    values: dict[str, Any] = json.loads(text)
    known = {name: _rich(name, values[name]) for name in _NAMES if name in values}
    # What is left out was empty, which is a default of Entry for all but these.
    return Entry(
        **{
            "sequence": 0,
            "within": timedelta(),
            "lost_after": timedelta(),
            **known,
            "state": State(values["state"]),
            "witness": Witness(values.get("witness", "")),
        }
    )


def encode_tally(tally: Tally) -> str:
    """Write what the messages that are no longer kept add up to."""
    return json.dumps(
        {
            "counts": dict(tally.counts),
            "durations": tally.durations,
            "duration_sum": tally.duration_sum,
            "last_sent": _plain(tally.last_sent),
            "last_delivered": _plain(tally.last_delivered),
        }
    )


def decode_tally(text: str) -> Tally:
    """Read what :func:`encode_tally` wrote."""
    values: dict[str, Any] = json.loads(text)
    return Tally(
        counts=Counter(values["counts"]),
        durations=values["durations"],
        duration_sum=values["duration_sum"],
        last_sent=_moment(values["last_sent"]),
        last_delivered=_moment(values["last_delivered"]),
    )


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.timestamp()
        case timedelta():
            return value.total_seconds()
    return value


def _rich(name: str, value: Any) -> Any:
    if name in _TIMES:
        return _moment(value)
    return timedelta(seconds=value) if name in _SPANS else value


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
