"""Files and folders, put together, judged and expanded."""

import os
import threading
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.config import Config, ConfigError, build, load
from agent.config.advice import advice, installed
from agent.config.model import Probes, file_model
from agent.config.sections import ResolverEntry
from agent.probes.base import Probe, discover
from agent.settings import CheckSettings, HostPort, Subject

RESTLESS = Path("/proc/self/io")  # counts the octets that were read, so every reading differs
GOOD = """\
agent: {vantage: frankfurt, state: ./var, external_url: "https://mailflow.example.com/"}
resolvers: [system, 192.0.2.53, "[2001:db8::53]:5353"]
checks:
  spf: {interval: 10s}
  mta-sts: off
tenants:
  - name: contoso
    domains:
      - name: contoso.com
        senders: [exchange-online, 192.0.2.0/28, 2001:db8::1]
        not_senders: [198.51.100.7]
        checks: {spf: {warn_at_lookups: 8}, mta-sts: {}}
      - name: fabrikam.com
      - name: adatum.com
        checks: {spf: off}
      - name: litwareinc.com
    connectors:
      - {name: to-datacentre, smart_hosts: [mail.contoso.com]}
    routes:
      - name: in
        send:
          smtp: {host: mail.contoso.com, tls: verified}
          mail_from: probe@contoso.com
          rcpt_to: in@monitor.contoso.com
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path, probes: Probes, **options: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, probes=probes, **options)
    return [str(problem).replace(str(path.parent) + "/", "") for problem in caught.value.problems]


@pytest.fixture
def good(tmp_path: Path, probes: Probes) -> Config:
    return load(write(tmp_path / "config.yaml", GOOD), probes=probes)


def test_the_checks_stand_in_the_order_of_the_file(good: Config) -> None:
    assert [check.identity for check in good.checks] == [
        "agent/agent/frankfurt/self",
        "contoso/domain/contoso.com/mta-sts",
        "contoso/domain/contoso.com/spf",
        "contoso/domain/fabrikam.com/spf",
        "contoso/domain/litwareinc.com/spf",
        "contoso/connector/to-datacentre/connector",
        "contoso/route/in/route",
    ]


def test_what_a_subject_says_goes_over_what_is_said_for_all(good: Config) -> None:
    settings = {check.identity: check.settings for check in good.checks}
    own = settings["contoso/domain/contoso.com/spf"]
    assert (own.interval, own.warn_at_lookups) == (timedelta(seconds=10), 8)
    assert settings["contoso/domain/contoso.com/mta-sts"].interval == timedelta(minutes=5)


def test_subjects_that_say_nothing_share_their_settings(good: Config) -> None:
    settings = {check.identity: check.settings for check in good.checks}
    shared = settings["contoso/domain/fabrikam.com/spf"]
    assert shared.interval == timedelta(seconds=10)
    assert settings["contoso/domain/litwareinc.com/spf"] is shared


def test_the_agent_itself_can_be_left_unchecked(tmp_path: Path, probes: Probes) -> None:
    config = load(write(tmp_path / "config.yaml", "checks: {self: off}\n"), probes=probes)
    assert config.checks == ()


def test_sections_are_values(good: Config, tmp_path: Path) -> None:
    assert good.resolvers == (
        "system",
        HostPort("192.0.2.53", 53),
        HostPort("2001:db8::53", 5353),
    )
    assert good.agent.external_url == "https://mailflow.example.com"
    assert good.agent.listen == HostPort("127.0.0.1", 16245)
    assert good.state == tmp_path / "var"
    assert good.budget.allowances().day.limit == 2000
    assert good.warnings == ()


def test_an_override_goes_over_the_file_key_by_key(tmp_path: Path, probes: Probes) -> None:
    path = write(tmp_path / "config.yaml", GOOD)
    over = {
        "resolvers": ["127.0.0.1:5353"],
        "agent": {"listen": "127.0.0.1:0", "limits": {"concurrency": 3}},
    }
    config = load(path, probes=probes, override=over)
    assert config.resolvers == (HostPort("127.0.0.1", 5353),)
    assert config.agent.vantage == "frankfurt"
    assert config.agent.listen.port == 0
    assert config.agent.limits.concurrency == 3
    bad = problems(path, probes, override={"agent": {"vantage": "A B"}})
    assert bad[0].startswith('config.yaml:1: agent.vantage: "A B": is not a name')


def test_what_is_shown_loads_and_says_the_same(good: Config, tmp_path: Path, probes: Any) -> None:
    shown = good.shown()
    again = load(write(tmp_path / "shown.yaml", shown), probes=probes)
    assert again.shown() == shown
    assert [check.identity for check in again.checks] == [check.identity for check in good.checks]


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path, probes: Probes) -> None:
    write(tmp_path / "10-agent.yaml", "agent: {vantage: a}\ntenants: [{name: one}]\n")
    write(tmp_path / "20-more.yml", "tenants: [{name: two}]\nagent: {state: x}\n")
    write(tmp_path / "30-empty.yaml", "# nothing\n")
    write(tmp_path / ".hidden.yaml", "tenants: [{name: three}]\n")
    write(tmp_path / "readme.txt", "no configuration")
    config = load(tmp_path, probes=probes)
    assert [tenant.name for tenant in config.file.tenants] == ["one", "two"]
    assert config.state == tmp_path / "x"


def test_mistakes_in_a_folder_name_the_file_they_are_in(tmp_path: Path, probes: Probes) -> None:
    write(tmp_path / "a.yaml", "agent: {vantage: A}\ntenants:\n  - name: one\nsink: {}\n")
    write(
        tmp_path / "b.yaml",
        "tenants:\n  - name: two\n    domains:\n      - name: 9\n"
        "agent: {vantage: b}\nsink: 1\nbudget: [a]\n",
    )
    write(tmp_path / "c.yaml", "- wrong\n")
    folder = f"{tmp_path.name}/"
    assert [line.replace(folder, "").split(": is ")[0] for line in problems(tmp_path, probes)] == [
        'a.yaml:1: agent.vantage: "A"',
        "b.yaml:4: tenants[two].domains[0].name: 9",
        "b.yaml:5: agent.vantage",
        "b.yaml:6: sink",
        "b.yaml:7: budget",
        "c.yaml:1",
    ]
    assert problems(tmp_path, probes)[3] == f"{folder}b.yaml:6: sink: is in {folder}a.yaml, too"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda _: None, "does not exist", id="no such file"),
        pytest.param(lambda path: path.mkdir(), "holds no *.yaml file", id="empty folder"),
        pytest.param(os.mkfifo, "is not a file or a folder", id="a pipe"),
        pytest.param(
            lambda path: path.symlink_to(path), "cannot be read: Too many levels", id="a loop"
        ),
    ],
)
def test_what_cannot_be_read_is_one_line(
    tmp_path: Path, probes: Probes, make: Any, message: str
) -> None:
    path = tmp_path / "config.yaml"
    make(path)
    (line,) = problems(path, probes)
    assert line.startswith(f"config.yaml: {message}")


def test_a_file_that_cannot_be_opened_in_a_folder_is_named(tmp_path: Path, probes: Probes) -> None:
    write(tmp_path / "a.yaml", "agent: {}\n")
    (tmp_path / "b.yaml").write_bytes(b"\xff")
    (line,) = problems(tmp_path, probes)
    assert line.endswith("b.yaml:1: octet 0xff is not UTF-8; save the file as UTF-8")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(
            lambda path: path.symlink_to("gone"), "does not exist", id="a link to nowhere"
        ),
        pytest.param(lambda path: path.mkdir(), "is not a file", id="a folder"),
        pytest.param(os.mkfifo, "is not a file", id="a pipe"),
    ],
)
def test_what_cannot_be_read_in_a_folder_is_not_passed_over(
    make: Callable[[Path], None], message: str, tmp_path: Path, probes: Probes
) -> None:
    write(tmp_path / "a.yaml", "agent: {}\n")
    make(tmp_path / "b.yaml")
    assert problems(tmp_path, probes) == [f"{tmp_path.name}/b.yaml: {message}"]


def test_a_file_that_is_replaced_while_it_is_read_is_never_torn(
    tmp_path: Path, probes: Probes
) -> None:
    path = tmp_path / "config.yaml"
    versions = [f"agent: {{vantage: v{n}}}\nsink: {{hostname: v{n}.example}}\n" for n in range(2)]
    write(path, versions[0])
    stop = threading.Event()

    def replace() -> None:
        number = 0
        while not stop.wait(0.005):
            number += 1
            write(tmp_path / "next", versions[number % 2]).rename(path)

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        for _ in range(30):
            config = load(path, probes=probes)
            assert config.sink.hostname == f"{config.agent.vantage}.example"
    finally:
        stop.set()
        thread.join()


@pytest.mark.skipif(not RESTLESS.exists(), reason="needs Linux's /proc")
def test_a_file_that_never_rests_is_refused(tmp_path: Path, probes: Probes) -> None:
    (tmp_path / "config.yaml").symlink_to(RESTLESS)
    path = tmp_path / "config.yaml"
    assert problems(path, probes) == ["config.yaml: changes while it is read; try again"]


def test_plain_data_makes_a_configuration(probes: Probes) -> None:
    config = build({"tenants": [{"name": "a", "domains": [{"name": "a.example"}]}]}, probes=probes)
    assert [check.subject for check in config.checks] == ["local", "a.example", "a.example"]
    with pytest.raises(ConfigError, match=r"configuration: agent.vantage: 1: is not text"):
        build({"agent": {"vantage": 1}}, probes=probes)


def test_the_digest_tells_contents_apart(tmp_path: Path, probes: Probes) -> None:
    path = write(tmp_path / "config.yaml", "agent: {vantage: a}\n")
    before = load(path, probes=probes).digest
    assert load(path, probes=probes).digest == before
    write(path, "agent: {vantage: b}\n")
    assert load(path, probes=probes).digest != before


def test_a_probe_of_an_unknown_kind_of_subject_is_a_bug_with_a_name() -> None:
    class Planet(Subject):
        kind = "planet"

    async def run(check: Any, tools: Any) -> Any: ...

    with pytest.raises(TypeError, match="orbit looks at a planet"):
        file_model((Probe("orbit", Planet, CheckSettings, run, ()),))


def test_the_probes_of_the_package_are_used_by_default(tmp_path: Path) -> None:
    config = load(write(tmp_path / "config.yaml", GOOD.replace("mta-sts", "mx")))
    assert {check.probe.kind for check in config.checks} <= {probe.kind for probe in discover()}
    assert ResolverEntry is not None


def test_a_check_of_the_other_direction_is_a_mistake_unless_it_is_off(tmp_path: Path) -> None:
    file = """
