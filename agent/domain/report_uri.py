"""At which domain is a mailbox for reports, as DMARC and TLS-RPT write it after ``mailto:``?"""

import re
from urllib.parse import unquote

from agent.domain.names import DomainName

_LOCAL_PART = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}")


class UriError(ValueError):
    """A piece of a list of destinations is none; the hint is the second argument."""


def read_mailbox(rest: str) -> tuple[str, str]:
    """Return the address and its domain from what stands after ``mailto:``.

    Raises UriError where it is no address.
    """
    address = unquote(rest.partition("?")[0], encoding="latin-1")
    local_part, sign, domain = address.rpartition("@")
    hint = "Write `mailto:` and one address."
    if address.startswith("//"):
        problem = "has slashes after `mailto:`"
        raise UriError(problem, hint)
    if not sign or not _LOCAL_PART.fullmatch(local_part):
        problem = "is no mail address"
        raise UriError(problem, hint)
    return address, read_domain(domain, hint)


def read_domain(text: str, hint: str) -> str:
    """Return a domain's name in its ASCII form; raises UriError, with *hint*, for what is none."""
    try:
        return DomainName.parse(text).ascii
    except ValueError as error:
        problem = f"has a domain that {error}"
        raise UriError(problem, hint) from None
