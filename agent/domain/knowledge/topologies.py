"""What does a topology promise about a domain's records?

A topology says where a domain's mail lives and which way it comes in. Source: Microsoft's
mail-flow best-practice pages and their four scenarios, read in 2026. Everything here is a default
that an operator's own ``exchanges`` and ``senders`` replace.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agent.domain.knowledge.clouds import CLOUDS


@dataclass(frozen=True, slots=True)
class TopologyProfile:
    """What a topology implies.

    ``exchange_patterns`` are the expected MX hosts, empty where only the operator knows them;
    ``microsoft_exchanges`` says whether Exchange Online may be named in MX at all; ``receives`` and
    ``sends`` whether the domain does; ``senders`` are the profiles that SPF must cover by default;
    ``expected_spf`` is the record in its simplest form, for people to compare with.
    """

    name: str
    title: str
    exchange_patterns: tuple[str, ...] = ()
    microsoft_exchanges: bool = True
    receives: bool = True
    sends: bool = True
    senders: tuple[str, ...] = ()
    expected_spf: str = ""


_ALL = (
    TopologyProfile(
        name="exchange-online",
        title="All mailboxes and all filtering in Exchange Online",
        exchange_patterns=CLOUDS["exchange-online"].exchange_patterns,
        senders=("exchange-online",),
        expected_spf="v=spf1 include:spf.protection.outlook.com -all",
    ),
    TopologyProfile(
        name="third-party-filter",
        title="A third-party filter in front of Exchange Online",
        microsoft_exchanges=False,
        senders=("exchange-online",),
        expected_spf="v=spf1 include:spf.protection.outlook.com -all",
    ),
    TopologyProfile(
        name="hybrid",
        title="Mailboxes in Exchange Online and on servers of your own",
        senders=("exchange-online",),
        expected_spf="v=spf1 ip4:<own servers> include:spf.protection.outlook.com -all",
    ),
    TopologyProfile(
        name="on-premises",
        title="All mailboxes on servers of your own",
        expected_spf="v=spf1 ip4:<own servers> -all",
    ),
    TopologyProfile(
        name="parked",
        title="No mail at all",
        microsoft_exchanges=False,
        receives=False,
        sends=False,
        expected_spf="v=spf1 -all",
    ),
    TopologyProfile(name="custom", title="Nothing is assumed"),
)

TOPOLOGIES: Mapping[str, TopologyProfile] = MappingProxyType(
    {topology.name: topology for topology in _ALL}
)
"""Every topology, by the name that the configuration uses."""
