"""How does the routing of a whole tenant look?

From left to right: where mail comes from, what it comes through, the tenant, and where it goes.
What would go round in a loop is drawn bad. Alike places stand as one where there are many.
"""

from collections.abc import Iterable

from agent.domain.fact import Diagram, Mood, Station, StationKind
from agent.domain.public_suffix import zone_of
from agent.domain.tenancy.choice import routing_rules
from agent.domain.tenancy.journey_picture import (
    KINDS,
    journey_path,
    journey_picture,
    key_of,
    label_of,
    legs,
)
from agent.domain.tenancy.journey_values import Loop
from agent.domain.tenancy.landscape import Landscape, Tenancy
from agent.domain.tenancy.looping import looping
from agent.domain.tenancy.objects import Export, Inbound, Outbound
from agent.domain.tenancy.places import Place
from agent.domain.tenancy.served import Addresses
from agent.domain.tenancy.sketch import Sketch
from agent.domain.tenancy.ways import Ways

__all__ = ["journey_path", "journey_picture", "routing_picture"]

_FROM, _THROUGH, _TENANT, _TO = range(4)
_KINDS: dict[str, StationKind] = {
    "gateway": "gateway",
    "server": "server",
    "service": "service",
    "exchange": "exchange",
}


def routing_picture(tenancy: Tenancy, landscape: Landscape, ways: Ways | None = None) -> Diagram:
    """Draw where mail to and from *tenancy* can go; what is switched off is said to be unsure."""
    known = ways if ways is not None else Ways(landscape)
    sketch, here = Sketch(), f"tenant:{tenancy.name}"
    sketch.station(Station("internet:", "the internet", "internet", column=_FROM))
    sketch.station(Station(here, f"tenant {tenancy.name}", "exchange", column=_TENANT))
    _published(sketch, tenancy, known)
    for inbound in tenancy.export.inbound or ():
        if inbound.is_on and _is_unrestricted(inbound):
            _open(sketch, inbound, tenancy, known)
        else:
            _inbound(sketch, inbound, tenancy, known)
    for outbound in tenancy.export.outbound or ():
        _outbound(sketch, outbound, tenancy, known)
    if tenancy.export.domains:
        mailboxes = f"{len(tenancy.export.domains)} accepted domains"
        sketch.station(Station("mailbox:", "mailboxes", "mailbox", mailboxes, "good", _TO))
        sketch.road(here, "mailbox:")
    for loop in _loops(tenancy, known):
        _looped(sketch, loop)
    return sketch.drawn()


def _published(sketch: Sketch, tenancy: Tenancy, ways: Ways) -> None:
    """Draw the way in that DNS says: the MX of the accepted domains."""
    for domain in tenancy.export.domain_names:
        mail = ways.mail(domain)
        if not mail.host:
            continue
        place, here = ways.exchange(mail.host, domain), f"tenant:{tenancy.name}"
        if place.kind == "exchange":
            sketch.road("internet:", here, f"MX of {domain}")
            continue
        through = _place(sketch, place, _THROUGH)
        sketch.road("internet:", through, f"MX of {domain}")
        sketch.road(through, here)


def _place(sketch: Sketch, place: Place, column: int) -> str:
    kind = _KINDS.get(place.kind, "internet")
    key = f"{place.kind}:{place.host}"
    return sketch.station(Station(key, place.host, kind, place.whose, column=column))


def _is_unrestricted(connector: Inbound) -> bool:
    """Tell whether a partner connector surely lets anybody in."""
    return (
        connector.connector_type == "partner"
        and "*" in connector.sender_domains
        and connector.restrict_domains_to_certificate is False
        and connector.restrict_domains_to_ip_addresses is False
    )


def _open(sketch: Sketch, connector: Inbound, tenancy: Tenancy, ways: Ways) -> None:
    """Draw a connector for all senders that restricts nobody: bad where a filter is in front."""
    here, label = f"tenant:{tenancy.name}", f"{connector.name}, unrestricted"
    others = (each for each in tenancy.export.inbound or () if each.is_on and each.is_restricted)
    if any("*" in each.sender_domains for each in others):
        sketch.road("internet:", here, label)  # which turns away whom this one would let in
        return
    mood = ways.once(_without_lock, tenancy)
    key = sketch.station(Station("anybody:", "anybody", "internet", "", mood, _FROM))
    sketch.road(key, here, label, mood)


def _without_lock(tenancy: Tenancy, ways: Ways) -> Mood:
    """Return how it looks that anybody may come in past the MX of the tenant's domains."""
    domains = [each.name for each in tenancy.export.domains or () if not each.is_of_microsoft]
    mails = [(domain, ways.mail(domain)) for domain in domains]
    kinds = {ways.exchange(mail.host, name).kind for name, mail in mails if mail.host}
    if kinds - {"exchange", "server"}:
        return "bad"
    return "warning" if any(mail.lack == "unknown" for _, mail in mails) else "plain"


