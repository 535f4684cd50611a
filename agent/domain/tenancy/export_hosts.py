"""Which domains, hosts and addresses does a property of an exported object name?

Exchange writes the domains of connectors as address spaces (``smtp:*;1``), and a host that is an
address in brackets. Names are lower-case A-labels afterwards. One that is no name stays as it is
written, with a remark: a list that were short of it would say something else.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address

from agent.domain.names import MAX_NAME, DomainName
from agent.domain.peer_text import PeerText
from agent.domain.tenancy.export_trouble import shown
from agent.domain.tenancy.export_values import Cell, items, text
from agent.domain.tenancy.objects import read_network

_SPACE = re.compile(r"(?:smtp:)?([^;]*)(?:;\d{1,3})?", re.IGNORECASE)
_SUBJECT = re.compile(r"<S>[^<]*?CN=([^,<+]+)", re.IGNORECASE)
_LONGEST = MAX_NAME + 2  # with a leading *.
_OF_DOMAIN = "expected is a domain such as contoso.com, or *.contoso.com"
_OF_HOST = "expected is a host such as mail.contoso.com, or an address"
_OF_ADDRESS = "expected is an address such as 192.0.2.1, or a network such as 192.0.2.0/24"


def address_spaces(cell: Cell) -> tuple[str, ...]:
    """Read the domains of a connector: ``*``, ``*.contoso.com`` or ``contoso.com``."""
    return _each(cell, _address_space)


def _address_space(cell: Cell) -> str:
    match = _SPACE.fullmatch(cell.value)
    return _pattern(cell, match[1].strip() if match else cell.value, _OF_DOMAIN)


def domain(cell: Cell) -> str:
    """Read a domain, or ``*.`` and a domain; empty where there is none."""
    found = next(items(cell), None)
    return "" if found is None else _pattern(cell, found.value, _OF_DOMAIN)


def certificate_name(cell: Cell) -> str:
    """Read the name of a certificate: a domain, or issuer and subject as Exchange writes them."""
    written = cell.value[: 8 * _LONGEST] if isinstance(cell.value, str) else ""
    subject = _SUBJECT.search(written)
    if subject is None:
        return domain(cell)
    return _pattern(cell, subject[1].strip(), _OF_DOMAIN)


def smart_hosts(cell: Cell) -> tuple[str, ...]:
    """Read hosts and addresses, these without their brackets."""
    return _each(cell, _smart_host)


def _smart_host(cell: Cell) -> str:
    host: str = cell.value.removeprefix("[").removesuffix("]")
    if read_network(host[:_LONGEST]) is not None:
        return PeerText(host.lower())
    return _pattern(cell, host, _OF_HOST)


def addresses(cell: Cell) -> tuple[str, ...]:
    """Read addresses, networks and ranges with a hyphen between their ends."""
    return _each(cell, _address)


def _address(cell: Cell) -> str:
    found = PeerText(cell.value.removeprefix("[").removesuffix("]").lower())
    if read_network(found) is None and not _is_range(found):
        cell.remark(f"is {shown(cell.value)}", _OF_ADDRESS)
    return found


def _is_range(written: str) -> bool:
    start, _, end = written.partition("-")
    try:
        return ip_address(start).version == ip_address(end).version
    except ValueError:
        return False


def mail_domain_text(cell: Cell) -> str:
    """Read a name of DNS that need not be one of a mail domain, such as the target of a CNAME."""
    return text(cell).lower().removesuffix(".")


def _each(cell: Cell, read: Callable[[Cell], str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(read, items(cell))))


def _pattern(cell: Cell, written: str, right: str) -> str:
    """Return a domain, or one behind ``*.``, in lower-case A-labels."""
    if written == "*":
        return written
    star, name = ("*.", written[2:]) if written.startswith("*.") else ("", written)
    try:
        # What is far too long is not even looked at: names are costly to make A-labels of.
        return star + DomainName.parse(name[: 4 * _LONGEST]).ascii
    except ValueError as error:
        cell.remark(f"is {shown(written)}, which {PeerText(str(error))}", right)
    return PeerText(written.lower(), _LONGEST)
