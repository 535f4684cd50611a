"""The message trace is asked sparingly, and answers in a closed set of words."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from agent.adapters.graph_send import Sent, send_mail
from agent.adapters.graph_trace import MAX_REQUESTS, PERIOD, Traces, TraceStatus
from agent.adapters.mailbox import PickupError, Trouble
from servers.entra import answers
from servers.microsoft import USER, Microsoft, microsoft

MESSAGE_ID = "<it's-1@contoso.com>"
MIME = f"To: <{USER}>\r\nMessage-ID: {MESSAGE_ID}\r\n\r\nHello.\r\n".encode()


@pytest.fixture
async def tenant() -> AsyncIterator[Microsoft]:
    async with microsoft() as running:
        yield running


@pytest.mark.parametrize("since", [None, timedelta(hours=1), timedelta(days=80)])
async def test_a_message_is_traced_by_its_message_id(
    tenant: Microsoft, since: timedelta | None
) -> None:
    assert isinstance(await send_mail(tenant.client, USER, MIME), Sent)
    traces = Traces(tenant.client, tenant.clock)
    at = tenant.clock.now()
    (traced,) = await traces.trace(MESSAGE_ID, at - since if since else None)
    assert (traced.status, traced.recipient) == (TraceStatus.DELIVERED, USER)
    assert (traced.received_at, traced.size) == (at, len(MIME))
    assert (traced.from_ip, traced.to_ip, traced.trace_id) == ("192.0.2.1", "", "trace-0")
    assert await traces.trace("<other@contoso.com>") == ()


async def test_a_message_that_bounced_has_failed(tenant: Microsoft) -> None:
    tenant.service.bounces = True
    await send_mail(tenant.client, USER, MIME)
    (traced,) = await Traces(tenant.client, tenant.clock).trace(MESSAGE_ID)
    assert traced.status is TraceStatus.FAILED


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("gettingStatus", TraceStatus.GETTING_STATUS),
        ("pending", TraceStatus.PENDING),
        ("expanded", TraceStatus.EXPANDED),
        ("quarantined", TraceStatus.QUARANTINED),
        ("filteredAsSpam", TraceStatus.FILTERED_AS_SPAM),
        ("recalled", TraceStatus.UNKNOWN),
        (["delivered"], TraceStatus.UNKNOWN),
        (None, TraceStatus.UNKNOWN),
    ],
)
async def test_a_status_is_one_of_a_closed_set(
    tenant: Microsoft, word: object, status: TraceStatus
) -> None:
    value = [{"status": word, "size": -1, "recipientAddress": "a\x1b" * 999}, "no object"]
    tenant.service.fault = answers(lambda: web.json_response({"value": value}))
    (traced,) = await Traces(tenant.client, tenant.clock).trace(MESSAGE_ID)
    assert (traced.status, traced.size, traced.received_at) == (status, None, None)
    assert len(traced.recipient) == 200


async def test_half_of_what_the_tenant_may_ask_is_asked(tenant: Microsoft) -> None:
    traces = Traces(tenant.client, tenant.clock)
    for _ in range(MAX_REQUESTS):
        await traces.trace(MESSAGE_ID)
        tenant.clock.advance(timedelta(seconds=1))
    with pytest.raises(PickupError) as caught:
        await traces.trace(MESSAGE_ID)
    assert caught.value.trouble is Trouble.THROTTLED
    assert caught.value.retry_after == PERIOD - timedelta(seconds=MAX_REQUESTS)
    assert tenant.service.asked["traces"] == MAX_REQUESTS
    tenant.clock.advance(caught.value.retry_after)
    await traces.trace(MESSAGE_ID)


async def test_the_service_principal_that_is_missing_is_named(tenant: Microsoft) -> None:
    tenant.service.has_trace_principal = False
    with pytest.raises(PickupError) as caught:
        await Traces(tenant.client, tenant.clock).trace(MESSAGE_ID)
    assert caught.value.trouble is Trouble.PERMISSION
    assert "New-MgServicePrincipal -AppId 8bd644d1" in caught.value.fix


async def test_the_permission_that_is_missing_is_named(tenant: Microsoft) -> None:
    tenant.application.permissions = {"Mail.Send"}
    with pytest.raises(PickupError) as caught:
        await Traces(tenant.client, tenant.clock).trace(MESSAGE_ID)
    assert "ExchangeMessageTrace.Read.All" in caught.value.fix


async def test_what_is_no_collection_is_a_fault_of_protocol(tenant: Microsoft) -> None:
    tenant.service.fault = answers(lambda: web.json_response({"value": None}))
    with pytest.raises(PickupError, match="no collection"):
        await Traces(tenant.client, tenant.clock).trace(MESSAGE_ID)


@pytest.mark.parametrize("message_id", ["", "<a@b>\r\n"])
async def test_what_is_no_message_id_is_not_asked_for(tenant: Microsoft, message_id: str) -> None:
    with pytest.raises(ValueError, match="Message-ID"):
        await Traces(tenant.client, tenant.clock).trace(message_id)
