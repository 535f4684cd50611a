"""What kind of domain is that, of which nobody has told us anything but the name?

A stranger's domain is held against what fits it: a filter's hosts in MX say that a filter is meant
to stand in front, an include in SPF says who sends. It is a guess, and is said as one; what an
operator configures is none.
"""

from dataclasses import dataclass

from agent.domain.knowledge.clouds import CLOUDS
from agent.domain.knowledge.providers import PROFILES, Profile
from agent.domain.lookup import Answer, Exchange, Plan, Query, Reply, Unanswered, ask_all
from agent.domain.mx import Owner, matches, owner_of
from agent.domain.peer_text import PeerText
from agent.domain.public_suffix import zone_of
from agent.domain.spf_record import parse, select
from agent.domain.spf_terms import All, Broken, Include, Redirect, Result

_NULL = Exchange(0, "")  # RFC 7505 section 3
_MICROSOFT = frozenset({*CLOUDS, "legacy"})
_LIVE = frozenset(CLOUDS) & frozenset(PROFILES)  # the clouds that are not closed


@dataclass(frozen=True, slots=True)
class Guess:
    """A topology, and what is expected beyond it; ``title`` follows "looks like"."""

    topology: str
    title: str
    exchanges: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Spf:
    """Who sends by the SPF record, and whether it says that nobody does."""

    senders: tuple[str, ...] = ()
    nobody: bool = False

    @property
    def cloud(self) -> str:
        """The Microsoft cloud among them; empty without one."""
        return next((name for name in self.senders if name in CLOUDS), "")


def guess(domain: str) -> Plan[Guess]:
    """Look at the MX and SPF records of *domain*, and say what they look like."""
    mx, txt = yield from ask_all((Query(domain, "MX"), Query(domain, "TXT")))
    spf = _read_spf(txt)
    if isinstance(mx, Unanswered):
        return Guess("custom", "nothing is known: MX did not answer", senders=spf.senders)
    records = sorted(one for one in mx.records if isinstance(one, Exchange))
    hosts = tuple(dict.fromkeys(one.exchange.lower() for one in records if one.exchange))
    if records and not hosts:
        return Guess("parked", "no mail: a null MX")
    if not hosts:
        if not mx.name_exists:
            return Guess("custom", "a name that does not exist")
        if spf.nobody:
            return Guess("parked", "no mail: no MX record, and SPF passes nobody")
        return Guess("custom", "no MX record", senders=spf.senders)
    return _by_hosts(domain, hosts, spf)


def _by_hosts(domain: str, hosts: tuple[str, ...], spf: _Spf) -> Guess:
    """Judge by the exchanges, the most preferred first."""
    owners = [owner_of(host) for host in hosts]
    first = owners[0]
    cloud = spf.cloud or next((one.name for one in owners if one and one.name in _LIVE), "")
    filters = [one.title for one in owners if one and one.role == "filter"]
    if filters:
        return _behind(filters[0], cloud, spf)
    if first is not None and first.name in _MICROSOFT:
        where = cloud or "exchange-online"
        return Guess("exchange-online", CLOUDS[where].title, senders=_with(where, spf))
    if first is not None:
        return _at_provider(first, hosts, spf)
    return _elsewhere(domain, hosts[0], cloud, spf)


def _behind(filter_title: str, cloud: str, spf: _Spf) -> Guess:
    if cloud:
        title = f"{CLOUDS[cloud].title} behind {filter_title}"
        return Guess("third-party-filter", title, senders=_with(cloud, spf))
    mailboxes = (PROFILES[name].title for name in spf.senders if PROFILES[name].role == "mailbox")
    title = f"{next(mailboxes, 'mailboxes that DNS does not show')} behind {filter_title}"
    return Guess("custom", title, senders=spf.senders)


def _at_provider(owner: Owner, hosts: tuple[str, ...], spf: _Spf) -> Guess:
    profile = PROFILES[owner.name]
    if profile.role != "mailbox" or profile.name == "cloudflare-routing":
        # It hands on what comes in, and who sends is for SPF to say.
        return Guess("custom", profile.title, senders=spf.senders)
    # Only the names in use: nobody needs to publish all that a provider has.
    used = tuple(
        pattern
        for pattern in profile.exchange_patterns
        if any(matches(pattern, host) for host in hosts)
    )
    return Guess("custom", profile.title, used, _with(profile.name, spf))


def _elsewhere(domain: str, host: str, cloud: str, spf: _Spf) -> Guess:
    """Judge a domain whose most preferred exchange is of nobody that we know."""
    is_own, title = _is_own(domain, host), whose(domain, host)
    if cloud:
        topology = "hybrid" if is_own else "third-party-filter"
        return Guess(topology, f"{CLOUDS[cloud].title} behind {title}", senders=_with(cloud, spf))
    return Guess("on-premises" if is_own else "custom", title, senders=spf.senders)


def whose(domain: str, host: str) -> str:
    """Say in words whose *host* is, of nobody that we know, seen from *domain*."""
    if _is_own(domain, host):
        return "servers of its own"
    return f"hosts of {PeerText(zone_of(host) or host, 80)}"


def _is_own(domain: str, host: str) -> bool:
    return (zone_of(host) or host) == (zone_of(domain) or domain)


def with_declared(declared: tuple[str, ...], guessed: tuple[str, ...]) -> tuple[str, ...]:
    """Return who sends: what an operator has *declared*, and what is *guessed* beside it.

    A tenant is in one Microsoft cloud: a declared one takes the place of a guessed one.
    """
    if any(one in CLOUDS for one in declared):
        guessed = tuple(one for one in guessed if one not in CLOUDS)
    return tuple(dict.fromkeys((*declared, *guessed)))


def profile_of_include(name: str) -> Profile | None:
    """Return whose customers include *name* in their SPF record; None where that is not known."""
    return _BY_INCLUDE.get(name)


def _with(name: str, spf: _Spf) -> tuple[str, ...]:
    return tuple(dict.fromkeys((name, *spf.senders)))


def _read_spf(reply: Reply) -> _Spf:
    """Read who is named at the top of the record, or records; a provider's own are not looked at.

    A filter that hands on what others send is no sender: they sign.
    """
    records = reply.records if isinstance(reply, Answer) else ()
    names: list[str] = []
    nobody = False
    for raw in select(records).records:
        record = parse(raw.joined)
        if isinstance(record, Broken):
            continue
        nobody = _passes_nobody(record.reached)
        names += [
            term.domain.text.lower().removesuffix(".")
            for term in record.reached
            if isinstance(term, Include | Redirect)
        ]
    known = (profile.name for name in names if (profile := _BY_INCLUDE.get(name)))
    return _Spf(tuple(dict.fromkeys(known)), nobody)


def _passes_nobody(terms: tuple[object, ...]) -> bool:
    return len(terms) == 1 and isinstance(terms[0], All) and terms[0].result is Result.FAIL


_BY_INCLUDE: dict[str, Profile] = {
    include: profile
    for profile in PROFILES.values()
    if profile.role != "filter"
    for include in profile.spf_includes
}