def _state(connector: Inbound | Outbound) -> tuple[str, Mood]:
    """Return what to add to a label, and how the road of a connector looks."""
    if connector.is_on:
        return "", "plain"
    return (" (off)" if connector.enabled is False else " (in test mode)"), "unknown"


def _inbound(sketch: Sketch, connector: Inbound, tenancy: Tenancy, ways: Ways) -> None:
    """Draw whom an inbound connector is for: own servers, a service, a filter or a partner."""
    kind: StationKind = "server" if connector.connector_type == "on-premises" else "gateway"
    shown = (connector.tls_sender_certificate_name, *connector.sender_ip_addresses)
    names = [each for each in shown if each]
    label = names[0] if names else ", ".join(connector.sender_domains) or connector.name
    state, mood = _state(connector)
    key = _fitting(sketch, connector, tenancy, ways) if connector.is_on else ""
    if not key:
        key, detail = f"{kind}:{label}{state}", ", ".join(names)
        sketch.station(Station(key, label, kind, detail, mood, _THROUGH))
    sketch.road(key, f"tenant:{tenancy.name}", f"{connector.name}{state}", mood)


def _fitting(sketch: Sketch, connector: Inbound, tenancy: Tenancy, ways: Ways) -> str:
    """Return the place that is drawn already and that the connector is for, else nothing."""
    fronts = ways.once(_fronts, tenancy)
    found = fronts.first(connector)
    return "" if found is None else _place(sketch, found, _THROUGH)


class _Fronts:
    """The places that the MX of a tenant's domains lead to, in their order."""

    def __init__(self, places: Iterable[Place], ways: Ways) -> None:
        self._places = tuple(places)
        self._zones: dict[str, int] = {}
        addresses = []
        for number, place in enumerate(self._places):
            self._zones.setdefault(zone_of(place.host), number)
            addresses += [(each, number) for each in ways.addresses(place.host)]
        self._addresses = Addresses(addresses)

    def first(self, connector: Inbound) -> Place | None:
        """Return the first that a connector is for, by name or by address."""
        zone = zone_of(connector.certificate_domain.lower())
        numbers = [self._addresses.first(connector.networks)]
        numbers.append(self._zones.get(zone) if zone else None)
        found = [each for each in numbers if each is not None]
        return self._places[min(found)] if found else None


def _fronts(tenancy: Tenancy, ways: Ways) -> _Fronts:
    mails = ((domain, ways.mail(domain).host) for domain in tenancy.export.domain_names)
    places = (ways.exchange(host, domain) for domain, host in mails if host)
    return _Fronts(dict.fromkeys(each for each in places if each.kind != "exchange"), ways)


def _outbound(sketch: Sketch, connector: Outbound, tenancy: Tenancy, ways: Ways) -> None:
    """Draw where an outbound connector leads: its smart hosts, or where DNS says."""
    here = f"tenant:{tenancy.name}"
    rule = tenancy.export.once(_first_rules).get(connector, "")
    state, mood = _state(connector)
    label = f"{connector.name}, by rule {rule}" if rule else f"{connector.name}{state}"
    if connector.use_mx_record or not connector.smart_hosts:
        key = sketch.station(Station("dns:", "by MX", "internet", column=_TO))
        sketch.road(here, key, label, mood)
    for host in () if connector.use_mx_record else connector.smart_hosts:
        place = ways.smart_host(connector, tenancy, host.lower())
        key = _place(sketch, place, _TO)
        sketch.road(here, key, label, mood)
        if place.kind == "service" and connector.is_on:
            back = ways.returning(connector, tenancy, place.host)
            sketch.road(key, here, back.name if back is not None else "")


def _first_rules(export: Export) -> dict[Outbound, str]:
    """Return the first rule that routes by each connector."""
    return {each.connector: each.rule.name for each in reversed(routing_rules(export))}


def _loops(tenancy: Tenancy, ways: Ways) -> Iterable[Loop]:
    """Yield the loops that pass the tenant, or that its mail is in."""
    for each in looping(tenancy, ways):
        is_own = tenancy.export.accepted(each.journey.message.rcpt_domain) is not None
        if is_own or any(step.name == tenancy.name for step in each.loop.steps):
            yield each.loop


def _looped(sketch: Sketch, loop: Loop) -> None:
    """Draw a loop over what is drawn, with the places that are not there yet."""
    for step in loop.steps:
        if step.spot != "exchange":
            column = _TENANT if step.spot == "tenant" else _THROUGH
            sketch.station(Station(key_of(step), label_of(step), KINDS[step.spot], column=column))
    for start, end, label in legs(loop.steps * 2):
        sketch.road(start, end, label, "bad")
