"""Which files go out as they are?

The style and the script of the pages. Each has a tag made of its content, so that a browser asks
whether it is still current and is answered without the file.
"""

from importlib.resources import files

from agent.exposition.answers import Content
from agent.exposition.http.tags import tag_of

TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_FOLDER = files("agent.exposition.pages")


def _read() -> dict[str, Content]:
    """Return every file of the pages that a browser may fetch, by its name."""
    found = {}
    for each in _FOLDER.iterdir():
        kind = TYPES.get(each.name.rpartition(".")[2])
        if kind is not None:
            body = each.read_bytes()
            found[each.name] = Content(kind, (body,), tag=tag_of(body))
    return found


FILES = _read()
