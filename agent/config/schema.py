"""Which keys and values may stand where? For editors, and for errors that help.

The JSON Schema of the file, from the same model that reads it.
"""

from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from agent.config.errors import child
from agent.config.model import Probes, file_model
from agent.probes.base import discover
from agent.settings import write_duration

DRAFT = "http://json-schema.org/draft-07/schema#"  # the one that editors know
TITLE = "Configuration of mailflow-agent"


def schema(probes: Probes | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a configuration file, for all probes or for *probes*."""
    model = file_model(discover() if probes is None else probes)
    described = model.model_json_schema(schema_generator=_AsWritten)
    _strip_titles(described)
    return {"$schema": DRAFT, "title": TITLE, **described}


class _AsWritten(GenerateJsonSchema):
    """Writes defaults the way an operator would."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave out defaults that are sections: their keys have their own."""
        if isinstance(schema.get("default"), BaseModel):
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def encode_default(self, dft: Any) -> Any:
        """Return a default as it would stand in the file."""
        return as_written(dft)


def as_written(value: Any) -> Any:
    """Return a value of a setting as plain data, the way that it stands in a file."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, tuple):
        return [as_written(item) for item in value]
    if isinstance(value, dict):
        return {str(key): as_written(item) for key, item in value.items()}
    if hasattr(value, "total_seconds"):
        return write_duration(value)
    return str(value)


def _strip_titles(node: Any) -> None:
    """Remove the titles that pydantic makes up from names, from *node* and below."""
    stack = [node]
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            if isinstance(here.get("title"), str):
                del here["title"]
            stack.extend(here.values())
        elif isinstance(here, list):
            stack.extend(here)


class Guide:
    """Answers what is allowed at a path of the file, from its schema."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._schema = model.model_json_schema(schema_generator=_AsWritten)

    def keys(self, path: tuple[str | int, ...], data: object) -> tuple[str, ...]:
        """Return the keys that the mapping at *path* of *data* may have."""
        return tuple(self._at(path, data).get("properties", {}))

    def description(self, path: tuple[str | int, ...], data: object) -> str:
        """Return the description of the key that *path* ends in; empty where there is none."""
        above = self._at(path[:-1], data).get("properties", {})
        return str(above.get(path[-1], {}).get("description", "")) if path else ""

    def _at(self, path: tuple[str | int, ...], data: object) -> dict[str, Any]:
        """Follow *path*, choosing between the kinds of a credential by its *data*."""
        node = self._schema
        for part in path:
            data = child(data, part)
            node = self._resolve(self._step(node, part), data)
        return node

    def _step(self, node: dict[str, Any], part: str | int) -> dict[str, Any]:
        if isinstance(part, int):
            found = node.get("items", {})
        else:
            found = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
            found = found or next(iter(node.get("patternProperties", {}).values()), {})
        return found if isinstance(found, dict) else {}

    def _resolve(self, node: dict[str, Any], data: object) -> dict[str, Any]:
        """Follow references and choices down to a schema with properties or items."""
        if "discriminator" in node:
            mapping = node["discriminator"]["mapping"]
            kind = data.get("kind") if isinstance(data, dict) else None
            node = {"$ref": mapping.get(kind, next(iter(mapping.values())))}
        for choice in node.get("anyOf", ()):
            if "$ref" in choice:
                node = choice
        if "oneOf" in node and "discriminator" not in node:  # a list, or a mapping in its place
            is_mapping = isinstance(data, dict)
            node = next(each for each in node["oneOf"] if ("$ref" in each) is is_mapping)
        if "$ref" in node:
            found = self._schema["$defs"][node["$ref"].rpartition("/")[2]]
            assert isinstance(found, dict)  # noqa: S101 - says so to the type checker
            return found
        return node


@lru_cache(maxsize=4)
def guide_to(probes: Probes) -> Guide:
    """Return the guide to a file for *probes*; made once, after the first mistake."""
    return Guide(file_model(probes))
