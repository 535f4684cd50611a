"""How does a command look at domains of which it knows the name?

Every probe that needs no more than that is run, all at once. What a domain is held against is
guessed from its records.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import click

from agent.adapters.uncollected import uncollected
from agent.domain.finding import Outcome, Severity
from agent.domain.guess import Guess, guess, with_declared
from agent.domain.names import DomainName
from agent.domain.priority import Item, prioritise
from agent.probes.base import Check, Probe, Toolbox, discover
from agent.runtime.board import Run
from agent.runtime.dependencies import Dependencies
from agent.runtime.runner import Runner
from agent.settings import DomainSubject

Probes = tuple[Probe[Any, Any], ...]
_PAST = "changes"  # the title of what is remembered, which a single look has nothing of


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of one domain: what it looks like, and an outcome for each probe, by kind.

    ``left_out`` are senders that its records name, and another declared one takes the place of.
    """

    domain: str
    guess: Guess
    outcomes: Mapping[str, Outcome]
    left_out: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """The worst of them."""
        return max(outcome.severity for outcome in self.outcomes.values())

    @property
    def items(self) -> tuple[Item, ...]:
        """What to mend, in this order."""
        return prioritise({kind: outcome.findings for kind, outcome in self.outcomes.items()})


def public_probes() -> Probes:
    """Return the probes for which the name of a domain and public data are enough."""
    return tuple(
        probe
        for probe in discover()
        if probe.one_off is not None and probe.subject is DomainSubject
    )


def read_names(domains: tuple[str, ...]) -> tuple[str, ...]:
    """Read names of domains. Raises UsageError, which tells every one that is wrong."""
    names, wrong = [], []
    for domain in domains:
        try:
            names.append(DomainName.parse(domain).ascii)
        except ValueError as error:
            wrong.append(f"{domain!r} {error}")
    if wrong:
        raise click.UsageError("\n       ".join(wrong))
    return tuple(dict.fromkeys(names))


def subject_of(name: str, guessed: Guess, **declared: tuple[str, ...]) -> DomainSubject:
    """Return what to expect of a stranger's domain.

    Senders that are *declared* come to those of the guess; all else wins over it.
    """
    fields: dict[str, Any] = {"exchanges": guessed.exchanges}
    fields |= {key: value for key, value in declared.items() if value}
    fields["senders"] = with_declared(declared.get("senders", ()), guessed.senders)
    return DomainSubject.model_validate({"name": name, "topology": guessed.topology, **fields})


async def look(  # noqa: PLR0913 - options of one look, by keyword
    names: tuple[str, ...],
    tools: Toolbox,
    probes: Probes,
    tenant: str = "",
    *,
    on_run: Callable[[Run], None] = lambda _: None,
    expected: Guess | None = None,
    **declared: tuple[str, ...],
) -> tuple[Looked, ...]:
    """Run *probes* on all domains at once; what is *declared* holds for each of them.

    Two looks by tools with the same history are told apart by *tenant*. What is *expected* takes
    the place of what a domain looks like, and is what it is held against.
    """
    done: dict[str, dict[str, Outcome]] = {name: {} for name in names}

    def publish(run: Run) -> None:
        facts = {key: fact for key, fact in run.outcome.facts.items() if key != _PAST}
        done[run.check.subject][run.check.probe.kind] = replace(run.outcome, facts=facts)
        on_run(run)

    runner = Runner(tools, publish, Dependencies(()))
    guesses: dict[str, Guess] = {}
    left_out: dict[str, tuple[str, ...]] = {}

    async def look_at(name: str) -> None:
        guesses[name] = await guessed(name, tools)
        subject = subject_of(name, expected or guesses[name], **declared)
        left_out[name] = tuple(one for one in guesses[name].senders if one not in subject.senders)
        for wave in _waves(probes):
            await asyncio.gather(*(runner.run(one_off(subject, probe, tenant)) for probe in wave))

    with uncollected():
        await asyncio.gather(*map(look_at, names))
    return tuple(
        Looked(name, guesses[name], dict(sorted(done[name].items())), left_out[name])
        for name in names
    )


def _waves(probes: Probes) -> tuple[Probes, Probes]:
    """Put those last that compare what others of *probes* have noted."""
    kinds = {probe.kind for probe in probes}
    late = tuple(probe for probe in probes if not kinds.isdisjoint(probe.after))
    return tuple(probe for probe in probes if probe not in late), late


async def guessed(name: str, tools: Toolbox) -> Guess:
    """Return what *name* looks like, by the DNS that *tools* see."""
    return await tools.recall.derive(f"{name}#guess", None, lambda: guess(name))


def one_off(subject: DomainSubject, probe: Probe[Any, Any], tenant: str) -> Check[Any, Any]:
    """Return a single look at *subject*."""
    return Check(tenant, subject, probe, probe.one_off or probe.settings())
