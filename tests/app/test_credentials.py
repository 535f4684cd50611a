"""Each kind of credential of the file becomes what its users need, and nothing is read before."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.adapters import token_credentials as entra
from agent.adapters.keyring import Application, Password, SigningKey
from agent.app.credentials import clouds, for_tokens, keys
from agent.config import build
from agent.domain.knowledge.microsoft_endpoints import ENDPOINTS

IDENTITY = "7f3c9d52-0a41-4c8e-9b1d-2f6e0c5a7b12"
TENANT = {
    "tenant_id": "contoso.onmicrosoft.com",
    "client_id": "7f3c9d52-0a41-4c8e-9b1d-2f6e0c5a7b11",
}
PAIR = {"certificate_file": "file", "private_key_file": "file"}
KINDS: dict[str, dict[str, Any]] = {
    "secret": {"kind": "entra-client-credentials", **TENANT, "client_secret_file": "file"},
    "ending": {
        "kind": "entra-client-credentials",
        **TENANT,
        "client_secret_file": "file",
        "expires": "2027-06-30",
    },
    "certificate": {"kind": "certificate", **TENANT, **PAIR, "cloud": "china"},
    "platform": {
        "kind": "workload-identity",
        **TENANT,
        "token_file": "file",
        "cloud": "us-government",
    },
    "machine": {"kind": "managed-identity", "client_id": IDENTITY},
    "mail": {"kind": "password", "username": "me", "password_file": "file"},
    "key": {
        "kind": "dkim-key",
        "domain": "contoso.com",
        "selector": "s1",
        "private_key_file": "file",
    },
    "shown": {"kind": "client-certificate", **PAIR},
}


@pytest.fixture
def credentials(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "file").write_text("canary-hunter2")
    (tmp_path / "file").chmod(0o600)
    return dict(build({"credentials": KINDS}, folder=tmp_path).credentials)


def test_each_application_has_the_endpoints_of_its_cloud(credentials: dict[str, Any]) -> None:
    assert clouds(credentials) == {
        "secret": ENDPOINTS["global"],
        "ending": ENDPOINTS["global"],
        "certificate": ENDPOINTS["china"],
        "platform": ENDPOINTS["us-government"],
        "machine": ENDPOINTS["global"],
    }


def test_tokens_are_got_with_what_the_file_says(credentials: dict[str, Any]) -> None:
    found = for_tokens(credentials, clouds(credentials))
    secret, ending, certificate = found["secret"], found["ending"], found["certificate"]
    assert isinstance(secret, entra.ClientSecret)
    assert isinstance(ending, entra.ClientSecret)
    assert isinstance(certificate, entra.ClientCertificate)
    assert secret.authority == "https://login.microsoftonline.com"
    assert secret.secret_expires_at is None
    assert ending.secret_expires_at == datetime(2027, 6, 30, tzinfo=UTC)
    assert certificate.authority == "https://login.partner.microsoftonline.cn"
    assert isinstance(found["platform"], entra.WorkloadIdentity)
    assert found["machine"] == entra.ManagedIdentity(IDENTITY)
    assert "canary" not in repr(found)


def test_servers_are_logged_in_to_with_passwords_and_tokens(credentials: dict[str, Any]) -> None:
    found = keys(credentials, clouds(credentials))
    assert found.keys() == KINDS.keys() - {"shown"}
    mail, key, platform = found["mail"], found["key"], found["platform"]
    assert isinstance(mail, Password)
    assert isinstance(key, SigningKey)
    assert (mail.username, mail.read()) == ("me", "canary-hunter2")
    assert (key.domain, key.selector, key.read()) == ("contoso.com", "s1", "canary-hunter2")
    assert platform == Application("https://outlook.office365.us/.default")
    assert "canary" not in repr(found)
