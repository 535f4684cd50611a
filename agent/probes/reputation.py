"""Are the domain, or the addresses that send its mail, on a blocklist?

Receivers ask DNS blocklists about the address that delivers and about the domains in a message.
Whoever is on a list by which many refuse has mail returned within minutes, and hears of it from the
bounces of others first.

No list is asked unless it is named in `lists`, because each has terms of use; docs/blocklists.md
has the well-known ones. Looked at are the addresses and networks among the domain's `senders`, and
the domain itself; never the addresses of Microsoft or another provider. A list is asked about its
own entries for tests first, so that one that refuses or does not answer is unknown and not taken
for good news. Answers are kept for as long as their time to live allows, and no list is asked more
often.
"""

import sys
from datetime import timedelta
from typing import Self

from agent.domain.blocklist import Asked
from agent.domain.finding import Outcome
from agent.domain.knowledge.topologies import TOPOLOGIES
from agent.domain.lookup import Plan
from agent.domain.reputation_lint import failure, lint
from agent.domain.reputation_report import SIGNALS, draw_facts, measure
from agent.domain.reputation_rules import RULES
from agent.domain.reputation_survey import survey
from agent.probes.base import Check, Probe, Toolbox
from agent.settings import (
    BlocklistSettings,
    CheckSettings,
    DomainSubject,
    Duration,
    Field,
    UnusableError,
    model_validator,
)


class ReputationSettings(CheckSettings):
    """Settings of a reputation check."""

    interval: Duration = Field(
        default=timedelta(hours=1),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )
    lists: tuple[BlocklistSettings, ...] = Field(
        default=(),
        strict=False,  # a list of YAML will do
        max_length=20,
        description="The blocklists to look into; without any there is no check. See"
        " docs/blocklists.md for names and terms.",
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [each.known.name for each in self.lists]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            message = f"names a list twice: {', '.join(twice)}"
            raise ValueError(message)
        return self


ReputationCheck = Check[DomainSubject, ReputationSettings]
_Unusable = tuple[tuple[str, str], ...]


async def run(check: ReputationCheck, tools: Toolbox) -> Outcome:
    """Ask the lists, and judge what they say where they say something new."""
    lists, unusable = _lists(check.settings)
    # A key that was rotated makes the memory void; an interned text is the same object again.
    told = (*(each.key for each in lists), *(why for _, why in unusable))
    owner = (check, *map(sys.intern, told))
    return await tools.recall.derive(check.identity, owner, lambda: _judge(check, lists, unusable))


def _lists(settings: ReputationSettings) -> tuple[tuple[Asked, ...], _Unusable]:
    """Return the lists to ask, and those whose key cannot be used."""
    lists, unusable = [], []
    for each in settings.lists:
        try:
            lists.append(each.asked(each.reveal()))
        except UnusableError as error:
            unusable.append((each.known.title, str(error)))
    return tuple(lists), tuple(unusable)


def _judge(check: ReputationCheck, lists: tuple[Asked, ...], unusable: _Unusable) -> Plan[Outcome]:
    target = check.target
    senders = target.senders or TOPOLOGIES[target.topology].senders
    found = yield from survey(check.subject, senders, lists)
    findings = lint(found, unusable)
    why = failure(found) or ("key-unusable" if unusable else "")
    return Outcome(findings, measure(found), draw_facts(found), why)


PROBE = Probe(
    kind="reputation",
    subject=DomainSubject,
    settings=ReputationSettings,
    run=run,
    rules=RULES,
    signals=SIGNALS,
    depends_on=("resolver",),
    is_idle=lambda settings: not settings.lists,
    example="{lists: [{list: spamhaus-zen}, {zone: bl.example.com, refuses: true}]}",
)
