"""How are a domain as it is and as it would be looked at side by side?

By the same probes, with tools that see the one and the other; and by the plans that compare who
takes the domain's mail, who sends it, and whom its SPF record lets pass.
"""

import asyncio
from dataclasses import dataclass

from agent.cli.draw_simulation import Simulation
from agent.cli.looking import guessed, look, public_probes
from agent.domain.guess import Guess, with_declared
from agent.domain.knowledge.topologies import TOPOLOGIES
from agent.domain.own_senders import OwnSenders, own_senders
from agent.domain.planned import Change
from agent.domain.simulation import fates, losses, mail, selectors_to_declare
from agent.domain.spf_dropped import Dropped, dropped, reach, results, samples
from agent.domain.spf_terms import Result
from agent.domain.takers import Standard, standard, takers
from agent.probes.base import Toolbox

_UNSAID = (
    "DNS could not say all of whom SPF lets pass, before or after: the change may drop more than is"
    " told here."
)


@dataclass(frozen=True, slots=True)
class Declared:
    """What an operator says of the domain.

    Who sends, the selectors that keys are planned for, and the topology that it is to have; empty
    where nothing is said.
    """

    senders: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    topology: str = ""


async def simulate(
    name: str, now: Toolbox, then: Toolbox, changes: tuple[Change, ...], declared: Declared
) -> Simulation:
    """Look at *name* by the tools that see the world as it is, and as it would be."""
    guesses = await asyncio.gather(guessed(name, now), guessed(name, then))
    held = await _standard(name, now, then, guesses, declared.topology)
    # Whoever is dropped from SPF goes on sending, for all that anybody knows.
    named = tuple(one for each in (*guesses, held.expected) for one in each.senders)
    profile = TOPOLOGIES.get(declared.topology)
    if profile is not None:
        named = with_declared(named, profile.senders)
    senders = with_declared(declared.senders, named)
    present = with_declared(declared.senders, guesses[0].senders)
    own = await _own(name, now, then)
    everybody = with_declared(senders, own.senders)
    # Of a domain that is to send no more it is told who loses mail, and no record is asked for.
    is_to_send = profile is None or profile.sends
    wanted = senders if is_to_send else with_declared(declared.senders, ())
    selectors = selectors_to_declare(declared.selectors, senders)
    probes = public_probes()
    (before,), (after,), was, becomes, (gone, doubts) = await asyncio.gather(
        look((name,), now, probes, senders=present),
        look(
            (name,),
            then,
            probes,
            "planned",
            expected=held.expected,
            senders=wanted,
            dkim_selectors=selectors,
        ),
        now.recall.derive(f"{name}#mail", None, lambda: mail(name, everybody, ())),
        then.recall.derive(f"{name}#mail", None, lambda: mail(name, everybody, selectors)),
        _dropped(name, now, then),
    )
    found = fates(was, becomes)
    lost = losses(gone, found, becomes)
    return Simulation(
        name, changes, before, after, found, lost, held, declared.topology, own.more, doubts
    )


async def _standard(
    name: str, now: Toolbox, then: Toolbox, guesses: tuple[Guess, Guess], meant: str
) -> Standard:
    was, becomes = await asyncio.gather(
        *(each.recall.derive(f"{name}#takers", None, lambda: takers(name)) for each in (now, then))
    )
    return standard(guesses[0], guesses[1], was, becomes, meant)


async def _own(name: str, now: Toolbox, then: Toolbox) -> OwnSenders:
    """Return the servers that either record names."""
    before, after = await asyncio.gather(
        *(
            each.recall.derive(f"{name}#own", None, lambda: own_senders(name))
            for each in (now, then)
        )
    )
    return before | after


async def _dropped(
    name: str, now: Toolbox, then: Toolbox
) -> tuple[tuple[Dropped, ...], tuple[str, ...]]:
    """Return what SPF lets pass now and would not then, and what is not known of it."""
    old, new = await asyncio.gather(
        *(each.recall.derive(f"{name}#reach", None, lambda: reach(name)) for each in (now, then))
    )
    if old == new:
        return (), ((_UNSAID,) if old.is_silent else ())
    chosen = samples(old, new)
    addresses = tuple(dict.fromkeys(ip for each in chosen.values() for ip in each))
    was, becomes = await asyncio.gather(
        *(
            each.recall.derive(f"{name}#samples", addresses, lambda: results(name, addresses))
            for each in (now, then)
        )
    )
    is_unsure = old.is_silent or new.is_silent
    is_unsure |= Result.TEMPERROR in {*was.values(), *becomes.values()}
    return dropped(old, new, chosen, was, becomes), ((_UNSAID,) if is_unsure else ())
