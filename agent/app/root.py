"""How is the agent put together, and how does it start, reload and stop?

The composition root: the one place that knows every part. Parts are built in the order in which
they need each other, and closed in the reverse. A reload is all or nothing; what did not change
keeps its checks as the same objects, and with them their phase, their memory and their standing.
"""

import asyncio
import gc
import itertools
import logging
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from agent.adapters.clock import SystemClock
from agent.adapters.history import History
from agent.adapters.https import Https
from agent.adapters.https_api import Api
from agent.adapters.ledger import Ledger
from agent.adapters.plans import Recall
from agent.adapters.policies import Policies
from agent.adapters.registries import Registries
from agent.adapters.store import Store
from agent.adapters.supervisor import Supervisor
from agent.adapters.trust import TrustStore
from agent.adapters.wallet import Wallet
from agent.app import options, readings
from agent.app.causes import Causes
from agent.app.estates import Estates
from agent.app.exposing import Exposed, situation, with_web
from agent.app.mailroom import Mailroom
from agent.app.options import Overrides
from agent.config import Config, ConfigError
from agent.exposition import link_metrics, log, state_metrics
from agent.exposition.answers import Answers
from agent.exposition.own_metrics import OwnMetrics
from agent.exposition.pages.view import Situation
from agent.exposition.server import ListenError, Server
from agent.probes import drift
from agent.probes.base import Toolbox, discover
from agent.runtime import ending
from agent.runtime.board import Board, Run
from agent.runtime.dependencies import Dependencies, Heartbeats, LagSampler, ProcessVitals
from agent.runtime.recorder import Recorder
from agent.runtime.reload import complete, needs_restart, read
from agent.runtime.runner import Runner
from agent.runtime.scheduler import Scheduler
from agent.runtime.signals import Signals
from agent.settings import HostPort

_MONITOR = "monitor"  # the name of its heartbeat
_ROUND = 1.0  # seconds between two looks at the scheduler
_PATIENCE = 15.0  # seconds without a round until the monitor is overdue
_ROUNDS_PER_LOOK = 5  # at the exports of tenants

_log = logging.getLogger(__name__)


