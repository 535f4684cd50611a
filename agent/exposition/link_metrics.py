"""Where do the links in alerts lead?

One rule file serves every installation, so it asks the agent for the addresses of its page and of
the dashboards. They come from the configuration alone.
"""

from collections.abc import Callable, Iterator

from agent.config.sections import AgentSection
from agent.domain.finding import Measurement
from agent.exposition.own_signals import LINKS


def read(here: Callable[[], tuple[AgentSection, str]]) -> Callable[[], Iterator[Measurement]]:
    """Return what reads the addresses of the moment, for ``OwnMetrics.watch``.

    *here* gives the section of the agent, and where it listens: for where `external_url` is not
    set.
    """

    def measure() -> Iterator[Measurement]:
        section, listening = here()
        yield LINKS.at(1, section.external_url or listening.rstrip("/"), section.grafana_url)

    return measure
