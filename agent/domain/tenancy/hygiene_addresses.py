"""Do inbound connectors list addresses that can be those of their senders?"""

from collections import defaultdict
from collections.abc import Iterator
from ipaddress import IPv4Network

from agent.domain.finding import Finding, Rule
from agent.domain.knowledge.addresses import Use, special_use
from agent.domain.knowledge.microsoft_hosts import NETWORKS
from agent.domain.tenancy import hygiene_rules_inbound as rules
from agent.domain.tenancy.hygiene_view import View, called, change, few
from agent.domain.tenancy.objects import Inbound, Network, read_network

_NARROWEST = 24  # Exchange Online takes IPv4 networks from /24 to /32
_MOST_PARTS = 16  # /24s that a line still lists
# What examples and laboratories use may stand in an export that somebody shows around.
_HARMLESS = frozenset({Use.DOCUMENTATION, Use.BENCHMARK})


def addresses(view: View) -> Iterator[Finding]:
    """Yield what cannot be right in SenderIPAddresses and EFSkipIPs of connectors that are on."""
    for connector in view.inbound:
        if connector.is_on:
            yield from _senders(connector)
            yield from _skipped(connector)


def _senders(connector: Inbound) -> Iterator[Finding]:
    wrong: defaultdict[Rule, list[str]] = defaultdict(list)
    for text in sorted(set(connector.sender_ip_addresses)):
        rule = _judge(text, connector)
        if rule is not None:
            wrong[rule].append(text)
    for rule, texts in wrong.items():
        yield rule.found(
            f"{called(connector)} lists {few(texts)} in SenderIPAddresses.",
            *texts,
            fix=_without(connector, rule, texts),
        )


def _judge(text: str, connector: Inbound) -> Rule | None:
    network = read_network(text)
    if network is None:
        return rules.ADDRESS_UNREADABLE
    if not isinstance(network, IPv4Network):
        return rules.ADDRESS_IPV6
    if _is_private(network):
        return rules.ADDRESS_PRIVATE
    if _is_of_microsoft(network):
        return rules.ADDRESS_OF_MICROSOFT if _acts_on_addresses(connector) else None
    return rules.ADDRESS_WIDE if network.prefixlen < _NARROWEST else None


def _acts_on_addresses(connector: Inbound) -> bool:
    return connector.connector_type == "on-premises" or bool(
        connector.restrict_domains_to_ip_addresses
    )


def _is_private(network: Network) -> bool:
    found = special_use(network)
    return found is not None and found.use not in _HARMLESS


def _is_of_microsoft(network: Network) -> bool:
    """Tell whether a network is all Microsoft's; a wider one is too wide, which is said then."""
    first, last = network.network_address, network.broadcast_address
    return any(first in known and last in known for known in NETWORKS)


def _without(connector: Inbound, rule: Rule, texts: list[str]) -> str:
    """Write the line that leaves *texts* out; none where the connector would know nobody then."""
    kept = [text for text in connector.sender_ip_addresses if text not in texts]
    if rule is rules.ADDRESS_WIDE:
        wide = [network for text in texts if (network := read_network(text)) is not None]
        if any(_parts_of(network) > _MOST_PARTS for network in wide):
            return ""
        kept += [str(part) for network in wide for part in network.subnets(new_prefix=_NARROWEST)]
    if not kept and not connector.tls_sender_certificate_name:
        return ""
    return change(connector, SenderIPAddresses=tuple(sorted(set(kept))))


def _parts_of(network: Network) -> int:
    return 1 << (_NARROWEST - network.prefixlen)


def _skipped(connector: Inbound) -> Iterator[Finding]:
    wrong = [text for text in sorted(set(connector.ef_skip_ips)) if _may_not_be_skipped(text)]
    if wrong:
        kept = tuple(sorted(set(connector.ef_skip_ips) - set(wrong)))
        yield rules.EF_ADDRESS.found(
            f"{called(connector)} lists {few(wrong)} in EFSkipIPs.",
            *wrong,
            fix=change(connector, EFSkipIPs=kept) if kept else "",
        )


def _may_not_be_skipped(text: str) -> bool:
    """Tell whether an entry, perhaps a range ``a-b``, is private or begins or ends at Microsoft."""
    ends = [read_network(each.strip()) for each in text.split("-")]
    return any(
        network is not None and (_is_private(network) or _is_of_microsoft(network))
        for network in ends
    )
