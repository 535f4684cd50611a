"""A canary in every place where a secret may be: it must not be seen anywhere."""

import base64
import pickle
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest

from agent.config import Config, ConfigError, load
from agent.config.model import Probes

CANARY = "c4n4ry/ ñ+%7"
FORMS = (
    CANARY,
    quote(CANARY),
    base64.b64encode(CANARY.encode()).decode(),
    CANARY.encode().hex(),
    CANARY.encode("unicode_escape").decode(),
)

IDS = "tenant_id: contoso.com, client_id: 7f3c9d52-0a41-4c8e-9b1d-2f6e0c5a7b10"
CREDENTIALS = f"""\
credentials:
  mailer: {{kind: password, username: probe, password_file: secret}}
  second: {{kind: password, username: probe, password: "${{MAILFLOW_TEST_CANARY}}"}}
  graph: {{kind: entra-client-credentials, {IDS}, client_secret_file: secret}}
  certificate:
    {{kind: certificate, {IDS}, certificate_file: secret, private_key_file: secret}}
  workload: {{kind: workload-identity, {IDS}, token_file: secret}}
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAILFLOW_TEST_CANARY", CANARY)
    secret = tmp_path / "secret"
    secret.write_text(CANARY + "\n", encoding="utf-8")
    secret.chmod(0o600)
    path = tmp_path / "config.yaml"
    path.write_text(CREDENTIALS, encoding="utf-8")
    return path


@pytest.fixture
def config(path: Path, probes: Probes) -> Config:
    return load(path, probes=probes)


def hits(text: str) -> list[str]:
    return [form for form in FORMS if form in text]


def test_the_canary_would_be_seen() -> None:
    assert all(hits(f"x{form}x") for form in FORMS)


def test_every_kind_of_credential_reveals_its_secret_when_asked(config: Config) -> None:
    assert {
        name: each.secret.reveal() for name, each in config.credentials.items()
    } == dict.fromkeys(("mailer", "second", "graph", "certificate", "workload"), CANARY)


def test_no_form_of_a_configuration_shows_a_secret(config: Config) -> None:
    for text in (config.shown(), repr(config), str(config), repr(config.file), f"{config}"):
        assert hits(text) == []
    assert "password: '********'" in config.shown() or 'password: "********"' in config.shown()


def test_a_secret_is_not_pickled(config: Config) -> None:
    with pytest.raises(TypeError, match="cannot be pickled") as caught:
        pickle.dumps(config.credentials["second"])
    assert hits("".join(traceback.format_exception(caught.value))) == []


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("{kind: password, username: p, password: %s}", id="inline"),
        pytest.param("{kind: password, username: p, pasword: %s}", id="misspelt key"),
        pytest.param("{kind: password, username: p, password_file: %s}", id="in place of a path"),
        pytest.param("{kind: password, username: [%s]}", id="in a list"),
        pytest.param("{kind: entra-client-credentials, client_id: %s}", id="as an id"),
        pytest.param("{kind: certificate, private_key: {a: %s}}", id="in a mapping"),
        pytest.param("%s", id="in place of a credential"),
        pytest.param("{kind: password, password: [%s}", id="in broken YAML"),
        pytest.param('{kind: password, password: "%s\\0"}', id="with a control character"),
    ],
)
def test_no_error_shows_what_may_be_a_secret(path: Path, probes: Probes, line: str) -> None:
    canary = "c4n4ry-c4n4ry"
    path.write_text(f"credentials:\n  mailer: {line % canary}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, probes=probes)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.problems)
    assert canary not in told


def test_a_secret_that_everybody_may_read_is_worth_a_warning(path: Path, probes: Probes) -> None:
    (path.parent / "secret").chmod(0o644)
    first, *_ = load(path, probes=probes).warnings
    assert str(first) == (
        f"{path}:2: credentials.mailer.password_file: {path.parent}/secret can be read by every"
        " user of this machine; chmod 600"
    )


def test_a_secret_that_was_changed_on_disk_is_used_at_once(config: Config, path: Path) -> None:
    (path.parent / "secret").write_text("other\r\n", encoding="utf-8")
    assert config.credentials["mailer"].secret.reveal() == "other"
