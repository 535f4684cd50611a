"""Tenants in a line each, for tests of what several have in common."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from agent.domain.finding import Finding
from agent.domain.tenancy.attribution_lint import claims
from agent.domain.tenancy.landscape import Exchanges, Landscape, Surroundings, Tenancy
from agent.domain.tenancy.objects import AcceptedDomain, Export, Inbound


def own(certificate: str = "", *networks: str, name: str = "from own", **more: Any) -> Inbound:
    """Return a connector of the type OnPremises."""
    return Inbound(
        name=name,
        connector_type="on-premises",
        tls_sender_certificate_name=certificate,
        sender_ip_addresses=networks,
        **more,
    )


def partner(
    certificate: str = "", *networks: str, name: str = "from filter", **more: Any
) -> Inbound:
    """Return a connector of the type Partner that restricts all senders to what it names."""
    return Inbound(
        name=name,
        connector_type="partner",
        sender_domains=more.pop("sender_domains", ("*",)),
        tls_sender_certificate_name=certificate,
        sender_ip_addresses=networks,
        restrict_domains_to_certificate=bool(certificate),
        restrict_domains_to_ip_addresses=bool(networks),
        **more,
    )


def tenant(name: str, domains: str | None, *inbound: Inbound, **more: Any) -> Tenancy:
    """Return a tenant that accepts *domains*, a text with blanks between them."""
    accepted = None
    if domains is not None:
        accepted = tuple(AcceptedDomain(name=each) for each in domains.split())
    return Tenancy(name=name, export=Export(inbound=inbound, domains=accepted), **more)


def surroundings(
    exchanges: dict[str, str] | None = None,
    addresses: dict[str, str] | None = None,
    certificates: dict[str, str] | None = None,
) -> Surroundings:
    """Return what was seen; several hosts, addresses or names have blanks between them."""
    return Surroundings(
        exchanges={key: Exchanges(tuple(text.split())) for key, text in (exchanges or {}).items()},
        addresses={
            key: tuple(map(ip_address, text.split())) for key, text in (addresses or {}).items()
        },
        certificates={key: tuple(text.split()) for key, text in (certificates or {}).items()},
    )


def land(*tenancies: Tenancy, around: Surroundings | None = None) -> Landscape:
    """Return the landscape of these tenants."""
    landscape = Landscape(around)
    for each in tenancies:
        landscape.put(each)
    return landscape


def findings(landscape: Landscape, names: Iterable[str] = ()) -> dict[str, tuple[Finding, ...]]:
    """Return the findings of each tenant, or of those of *names*."""
    chosen = tuple(names) or tuple(each.name for each in landscape)
    return {name: tuple(claims(landscape[name], landscape)) for name in chosen}
