"""What does each name server of a domain's zone say by itself?

A survey asks every server at every address for the zone's SOA, and those that speak for the zone
for everything that mail needs. It judges nothing: :mod:`agent.domain.nameservers_lint` and
:mod:`agent.domain.nameservers_answers` do. Who is asked comes out of strangers' DNS, so that all of
it is bounded. Names and records are as they came; show them through
:class:`agent.domain.peer_text.PeerText`.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.domain.direct import Address, Code, DirectQuery, Heard, Said
from agent.domain.knowledge.addresses import special_use
from agent.domain.lookup import Answer, Query, Reply, Silence, Unanswered
from agent.domain.nameservers_topics import Topic, by_title, topics, wildcards
from agent.domain.nameservers_zone import (
    Inquiry,
    Told,
    Zone,
    addresses_in,
    find_zone,
    heard,
)

MAX_SERVERS = 16  # names whose servers are asked; more are counted
MAX_ADDRESSES = 4  # of one server
MAX_PLACES = 24  # addresses in all
_FEW = 4


@dataclass(frozen=True, slots=True)
class Host:
    """A name server by name.

    ``addresses`` are those that the resolver tells; ``glue`` those that the zone above does.
    ``silence`` is why some could not be learnt.
    """

    name: str
    addresses: tuple[Address, ...] = ()
    glue: tuple[Address, ...] = ()
    aliases: tuple[str, ...] = ()
    silence: Silence | None = None


class Standing(enum.Enum):
    """What a server is to the zone."""

    GOOD = "speaks for the zone"
    LAME = "does not speak for the zone"
    SILENT = "does not answer"


@dataclass(frozen=True, slots=True)
class Voice:
    """A server at one address: what it says of the zone's SOA, and of everything else by title."""

    name: str
    address: Address
    soa: Heard
    told: Mapping[str, Heard] = field(default_factory=dict)

    @property
    def standing(self) -> Standing:
        """What it is to the zone, by its answer for the SOA."""
        if isinstance(self.soa, Unanswered):
            # A reply that nobody can read is a reply.
            is_reply = self.soa.reason in (Silence.MALFORMED, Silence.ALIAS_LOOP)
            return Standing.LAME if is_reply else Standing.SILENT
        speaks = self.soa.code is Code.NOERROR and self.soa.authoritative and self.soa.records
        return Standing.GOOD if speaks else Standing.LAME


@dataclass(frozen=True, slots=True)
class Resolver:
    """A resolver of the configuration, and what it says, by title."""

    address: Address
    port: int
    told: Mapping[str, Heard] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Survey:
    """What was heard of a domain's name servers.

    Without ``zone`` there is nothing to look at, and ``silence`` says why if DNS could not. ``soa``
    is the resolver's answer; ``left_out`` the number of servers that were not asked. ``wildcards``
    is what one server says of names that nobody created, by title. ``has_tcp`` tells, where an
    answer was cut, whether anybody answers us over TCP.
    """

    domain: str
    zone: Zone | None = None
    silence: Unanswered | None = None
    soa: Reply | None = None
    topics: tuple[Topic, ...] = ()
    hosts: tuple[Host, ...] = ()
    voices: tuple[Voice, ...] = ()
    resolvers: tuple[Resolver, ...] = ()
    wildcards: Mapping[str, Heard] = field(default_factory=dict)
    left_out: int = 0
    has_tcp: bool = False

    def of(self, standing: Standing) -> tuple[Voice, ...]:
        """Return the voices of a standing."""
        return tuple(voice for voice in self.voices if voice.standing is standing)


def survey(
    domain: str,
    selectors: tuple[str, ...] = (),
    resolvers: tuple[tuple[Address, int], ...] = (),
) -> Inquiry[Survey]:
    """Ask all name servers of *domain*, and the *resolvers* of the configuration."""
    zone = yield from find_zone(domain)
    if not isinstance(zone, Zone):
        return Survey(domain, silence=zone)
    hosts, soa = yield from _hosts(zone)
    voices = yield from _voices(zone.name, _all_places(zone, hosts))
    wanted = topics(domain, zone.name, selectors)
    voices = yield from _tell(voices, wanted)
    has_tcp = yield from _try_tcp(zone, voices)
    wild = yield from _wildcards(domain, voices)
    servers = yield from _resolvers(resolvers, wanted)
    left_out = len(zone.names) - len(hosts)
    return Survey(domain, zone, None, soa, wanted, hosts, voices, servers, wild, left_out, has_tcp)


def _is_asked(address: Address) -> bool:
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def is_special(address: Address) -> bool:
    """Tell whether the Internet does not lead to *address*."""
    return special_use(address) is not None


def _hosts(zone: Zone) -> Inquiry[tuple[tuple[Host, ...], Reply]]:
    names = zone.names[:MAX_SERVERS]
    questions = [Query(name, kind) for name in names for kind in ("A", "AAAA")]
    told = yield (*questions, Query(zone.name, "SOA", fresh=True))
    soa = told[-1]
    hosts = tuple(
        _host(name, told[2 * at : 2 * at + 2], zone.glue.get(name, ()))
        for at, name in enumerate(names)
    )
    return hosts, Answer() if isinstance(soa, Said) else soa


