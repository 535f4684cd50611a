"""Where do the links in alerts lead?

One rule file serves every installation, so it asks the agent for the addresses of its page and of
the dashboards. They come from the configuration alone. An agent that listens at every address of
its machine, as in a container, cannot know by which of them people reach it: then there is no
address of its page, and alerts name the runbooks by their path in the project.
"""

import logging
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from agent.config.advice import NO_PAGE
from agent.config.sections import AgentSection
from agent.config.web_config import is_everywhere
from agent.domain.finding import Measurement
from agent.exposition.own_signals import LINKS

_log = logging.getLogger(__name__)


def read(here: Callable[[], tuple[AgentSection, str]]) -> Callable[[], Iterator[Measurement]]:
    """Return what reads the addresses of the moment, for ``OwnMetrics.watch``.

    *here* gives the section of the agent, and where it listens: for where `external_url` is not
    set.
    """

    def measure() -> Iterator[Measurement]:
        section, listening = here()
        yield LINKS.at(1, page(section, listening), section.grafana_url)

    return measure


def page(section: AgentSection, listening: str) -> str:
    """Return where people reach the page of an agent that is *listening* there; empty: unknown."""
    if section.external_url:
        return section.external_url
    return "" if is_everywhere(urlsplit(listening).hostname or "") else listening.rstrip("/")


def tell(section: AgentSection, listening: str) -> None:
    """Say in the log where no link can lead to the page."""
    if not page(section, listening):
        _log.warning("agent.listen %s", NO_PAGE, extra={"url": listening})
