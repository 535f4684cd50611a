"""What does `/probe?check=…` do?

It runs one check that is configured, now, the way the scheduler would, and says what came of it in
the words of the blackbox convention, so that alerts and dashboards for that fit. The parameter is
the identity of a check and nothing else: it is looked up and never taken apart, so no address or
name in it leads anywhere. A check runs once at a time, whoever asks, and is not run more often than
its target should bear.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from agent.adapters.clock import Clock
from agent.domain import streak
from agent.exposition.answers import PLAIN, Content
from agent.exposition.http.bucket import Bucket
from agent.exposition.http.door import Refusal, too_many
from agent.exposition.http.probe_text import Probed, in_words, metrics_of
from agent.exposition.text_format import negotiate
from agent.probes.base import Check
from agent.runtime.board import Board, Run
from agent.settings import RouteSubject

PARAMETERS = ("check", "debug")
OFFSET = 0.5  # seconds before the scraper gives up, at which it is told
TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"
_WAIT_BEYOND = 1.0  # seconds after a check's own deadline
_EVERY, _AT_ONCE = 0.1, 20  # of all checks: seconds for one more run, and runs at once
_EVERY_OF_ONE, _AT_ONCE_OF_ONE = 5.0, 3
_UNDER_WAY = 50  # requests that wait for a run

Pairs = Sequence[tuple[str, str]]  # the parameters of an address, in their order
RunCheck = Callable[[Check[Any, Any]], Awaitable[Run]]


class Prober:
    """Runs checks of *board* on request, with *run*; ``waiting`` counts those who wait for one."""

    def __init__(self, board: Board, run: RunCheck, clock: Clock) -> None:
        self._board, self._run, self._clock = board, run, clock
        self._running: dict[str, asyncio.Task[Run]] = {}
        self._all = Bucket(_EVERY, _AT_ONCE, clock)
        self._each: dict[str, Bucket] = {}
        self.waiting = 0

    async def answer(
        self, method: str, given: Pairs, headers: Mapping[str, str]
    ) -> Content | Refusal:
        """Run the check that is asked for, or say why not."""
        check = self._find(method, given)
        if isinstance(check, Refusal):
            return check
        longest = check.settings.timeout.total_seconds() + _WAIT_BEYOND
        timeout = _timeout(headers.get(TIMEOUT), longest)
        if timeout is None:
            return Refusal(400, "Bad request", f"{TIMEOUT} is not a number of seconds above 0.")
        refusal = self._room(check.identity)
        if refusal is not None:
            return refusal
        probed = await self._probe(check, timeout)
        if ("debug", "true") in given:
            return Content(PLAIN, ("\n".join(await in_words(probed)).encode(),))
        into = negotiate(headers.get("Accept", ""))
        return Content(into.value, (await metrics_of(probed, into),))

    def _find(self, method: str, given: Pairs) -> Check[Any, Any] | Refusal:
        """Return the check that is meant, by its identity as a whole."""
        mistake = _mistake(given)
        if mistake:
            return Refusal(400, "Bad request", mistake)
        standing = self._board.standing(dict(given)["check"])
        if standing is None:
            return Refusal(404, "Not found", "There is no such check. /api/v1/checks lists all.")
        if method != "POST" and standing.check.target.kind == RouteSubject.kind:
            detail = "A check of a route sends a message, which GET must not do; use POST."
            return Refusal(405, "Method not allowed", detail, {"Allow": "POST"})
        return standing.check

    def _room(self, identity: str) -> Refusal | None:
        """Take what a new run costs; whoever joins one that goes on costs nothing."""
        if self.waiting >= _UNDER_WAY:
            return too_many("Too many requests wait for their runs.", 1)
        if identity in self._running:
            return None
        if len(self._each) > _AT_ONCE:  # most have not been asked for since long
            self._each = {name: each for name, each in self._each.items() if not each.is_full}
        own = self._each.get(identity)
        if own is None:
            own = self._each[identity] = Bucket(_EVERY_OF_ONE, _AT_ONCE_OF_ONE, self._clock)
        wait = own.take()
        if wait:
            return too_many("This check has run often enough just now.", wait)
        wait = self._all.take()
        return too_many("Checks have run often enough just now.", wait) if wait else None

    async def _probe(self, check: Check[Any, Any], timeout: float) -> Probed:  # noqa: ASYNC109
        """Run *check*, or join its run, and wait for up to *timeout* seconds."""
        task = self._running.get(check.identity)
        if task is None:
            task = asyncio.ensure_future(self._run(check))
            self._running[check.identity] = task
            task.add_done_callback(lambda _: self._running.pop(check.identity, None))
        started = self._clock.monotonic()
        self.waiting += 1
        try:
            # The run goes on when nobody waits for it any more: it counts as a scheduled one.
            await asyncio.wait({task}, timeout=timeout)
        finally:
            self.waiting -= 1
        took = timedelta(seconds=self._clock.monotonic() - started)
        run = task.result() if task.done() else None
        standing = self._board.standing(check.identity)
        return Probed(
            check, run, took, timeout, streak.NONE if standing is None else standing.streaks
        )


def _mistake(given: Pairs) -> str:
    """Say what is wrong with the parameters of a request; nothing where they are right."""
    names = [name for name, _ in given]
    if not set(names) <= set(PARAMETERS):
        return f"There are the parameters {' and '.join(PARAMETERS)} only; targets are configured."
    if len(names) > len(set(names)):
        return "A parameter is given twice."
    values = dict(given)
    if not values.get("check"):
        return "The parameter check is missing: the identity of a check, as in /api/v1/checks."
    if values.get("debug", "false") not in ("true", "false"):
        return "The parameter debug is true or false."
    return ""


def _timeout(given: str | None, longest: float) -> float | None:
    """Return how long to wait in seconds; None where what was *given* is no length of time."""
    if given is None:
        return longest
    try:
        seconds = float(given)
    except ValueError:
        return None
    if not (math.isfinite(seconds) and seconds > 0):
        return None
    return min(longest, max(seconds - OFFSET, seconds / 2))
