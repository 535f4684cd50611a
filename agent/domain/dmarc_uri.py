"""Where does a DMARC record want its reports, and can anybody send them there?

``rua`` and ``ruf`` are lists of URIs, each with a size limit after a ``!`` (RFC 7489 section 6.4).
RFC 9989 section 4.7 keeps the list and has receivers ignore the limit.
"""

import re

from agent.domain.dmarc_terms import Destination
from agent.domain.report_uri import UriError, read_mailbox
from agent.domain.tag_list import Fault, pieces

MAX_DESTINATIONS = 50  # of one tag that are read; receivers need not serve more than two
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}):(.*)", re.DOTALL)
_LIMIT = re.compile(r"(\d{1,15})([kmgt]?)", re.IGNORECASE)
_CHARACTERS = re.compile(r"[!#-;=?-\[\]_a-z~]+")  # RFC 3986, without the separators of the list
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def read_destinations(value: str, position: int) -> tuple[tuple[Destination, ...], list[Fault]]:
    """Read the list in *value*, which starts at *position* of the record. Never raises."""
    found: list[Destination] = []
    faults: list[Fault] = []
    for piece, offset in pieces(value, ","):
        if len(found) + len(faults) >= MAX_DESTINATIONS:
            problem = f"lists more than {MAX_DESTINATIONS} destinations; the rest is not looked at"
            faults.append(Fault(piece, problem, "Keep at most two.", position=position + offset))
            break
        try:
            found.append(_read(piece))
        except UriError as error:
            problem, hint = error.args
            faults.append(Fault(piece, problem, hint, position=position + offset))
    return tuple(found), faults


def _read(piece: str) -> Destination:
    uri, mark, limit_text = piece.partition("!")
    match = _SCHEME.fullmatch(uri)
    if match is None:
        raise UriError(*_without_scheme(piece))
    if not _CHARACTERS.fullmatch(uri.lower()):
        problem = "holds a character that no URI has"
        raise UriError(problem, "Write the address without blanks and quotes.")
    limit = _read_limit(limit_text) if mark else None
    scheme = match[1].lower()
    if scheme != "mailto":
        if not match[2]:
            problem = "has nothing after the scheme"
            raise UriError(problem, "Write `mailto:` and an address.")
        return Destination(uri, scheme, limit=limit)
    return Destination(uri, scheme, *read_mailbox(match[2]), limit)


def _without_scheme(piece: str) -> tuple[str, str]:
    if not piece:
        return "is empty", "Remove the comma."
    if "@" in piece:
        return "is an address without its scheme", "Write `mailto:` before the address."
    return "is no URI", "Write `mailto:` and an address."


def _read_limit(text: str) -> int:
    match = _LIMIT.fullmatch(text)
    if match is None:
        problem = "has a size limit that is no number with an optional k, m, g or t"
        raise UriError(problem, "Remove `!` and what follows it.")
    return int(match[1]) * _UNITS[match[2].lower()]