def _host(name: str, told: tuple[Told, ...], glue: tuple[Address, ...]) -> Host:
    silences = [reply.reason for reply in told if isinstance(reply, Unanswered)]
    answers = [reply for reply in told if isinstance(reply, Answer)]
    return Host(
        name,
        tuple(address for reply in told for address in addresses_in(reply)),
        glue,
        max((answer.aliases for answer in answers), key=len, default=()),
        silences[0] if silences else None,
    )


def _places(host: Host) -> tuple[Address, ...]:
    """Return where a server is asked: the world begins with the glue, and goes on to the rest."""
    found = dict.fromkeys((*host.addresses, *host.glue))
    by_family = [[each for each in found if each.version == version] for version in (4, 6)]
    half = MAX_ADDRESSES // 2
    return tuple(each for family in by_family for each in family[:half])


def _all_places(zone: Zone, hosts: tuple[Host, ...]) -> tuple[tuple[str, Address], ...]:
    """Return whom to ask, and where; only a few where not even the zone above was heard."""
    places = [
        (at, host.name, address)
        for host in hosts
        for at, address in enumerate(filter(_is_asked, _places(host)))
    ]
    is_deaf = bool(zone.above) and all(isinstance(told, Unanswered) for _, told in zone.above)
    # An address of each before the second of any: no server may hide behind those of others.
    first = sorted(places, key=lambda place: place[0])[: _FEW if is_deaf else MAX_PLACES]
    return tuple((name, address) for _, name, address in sorted(first, key=places.index))


def _voices(zone: str, places: tuple[tuple[str, Address], ...]) -> Inquiry[tuple[Voice, ...]]:
    """Ask each for the SOA; whoever is silent beside others is asked again."""
    if not places:
        return ()
    told = yield tuple(DirectQuery(address, zone, "SOA") for _, address in places)
    voices = [
        Voice(name, address, heard(one)) for (name, address), one in zip(places, told, strict=True)
    ]
    silent = [at for at, voice in enumerate(voices) if voice.standing is Standing.SILENT]
    if 0 < len(silent) < len(voices):
        again = yield tuple(DirectQuery(voices[at].address, zone, "SOA") for at in silent)
        for at, one in zip(silent, again, strict=True):
            voices[at] = Voice(voices[at].name, voices[at].address, heard(one))
    return tuple(voices)


def _tell(voices: tuple[Voice, ...], wanted: tuple[Topic, ...]) -> Inquiry[tuple[Voice, ...]]:
    """Ask all who speak for the zone for everything."""
    good = [voice for voice in voices if voice.standing is Standing.GOOD]
    if not good:
        return voices
    told = yield tuple(
        DirectQuery(voice.address, topic.name, topic.type) for voice in good for topic in wanted
    )
    size = len(wanted)
    full = {
        id(voice): Voice(
            voice.name,
            voice.address,
            voice.soa,
            by_title(wanted, told[size * at : size * at + size]),
        )
        for at, voice in enumerate(good)
    }
    return tuple(full.get(id(voice), voice) for voice in voices)


def _try_tcp(zone: Zone, voices: tuple[Voice, ...]) -> Inquiry[bool]:
    """Tell whether anybody answers over TCP; asked only where somebody has cut an answer."""
    told = [each for voice in voices for each in (voice.soa, *voice.told.values())]
    if any(isinstance(each, Said) and each.by_tcp for each in told):
        return True
    if not any(map(is_cut, told)):
        return False
    near = [voice.address for voice in voices if voice.standing is Standing.GOOD]
    above = [address for address, said in zone.above if isinstance(said, Said)]
    places = dict.fromkeys((*above[:_FEW], *near[:_FEW]))
    tried = yield tuple(DirectQuery(each, zone.name, "SOA", by_tcp=True) for each in places)
    return any(isinstance(each, Said) for each in tried)


def is_cut(told: Heard) -> bool:
    """Tell whether an answer was cut, and not to be had over TCP."""
    return isinstance(told, Unanswered) and told.reason is Silence.TRUNCATED


def _wildcards(domain: str, voices: tuple[Voice, ...]) -> Inquiry[Mapping[str, Heard]]:
    good = next((voice for voice in voices if voice.standing is Standing.GOOD), None)
    wanted = wildcards(domain)
    if good is None or not wanted:
        return {}
    told = yield tuple(DirectQuery(good.address, topic.name, topic.type) for topic in wanted)
    return by_title(wanted, told)


def _resolvers(
    places: tuple[tuple[Address, int], ...], wanted: tuple[Topic, ...]
) -> Inquiry[tuple[Resolver, ...]]:
    if not places:
        return ()
    told = yield tuple(
        DirectQuery(address, topic.name, topic.type, port=port, recursive=True)
        for address, port in places
        for topic in wanted
    )
    size = len(wanted)
    return tuple(
        Resolver(address, port, by_title(wanted, told[size * at : size * at + size]))
        for at, (address, port) in enumerate(places)
    )
