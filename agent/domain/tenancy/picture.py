"""How does the routing of a whole tenant look?

From left to right: where mail comes from, what it comes through, the tenant, and where it goes.
What would go round in a loop is drawn bad. Alike places stand as one where there are many.
"""

from collections.abc import Iterable

from agent.domain.fact import Diagram, Station, StationKind
from agent.domain.tenancy.choice import routing_rules
from agent.domain.tenancy.journey import travel
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
from agent.domain.tenancy.loop_messages import trials
from agent.domain.tenancy.objects import Inbound, Outbound
from agent.domain.tenancy.places import Place
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
    """Draw where mail to and from *tenancy* can go; an object that is switched off is left out."""
    known = ways if ways is not None else Ways(landscape)
    sketch, here = Sketch(), f"tenant:{tenancy.name}"
    sketch.station(Station("internet:", "the internet", "internet", column=_FROM))
    sketch.station(Station(here, f"tenant {tenancy.name}", "exchange", column=_TENANT))
    _published(sketch, tenancy, known)
    for inbound in tenancy.export.inbound or ():
        if inbound.is_on:
            _inbound(sketch, inbound, tenancy, known)
    for outbound in tenancy.export.outbound or ():
        if outbound.is_on:
            _outbound(sketch, outbound, tenancy, known)
    if tenancy.export.domains:
        mailboxes = f"{len(tenancy.export.domains)} accepted domains"
        sketch.station(Station("mailbox:", "mailboxes", "mailbox", mailboxes, "good", _TO))
        sketch.road(here, "mailbox:")
    for loop in _loops(tenancy, landscape, known):
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


def _inbound(sketch: Sketch, connector: Inbound, tenancy: Tenancy, ways: Ways) -> None:
    """Draw whom an inbound connector is for: own servers, a service, a filter or a partner."""
    kind: StationKind = "server" if connector.connector_type == "on-premises" else "gateway"
    shown = (connector.tls_sender_certificate_name, *connector.sender_ip_addresses)
    names = [each for each in shown if each]
    label = names[0] if names else ", ".join(connector.sender_domains) or connector.name
    key = _fitting(sketch, connector, tenancy, ways)
    if not key:
        detail = ", ".join(names)
        key = sketch.station(Station(f"{kind}:{label}", label, kind, detail, column=_THROUGH))
    sketch.road(key, f"tenant:{tenancy.name}", connector.name)


def _fitting(sketch: Sketch, connector: Inbound, tenancy: Tenancy, ways: Ways) -> str:
    """Return the place that is drawn already and that the connector is for, else nothing."""
    for domain in tenancy.export.domain_names:
        host = ways.mail(domain).host
        if host:
            place = ways.exchange(host, domain)
            if place.kind != "exchange" and ways.fits(connector, host):
                return _place(sketch, place, _THROUGH)
    return ""


def _outbound(sketch: Sketch, connector: Outbound, tenancy: Tenancy, ways: Ways) -> None:
    """Draw where an outbound connector leads: its smart hosts, or where DNS says."""
    here = f"tenant:{tenancy.name}"
    rules = [
        each.rule.name for each in routing_rules(tenancy.export) if each.connector == connector
    ]
    label = f"{connector.name}, by rule {rules[0]}" if rules else connector.name
    if connector.use_mx_record or not connector.smart_hosts:
        key = sketch.station(Station("dns:", "by MX", "internet", column=_TO))
        sketch.road(here, key, label)
    for host in () if connector.use_mx_record else connector.smart_hosts:
        place = ways.smart_host(connector, tenancy, host.lower())
        key = _place(sketch, place, _TO)
        sketch.road(here, key, label)
        if place.kind == "service":
            back = ways.returning(connector, tenancy, place.host)
            sketch.road(key, here, back.name if back is not None else "")


def _loops(tenancy: Tenancy, landscape: Landscape, ways: Ways) -> Iterable[Loop]:
    """Yield the loops that pass the tenant, or that its mail is in."""
    for trial in trials(tenancy, landscape, ways):
        loop = travel(trial.message, landscape, ways).end.loop
        if loop is not None:
            is_own = tenancy.export.accepted(trial.message.rcpt_domain) is not None
            if is_own or any(step.name == tenancy.name for step in loop.steps):
                yield loop


def _looped(sketch: Sketch, loop: Loop) -> None:
    """Draw a loop over what is drawn, with the places that are not there yet."""
    for step in loop.steps:
        if step.spot != "exchange":
            column = _TENANT if step.spot == "tenant" else _THROUGH
            sketch.station(Station(key_of(step), label_of(step), KINDS[step.spot], column=column))
    for start, end, label in legs(loop.steps * 2):
        sketch.road(start, end, label, "bad")
