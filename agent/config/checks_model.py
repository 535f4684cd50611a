"""Which keys does a section ``checks`` have?

A key for each probe of a kind of subject: its settings, or the word ``off``.
"""

from typing import Annotated, Any, Final

from pydantic import Field, GetJsonSchemaHandler, PlainSerializer, create_model
from pydantic.functional_validators import BeforeValidator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from agent.probes.base import Probe
from agent.settings import CheckSettings, Settings

OFF: Final = "off"
Probes = tuple[Probe[Any, Any], ...]


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


def checks_model(name: str, probes: Probes) -> type[Settings]:
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


def of_kind(probes: Probes, kind: str) -> Probes:
    """Return the probes that look at subjects of *kind*."""
    return tuple(probe for probe in probes if probe.subject.kind == kind)
