"""What does Exchange Online itself say has become of a message?

The message trace is the witness for what never arrived: quarantined, failed, still under way. It
speaks minutes late, so it is no clock. A tenant has 100 requests in five minutes for all who ask
(learn.microsoft.com/graph/api/messagetracingroot-list-messagetraces); the agent takes half of them
at most. It exists in the global cloud only.
"""

import enum
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.adapters.clock import Clock
from agent.adapters.graph import Call, Graph
from agent.adapters.graph_refusal import TRACE
from agent.adapters.graph_values import read_text, read_time
from agent.adapters.mailbox import PickupError, Trouble
from agent.domain.peer_text import PeerText

MAX_REQUESTS = 50
PERIOD = timedelta(minutes=5)
MAX_TRACED = 100  # recipients of one message
_UNSAFE = frozenset("\r\n\0")


class TraceStatus(enum.StrEnum):
    """What has become of a message for one recipient: a closed set, fit for a label value."""

    GETTING_STATUS = "getting-status"  # not known yet
    PENDING = "pending"
    FAILED = "failed"
    DELIVERED = "delivered"
    EXPANDED = "expanded"  # a group, whose members are traced one by one
    QUARANTINED = "quarantined"
    FILTERED_AS_SPAM = "filtered-as-spam"
    UNKNOWN = "unknown"  # recalled, and what Microsoft may add


_STATUSES = {
    "gettingStatus": TraceStatus.GETTING_STATUS,
    "pending": TraceStatus.PENDING,
    "failed": TraceStatus.FAILED,
    "delivered": TraceStatus.DELIVERED,
    "expanded": TraceStatus.EXPANDED,
    "quarantined": TraceStatus.QUARANTINED,
    "filteredAsSpam": TraceStatus.FILTERED_AS_SPAM,
}


@dataclass(frozen=True, slots=True)
class Traced:
    """What the trace says of a message and one recipient. ``size`` is in octets."""

    status: TraceStatus
    recipient: PeerText
    received_at: datetime | None
    from_ip: PeerText
    to_ip: PeerText
    size: int | None
    trace_id: PeerText


class Traces:
    """The message traces of one tenant, within what the agent may ask."""

    def __init__(self, graph: Graph, clock: Clock) -> None:
        self._graph, self._clock = graph, clock
        self._asked: deque[float] = deque()  # monotonic

    async def trace(self, message_id: str, since: datetime | None = None) -> tuple[Traced, ...]:
        """Return what is known of the message with *message_id*, in angle brackets.

        Nothing, where the trace does not know it or not yet. It looks at the last 48 hours, or from
        *since* on, at most 10 days. Takes the permission ExchangeMessageTrace.Read.All. Raises
        PickupError, and ValueError for what is no Message-ID.
        """
        if not message_id or not _UNSAFE.isdisjoint(message_id):
            message = "that is no Message-ID"
            raise ValueError(message)
        self._spend()
        quoted = message_id.replace("'", "''")  # OData 4.01 section 5.1.1.14.1
        terms = [f"messageId eq '{quoted}'"]
        if since is not None:
            now = self._clock.now()
            terms.append(
                f"receivedDateTime ge {max(since, now - _LONGEST).astimezone(UTC):{_FORMAT}}"
            )
            terms.append(f"receivedDateTime le {now:{_FORMAT}}")
        call = Call(
            "GET",
            "/admin/exchange/tracing/messageTraces",
            TRACE,
            query={"$filter": " and ".join(terms), "$top": str(MAX_TRACED)},
        )
        found = await self._graph.fetch(call)
        values = found.get("value")
        if not isinstance(values, list):
            raise PickupError(Trouble.PROTOCOL, "the answer is no collection")
        return tuple(_read(each) for each in values[:MAX_TRACED] if isinstance(each, dict))

    def _spend(self) -> None:
        """Take one request out of the purse. Raises PickupError where it is empty."""
        now = self._clock.monotonic()
        while self._asked and now - self._asked[0] >= PERIOD.total_seconds():
            self._asked.popleft()
        if len(self._asked) >= MAX_REQUESTS:
            left = timedelta(seconds=self._asked[0] - now) + PERIOD
            detail = f"{MAX_REQUESTS} message traces in five minutes are all that the agent asks"
            raise PickupError(
                Trouble.THROTTLED, detail, fix="Trace fewer routes.", retry_after=left
            )
        self._asked.append(now)


_LONGEST = timedelta(days=10) - timedelta(minutes=1)  # that one query may span
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def _read(value: dict[str, Any]) -> Traced:
    status, size = value.get("status"), value.get("size")
    return Traced(
        status=_STATUSES.get(status, TraceStatus.UNKNOWN)
        if isinstance(status, str)
        else TraceStatus.UNKNOWN,
        recipient=read_text(value, "recipientAddress"),
        received_at=read_time(value, "receivedDateTime"),
        from_ip=read_text(value, "fromIP"),
        to_ip=read_text(value, "toIP"),
        size=size if isinstance(size, int) and size >= 0 else None,
        trace_id=read_text(value, "id"),
    )
