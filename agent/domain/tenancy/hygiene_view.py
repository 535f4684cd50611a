"""What do all rules of hygiene look at?

One tenant, put in order, with what DNS says of the places that its domains' mail goes to. Objects
are sorted, so that no finding depends on the order of an export.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from agent.domain.peer_text import PeerText
from agent.domain.tenancy.hygiene_places import Places, Way
from agent.domain.tenancy.landscape import Surroundings, Tenancy
from agent.domain.tenancy.objects import (
    Export,
    Inbound,
    Outbound,
    TransportRule,
    identity_of,
)
from agent.domain.tenancy.powershell import command

Connector = Inbound | Outbound
Object = TypeVar("Object", Inbound, Outbound, TransportRule)
_STRAIGHT = frozenset({Way.MICROSOFT})
_FEW = 3  # names in one sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What an operator wants of a tenant beyond what Microsoft asks.

    ``disabled_for`` is how long a connector may be switched off before it is a leftover; ``tls`` is
    the weakest TlsSettings of an outbound connector; ``reject_direct_send`` is None for no wish.
    """

    max_validation_age: timedelta = timedelta(days=180)
    disabled_for: timedelta = timedelta(days=30)
    tls: Literal["any", "certificate-validation", "domain-validation"] = "any"
    reject_direct_send: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A tenant as the rules see it.

    ``domains`` are those that take mail, without Microsoft's own. ``ways`` are where their MX leads
    to, empty for no MX; a domain of which nothing is known is missing. The mail of ``filtered``
    ones comes in through a filter and no other way, that of ``direct`` ones straight to Exchange
    Online. ``centralised`` are the connectors of centralised mail transport that are on,
    ``targets`` all outbound ones by name and by Guid. ``own`` are all accepted domains.
    """

    tenancy: Tenancy
    surroundings: Surroundings
    now: datetime
    wishes: Wishes
    inbound: tuple[Inbound, ...]
    outbound: tuple[Outbound, ...]
    rules: tuple[TransportRule, ...]
    domains: tuple[str, ...]
    ways: Mapping[str, frozenset[Way]]
    filtered: tuple[str, ...]
    direct: tuple[str, ...]
    centralised: tuple[Outbound, ...]
    targets: Mapping[str, Outbound]
    own: frozenset[str]

    @property
    def export(self) -> Export:
        """What the files say."""
        return self.tenancy.export

    @property
    def connectors(self) -> tuple[Connector, ...]:
        """The connectors of both directions."""
        return (*self.inbound, *self.outbound)

    def named_by(self, rule: TransportRule) -> Outbound | None:
        """Return the connector that a rule routes by; None where the export has none of the name.

        It is named by its name or its Guid, perhaps with the organisation in front.
        """
        text = rule.route_message_outbound_connector.lower()
        return self.targets.get(text) or self.targets.get(text.rpartition("\\")[2])


def look(tenancy: Tenancy, surroundings: Surroundings, now: datetime, wishes: Wishes) -> View:
    """Put a tenant in order.

    Connectors between organisations are left out: their other properties are unused.
    """
    export = tenancy.export
    inbound = ordered(each for each in export.inbound or () if not each.trusted_organizations)
    outbound = ordered(export.outbound or ())
    domains = _domains(tenancy)
    places = Places(tenancy, surroundings, inbound, outbound)
    known = [name for name in domains if name in surroundings.exchanges]
    ways = {name: places.ways(name) for name in known}
    return View(
        tenancy=tenancy,
        surroundings=surroundings,
        now=now,
        wishes=wishes,
        inbound=inbound,
        outbound=outbound,
        rules=ordered(export.rules or ()),
        domains=domains,
        ways=ways,
        filtered=tuple(
            name for name in known if Way.FILTER in ways[name] and Way.MICROSOFT not in ways[name]
        ),
        direct=tuple(name for name in known if ways[name] == _STRAIGHT),
        centralised=tuple(filter(_is_central, outbound)),
        targets=_targets(outbound),
        own=frozenset(export.domain_names),
    )


def _is_central(connector: Outbound) -> bool:
    return (
        connector.is_on
        and connector.connector_type == "on-premises"
        and bool(connector.route_all_messages_via_on_premises)
    )


def _targets(connectors: tuple[Outbound, ...]) -> dict[str, Outbound]:
    """Return the connectors by what rules call them; of two that share a name the first."""
    found: dict[str, Outbound] = {}
    for connector in connectors:
        for name in filter(None, (connector.name.lower(), connector.guid.lower())):
            found.setdefault(name, connector)
    return found


def _domains(tenancy: Tenancy) -> tuple[str, ...]:
    if tenancy.export.domains is None:
        return tuple(sorted(tenancy.topologies))
    return tuple(
        sorted(
            {
                each.name
                for each in tenancy.export.domains
                if not each.is_of_microsoft and not each.outbound_only
            }
        )
    )


def ordered(things: Iterable[Object]) -> tuple[Object, ...]:
    """Sort objects by their names."""
    return tuple(sorted(things, key=lambda each: (each.name, each.guid, repr(each))))


def few(names: Iterable[str]) -> str:
    """Write the first few of *names* in order, and how many more there are."""
    known = sorted(set(names))
    shown = ", ".join(PeerText(name) for name in known[:_FEW])
    more = len(known) - _FEW
    return f"{shown} and {more} more" if more > 0 else shown


def called(thing: Connector | TransportRule) -> str:
    """Return what people find an object by: what it is, and its name."""
    match thing:
        case Inbound():
            return f"Inbound connector '{thing.name}'"
        case Outbound():
            return f"Outbound connector '{thing.name}'"
        case _:
            return f"Rule '{thing.name}'"


def change(thing: Connector, **parameters: str | bool | tuple[str, ...]) -> str:
    """Write the line that sets properties of a connector."""
    noun = "InboundConnector" if isinstance(thing, Inbound) else "OutboundConnector"
    return command(f"Set-{noun}", identity_of(thing), **parameters)


def removal(thing: Connector) -> str:
    """Write the line that removes a connector."""
    noun = "InboundConnector" if isinstance(thing, Inbound) else "OutboundConnector"
    return command(f"Remove-{noun}", identity_of(thing))


def switch_on(thing: Connector) -> str:
    """Write the line that lets a connector take mail."""
    parameters: dict[str, str | bool | tuple[str, ...]] = {}
    if thing.enabled is False:
        parameters["Enabled"] = True
    if isinstance(thing, Outbound) and thing.test_mode:
        parameters["TestMode"] = False
    return change(thing, **parameters)
