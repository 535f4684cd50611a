"""Routes are walked by Graph end to end, and what is missing is told in one line."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from agent.adapters.https_api import Reply, Request
from agent.adapters.pickup import PickupState
from agent.app.mailroom import Mailroom, ends, places_of, recipients
from agent.app.options import Overrides
from agent.domain import route_rules as rules
from agent.domain.entry import State, Witness
from agent.domain.finding import Outcome, Severity
from agent.exposition.server import ListenError
from agent.settings import RouteSubject
from servers.entra import TENANT, Application, answers, entra, hang
from servers.mailroom import INBOX, Office, apply, office
from servers.microsoft import SECRET, USER, Microsoft
from servers.running import eventually
from servers.standings import HandClock

HOME, ORIGIN = f"graph {INBOX}", f"graph {USER}"


def state(it: Office, home: str = HOME) -> PickupState:
    found = it.room.pickups.state(home)
    assert found is not None
    return found


async def cleared(it: Office) -> None:
    """Wait until nothing of ours lies in any mailbox."""

    async def left() -> int:
        return sum(len(box.messages) for box in it.tenant.service.boxes.values())

    await eventually(left, lambda count: count == 0)


def codes(outcome: Outcome) -> list[str]:
    return [finding.rule.code for finding in outcome.findings]


async def test_a_message_goes_by_graph_and_is_found_by_graph(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        config = it.config()
        apply(it, config)
        outcome = await it.send(config)
        assert (outcome.severity, codes(outcome)) == (Severity.OK, [])
        (entry,) = it.recent(config)
        assert (entry.state, entry.witness, entry.home) == (State.DELIVERED, Witness.MAILBOX, HOME)
        assert entry.damaged is False
        assert entry.origin == ORIGIN
        await cleared(it)  # of the copy in Sent Items, too
        assert {each.home for each in it.room.pickups.states} == {HOME, ORIGIN}
        (status,) = it.room.credentials()
        assert (status.name, status.failure) == ("probe", None)


async def test_a_report_to_the_mailbox_that_sends_is_read_there(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        it.tenant.service.bounces = True
        config = it.config()
        apply(it, config)
        await it.room.opened(it.check(config).target)
        running = asyncio.create_task(it.send(config))

        async def decided() -> bool:
            return bool(it.recent(config)) and not it.recent(config)[0].is_in_flight

        await eventually(decided, bool)
        await running
        (entry,) = it.recent(config)
        assert (entry.state, entry.witness) == (State.BOUNCED, Witness.REPORT)
        assert "5.1.10" in entry.detail


def another_secret(it: Microsoft) -> None:
    it.application.secret = "another"


def no_consent(it: Microsoft) -> None:
    it.application.has_consent = False


FAULTS: list[Any] = [
    pytest.param(
        another_secret,
        "token: refused-secret: AADSTS7000215",
        "Copy the value of the client secret",
        id="wrong secret",
    ),
    pytest.param(
        no_consent,
        "token: no-consent: AADSTS65001",
        "Grant admin consent",
        id="no consent",
    ),
    pytest.param(
        lambda it: it.application.permissions.intersection_update({"Mail.Send"}),
        "permission: ",
        "Grant the application permission Mail.Read",
        id="missing permission",
    ),
    pytest.param(
        lambda it: it.service.boxes.pop(INBOX),
        "no-mailbox: ",
        f"Get-EXOMailbox {INBOX}",
        id="missing mailbox",
    ),
]


@pytest.mark.parametrize(("spoil", "trouble", "step"), FAULTS)
async def test_nothing_is_sent_while_nobody_can_look_and_the_step_is_named(
    spoil: Callable[[Microsoft], object], trouble: str, step: str, tmp_path: Path
) -> None:
    async with office(tmp_path) as it:
        spoil(it.tenant)
        config = it.config()
        apply(it, config)
        outcome = await it.send(config)
        assert (codes(outcome), outcome.failure) == ([rules.MAILBOX_CLOSED.code], "mailbox-closed")
        (finding,) = outcome.findings
        assert outcome.severity is Severity.UNKNOWN
        assert trouble in finding.detail
        assert step in finding.detail
        assert "\n" not in finding.detail
        assert it.recent(config) == ()


async def test_what_was_missing_is_mended_and_mail_goes_on(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        it.tenant.application.permissions.discard("Mail.ReadWrite")
        config = it.config()
        apply(it, config)
        assert codes(await it.send(config)) == [rules.MAILBOX_CLOSED.code]
        it.tenant.application.permissions.add("Mail.ReadWrite")

        async def causes() -> list[str]:
            return [each.cause for each in it.room.pickups.states]

        await eventually(causes, lambda each: not any(each))
        assert codes(await it.send(config)) == []


async def test_a_permission_to_send_that_is_missing_leaves_the_message_unsent(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as it:
        it.tenant.application.permissions.discard("Mail.Send")
        config = it.config()
        apply(it, config)
        outcome = await it.send(config)
        assert (codes(outcome), outcome.failure) == ([rules.NOT_SENT.code], "permission")
        assert "Application Mail.Send" in outcome.findings[0].detail


async def test_tokens_are_renewed_and_mail_goes_on(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        config = it.config()
        apply(it, config)
        for asked in (1, 2, 3):
            assert codes(await it.send(config)) == []
            assert it.tenant.provider.asked == asked
            it.tenant.clock.advance(timedelta(minutes=56))
        assert all(each.errors == {} for each in it.room.pickups.states)


async def test_a_reload_keeps_tokens_and_connections_unless_they_changed(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        apply(it, it.config())
        await it.send(it.config())
        tokens, graph = it.room.keyring.tokens, it.room.graph("probe")
        tasks = dict(it.room.pickups._tasks)
        apply(it, it.config())
        assert it.room.keyring.tokens is tokens
        assert it.room.graph("probe") is graph
        assert it.room.pickups._tasks == tasks
        assert it.tenant.provider.asked == 1

        # The secret is found elsewhere from now on.
        (tmp_path / "other").write_text(SECRET)
        (tmp_path / "other").chmod(0o600)
        it.credentials["probe"]["client_secret_file"] = "other"
        config = it.config()
        apply(it, config)
        assert it.room.keyring.tokens is not tokens
        assert it.room.pickups._tasks.keys() == tasks.keys()
        assert all(task is not tasks[home] for home, task in it.room.pickups._tasks.items())
        assert codes(await it.send(config)) == []
        assert it.tenant.provider.asked == 2


async def test_a_place_that_is_looked_into_otherwise_is_opened_anew(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        apply(it, it.config())
        tasks = dict(it.room.pickups._tasks)
        it.tenant.service.box(INBOX).others["Archive"] = "archive-key"
        route = it.route()
        route["receive"]["graph"]["folders"] = ["Archive"]
        config = it.config(route)
        apply(it, config)
        assert it.room.pickups._tasks[HOME] is not tasks[HOME]
        assert it.room.pickups._tasks[ORIGIN] is tasks[ORIGIN]
        assert codes(await it.send(config)) == []


async def test_a_route_that_is_gone_leaves_its_mailboxes(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        apply(it, it.config())
        apply(it, it.config({**it.route(), "receive": {"sink": {}}}))
        assert [each.home for each in it.room.pickups.states] == [ORIGIN]
        it.credentials.clear()
        smtp = {"smtp": {"host": "127.0.0.1"}, "mail_from": USER, "rcpt_to": INBOX}
        apply(it, it.config({"name": "way", "send": smtp}))
        assert it.room.pickups.states == ()
        assert (it.room.keyring.tokens, it.room.credentials()) == (None, ())


async def test_mail_for_a_route_that_is_gone_is_followed_to_its_end(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        it.tenant.service.fault = taken_away
        config = it.config(it.route(checks={"route": {"timeout": "100ms"}}))
        apply(it, config)
        await it.send(config)
        (entry,) = it.recent(config)
        assert entry.is_in_flight
        send = {"smtp": {"host": "127.0.0.1"}, "mail_from": USER, "rcpt_to": INBOX}
        other = it.config({"name": "other", "send": send})
        apply(it, other)
        assert {each.home for each in it.room.pickups.states} == {HOME, ORIGIN}
        # Its credential is gone, too: when it must be opened anew that is told, and is no bug.
        it.credentials.clear()
        apply(it, it.config({"name": "other", "send": send}))
        it.tenant.service.fault = answers(lambda: web.Response(status=500))

        async def cause() -> str:
            return state(it).cause

        await eventually(cause, lambda told: "there is no credential probe" in told)
        assert it.room.pickups.crashes == 0


async def test_what_never_arrives_is_looked_up_in_the_message_trace(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        config = it.config(
            it.route(trace={"credential": "probe"}, checks={"route": {"timeout": "100ms"}})
        )
        it.tenant.service.fault = taken_away
        check = it.check(config)
        apply(it, config)
        apply(it, config)  # asks with the same quota as before
        await it.room.opened(check.target)
        outcome = await it.send(config)
        assert codes(outcome) == []
        it.tenant.service.traces.append(
            {
                "messageId": f"<{it.ledger.token_of(it.recent(config)[0])}@contoso.com>",
                "status": "quarantined",
                "recipientAddress": INBOX,
            }
        )
        it.tenant.clock.advance(timedelta(minutes=6))
        await it.room._tracer.go_round()
        (entry,) = it.recent(config)
        assert (entry.state, entry.witness) == (State.QUARANTINED, Witness.TRACE)
        assert len(it.room._traces) == 1


async def taken_away(request: web.Request) -> web.Response | None:
    """Take a message, and lose it."""
    if request.path.endswith("sendMail"):
        await request.read()
        return web.Response(status=202)
    return None


async def test_a_place_that_cannot_be_opened_in_time_is_not_waited_for(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        it.tenant.service.fault = hang
        config = it.config()
        apply(it, config)
        await it.room.opened(it.check(config).target, 0.05)
        assert state(it).cause == "it has not been opened yet"


SMTP = {
    "smtp": {"host": "127.0.0.1"},
    "mail_from": "Probe@contoso.com",
    "rcpt_to": "To@contoso.com",
}


def subject(**values: Any) -> RouteSubject:
    return RouteSubject.model_validate({"name": "r", "send": SMTP, **values})


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        pytest.param(subject(), {"to@contoso.com"}, id="the recipient"),
        pytest.param(
            subject(returns={}), {"to@contoso.com", "probe@contoso.com"}, id="who gets the reports"
        ),
        pytest.param(
            subject(returns={"maildir": {"path": "x"}}), {"to@contoso.com"}, id="not elsewhere"
        ),
        pytest.param(
            subject(send={**SMTP, "mail_from": "<>"}, returns={}),
            {"to@contoso.com"},
            id="nobody, where there is no sender",
        ),
        pytest.param(
            subject(receive={"reflector": True}),
            {"to@contoso.com", "probe@contoso.com"},
            id="who gets the answer",
        ),
        pytest.param(
            subject(receive={"reflector": True}, send={**SMTP, "header_from": "Me@contoso.com"}),
            {"to@contoso.com", "probe@contoso.com", "me@contoso.com"},
            id="who gets what is forwarded",
        ),
    ],
)
def test_the_sink_takes_mail_for_those_who_get_it(route: RouteSubject, expected: set[str]) -> None:
    assert recipients(route) == expected


def test_both_ends_of_a_route_are_looked_after() -> None:
    assert [end.home for end in ends(subject())] == ["sink"]
    back = subject(returns={"maildir": {"path": "x"}})
    assert [end.home for end in ends(back)] == ["sink", "maildir x"]


async def test_routes_that_end_in_one_mailbox_share_it(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        graph = {"credential": "probe", "mailbox": INBOX}

        def ending(name: str, cleanup: str, poll: str, *folders: str) -> dict[str, Any]:
            receive = {"graph": {**graph, "folders": folders}, "cleanup": cleanup, "poll": poll}
            return it.route(name=name, receive=receive)

        config = it.config(
            ending("one", "delete", "5s", "A"),
            ending("two", "dry-run", "1s", "B", "A"),
            ending("three", "delete", "9s"),
        )
        places = places_of(config)
        assert places.keys() == {HOME, ORIGIN}
        shared = places[HOME]
        assert shared.graph is not None
        assert shared.graph.folders == ("A", "B")
        assert (shared.poll, shared.cleanup) == (timedelta(seconds=1), "dry-run")
        two = {"maildir": {"path": "box"}}
        both = it.config(
            it.route(receive=two), it.route(name="b", receive={**two, "cleanup": "keep"})
        )
        assert places_of(both)["maildir box"].cleanup == "keep"


async def answer(port: int, *lines: str) -> list[str]:
    """Say lines to a server of this machine, and return its answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = [(await reader.readline()).decode()]
    for line in lines:
        writer.write(line.encode() + b"\r\n")
        said.append((await reader.readline()).decode())
    writer.close()
    await writer.wait_closed()
    return said


