"""How does a field refer to a secret?

A ``*_file`` field names a file, and a plain field takes ``${VARIABLE}`` and nothing else. Both are
read once when the configuration is loaded, so that a missing secret is told then, and again
whenever they are used.
"""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic.functional_validators import BeforeValidator

from agent.settings.secret import MASK, Secret, SecretError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_INLINE = "is written in the file; write ${VARIABLE}, or name a file in %s_file"


def _readable(secret: Secret) -> Secret:
    """Return *secret*; raise ValueError where it cannot be read now."""
    try:
        secret.reveal()
    except SecretError as error:
        raise ValueError(str(error)) from None
    return secret


def _from_environment(value: Any, info: ValidationInfo) -> Secret:
    """Read ``${VARIABLE}``."""
    match = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(_INLINE % info.field_name)
    return _readable(Secret.from_environment(match[1]))


def _from_file(value: Any, info: ValidationInfo) -> Secret:
    """Read the path of a file, relative to the folder of the configuration."""
    if not isinstance(value, str) or not value:
        message = "is not a path"
        raise ValueError(message)
    folder = (info.context or {}).get("folder", Path())
    return _readable(Secret.from_file(folder / value))


def _masked(secret: Secret) -> str:
    """Write a reference where there is one to show, and never the value."""
    return MASK if secret.path is None else str(secret.path)


SecretVariable = Annotated[
    Any,
    BeforeValidator(_from_environment),
    PlainSerializer(_masked, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$"}),
]
SecretFile = Annotated[
    Any,
    BeforeValidator(_from_file),
    PlainSerializer(_masked, return_type=str),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
