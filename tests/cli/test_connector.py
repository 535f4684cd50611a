"""Connectors and servers are walked from the command line, judged as the daemon judges them."""

import json
from pathlib import Path

import pytest

from servers.program import mailflow_agent
from servers.smtp import Mailbox, real_server
from servers.tls import Authorities

RECIPIENT = "probe@example.net"
STRANGER = "relay-test@example.org"


@pytest.fixture(scope="module")
def authorities() -> Authorities:
    return Authorities()


@pytest.fixture
def root(authorities: Authorities, tmp_path: Path) -> str:
    path = tmp_path / "root.pem"
    path.write_bytes(authorities.known.cert_pem.bytes())
    return str(path)


async def test_a_server_is_walked_without_configuration(
    authorities: Authorities, root: str
) -> None:
    async with real_server(Mailbox(), authorities.server("mx.example.net")) as port:
        ended = await mailflow_agent(
            *("smtp", f"127.0.0.1:{port}", "--tls-settings", "domain-validation"),
            *("--tls-domain", "mx.example.net", "--trust", root, "--rcpt-to", RECIPIENT),
        )
    assert ended.out.splitlines()[0] == f"✓ ok       127.0.0.1:{port}", ended.out
    assert "deliver it over TLSv1.3" in ended.out
    assert f"> RCPT TO:<{RECIPIENT}>" in ended.out
    assert (ended.code, ended.err) == (0, "")


async def test_faults_are_told_with_their_remedies(authorities: Authorities) -> None:
    mailbox = Mailbox(recipients=(RECIPIENT, STRANGER))
    async with real_server(mailbox, authorities.server("mx.example.net")) as port:
        ended = await mailflow_agent(
            *("smtp", f"127.0.0.1:{port}", "--tls-settings", "domain-validation", "--try-relay"),
            *("--tls-domain", "mail.contoso.com", "--rcpt-to", RECIPIENT, "--json"),
        )
    (seen,) = json.loads(ended.out)
    assert {finding["rule"] for finding in seen["findings"]} == {
        "connector-certificate-untrusted",
        "connector-certificate-name-mismatch",
        "connector-open-relay",
    }
    assert all(finding["remedy"] for finding in seen["findings"])
    assert ended.code == 2


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(
        "tenants:\n  - name: contoso\n    connectors:\n"
        "      - {name: one, smart_hosts: ['127.0.0.1:1']}\n"
        "      - {name: two, smart_hosts: ['127.0.0.1:1']}\n"
    )
    return path


async def test_connectors_of_the_file_are_walked_by_name(config: Path) -> None:
    one = await mailflow_agent("connector", "one", "--config", str(config), "--brief")
    assert one.out.splitlines()[0] == "✗ critical one"
    assert "450 4.4.316 Connection refused" in one.out
    assert "two" not in one.out
    everything = await mailflow_agent("connector", "--config", str(config), "--json")
    assert [each["connector"] for each in json.loads(everything.out)] == ["one", "two"]
    assert (one.code, everything.code) == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["smtp", "a..b"], "HOST 'a..b'", id="host"),
        pytest.param(["smtp", "a.b", "--rcpt-to", "x"], "--rcpt-to 'x' is not a mail", id="rcpt"),
        pytest.param(["smtp", "a.b", "--tls-domain", "a.b"], "tls_domain is only used", id="name"),
        pytest.param(["smtp", "a.b", "--timeout", "0"], "--timeout", id="timeout"),
        pytest.param(["smtp", "a.b", "--trust", __file__], "--trust: holds no", id="trust"),
        pytest.param(["connector", "tow"], "has no connector 'tow' (did you mean", id="near"),
        pytest.param(["connector", "xyz"], "there is: one, two", id="what there is"),
    ],
)
async def test_a_mistake_is_told_with_what_would_be_right(
    arguments: list[str], complaint: str, config: Path
) -> None:
    ended = await mailflow_agent(*arguments, cwd=config.parent)
    assert complaint in ended.err, ended.err
    assert (ended.code, ended.out) == (64, "")


async def test_a_file_without_connectors_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("tenants: []\n")
    ended = await mailflow_agent("connector", cwd=tmp_path)
    assert "config.yaml has no connector that is checked" in ended.err
    assert ended.code == 64
