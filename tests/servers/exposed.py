"""The agent's HTTP server over a board of one's choice, and a client that sends raw bytes."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.adapters.chronicle import Chronicle
from agent.domain.entry import Entry
from agent.exposition.answers import Answers
from agent.exposition.api import Api, Sources
from agent.exposition.http.prober import Prober, RunCheck
from agent.exposition.metrics import Metrics
from agent.exposition.own_metrics import OwnMetrics
from agent.exposition.pages.holder import Typing
from agent.exposition.pages.view import Situation
from agent.exposition.scrape import Scrape
from agent.exposition.server import Parts, Server
from agent.probes.base import Check
from agent.runtime.board import Board, Run
from servers.standings import PROBES, HandClock

TYPING = Typing("/srv/our agent/config.yaml")


@dataclass
class Agent:
    """A server over a board, on a free port."""

    clock: HandClock = field(default_factory=HandClock)
    board: Board = field(default_factory=Board)
    errors: tuple[str, ...] = ()
    is_ready: bool = True
    reloads: int = 0
    port: int = 0
    chronicle: Chronicle | None = None

    def __post_init__(self) -> None:
        self.own = OwnMetrics()
        self.server = self.make()

    def make(
        self,
        *,
        reloadable: bool = True,
        run: RunCheck | None = None,
        web_config: Path | None = None,
        messages: Callable[[Check[Any, Any]], Iterable[Entry]] = lambda _: (),
    ) -> Server:
        metrics = Metrics(self.board, PROBES, self.clock, failed=self.own.collector_failed)
        scrape = Scrape(metrics, self.own, self.clock)
        answers = Answers(self.board, scrape, PROBES, self.clock, self.situation, self.chronicle)
        sources = Sources(self.situation, lambda: {"resolver": True}, messages=messages)
        parts = Parts(
            answers,
            Api(self.board, PROBES, self.clock, sources),
            ready=lambda: self.is_ready,
            reload=self.reload if reloadable else None,
            prober=None if run is None else Prober(self.board, run, self.clock),
        )
        return Server(parts, self.clock, hosts=("agent.example",), web_config=web_config)

    def situation(self) -> Situation:
        at = self.clock.now()
        return Situation(
            "test", "0.1.0", at, self.errors, at if self.errors else None, typing=TYPING
        )

    async def never_run(self, _check: Check[Any, Any]) -> Run:
        """Stand for the runner where nothing is to be run."""
        raise AssertionError

    async def reload(self) -> tuple[str, ...]:
        self.reloads += 1
        return self.errors

    async def ask(self, path: str, method: str = "GET", **headers: str) -> "Answered":
        lines = "".join(
            f"{name.replace('_', '-')}: {value}\r\n"
            for name, value in {"Host": "localhost", **headers}.items()
        )
        raw = f"{method} {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n"
        return Answered.read(await self.send(raw.encode()))

    async def send(self, raw: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        try:
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


@dataclass
class Answered:
    """A response, taken apart."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def read(cls, raw: bytes) -> "Answered":
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in rest)
        return cls(int(first.split()[1]), dict(pairs), body)

    @property
    def text(self) -> str:
        return self.body.decode()
