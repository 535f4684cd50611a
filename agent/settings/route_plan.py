"""How are the ends of a route, as the operator describes them, told to those who do the work?"""

from dataclasses import dataclass

from agent.adapters.intray import Watched
from agent.adapters.ledger import Home
from agent.adapters.outbox import ByExchanges, ByGraph, Envelope, ToServer, Way
from agent.domain import route_path
from agent.domain.estate import Estate
from agent.domain.expectations import METHODS, Expected
from agent.domain.fact import Table
from agent.domain.message import author_of
from agent.domain.owners import Owners
from agent.domain.payload import Payload
from agent.settings.durations import write_duration
from agent.settings.fields import (
    HostPort,
)
from agent.settings.route_ends import PayloadSettings, Receive, Send
from agent.settings.route_subject import RouteSubject


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run needs of a route, in the words of those who do the work."""

    leaving: "Leaving"
    envelope: Envelope
    payload: Payload
    home: Home
    owners: Owners
    expected: Expected
    author: str  # in From
    about: Table


def plan(route: RouteSubject) -> Plan:
    """Return what a run needs of *route*."""
    return Plan(
        way_of(route),
        envelope(route.send),
        payload(route.send.payload),
        home_of(route),
        owners(route),
        expected(route),
        author_of(route.send.mail_from, route.send.rcpt_to, route.send.header_from),
        about(route),
    )


@dataclass(frozen=True, slots=True)
class Leaving:
    """The way out, and what to call those who speak there."""

    way: Way
    drawn: route_path.Leaving


def way_of(route: RouteSubject) -> Leaving:
    """Return the way on which the messages of a route leave."""
    send = route.send
    helo = _helo(send)
    if send.smtp is not None:
        smtp = send.smtp
        way = ToServer(
            host=smtp.host,
            port=smtp.port,
            tls=smtp.tls,
            helo=smtp.helo or helo,
            credential=smtp.credential,
            mailbox=smtp.mailbox or send.mail_from,
            certificate=smtp.client_certificate,
        )
        return Leaving(way, route_path.Leaving(smtp.host, way.helo))
    if send.graph is not None:
        graph = ByGraph(send.graph.credential, send.graph.mailbox)
        return Leaving(graph, route_path.Leaving("Microsoft Graph"))
    assert send.mx is not None  # noqa: S101 - the settings hold exactly one
    helo = send.mx.helo or helo
    drawn = route_path.Leaving(f"an MX of {_domain(send.rcpt_to)}", helo)
    return Leaving(ByExchanges(send.mx.tls, helo), drawn)


def handed_to(route: RouteSubject) -> str:
    """Name the server that takes the messages of a route, the same for all routes that use it.

    ``HOST:PORT``, ``mx:DOMAIN`` for the exchanges of a domain, or ``graph``; fit for a label.
    """
    send = route.send
    if send.smtp is not None:
        return str(HostPort(send.smtp.host, send.smtp.port))
    return "graph" if send.graph is not None else f"mx:{_domain(send.rcpt_to).lower()}"


def _helo(send: Send) -> str:
    return _domain(send.mail_from or send.header_from or send.rcpt_to)


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def envelope(send: Send) -> Envelope:
    """Return who sends to whom."""
    return Envelope(send.mail_from, send.rcpt_to)


def payload(settings: PayloadSettings) -> Payload:
    """Return what a message carries."""
    return settings.carried


def home_of(route: RouteSubject) -> Home:
    """Return where the messages of a route arrive, and what comes back to their sender."""
    bounces = route.bounces
    return Home(
        home=route.receive.home,
        origin="" if bounces is None else bounces.home,
        is_kept=is_kept(route.receive),
    )


def about(route: RouteSubject) -> Table:
    """Return what the route is, for people to read beside what became of its messages."""
    expect = route.expect
    rows = [
        ("from", route.send.mail_from or "<>"),
        ("to", route.send.rcpt_to),
        ("handed to", way_of(route).drawn.server),
        ("arrives in", f"{home_of(route).home}, {expect.folder}"),
        ("in time within", write_duration(expect.within)),
        ("lost after", write_duration(expect.lost_after)),
    ]
    return Table(("what", "as configured"), tuple(rows))


def is_kept(receive: Receive) -> bool:
    """Tell whether messages wait there while the agent is away."""
    return receive.imap is not None or receive.graph is not None or receive.maildir is not None


def watched(route: RouteSubject) -> Watched:
    """Return what has to be known of a route to read what arrives of it."""
    return Watched(
        payload(route.send.payload),
        route.expect.body,
        route.receive.reflector,
        rcpt_to=route.send.rcpt_to.lower(),
        mail_from=route.send.mail_from.lower(),
    )


def owners(route: RouteSubject) -> Owners:
    """Return whose the hosts on the way are; those that it must pass are one's filters."""
    hosts = route.hosts
    return Owners(
        us=_estate(hosts.ours),
        filter=_estate((*hosts.filter, *route.expect.through)),
        partner=_estate(hosts.partner),
    )


def _estate(places: tuple[object, ...]) -> Estate:
    return Estate.read(map(str, places))


def expected(route: RouteSubject) -> Expected:
    """Return what must be true of a message that arrives."""
    expect = route.expect
    return Expected(
        folder=expect.folder,
        methods=tuple(each for each in METHODS if getattr(expect, each) == "pass"),
        tls_on_every_hop=expect.tls == "every-hop",
        through=expect.through,
        never_through=expect.never_through,
        max_hops=expect.max_hops,
        attributed_to=expect.attributed_to or "",
    )
