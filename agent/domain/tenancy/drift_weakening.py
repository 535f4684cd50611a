"""Does a change let in, or out, what was kept back before?

A connector and the organisation hold mail to conditions: who may send, what certificate is to be
shown, how strict TLS is. Each change is looked at by itself; what is not known weakens nothing.
"""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType
from typing import Any

from agent.domain.tenancy.drift_properties import Kind
from agent.domain.tenancy.objects import Network, read_networks

_STRICTNESS = ("none", "encryption-only", "certificate-validation", "domain-validation")
_BYPASS = -1  # the spam confidence level that no filter looks at


def weakens(kind: Kind, name: str, before: Any, after: Any) -> bool:
    """Tell whether the property *name* of an object of *kind* holds back less than before."""
    judge = _JUDGES.get((kind, name))
    return judge is not None and judge(before, after)


def _is_off(before: Any, after: Any) -> bool:
    return before is True and after is False


def _is_on(before: Any, after: Any) -> bool:
    return before is False and after is True


def _is_wider(before: str, after: str) -> bool:
    """Tell whether *after* fits certificates that *before* does not, and all that it fits."""
    if not before or not after:
        return bool(before)
    if not after.startswith("*."):
        return False
    domain, name = after.removeprefix("*."), before.removeprefix("*.")
    return name == domain or name.endswith(f".{domain}")


def _has_more(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Tell whether *after* has an address that *before* does not cover; none at all is nothing."""
    known = read_networks(before)
    return any(not _covered(each, known) for each in read_networks(after))


def _covered(network: Network, known: tuple[Network, ...]) -> bool:
    return any(_is_within(network, each) for each in known)


def _is_within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network):
        return inner.subnet_of(outer)
    return False


def _is_laxer(before: str, after: str) -> bool:
    return _STRICTNESS.index(after) < _STRICTNESS.index(before)


def _is_bypass(before: int | None, after: int | None) -> bool:
    return after == _BYPASS != before


_INBOUND: Kind = "inbound connector"
_JUDGES: Mapping[tuple[Kind, str], Callable[[Any, Any], bool]] = MappingProxyType(
    {
        (_INBOUND, "RestrictDomainsToCertificate"): _is_off,
        (_INBOUND, "RestrictDomainsToIPAddresses"): _is_off,
        (_INBOUND, "RequireTls"): _is_off,
        (_INBOUND, "TreatMessagesAsInternal"): _is_on,
        (_INBOUND, "TlsSenderCertificateName"): _is_wider,
        (_INBOUND, "SenderIPAddresses"): _has_more,
        ("outbound connector", "TlsSettings"): _is_laxer,
        ("mail flow rule", "SetSCL"): _is_bypass,
        ("organisation", "RejectDirectSend"): _is_off,
    }
)
