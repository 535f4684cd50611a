"""Probes of the tests' own, so that expected messages do not change with the real ones."""

from datetime import timedelta
from typing import Any, Self

import pytest

from agent.domain.budget import Allowance
from agent.domain.finding import Outcome
from agent.probes.base import Check, Probe, Toolbox
from agent.settings import (
    AgentSubject,
    CheckSettings,
    ConnectorSubject,
    DomainSubject,
    Duration,
    Field,
    RouteSubject,
    TenantSubject,
    model_validator,
)


class SpfSettings(CheckSettings):
    """How SPF is judged."""

    warn_at_lookups: int = Field(default=9, ge=1, le=10, description="Lookups to warn at.")
    strict: bool = Field(default=False, description="Whether to be strict.")
    ratio: float = Field(default=0.5, gt=0, lt=1, description="A fraction.")


class RouteSettings(CheckSettings):
    """How often a route is walked."""

    interval: Duration = Field(
        default=timedelta(minutes=5), ge=timedelta(milliseconds=1500), description="Time between."
    )
    messages_per_minute: int | None = Field(default=None, ge=1, description="A rate of its own.")

    @property
    def allowance(self) -> Allowance | None:
        rate = self.messages_per_minute
        return None if rate is None else Allowance(rate, timedelta(minutes=1))

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.timeout > self.interval * 100:
            message = "timeout is more than a hundred intervals"
            raise ValueError(message)
        return self


async def run(check: Check[Any, Any], tools: Toolbox) -> Outcome:
    del check, tools
    return Outcome()


def unfit(subject: TenantSubject) -> str:
    return "" if subject.imports else "the tenant imports nothing"


PROBES: tuple[Probe[Any, Any], ...] = (
    Probe("connector", ConnectorSubject, CheckSettings, run, ()),
    Probe("loop", TenantSubject, CheckSettings, run, (), unfit=unfit),
    Probe("mta-sts", DomainSubject, CheckSettings, run, ()),
    Probe("route", RouteSubject, RouteSettings, run, ()),
    Probe("self", AgentSubject, CheckSettings, run, ()),
    Probe("spf", DomainSubject, SpfSettings, run, (), example="{interval: 10m}"),
)


@pytest.fixture(scope="session")
def probes() -> tuple[Probe[Any, Any], ...]:
    return PROBES