async def test_the_sink_listens_once_a_route_ends_in_it(tmp_path: Path) -> None:
    async with office(tmp_path, sink=("127.0.0.1", 0)) as it:
        await it.room.open_sink(it.config())
        assert it.room._own_server._sink is None
        config = it.config({"name": "way", "send": SMTP}, sink={"hostname": "sink.contoso.com"})
        await it.room.open_sink(config)
        port = listening(it)
        await it.room.open_sink(config)
        assert listening(it) == port
        apply(it, config)
        said = await answer(
            port, "HELO a.b", "MAIL FROM:<>", "RCPT TO:<x@y.z>", "RCPT TO:<TO@contoso.com>"
        )
        assert said[0].startswith("220 sink.contoso.com")
        assert [line[:3] for line in said] == ["220", "250", "250", "550", "250"]
        # One that was sent for a route that is gone is still let in.
        apply(it, it.config())
        said = await answer(port, "HELO a.b", "MAIL FROM:<>", "RCPT TO:<to@contoso.com>")
        assert said[-1].startswith("250")


def listening(it: Office) -> int:
    """Return the port of the sink."""
    sink = it.room._own_server._sink
    assert sink is not None
    return sink.port


async def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    async with office(tmp_path, sink=("127.0.0.1", 0)) as it:
        config = it.config({"name": "way", "send": SMTP})
        await it.room.open_sink(config)
        port = listening(it)
        second = Mailroom(it.tools, Overrides(sink=("127.0.0.1", port)))
        with pytest.raises(ListenError, match=rf"sink.listen 127.0.0.1:{port} cannot be listened"):
            await second.open_sink(config)
        await second.close()


async def test_a_machine_shows_its_identity_to_the_platform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with entra(HandClock(), None) as provider, office(tmp_path) as it:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", provider.url)
        provider.managed = Application("app-9")
        it.credentials["machine"] = {"kind": "managed-identity"}
        it.room.log_in(it.config())
        assert it.room.keyring.tokens is not None
        token = await it.room.keyring.tokens.get("machine", it.room.keyring.scope("machine"))
        assert provider.issued.keys() == {token.text}
        assert it.room.keyring.tokens._platform._is_platform


async def test_what_is_asked_for_while_the_agent_stops_leaves_nothing_open(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        await it.room.close()
        url = f"{it.tenant.provider.url}/{TENANT}/v2.0/.well-known/openid-configuration"
        assert isinstance(await it.room._api.request(Request("GET", url)), Reply)
        assert it.room._api._kept is None
