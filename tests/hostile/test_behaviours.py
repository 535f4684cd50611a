"""Whatever a server does, a session with it ends in time, truly, and without filling the memory."""

import asyncio
import ssl
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.smtp_session import Session, Target, hold
from agent.domain.smtp import Errand, Tls
from servers.hostile import Hostile, all_of_them
from servers.smtp import rude_server
from servers.tls import Authorities

DEADLINE = timedelta(seconds=1)
SLACK = 0.3  # seconds, beyond a tenth of the deadline
MOST = 20 * 2**20  # octets that the process may grow by
AUTHORITIES = Authorities()
CONTEXT: ssl.SSLContext = AUTHORITIES.server("mx.hostile.example")
HOSTILE = all_of_them(CONTEXT)
LETTER = b"Subject: probe\r\n\r\nhello\r\n"


def resident() -> int:
    """Return the resident octets of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


async def meet(hostile: Hostile) -> Session:
    clock = SystemClock()
    async with rude_server(hostile.behave) as (port, _):
        target = Target(
            address=ip_address("127.0.0.1"),
            port=port,
            tls=AUTHORITIES.store.client(verify=False),
            server_name="mx.hostile.example",
            reach="any",
        )
        errand = Errand(
            "probe.example",
            Tls.REQUIRED if hostile.needs_tls else Tls.IF_OFFERED,
            "a@probe.example",
            ("b@hostile.example",),
            LETTER,
        )
        dialer = Dialer(clock=clock)
        return await hold(target, errand, dialer=dialer, clock=clock, deadline=DEADLINE)


def test_there_are_as_many_as_were_promised() -> None:
    names = [each.name for each in HOSTILE]
    assert len(set(names)) == len(names) >= 60


@pytest.mark.parametrize("hostile", [pytest.param(each, id=each.name) for each in HOSTILE])
async def test_a_session_with_a_hostile_server(hostile: Hostile) -> None:
    loop = asyncio.get_running_loop()
    before, began = resident(), loop.time()
    session = await meet(hostile)
    took = loop.time() - began
    assert hostile.expected(session.dialogue), session.dialogue
    assert took <= 1.1 * DEADLINE.total_seconds() + SLACK
    assert resident() - before < MOST
    assert sum(map(len, session.transcript)) < 2**17
    assert all(line.isprintable() for line in session.transcript)
    assert session.greeting.isprintable()
    left = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
    assert not left