tenants:
  - name: contoso
    domains: [{{name: contoso.com}}]
    connectors:
      - {{name: out, smart_hosts: [mail.contoso.com], checks: {{inbound: {0}}}}}
      - {{name: in, direction: inbound, endpoint: a.mail.protection.outlook.com}}
"""
    path = tmp_path / "config.yaml"
    path.write_text(file.format("{interval: 5m}"))
    with pytest.raises(ConfigError, match=r"checks\.inbound: has no use here: it is an outbound"):
        load(path)
    path.write_text(file.format("off"))
    checks = {(check.subject, check.probe.kind): check for check in load(path).checks}
    assert ("out", "connector") in checks
    assert ("out", "inbound") not in checks
    assert checks["in", "inbound"].target.accepted_domains == ("contoso.com",)


OLD_LOGINS = """\
credentials:
  mailer: {kind: password, username: probe, password_file: secret}
  app:
    kind: entra-client-credentials
    tenant_id: contoso.com
    client_id: 7f3c9d52-0a41-4c8e-9b1d-2f6e0c5a7b10
    client_secret_file: secret
tenants:
  - name: contoso
    routes:
      - name: out
        send:
          smtp: {host: smtp.office365.com, port: 587, tls: verified, credential: mailer}
          mail_from: probe@contoso.com
          rcpt_to: in@monitor.contoso.com
        receive:
          imap: {host: outlook.office365.com, credential: mailer}
        returns:
          imap: {host: mail.contoso.com, credential: mailer}
      - name: app
        send:
          smtp:
            host: smtp.office365.com
            tls: verified
            credential: app
            mailbox: probe@contoso.com
          mail_from: probe@contoso.com
          rcpt_to: in@monitor.contoso.com
        receive:
          imap: {host: outlook.office365.com, credential: app, mailbox: in@contoso.com}
        returns: {sink: {}}
