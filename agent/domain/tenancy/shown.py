"""What does a host show to Exchange Online when it hands mail over?

A server's certificate for its clients need not be the one that it shows as a client, so what is
configured counts most, then what was seen, and then what the recipient's connectors demand: mail
that flows today passes them.
"""

from dataclasses import dataclass, replace
from operator import attrgetter

from agent.domain.attribution import InboundConnector
from agent.domain.mx import matches_any
from agent.domain.tenancy.landscape import Address, Tenancy
from agent.domain.tenancy.objects import Export, Inbound
from agent.domain.tenancy.places import Place
from agent.domain.tenancy.served import Served, own
from agent.domain.tenancy.ways import Ways


@dataclass(frozen=True, slots=True)
class Shown:
    """The names of a certificate, an address, and how we know. ``is_open``: nobody knows."""

    names: tuple[str, ...] = ()
    address: Address | None = None
    source: str = ""
    is_open: bool = False

    @property
    def words(self) -> str:
        """What is shown, for people."""
        if self.names:
            return f"the certificate {', '.join(self.names)}"
        return f"the address {self.address}" if self.address else "nothing that is known"


def by_gateway(gateway: Place, owner: Tenancy, sender: str, ways: Ways) -> Shown:
    """Return what a gateway shows when it delivers mail from domain *sender* to *owner*."""
    address = next(iter(ways.addresses(gateway.host)), None)
    operator = ways.landscape[gateway.operator] if gateway.operator else None
    names = _presented(operator, gateway.host) if operator is not None else ()
    if names:
        return Shown(names, address, f"as tenant {gateway.operator} is configured to present")
    lock = _lock(owner, sender)
    seen = ways.seen.certificates.get(gateway.host, ())
    if seen:
        found = Shown(seen, address, "as it was seen to show")
        return found if lock is None else _that_passes(lock, found)
    if lock is not None:
        return _that_passes(lock, Shown((), address))
    connector = own(owner.export).by_name(gateway.host)
    if connector is not None:
        return Shown((connector.tls_sender_certificate_name,), address, _demanded(connector))
    return Shown((), address, "as DNS says" if address else "")


def _lock(owner: Tenancy, sender: str) -> Inbound | None:
    """Return the partner connector that restricts mail of *sender*, which a filter must pass."""
    locks, places = owner.export.once(_locks)
    labels = sender.split(".")
    above = (f"*.{'.'.join(labels[number:])}" for number in range(1, len(labels)))
    found = [places[scope] for scope in ("*", sender, *above) if scope in places]
    return locks[min(found)] if found else None


def _locks(export: Export) -> tuple[list[Inbound], dict[str, int]]:
    """Return the connectors that restrict, by name, and the place of the first for each scope."""
    locks = [each for each in export.inbound or () if each.is_on and each.is_restricted]
    locks.sort(key=attrgetter("name"))
    places: dict[str, int] = {}
    for place, lock in enumerate(locks):
        for scope in lock.sender_domains:
            places.setdefault(scope.lower(), place)
    return locks, places


def _that_passes(lock: Inbound, shown: Shown) -> Shown:
    """Add to what is shown what the lock demands, where that is not there yet."""
    name, source = lock.tls_sender_certificate_name, _demanded(lock)
    if name and lock.restrict_domains_to_certificate:
        wanted = InboundConnector(name="", tls_sender_certificate_name=name)
        if wanted.shows_certificate(shown.names):
            return shown
        return replace(shown, names=(*shown.names, name), source=source)
    if not lock.networks or (shown.address and any(shown.address in n for n in lock.networks)):
        return replace(shown, source=shown.source or source)
    return replace(shown, address=lock.networks[0].network_address, source=source)


def _demanded(connector: Inbound) -> str:
    return f'as inbound connector "{connector.name}" demands'


def by_server(host: str, tenancy: Tenancy, ways: Ways) -> Shown:
    """Return what a tenant's own server shows: what a connector for own servers asks for."""
    if tenancy.export.inbound is None:
        return Shown(source="the export holds no inbound connectors", is_open=True)
    servers = tenancy.export.once(_of_servers)
    if not servers.connectors:
        names = ways.seen.certificates.get(host, ())
        address = next(iter(ways.addresses(host)), None)
        return Shown(names, address, "no on-premises inbound connector is for it")
    found = servers.find((host,), ways.addresses(host))
    return by_connector(found if found is not None else servers.connectors[0])


def _of_servers(export: Export) -> Served:
    """Return the on-premises connectors that are for own servers.

    One for an add-on service is kin to where rules send mail.
    """
    services = Served(
        Inbound(name="", tls_sender_certificate_name=host)
        for outbound in export.outbound or ()
        if outbound.is_transport_rule_scoped
        for host in (outbound.tls_domain, *outbound.smart_hosts)
    )
    return Served(
        each for each in own(export).connectors if services.by_name(each.certificate_domain) is None
    )


def by_connector(connector: Inbound) -> Shown:
    """Return what a host shows that fits *connector*."""
    if connector.tls_sender_certificate_name:
        return Shown((connector.tls_sender_certificate_name,), None, _demanded(connector))
    address = connector.networks[0].network_address if connector.networks else None
    return Shown((), address, _demanded(connector))


def _presented(tenancy: Tenancy, host: str) -> tuple[str, ...]:
    """Return the certificate names that a provider's gateway shows to Exchange Online."""
    is_named = not tenancy.gateways or matches_any(tenancy.gateways, host)
    return tenancy.presents if is_named else ()
