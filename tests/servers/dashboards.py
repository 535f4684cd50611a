"""The dashboards as Grafana reads them, and what Prometheus is asked for by each.

``queries()`` are all of them, with where they stand; ``substituted`` puts values for variables.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import promql_parser as promql

from agent.exposition import dashboards
from agent.probes.base import discover

FILES = dashboards.rendered(discover())
BOARDS: Mapping[str, dict[str, Any]] = {
    board["uid"]: board
    for board in (json.loads(text) for path, text in FILES.items() if path.endswith(".json"))
}
EVERYTHING = {"job": ".+", "tenant": ".+", "subject": ".+", "instance": ".+"}
_WINDOWS = (  # as Grafana would have them; and so short that a young Prometheus has enough
    ("$__rate_interval", "1m", "20s"),
    ("[30d:1h]", "[30d:1h]", "[20s:1s]"),
    ("[1h]", "[1h]", "[20s]"),
    ("[1d]", "[1d]", "[20s]"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of one panel of one dashboard."""

    board: str
    panel: str
    index: int
    expr: str

    @property
    def name(self) -> str:
        """Where it stands."""
        return f"{self.board} / {self.panel} / {self.index}"


def panels(board: Mapping[str, Any], *, folded: bool = True) -> Iterator[dict[str, Any]]:
    """Yield the panels of a dashboard; those of folded rows only if *folded*."""
    for panel in board["panels"]:
        if panel["type"] != "row":
            yield panel
        elif folded:
            yield from panel["panels"]


def queries(*uids: str) -> list[Asked]:
    """Return the queries of all panels, of some dashboards or of all."""
    return [
        Asked(uid, panel["title"], index, target["expr"])
        for uid in uids or BOARDS
        for panel in panels(BOARDS[uid])
        for index, target in enumerate(panel["targets"])
    ]


def substituted(expr: str, *, shortened: bool = False) -> str:
    """Return a query as it is sent when everything is chosen."""
    for window, whole, short in _WINDOWS:
        expr = expr.replace(window, short if shortened else whole)
    for name, value in EVERYTHING.items():
        expr = expr.replace(f"${name}", value)
    assert "$" not in expr, expr
    return expr


def nodes(expr: str) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Yield every node of a query's tree with its ancestors. Raises ValueError."""
    yield from _walk(promql.parse(substituted(expr)), ())


def _walk(node: Any, above: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    yield node, above
    children: list[Any] = []
    for name in ("lhs", "rhs", "expr", "args", "vector_selector"):
        found = getattr(node, name, None)
        children += found if isinstance(found, list) else [] if found is None else [found]
    for child in children:
        yield from _walk(child, (*above, node))


def selectors(expr: str) -> Iterator[Any]:
    """Yield the selectors of a query."""
    return (node for node, _ in nodes(expr) if isinstance(node, promql.VectorSelector))


def matcher(selector: Any, label: str) -> str:
    """Return what a selector says of a label, as ``=~ value``; empty where nothing."""
    signs = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
    found = [each for each in selector.matchers.matchers if each.name == label]
    return f"{signs[str(found[0].op).rpartition('.')[2]]} {found[0].value}" if found else ""


def metrics_in(text: str) -> set[str]:
    """Return the names of metrics of ours in a query or a description of one."""
    named = re.findall(r"(?<![\w:])mailflow_\w+", text)
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in named}