"""


def test_a_password_at_microsoft_is_worth_a_warning_and_an_application_is_not(
    tmp_path: Path, probes: Probes
) -> None:
    write(tmp_path / "secret", "canary-hunter2").chmod(0o600)
    path = write(tmp_path / "config.yaml", OLD_LOGINS)
    config = load(path, probes=probes, today=date(2026, 12, 30))
    route = "tenants[contoso].routes[out]"
    smtp, imap = config.warnings
    assert (smtp.line, smtp.path) == (13, f"{route}.send.smtp.credential")
    assert smtp.message == (
        "is a password, and Microsoft ends basic authentication for SMTP AUTH on 2026-12-31; use a"
        " credential of Entra, with SMTP.SendAsApp, or Graph (Exchange Team: SMTP AUTH basic"
        " authentication (MC786329))"
    )
    assert (imap.line, imap.path) == (17, f"{route}.receive.imap.credential")
    assert imap.message.startswith(
        "is a password, and Microsoft ended basic authentication for IMAP and POP on 2023-01-01:"
        " this login will fail; use a credential of Entra"
    )
    assert "with IMAP.AccessAsApp" in imap.message
    over, _ = load(path, probes=probes, today=date(2026, 12, 31)).warnings
    assert "Microsoft ended basic authentication for SMTP AUTH" in over.message


def test_warnings_are_told_beside_mistakes(tmp_path: Path, probes: Probes) -> None:
    wrong = OLD_LOGINS.replace("tenants:", "agent: {vantage: A}\ntenants:")
    with pytest.raises(ConfigError) as caught:  # the file with the password is missing, too
        load(write(tmp_path / "config.yaml", wrong), probes=probes, today=date(2026, 12, 30))
    assert [problem.path for problem in caught.value.problems] == [
        "credentials.mailer.password_file",
        "credentials.app.client_secret_file",
        "agent.vantage",
    ]
    assert [(warning.line, warning.path) for warning in caught.value.warnings] == [
        (14, "tenants[contoso].routes[out].send.smtp.credential"),
        (18, "tenants[contoso].routes[out].receive.imap.credential"),
    ]


def test_a_credential_that_needs_a_package_says_how_to_install_it(
    tmp_path: Path, probes: Probes
) -> None:
    write(tmp_path / "secret", "canary-hunter2").chmod(0o600)
    file = load(write(tmp_path / "config.yaml", OLD_LOGINS), probes=probes).file
    kinds = {name: each.kind for name, each in file.credentials.items()}
    today = date(2022, 1, 1)
    with_it = list(advice(file, kinds, today, has=lambda _: True))
    (one,) = [
        each for each in advice(file, kinds, today, has=lambda _: False) if each not in with_it
    ]
    assert one == (
        ("credentials", "app"),
        "needs the package msal, which is not installed: pip install 'mailflow-agent[microsoft]'",
    )
    kinds.pop("app")
    assert list(advice(file, kinds, today, has=lambda _: False)) == with_it
    assert installed("pydantic")
    assert not installed("no_such_package_anywhere")


def test_a_password_at_microsoft_is_told_of_plain_data_too(tmp_path: Path, probes: Probes) -> None:
    write(tmp_path / "secret", "canary-hunter2").chmod(0o600)
    smtp = {"host": "smtp.office365.com", "tls": "verified", "credential": "mailer"}
    send = {"smtp": smtp, "mail_from": "probe@contoso.com", "rcpt_to": "in@contoso.com"}
    data = {
        "credentials": {"mailer": {"kind": "password", "username": "a", "password_file": "secret"}},
        "tenants": [{"name": "contoso", "routes": [{"name": "out", "send": send}]}],
    }
    (warning,) = build(data, probes=probes, folder=tmp_path).warnings
    assert (warning.file, warning.line) == ("configuration", 0)


def test_a_secret_that_everybody_may_read_is_worth_a_warning(
    tmp_path: Path, probes: Probes
) -> None:
    write(tmp_path / "secret", "canary-hunter2").chmod(0o644)
    file = "credentials:\n  a: {kind: password, username: a, password_file: secret}\n"
    (warning,) = load(write(tmp_path / "config.yaml", file), probes=probes).warnings
    assert (warning.line, warning.path) == (2, "credentials.a.password_file")
    assert "chmod 600" in warning.message
    assert "canary" not in str(warning)


@pytest.mark.parametrize(
    ("host", "url", "count"),
    [("0.0.0.0", "", 1), ("[::]", "", 1), ("[::]", "https://m.example", 0), ("192.0.2.1", "", 0)],
)
def test_an_address_that_leads_nowhere_is_worth_a_line(
    tmp_path: Path, probes: Probes, host: str, url: str, count: int
) -> None:
    over = {"agent": {"listen": f"{host}:16245", "external_url": url}}
    path = write(tmp_path / "config.yaml", "agent:\n  listen: 127.0.0.1:1\n")
    found = [each for each in load(path, probes=probes, override=over).warnings if each.line == 2]
    assert sum("`agent.external_url` says where" in each.message for each in found) == count


def test_exports_that_are_not_there_are_worth_a_line(tmp_path: Path) -> None:
    (tmp_path / "here.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    places = ["here.json", ".", "*.json", "none.json", "empty", "none*.json"]
    written = f"tenants: [{{name: contoso, connectors: {{import: {places}}}}}]"
    path = tmp_path / "c.yaml"
    path.write_text(written)
    found = load(path).warnings
    assert [each.message.split()[5] for each in found] == places[3:]
    assert load(path, exports=False).warnings == ()
