"""Graph's client honours what Graph asks for, follows nobody astray, and names what is missing."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from aiohttp import web

from agent.adapters.graph import AT_ONCE, MAX_PAGES, Call, Graph, path
from agent.adapters.graph_refusal import READ, SEND, TRACE, read_error
from agent.adapters.graph_values import read_text, read_time
from agent.adapters.mailbox import PickupError, Trouble
from servers.entra import answers, hang
from servers.graph import error
from servers.microsoft import SECRET, USER, Microsoft, microsoft

MESSAGES = Call(
    "GET",
    path("users", USER, "messages"),
    READ,
    USER,
    {"$filter": "internetMessageId eq '<a@b>'", "$select": "id", "$top": "2"},
)


@pytest.fixture
async def tenant() -> AsyncIterator[Microsoft]:
    async with microsoft() as running:
        yield running


async def failing(tenant: Microsoft, call: Call = MESSAGES) -> PickupError:
    with pytest.raises(PickupError) as caught:
        async for _ in tenant.client.pages(call):
            pass
    return caught.value


def fill(tenant: Microsoft, count: int) -> None:
    for _ in range(count):
        tenant.service.put(USER, "inbox", b"Message-ID: <a@b>\r\n\r\n")


async def test_pages_are_read_to_the_end(tenant: Microsoft) -> None:
    fill(tenant, 5)
    pages = tenant.client.pages(MESSAGES)
    assert len([each["id"] async for each in pages]) == 5
    assert tenant.service.asked["messages/messages"] == 3
    assert not pages.is_cut


async def test_no_more_than_twenty_pages_are_read(tenant: Microsoft) -> None:
    fill(tenant, 2 * MAX_PAGES + 1)
    pages = tenant.client.pages(MESSAGES)
    assert len([each["id"] async for each in pages]) == 2 * MAX_PAGES
    assert pages.is_cut


@pytest.mark.parametrize(
    ("link", "word"),
    [
        ("{self}", "circle"),
        ("https://evil.example/v1.0/next", "another host"),
        ("https://127.0.0.1:1/v1.0/next", "another host"),
        ("http://{host}/v1.0/next", "another host"),
        ("https://user@{host}/v1.0/next", "another host"),
        ("https://[::1/", "another host"),
        ("/v1.0/next", "another host"),
        ({"a": 1}, "another host"),
    ],
)
async def test_a_link_that_leads_astray_is_not_followed(
    tenant: Microsoft, link: object, word: str
) -> None:
    asked = []

    async def fault(request: web.Request) -> web.Response:
        asked.append(request.path)
        target = link
        if isinstance(link, str):
            host = tenant.service.url.removeprefix("https://")
            target = link.format(self=f"{tenant.service.url}/v1.0/next", host=host)
        return web.json_response({"value": [], "@odata.nextLink": target})

    tenant.service.fault = fault
    failure = await failing(tenant)
    assert (failure.trouble, len(asked)) == (Trouble.PROTOCOL, 2 if link == "{self}" else 1)
    assert word in failure.detail


def text(body: str, status: int = 200, **headers: str) -> Callable[[], web.Response]:
    return lambda: web.Response(text=body, status=status, headers=headers)


@pytest.mark.parametrize(
    "response",
    [
        text('{"value": ['),
        text("<html>hotel</html>"),
        text("[]"),
        text("{}"),
        text('{"value": 7}'),
        text('{"value": ["x"]}'),
        text("[" * 200_000),
        text("", 204),
        text("", 302, Location="https://evil.example/"),
        text("x" * (9 * 1024 * 1024)),
    ],
)
async def test_what_is_no_collection_is_a_fault_of_protocol(
    tenant: Microsoft, response: Callable[[], web.Response]
) -> None:
    tenant.service.fault = answers(response)
    assert (await failing(tenant)).trouble is Trouble.PROTOCOL


async def test_a_large_answer_is_read_as_a_small_one(tenant: Microsoft) -> None:
    value = [{"id": "x" * 1000}] * 500
    tenant.service.fault = answers(lambda: web.json_response({"value": value}))
    assert (await tenant.client.fetch(MESSAGES))["value"] == value


@pytest.mark.parametrize("status", [429, 503, 504])
@pytest.mark.parametrize(
    ("said", "seconds"),
    [("20", 20), ("-1", 1), ("1000000000", 300), ("Thu, 01 Jan 2099 00:00:00 GMT", 300)],
)
async def test_a_mailbox_is_left_alone_for_as_long_as_graph_asks(
    tenant: Microsoft, status: int, said: str, seconds: int
) -> None:
    lines = {"Retry-After": said}
    tenant.service.fault = answers(lambda: error(status, "TooMany", "Slower.", **lines), times=1)
    failure = await failing(tenant)
    assert failure.trouble is Trouble.THROTTLED
    assert failure.retry_after == timedelta(seconds=seconds)
    again = await failing(tenant)  # nobody is asked
    assert (again.trouble, again.retry_after) == (Trouble.THROTTLED, timedelta(seconds=seconds))
    assert tenant.service.asked.total() == 0
    tenant.clock.advance(timedelta(seconds=seconds))
    assert [each async for each in tenant.client.pages(MESSAGES)] == []


async def test_being_throttled_without_a_time_has_one_of_ours(tenant: Microsoft) -> None:
    tenant.service.fault = answers(lambda: error(429, "TooMany", "Slower."))
    assert (await failing(tenant)).retry_after == timedelta(seconds=30)
    tenant.clock.advance(timedelta(seconds=30))
    tenant.service.fault = answers(text("", 503))
    failure = await failing(tenant)
    assert (failure.trouble, failure.retry_after) == (Trouble.UNAVAILABLE, timedelta(seconds=30))


async def test_a_mailbox_sees_four_requests_at_a_time(tenant: Microsoft) -> None:
    tenant.service.box("other@contoso.com")
    full, gate = asyncio.Event(), asyncio.Event()

    async def fault(request: web.Request) -> None:
        if tenant.service.at_once[USER] == AT_ONCE and "other" in request.path:
            full.set()
        await gate.wait()

    tenant.service.fault = fault
    other = Call("GET", path("users", "other@contoso.com", "mailFolders", "inbox"), READ, "other")
    inbox = Call("GET", path("users", USER, "mailFolders", "inbox"), READ, USER)
    asking = [asyncio.create_task(tenant.client.fetch(inbox)) for _ in range(12)]
    asking.append(asyncio.create_task(tenant.client.fetch(other)))
    async with asyncio.timeout(10):
        await full.wait()  # another mailbox is not kept waiting
        gate.set()
        await asyncio.gather(*asking)
    assert tenant.service.at_once[USER] == AT_ONCE == 4


async def test_a_token_that_is_not_taken_is_renewed_once(tenant: Microsoft) -> None:
    await tenant.client.fetch(MESSAGES)
    tenant.provider.revoke()
    tenant.clock.advance(timedelta(minutes=2))
    await tenant.client.fetch(MESSAGES)
    assert tenant.provider.asked == 2


async def test_a_token_that_is_never_taken_is_a_refused_login(tenant: Microsoft) -> None:
    tenant.service.fault = answers(lambda: error(401, "InvalidAuthenticationToken", "No."))
    await failing(tenant)
    tenant.clock.advance(timedelta(minutes=2))
    failure = await failing(tenant)
    assert failure.trouble is Trouble.LOGIN_REFUSED
    assert "Mail.Read" in failure.fix
    assert tenant.provider.asked == 2


async def test_no_token_is_no_fault_of_the_mailbox(tenant: Microsoft) -> None:
    tenant.application.secret_expired = True
    failure = await failing(tenant)
    assert failure.trouble is Trouble.TOKEN
    assert failure.detail.startswith("expired-secret: AADSTS7000222")
    assert "Make a new client secret" in failure.fix


@pytest.mark.parametrize(
    ("response", "trouble", "words"),
    [
        (
            lambda: error(403, "ErrorAccessDenied", "Access is denied."),
            Trouble.PERMISSION,
            ("Mail.Read", "New-ManagementRoleAssignment", "30 to 60 minutes", USER),
        ),
        (
            lambda: error(403, "ErrorAccessDenied", "Access to OData is disabled."),
            Trouble.PERMISSION,
            ("Test-ApplicationAccessPolicy", USER),
        ),
        (lambda: error(404, "ErrorInvalidUser", "Who?"), Trouble.NO_MAILBOX, ("Get-EXOMailbox",)),
        (
            lambda: error(404, "MailboxNotEnabledForRESTAPI", "On-premises."),
            Trouble.NO_MAILBOX,
            ("licence",),
        ),
        (lambda: error(404, "ErrorItemNotFound", "No."), Trouble.NO_FOLDER, ("MailboxFolder",)),
        (lambda: error(507, "ErrorQuotaExceeded", "Full."), Trouble.OVER_QUOTA, ("Empty",)),
        (lambda: error(500, "InternalServerError", "Oops."), Trouble.UNAVAILABLE, ("health",)),
        (lambda: error(400, "BadRequest", "What?"), Trouble.PROTOCOL, ()),
        (text("<html>", 403), Trouble.PERMISSION, ("Mail.Read",)),
        (text('{"error": {"code": 7, "message": []}}', 403), Trouble.PERMISSION, ("Mail.Read",)),
        (text("[" * 200_000, 400), Trouble.PROTOCOL, ()),
    ],
)
async def test_what_is_missing_is_named(
    tenant: Microsoft,
    response: Callable[[], web.Response],
    trouble: Trouble,
    words: tuple[str, ...],
) -> None:
    tenant.service.fault = answers(response)
    failure = await failing(tenant)
    assert failure.trouble is trouble
    for word in words:
        assert word in failure.fix


def test_a_tenant_wide_permission_has_no_role_for_some_mailboxes() -> None:
    from agent.adapters.graph_refusal import refusal_of
    from agent.adapters.https_api import Reply

    refusal = refusal_of(Reply(403), TRACE, "")
    assert "ExchangeMessageTrace.Read.All" in refusal.fix
    assert "New-ManagementRoleAssignment" not in refusal.fix
    assert refusal_of(Reply(404), TRACE, "").trouble is Trouble.PROTOCOL
    assert "Application Mail.Send" in refusal_of(Reply(403), SEND, USER).fix


async def test_graph_out_of_reach_is_told(tenant: Microsoft) -> None:
    lost = Graph(
        api=tenant.api,
        tokens=tenant.tokens,
        credential="probe",
        clock=tenant.clock,
        base_url="https://127.0.0.1:1",
    )
    with pytest.raises(PickupError) as caught:
        await lost.fetch(MESSAGES)
    assert caught.value.trouble is Trouble.UNREACHED
    assert caught.value.fix == "Allow this machine to reach https://127.0.0.1:1."


async def test_a_token_is_in_no_log_no_repr_and_no_exception(
    tenant: Microsoft, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    await tenant.client.fetch(MESSAGES)

    tenant.service.fault = answers(lambda: error(403, "ErrorAccessDenied", "No."))
    failure = await failing(tenant)
    tenant.service.fault = hang
    asking = asyncio.create_task(tenant.client.fetch(MESSAGES))
    await asyncio.wait({asking}, timeout=0.05)
    shown = [repr(asking), repr(asyncio.all_tasks()), repr(MESSAGES)]
    asking.cancel()
    await asyncio.wait({asking})
    shown += [repr(failure), str(failure), failure.fix, caplog.text]
    assert tenant.provider.issued
    for secret in (SECRET, "eyJ-canary"):
        assert secret not in "".join(shown)


def test_a_path_is_made_of_whatever_a_server_says() -> None:
    assert path("users", "o'neil@contoso.com", "a/b?c") == "/users/o%27neil@contoso.com/a%2Fb%3Fc"


def test_a_field_of_the_wrong_kind_is_empty() -> None:
    value = {"text": "a\nb", "number": 7, "at": "2026-11-23T12:00:00Z", "long": "2" * 99}
    assert read_text(value, "text") == "a\\x0ab"
    assert read_text(value, "number") == read_text(value, "missing") == ""
    at = read_time(value, "at")
    assert at is not None
    assert at.isoformat() == "2026-11-23T12:00:00+00:00"
    assert read_time({"at": "2026-11-23T12:00:00"}, "at") == at
    for bad in ("text", "number", "long", "missing"):
        assert read_time(value, bad) is None
    assert read_time({"at": "0001-01-01T00:00:00+23:00"}, "at") is None


def test_an_error_is_read_whatever_its_form() -> None:
    assert read_error(json.dumps({"error": {"code": "a", "message": "b"}}).encode()).code == "a"
    for body in (b"", b"7", b'{"error": "x"}', b'{"error": {"code": 7}}', b"\xff"):
        assert read_error(body).code == ""
