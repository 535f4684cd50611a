"""What does the first page say to those who may not read the others?

Names and states, and nothing of why: beyond loopback and without a login the topology of the mail
flow is nobody's business. It stands by itself, so that nothing of the other pages gets into it.
"""

from jinja2 import Environment, PackageLoader, StrictUndefined

from agent.exposition.pages.first import Overview

_PAGES = Environment(
    loader=PackageLoader("agent.exposition.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def names(page: Overview) -> bytes:
    """Return the page with names and states."""
    return _PAGES.get_template("public.html").render(page=page).encode()
