"""What do the credentials of the configuration mean to those who use them?"""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from agent.adapters import token_credentials as entra
from agent.adapters.keyring import Application, Key, Password, SigningKey
from agent.config.credentials import (
    CertificateCredential,
    ClientCredentials,
    DkimKey,
    ManagedIdentity,
    PasswordCredential,
    WorkloadIdentity,
)
from agent.domain.knowledge.microsoft_endpoints import ENDPOINTS, Endpoints

_ENTRA = (ClientCredentials, CertificateCredential, WorkloadIdentity, ManagedIdentity)


def clouds(credentials: Mapping[str, Any]) -> dict[str, Endpoints]:
    """Return the endpoints of the cloud of each credential of Entra."""
    return {
        name: ENDPOINTS[each.cloud]
        for name, each in credentials.items()
        if isinstance(each, _ENTRA)
    }


def for_tokens(
    credentials: Mapping[str, Any], clouds: Mapping[str, Endpoints]
) -> dict[str, entra.Credential]:
    """Return the credentials that tokens are got with; secrets are read when they are used."""
    return {name: _entra(credentials[name], cloud.authority) for name, cloud in clouds.items()}


def _entra(credential: Any, authority: str) -> entra.Credential:
    match credential:
        case ClientCredentials():
            ends = credential.expires
            return entra.ClientSecret(
                credential.tenant_id,
                credential.client_id,
                credential.secret.reveal,
                None if ends is None else datetime.combine(ends, time(), UTC),
                authority,
            )
        case CertificateCredential():
            return entra.ClientCertificate(
                credential.tenant_id,
                credential.client_id,
                credential.certificate_file.reveal,
                credential.secret.reveal,
                authority,
            )
        case WorkloadIdentity():
            return entra.WorkloadIdentity(
                credential.tenant_id, credential.client_id, credential.secret.reveal, authority
            )
    return entra.ManagedIdentity(credential.client_id)


def keys(credentials: Mapping[str, Any], clouds: Mapping[str, Endpoints]) -> dict[str, Key]:
    """Return what servers are logged in to with, and what messages are signed with."""
    found: dict[str, Key] = {name: Application(cloud.mail_scope) for name, cloud in clouds.items()}
    for name, each in credentials.items():
        if isinstance(each, PasswordCredential):
            found[name] = Password(each.username, each.secret.reveal)
        elif isinstance(each, DkimKey):
            found[name] = SigningKey(each.domain, each.selector, each.secret.reveal)
    return found
