"""A route through the real mail world, walked by the probe as the daemon runs it.

    async with walking(world, tmp_path) as walker:
        outcome = await walker.run()           # send one message, wait, judge
        assert walker.entry.state is State.DELIVERED

After each walk the ledger is asserted to be conserved: what was planned is what ended plus what is
under way.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.ledger import Ledger
from agent.adapters.store import Store
from agent.adapters.wallet import Wallet
from agent.app import Overrides
from agent.app.mailroom import Mailroom
from agent.config import Config, build
from agent.domain.entry import UNJUDGED, Entry
from agent.domain.finding import Outcome
from agent.probes.base import Toolbox
from agent.probes.route import PROBE as ROUTE
from agent.probes.route import RouteCheck, ledger_key
from servers.checks import DictResolver
from servers.mail_world import PASSWORD, PROBE, SENDER, MailWorld

POLL = timedelta(milliseconds=200)


@dataclass
class Walker:
    """One route, and all that walks it."""

    check: RouteCheck
    config: Config
    tools: Toolbox
    mailroom: Mailroom
    planned: int = 0

    @property
    def key(self) -> str:
        return ledger_key(self.check)

    @property
    def entry(self) -> Entry:
        """The last message."""
        return self.tools.ledger.recent(self.key)[0]

    async def run(self) -> Outcome:
        """Send one message, wait for it, and judge; the ledger must be conserved afterwards."""
        outcome = await ROUTE.run(self.check, self.tools)
        self.conserve()
        return outcome

    async def judge(self) -> Outcome:
        """Judge what is under way, as the next run would, without sending another message."""
        paused = replace(self.tools, pickups=cast("Any", Closed()))
        return await ROUTE.run(self.check, paused)

    def conserve(self) -> None:
        """Assert that each message is counted once, or is under way."""
        ledger = self.tools.ledger
        tally, sent = ledger.tally(self.key), ledger._shelf._route(self.key).sequence
        unjudged = sum(tally.counts[f"unjudged {reason}"] for reason in UNJUDGED)
        assert tally.counts["messages"] + unjudged + tally.in_flight == sent

    async def settled(self, *states: str, seconds: float = 20) -> Entry:
        """Wait until the last message is in one of these states."""
        token = self.tools.ledger.token_of(self.entry)
        clock = self.tools.clock
        until = clock.monotonic() + seconds
        while self.entry.state not in states and clock.monotonic() < until:
            await self.tools.ledger.wait(token, POLL)
            self.tools.ledger.judge(self.key)
        assert self.entry.state in states, self.entry
        self.conserve()
        return self.entry


class Closed:
    """Pick-ups none of which can be looked into, so that a run sends nothing."""

    def state(self, home: str) -> object:
        return replace_cause(home)


@dataclass(frozen=True)
class replace_cause:  # noqa: N801 - a value that answers one question
    """A place that is closed."""

    home: str

    @property
    def cause(self) -> str:
        return "closed by the test"


def described(world: MailWorld, **over: Any) -> dict[str, Any]:
    """Return a route from the gateway to PROBE's mailbox, as an operator would write it."""
    imap = {"host": "127.0.0.1", "port": world.store.imaps, "credential": "probe"}
    sender = {"host": "127.0.0.1", "port": world.store.imaps, "credential": "sender"}
    return {
        "name": "gateway-to-mailbox",
        "send": {
            "smtp": {"host": "127.0.0.1", "port": world.gateway.port, "tls": "required"},
            "mail_from": SENDER,
            "rcpt_to": PROBE,
        },
        "receive": {"imap": imap, "poll": "200ms"},
        "returns": {"imap": sender, "poll": "200ms"},
        "hosts": {"ours": ["*.contoso.com"]},
        "expect": {"within": "10s", "lost_after": "30s", **over.pop("expect", {})},
        "checks": {"route": {"interval": "5m", "timeout": "20s", "messages_per_minute": 60}},
        **over,
    }


def configured(folder: Path, route: Mapping[str, Any]) -> Config:
    """Return a configuration with one route, and the passwords of its mailboxes."""
    secret = folder / "secret"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    return build(
        {
            "credentials": {
                "probe": {"kind": "password", "username": PROBE, "password_file": "secret"},
                "sender": {"kind": "password", "username": SENDER, "password_file": "secret"},
            },
            "budget": {
                "messages_per_route_per_minute": 60,
                "messages_per_minute": 600,
                "messages_per_day": 100_000,
            },
            "tenants": [{"name": "contoso", "routes": [route]}],
        },
        folder=folder,
    )


@asynccontextmanager
async def walking(
    world: MailWorld, folder: Path, route: Mapping[str, Any] | None = None, **over: Any
) -> AsyncIterator[Walker]:
    """Have everything that walks a route, with its mailboxes opened."""
    config = configured(folder, route or described(world, **over))
    store, clock = Store(folder / "state"), SystemClock()
    await store.open()
    ledger = Ledger(store, clock, budget=config.budget.allowances())
    await ledger.start()
    missing = cast("Any", None)
    tools = Toolbox(
        resolver=cast("Any", DictResolver()),
        clock=clock,
        recall=missing,
        history=missing,
        ledger=ledger,
        dialer=Dialer(clock=clock, per_host=20),
        trust=world.trust,
        wallet=Wallet(),
    )
    mailroom = Mailroom(tools, Overrides(sink=("127.0.0.1", 0)))
    try:
        await mailroom.open_sink(config)
        mailroom.apply(config)
        (check,) = (each for each in config.checks if each.probe is ROUTE)
        await mailroom.opened(check.target)
        yield Walker(check, config, mailroom.tools, mailroom)
    finally:
        await mailroom.close()
        await store.close()
