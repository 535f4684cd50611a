"""What can be read of the parts of the agent when a scrape comes?

What they count they count for themselves; here it is said once who is asked.
"""

from collections.abc import Callable

from agent.app.mailroom import Mailroom
from agent.config.sections import AgentSection
from agent.exposition import dns_metrics, link_metrics, mail_metrics, runtime_metrics
from agent.exposition.metrics import Metrics
from agent.exposition.own_metrics import OwnMetrics
from agent.exposition.scrape import Scrape
from agent.probes.base import Toolbox, discover
from agent.runtime.board import Board
from agent.runtime.dependencies import Dependencies, Heartbeats
from agent.runtime.runner import Runner

Running = tuple[Runner, Dependencies, Heartbeats]
Here = Callable[[], tuple[AgentSection, str]]


def scrape(board: Board, tools: Toolbox, own: OwnMetrics) -> Scrape:
    """Return what is scraped: the series of checks, and the agent's own."""
    metrics = Metrics(
        board,
        discover(),
        tools.clock,
        initial=lambda check: check.initial(tools),
        failed=own.collector_failed,
    )
    return Scrape(metrics, own, tools.clock)


def watch(
    own: OwnMetrics, tools: Toolbox, mailroom: Mailroom, running: Running, here: Here
) -> None:
    """Have the parts read at each scrape; *here* gives the agent's section and its address."""
    own.watch(runtime_metrics.read(*running))
    own.watch(dns_metrics.read(lambda: tools.resolver.stats))
    own.watch(mail_metrics.read(mailroom.states, mailroom.credentials, tools.excuses))
    own.watch(link_metrics.read(here))