class Agent:
    """All parts of a running agent."""

    def __init__(  # noqa: PLR0913 - the root knows every part
        self,
        path: Path,
        config: Config,
        overrides: Overrides,
        *,
        own: OwnMetrics,
        tools: Toolbox,
        mailroom: Mailroom,
        estates: Estates,
        recorder: Recorder,
        sampler: LagSampler,
        heartbeats: Heartbeats,
    ) -> None:
        clock = tools.clock
        self._mailroom, self._estates, self._recorder = mailroom, estates, recorder
        self._written = config  # without what is imported
        self._path, self._overrides = path, overrides
        self._config = config = complete(config, estates.checks)
        self._own, self._tools, self._sampler, self.heartbeats = own, tools, sampler, heartbeats
        self._reloading, self._ready = asyncio.Lock(), False
        self._situation = situation(path, config, overrides, clock.now())
        self.url = ""
        self.supervisor = Supervisor()  # nobody; whoever serves knows better
        self.board, self.dependencies = Board(), Dependencies()
        self.board.subscribe(self.dependencies.follow)
        recorder.follow(self.board)
        self._causes = Causes(self.dependencies, mailroom)
        self.runner = Runner(
            tools,
            self.board.publish,
            self.dependencies,
            options.limits(config),
            observe_lateness=own.started_late,
        )
        self.scheduler = Scheduler(self.runner, clock, heartbeats, gate=overrides.gate)
        for probe in discover():
            self.runner.introduce(probe.kind)
        self._server = self._expose(own, tools)

    def _expose(self, own: OwnMetrics, tools: Toolbox) -> Server:
        """Make the server, and all that it shows."""
        scrape = readings.scrape(self.board, tools, own)
        running, past = (self.runner, self.dependencies, self.heartbeats), self._recorder.chronicle
        readings.watch(own, tools, self._mailroom, running, lambda: (self._config.agent, self.url))
        exposed = Exposed(self.board, self.runner, self.dependencies, self.heartbeats)
        server = exposed.server(
            self._config,
            tools,
            Answers(self.board, scrape, discover(), tools.clock, self._shown, past),
            situation=self._shown,
            ready=lambda: self._ready,
            reload=self.reload,
        )
        own.watch(server.measure)
        return server

    def _shown(self) -> Situation:
        return with_web(self._situation, self._server, self._config.agent.grafana_url)

    @classmethod
    async def build(
        cls, path: Path, config: Config, overrides: Overrides, stack: AsyncExitStack
    ) -> "Agent":
        """Make every part, and open what they stand on. Raises StoreError."""
        clock, own = SystemClock(), OwnMetrics()
        log.configure(config.agent.log.format, config.agent.log.level, count=own.logged)
        await (store := Store(config.state)).open()
        stack.push_async_callback(store.close)
        await (history := History(store)).start()
        await (ledger := Ledger(store, clock, budget=config.budget.allowances())).start()
        own.watch(state_metrics.read(store.stats, ledger.stats))
        estates = await Estates.open(store, clock)
        resolver = options.resolving(config, overrides, clock)
        await resolver.start()
        stack.push_async_callback(resolver.close)
        sampler, heartbeats = LagSampler(own.lagged), Heartbeats(clock)
        trust = await TrustStore.load(roots=overrides.roots)
        dialer, egress = options.dialing(config, overrides, resolver, clock)
        tools = Toolbox(
            resolver=resolver,
            clock=clock,
            recall=Recall(resolver),
            history=history,
            ledger=ledger,
            dialer=dialer,
            egress=egress,
            direct=options.directly(overrides, clock),
            trust=trust,
            policies=Policies(Https(resolver=resolver, dialer=dialer, trust=trust), clock),
            registries=Registries(Api(resolver=resolver, dialer=dialer, trust=trust), clock),
            wallet=Wallet(),
            sightings=estates.sightings,
            tenancies=estates.tenancies,
            vitals=ProcessVitals(sampler, heartbeats, lambda: store.stats.degraded),
        )
        mailroom = Mailroom(tools, overrides)
        stack.push_async_callback(mailroom.close)
        await estates.read(config)
        return cls(
            path,
            config,
            overrides,
            own=own,
            tools=mailroom.tools,
            mailroom=mailroom,
            estates=estates,
            recorder=await Recorder.open(store, clock, stack),
            sampler=sampler,
            heartbeats=heartbeats,
        )

    async def start(self, stack: AsyncExitStack) -> None:
        """Start everything; ``url`` is then where the page is. Raises ListenError."""
        host, port = self._listen
        port = await self._server.start(host, port)
        stack.push_async_callback(self._server.close)
        await self._mailroom.open_sink(self._config)
        self._sampler.start()
        stack.callback(self._sampler.stop)
        self.heartbeats.expect(_MONITOR, _PATIENCE)
        self._apply(self._config)
        self._own.reloaded(self._tools.clock.now(), successful=True)
        self.scheduler.start()
        # What exists now stays: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        self._ready = True
        scheme = "https" if self._server.is_secured else "http"
        self.url = f"{scheme}://{HostPort(host, port)}/"
        _log.info("started", extra={"url": self.url, "checks": len(self._config.checks)})
        link_metrics.tell(self._config.agent, self.url)

    async def watch(self, signals: Signals) -> None:
        """Look after the scheduler, and reload when asked, until told to stop."""
        # Reading a long file takes long, and is no reason to look after nothing meanwhile.
        rounds = itertools.count(1)
        async with asyncio.TaskGroup() as reloads:
            while not signals.stop.is_set():
                await signals.wait(_ROUND)
                self.heartbeats.beat(_MONITOR)
                self.supervisor.beat(self._situation.reload_errors, self.heartbeats.overdue())
                self.scheduler.watch()
                self._causes.look()
                self._recorder.look()
                if signals.take_reload():
                    reloads.create_task(self.reload())
                elif next(rounds) % _ROUNDS_PER_LOOK == 0 and not self._is_reading:
                    reloads.create_task(self._look_at_exports())

    async def drain(self, signals: Signals) -> None:
        """Start no more runs and let those end that go on; a second signal hurries."""
        self._ready = False
        self.supervisor.stopping()
        self.heartbeats.forget(_MONITOR)
        await ending.drain(self.runner, self.scheduler, signals, grace=self._overrides.grace)

    async def reload(self) -> tuple[str, ...]:
        """Load the configuration again, and return its mistakes; with any nothing changes."""
        async with self._reloading, self.supervisor.reloading():
            now, over = self._tools.clock.now(), self._overrides
            try:
                config = await asyncio.to_thread(read, self._path, over.settings, over.beneath)
                await self._mailroom.open_sink(config)
            except ConfigError as error:
                return self._rejected(now, tuple(map(str, error.problems)))
            except ListenError as error:
                return self._rejected(now, (str(error),))
            if needs_restart(self._config, config):
                _log.warning("some changes take effect only when the agent is started again")
            await self._estates.read(config)
            await self._renew(config)
            self._own.reloaded(now, successful=True)
            self._situation = replace(self._situation, reload_errors=(), reload_failed_at=None)
            _log.info("configuration reloaded", extra={"checks": len(self._config.checks)})
            return ()

    async def _look_at_exports(self) -> None:
        """Take in what tenants have exported since the last look."""
        # A file system may not answer for long: meanwhile the configuration can be reloaded.
        await self._estates.look(self._written)
        async with self._reloading:
            if await self._estates.take(self._written):
                await self._tell_drift(self._estates.drifted)
                await self._renew(self._written)
                _log.info("exports read", extra={"checks": len(self._config.checks)})

    async def _tell_drift(self, tenants: Collection[str]) -> None:
        """Say what changed in *tenants* before the checks of what is gone go as well."""
        checks = [each for each in self._config.checks if each.probe is drift.PROBE]
        due = (self.runner.run(each) for each in checks if each.tenant in tenants)
        runs = set(map(asyncio.create_task, due))
        if runs:
            await asyncio.wait(runs, timeout=_ROUND)

    async def _renew(self, written: Config) -> None:
        """Make a configuration, with what is imported, the one in force."""
        imported, before = self._estates.checks, self._config.checks
        self._written = written
        self._apply(await asyncio.to_thread(complete, written, imported, before))

    async def run_now(self, identity: str) -> Run | None:
        """Run one check as if it were due, and return the run; None without such a check."""
        standing = self.board.standing(identity)
        return None if standing is None else await self.runner.run(standing.check)

    @property
    def _is_reading(self) -> bool:
        return self._reloading.locked() or self._estates.is_looking

    @property
    def _listen(self) -> tuple[str, int]:
        listen = self._config.agent.listen
        return self._overrides.listen or (listen.host, listen.port)

    def _apply(self, config: Config) -> None:
        """Make a configuration the one in force."""
        self._config = config
        if self._tools.wallet is not None:
            self._tools.wallet.replace(options.pairs(config))
        self._mailroom.apply(config)
        now, identities = self._tools.clock.now(), [check.identity for check in config.checks]
        self.board.keep(config.checks, now)
        self._tools.history.keep(identities, now)
        self._tools.recall.keep(identities)
        self._tools.recall.controls = options.control_names(config)
        self.scheduler.replace(config.checks)

    def _rejected(self, at: datetime, lines: tuple[str, ...]) -> tuple[str, ...]:
        self._own.reloaded(at, successful=False)
        self._situation = replace(self._situation, reload_errors=lines, reload_failed_at=at)
        _log.error("configuration rejected", extra={"mistakes": len(lines), "first": lines[0]})
        return lines
