"""What never arrives is looked up in the message trace, sparingly, and what decides is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiohttp import web

from agent.adapters.graph_send import Sent, send_mail
from agent.adapters.graph_trace import MAX_REQUESTS, Traces
from agent.adapters.ledger import Home, Ledger
from agent.adapters.mailbox import Trouble
from agent.adapters.store import Store
from agent.adapters.tracer import Traceable, Tracer
from agent.domain.budget import Allowance, Budget
from agent.domain.entry import Entry, State, Witness
from agent.domain.message import Message, Token
from servers.entra import answers
from servers.microsoft import USER, Microsoft, microsoft

HOME = f"graph {USER}"
WIDE = Allowance(1000, timedelta(minutes=1))
DUE = timedelta(minutes=5)


@dataclass
class World:
    """A tenant, a ledger by the same clock, and a tracer for the route ``r``."""

    tenant: Microsoft
    ledger: Ledger
    tracer: Tracer

    async def send(self, route: str = "r") -> Token:
        token = await self.ledger.plan(
            route,
            within=timedelta(seconds=60),
            lost_after=timedelta(minutes=15),
            home=Home(HOME, is_kept=True),
        )
        assert isinstance(token, Token)
        message = Message(
            token=token,
            route=route,
            mail_from=USER,
            rcpt_to=USER,
            sent_at=self.tenant.clock.now(),
        )
        assert isinstance(await send_mail(self.tenant.client, USER, message.encode()), Sent)
        self.ledger.accepted(token)
        return token

    async def trace(self, token: Token, status: str = "", after: timedelta = DUE) -> Entry:
        """Have the trace say *status* of the last message, and go round once."""
        if status:
            self.tenant.service.traces[-1]["status"] = status
        self.tenant.clock.advance(after)
        await self.tracer.go_round()
        return self.ledger.entry(token)

    @property
    def asked(self) -> int:
        return self.tenant.service.asked["traces"]


@asynccontextmanager
async def tracing() -> AsyncIterator[World]:
    async with microsoft() as tenant:
        store = Store()
        await store.open()
        ledger = Ledger(store, tenant.clock, budget=Budget(route=WIDE, minute=WIDE))
        await ledger.start()
        tracer = Tracer(ledger, tenant.clock)
        traces = Traces(tenant.client, tenant.clock)
        tracer.replace({"r": Traceable(traces, "contoso.com")})
        try:
            yield World(tenant, ledger, tracer)
        finally:
            await store.close()


@pytest.mark.parametrize(
    ("status", "state", "failure"),
    [
        pytest.param("quarantined", State.QUARANTINED, "quarantined", id="quarantined"),
        pytest.param("failed", State.BOUNCED, "bounced", id="failed"),
    ],
)
async def test_what_the_trace_decides_is_decided(status: str, state: State, failure: str) -> None:
    async with tracing() as it:
        entry = await it.trace(await it.send(), status)
        assert (entry.state, entry.failure, entry.witness) == (state, failure, Witness.TRACE)
        assert entry.detail == f"message trace: {status} for {USER}"


@pytest.mark.parametrize("status", ["delivered", "pending", "gettingStatus", "filteredAsSpam"])
async def test_what_the_trace_only_says_is_a_hint(status: str) -> None:
    async with tracing() as it:
        entry = await it.trace(await it.send(), status)
        assert (entry.state, entry.is_in_flight) == (State.ACCEPTED, True)
        assert entry.hint.startswith("message trace: ")


async def test_of_several_recipients_the_one_that_failed_decides() -> None:
    async with tracing() as it:
        token = await it.send()
        first = it.tenant.service.traces[-1]
        it.tenant.service.traces.append({**first, "status": "failed", "recipientAddress": "a@b.c"})
        entry = await it.trace(token)
        assert entry.detail == "message trace: failed for a@b.c"


async def test_a_message_that_the_trace_does_not_know_is_asked_for_again() -> None:
    async with tracing() as it:
        token = await it.send()
        known = it.tenant.service.traces.pop()
        assert (await it.trace(token)).hint == ""
        await it.trace(token, after=timedelta(minutes=4))
        assert it.asked == 1
        it.tenant.service.traces.append(known)
        assert (await it.trace(token, after=timedelta(minutes=1))).hint != ""
        assert it.asked == 2


async def test_only_what_is_missing_for_minutes_and_less_than_a_day_is_asked_for() -> None:
    async with tracing() as it:
        token, arrived, elsewhere = await it.send(), await it.send(), await it.send("other")
        it.ledger.intake.arrived(arrived)
        await it.trace(token, after=timedelta(minutes=4, seconds=59))
        assert it.asked == 0
        await it.trace(token, after=timedelta(seconds=1))
        assert it.asked == 1
        await it.trace(elsewhere, after=timedelta(days=1))
        assert it.asked == 1


async def test_what_was_given_up_as_lost_is_asked_for_too() -> None:
    async with tracing() as it:
        token = await it.send()
        it.tenant.clock.advance(timedelta(minutes=20))
        it.ledger.looked(HOME, it.tenant.clock.monotonic())
        it.ledger.judge("r")
        assert it.ledger.entry(token).state is State.LOST
        entry = await it.trace(token, "quarantined")
        # It stays counted as what it was first.
        assert (entry.state, entry.failure) == (State.QUARANTINED, "lost")


async def test_what_was_never_taken_is_not_asked_for() -> None:
    async with tracing() as it:
        planned = await it.ledger.plan("r", within=DUE, lost_after=DUE * 2)
        assert isinstance(planned, Token)
        it.ledger.uncertain(planned)
        await it.trace(planned)
        assert it.asked == 0


async def test_the_quota_holds_and_is_no_trouble_of_the_route() -> None:
    async with tracing() as it:
        traces = it.tracer._routes["r"].traces
        token = await it.send()
        it.tenant.clock.advance(DUE)
        for _ in range(MAX_REQUESTS):
            await traces.trace("<other@contoso.com>")
        await it.tracer.go_round()
        assert it.tracer.trouble is not None
        assert it.tracer.trouble.trouble is Trouble.THROTTLED
        assert it.asked == MAX_REQUESTS
        assert it.ledger.entry(token).state is State.ACCEPTED
        await it.trace(token)
        assert it.tracer.trouble is None
        assert it.asked == MAX_REQUESTS + 1


async def test_a_trace_that_may_not_be_read_is_trouble_of_ours() -> None:
    async with tracing() as it:
        it.tenant.application.permissions.clear()
        it.tenant.application.permissions.add("Mail.Send")
        entry = await it.trace(await it.send())
        assert entry.state is State.ACCEPTED
        assert it.tracer.trouble is not None
        assert it.tracer.trouble.trouble is Trouble.PERMISSION
        assert "ExchangeMessageTrace.Read.All" in it.tracer.trouble.fix


async def test_it_goes_round_until_it_is_told_to_stop() -> None:
    async with tracing() as it:
        seen = asyncio.Event()

        async def note(_request: web.Request) -> None:
            seen.set()

        await it.send()
        it.tenant.clock.advance(DUE)
        it.tenant.service.fault = note
        task = asyncio.create_task(it.tracer.run())
        await seen.wait()
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


async def test_a_service_that_is_down_is_trouble_until_it_is_up() -> None:
    async with tracing() as it:
        token = await it.send()
        it.tenant.service.fault = answers(lambda: web.Response(status=500), 1)
        await it.trace(token)
        assert it.tracer.trouble is not None
        assert it.tracer.trouble.trouble is Trouble.UNAVAILABLE
        await it.trace(token)
        assert it.tracer.trouble is None
