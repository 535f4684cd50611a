"""Which keys does the file as a whole have?

Sections are declared; what stands under ``checks`` comes from the probes, so that a new probe needs
no edit here. Settings of a check may stand at its subject, or for all subjects in the section
``checks`` of the file.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, Field, create_model

from agent.config.checks_model import OFF, Probes, attribute, checks_model, of_kind
from agent.config.credentials import Credential
from agent.config.sections import AgentSection, BudgetSection, ResolverEntry, SinkSection
from agent.config.tenant_model import SECTION_OF_KIND, tenant_model
from agent.settings import AgentSubject, Name, Settings, TenantSubject

__all__ = ["OFF", "SECTION_OF_KIND", "Probes", "attribute", "file_model", "of_kind"]

_PLACED = {*SECTION_OF_KIND, AgentSubject.kind, TenantSubject.kind}


@lru_cache(maxsize=4)
def file_model(probes: Probes) -> type[BaseModel]:
    """Build the model of the whole file for *probes*.

    Raises TypeError for a probe whose kind of subject has no section.
    """
    for probe in probes:
        if probe.subject.kind not in _PLACED:
            message = f"the probe {probe.kind} looks at a {probe.subject.kind}, which has no place"
            raise TypeError(message)
    return create_model(
        "File",
        __base__=Settings,
        __doc__="The configuration of mailflow-agent.",
        **_sections(checks_model("Checks", probes), tenant_model(probes)),
    )


def _sections(checks: type[Settings], tenant: type[Settings]) -> dict[str, Any]:
    """Return the sections of the file in the order in which people want to read them."""

    def section(model: type[Settings], description: str) -> tuple[Any, Any]:
        made: Callable[[], Settings] = model
        return (model, Field(default=made(), description=description))

    return {
        "agent": section(AgentSection, "The agent itself."),
        "resolvers": (
            tuple[ResolverEntry, ...],
            Field(
                default=("system",),
                min_length=1,
                description="DNS resolvers: `system`, or addresses with an optional port.",
            ),
        ),
        "credentials": (
            dict[Name, Credential],
            Field(default_factory=dict, description="Who the agent logs in as, by name."),
        ),
        "sink": section(SinkSection, "The agent's own SMTP server."),
        "budget": section(BudgetSection, "How many synthetic messages may be sent."),
        "checks": section(checks, "Settings for all subjects, by probe."),
        "tenants": (
            tuple[tenant, ...],  # type: ignore[valid-type] # the type is made at run time
            Field(default=(), description="Microsoft 365 organisations, and what to watch there."),
        ),
    }
