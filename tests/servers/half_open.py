"""A server whose machine vanishes in the middle of a session: no close, no reset, nothing.

Run as a program of its own in a network namespace (``unshare -n``), with the phase at which the
server's address is taken away; prints how the session ended and how long it took.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from datetime import timedelta
from ipaddress import ip_address

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.smtp_session import Target, hold
from agent.adapters.trust import TrustStore
from agent.domain.smtp import Errand, Unreached
from servers.hostile import STEPS, after
from servers.smtp import Wire

ADDRESS = "198.18.0.1"
DEADLINE = timedelta(seconds=1.5)


def command(*words: str) -> None:
    """Run the tool for networks."""
    subprocess.run(("ip", *words), check=True, capture_output=True, text=True)


def prepare() -> None:
    """Make a network in which packets to addresses that are gone vanish without a word."""
    command("link", "set", "lo", "up")
    command("link", "add", "nowhere", "type", "veth", "peer", "name", "nobody")
    for each in ("nowhere", "nobody"):
        command("link", "set", each, "up")
    command("addr", "add", "10.0.0.1/24", "dev", "nowhere")
    command("neigh", "add", "10.0.0.2", "lladdr", "02:00:00:00:00:02", "dev", "nowhere")
    command("route", "add", "default", "via", "10.0.0.2")
    command("addr", "add", f"{ADDRESS}/32", "dev", "lo")


async def vanish(wire: Wire) -> None:
    """Take the address away and say nothing, as a machine does that loses its power."""
    await asyncio.to_thread(command, "addr", "del", f"{ADDRESS}/32", "dev", "lo")
    await wire.hang()


async def main(place: int) -> None:
    """Hold a session with a server that vanishes after so many replies."""
    behave = after(STEPS[:place], vanish)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # when all is over
            await behave(Wire(reader, writer, bytearray()))

    server = await asyncio.start_server(serve, ADDRESS, 0)
    clock = SystemClock()
    dialer = Dialer(clock=clock)
    target = Target(
        address=ip_address(ADDRESS),
        port=server.sockets[0].getsockname()[1],
        tls=TrustStore(system=False).client(verify=False),
        reach="any",
    )
    errand = Errand("a.example", mail_from="a@a.example", rcpt_to=("b@b.example",), message=b"x")
    began = clock.monotonic()
    session = await hold(target, errand, dialer=dialer, clock=clock, deadline=DEADLINE)
    dialogue = session.dialogue
    assert isinstance(dialogue, Unreached)
    ended = {
        "phase": dialogue.phase,
        "reason": dialogue.reason,
        "took": clock.monotonic() - began,
        "left": dialer.hosts_in_use,
    }
    sys.stdout.write(json.dumps(ended))


if __name__ == "__main__":
    prepare()
    asyncio.run(main(int(sys.argv[1])))
