"""What is at a host that mail goes to, and to whom do domains and certificates lead?

A view of a landscape that remembers what it was asked, for as long as nothing in it changes. What
the configuration says counts more than published names, and those more than what the place of a
name in a tenant suggests.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from ipaddress import ip_network
from typing import Any, TypeVar, cast

from agent.domain.attribution import Arrival, Attribution, Tenant, attribute
from agent.domain.knowledge.clouds import CLASSIC_SUFFIX
from agent.domain.knowledge.filter_hosts import filter_title
from agent.domain.mx import matches, owner_of
from agent.domain.public_suffix import owned_parents, zone_of
from agent.domain.tenancy.as_attributed import Attributed
from agent.domain.tenancy.hosts import (
    are_kin,
    as_address,
    is_endpoint,
    is_legacy,
    lies_in,
    with_parents,
)
from agent.domain.tenancy.landscape import Address, Landscape, Tenancy
from agent.domain.tenancy.objects import MICROSOFT_DOMAINS, Inbound, Outbound
from agent.domain.tenancy.places import Mail, Place
from agent.domain.tenancy.served import own

T = TypeVar("T")
CLASSIC = f".{CLASSIC_SUFFIX}"


class Ways:
    """A landscape that does not change, and what was found out about it."""

    def __init__(self, landscape: Landscape) -> None:
        self.landscape = landscape
        self.seen = landscape.surroundings
        self._owners: dict[str, Tenancy | None] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._tenants: dict[str, Attributed] = {}
        self._by_name: dict[str, frozenset[str]] = {}
        self._by_address: dict[Address, frozenset[str]] = {}
        self._smart_hosts: dict[tuple[object, ...], Place] = {}
        self._fronts: dict[str, dict[str, bool]] = {}
        self._attributions: dict[tuple[object, ...], Attribution] = {}
        self._made: dict[tuple[object, str], Any] = {}
        self._naming: dict[str, list[str]] | None = None
        self._gateways: dict[str, str] | None = None

    def see_again(self) -> None:
        """Forget what was found out of what DNS and probes saw, which is now something else."""
        for known in (self._places, self._smart_hosts, self._fronts, self._made):
            known.clear()

    def once(self, make: "Callable[[Tenancy, Ways], T]", tenancy: Tenancy) -> T:
        """Return what *make* finds out of a tenant; it is asked once."""
        key = (make, tenancy.name)
        if key not in self._made:
            self._made[key] = make(tenancy, self)
        return cast("T", self._made[key])

    def owner(self, domain: str) -> Tenancy | None:
        """Return the tenant that takes mail for *domain*, the first by name where several do."""
        if domain not in self._owners:
            self._owners[domain] = next(
                (
                    tenancy
                    for name in with_parents(domain)
                    for tenancy in self.landscape.sharing(f"domain:{name}")
                    if tenancy.export.accepted(domain) is not None
                ),
                None,
            )
        return self._owners[domain]

    def mail(self, domain: str) -> Mail:
        """Return the host to which mail for *domain* is sent, by MX or else by address."""
        found = self.seen.exchanges.get(domain)
        if found is None:
            if domain.endswith(MICROSOFT_DOMAINS):
                return Mail(f"{domain.replace('.', '-')}{CLASSIC}")
            return Mail(lack="unknown")
        if found.is_null:
            return Mail(lack="null")
        if found.hosts:
            return Mail(found.hosts[0])
        addresses = self.seen.addresses.get(domain)
        if addresses is None:
            return Mail(lack="unknown")
        return Mail(domain) if addresses else Mail(lack="none")

    def addresses(self, host: str) -> tuple[Address, ...]:
        """Return the addresses of *host* as far as they are known."""
        literal = as_address(host)
        return (literal,) if literal is not None else self.seen.addresses.get(host, ())

    def exchange(self, host: str, domain: str) -> Place:
        """Return what is at *host*, to which the MX of *domain* leads."""
        key = (host, domain)
        if key not in self._places:
            self._places[key] = self._published(host) or self._of_domain(host, domain)
        return self._places[key]

    def _published(self, host: str) -> Place | None:
        """Return what names, addresses and the configuration of any tenant say of a host."""
        if is_legacy(host):
            return Place("legacy", host)
        if is_endpoint(host, self.addresses(host)):
            return Place("exchange", host, title="Exchange Online")
        operator = self._operator_of(host)
        if operator:
            return Place("gateway", host, operator)
        title = filter_title(host)
        if title:
            return Place("gateway", host, title=title)
        owner = owner_of(host)
        if owner is not None and owner.role == "mailbox":
            return Place("stranger", host, title=owner.title)
        return None

    def _operator_of(self, host: str) -> str:
        """Return the tenant that names *host* among its gateways."""
        if self._gateways is None:
            self._gateways = {
                pattern.lower(): tenancy.name
                for tenancy in reversed(tuple(self.landscape))
                for pattern in tenancy.gateways
            }
        for pattern in (host, *(f"*.{each}" for each in with_parents(host))):
            if pattern in self._gateways and matches(pattern, host):
                return self._gateways[pattern]
        return ""

    def _holder(self, host: str) -> Tenancy | None:
        """Return the tenant of which *host* is a name."""
        for name in with_parents(host):
            for tenancy in self.landscape.sharing(f"domain:{name}"):
                if name in tenancy.export.by_name:
                    return tenancy
        return None

    def _of_domain(self, host: str, domain: str) -> Place:
        owner, holder = self.owner(domain), self._holder(host)
        if owner is None:
            return Place("stranger", host)
        if holder is not None and holder is not owner:
            return Place("gateway", host, holder.name)
        topology = owner.topologies.get(domain, "")
        if topology == "third-party-filter":
            return Place("gateway", host)
        is_own = holder is owner or topology in ("hybrid", "on-premises")
        # The name of a certificate tells nothing here: tenants name those of filters as well.
        if is_own or own(owner.export).has_address(self.addresses(host)):
            return Place("server", host, owner.name)
        return Place("gateway", host)

    def fits(self, connector: Inbound, host: str) -> bool:
        """Tell whether an inbound connector is for what is at *host*, by name or by address."""
        return are_kin(connector.certificate_domain, host) or any(
            lies_in(each, connector.networks) for each in self.addresses(host)
        )

    def smart_host(self, connector: Outbound, tenancy: Tenancy, host: str) -> Place:
        """Return what is at *host*, a smart host of a connector of *tenancy*."""
        if host in self.seen.exchanges and self.seen.exchanges[host].hosts:
            host = self.seen.exchanges[host].hosts[0]
        scoped = bool(connector.is_transport_rule_scoped)
        key = (tenancy.name, host, connector.tls_domain, connector.connector_type, scoped)
        if key not in self._smart_hosts:
            self._smart_hosts[key] = self._at_smart_host(connector, tenancy, host)
        return self._smart_hosts[key]

    def _at_smart_host(self, connector: Outbound, tenancy: Tenancy, host: str) -> Place:
        found = self._published(host)
        if found is not None:
            return found
        inbound = self.returning(connector, tenancy, host)
        if zone_of(host) in tenancy.export.by_name:
            return Place("server", host, tenancy.name)
        if self._is_in_front(tenancy, host):
            return Place("gateway", host)
        if connector.connector_type == "partner":
            holder = self._holder(host)
            return Place("gateway", host, holder.name) if holder else Place("stranger", host)
        if connector.is_transport_rule_scoped:
            return Place("service" if inbound else "unclear", host, tenancy.name)
        return Place("server", host, tenancy.name)

    def _is_in_front(self, tenancy: Tenancy, host: str) -> bool:
        """Tell whether *host* is of a gateway that nobody names but the MX of the tenant."""
        if tenancy.name not in self._fronts:
            fronts = self._fronts[tenancy.name] = {}
            for domain in tenancy.export.domain_names:
                exchange = self.mail(domain).host
                zone = zone_of(exchange)
                if zone and zone not in fronts:
                    place = self.exchange(exchange, domain)
                    fronts[zone] = place.kind == "gateway" and not place.whose
        return self._fronts[tenancy.name].get(zone_of(host), False)

    def returning(self, connector: Outbound, tenancy: Tenancy, host: str) -> Inbound | None:
        """Return the on-premises connector by which mail comes back from a smart host."""
        return own(tenancy.export).find((host, connector.tls_domain), self.addresses(host))

    def serves(self, gateway: Place, domain: str) -> bool:
        """Tell whether the MX of *domain* leads to whoever runs the gateway."""
        mail = self.mail(domain)
        if not mail.host:
            return False
        place = self.exchange(mail.host, domain)
        if place.kind != "gateway" or place.host == gateway.host:
            return place.kind == "gateway"
        if place.whose or gateway.whose:
            return place.whose == gateway.whose
        return are_kin(place.host, gateway.host)

    def attribution(self, arrival: Arrival, to: str, *, is_addressed: bool) -> Attribution:
        """Decide whose a message to the domain *to* is.

        Of that domain only counts which of the tenants accept it.
        """
        owner, names = self.owner(to), arrival.certificate_names
        known = self.claimants(owner, names, arrival.address if is_addressed else None)
        export = {each.name: self.landscape[each.name].export for each in known}
        takers = tuple(name for name in export if export[name].accepted(to) is not None)
        key = (names, arrival.address, arrival.mail_from, tuple(export), takers)
        if key not in self._attributions:
            facing = [self._attributed(name).facing(arrival) for name in export]
            self._attributions[key] = attribute(arrival, facing)
        return self._attributions[key]

    def claimants(
        self, owner: Tenancy | None, shown: Iterable[str], address: Address | None
    ) -> tuple[Tenant, ...]:
        """Return who may claim what shows these names or comes from *address*, and the owner."""
        found = {owner.name} if owner is not None else set()
        for name in shown:
            found |= self._claiming_name(name.lower().removeprefix("*."))
        if address is not None:
            found |= self._claiming_address(address)
        return tuple(self._attributed(name).tenant for name in sorted(found))

    def _claiming_name(self, name: str) -> frozenset[str]:
        """Return the tenants with a connector that may claim a certificate of this name.

        A wildcard on either side covers one label.
        """
        if name not in self._by_name:
            above = name.partition(".")[2]
            self._by_name[name] = frozenset(
                tenancy.name
                for key in (name, *owned_parents(name))
                for tenancy in self.landscape.sharing(f"domain:{key}")
                for each in self.landscape.ties(tenancy.name).claimants
                if (held := each.certificate_domain.lower())
                and (held in (name, above) or held.partition(".")[2] == name)
            )
        return self._by_name[name]

    def _claiming_address(self, address: Address) -> frozenset[str]:
        """Return the tenants with a connector that may claim what comes from an address."""
        if address not in self._by_address:
            self._by_address[address] = frozenset(
                tenancy.name
                for tenancy in self.landscape.sharing(_key_of(address))
                for each in self.landscape.ties(tenancy.name).claimants
                if lies_in(address, each.networks)
            )
        return self._by_address[address]

    def _attributed(self, name: str) -> Attributed:
        if name not in self._tenants:
            self._tenants[name] = Attributed(self.landscape[name])
        return self._tenants[name]

    def naming(self, domain: str) -> tuple[str, ...]:
        """Return the tenants that have an outbound connector for exactly *domain*, by name."""
        if self._naming is None:
            naming: defaultdict[str, list[str]] = defaultdict(list)
            for tenancy in self.landscape:
                for connector in tenancy.export.outbound or ():
                    for each in connector.recipient_domains:
                        naming[each.lower()].append(tenancy.name)
            self._naming = dict(naming)
        return tuple(dict.fromkeys(self._naming.get(domain, ())))


def _key_of(address: Address) -> str:
    """Return the key under which a landscape has the networks around an address."""
    block = ip_network((address, 24 if address.version == 4 else 48), strict=False)  # noqa: PLR2004
    return f"network:{block.network_address}"
