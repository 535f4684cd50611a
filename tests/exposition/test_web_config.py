"""Does the web configuration say what holds, and what is wrong with it, all at once?"""

import re
import ssl
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli.web_configuration import make
from agent.config.web_config import examine, fingerprint, read_web_config
from agent.exposition.http.logins import make_hash
from servers.program import mailflow_agent
from servers.web_files import CLIENTS, HASHED, PASSWORD, TLS, USERS, WebFiles


@pytest.fixture
def files(tmp_path: Path) -> WebFiles:
    return WebFiles(tmp_path)


def test_what_an_exporter_takes_is_taken(files: WebFiles) -> None:
    config = read_web_config(
        files.write(
            CLIENTS + "  client_allowed_sans: [prometheus.example, 192.0.2.1]\n"
            "  min_version: TLS13\n"
            "  max_version: TLS13\n"
            "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]\n"
            "  prefer_server_cipher_suites: false\n"
            "  curve_preferences: [X25519]\n"
            "http_server_config:\n"
            "  http2: true\n"
            "  headers: {Strict-Transport-Security: max-age=9, X-Frame-Options: sameorigin}\n"
            "rate_limit: {interval: 100ms, burst: 5}\n" + USERS
        )
    )
    assert config.context is not None
    assert config.context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert config.context.verify_mode is ssl.CERT_REQUIRED
    assert config.requires_certificate
    assert config.has_login
    assert config.sans == {"prometheus.example", "192.0.2.1"}
    assert config.users == {"alice": HASHED}
    assert config.headers["X-Frame-Options"] == "sameorigin"
    assert (config.interval.total_seconds(), config.burst) == (0.1, 5)
    noted = " ".join(map(str, config.notes))
    assert "http2: is not spoken" in noted
    assert "curve_preferences: is left to the TLS library" in noted
    assert HASHED not in repr(config)


def test_certificate_and_key_may_stand_in_the_file(files: WebFiles) -> None:
    pair = files.authority.issue_cert("localhost")
    parts = {
        "cert": pair.cert_chain_pems[0].bytes(),
        "key": pair.private_key_pem.bytes(),
        "client_ca": files.authority.cert_pem.bytes(),
    }
    lines = "".join(
        f"  {key}: |\n" + "".join(f"    {line}\n" for line in pem.decode().splitlines())
        for key, pem in parts.items()
    )
    text = f"tls_server_config:\n  client_auth_type: VerifyClientCertIfGiven\n{lines}"
    config = read_web_config(files.write(text))
    assert config.context is not None
    assert config.context.verify_mode is ssl.CERT_OPTIONAL
    assert not config.has_login


MISTAKES = """\
tls_server_config:
  cert_fil: server.pem
  key_file: missing.key
  client_auth_type: RequireAnyClientCert
  min_version: TLS11
  cipher_suites: [FOO]
http_server_config:
  http2: maybe
  headers: {X-Frame-Options: DENY, Location: /}
basic_auth_users:
  alice: hunter2
  "b:b": $2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG
  carol: $2y$31$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG
rate_limit: {interval: 1, burst: -1}
tls: 1
"""


def test_every_mistake_is_told_with_its_place_and_what_is_right(files: WebFiles) -> None:
    examined = examine(files.write(MISTAKES))
    told = [str(each).removeprefix(f"{files.path}:") for each in examined.problems]
    assert examined.config is None
    for begin in (
        '2: tls_server_config.cert_fil: unknown key (did you mean "cert_file"?)',
        '3: tls_server_config.key_file: "missing.key": cannot be read: No such file',
        '4: tls_server_config.client_auth_type: "RequireAnyClientCert": would take any',
        '5: tls_server_config.min_version: "TLS11": is not one of: TLS12, TLS13',
        '6: tls_server_config.cipher_suites[0]: "FOO": is not one of: TLS_AES_128_GCM_SHA256',
        '8: http_server_config.http2: "maybe": is not true or false',
        '9: http_server_config.headers.X-Frame-Options: "DENY": is not one of: deny, sameorigin',
        "9: http_server_config.headers.Location: unknown key",
        "11: basic_auth_users.alice: ********: is no bcrypt hash",
        "12: basic_auth_users.b:b: ********: is no name of a user",
        "13: basic_auth_users.carol: ********: has a cost that is not between 4 and 14",
        "14: rate_limit.interval: 1: is not a duration",
        "14: rate_limit.burst: -1: must be at least 0",
        "15: tls: unknown key; here may stand: tls_server_config",
    ):
        assert any(line.startswith(begin) for line in told), begin
    assert "hunter2" not in "\n".join(told)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "is empty", id="nothing"),
        pytest.param("[1]", "is not a mapping", id="a list"),
        pytest.param("a: [", "", id="no YAML"),
        pytest.param("tls_server_config: {}", "key_file: is missing: TLS needs", id="no pair"),
        pytest.param(TLS.replace("server.pem", "ca.pem"), "is not the key", id="another's key"),
        pytest.param(TLS.replace("server.key", "/dev/zero"), "cannot be read", id="a device"),
        pytest.param(CLIENTS.replace("ca.pem", "web.yml"), "is no certificate", id="no authority"),
        pytest.param(
            CLIENTS.replace("  client_ca_file: ca.pem\n", ""), "needs client_ca", id="nobody"
        ),
        pytest.param(
            CLIENTS.replace("RequireAndVerifyClientCert", "NoClientCert"), "take it out", id="idle"
        ),
        pytest.param(
            CLIENTS.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
            + "  client_allowed_sans: [a.example]",
            "client_allowed_sans: needs client_auth_type",
            id="names of nobody",
        ),
        pytest.param(
            CLIENTS + "  min_version: TLS13\n  max_version: TLS12", "newer than max", id="versions"
        ),
        pytest.param(CLIENTS + "  key: secret!", "stands beside key", id="twice"),
        pytest.param(
            'http_server_config: {headers: {X-XSS-Protection: "a\\r\\nSet-Cookie: b"}}',
            "holds a character that no header field may have",
            id="header injection",
        ),
    ],
)
def test_what_does_not_fit_together_is_told(files: WebFiles, text: str, says: str) -> None:
    examined = examine(files.write(text))
    told = "\n".join(map(str, examined.problems))
    assert examined.config is None
    assert says in told
    assert "secret!" not in told


