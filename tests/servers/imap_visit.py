"""A mailbox opened at an IMAP server on loopback, for tests of what such servers do."""

import gc
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import psutil
import pytest

from agent.adapters.clock import Clock, SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.imap import ImapMailbox, ImapPlace, open_imap
from agent.adapters.imap_login import ImapLogin, PasswordLogin
from agent.adapters.mailbox import PickupError
from agent.adapters.trust import TrustStore
from servers.imap import threads
from servers.smart_host import Nowhere

DEADLINE = 0.5  # seconds
SECRET = 'pass "word" \\ of canary-4711'
SHORT = timedelta(seconds=0.3)


def giving(login: ImapLogin) -> Callable[[], Awaitable[ImapLogin]]:
    async def log_in() -> ImapLogin:
        return login

    return log_in


async def opened(
    port: int,
    trust: TrustStore,
    clock: Clock | None = None,
    *,
    tls: str = "never",
    **place: object,
) -> ImapMailbox:
    clock = clock or SystemClock()
    given = {"login": giving(PasswordLogin("probe@contoso.com", SECRET)), **place}
    return await open_imap(
        ImapPlace(host="127.0.0.1", port=port, tls=tls, **given),  # type: ignore[arg-type]
        resolver=Nowhere(),
        dialer=Dialer(clock=clock),
        trust=trust,
        clock=clock,
        timeout=timedelta(seconds=DEADLINE),
    )


async def _look_and_wait(port: int, trust: TrustStore, **place: object) -> None:
    mailbox = await opened(port, trust, **place)  # type: ignore[arg-type]
    try:
        await mailbox.look()
        await mailbox.wait(SHORT)
    finally:
        await mailbox.close()


async def trouble(port: int, trust: TrustStore, **place: object) -> PickupError:
    """Open, look and wait, and return what goes wrong; it has to end in time and leave nothing."""
    gc.collect()
    before, process = time.monotonic(), psutil.Process()
    size = process.memory_info().rss
    with pytest.raises(PickupError) as caught:
        await _look_and_wait(port, trust, **place)
    # Only one step hangs, and waiting has the time that was asked for on top.
    assert time.monotonic() - before < (DEADLINE + SHORT.total_seconds()) * 1.1 + 0.5
    assert process.memory_info().rss - size < 20 * 2**20
    assert threads() == []
    assert caught.value.detail.isprintable()
    assert "canary" not in str(caught.value)
    return caught.value
