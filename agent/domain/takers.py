"""Who takes a domain's mail, and would it be somebody else after a change?

Exchanges have owners: a provider by the names that are known of it, or whoever registered the zone.
A change is held against the owners of now, because records alone cannot tell a move from a mistake;
only the operator can say that another topology is meant.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain.guess import Guess, whose
from agent.domain.knowledge.clouds import CLOUDS
from agent.domain.knowledge.providers import PROFILES
from agent.domain.knowledge.topologies import TOPOLOGIES
from agent.domain.lookup import Answer, Exchange, Plan, Query, Silence, Unanswered, ask, ask_all
from agent.domain.mx import matches_any, owner_of
from agent.domain.peer_text import PeerText
from agent.domain.public_suffix import zone_of

_MOST = 5  # owners that are named in a sentence


@dataclass(frozen=True, slots=True)
class Takers:
    """The hosts that take a domain's mail, the most preferred first.

    Without MX records it is the domain itself, where it has an address (RFC 5321 section 5.1): then
    it ``is_implicit``, and may as well be a web server that takes no mail. ``silence`` is why DNS
    could not say.
    """

    domain: str
    hosts: tuple[str, ...] = ()
    silence: Silence | None = None
    is_implicit: bool = False

    @property
    def owners(self) -> tuple[str, ...]:
        """Whose hosts these are, in words, each once."""
        return tuple(dict.fromkeys(_title(self.domain, host) for host in self.hosts))

    @property
    def words(self) -> str:
        """All of them in a sentence."""
        if self.is_implicit:
            return "the host at its own address"
        more = len(self.owners) - _MOST
        shown = (*self.owners[:_MOST], *((f"{more} more",) if more > 0 else ()))
        return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else "nobody"


@dataclass(frozen=True, slots=True)
class Standard:
    """What the state after a change is held against.

    ``notice`` says in a sentence what the operator may not have meant, or what is not known;
    ``way_out`` is the topology that makes it meant. ``is_handover`` tells that others would take
    the mail, ``is_unsure`` that DNS could not say who takes it now.
    """

    expected: Guess
    notice: str = ""
    way_out: str = ""
    is_handover: bool = False
    is_unsure: bool = False


def takers(domain: str) -> Plan[Takers]:
    """Ask who takes the mail of *domain*."""
    reply = yield from ask(Query(domain, "MX"))
    if isinstance(reply, Unanswered):
        return Takers(domain, silence=reply.reason)
    records = sorted(one for one in reply.records if isinstance(one, Exchange))
    if records or not reply.name_exists:
        hosts = (one.exchange.lower() for one in records if one.exchange)
        return Takers(domain, tuple(dict.fromkeys(hosts)))
    replies = yield from ask_all((Query(domain, "A"), Query(domain, "AAAA")))
    if any(isinstance(each, Answer) and each.records for each in replies):
        return Takers(domain, (domain,), is_implicit=True)
    silences = (each.reason for each in replies if isinstance(each, Unanswered))
    return Takers(domain, silence=next(silences, None))


def standard(now: Guess, then: Guess, was: Takers, becomes: Takers, meant: str = "") -> Standard:
    """Return what to hold the state after a change against.

    *now* and *then* are guesses from the records before and after; *meant* is the topology that the
    operator says the domain is to have, empty where nothing is said.
    """
    if meant:
        used = then.exchanges if then.topology == meant else ()
        return Standard(Guess(meant, TOPOLOGIES[meant].title, used))
    if was.silence is not None and was != becomes:
        notice = f"DNS could not say who takes the mail of {was.domain} now ({was.silence}), and so"
        return Standard(then, f"{notice} not whether others would.", is_unsure=True)
    if now.topology == "parked" and was.is_implicit:
        was = Takers(was.domain)
    if not was.hosts and now.topology != "parked":
        return Standard(then)  # nobody takes its mail yet: there is nothing to lose
    exchanges = now.exchanges if set(was.hosts) == set(becomes.hosts) else pins(now, was, becomes)
    expected = Guess(now.topology, now.title, exchanges)
    if was.owners != becomes.owners:
        notice = f"Mail for {was.domain} would be taken by {becomes.words} instead of {was.words}."
        held = then if was.is_implicit else expected
        return Standard(held, notice, then.topology, is_handover=True)
    is_parked = now.topology == then.topology == "parked"  # whichever way it says so
    if (now.topology, now.title) != (then.topology, then.title) and not is_parked:
        notice = f"{was.domain} would look like {then.title}, and not like {now.title} any more."
        return Standard(expected, notice, then.topology)
    return Standard(expected)


def pins(now: Guess, was: Takers, becomes: Takers) -> tuple[str, ...]:
    """Return patterns for whoever takes mail now; none where the topology has its own.

    A second host of the same owner is no stranger. An exact name of a provider is only expected
    where it is used: nobody needs to publish all that a provider has.
    """
    profile = TOPOLOGIES[now.topology]
    if profile.exchange_patterns or not profile.receives:
        return ()
    known = [host for host in was.hosts if not now.exchanges or matches_any(now.exchanges, host)]
    found = [pattern for host in known if _may_stay(host, now) for pattern in _patterns(host)]
    if now.topology == "hybrid":  # where mail may as well come in by the cloud
        found += [pattern for one in now.senders if one in CLOUDS for pattern in _of_cloud(one)]
    used = [one for one in found if one.startswith("*.") or one in becomes.hosts]
    return tuple(dict.fromkeys(used or found))


def _may_stay(host: str, now: Guess) -> bool:
    """Tell whether the topology lets *host* be in MX: behind a filter, Microsoft's are none."""
    owner = owner_of(host)
    is_microsoft = owner is not None and owner.name in CLOUDS
    return TOPOLOGIES[now.topology].microsoft_exchanges or not is_microsoft


def _patterns(host: str) -> Iterator[str]:
    owner = owner_of(host)
    if owner is not None and owner.name in PROFILES:
        yield from PROFILES[owner.name].exchange_patterns
    elif owner is not None:
        yield host
    else:
        zone = zone_of(host) or host
        yield from (f"*.{zone}", zone)


def _of_cloud(name: str) -> tuple[str, ...]:
    return CLOUDS[name].exchange_patterns


def _title(domain: str, host: str) -> str:
    owner = owner_of(host)
    return PeerText(owner.title if owner is not None else whose(domain, host))
