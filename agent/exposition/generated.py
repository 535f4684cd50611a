"""Which files of the project are rendered, and are they current?

Everything that follows from a declaration is rendered from it: alerts, dashboards, runbooks, the
reference, the example configuration, its schema. The files are committed, so that they can be read
without the program; a test holds them to a fresh rendering.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from agent import config
from agent.exposition import (
    alerts,
    beside,
    blocklists,
    dashboards,
    example,
    openapi,
    reference,
    runbooks,
)
from agent.probes.base import discover

_OWNED = (alerts.RUNBOOKS, "docs/checks", dashboards.FOLDER)  # nothing else may live there


def rendered() -> Mapping[str, str]:
    """Return the text of every rendered file, by its path from the project's root.

    Raises dashboards.LibraryMissingError where the dashboards cannot be drawn.
    """
    probes = discover()
    return {
        example.PATH: example.render(probes),
        example.SCHEMA_PATH: json.dumps(config.schema(probes), indent=2) + "\n",
        openapi.PATH: openapi.render(),
        beside.PATH: beside.render(),
        **alerts.rendered(probes),
        **runbooks.rendered(probes),
        **reference.rendered(probes),
        **blocklists.rendered(),
        **dashboards.rendered(probes),
    }


def stale(root: Path) -> tuple[str, ...]:
    """Return the paths below *root* that differ from a fresh rendering, or should not be there."""
    files = rendered()
    differing = {path for path, text in files.items() if _read(root / path) != text}
    return tuple(sorted(differing | _orphans(root, files)))


def write(root: Path) -> tuple[str, ...]:
    """Bring the files below *root* up to date; return the paths that changed."""
    files = rendered()
    changed = stale(root)
    for path in changed:
        if path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(files[path], encoding="utf-8")
        else:
            (root / path).unlink()
    return changed


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _orphans(root: Path, files: Mapping[str, str]) -> set[str]:
    """Return pages of rules and probes, and dashboards, that are no more."""
    present = {
        str(page.relative_to(root)) for folder in _OWNED for page in (root / folder).glob("[!.]*.*")
    }
    return present - files.keys()
