"""Whose certificate has that name: that of a service which many organisations' mail goes through?

Filters show certificates below the names of their hosts. Signature services are named here: those
with one certificate for everybody, and those that give each customer a name of its own below theirs
(which the customer then adds to the accepted domains). Source: the vendors' public set-up pages and
Received fields in public archives; state of November 2026.
"""

from collections.abc import Mapping
from types import MappingProxyType

from agent.domain.knowledge.filter_hosts import filter_title

SIGNATURE_SERVICES: Mapping[str, str] = MappingProxyType(
    {
        "codetwo.online": "CodeTwo Email Signatures 365",
        "crossware.co.nz": "Crossware Mail Signature",
        "crosswaretls.com": "Crossware Mail Signature",
        "excl.cloud": "Exclaimer Cloud",
        "exclaimer.net": "Exclaimer Cloud",
    }
)
"""The title of a signature service by the domain that its certificates are for."""

_SUFFIXES = tuple(f".{domain}" for domain in SIGNATURE_SERVICES)


def filter_of(name: str) -> str:
    """Return the title of the filter that shows *name*, folded, ``*.`` or not; or empty."""
    return filter_title(f".{name.removeprefix('*.')}")


def signature_service_of(name: str) -> str:
    """Return the title of the signature service that shows *name*, as above; or empty."""
    dotted = f".{name.removeprefix('*.')}"
    if not dotted.endswith(_SUFFIXES):
        return ""
    return next(
        title for domain, title in SIGNATURE_SERVICES.items() if dotted.endswith(f".{domain}")
    )
