"""Waiting at an IMAP server, and giving up."""

import asyncio
import time
from datetime import timedelta

import pytest

from agent.adapters.imap import ImapPlace
from agent.adapters.imap_login import PasswordLogin
from agent.adapters.mailbox import PickupError
from agent.adapters.trust import TrustStore
from servers.imap import (
    NO_SASL,
    imap_server,
    threads,
)
from servers.imap_visit import SECRET, SHORT, giving, opened
from servers.smtp import Wire
from servers.tls import Authorities


@pytest.fixture(scope="module")
def trust() -> TrustStore:
    return Authorities().store


@pytest.mark.parametrize("command", ["greeting", "LIST"])
async def test_who_is_cancelled_leaves_nothing_behind(command: str, trust: TrustStore) -> None:
    reached = asyncio.Event()

    async def behave(wire: Wire, _tag: bytes) -> None:
        reached.set()
        await wire.hang()

    async with imap_server({command: behave}) as (port, _):
        task = asyncio.create_task(opened(port, trust))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert threads() == []


async def test_who_is_cancelled_while_waiting_has_to_open_anew(trust: TrustStore) -> None:
    idling = asyncio.Event()

    async def behave(wire: Wire, _tag: bytes) -> None:
        await wire.say(b"+ idling\r\n")
        idling.set()
        await wire.hang()

    async with imap_server({"IDLE": behave}) as (port, _):
        mailbox = await opened(port, trust)
        await mailbox.look()
        task = asyncio.create_task(mailbox.wait(timedelta(hours=1)))
        await idling.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(PickupError):
            await mailbox.look()
        await mailbox.close()
    assert threads() == []


async def test_a_server_without_idle_is_looked_at_after_a_while(trust: TrustStore) -> None:
    async with imap_server({"CAPABILITY": NO_SASL % b"AUTH=PLAIN"}) as (port, heard):
        mailbox = await opened(port, trust)
        began = time.monotonic()
        await mailbox.wait(SHORT)
        await mailbox.close()
    assert time.monotonic() - began >= SHORT.total_seconds() * 0.9
    assert b"IDLE" not in heard


async def test_idle_is_renewed_and_proved(trust: TrustStore) -> None:
    async with imap_server({}) as (port, heard):
        mailbox = await opened(port, trust, renew=timedelta(seconds=0.1))
        await mailbox.look()
        await mailbox.wait(timedelta(seconds=0.35))
        await mailbox.close()
    assert heard.count(b" IDLE\r\n") >= 3
    assert heard.count(b" NOOP\r\n") >= 2


async def test_no_login_goes_over_a_network_in_the_clear() -> None:
    login = giving(PasswordLogin("probe@contoso.com", SECRET))
    for host in ("imap.contoso.com", "192.0.2.1"):
        with pytest.raises(ValueError, match="without TLS"):
            ImapPlace(host=host, tls="never", login=login)
        assert ImapPlace(host=host, tls="never", login=login, allow_clear=True)
    assert ImapPlace(host="localhost", tls="never", login=login)
