"""What is in use in a tenant that Microsoft may switch off, or that ends by itself?

Collected from the configuration, the export, DNS and what the probes saw; what nobody knows is left
out and warns of nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from agent.domain.knowledge.clouds import LEGACY_EXCHANGES
from agent.domain.knowledge.retirements import (
    LEGACY_MX,
    MOERA,
    MX_NAMES,
    OLD_EXCHANGE,
    RETIREMENTS,
    Protocol,
    Retirement,
    retired_by_login,
)
from agent.domain.mx import matches_any
from agent.domain.tenancy.objects import MICROSOFT_DOMAINS, DkimConfig, Export

_NONE: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Login:
    """A login that is configured. ``whose`` says where: a route, a credential."""

    protocol: Protocol
    host: str
    is_password: bool
    whose: str


@dataclass(frozen=True, slots=True)
class Expiry:
    """Something that ends by itself. ``what`` it is and ``whose``, in words; ``at`` is UTC."""

    kind: Literal["certificate", "secret"]
    what: str
    whose: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is in use.

    ``exchanges`` are the MX hosts of each domain, ``senders`` the addresses or domains that mail is
    sent from to others, ``hybrid`` the inbound connectors of own Exchange servers.
    """

    logins: tuple[Login, ...] = ()
    exchanges: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NONE)
    senders: tuple[str, ...] = ()
    hybrid: tuple[str, ...] = ()
    dkim: tuple[DkimConfig, ...] = ()
    expiries: tuple[Expiry, ...] = ()


def seen_in(export: Export) -> Facts:
    """Return what an export says is in use; the rest is for the caller to add."""
    hybrid = tuple(
        each.name
        for each in export.inbound or ()
        if each.is_on
        and each.connector_type == "on-premises"
        and (each.cloud_services_mail_enabled or each.connector_source == "HybridWizard")
    )
    return Facts(hybrid=hybrid, dkim=export.dkim or ())


def uses_of(facts: Facts) -> dict[Retirement, tuple[str, ...]]:
    """Return what is in use of the table of retirements, in its order, with who uses it."""
    found: dict[Retirement, tuple[str, ...]] = {}
    for retirement, whose in (*_by_logins(facts), *_by_domains(facts), *_by_servers(facts)):
        found[retirement] = tuple(dict.fromkeys((*found.get(retirement, ()), whose)))
    return {each: found[each] for each in RETIREMENTS if each in found}


def _by_logins(facts: Facts) -> Iterator[tuple[Retirement, str]]:
    for login in facts.logins:
        host = login.host.lower()
        for retirement in retired_by_login(login.protocol, host, is_password=login.is_password):
            yield retirement, login.whose


def _by_domains(facts: Facts) -> Iterator[tuple[Retirement, str]]:
    for domain, hosts in sorted(facts.exchanges.items()):
        for host in hosts:
            if matches_any(LEGACY_EXCHANGES, host.lower().rstrip(".")):
                yield LEGACY_MX, f"{domain} ({host})"
    if facts.exchanges:
        yield MX_NAMES, "every domain that is added"


def _by_servers(facts: Facts) -> Iterator[tuple[Retirement, str]]:
    for sender in facts.senders:
        if sender.lower().endswith(MICROSOFT_DOMAINS):
            yield MOERA, sender
    for connector in facts.hybrid:
        yield OLD_EXCHANGE, f"servers behind {connector!r}"
