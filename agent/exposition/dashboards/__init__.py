"""Which dashboards are there, and which files are they?

What they ask and say is declared in this package, and where a probe declares a signal, a panel
follows from it. Only the drawing of the files needs a library, grafana-foundation-sdk, which is no
part of an installation.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from agent.exposition.dashboards import agents, manual, overview, routes, subjects
from agent.exposition.dashboards.model import Board
from agent.probes.base import Probe

FOLDER: Final = "grafana/dashboards"
_LIBRARY: Final = "grafana_foundation_sdk"


class LibraryMissingError(Exception):
    """The dashboards cannot be drawn here."""

    def __init__(self) -> None:
        super().__init__(
            "the dashboards are drawn by grafana-foundation-sdk 0.0.21, which is not installed;"
            " it is one of the development dependencies: run make generate in the source tree"
        )


def boards(probes: Iterable[Probe[Any, Any]]) -> tuple[Board, ...]:
    """Return all dashboards, the overview first."""
    probes = tuple(probes)
    domain, connector, tenant = subjects.boards(probes)
    return (
        overview.board(probes),
        domain,
        connector,
        routes.board(probes),
        tenant,
        agents.board(probes),
    )


def rendered(probes: Iterable[Probe[Any, Any]]) -> Mapping[str, str]:
    """Return the files of the dashboards by path, and the page of the manual about them.

    Raises LibraryMissingError where the library that draws them is not installed.
    """
    try:
        from agent.exposition.dashboards.drawing import drawn
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != _LIBRARY:
            raise
        raise LibraryMissingError from None
    every = boards(probes)
    files = {f"{FOLDER}/{board.uid}.json": drawn(board) for board in every}
    return files | {manual.PATH: manual.render(every)}
