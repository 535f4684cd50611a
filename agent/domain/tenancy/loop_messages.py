"""Which messages tell whether a tenant's mail goes round anywhere?

One of each kind: for every accepted domain a recipient that there is and one that there is not,
from the internet, from within, from own servers and from whoever has a connector for the domain;
to outside; and what is meant for others while this tenant may claim it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from agent.domain.tenancy.choice import choose, is_open, limited_to, routing_rules
from agent.domain.tenancy.journey_values import (
    INTERNET,
    OF_SERVERS,
    OF_TENANT,
    Message,
    RecipientClass,
)
from agent.domain.tenancy.landscape import Landscape, Tenancy
from agent.domain.tenancy.objects import (
    MICROSOFT_DOMAINS,
    AcceptedDomain,
    Export,
    Inbound,
    Outbound,
)
from agent.domain.tenancy.shown import by_gateway
from agent.domain.tenancy.ways import Ways

OUTSIDE = "outside.example"  # stands for anybody who is in no tenant
MOST_SENDERS = 20  # other tenants whose domains are tried as senders


@dataclass(frozen=True, slots=True)
class Trial:
    """A message, and all domains for which mail goes the same way."""

    message: Message
    domains: tuple[str, ...]


def trials(tenancy: Tenancy, landscape: Landscape, ways: Ways) -> Iterator[Trial]:
    """Yield the messages, in an order that depends on nothing but what is configured."""
    has_open_rule = any(is_open(each.rule) for each in routing_rules(tenancy.export))
    for each in (*_inward(tenancy, landscape, ways), *_outward(tenancy, ways)):
        yield each
        if has_open_rule:
            yield replace(each, message=replace(each.message, meets_conditions=True))
    yield from _exposed(tenancy, landscape, ways)


def own_domain(export: Export) -> str:
    """Return the domain that a tenant's people write from; :data:`OUTSIDE` where none is known."""
    return export.once(_own_domain)


def _own_domain(export: Export) -> str:
    domains = sorted(export.domains or (), key=lambda each: each.name)
    found = [each.name for each in domains if each.is_default]
    found += [each.name for each in domains if not each.is_of_microsoft]
    return next(iter([*found, *(each.name for each in domains)]), OUTSIDE)


def _alike(tenancy: Tenancy, ways: Ways) -> list[list[AcceptedDomain]]:
    """Return the accepted domains in groups of those whose mail goes the same way, by name."""
    groups: defaultdict[object, list[AcceptedDomain]] = defaultdict(list)
    for domain in sorted(tenancy.export.domains or (), key=lambda each: each.name):
        groups[_way_of(domain, tenancy, ways)].append(domain)
    return list(groups.values())


def _way_of(domain: AcceptedDomain, tenancy: Tenancy, ways: Ways) -> object:
    """Return all that the way of mail for a domain depends on, beside the tenants."""
    chosen = choose(tenancy.export, domain.name)
    return (
        domain.domain_type,
        ways.mail(domain.name),
        tenancy.topologies.get(domain.name),
        chosen.connector.name if chosen is not None else None,
        ways.naming(domain.name),
        limited_to(tenancy.export, domain.name),
    )


def _inward(tenancy: Tenancy, landscape: Landscape, ways: Ways) -> Iterator[Trial]:
    """Yield mail for the tenant's own domains, one for each group of them."""
    for group in _alike(tenancy, ways):
        names = tuple(each.name for each in group)
        for rcpt_class in _classes(group[0], tenancy.export):
            for sender, origin in _senders(names[0], tenancy, landscape, ways):
                yield Trial(_message(sender, names[0], rcpt_class, origin), names)
    own = own_domain(tenancy.export)
    for other in landscape.claiming_of(tenancy.name)[:MOST_SENDERS]:
        yield Trial(_message(own_domain(other.export), own, "known", INTERNET), (own,))


