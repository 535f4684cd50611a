"""A route is walked by a message over real sockets, and judged by what became of it."""

import asyncio
import contextlib
import ipaddress
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.ledger import Ledger
from agent.adapters.sink import Sink
from agent.adapters.smtp_policy import HANG_UP, Client, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.adapters.store import Store
from agent.adapters.trust import TrustStore
from agent.domain import route_rules as rules
from agent.domain.budget import Allowance, Budget
from agent.domain.fact import Table, Text, Walk
from agent.domain.finding import Outcome, Rule, Severity
from agent.domain.ledger import State
from agent.domain.lookup import Answer, Query, Reply, Silence, Unanswered
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.route import PROBE, RouteSettings, ledger_key, run
from agent.settings import RouteSubject
from proof import fires, quiet

TO = "sink@fabrikam.com"


class Relay(Policy):
    """A server that hands messages to whatever a test says, and answers what it says."""

    def __init__(self) -> None:
        self.on_message: Callable[[bytes], Awaitable[Response]] = self._drop
        self.on_rcpt = say(250, "2.1.5 ok")
        self.seen = 0

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        del client, rcpt_to
        return self.on_rcpt

    async def message(self, client: Client, content: bytes) -> Response:
        del client
        self.seen += 1
        return await self.on_message(content)

    async def _drop(self, content: bytes) -> Response:
        del content
        return say(250, "2.0.0 queued")


class Resolver:
    """Answers every address question alike."""

    def __init__(self) -> None:
        self.reply: Reply = Answer((ipaddress.ip_address("127.0.0.1"),))

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple(self.reply if query.type == "A" else Answer() for query in queries)


