"""Which messages that concern a tenant come back to where they were?

All of :mod:`agent.domain.tenancy.loop_messages` are followed once, and who asks for the findings
and who asks for the picture get the same answer for as long as nothing changes.
"""

from dataclasses import dataclass

from agent.domain.tenancy.journey import travel
from agent.domain.tenancy.journey_values import Journey, Loop
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.loop_messages import Trial, trials
from agent.domain.tenancy.ways import Ways


@dataclass(frozen=True, slots=True)
class Round:
    """A trial whose way is a loop."""

    trial: Trial
    journey: Journey
    loop: Loop


def looping(tenancy: Tenancy, ways: Ways) -> tuple[Round, ...]:
    """Return the trials of a tenant that go round; other ways are not kept."""
    return ways.once(_looping, tenancy)


def _looping(tenancy: Tenancy, ways: Ways) -> tuple[Round, ...]:
    found = []
    for trial in trials(tenancy, ways.landscape, ways):
        journey = travel(trial.message, ways.landscape, ways)
        if journey.end.loop is not None:
            found.append(Round(trial, journey, journey.end.loop))
    return tuple(found)
