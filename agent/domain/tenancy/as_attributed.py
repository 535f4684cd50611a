"""What of an exported tenant takes part when Exchange Online attributes a message?"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from agent.domain.attribution import Arrival, InboundConnector, Restriction, Tenant
from agent.domain.tenancy.objects import Inbound
from agent.domain.tenancy.served import Networks
from agent.domain.tenancy.tenancies import Tenancy
from agent.domain.tenancy.ties import name_of


def tenant_of(tenancy: Tenancy) -> Tenant:
    """Return the tenant as attribution sees it.

    A connector whose type the export does not say takes no part, nor does one that is for named
    organisations of Microsoft 365, which are told in another way.
    """
    export = tenancy.export
    organisation = export.organisation
    return Tenant(
        name=tenancy.name,
        accepted_domains=export.domain_names,
        connectors=tuple(
            found for each in export.inbound or () if (found := connector_of(each)) is not None
        ),
        rejects_direct_send=organisation is not None and organisation.reject_direct_send is True,
        with_subdomains=tuple(each.name for each in export.domains or () if each.match_subdomains),
    )


def connector_of(inbound: Inbound) -> InboundConnector | None:
    """Return a connector as attribution sees it, None for one that takes no part in it."""
    if inbound.connector_type is None or inbound.trusted_organizations:
        return None
    return InboundConnector(
        name=inbound.name,
        connector_type=inbound.connector_type,
        tls_sender_certificate_name=name_of(inbound) or None,
        sender_ip_addresses=inbound.networks,
        sender_domains=inbound.sender_domains or ("*",),
        associated_accepted_domains=inbound.associated_accepted_domains,
        is_restricted=inbound.is_restricted,
        restricted_by=_restriction(inbound),
        is_enabled=inbound.is_on,
    )


def _restriction(inbound: Inbound) -> Restriction:
    by_certificate = bool(inbound.restrict_domains_to_certificate)
    by_address = bool(inbound.restrict_domains_to_ip_addresses)
    if by_certificate and by_address:
        return "both"
    return "address" if by_address else "certificate"


class Attributed:
    """A tenant as attribution sees it, of which the part can be had that may decide."""

    def __init__(self, tenancy: Tenancy) -> None:
        self.tenant = tenant_of(tenancy)
        self._accepted = tenancy.export.by_name
        self._places: defaultdict[str, set[int]] = defaultdict(set)
        for place, each in enumerate(self.tenant.connectors):
            for key in _keys_of(each):
                self._places[key].add(place)
        self._networks = Networks(
            (network, place)
            for place, each in enumerate(self.tenant.connectors)
            for network in each.sender_ip_addresses
        )

    def facing(self, arrival: Arrival) -> Tenant:
        """Return the tenant without connectors and domains that an arrival has nothing to do with.

        What is decided is the same as with them.
        """
        sender, to = (each.rpartition("@")[2] for each in (arrival.mail_from, arrival.rcpt_to))
        places = self._networks.all(arrival.address)
        for name in arrival.certificate_names:
            folded = name.lower().removesuffix(".")
            for key in (folded, _behind(folded)):
                places |= self._places.get(f"names {key}", set())
        for scope in ("*", sender.lower(), *(f"*.{each}" for each in _above(sender.lower()))):
            places |= self._places.get(f"from {scope}", set())
        asked = [each.lower().removesuffix(".") for each in (sender, to)]
        asked += [
            name.lower().removesuffix(".").removeprefix("*.") for name in arrival.certificate_names
        ]
        near = {name for each in asked for name in (each, *_above(each)) if name in self._accepted}
        return replace(
            self.tenant,
            accepted_domains=tuple(sorted(near)),
            with_subdomains=tuple(
                name for name in sorted(near) if self._accepted[name].match_subdomains
            ),
            connectors=tuple(self.tenant.connectors[place] for place in sorted(places)),
        )


def _keys_of(connector: InboundConnector) -> Iterator[str]:
    """Yield by what an arrival may find a connector, beside addresses."""
    name = connector.tls_sender_certificate_name
    if name is not None:
        folded = name.lower().removesuffix(".")
        yield from (f"names {folded}", f"names {_behind(folded)}")
    if connector.connector_type == "partner":
        yield from (f"from {each}" for each in connector.sender_domains)


def _behind(name: str) -> str:
    """Return what is behind the first label, in a form that no name has."""
    return f"*.{name.partition('.')[2]}"


def _above(name: str) -> Iterator[str]:
    while name := name.partition(".")[2]:
        yield name
