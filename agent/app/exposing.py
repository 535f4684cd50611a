"""What of the agent is shown over HTTP, and put in whose hands?"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agent.adapters.ledger import Ledger
from agent.app import options
from agent.app.options import Overrides
from agent.config import Config
from agent.domain.entry import Entry
from agent.exposition.answers import Answers
from agent.exposition.api import Api, Sources
from agent.exposition.http.prober import Prober
from agent.exposition.pages.holder import Typing
from agent.exposition.pages.view import Situation
from agent.exposition.server import Parts, Server
from agent.probes.base import Check, Toolbox, discover
from agent.probes.route import ledger_key
from agent.runtime.board import Board
from agent.runtime.dependencies import Dependencies, Heartbeats
from agent.runtime.runner import Runner
from agent.settings import HostPort, RouteSubject


class Exposed:
    """The parts of the agent that can be read, or asked for something, over HTTP."""

    def __init__(
        self, board: Board, runner: Runner, dependencies: Dependencies, heartbeats: Heartbeats
    ) -> None:
        self._board, self._runner = board, runner
        self._dependencies, self._heartbeats = dependencies, heartbeats

    def server(  # noqa: PLR0913 - the root hands over what it knows
        self,
        config: Config,
        tools: Toolbox,
        answers: Answers,
        *,
        situation: Callable[[], Situation],
        ready: Callable[[], bool],
        reload: Callable[[], Awaitable[tuple[str, ...]]],
    ) -> Server:
        """Make the server as *config* wants it."""
        clock = tools.clock
        sources = Sources(
            situation,
            lambda: self._dependencies.up,
            self._heartbeats.overdue,
            lambda check: _messages(tools.ledger, check),
        )
        prober = Prober(self._board, self._runner.run, clock)
        parts = Parts(
            answers,
            Api(self._board, discover(), clock, sources),
            ready=ready,
            overdue=self._heartbeats.overdue,
            reload=reload,
            prober=prober if config.agent.probe_endpoint else None,
        )
        return Server(parts, clock, hosts=options.hosts(config), web_config=config.web_config)


def _messages(ledger: Ledger, check: Check[Any, Any]) -> Iterable[Entry]:
    is_route = isinstance(check.target, RouteSubject)
    return ledger.recent(ledger_key(check)) if is_route else ()


def situation(path: Path, config: Config, overrides: Overrides, now: datetime) -> Situation:
    """Return what the pages say of an agent that starts *now* with the configuration at *path*."""
    # Where nothing but the detours can be reached, nobody else can reach it.
    lab = overrides.resolvers if overrides.detours_only else ()
    typing = Typing(str(path.absolute()), "".join(str(HostPort(*each)) for each in lab[:1]))
    return Situation(config.agent.vantage, version("mailflow-agent"), now, typing=typing)


def with_web(situation: Situation, server: Server, grafana_url: str = "") -> Situation:
    """Return *situation* with what is wrong with the web configuration, and where Grafana is."""
    errors = (*situation.reload_errors, *server.web_errors)
    return replace(situation, reload_errors=errors, grafana_url=grafana_url.rstrip("/"))
