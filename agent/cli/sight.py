"""May a command believe its resolver, or would it accuse a domain of what a gate says?

A resolver that knows no control name is behind the gate of a network, cut off, or serves a few
zones only, as one for tests does. Which of these it is, the names that the command is about tell: a
gate has no MX, TXT or SOA record for them. Where there is one it is believed, with a note; where
there is none nothing is known, and nobody is accused.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import chain
from typing import TYPE_CHECKING

import click

from agent.adapters.plans import drive
from agent.cli.looking import Looked
from agent.domain.control import CONTROL_NAMES, Sight, control
from agent.domain.finding import Finding, Outcome
from agent.domain.guess import Guess
from agent.domain.smart_host import find
from agent.probes.base import DNS_UNANSWERED

if TYPE_CHECKING:
    from agent.adapters.resolver import Resolver

_HINT = "Name one that sees the internet: --resolver ADDRESS."
_NOTE = "What it says does not exist may exist elsewhere."


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why what the resolver denies is in doubt, and the names of which nothing is known by it.

    ``cause`` is a sentence, empty where there is no doubt; ``said`` is what it stands on.
    """

    cause: str = ""
    said: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()

    @property
    def sentence(self) -> str:
        """What was seen and what to do, in one line."""
        return f"{self.cause} {_HINT}"

    def is_about(self, *names: Iterable[str]) -> bool:
        """Tell whether nothing is known of one of *names*, in groups."""
        return not self.names.isdisjoint(chain(*names))

    def tell(self, domains: tuple[str, ...] = ()) -> bool:
        """Write on the standard error why the resolver is not believed, or only in part.

        Return whether nothing is known of any of *domains*; where there are none, what is in doubt
        is told in its place, and not here.
        """
        is_blind = bool(domains) and self.names.issuperset(domains)
        if is_blind:
            click.echo(f"nothing is known of DNS: {self.sentence}", err=True)
        elif self.cause and not self.names:
            click.echo(f"note: {self.cause} {_NOTE}", err=True)
        return is_blind

    def finding(self) -> Finding:
        """Return what is to be said in place of all that was found."""
        return DNS_UNANSWERED.found(self.sentence, *self.said)


async def doubts(
    resolver: "Resolver", domains: tuple[str, ...], hosts: tuple[str, ...] = ()
) -> Doubt:
    """See whether *resolver* sees DNS, and if not, which *domains* and *hosts* it knows.

    Where there are none of either, DNS is not needed, and not asked.
    """
    names = (*domains, *hosts)
    if not names:
        return Doubt()
    sight = await drive(control(CONTROL_NAMES), resolver)
    cause = sight.trouble(tuple(each.address for each in resolver.stats.servers))
    if not cause:
        return Doubt()
    known = await asyncio.gather(
        *(_is_known(domain, resolver) for domain in domains),
        *(_has_address(host, sight, resolver) for host in hosts),
    )
    pairs = zip(names, known, strict=True)
    return Doubt(
        cause, tuple(sight.evidence()), frozenset(name for name, is_known in pairs if not is_known)
    )


async def _is_known(domain: str, resolver: "Resolver") -> bool:
    return (await drive(control((domain,)), resolver)).is_clear


async def _has_address(host: str, sight: Sight, resolver: "Resolver") -> bool:
    """Tell whether *host* has an address that is not the one that everything gets."""
    found = await drive(find(host), resolver)
    return any(str(place.address) not in sight.invented for place in found.places)


def is_name(host: str) -> bool:
    """Tell whether DNS is asked for *host*: it is no address, and no range of them."""
    try:
        ip_address(host)
    except ValueError:
        return "/" not in host and host != "localhost"
    return False


def unless_doubted(looked: Looked, doubt: Doubt) -> Looked:
    """Return what was seen of a domain, or that nothing is known where that is in *doubt*."""
    if looked.domain not in doubt.names:
        return looked
    unknown = unseen(doubt)
    nothing = Guess("custom", "nothing is known: the resolver does not see DNS")
    return replace(looked, guess=nothing, outcomes=dict.fromkeys(looked.outcomes, unknown))


def unseen(doubt: Doubt) -> Outcome:
    """Return the outcome of a check that could not see."""
    return Outcome((doubt.finding(),), failure="dependency-down")
