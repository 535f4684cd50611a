"""Who does the agent log in as, and where is the secret?

Credentials are referred to by name. Their secrets are never in the file: a ``*_file`` field names a
file, and a plain field takes ``${VARIABLE}`` and nothing else. Both are read once when the file is
loaded, so that a missing secret is told then, and again whenever they are used.
"""

from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from agent.settings import (
    ClientId,
    Domain,
    Secret,
    SecretFile,
    SecretVariable,
    Settings,
    Tenant,
)


class _Credential(Settings):
    """What all kinds have: exactly one place for the secret."""

    secret_field: ClassVar[str] = ""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        name = self.secret_field
        if name and (getattr(self, name) is None) is (getattr(self, f"{name}_file") is None):
            message = f"needs exactly one of {name}_file and {name}"
            raise ValueError(message)
        return self

    @property
    def secret(self) -> Secret:
        """The one secret of the credential."""
        value = getattr(self, self.secret_field, None)
        found = getattr(self, f"{self.secret_field}_file") if value is None else value
        assert isinstance(found, Secret)  # noqa: S101 - says so to the type checker
        return found


class PasswordCredential(_Credential):
    """A user name and a password."""

    secret_field: ClassVar[str] = "password"  # noqa: S105 - the name of a field

    kind: Literal["password"] = Field(description="How to log in.")
    username: str = Field(min_length=1, max_length=254, description="Who logs in.")
    password: SecretVariable | None = Field(
        default=None, description="`${VARIABLE}` that holds the password."
    )
    password_file: SecretFile | None = Field(
        default=None, description="File that holds the password; relative to this file."
    )


Cloud = Literal["global", "us-government", "us-government-dod", "china"]


class _Entra(_Credential):
    """An application that is registered in Microsoft Entra."""

    cloud: Cloud = Field(default="global", description="The Microsoft cloud that the tenant is in.")
    tenant_id: Tenant = Field(description="Id or domain of the Microsoft 365 tenant.")
    client_id: ClientId = Field(description="Application (client) id.")


class ClientCredentials(_Entra):
    """An application with a client secret."""

    secret_field: ClassVar[str] = "client_secret"  # noqa: S105 - the name of a field

    kind: Literal["entra-client-credentials"] = Field(description="How to log in.")
    client_secret: SecretVariable | None = Field(
        default=None, description="`${VARIABLE}` that holds the client secret."
    )
    client_secret_file: SecretFile | None = Field(
        default=None, description="File that holds the client secret; relative to this file."
    )
    expires: date | None = Field(
        default=None,
        description="Day on which the client secret ends, as Entra shows it: it cannot be asked.",
    )

    @field_validator("expires", mode="before")
    @classmethod
    def _day(cls, value: Any) -> Any:
        try:
            return date.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            message = "is not a day; write it as 2027-06-30"
            raise ValueError(message) from None


class CertificateCredential(_Entra):
    """An application with a certificate."""

    secret_field: ClassVar[str] = "private_key"  # noqa: S105 - the name of a field

    kind: Literal["certificate"] = Field(description="How to log in.")
    certificate_file: SecretFile = Field(description="The certificate, PEM.")
    private_key: SecretVariable | None = Field(
        default=None, description="`${VARIABLE}` that holds the private key, PEM."
    )
    private_key_file: SecretFile | None = Field(
        default=None, description="File that holds the private key, PEM; relative to this file."
    )


class WorkloadIdentity(_Entra):
    """An application that is trusted through a token of the platform it runs on."""

    secret_field: ClassVar[str] = "token"  # noqa: S105 - the name of a field

    kind: Literal["workload-identity"] = Field(description="How to log in.")
    token: SecretVariable | None = Field(
        default=None, description="`${VARIABLE}` that holds the token."
    )
    token_file: SecretFile | None = Field(
        default=None, description="File that holds the token; relative to this file."
    )


class ManagedIdentity(Settings):
    """The identity that Azure gives the machine that the agent runs on."""

    kind: Literal["managed-identity"] = Field(description="How to log in.")
    cloud: Cloud = Field(default="global", description="The Microsoft cloud that the tenant is in.")
    client_id: ClientId | None = Field(
        default=None, description="Client id of a user-assigned identity; by default the system's."
    )


class DkimKey(_Credential):
    """A key to sign messages with (RFC 6376)."""

    secret_field: ClassVar[str] = "private_key"  # noqa: S105 - the name of a field

    kind: Literal["dkim-key"] = Field(description="What it is for.")
    domain: Domain = Field(description="The domain that signs, `d=`.")
    selector: str = Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$",
        description="The selector, `s=`, under which the public key is published.",
    )
    private_key: SecretVariable | None = Field(
        default=None, description="`${VARIABLE}` that holds the private key, PEM."
    )
    private_key_file: SecretFile | None = Field(
        default=None, description="File that holds the private key, PEM; relative to this file."
    )


class ClientCertificate(_Credential):
    """A certificate to show to SMTP servers in TLS, as the sending server does."""

    secret_field: ClassVar[str] = "private_key"  # noqa: S105 - the name of a field

    kind: Literal["client-certificate"] = Field(description="How to log in.")
    certificate_file: SecretFile = Field(
        description="The certificate and those above it, PEM; relative to this file."
    )
    private_key: SecretVariable | None = Field(
        default=None, description="`${VARIABLE}` that holds the private key, PEM."
    )
    private_key_file: SecretFile | None = Field(
        default=None, description="File that holds the private key, PEM; relative to this file."
    )


Credential = Annotated[
    PasswordCredential
    | ClientCredentials
    | CertificateCredential
    | ClientCertificate
    | WorkloadIdentity
    | ManagedIdentity
    | DkimKey,
    Field(discriminator="kind"),
]
ENTRA_KINDS = (
    "entra-client-credentials",
    "certificate",
    "workload-identity",
    "managed-identity",
)
