"""As whom may the agent ask the identity provider for a token, and with what proof?

Secrets are no fields: they are read by a callable at the moment of use, so that one that was
rotated is used at the next token, and none lies about in memory. A callable may raise ValueError or
OSError where it cannot read, with words that do not quote the secret. None of these values shows a
secret in its repr.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

ENTRA = "https://login.microsoftonline.com"
"""The identity provider of the global cloud; login.microsoftonline.us and
login.partner.microsoftonline.cn are those of the national ones."""

Reads = Callable[[], str]


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """An application with a client secret, whose end only the operator knows."""

    tenant: str
    client_id: str
    secret: Reads = field(repr=False)
    secret_expires_at: datetime | None = None
    authority: str = ENTRA


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """An application that signs with the RSA key of a certificate; both are PEM."""

    tenant: str
    client_id: str
    certificate: Reads = field(repr=False)
    key: Reads = field(repr=False)
    authority: str = ENTRA


@dataclass(frozen=True, slots=True)
class WorkloadIdentity:
    """An application that trusts tokens of the platform the agent runs on.

    ``assertion`` reads the platform's token, which is replaced often.
    """

    tenant: str
    client_id: str
    assertion: Reads = field(repr=False)
    authority: str = ENTRA


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The identity that Azure gives to the machine; ``client_id`` where it has several."""

    client_id: str | None = None


Credential = ClientSecret | ClientCertificate | WorkloadIdentity | ManagedIdentity
