"""Which keys does the file as a whole have?

Sections are declared; what stands under ``checks`` comes from the probes, so that a new probe needs
no edit here. Settings of a check may stand at its subject, or for all subjects in the section
``checks`` of the file.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, GetJsonSchemaHandler, PlainSerializer, create_model
from pydantic.functional_validators import BeforeValidator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from agent.config.credentials import Credential
from agent.config.sections import AgentSection, BudgetSection, ResolverEntry, SinkSection
from agent.probes.base import Probe
from agent.settings import (
    AgentSubject,
    CheckSettings,
    ConnectorSubject,
    DomainSubject,
    Name,
    RouteSubject,
    Settings,
    Subject,
)

OFF: Final = "off"
Probes = tuple[Probe[Any, Any], ...]

SECTION_OF_KIND: Final[dict[str, tuple[str, type[Subject], str]]] = {
    "domain": ("domains", DomainSubject, "Mail domains."),
    "connector": ("connectors", ConnectorSubject, "Connectors, as Exchange Online has them."),
    "route": ("routes", RouteSubject, "Ways that mail takes, walked by synthetic messages."),
}
_AGENT: Final = AgentSubject.kind


class _Switch:
    """Lets the settings of a check be the word ``off``, which becomes None."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the word ``off`` in place of null."""
        schema = handler(core_schema)
        kept = [choice for choice in schema.get("anyOf", []) if choice.get("type") != "null"]
        return {"anyOf": [*kept, {"const": OFF}]}


def _switch(value: Any) -> Any:
    if value == OFF:
        return None
    if value is None:
        message = "is empty; write off, or a mapping of settings"
        raise ValueError(message)
    return value


def _on_or_off(settings: CheckSettings | None) -> Any:
    return OFF if settings is None else settings


def attribute(probe: Probe[Any, Any]) -> str:
    """Return the attribute that holds the settings of *probe* in a model of checks."""
    return "check_" + probe.kind.replace("-", "_")


def _checks_model(name: str, probes: Probes) -> type[Settings]:
    """Build the model of a ``checks`` section: a key for each probe."""
    fields: dict[str, Any] = {}
    for probe in probes:
        summary = (probe.settings.__doc__ or "").split("\n")[0]
        settings: Any = probe.settings
        switched = Annotated[
            settings | None,
            _Switch(),
            BeforeValidator(_switch),
            PlainSerializer(_on_or_off),
        ]
        # One settings object for all subjects that say nothing, however many there are.
        fields[attribute(probe)] = (
            switched,
            Field(
                default=probe.settings(),
                alias=probe.kind,
                description=f"{summary} Or `off`.",
            ),
        )
    return create_model(name, __base__=Settings, __doc__="Settings by probe.", **fields)


def _entry_model(subject: type[Subject], probes: Probes) -> type[Subject]:
    """Build the model of a subject in the file: what it is, and how it is checked."""
    title = subject.kind.capitalize()
    checks = _checks_model(f"{title}Checks", probes)
    return create_model(
        f"{title}Entry",
        __base__=subject,
        __doc__=subject.__doc__,
        checks=(
            checks,
            Field(default=checks(), description="Settings of single checks, or `off`."),
        ),
    )


@lru_cache(maxsize=4)
def file_model(probes: Probes) -> type[BaseModel]:
    """Build the model of the whole file for *probes*.

    Raises TypeError for a probe whose kind of subject has no section.
    """
    known = {*SECTION_OF_KIND, _AGENT}
    for probe in probes:
        if probe.subject.kind not in known:
            message = f"the probe {probe.kind} looks at a {probe.subject.kind}, which has no place"
            raise TypeError(message)
    subjects: dict[str, Any] = {}
    for kind, (section, subject, description) in SECTION_OF_KIND.items():
        entry = _entry_model(subject, of_kind(probes, kind))
        subjects[section] = (
            tuple[entry, ...],  # type: ignore[valid-type] # the type is made at run time
            Field(default=(), description=description),
        )
    tenant = create_model(
        "Tenant",
        __base__=Settings,
        __doc__="One Microsoft 365 organisation.",
        name=(Name, Field(description="Its name, as the `tenant` label has it.")),
        **subjects,
    )
    checks = _checks_model("Checks", probes)
    return create_model(
        "File",
        __base__=Settings,
        __doc__="The configuration of mailflow-agent.",
        **_sections(checks, tenant),
    )


def of_kind(probes: Probes, kind: str) -> Probes:
    """Return the probes that look at subjects of *kind*."""
    return tuple(probe for probe in probes if probe.subject.kind == kind)


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
