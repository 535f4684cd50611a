"""A message given to Graph was taken, declined, not sent, or nobody knows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from aiohttp import web

from agent.adapters.graph import Graph
from agent.adapters.graph_send import MAX_MIME, Declined, NotSent, Sent, Uncertain, send_mail
from agent.adapters.mailbox import Trouble
from servers.entra import answers
from servers.graph import error
from servers.microsoft import USER, Microsoft, microsoft

MIME = f"From: <{USER}>\r\nTo: <{USER}>\r\nMessage-ID: <a@b>\r\n\r\nHello.\r\n".encode()


@pytest.fixture
async def tenant() -> AsyncIterator[Microsoft]:
    async with microsoft() as running:
        yield running


async def test_a_message_is_taken_as_it_is_and_a_copy_is_kept(tenant: Microsoft) -> None:
    sent = await send_mail(tenant.client, USER, MIME)
    assert sent == Sent(sent.request_id) if isinstance(sent, Sent) else sent
    assert isinstance(sent, Sent)
    assert sent.request_id == "5f2c-request"
    (copy,) = tenant.service.folder(USER, "sentitems")
    assert copy.octets == MIME


async def test_a_message_without_recipient_is_declined_in_graphs_words(tenant: Microsoft) -> None:
    declined = await send_mail(tenant.client, USER, b"From: <a@b>\r\n\r\n")
    assert isinstance(declined, Declined)
    assert (declined.status, declined.code) == (400, "ErrorInvalidRecipients")
    assert "recipient" in declined.message


async def test_a_permission_that_is_missing_is_named(tenant: Microsoft) -> None:
    tenant.application.permissions = {"Mail.Read"}
    declined = await send_mail(tenant.client, USER, MIME)
    assert isinstance(declined, Declined)
    assert declined.trouble is Trouble.PERMISSION
    assert "Application Mail.Send" in declined.fix


async def test_a_mailbox_that_does_not_exist_is_named(tenant: Microsoft) -> None:
    declined = await send_mail(tenant.client, "nobody@contoso.com", MIME)
    assert isinstance(declined, Declined)
    assert declined.trouble is Trouble.NO_MAILBOX


async def test_without_a_token_nothing_is_sent(tenant: Microsoft) -> None:
    tenant.application.secret = "another"
    not_sent = await send_mail(tenant.client, USER, MIME)
    assert isinstance(not_sent, NotSent)
    assert not_sent.trouble is Trouble.TOKEN
    assert "client secret" in not_sent.fix


@pytest.mark.parametrize(("status", "seconds"), [(429, 12), (503, 12)])
async def test_being_throttled_is_no_fault_of_the_message(
    tenant: Microsoft, status: int, seconds: int
) -> None:
    lines = {"Retry-After": str(seconds)}
    tenant.service.fault = answers(lambda: error(status, "TooMany", "Slower.", **lines), times=1)
    for _ in range(2):
        not_sent = await send_mail(tenant.client, USER, MIME)
        assert isinstance(not_sent, NotSent)
        assert not_sent.trouble is Trouble.THROTTLED
        assert not_sent.retry_after == timedelta(seconds=seconds)
    assert tenant.service.folder(USER, "sentitems") == []


async def test_graph_out_of_reach_is_told(tenant: Microsoft) -> None:
    lost = Graph(
        api=tenant.api,
        tokens=tenant.tokens,
        credential="probe",
        clock=tenant.clock,
        base_url="https://127.0.0.1:1",
    )
    not_sent = await send_mail(lost, USER, MIME)
    assert isinstance(not_sent, NotSent)
    assert not_sent.trouble is Trouble.UNREACHED


async def test_a_connection_lost_after_the_message_leaves_it_open(tenant: Microsoft) -> None:
    received = []

    async def fault(request: web.Request) -> web.Response:
        received.append(await request.read())
        assert request.transport is not None
        request.transport.abort()
        await asyncio.Event().wait()
        raise AssertionError

    tenant.service.fault = fault
    uncertain = await send_mail(tenant.client, USER, MIME)
    assert isinstance(uncertain, Uncertain)
    assert len(received) == 1  # it is not sent again


async def test_a_message_does_not_go_over_a_connection_that_may_be_dead(tenant: Microsoft) -> None:
    peers = []

    async def fault(request: web.Request) -> None:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername")[1])

    tenant.service.fault = fault
    for _ in range(3):
        assert isinstance(await send_mail(tenant.client, USER, MIME), Sent)
    assert len(set(peers)) == 3


@pytest.mark.parametrize(
    "response",
    [
        lambda: web.Response(text="<html>hotel</html>", content_type="text/html"),
        lambda: web.Response(status=302, headers={"Location": "https://evil.example/"}),
        lambda: error(500, "InternalServerError", "Oops."),
        lambda: error(504, "GatewayTimeout", "Oops."),
    ],
)
async def test_what_is_neither_yes_nor_no_leaves_it_open(
    tenant: Microsoft, response: Callable[[], web.Response]
) -> None:
    tenant.service.fault = answers(response)
    assert isinstance(await send_mail(tenant.client, USER, MIME), Uncertain)


async def test_a_message_that_no_request_can_carry_is_not_sent(tenant: Microsoft) -> None:
    with pytest.raises(ValueError, match="at most"):
        await send_mail(tenant.client, USER, b"x" * (MAX_MIME + 1))
