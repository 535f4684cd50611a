"""Whom does SPF check: which domain, and for which sender?

RFC 7208 sections 2.3, 2.4 and 4.3, and RFC 8616 for names outside ASCII.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from agent.domain.names import MAX_LABEL, MAX_NAME, DomainName, could_be_address
from agent.domain.spf_macro import Address, lower, octets


@dataclass(frozen=True, slots=True)
class Identity:
    """The sender that is checked.

    ``domain`` is where the evaluation starts, as a name to ask for, or ``None`` where there is
    nothing to check; ``problem`` says why then. ``sender_domain`` is what ``%{o}`` stands for.
    ``is_helo`` tells that the sender was null, so that HELO took its place.
    """

    local_part: str
    sender_domain: str
    domain: str | None
    helo: str
    is_helo: bool = False
    problem: str = ""

    @property
    def sender(self) -> str:
        """The address that ``%{s}`` stands for."""
        return f"{self.local_part}@{self.sender_domain}"


@lru_cache(maxsize=256)  # all senders of a domain are checked for the same identity
def identify(mail_from: str, helo: str) -> Identity:
    """Choose the identity to check.

    The null sender is checked as postmaster at the HELO name (RFC 7208 section 2.4); an empty or
    missing local part is postmaster, too (section 4.3); the domain starts after the last ``@``.
    """
    address = mail_from.removeprefix("<").removesuffix(">").strip()
    is_helo = not address
    local_part, _, domain = (helo if is_helo else address).rpartition("@")
    if is_helo:
        local_part, domain = "", helo
    ascii_domain, problem = _to_ascii(domain)
    problem = problem or _problem(ascii_domain)
    name = lower(ascii_domain).removesuffix(".")
    return Identity(
        octets(local_part) or "postmaster",
        ascii_domain,
        None if problem else name,
        octets(helo),
        is_helo,
        problem,
    )


def _to_ascii(domain: str) -> tuple[str, str]:
    """Return the domain in A-labels, and why that cannot be (RFC 8616 section 4)."""
    if domain.isascii():
        return domain, ""
    try:
        return DomainName.parse(domain).ascii, ""
    except ValueError as error:
        return octets(domain), f"the domain {error}"


def _problem(domain: str) -> str:
    """Say why a domain cannot be checked; empty where it can (RFC 7208 section 4.3)."""
    name = domain.removesuffix(".")
    labels = name.split(".")
    if not name:
        return "there is no domain"
    if name.startswith("[") or _is_address(name):
        return "the domain is an address"
    if "" in labels or len(name) > MAX_NAME or max(map(len, labels)) > MAX_LABEL:
        return "the domain has an empty or too long label, or is too long"
    if len(labels) == 1:
        return "the domain has a single label"
    return ""


def _is_address(text: str) -> bool:
    if not could_be_address(text):
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def plain_address(ip: Address) -> Address:
    """Return the IPv4 address in an IPv4-mapped one (RFC 7208 section 5)."""
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip
