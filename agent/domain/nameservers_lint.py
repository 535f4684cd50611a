"""What is wrong with the servers that a domain is delegated to?

Nobody is accused of what may be ours: a family of addresses from which nothing at all was heard,
nor the zone above, says nothing; and where something on the way answers in place of the servers,
nothing that was heard counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network

from agent.domain import nameservers_rules as rules
from agent.domain.direct import Address, Code, Said
from agent.domain.finding import Finding
from agent.domain.knowledge.addresses import special_use
from agent.domain.lookup import Silence, Unanswered
from agent.domain.names import MAX_NAME
from agent.domain.nameservers import Host, Standing, Survey, Voice, is_cut, is_special
from agent.domain.nameservers_zone import Zone, is_below
from agent.domain.peer_text import PeerText

_SHOWN = 20
_NETWORKS = {4: 24, 6: 48}  # prefix lengths of what one site usually has


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen from here: ``families`` is from which of them anything was heard.

    ``has_tcp`` tells whether anybody answers over TCP, as far as that matters.
    """

    families: frozenset[int]
    is_intercepted: bool
    has_tcp: bool = False

    def accuses(self, voice: Voice) -> bool:
        """Tell whether what *voice* says, or its silence, is its own doing."""
        if voice.standing is not Standing.SILENT:
            return True
        if isinstance(voice.soa, Unanswered) and voice.soa.is_ours:
            return False
        return voice.address.version in self.families and (self.has_tcp or not is_cut(voice.soa))


def see(found: Survey) -> Sight:
    """Tell what can be seen from here, by what was heard of all servers."""
    above = found.zone.above if found.zone else ()
    everybody = [*above, *((voice.address, voice.soa) for voice in found.voices)]
    said = [(address, each) for address, each in everybody if isinstance(each, Said)]
    forged = [_is_resolvers(each) for _, each in said]
    families = frozenset(address.version for address, _ in said)
    return Sight(families, bool(forged) and all(forged), found.has_tcp)


def _is_resolvers(said: Said) -> bool:
    """Tell whether only a resolver would answer so: it offers recursion, and has no authority."""
    return said.recursion and not said.authoritative and not said.is_referral


def lint(found: Survey, *, reach: str = "public") -> Iterator[Finding]:
    """Yield what is wrong with the servers; *reach* is ``private`` for zones of the inside."""
    zone = found.zone
    if zone is None:
        return
    if reach == "public":
        yield from _lint_special(found)
    yield from _lint_hosts(found)
    yield from _lint_number(found)
    yield from _lint_glue(zone, found.hosts)
    sight = see(found)
    if sight.is_intercepted:
        yield rules.INTERCEPTED.found(
            f"{len(found.voices)} addresses of name servers of {zone.name} were asked, and every"
            " answer is that of a resolver."
        )
        return
    yield from _lint_voices(found, sight)
    yield from _lint_delegation(found, zone)


def _lint_voices(found: Survey, sight: Sight) -> Iterator[Finding]:
    name = found.zone.name if found.zone else ""
    good = found.of(Standing.GOOD)
    bad = [voice for voice in found.voices if voice.standing is not Standing.GOOD]
    accused = [voice for voice in bad if sight.accuses(voice)]
    lame = [voice for voice in accused if voice.standing is Standing.LAME]
    lines = tuple(map(describe, accused[:_SHOWN]))
    is_resolved = not isinstance(found.soa, Unanswered)
    if not found.voices:
        return
    if not good and not lame:
        if accused and not is_resolved:
            yield rules.ALL_SILENT.found(f"None of {len(bad)} addresses answers.", *lines)
        else:
            yield rules.OUT_OF_REACH.found(_unheard(found, is_resolved=is_resolved))
    elif not good and (len(lame) == len(found.voices) or not is_resolved):
        still = "; the resolver still has an answer" if is_resolved else ""
        detail = f"None of {len(bad)} addresses speaks for {name}{still}."
        yield rules.ALL_LAME.found(detail, *lines)
    else:
        yield from _lint_some(found, accused)


def _unheard(found: Survey, *, is_resolved: bool) -> str:
    asked = len(found.voices) + len(found.zone.above if found.zone else ())
    other = "the resolver does" if is_resolved else "nor does the resolver"
    return f"None of {asked} name servers answers us, and {other}."


def _lint_some(found: Survey, accused: list[Voice]) -> Iterator[Finding]:
    """Yield the servers that are bad beside others that are good."""
    if 2 * len(accused) > len(found.voices):
        detail = f"{len(accused)} of {len(found.voices)} addresses do not serve the zone."
        yield rules.MOST_BAD.found(detail, *map(describe, accused[:_SHOWN]))
    for voice in accused:
        rule = rules.LAME if voice.standing is Standing.LAME else rules.SILENT
        yield rule.found(f"{describe(voice)}.")
    yield from _lint_cut(found)


def _lint_cut(found: Survey) -> Iterator[Finding]:
    """Yield who gives no answer over TCP, if anybody does: our own firewall may be shut."""
    cut = [
        f"{_place(voice)}: {', '.join(titles)}"
        for voice in found.of(Standing.GOOD)
        if (titles := [title for title, told in voice.told.items() if is_cut(told)])
    ]
    if found.has_tcp:
        for line in cut:
            yield rules.TCP.found(f"{line}.")
    elif cut:
        yield rules.OUT_OF_REACH.found("Answers are cut, and nobody answers us over TCP.", *cut)