def test_a_key_that_everybody_may_read_is_noted(files: WebFiles) -> None:
    (files.folder / "server.key").chmod(0o644)
    (note,) = read_web_config(files.write(TLS)).notes
    assert "key_file: can be read by every user" in str(note)


def test_hashes_of_different_cost_are_noted(files: WebFiles) -> None:
    costs = {"bob": make_hash("one"), "carol": make_hash("two").replace("$10$", "$12$")}
    lines = [f"  {name}: {hashed}" for name, hashed in costs.items()]
    told = read_web_config(files.write("\n".join(["basic_auth_users:", *lines]))).notes
    assert "differ in cost" in str(told[0])


def test_a_fingerprint_follows_content_and_existence(files: WebFiles) -> None:
    paths = (files.write(TLS), files.folder / "server.pem", files.folder / "none")
    seen = {fingerprint(paths)}
    files.certify("localhost")
    seen.add(fingerprint(paths))
    (files.folder / "none").write_text("")
    paths[1].unlink()
    seen.add(fingerprint(paths))
    assert len(seen) == 3
    assert fingerprint(paths) in seen


async def test_commands_check_a_file_and_make_a_login(files: WebFiles) -> None:
    right = await mailflow_agent("web-config", "check", str(files.write(CLIENTS)))
    assert right.out == f"{files.path} is right: TLS, a client certificate is required\n"
    wrong = await mailflow_agent("web-config", "check", str(files.write(MISTAKES)))
    assert (wrong.code, "mistakes" in wrong.err) == (78, True)
    hashed = make_hash(PASSWORD)
    login = read_web_config(files.write(f"basic_auth_users: {{bob: {hashed}}}"))
    assert login.users == {"bob": hashed}
    assert "go over the network in clear" in str(login.notes[0])
    with pytest.raises(ValueError, match="between 1 and 72 octets"):
        make_hash("\N{PILE OF POO}" * 19)


async def test_the_configuration_is_judged_with_its_web_configuration(files: WebFiles) -> None:
    config = files.folder / "config.yaml"
    config.write_text(
        "agent: {web_config: web.yml, listen: 0.0.0.0:0, external_url: https://mail.example}\n"
    )
    files.write("basic_auth_user: {}\n")
    wrong = await mailflow_agent("config", "check", str(config))
    assert wrong.code == 78
    assert f"{files.path}:1: basic_auth_user: unknown key (did you mean" in wrong.err
    files.write(TLS)
    open_to_all = await mailflow_agent("config", "check", str(config))
    assert open_to_all.code == 0
    assert f"warning: {config}:1: agent.listen: is not loopback, and there is no login" in (
        open_to_all.err
    )
    files.write(TLS + USERS)
    assert (await mailflow_agent("config", "check", str(config))).err == ""


def test_the_example_of_the_manual_is_right(files: WebFiles) -> None:
    manual = (Path(__file__).parents[2] / "docs/http.md").read_text(encoding="utf-8")
    (example,) = re.findall(
        r"^```yaml\n(tls_server_config:.*?)^```", manual, re.DOTALL | re.MULTILINE
    )
    (files.folder / "ca.pem").rename(files.folder / "clients.pem")
    config = read_web_config(files.write(example.replace("$2b$10$…", HASHED)))
    assert (config.requires_certificate, set(config.users)) == (True, {"prometheus"})


def test_a_login_is_made_from_what_is_typed(files: WebFiles) -> None:
    typed = CliRunner().invoke(make, ["--user", "bob"], input="secret\nsecret\n")
    assert typed.exit_code == 0
    line = typed.stdout.strip()
    config = read_web_config(files.write(f"basic_auth_users:\n  {line}\n"))
    assert set(config.users) == {"bob"}
    assert "secret" not in typed.stdout
    too_long = "x" * 73
    assert CliRunner().invoke(make, [], input=f"{too_long}\n{too_long}\n").exit_code != 0
