"""How is the API described to programs?

Renders OpenAPI 3.1 from the operations and the shapes of their answers.
"""

import json
import types
from functools import cache
from importlib.metadata import version
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from agent.exposition import api_shapes as shapes
from agent.exposition.api_operations import OPERATIONS, Operation, Parameter

PATH = "docs/openapi.json"
JSON, PROBLEM = "application/json", "application/problem+json"
_SIMPLE = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_REFUSED = {
    "401": "There is a login, and who asks has not logged in.",
    "403": "Who asks may not see this.",
    "405": "There is nothing to write here.",
    "429": "Too much has been asked; Retry-After says when to come again.",
}
_ABOUT = (
    "What the pages say, for programs. Within version 1 keys are added, and none is taken away or"
    " means another thing. Every answer has a tag: If-None-Match saves an answer that is the same."
)


def render() -> str:
    """Return the description as it is committed, and served."""
    return json.dumps(described(), indent=2, ensure_ascii=False) + "\n"


@cache
def described() -> dict[str, Any]:
    """Return the description as plain data."""
    components = _Components()
    paths = {each.path: {"get": _operation(each, components)} for each in OPERATIONS}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mailflow-agent",
            "version": version("mailflow-agent"),
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"basic": []}, {"certificate": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.schemas.items())),
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "certificate": {"type": "mutualTLS"},
            },
        },
    }


def _operation(operation: Operation, components: "_Components") -> dict[str, Any]:
    problem = {PROBLEM: {"schema": components.of(shapes.Problem)}}
    refused = dict(_REFUSED)
    refused["400"] = "A parameter is wrong; errors says which, and what would be right."
    if operation.is_of_one:
        refused["404"] = "There is no such thing; a reload may have removed it."
    shape: dict[str, Any] = {"type": "object"}
    if operation.shape is not None:
        shape = components.of(operation.shape)
    return {
        "operationId": operation.name,
        "summary": operation.about,
        "parameters": [
            *(_place(name) for name in operation.places),
            *(_parameter(each) for each in operation.parameters),
        ],
        "responses": {
            "200": {
                "description": operation.about,
                "headers": {"ETag": {"schema": {"type": "string"}}},
                "content": {JSON: {"schema": shape}},
            },
            "304": {"description": "It is as the tag in If-None-Match says."},
            **{
                status: {"description": about, "content": problem}
                for status, about in sorted(refused.items())
            },
        },
    }


def _place(name: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.about,
        "schema": parameter.schema,
    }


class _Components:
    """The schemas that others refer to, by name."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}

    def of(self, kind: Any) -> dict[str, Any]:
        """Return the schema of a type."""
        origin, inside = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self._annotated(*inside)
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(each) for each in inside]}
        if origin in (list, dict, Literal):
            return self._made_of(origin, inside)
        if is_typeddict(kind):
            return self._reference(kind)
        return {} if kind is Any else {"type": _SIMPLE[kind]}

    def _made_of(self, origin: Any, inside: tuple[Any, ...]) -> dict[str, Any]:
        if origin is Literal:
            return {"type": "string", "enum": list(inside)}
        if origin is list:
            return {"type": "array", "items": self.of(inside[0])}
        return {"type": "object", "additionalProperties": self.of(inside[1])}

    def _annotated(self, kind: Any, *docs: shapes.Doc) -> dict[str, Any]:
        schema = self.of(kind)
        for doc in docs:
            schema = {**schema, "description": doc.text}
            if doc.format:
                schema["format"] = doc.format
        return schema

    def _reference(self, kind: Any) -> dict[str, Any]:
        name = kind.__name__
        if name not in self.schemas:
            self.schemas[name] = {}
            hints = get_type_hints(kind, include_extras=True)
            self.schemas[name] = {
                "type": "object",
                "description": (kind.__doc__ or "").strip(),
                "properties": {key: self.of(each) for key, each in hints.items()},
                "required": [key for key in hints if key in kind.__required_keys__],
            }
        return {"$ref": f"#/components/schemas/{name}"}