def describe(voice: Voice) -> str:
    """Say what a server does in place of speaking for the zone."""
    return f"{_place(voice)} {remark(voice)}"


def remark(voice: Voice) -> str:
    """Say what a server answers for the SOA of the zone."""
    soa = voice.soa
    if isinstance(soa, Unanswered):
        return {
            Silence.MALFORMED: "sends a reply that cannot be read",
            Silence.ALIAS_LOOP: "answers with aliases in a circle",
            Silence.TRUNCATED: "cuts its answer, and gives none over TCP",
            Silence.UNREACHABLE: "cannot be reached",
        }.get(soa.reason, "does not answer")
    if soa.is_referral:
        target = f"to {PeerText(soa.cut, MAX_NAME) or 'the root'}"
        return f"sends on {target} and answers nothing itself"
    if soa.code is not Code.NOERROR:
        return f"answers {soa.code.value.upper()}"
    if not soa.authoritative:
        return "answers without authority"
    return "speaks for the zone" if soa.records else "has no SOA record of the zone"


def _place(voice: Voice) -> str:
    return f"{PeerText(voice.name, MAX_NAME)} ({voice.address})"


def _lint_special(found: Survey) -> Iterator[Finding]:
    for host in found.hosts:
        special = [each for each in (*host.addresses, *host.glue) if is_special(each)]
        for address in dict.fromkeys(special):
            use = special_use(address)
            yield rules.SPECIAL_ADDRESS.found(f"{_name(host)} has {address}, {use}.")


def _lint_hosts(found: Survey) -> Iterator[Finding]:
    for host in found.hosts:
        if host.aliases:
            target = PeerText(host.aliases[-1], MAX_NAME)
            yield rules.ALIAS.found(f"{_name(host)} is an alias of {target}.")
        if not host.addresses and not host.glue and host.silence is None:
            yield rules.NO_ADDRESS.found(f"{_name(host)} has neither an A nor an AAAA record.")


def _lint_number(found: Survey) -> Iterator[Finding]:
    if found.left_out:
        total = len(found.hosts) + found.left_out
        yield rules.TOO_MANY.found(f"{total} name servers; {found.left_out} were not asked.")
    addresses = {each for host in found.hosts for each in (*host.addresses, *host.glue)}
    unknown = [host for host in found.hosts if host.silence is not None]
    by_family = [[each for each in addresses if each.version == version] for version in (4, 6)]
    if len(found.hosts) == 1:
        yield rules.ONE_SERVER.found(f"{_name(found.hosts[0])} is the only one.")
    elif unknown or not addresses or found.left_out:
        return
    elif max(map(len, by_family)) == 1:
        shown = ", ".join(sorted(map(str, addresses)))
        yield rules.ONE_SERVER.found(f"All {len(found.hosts)} names are one machine, {shown}.")
    else:
        networks = {_network(address) for address in addresses}
        if len(networks) == sum(map(bool, by_family)):
            yield rules.ONE_NETWORK.found(f"All are in {' and '.join(sorted(networks))}.")


def _network(address: Address) -> str:
    return str(ip_network(f"{address}/{_NETWORKS[address.version]}", strict=False))


def _lint_glue(zone: Zone, hosts: tuple[Host, ...]) -> Iterator[Finding]:
    for host in hosts:
        if host.name not in zone.delegation or not is_below(host.name, zone.name):
            continue
        known = ", ".join(map(str, host.addresses[:_SHOWN])) or "no address"
        if not host.glue:
            yield rules.GLUE_MISSING.found(f"{_name(host)} is inside {zone.name}: {known}.")
        elif host.silence is None and _differ(host.glue, host.addresses):
            above = ", ".join(map(str, host.glue[:_SHOWN]))
            yield rules.GLUE_DIFFERS.found(
                f"{_name(host)} has {above} in the delegation, and {known} in the zone."
            )


def _differ(glue: tuple[Address, ...], addresses: tuple[Address, ...]) -> bool:
    """Tell whether the two differ in a family that is in the glue: not every zone gives both."""
    families = {each.version for each in glue}
    return set(glue) != {each for each in addresses if each.version in families}


def _lint_delegation(found: Survey, zone: Zone) -> Iterator[Finding]:
    """Compare the delegation with what the zone's own servers have as NS records."""
    own: set[str] = set()
    for voice in found.of(Standing.GOOD):
        told = voice.told.get("NS")
        if isinstance(told, Said) and told.authoritative:
            own |= {str(record) for record in told.records}
    above = set(zone.delegation)
    if not own or not above or own == above:
        return
    lines = [f"only above: {PeerText(name, MAX_NAME)}" for name in sorted(above - own)]
    lines += [f"only in the zone: {PeerText(name, MAX_NAME)}" for name in sorted(own - above)]
    yield rules.DELEGATION_DIFFERS.found(
        f"{zone.name} is delegated to {len(above)} servers and names {len(own)}, and"
        f" {len(above ^ own)} are not in both.",
        *lines[: 2 * _SHOWN],
    )


def _name(host: Host) -> PeerText:
    return PeerText(host.name, MAX_NAME)
