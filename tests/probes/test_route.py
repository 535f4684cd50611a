"""A route is walked by a message over real sockets, and judged by what became of it."""

import asyncio
import contextlib
import ipaddress
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.intray import Intray
from agent.adapters.keyring import Keyring
from agent.adapters.ledger import Ledger
from agent.adapters.mailbox import Folder, Letter, Mailbox, PickupError, Room, Trouble
from agent.adapters.outbox import Outbox
from agent.adapters.pickup import Place
from agent.adapters.pickups import Pickups
from agent.adapters.sightings import Sightings
from agent.adapters.sink import Sink
from agent.adapters.smtp_policy import HANG_UP, Client, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.adapters.store import Store
from agent.adapters.trust import TrustStore
from agent.adapters.wallet import Wallet
from agent.domain import route_rules as rules
from agent.domain import route_signals as signals
from agent.domain.budget import Allowance, Budget
from agent.domain.fact import Table, Text, Walk
from agent.domain.finding import Outcome, Rule, Severity
from agent.domain.ledger import State, Witness
from agent.domain.lookup import Answer, Query, Reply, Silence, Unanswered
from agent.probes.base import DNS_UNANSWERED, Check, Toolbox
from agent.probes.route import PROBE, RouteSettings, ledger_key, run
from agent.settings import RouteSubject
from agent.settings.route_plan import handed_to
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
        ends: dict[str, object] | None = None,
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
                **(ends or {}),
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
    sink = Sink(Intray(ledger), lambda: {TO})
    server = SmtpServer(relay)
    await sink.start("127.0.0.1", 0)
    await server.start("127.0.0.1", 0)
    missing = cast("Any", None)
    dialer, trust = Dialer(clock=clock), TrustStore(system=False)
    tools = Toolbox(
        resolver=cast("Any", resolver),
        clock=clock,
        recall=missing,
        history=missing,
        ledger=ledger,
        dialer=dialer,
        trust=trust,
        outbox=Outbox(
            resolver=resolver,
            dialer=dialer,
            trust=trust,
            clock=clock,
            keyring=Keyring(),
            wallet=Wallet(),
            graph=missing,
        ),
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
    assert value(outcome, signals.MESSAGES) == 1
    assert value(outcome, signals.IN_FLIGHT) == 0
    assert value(outcome, signals.OBJECTIVE) == 0.99
    (ends,) = (m.labels for m in outcome.measurements if m.signal is signals.INFO)
    assert ends == (handed_to(world.check().target), "sink")
    phases = {m.labels[0] for m in outcome.measurements if m.signal is signals.PHASE}
    assert {"connect", "greeting", "ehlo", "mail", "rcpt", "data", "final"} <= phases
    way, messages, transcript = (outcome.facts[k] for k in ("Way", "Messages", "Transcript"))
    assert isinstance(way, Walk)
    assert way.phases[-1].mood == "good"
    assert isinstance(messages, Table)
    assert messages.rows[0][2] == "delivered"
    assert isinstance(transcript, Text)


async def test_under_which_selector_it_came_signed_is_noted(world: World) -> None:
    async def sign(content: bytes) -> Response:
        signature = b"DKIM-Signature: v=1; d=contoso.com; s=Relay;\r\n\tbh=eA==; b=eA==\r\n"
        return await world.forward(signature + content)

    world.relay.on_message = sign
    sightings = Sightings()
    await run(world.check(), replace(world.tools, sightings=sightings))
    assert sightings.selectors("contoso.com") == ("relay",)


async def test_a_null_sender_has_its_way_too(world: World) -> None:
    assert broken(await run(world.check(mail_from="<>"), world.tools)) == []


@pytest.mark.parametrize(
    ("response", "rule", "failure"),
    [
        pytest.param(say(550, "5.1.1 no such user"), rules.REFUSED, "refused", id="refused"),
        pytest.param(HANG_UP, rules.UNREACHED, "unreached", id="hung up before the message"),
    ],
)
async def test_a_message_that_is_not_taken_is_a_failure_with_its_reply(
    world: World, response: Response, rule: Rule, failure: str
) -> None:
    world.relay.on_rcpt = response
    outcome = await run(world.check(), world.tools)
    assert broken(outcome) == [rule]
    assert value(outcome, signals.FAILED, failure) == 1
    assert "at rcpt" in outcome.findings[0].detail
    assert outcome.failure == ""
    assert world.relay.seen == 0


async def test_what_is_put_off_waits_and_the_same_message_is_sent_again_later(world: World) -> None:
    world.relay.on_rcpt = say(451, "4.7.1 greylisted")
    check = world.check()
    for _ in range(2):  # nothing is sent before its time
        outcome = await run(check, world.tools)
        assert broken(outcome) == [rules.DEFERRED]
        assert value(outcome, signals.FAILED, "deferred") == 0
        assert value(outcome, signals.IN_FLIGHT) == 1
    (waiting,) = world.ledger.recent(ledger_key(check))
    assert waiting.attempts == 1

    world.relay.on_rcpt = say(250, "2.1.5 ok")
    due = replace(waiting, retry_at=waiting.planned_at)  # a minute later
    world.ledger._shelf.save(waiting, due)
    outcome = await run(check, world.tools)
    assert broken(outcome) == []
    (entry,) = world.ledger.recent(ledger_key(check))
    assert (entry.state, entry.attempts, entry.nonce) == (State.DELIVERED, 1, waiting.nonce)
    assert value(outcome, signals.MESSAGES) == 1


class Box:
    """A mailbox into which a relay puts messages; it fails to open while there is a trouble."""

    def __init__(self) -> None:
        self.trouble: PickupError | None = None
        self._letters: list[Letter] = []
        self._came = asyncio.Event()

    async def open(self) -> Mailbox:
        if self.trouble is not None:
            raise self.trouble
        return self

    async def deliver(self, content: bytes) -> Response:
        key = str(len(self._letters))
        self._letters.append(Letter(key, Folder.INBOX, content, True, len(content)))  # noqa: FBT003
        self._came.set()
        return say(250, "2.0.0 delivered")

    async def look(self) -> tuple[Letter, ...]:
        self._came.clear()
        found, self._letters = tuple(self._letters), []
        return found

    async def wait(self, most: timedelta) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(most.total_seconds()):
                await self._came.wait()

    async def remove(self, keys: Collection[str]) -> None:
        del keys

    async def room(self) -> Room:
        return Room()

    async def close(self) -> None:
        pass


HOME, ORIGIN = "maildir /mail/kim", "maildir /mail/probe"
ENDS: dict[str, object] = {
    "receive": {"maildir": {"path": "/mail/kim"}},
    "returns": {"maildir": {"path": "/mail/probe"}},
}


@pytest.fixture
async def pickups(world: World) -> AsyncIterator[Pickups]:
    made = Pickups(Intray(world.ledger), world.ledger, world.tools.clock)
    yield made
    await made.close()


async def opened(pickups: Pickups, boxes: dict[str, Box]) -> None:
    """Look after these mailboxes and no others, from the first try on."""
    pickups.replace({})
    pickups.replace({home: Place(box.open) for home, box in boxes.items()})
    for home in boxes:
        await pickups.known(home)


async def test_nothing_is_sent_to_where_nobody_can_look(world: World, pickups: Pickups) -> None:
    home, origin = Box(), Box()
    check, tools = world.check(ends=ENDS), replace(world.tools, pickups=pickups)
    world.relay.on_message = home.deliver
    for shut, name in ((home, HOME), (origin, ORIGIN)):
        shut.trouble = PickupError(
            Trouble.LOGIN_REFUSED, "535 5.7.3 no", fix="Give it a new password."
        )
        await opened(pickups, {HOME: home, ORIGIN: origin})
        outcome = await run(check, tools)
        finding = fires(rules.MAILBOX_CLOSED, outcome)
        assert broken(outcome) == [rules.MAILBOX_CLOSED]
        assert finding.detail == f"{name}: login-refused: 535 5.7.3 no. Give it a new password."
        assert (outcome.severity, outcome.failure) == (Severity.UNKNOWN, "mailbox-closed")
        assert world.relay.seen == 0
        shut.trouble = None

    await opened(pickups, {HOME: home, ORIGIN: origin})
    outcome = await run(check, tools)
    quiet(rules.MAILBOX_CLOSED, outcome)
    assert broken(outcome) == []
    (entry,) = world.ledger.recent(ledger_key(check))
    assert (entry.state, entry.witness, entry.home) == (State.DELIVERED, Witness.MAILBOX, HOME)


async def test_nothing_is_sent_before_somebody_has_looked(world: World, pickups: Pickups) -> None:
    check, tools = world.check(ends=ENDS), replace(world.tools, pickups=pickups)
    pickups.replace({HOME: Place(Box().open)})
    finding = fires(rules.MAILBOX_CLOSED, await run(check, tools))
    assert finding.detail == f"{HOME}: it has not been opened yet"
    assert world.relay.seen == 0


async def test_another_routes_mailbox_stops_nobody(world: World, pickups: Pickups) -> None:
    shut = Box()
    shut.trouble = PickupError(Trouble.NO_MAILBOX, "gone")
    await opened(pickups, {HOME: shut})
    outcome = await run(world.check(), replace(world.tools, pickups=pickups))
    quiet(rules.MAILBOX_CLOSED, outcome)
    assert broken(outcome) == []


async def test_a_server_that_refuses_again_and_again_is_left_alone_for_a_while(
    world: World,
) -> None:
    world.relay.on_rcpt = say(550, "5.1.1 no such user")
    check = world.check(interval=timedelta(seconds=5))
    for _ in range(3):
        assert broken(await run(check, world.tools)) == [rules.REFUSED]
    outcome = await run(check, world.tools)
    fires(rules.RESTING, outcome)
    quiet(rules.REFUSED, outcome)
    assert value(outcome, signals.FAILED, "refused") == 3


async def test_refusals_that_differ_in_host_and_time_only_are_the_same(world: World) -> None:
    check = world.check(interval=timedelta(seconds=5))
    for number in range(3):
        stamp = f"[DB5EUR02FT04{number} 2026-11-23T12:00:0{number}.123Z 08DE2A5{number}]"
        world.relay.on_rcpt = say(550, f"5.4.1 Access denied {stamp}")
        quiet(rules.RESTING, await run(check, world.tools))
    finding = fires(rules.RESTING, await run(check, world.tools))
    assert finding.detail.startswith("3 times in a row: at rcpt: 550 5.4.1 Access denied")
    assert finding.evidence[0].startswith("the next try is in ")
    assert world.relay.seen == 0


async def test_a_route_with_a_long_interval_need_not_rest(world: World) -> None:
    world.relay.on_rcpt = say(550, "5.1.1 no such user")
    check = world.check(interval=timedelta(hours=1))
    for _ in range(4):
        outcome = await run(check, world.tools)
        quiet(rules.RESTING, outcome)
        fires(rules.REFUSED, outcome)


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
    assert value(outcome, signals.MESSAGES) == 2
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
    assert value(outcome, signals.IN_FLIGHT) == 1

    # The message grows old; no test waits for that.
    (token_entry,) = world.ledger.recent(ledger_key(check))
    world.ledger._desk._started[token_entry.nonce] -= 60
    world.relay.on_message = world.forward
    outcome = await run(check, world.tools)
    assert broken(outcome) == [rules.LOST]
    assert value(outcome, signals.FAILED, "lost") == 1

    await world.forward(kept[0])
    outcome = await run(check, world.tools)
    assert broken(outcome) == [rules.LATE]
    assert value(outcome, signals.FAILED, "lost") == 1
    assert value(outcome, signals.LATE_TOTAL) == 1
    assert value(outcome, signals.MESSAGES) == 3


async def test_a_message_that_comes_twice_or_changed_is_marked(world: World) -> None:
    async def twice(content: bytes) -> Response:
        await world.forward(content)
        return await world.forward(content + b"\r\n-- \r\nCAUTION: external\r\n")

    world.relay.on_message = twice
    outcome = await run(world.check(), world.tools)
    assert broken(outcome) == [rules.DUPLICATE, rules.DAMAGED]
    assert value(outcome, signals.DUPLICATES_TOTAL) == 1
    assert value(outcome, signals.MESSAGES) == 1


async def test_a_resolver_that_is_silent_accuses_nobody(world: World) -> None:
    world.resolver.reply = Unanswered(Silence.TIMEOUT)
    outcome = await run(world.check(host="relay.example"), world.tools)
    assert broken(outcome) == [DNS_UNANSWERED, rules.NOT_SENT]
    assert (outcome.severity, outcome.failure) == (Severity.UNKNOWN, "dns-unanswered")
    assert value(outcome, signals.UNJUDGED_TOTAL, "not-sent") == 1
    assert value(outcome, signals.MESSAGES) == 0


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
    assert value(outcome, signals.IN_FLIGHT) == 1


async def test_every_child_of_every_counter_exists_before_the_first_run(world: World) -> None:
    check: Any = world.check()
    declared = {signal for signal in PROBE.signals if signal.kind != "gauge"}
    assert declared <= {measurement.signal for measurement in check.initial(world.tools)}


async def test_what_a_run_shows_is_on_the_disk_before_it_is_shown(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        world.relay.on_rcpt = say(550, "5.1.1 no such user")
        outcome = await run(world.check(), world.tools)
        assert value(outcome, signals.FAILED, "refused") == 1
        with contextlib.closing(sqlite3.connect(tmp_path / "mailflow.db")) as other:
            ((entry,),) = other.execute("SELECT entry FROM message").fetchall()
    assert '"failure":"refused"' in entry


async def test_after_a_restart_the_counters_go_on_from_where_they_stood(world: World) -> None:
    check: Any = world.check()
    await run(check, world.tools)
    assert value(Outcome(measurements=check.initial(world.tools)), signals.MESSAGES) == 1
