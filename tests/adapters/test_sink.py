"""The agent's own server takes its own messages for its own recipients, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.intray import Watched
from agent.adapters.ledger import Home
from agent.adapters.sink import Sink
from agent.adapters.smtp import Destination, Expectation, submit
from agent.domain.entry import State, Witness
from agent.domain.message import Token
from agent.domain.smtp import Accepted, Dialogue, Errand, Refused, Tls
from servers.checks import DictResolver
from servers.letters import LOST, WITHIN, Desk, desk, message
from servers.microsoft import authorities

TO, BACK, OTHER = "Sink@fabrikam.com", "Probe@contoso.com", "other@tailspin.com"
ALIAS = "rewritten@fabrikam.com"
KNOWN = {each.lower() for each in (TO, BACK, OTHER, ALIAS)}
WATCHED = Watched(rcpt_to=TO.lower(), mail_from=BACK.lower())


@dataclass
class Place:
    """A sink, and the ledger that it tells."""

    desk: Desk
    sink: Sink

    async def plan(self) -> Token:
        token = await self.desk.ledger.plan("r", within=WITHIN, lost_after=LOST, home=Home())
        assert isinstance(token, Token)
        return token

    async def bring(
        self, octets: bytes, rcpt_to: str = TO, tls: Expectation = "opportunistic"
    ) -> Dialogue:
        session = await submit(
            Destination(host="127.0.0.1", port=self.sink.port, tls=tls),
            Errand("relay.example", Tls.REQUIRED, "a@contoso.com", (rcpt_to,), octets),
            resolver=DictResolver(),
            dialer=Dialer(clock=SystemClock()),
            trust=authorities().store,
            clock=SystemClock(),
            deadline=timedelta(seconds=10),
        )
        return session.dialogue


@asynccontextmanager
async def sink() -> AsyncIterator[Place]:
    async with desk() as it:
        listening = Sink(it.intray, lambda: KNOWN, name="sink.example", clock=it.clock)
        await listening.start("127.0.0.1", 0)
        try:
            yield Place(it, listening)
        finally:
            await listening.close()


@pytest.mark.parametrize(
    ("tls", "stamp"),
    [
        pytest.param("never", "with ESMTP;", id="in the clear"),
        pytest.param("verified", "with ESMTPS (version=TLSv1.3);", id="in TLS"),
    ],
)
async def test_a_message_of_ours_has_arrived_by_a_hop_that_is_known(
    tls: Expectation, stamp: str
) -> None:
    async with sink() as it:
        it.sink.secure(authorities().server("127.0.0.1"))
        token = await it.plan()
        assert isinstance(await it.bring(message(token), tls=tls), Accepted)
        entry = it.desk.entry(token)
        assert (entry.state, entry.witness) == (State.DELIVERED, Witness.SINK)
        assert entry.detail.startswith("127.0.0.1 relay.example ")
        unfolded = it.desk.ledger.head(entry).decode().replace("\r\n ", " ")
        first = unfolded.partition("\r\n")[0]
        assert first.startswith("Received: from relay.example ([127.0.0.1]) by sink.example ")
        assert stamp in first
        assert (it.sink.stats.taken, it.sink.stats.strangers) == (1, 0)


@pytest.mark.parametrize("octets", [b"Subject: lunch?\r\n\r\nAt noon.\r\n", b"\r\n"])
async def test_mail_of_strangers_is_refused_so_that_they_learn_that_nobody_read_it(
    octets: bytes,
) -> None:
    async with sink() as it:
        refused = await it.bring(octets)
        assert isinstance(refused, Refused)
        assert refused.reply.code == 550
        assert (it.sink.stats.taken, it.sink.stats.strangers) == (0, 1)


async def test_a_token_that_is_forged_is_a_strangers() -> None:
    async with sink() as it:
        token = await it.plan()
        assert isinstance(await it.bring(message(Token(token.nonce, "a" * 26))), Refused)
        assert it.desk.entry(token).state is State.SENDING


async def test_nothing_is_relayed() -> None:
    async with sink() as it:
        refused = await it.bring(message(await it.plan()), "nobody@fabrikam.com")
        assert isinstance(refused, Refused)
        assert "nothing is relayed here" in refused.reply.text


@pytest.mark.parametrize(
    ("watched", "rcpt_to", "state"),
    [
        pytest.param(WATCHED, TO, State.DELIVERED, id="home"),
        pytest.param(WATCHED, ALIAS, State.DELIVERED, id="rewritten on the way"),
        pytest.param(WATCHED, BACK, State.LOOPED, id="back to its sender"),
        pytest.param(WATCHED, OTHER, State.MISROUTED, id="to another route"),
        pytest.param(
            replace(WATCHED, mail_from=TO.lower()), TO, State.DELIVERED, id="one that writes itself"
        ),
        pytest.param(
            replace(WATCHED, is_reflected=True), BACK, State.DELIVERED, id="an answer to its sender"
        ),
        pytest.param(None, OTHER, State.DELIVERED, id="of a route that is gone"),
    ],
)
async def test_whom_it_was_brought_for_tells_what_became_of_it(
    watched: Watched | None, rcpt_to: str, state: State
) -> None:
    async with sink() as it:
        routes = {"other": Watched(rcpt_to=OTHER)}
        it.desk.intray.replace(routes if watched is None else routes | {"r": watched})
        token = await it.plan()
        assert isinstance(await it.bring(message(token), rcpt_to), Accepted)
        assert it.desk.entry(token).state is state


async def test_who_only_quotes_a_message_is_taken_in_and_is_no_arrival() -> None:
    async with sink() as it:
        token = await it.plan()
        quoting = f"Subject: Re: mailflow-agent {token}\r\n\r\nWhat is this?\r\n".encode()
        assert isinstance(await it.bring(quoting), Accepted)
        assert it.desk.entry(token).is_in_flight
        assert isinstance(await it.bring(message(token)), Accepted)
        entry = it.desk.entry(token)
        assert (entry.state, entry.duplicates) == (State.DELIVERED, 0)
