"""What the agent's own server writes above a message is its own word, whatever the client says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.ledger import Home
from agent.adapters.sink import Sink
from agent.adapters.smtp import Destination, submit
from agent.domain.header_fields import read_head
from agent.domain.message import Token
from agent.domain.received import Received, read_received
from agent.domain.smtp import Accepted, Errand, Tls
from servers.checks import DictResolver
from servers.letters import LOST, WITHIN, Desk, desk, message
from servers.microsoft import authorities

TO = "sink@fabrikam.com"


@asynccontextmanager
async def listening(name: str) -> AsyncIterator[tuple[Desk, Sink]]:
    async with desk() as it:
        sink = Sink(it.intray, lambda: {TO}, name=name, clock=it.clock)
        await sink.start("127.0.0.1", 0)
        try:
            yield it, sink
        finally:
            await sink.close()


async def stamped(*, name: str = "sink.example", helo: str = "relay.example") -> Received:
    """Bring a message in the clear, and read the field that the sink wrote."""
    async with listening(name) as (it, sink):
        token = await it.ledger.plan("r", within=WITHIN, lost_after=LOST, home=Home())
        assert isinstance(token, Token)
        session = await submit(
            Destination(host="127.0.0.1", port=sink.port, tls="never"),
            Errand(helo, Tls.REQUIRED, "a@contoso.com", (TO,), message(token)),
            resolver=DictResolver(),
            dialer=Dialer(clock=SystemClock()),
            trust=authorities().store,
            clock=SystemClock(),
            deadline=timedelta(seconds=10),
        )
        assert isinstance(session.dialogue, Accepted)
        return read_received(read_head(it.ledger.head(it.entry(token))).first("received"))


@pytest.mark.parametrize(
    ("helo", "read"),
    [
        pytest.param("evil(TLSv1.3)", "evil?tlsv1.3?", id="TLS"),
        pytest.param(
            "(helo=filter.example.net)evil", "?helo?filter.example.net?evil", id="another name"
        ),
        pytest.param(
            "filter.example.net([198.51.100.77])",
            "filter.example.net?[198.51.100.77]?",
            id="another address",
        ),
        pytest.param("[198.51.100.77]", "198.51.100.77", id="an address"),
    ],
)
async def test_what_a_client_calls_itself_is_not_read_as_a_comment_of_ours(
    helo: str, read: str
) -> None:
    stamp = await stamped(helo=helo)
    assert (stamp.from_host, stamp.from_name, stamp.from_address) == (read, "", "127.0.0.1")
    assert (stamp.by_host, stamp.is_encrypted, stamp.tls) == ("sink.example", False, "")


@pytest.mark.parametrize("name", ["localhost.localdomain", "localhost"])
async def test_a_sink_without_a_name_does_not_stamp_as_inside_of_a_system(name: str) -> None:
    stamp = await stamped(name=name)
    assert stamp.by_host == "mailflow-agent.invalid"
    assert not replace(stamp, from_address="203.0.113.9").is_internal