def _senders(
    domain: str, tenancy: Tenancy, landscape: Landscape, ways: Ways
) -> Iterator[tuple[str, str]]:
    """Yield the senders of mail for a domain, and where it comes from."""
    yield OUTSIDE, INTERNET
    for origin in _origins(tenancy):
        yield own_domain(tenancy.export), origin
    for name in ways.naming(domain):
        if name != tenancy.name:
            yield own_domain(landscape[name].export), OF_TENANT + name


def _classes(domain: AcceptedDomain, export: Export) -> tuple[RecipientClass, ...]:
    """Return the classes of recipients of which mail goes on; others are refused.

    A connector to own servers that is for the domain itself tells of mailboxes there.
    """
    if domain.domain_type != "authoritative":
        return "known", "unknown"
    chosen = choose(export, domain.name)
    if chosen is None or chosen.connector.connector_type != "on-premises":
        return ("known",)
    return ("known",) if "*" in chosen.connector.recipient_domains else ("known", "remote")


def _origins(tenancy: Tenancy) -> Iterator[str]:
    """Yield where mail of the tenant's own comes from."""
    yield OF_TENANT + tenancy.name
    connectors: list[Inbound | Outbound] = [*(tenancy.export.inbound or ())]
    connectors += tenancy.export.outbound or ()
    if any(each.is_on and each.connector_type == "on-premises" for each in connectors):
        yield OF_SERVERS + tenancy.name


def _message(sender: str, to: str, rcpt_class: RecipientClass, origin: str) -> Message:
    return Message(sender_domain=sender, rcpt_domain=to, rcpt_class=rcpt_class, origin=origin)


def _outward(tenancy: Tenancy, ways: Ways) -> Iterator[Trial]:
    """Yield mail of the tenant's own to others: anybody, and those for whom it has connectors."""
    sender = own_domain(tenancy.export)
    for domain in (OUTSIDE, *_partners(tenancy.export)):
        rcpt_class: RecipientClass = "external" if ways.owner(domain) is None else "known"
        for origin in _origins(tenancy):
            yield Trial(_message(sender, domain, rcpt_class, origin), (domain,))


def _partners(export: Export) -> list[str]:
    """Return the foreign domains, or one of each kind, that outbound connectors are for."""
    found = {
        name.lower().replace("*", "any")
        for each in export.outbound or ()
        for name in each.recipient_domains
        if each.is_on and name != "*"
    }
    return sorted(name for name in found if export.accepted(name) is None)


def _exposed(tenancy: Tenancy, landscape: Landscape, ways: Ways) -> Iterator[Trial]:
    """Yield mail for other tenants in which this one may have a say: one for those alike."""
    groups: defaultdict[object, list[str]] = defaultdict(list)
    for other in landscape.exposed_to(tenancy.name):
        domain = _published(other.export, landscape)
        groups[_arrival_of(domain, other, tenancy, ways)].append(domain)
    for domains in groups.values():
        for sender in (OUTSIDE, own_domain(tenancy.export)):
            yield Trial(_message(sender, domains[0], "known", INTERNET), tuple(domains))


def _arrival_of(domain: str, other: Tenancy, tenancy: Tenancy, ways: Ways) -> object:
    """Return all that decides whether *tenancy* claims mail for a domain of *other*."""
    mail = ways.mail(domain)
    if not mail.host:
        return domain
    place = ways.exchange(mail.host, domain)
    if place.kind != "gateway":
        return domain
    shown = by_gateway(place, other, OUTSIDE, ways)
    if any(
        ways.fits(each, name)
        for each in ways.landscape.ties(other.name).claimants
        for name in shown.names
    ):
        return domain  # it may claim that itself
    chosen = choose(tenancy.export, domain)
    return mail, shown.names, shown.address, chosen.connector.name if chosen is not None else None


def _published(export: Export, landscape: Landscape) -> str:
    """Return a domain of a tenant, if possible one whose MX is not Microsoft's own."""
    names = sorted(export.domain_names)
    exchanges = landscape.surroundings.exchanges
    found = [name for name in names if name in exchanges and not name.endswith(MICROSOFT_DOMAINS)]
    return next(iter([*found, *names]), OUTSIDE)