@dataclass
class World:
    """A route from a relay to the sink, and the tools to walk it."""

    relay: Relay
    sink: Sink
    ledger: Ledger
    store: Store
    resolver: Resolver
    tools: Toolbox
    port: int

    def check(
        self,
        *,
        within: float = 30,
        lost_after: float = 60,
        host: str = "127.0.0.1",
        port: int | None = None,
        credential: str | None = None,
        mail_from: str = "probe@contoso.com",
        **settings: Any,
    ) -> Check[RouteSubject, RouteSettings]:
        target = RouteSubject.model_validate(
            {
                "name": "internet-to-mailbox",
                "send": {
                    "smtp": {"host": host, "port": port or self.port, "credential": credential},
                    "mail_from": mail_from,
                    "rcpt_to": TO,
                },
                "expect": {
                    "within": timedelta(seconds=within),
                    "lost_after": timedelta(seconds=lost_after),
                },
            }
        )
        return Check(
            "contoso", target, PROBE, RouteSettings(**{"messages_per_minute": 30, **settings})
        )

    async def forward(self, content: bytes) -> Response:
        """Hand a message to the sink, as a good relay does, and say what it said."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.sink.port)
        lines = content.replace(b"\r\n.", b"\r\n..")
        reply = await reader.readline()
        for said in (
            b"HELO relay.example",
            b"MAIL FROM:<probe@contoso.com>",
            b"RCPT TO:<sink@fabrikam.com>",
            b"DATA",
            lines.removesuffix(b"\r\n") + b"\r\n.",
        ):
            writer.write(said + b"\r\n")
            reply = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return say(int(reply[:3]), reply[4:].decode("ascii").strip())


@asynccontextmanager
async def _world(folder: Path | None = None) -> AsyncIterator[World]:
    store = Store(folder, flush_seconds=3600)
    clock, resolver, relay = SystemClock(), Resolver(), Relay()
    await store.open()
    wide = Allowance(1000, timedelta(minutes=1))
    ledger = Ledger(store, clock, budget=Budget(route=wide, minute=wide))
    await ledger.start()
    sink = Sink(ledger, lambda: {TO})
    server = SmtpServer(relay)
    await sink.start("127.0.0.1", 0)
    await server.start("127.0.0.1", 0)
    missing = cast("Any", None)
    tools = Toolbox(
        resolver=cast("Any", resolver),
        clock=clock,
        recall=missing,
        history=missing,
        ledger=ledger,
        dialer=Dialer(clock=clock),
        trust=TrustStore(system=False),
    )
    try:
        yield World(relay, sink, ledger, store, resolver, tools, server.port)
    finally:
        await server.close()
        await sink.close()
        await store.close()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with _world() as made:
        made.relay.on_message = made.forward
        yield made


def broken(outcome: Outcome) -> list[Rule]:
    return [finding.rule for finding in outcome.findings]


def value(outcome: Outcome, signal: object, *labels: str) -> object:
    (found,) = (m.value for m in outcome.measurements if (m.signal, m.labels) == (signal, labels))
    return found


async def test_a_message_that_arrives_in_time_is_all_well(world: World) -> None:
    outcome = await run(world.check(), world.tools)
    assert broken(outcome) == []
    assert outcome.severity is Severity.OK
    assert value(outcome, rules.MESSAGES) == 1
    assert value(outcome, rules.IN_FLIGHT) == 0
    assert value(outcome, rules.OBJECTIVE) == 0.99
    phases = {m.labels[0] for m in outcome.measurements if m.signal is rules.PHASE}
    assert {"connect", "greeting", "ehlo", "mail", "rcpt", "data", "final"} <= phases
    way, messages, transcript = (outcome.facts[k] for k in ("Way", "Messages", "Transcript"))
    assert isinstance(way, Walk)
    assert way.phases[-1].mood == "good"
    assert isinstance(messages, Table)
    assert messages.rows[0][2] == "delivered"
    assert isinstance(transcript, Text)


async def test_a_null_sender_has_its_way_too(world: World) -> None:
    assert broken(await run(world.check(mail_from="<>"), world.tools)) == []


@pytest.mark.parametrize(
    ("response", "rule", "failure"),
    [
        pytest.param(say(550, "5.1.1 no such user"), rules.REFUSED, "refused", id="refused"),
        pytest.param(say(451, "4.7.1 greylisted"), rules.DEFERRED, "deferred", id="deferred"),
        pytest.param(HANG_UP, rules.UNREACHED, "unreached", id="hung up before the message"),
    ],
)
async def test_a_message_that_is_not_taken_is_a_failure_with_its_reply(
    world: World, response: Response, rule: Rule, failure: str
) -> None:
    world.relay.on_rcpt = response
    outcome = await run(world.check(), world.tools)
    assert broken(outcome) == [rule]
    assert value(outcome, rules.FAILED, failure) == 1
    assert "at rcpt" in outcome.findings[0].detail
    assert outcome.failure == ""
    assert world.relay.seen == 0


async def test_a_lost_final_reply_is_uncertain_and_settled_by_the_arrival(world: World) -> None:
    async def take_and_die(content: bytes) -> Response:
        taken.append(content)
        return HANG_UP

    taken: list[bytes] = []
    world.relay.on_message = take_and_die
    check = world.check(timeout=timedelta(seconds=1.5))
    outcome = await run(check, world.tools)
    assert broken(outcome) == [rules.UNCERTAIN]
    assert (outcome.severity, outcome.failure) == (Severity.UNKNOWN, "uncertain")
    assert world.relay.seen == 1

    await world.forward(taken[0])
    world.relay.on_message = world.forward
    outcome = await run(check, world.tools)
    assert broken(outcome) == []
    assert value(outcome, rules.MESSAGES) == 2
    assert world.relay.seen == 2


async def test_a_message_that_vanishes_is_late_then_lost_then_late_once_it_comes(
    world: World,
) -> None:
    kept: list[bytes] = []

    async def swallow(content: bytes) -> Response:
        kept.append(content)
        return say(250, "2.0.0 queued")

    world.relay.on_message = swallow
    check = world.check(within=0.1, lost_after=2)
    outcome = await run(check, world.tools)
    assert broken(outcome) == [rules.LATE]
    assert "under way" in outcome.findings[0].detail
    assert value(outcome, rules.IN_FLIGHT) == 1

    # The message grows old; no test waits for that.
    (token_entry,) = world.ledger.recent(ledger_key(check))
    world.ledger._started[token_entry.nonce] -= 60
    world.relay.on_message = world.forward
    outcome = await run(check, world.tools)
    assert broken(outcome) == [rules.LOST]
    assert value(outcome, rules.FAILED, "lost") == 1

    await world.forward(kept[0])
    outcome = await run(check, world.tools)
    assert broken(outcome) == [rules.LATE]
    assert value(outcome, rules.FAILED, "lost") == 1
    assert value(outcome, rules.LATE_TOTAL) == 1
    assert value(outcome, rules.MESSAGES) == 3


async def test_a_message_that_comes_twice_or_changed_is_marked(world: World) -> None:
    async def twice(content: bytes) -> Response:
        await world.forward(content)
        return await world.forward(content + b"\r\n-- \r\nCAUTION: external\r\n")

    world.relay.on_message = twice
    outcome = await run(world.check(), world.tools)
    assert broken(outcome) == [rules.DUPLICATE, rules.DAMAGED]
    assert value(outcome, rules.DUPLICATES_TOTAL) == 1
    assert value(outcome, rules.MESSAGES) == 1


async def test_a_resolver_that_is_silent_accuses_nobody(world: World) -> None:
    world.resolver.reply = Unanswered(Silence.TIMEOUT)
    outcome = await run(world.check(host="relay.example"), world.tools)
    assert broken(outcome) == [DNS_UNANSWERED, rules.NOT_SENT]
    assert (outcome.severity, outcome.failure) == (Severity.UNKNOWN, "dns-unanswered")
    assert value(outcome, rules.UNJUDGED_TOTAL, "not-sent") == 1
    assert value(outcome, rules.MESSAGES) == 0


async def test_a_server_that_does_not_listen_is_unreached(world: World) -> None:
    spare = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = spare.sockets[0].getsockname()[1]
    spare.close()
    await spare.wait_closed()
    outcome = await run(world.check(port=port), world.tools)
    assert broken(outcome) == [rules.UNREACHED]
    assert "at connect: refused" in outcome.findings[0].detail


async def test_nothing_is_sent_above_the_budget(world: World) -> None:
    check = world.check(messages_per_minute=1)
    quiet(rules.OVER_BUDGET, await run(check, world.tools))
    outcome = await run(check, world.tools)
    assert broken(outcome) == [rules.OVER_BUDGET]
    fires(rules.OVER_BUDGET, outcome)
    assert outcome.failure == "over-budget"
    assert world.relay.seen == 1


async def test_nothing_is_sent_that_cannot_be_recorded(world: World) -> None:
    await world.store.read("PRAGMA query_only=1")
    outcome = await run(world.check(), world.tools)
    assert broken(outcome) == [rules.UNRECORDED]
    fires(rules.UNRECORDED, outcome)
    assert outcome.severity is Severity.UNKNOWN
    assert world.relay.seen == 0
    await world.store.read("PRAGMA query_only=0")
    quiet(rules.UNRECORDED, await run(world.check(), world.tools))
    assert world.relay.seen == 1


async def test_nothing_is_sent_where_a_login_is_asked_for(world: World) -> None:
    outcome = await run(world.check(credential="probe-mailbox"), world.tools)
    assert broken(outcome) == [rules.NOT_SENT]
    assert world.relay.seen == 0


async def test_a_run_that_is_ended_while_it_sends_leaves_an_uncertain_message(
    world: World,
) -> None:
    reached = asyncio.Event()

    async def hang(content: bytes) -> Response:
        del content
        reached.set()
        await asyncio.Event().wait()
        return HANG_UP

    world.relay.on_message = hang
    check = world.check()
    task = asyncio.create_task(run(check, world.tools))
    await reached.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    (entry,) = world.ledger.recent(ledger_key(check))
    assert entry.state is State.UNCERTAIN


async def test_a_run_ends_before_its_deadline_whatever_it_waits_for(world: World) -> None:
    world.relay.on_message = world.relay._drop
    check = world.check(timeout=timedelta(seconds=0.5))
    async with asyncio.timeout(0.5):
        outcome = await run(check, world.tools)
    assert broken(outcome) == []  # it is under way, and not late yet
    assert value(outcome, rules.IN_FLIGHT) == 1


async def test_every_child_of_every_counter_exists_before_the_first_run(world: World) -> None:
    check: Any = world.check()
    declared = {signal for signal in PROBE.signals if signal.kind != "gauge"}
    assert declared <= {measurement.signal for measurement in check.initial(world.tools)}


async def test_what_a_run_shows_is_on_the_disk_before_it_is_shown(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        world.relay.on_rcpt = say(550, "5.1.1 no such user")
        outcome = await run(world.check(), world.tools)
        assert value(outcome, rules.FAILED, "refused") == 1
        with contextlib.closing(sqlite3.connect(tmp_path / "mailflow.db")) as other:
            ((entry,),) = other.execute("SELECT entry FROM message").fetchall()
    assert '"failure":"refused"' in entry


async def test_after_a_restart_the_counters_go_on_from_where_they_stood(world: World) -> None:
    check: Any = world.check()
    await run(check, world.tools)
    assert value(Outcome(measurements=check.initial(world.tools)), rules.MESSAGES) == 1
