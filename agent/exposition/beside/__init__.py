"""Does some rule say what another program warns about, or is there a reason why not?

Read from the source of checkdmarc 6.0.4, told in our words; a test walks the source that is
installed and fails where it says something of which nothing stands here.
"""

from collections.abc import Iterator, Mapping

from agent.exposition.beside.of_dmarc import DMARC
from agent.exposition.beside.of_spf import SPF
from agent.exposition.beside.of_transport import MTA_STS, MX, TLS_RPT
from agent.exposition.beside.said import Said
from agent.exposition.reference import HEAD, cell

PATH = "docs/checkdmarc.md"
AREAS: Mapping[str, tuple[Said, ...]] = {
    "SPF": SPF,
    "DMARC": DMARC,
    "MTA-STS": MTA_STS,
    "TLS reports": TLS_RPT,
    "MX and exchanges": MX,
}
LEFT_OUT: Mapping[str, str] = {
    "bimi": "A logo beside a message decides neither whether it arrives nor whether it is trusted.",
    "soa": "It takes the SOA record apart, and judges nothing in it; nameservers-soa-timers does.",
    "dnssec": "It tells whether signatures are there, and warns about none; the dane check does.",
    "_cli": "Its own command line.",
    "_constants": "Its own settings.",
    "__init__": "It puts together what the others say.",
}
"""The modules that are left out as a whole, and why."""


def entries() -> tuple[Said, ...]:
    """Return all that checkdmarc says."""
    return tuple(said for area in AREAS.values() for said in area)


def render() -> str:
    """Return the page of the manual."""
    lines = [HEAD, "# What checkdmarc warns about", ""]
    lines += [
        "Each class of exceptions of checkdmarc 6.0.4, and each function of it that warns, with",
        "the rules that say so here, the nearest first, or why none does.",
    ]
    for title, area in AREAS.items():
        lines += [
            "",
            f"## {title}",
            "",
            "| checkdmarc | it is about | here |",
            "| --- | --- | --- |",
        ]
        lines += map(_row, area)
    lines += ["", "## Left out as a whole", "", "| module | why |", "| --- | --- |"]
    lines += [f"| `{module}` | {cell(why)} |" for module, why in LEFT_OUT.items()]
    return "\n".join(lines) + "\n"


def _row(said: Said) -> str:
    return f"| `{said.place}` | {cell(said.about)} | {cell(' '.join(_ours(said)))} |"


def _ours(said: Said) -> Iterator[str]:
    if said.rules:
        yield ", ".join(f"[{code}](runbooks/{code}.md)" for code in said.rules) + "."
    if said.why:
        yield said.why
