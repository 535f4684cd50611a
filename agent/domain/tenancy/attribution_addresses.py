"""Whose are the addresses of a tenant's on-premises connectors as well?

An address says nothing of who sends from behind it: by the MAIL FROM domain the connector claims
what its tenant's senders send through a shared one to anybody.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from operator import itemgetter

from agent.domain.finding import Finding
from agent.domain.tenancy import attribution_rules as rules
from agent.domain.tenancy.attribution_alone import OWN_NAME, Fronts
from agent.domain.tenancy.landscape import Landscape, Tenancy
from agent.domain.tenancy.objects import Inbound, Network, identity_of
from agent.domain.tenancy.powershell import command
from agent.domain.tenancy.ties import Shown, name_of, public_networks, written


def shared_addresses(
    connector: Inbound, tenancy: Tenancy, landscape: Landscape, fronts: Fronts
) -> Iterator[Finding]:
    """Yield one finding for all whose addresses a connector lists beside its tenant's own.

    *fronts* are those of :func:`third_parties` that have not been told of already.
    """
    lines = list(_lines(connector, tenancy, landscape, fronts))
    if not lines:
        return
    identity = identity_of(connector)
    if name_of(connector):
        fix = command("Set-InboundConnector", identity, SenderIPAddresses=())
    else:
        fix = command(
            "Set-InboundConnector",
            identity,
            SenderIPAddresses=(),
            TlsSenderCertificateName=OWN_NAME,
        )
    detail = (
        f"'{connector.name}' lists addresses that are not of {tenancy.name} alone: by the MAIL"
        f" FROM domain it claims what its senders send through them to others ({lines[0]})"
    )
    yield rules.SHARED_ADDRESS.found(detail, *lines, fix=fix)


def _lines(
    connector: Inbound, tenancy: Tenancy, landscape: Landscape, fronts: Fronts
) -> Iterator[str]:
    """Yield, in words, whose the addresses of a connector are as well."""
    surroundings = landscape.surroundings
    mine = landscape.ties(tenancy.name).shown
    hosts = {host for _, host in fronts}
    listed = _Listed(connector)
    fitting = (each for each in _networks(mine, "exchange") if hosts)
    told = ((each.by.partition(",")[0], each) for each in fitting)
    found = [(host, each.by) for host, each in told if host in hosts and listed.has(each.network)]
    yield from (said for _, said in sorted(found, key=itemgetter(0)))
    yield from (each.by for each in _networks(mine, "gateway") if listed.has(each.network))
    for other in landscape.exposed_to(tenancy.name):
        theirs = landscape.ties(other.name).shown
        hit = next((each for each in _networks(theirs) if listed.has(each.network)), None)
        if hit is not None:
            yield f"{other.name}: {hit.by}"
    for title, published in sorted(surroundings.ranges.items()):
        common = next((each for each in published if listed.has(each)), None)
        if common is not None:
            yield f"{title} publishes {written(common)}"


def _networks(shown: Iterable[Shown], source: str = "") -> Iterator[Shown]:
    return (each for each in shown if each.network is not None and source in ("", each.source))


class _Listed:
    """The addresses that a connector lists and that Exchange Online can see."""

    def __init__(self, connector: Inbound) -> None:
        self._bounds = [_bounds(each) for each in public_networks(connector)]

    def has(self, network: Network | None) -> bool:
        """Tell whether an address of *network* is among them."""
        if network is None or not self._bounds:
            return False
        version, first, last = _bounds(network)
        return any(
            version == each and first <= end and start <= last for each, start, end in self._bounds
        )


@lru_cache(maxsize=65536)
def _bounds(network: Network) -> tuple[int, int, int]:
    """Return the version of a network, and its first and last address as numbers."""
    return network.version, int(network.network_address), int(network.broadcast_address)
