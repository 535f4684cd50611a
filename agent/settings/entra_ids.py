"""Which tenant, and which application, as Microsoft Entra names them?

An id that is cut short, or a name in its place, is refused when the file is read: Entra would only
say at the first login that it does not know it.
"""

import re
from typing import Annotated, Any

from pydantic import WithJsonSchema
from pydantic.functional_validators import BeforeValidator

from agent.domain.names import DomainName

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EXAMPLE = "7f3c9d52-0a41-4c8e-9b1d-2f6e0c5a7b10"


def _lowered(value: Any) -> str:
    """Return text in lower case, as Entra compares ids."""
    if not isinstance(value, str):
        message = "is not text; put it in quotes"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueError only
    if "${" in value:
        message = "only secrets may come from the environment; write the value"
        raise ValueError(message)
    return value.lower()


def _guid(value: Any, complaint: str) -> str:
    text = _lowered(value)
    if not _GUID.fullmatch(text):
        raise ValueError(complaint)
    return text


def _tenant_id(value: Any) -> str:
    """Read the id of a tenant."""
    return _guid(
        value,
        f"is not the id of a tenant; write it as {_EXAMPLE}:"
        " it is the Tenant ID in Entra > Overview",
    )


def _tenant(value: Any) -> str:
    """Read the id of a tenant, or a domain that is verified in it."""
    text = _lowered(value)
    if _GUID.fullmatch(text):
        return text
    try:
        return DomainName.parse(text).ascii
    except ValueError:
        message = (
            f"is neither the id of a tenant, such as {_EXAMPLE}, nor one of its domains, such as"
            " contoso.onmicrosoft.com; both are in Entra > Overview"
        )
        raise ValueError(message) from None


def _client_id(value: Any) -> str:
    """Read the id of an application, or of an identity."""
    return _guid(
        value,
        f"is not the id of an application; write it as {_EXAMPLE}: it is the Application"
        " (client) ID in Entra > App registrations > your application > Overview",
    )


_GUID_PATTERN = r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_DOMAIN_PATTERN = r"[^.\s]+(\.[^.\s]+)+\.?"
_GUID_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^{_GUID_PATTERN}$"})
TenantId = Annotated[str, BeforeValidator(_tenant_id), _GUID_SCHEMA]
ClientId = Annotated[str, BeforeValidator(_client_id), _GUID_SCHEMA]
Tenant = Annotated[
    str,
    BeforeValidator(_tenant),
    WithJsonSchema({"type": "string", "pattern": f"^({_GUID_PATTERN}|{_DOMAIN_PATTERN})$"}),
]
