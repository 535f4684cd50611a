"""Where is Outlook sent, when it looks for a domain's mailboxes, as far as DNS can say?

A survey looks up `autodiscover` below the domain, the SRV record, the other names that Microsoft
has customers publish, and where aliases lead. It judges nothing: what is wrong with it is for
:mod:`agent.domain.autodiscover_lint` to say. Names in it are as the resolver gave them; show them
through :class:`agent.domain.peer_text.PeerText`.
"""

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from agent.domain.knowledge.autodiscover_targets import ALL_TARGETS, OTHERS, TARGETS
from agent.domain.lookup import (
    Answer,
    Exchange,
    Plan,
    Query,
    Reply,
    Silence,
    Unanswered,
    ask_all,
)
from agent.domain.mx import NO_SUCH_LABEL, can_be_host, owner_of
from agent.domain.names import MAX_NAME
from agent.domain.public_suffix import zone_of

AUTODISCOVER = "autodiscover"
SRV = "_autodiscover._tcp"
MOST_SRV = 5  # records that are followed
_SRV_FIELDS = 4  # priority, weight, port, target: RFC 2782
_LABELS = (AUTODISCOVER, *(other.label for other in OTHERS), NO_SUCH_LABEL)

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Place:
    """A name, and where it leads.

    ``target`` is where its alias leads, empty without one, and ``chain`` all steps on the way;
    ``exists`` is false where DNS knows nothing at the end of it; ``silence`` is why that could not
    be learnt; ``port`` is that of an SRV record. ``free`` is the domain, needed on the way, that
    does not exist and that anybody can have; ``is_wild`` tells that a name nobody created answers
    alike.
    """

    name: str
    target: str = ""
    chain: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    exists: bool = True
    silence: Silence | None = None
    free: str = ""
    is_wild: bool = False
    port: str = ""

    @property
    def is_absent(self) -> bool:
        """True where DNS answered, and nothing is published."""
        return not self.target and not self.addresses and self.silence is None

    @property
    def end(self) -> str:
        """The last name on the way, which has the addresses or should have."""
        return self.names[-1]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that Outlook is led to; the name itself where that has the addresses."""
        return self.chain or (self.name,)

    @property
    def clouds(self) -> tuple[str, ...]:
        """The Microsoft clouds whose names it leads to."""
        return tuple(ALL_TARGETS[name] for name in self.names if name in ALL_TARGETS)

    @property
    def is_dangling(self) -> bool:
        """True where it names a host that DNS says has no address; Microsoft's own are believed."""
        is_dead = not self.exists or not self.addresses
        return bool(self.target) and is_dead and self.silence is None and not self.clouds


@dataclass(frozen=True, slots=True)
class Survey:
    """What DNS says of a domain's names for Outlook.

    ``main`` is `autodiscover` itself, ``srv`` where SRV records lead, ``others`` are by label.
    ``cloud`` is the Microsoft cloud that MX names; ``receives`` is false where MX says that no mail
    is taken, and ``mx_silence`` why MX did not answer.
    """

    domain: str
    main: Place
    srv: tuple[Place, ...] = ()
    others: tuple[Place, ...] = ()
    cloud: str = ""
    receives: bool = True
    mx_silence: Silence | None = None
    exists: bool = True


def survey(domain: str) -> Plan[Survey]:
    """Look up all names for Outlook below *domain*."""
    names = [f"{label}.{domain}" for label in _LABELS]
    nothing = Survey(domain, Place(names[0]), receives=False)
    if max(map(len, names)) > MAX_NAME:
        return nothing
    mx, services, *replies = yield (
        Query(domain, "MX"),
        Query(f"{SRV}.{domain}", "SRV", lasting=True),
        Query(names[0], "CNAME", fresh=True),
        *(Query(name, "CNAME", lasting=True) for name in names[1:]),
    )
    if isinstance(mx, Answer) and not mx.name_exists:
        return replace(nothing, exists=False)
    aliases = [_alias(name, reply) for name, reply in zip(names, replies, strict=True)]
    found = yield from _follow((*aliases, *_services(f"{SRV}.{domain}", services)))
    main, *others = yield from _find_free(found)
    wild = others.pop(len(OTHERS))
    return Survey(
        domain,
        _compare(main, wild),
        srv=tuple(others[len(OTHERS) :]),
        others=tuple(_compare(one, wild) for one in others[: len(OTHERS)]),
        cloud=_cloud(mx),
        receives=not isinstance(mx, Answer) or mx.records != (Exchange(0, ""),),  # RFC 7505
        mx_silence=mx.reason if isinstance(mx, Unanswered) else None,
    )


