"""Each step of a route is tried, and the one that is missing is told with what to do."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from agent.adapters.outbox import ByExchanges, Envelope, ToServer
from agent.adapters.smtp_policy import HANG_UP, Client, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.app.doctor import Doctor, Step, _address, _next, alone
from agent.app.options import pairs
from agent.config import Config
from agent.domain.handover import Fate, Handed
from agent.domain.lookup import Reply, Silence, Unanswered
from servers.entra import answers
from servers.graph import error
from servers.imap import imap_server
from servers.mailroom import INBOX, MAIL_SCOPE, Office, office
from servers.microsoft import USER, Microsoft, authorities

V6 = "smtp '[2001:db8::1]:25'"
CREDENTIAL, SENDING = "credential probe", "hand over"
HERE, BACK = f"pick-up graph {INBOX}", f"pick-up graph {USER}"


async def walk(it: Office, config: Config) -> dict[str, Step]:
    """Walk the steps of the one route of *config*; gives them by name."""
    assert it.tools.wallet is not None
    it.tools.wallet.replace(pairs(config))
    it.room.log_in(config)
    doctor = Doctor(config, it.check(config), it.tools, it.room)
    return {step.name: step async for step in doctor.examine()}


def verdicts(steps: dict[str, Step]) -> dict[str, str]:
    return {name: step.verdict for name, step in steps.items()}


async def test_a_route_by_graph_is_whole_but_for_what_only_a_message_shows(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        it.tenant.service.put(INBOX, "inbox", b"Subject: mfa1-" + b"a" * 26 + b"-" + b"b" * 26)
        steps = await walk(it, it.config())
        assert verdicts(steps) == {
            CREDENTIAL: "good",
            SENDING: "unknown",
            HERE: "good",
            f"{HERE}, reading": "good",
            BACK: "good",
            f"{BACK}, reading": "good",
        }
        assert f"a token for {it.tenant.service.url}/.default" in steps[CREDENTIAL].detail
        assert steps[f"{HERE}, reading"].detail == "1 message of the last 3 days"
        assert "--send" in steps[SENDING].fix
        assert it.recent(it.config()) == ()
        assert it.tenant.service.asked["sendMail/sendMail"] == 0


def another_secret(it: Microsoft) -> None:
    it.application.secret = "another"


def no_consent(it: Microsoft) -> None:
    it.application.has_consent = False


def out_of_scope(it: Microsoft) -> None:
    it.application.mailboxes = {USER}


def cannot_be_listed(it: Microsoft) -> None:
    it.service.fault = no_listing


FAULTS: list[Any] = [
    pytest.param(
        another_secret,
        CREDENTIAL,
        "refused-secret: AADSTS7000215",
        "Copy the value of the client secret",
        id="wrong secret",
    ),
    pytest.param(
        no_consent,
        CREDENTIAL,
        "no-consent: AADSTS65001",
        "Grant admin consent",
        id="no consent",
    ),
    pytest.param(
        lambda it: it.application.permissions.clear(),
        HERE,
        "permission: ",
        "Grant the application permission Mail.Read",
        id="missing permission",
    ),
    pytest.param(
        out_of_scope,
        HERE,
        "permission: ",
        f"Take {INBOX} into the scope",
        id="mailbox out of scope",
    ),
    pytest.param(
        lambda it: it.service.boxes.pop(INBOX),
        HERE,
        "no-mailbox: ",
        f"Get-EXOMailbox {INBOX}",
        id="missing mailbox",
    ),
    pytest.param(
        cannot_be_listed,
        HERE,
        "unavailable: ",
        "Look at the service health",
        id="it opens, and cannot be read",
    ),
]


async def no_listing(request: web.Request) -> web.StreamResponse | None:
    if request.path.endswith("/messages"):
        return error(500, "ErrorInternal", "Something is broken.")
    return None


@pytest.mark.parametrize(("spoil", "name", "detail", "fix"), FAULTS)
async def test_a_missing_step_is_one_line_that_says_what_to_do(
    spoil: Callable[[Microsoft], object], name: str, detail: str, fix: str, tmp_path: Path
) -> None:
    async with office(tmp_path) as it:
        spoil(it.tenant)
        step = (await walk(it, it.config()))[name]
        assert step.verdict == "bad"
        assert detail in step.detail
        assert fix in step.fix
        assert "\n" not in step.detail + step.fix
        assert "canary" not in step.detail


async def test_steps_that_do_not_depend_on_one_that_failed_go_on(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        it.tenant.service.boxes.pop(INBOX)
        found = verdicts(await walk(it, it.config()))
        assert (found[HERE], found[BACK], found[f"{BACK}, reading"]) == ("bad", "good", "good")
        assert f"{HERE}, reading" not in found


class Server(Policy):
    """A server that answers RCPT as a test says."""

    def __init__(self, answer: Response = HANG_UP) -> None:
        self.answer, self.messages = answer, 0

    async def hello(self, client: Client, extensions: tuple[str, ...]) -> Response:
        return await super().hello(client, (*extensions, "AUTH PLAIN XOAUTH2"))

    async def other(self, client: Client, verb: str, argument: str) -> Response:
        del client, verb, argument
        return say(235, "2.7.0 welcome")

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        del client, rcpt_to
        return self.answer

    async def data(self, client: Client) -> Response:
        self.messages += 1
        return await super().data(client)


def smtp(port: int, host: str = "127.0.0.1", **more: Any) -> dict[str, Any]:
    endpoint = {"host": host, "port": port, "tls": "verified", **more}
    return {"smtp": endpoint, "mail_from": "<>", "rcpt_to": INBOX}


@pytest.mark.parametrize(
    ("answer", "verdict", "detail", "fix"),
    [
        pytest.param(say(250, "2.1.5 ok"), "good", f"it takes {INBOX} from <>", "", id="taken"),
        pytest.param(
            say(550, "5.1.1 no such user"), "bad", "at rcpt: 550 5.1.1 no such user", "", id="no"
        ),
        pytest.param(say(451, "4.7.1 later"), "unknown", "at rcpt: 451 4.7.1", "", id="not now"),
        pytest.param(
            HANG_UP,
            "bad",
            "at rcpt: connection-lost",
            "mailflow-agent smtp 127.0.0.1:{port}",
            id="hangs up",
        ),
    ],
)
async def test_a_server_is_asked_as_far_as_the_recipient(
    answer: Response, verdict: str, detail: str, fix: str, tmp_path: Path
) -> None:
    policy = Server(answer)
    server = SmtpServer(policy, context=authorities().server("127.0.0.1"))
    await server.start("127.0.0.1", 0)
    async with office(tmp_path) as it:
        config = it.config({"name": "way", "send": smtp(server.port)})
        steps = await walk(it, config)
        step = steps[f"hand over to 127.0.0.1:{server.port}"]
        assert (step.verdict, policy.messages) == (verdict, 0)
        assert step.detail.startswith(detail)
        assert "Meaning:" not in step.detail + step.fix
        assert fix.format(port=server.port) in step.fix
        assert steps["pick-up sink"].verdict == "unknown"
        assert "127.0.0.1:" in steps["pick-up sink"].detail
    await server.close()


async def test_dns_that_cannot_say_leaves_a_step_unknown(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        silent: Reply = Unanswered(Silence.TIMEOUT)
        zone: Any = it.tools.resolver
        zone.zone["mail.contoso.com"] = silent
        config = it.config({"name": "way", "send": smtp(25, "mail.contoso.com")})
        assert (await walk(it, config))["hand over to mail.contoso.com:25"].verdict == "unknown"


async def test_every_kind_of_secret_is_read_and_the_room_of_a_mailbox_is_told(
    tmp_path: Path,
) -> None:
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    shown = authorities().known.issue_cert("mail.contoso.com")
    write(tmp_path / "key", key)
    write(tmp_path / "own.key", shown.private_key_pem.bytes())
    write(tmp_path / "own.pem", b"".join(each.bytes() for each in shown.cert_chain_pems))
    write(tmp_path / "password", b"canary-hunter2")
    server = SmtpServer(Server(say(250, "ok")), context=authorities().server("127.0.0.1"))
    await server.start("127.0.0.1", 0)
    quota = b"* QUOTAROOT INBOX q\r\n* QUOTA q (STORAGE 1536 4096)\r\n%t OK done\r\n"
    async with office(tmp_path) as it, imap_server({"GETQUOTAROOT": quota}) as (port, _):
        it.credentials |= {
            "mail": {"kind": "password", "username": "me", "password_file": "password"},
            "own": {
                "kind": "client-certificate",
                "certificate_file": "own.pem",
                "private_key_file": "own.key",
            },
            "sign": {
                "kind": "dkim-key",
                "domain": "contoso.com",
                "selector": "s1",
                "private_key_file": "key",
            },
        }
        send = smtp(server.port, credential="probe", client_certificate="own", mailbox=USER)
        imap = {"host": "127.0.0.1", "port": port, "tls": "never", "credential": "mail"}
        config = it.config(
            {
                "name": "way",
                "send": {**send, "dkim": "sign"},
                "receive": {"imap": imap},
                "trace": {"credential": "probe"},
            }
        )
        steps = await walk(it, config)
        assert verdicts(steps) == {
            "credential sign": "good",
            "credential probe": "good",
            "credential own": "good",
            "credential mail": "good",
            f"hand over to 127.0.0.1:{server.port}": "good",
            f"pick-up imap mail 127.0.0.1:{port}": "good",
            f"pick-up imap mail 127.0.0.1:{port}, reading": "good",
        }
        assert steps["credential mail"].detail == "password: its file can be read"
        last = list(steps.values())[-1]
        assert last.detail == "2 messages of the last 3 days, 1.5 MiB are used of 4"
        assert {MAIL_SCOPE.removesuffix("/.default"), it.tenant.service.url} == {
            each.resource for each in it.tenant.provider.issued.values()
        }

        # Then they are gone.
        for name in ("key", "own.key", "password"):
            (tmp_path / name).unlink()
        steps = await walk(it, config)
        for name in ("credential sign", "credential own", "credential mail"):
            assert steps[name].verdict == "bad"
            assert "does not exist" in steps[name].detail
            assert steps[name].fix.startswith("Put the secret where")
        assert steps[f"pick-up imap mail 127.0.0.1:{port}"].detail.startswith("token: mail:")
    await server.close()


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


async def test_a_server_that_needs_no_credential_is_asked_without_one(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        it.credentials.clear()
        back = {"maildir": {"path": "none"}}
        zone: Any = it.tools.resolver
        zone.zone[INBOX.partition("@")[2]] = Unanswered(Silence.SERVFAIL)
        send = {"mx": {}, "mail_from": USER, "rcpt_to": INBOX}
        config = it.config({"name": "way", "send": send, "receive": back})
        steps = await walk(it, config)
        assert list(steps) == ["hand over to an MX of contoso.com", "pick-up maildir none"]
        assert steps["hand over to an MX of contoso.com"].verdict == "unknown"
        assert (
            "`mailflow-agent check contoso.com`" in steps["hand over to an MX of contoso.com"].fix
        )
        assert steps["pick-up maildir none"].verdict == "bad"


def test_what_to_type_next_is_a_command_that_a_shell_takes() -> None:
    who = Envelope("a@contoso.com", "b@fabrikam.com")
    by_exchanges = ByExchanges("opportunistic", "here.example")
    decided = Handed(Fate.REFUSED, "550 No", via="mx1.filter.example (192.0.2.21)")
    for handed, way, command in (
        (decided, by_exchanges, "smtp mx1.filter.example"),
        (Handed(Fate.REFUSED, "550 No"), by_exchanges, "check fabrikam.com"),
        (decided, ToServer(host="2001:db8::1", port=25, tls="never", helo="x"), V6),
    ):
        typed = _next(handed, who, way).split("`")[1]
        assert typed == f"mailflow-agent {command}"


@pytest.mark.parametrize(
    ("host", "trouble", "fix"),
    [
        ("127.0.0.1", "unreached: ", "See that the server listens on this port"),
        ("nowhere.contoso.com", "unresolved: ", "Correct the name of the server"),
    ],
)
async def test_a_mailbox_that_is_not_reached_has_a_next_step(
    host: str, trouble: str, fix: str, tmp_path: Path
) -> None:
    async with office(tmp_path) as it:
        steps = await walk(it, _by_imap(it, tmp_path, host, 1))
        step = steps[f"pick-up imap mail {host}:1"]
        assert (step.verdict, step.detail.startswith(trouble)) == ("bad", True)
        assert step.fix.startswith(fix)
        over = steps[f"hand over to {host}:1"]
        assert f"`mailflow-agent smtp {host}:1`" in over.fix
        assert over.fix.startswith("Correct the host") is (host != "127.0.0.1")


async def test_a_login_that_is_refused_has_a_next_step(tmp_path: Path) -> None:
    no = {"AUTHENTICATE": b"%t NO wrong\r\n", "LOGIN": b"%t NO wrong\r\n"}
    async with office(tmp_path) as it, imap_server(no) as (port, _):
        steps = await walk(it, _by_imap(it, tmp_path, "127.0.0.1", port))
        step = steps[f"pick-up imap mail 127.0.0.1:{port}"]
        assert step.detail.startswith("login-refused: ")
        assert "check the user name and the password" in step.fix


def _by_imap(it: Office, folder: Path, host: str, port: int) -> Config:
    write(folder / "password", b"canary-hunter2")
    it.credentials["mail"] = {"kind": "password", "username": "me", "password_file": "password"}
    tls = "never" if host == "127.0.0.1" else "implicit"
    imap = {"host": host, "port": port, "tls": tls, "credential": "mail"}
    send = smtp(port, host)
    return it.config({"name": "way", "send": send, "receive": {"imap": imap}})


def test_a_server_is_named_as_the_command_line_takes_it() -> None:
    way = ToServer(host="2001:db8::1", port=25, tls="never", helo="x")
    assert _address(way) == "[2001:db8::1]:25"


async def test_one_route_alone_is_all_that_is_left_of_a_configuration(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        config = it.config(it.route(), it.route(name="other"))
        check = it.check(config, "other")
        assert alone(config, check).checks == (check,)
        assert alone(config, check).credentials == config.credentials


async def test_a_provider_that_is_throttled_is_told_once(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        reply = answers(lambda: web.Response(status=429, headers={"Retry-After": "7"}))
        it.tenant.provider.fault = reply
        step = (await asyncio.wait_for(walk(it, it.config()), 30))[CREDENTIAL]
        assert step.verdict == "bad"
        assert step.detail.startswith("throttled: ")