def _alias(name: str, reply: Reply) -> Place:
    """Return a name with its alias, where it has one."""
    if isinstance(reply, Unanswered):
        return Place(name, silence=reply.reason)
    targets = [one.lower() for one in reply.records if isinstance(one, str)]
    return Place(name, targets[0] if targets else "")


def _services(name: str, reply: Reply) -> tuple[Place, ...]:
    """Return the hosts that SRV records name; the root says that there is none (RFC 2782)."""
    records = reply.records if isinstance(reply, Answer) else ()
    found = []
    for record in records[:MOST_SRV]:
        fields = record.split() if isinstance(record, str) else []
        if len(fields) != _SRV_FIELDS:
            continue
        target = fields[3].lower().removesuffix(".")
        if target and can_be_host(target):
            found.append(Place(name, target, port=fields[2]))
    return tuple(found)


def _follow(places: tuple[Place, ...]) -> Plan[tuple[Place, ...]]:
    """Ask for the addresses at the end of every way; of other names only where they are aliases."""
    # The target is asked for and not the name: what is cached of that may lead another way by now.
    chosen = [one for at, one in enumerate(places) if _is_followed(one, is_main=at == 0)]
    hosts = tuple(dict.fromkeys(one.target or one.name for one in chosen))
    replies = yield from ask_all(
        tuple(Query(host, kind) for host in hosts for kind in ("A", "AAAA"))
    )
    told = {host: replies[2 * at : 2 * at + 2] for at, host in enumerate(hosts)}
    return tuple(_lead(one, told.get(one.target or one.name, ())) for one in places)


def _is_followed(place: Place, *, is_main: bool) -> bool:
    return bool(place.target) or is_main or place.name.startswith(NO_SUCH_LABEL)


def _lead(place: Place, replies: tuple[Reply, ...]) -> Place:
    """Add what the two questions for addresses say."""
    answers = [reply for reply in replies if isinstance(reply, Answer)]
    silences = [reply.reason for reply in replies if isinstance(reply, Unanswered)]
    addresses = tuple(
        dict.fromkeys(
            one
            for answer in answers
            for one in answer.records
            if isinstance(one, IPv4Address | IPv6Address)
        )
    )
    further = max((answer.aliases for answer in answers), key=len, default=())
    chain = (place.target, *further) if place.target else ()
    silence = place.silence or (silences[0] if silences else None)
    return replace(
        place,
        chain=tuple(name.lower() for name in chain),
        addresses=addresses,
        exists=all(answer.name_exists for answer in answers),
        silence=None if addresses else silence,
    )


def _find_free(places: tuple[Place, ...]) -> Plan[tuple[Place, ...]]:
    """Ask whether the domains exist to which ways lead that end nowhere."""
    lost = {one.end: zone_of(one.end) for one in places if one.is_dangling and not one.exists}
    zones = tuple(dict.fromkeys(zone for zone in lost.values() if zone))
    replies = yield from ask_all(tuple(Query(zone, "SOA", lasting=True) for zone in zones))
    free = {
        zone
        for zone, reply in zip(zones, replies, strict=True)
        if isinstance(reply, Answer) and not reply.name_exists
    }
    return tuple(
        replace(one, free=lost[one.end]) if lost.get(one.end) in free else one for one in places
    )


def _compare(place: Place, wild: Place) -> Place:
    """Mark what a name that nobody created answers as well."""
    is_alike = (place.target, {*place.addresses}) == (wild.target, {*wild.addresses})
    return replace(place, is_wild=is_alike and bool(wild.target or wild.addresses))


def _cloud(mx: Reply) -> str:
    """Return the Microsoft cloud that MX names; empty without one."""
    records = mx.records if isinstance(mx, Answer) else ()
    hosts = [one.exchange.lower() for one in records if isinstance(one, Exchange)]
    owners = [owner.name for host in hosts if (owner := owner_of(host)) is not None]
    return next((name for name in owners if name in TARGETS), "")
