"""P13: how wrong is the round trip that we report, when 400 queries start together?

The truth is the kernel's: a process of its own listens to the loopback interface (a packet socket,
which needs root) and pairs each query with its reply by port and id, both stamped by the kernel.
The error is the difference to what was noted for the same port and id. For comparison, the round
trip as it looks after ``await``, which is what dns.asyncquery and most clients report.

`python bench/p13_dns_round_trip.py`
"""

import asyncio
import contextlib
import json
import socket
import statistics
import struct
import subprocess
import sys
import time

from harness import HERE, Goal, Variant, compare, conclude, measure

sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

TOGETHER = 400
ROUNDS_INSIDE = 5
ETH_P_ALL = 0x0003
SO_TIMESTAMPNS = 35


def listen(port: str) -> None:
    """Note every datagram from or to *port* on loopback, until standard input closes."""
    wire = int(port)
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    packets.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)  # SO_RCVBUFFORCE
    packets.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    packets.bind(("lo", 0))
    packets.settimeout(0.2)
    print("ready", flush=True)
    import select

    sent: dict[tuple[int, int], int] = {}
    taken: list[tuple[int, int, float]] = []
    while not select.select([sys.stdin], [], [], 0)[0]:
        with contextlib.suppress(TimeoutError):
            while True:
                data, extra, _, address = packets.recvmsg(4096, 64)
                if address[2] == socket.PACKET_OUTGOING:
                    continue  # loopback shows each packet twice; the second one has arrived
                header = (data[0] & 15) * 4
                if data[9] != socket.IPPROTO_UDP:
                    continue
                source, target = struct.unpack_from("!HH", data, header)
                ident = int.from_bytes(data[header + 8 : header + 10], "big")
                seconds, nanoseconds = struct.unpack_from("@qq", extra[0][2])
                stamp = seconds * 10**9 + nanoseconds
                if target == wire:
                    sent[source, ident] = stamp
                elif source == wire and (target, ident) in sent:
                    taken.append((target, ident, (stamp - sent.pop((target, ident))) / 1e9))
    print(json.dumps(taken))


@contextlib.contextmanager
def listening(port: str):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Run the listener, and give a list that holds what it heard once the block ends."""
    heard: dict[tuple[int, int], float] = {}
    command = [sys.executable, str(HERE / "p13_dns_round_trip.py"), "listen", port]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield heard
        time.sleep(0.3)
        output, _ = child.communicate("\n")
        heard.update({(source, ident): taken for source, ident, taken in json.loads(output)})


def report(extra, heard, told) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    errors = [abs(told[key] - truth) * 1e3 for key, truth in heard.items() if key in told]
    assert len(errors) > TOGETHER * ROUNDS_INSIDE * 0.9, (len(errors), len(heard), len(told))
    extra["true ms"] = statistics.median(heard.values()) * 1e3
    extra["error p50 ms"] = statistics.median(errors)
    extra["error p99 ms"] = sorted(errors)[int(len(errors) * 0.99)]
    extra["error max ms"] = max(errors)


def ours(port: str) -> None:
    from agent.adapters import udp_pool
    from agent.adapters.clock import SystemClock
    from agent.adapters.resolver import Resolver
    from agent.domain.lookup import Query

    told: dict[tuple[int, int], float] = {}

    class Channel(udp_pool.Channel):
        """Notes by port and id what is reported for the server as a whole."""

        def _time(self, ask, ancillary):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            super()._time(ask, ancillary)
            key = (self._socket.getsockname()[1], int.from_bytes(ask.ident, "big"))
            told[key] = self._pool.server.round_trip_last

    udp_pool.Channel = Channel  # type: ignore[misc]

    async def main() -> None:
        resolver = Resolver((("127.0.0.1", int(port)),), SystemClock())
        queries = tuple(Query(f"d{n}.example.com", "TXT", fresh=True) for n in range(TOGETHER))
        await resolver.resolve_all(queries)
        told.clear()
        with measure(TOGETHER * ROUNDS_INSIDE) as extra:
            with listening(port) as heard:
                for _ in range(ROUNDS_INSIDE):
                    await resolver.resolve_all(queries)
            report(extra, heard, told)
        await resolver.close()

    asyncio.run(main())


def after_await(port: str) -> None:
    """The usual way: dns.asyncquery, which reads the clock when the loop gets around to it."""
    import dns.asyncbackend
    import dns.asyncquery
    import dns.message

    told: dict[tuple[int, int], float] = {}

    async def one(name: str) -> None:
        backend = dns.asyncbackend.get_default_backend()
        async with await backend.make_socket(
            socket.AF_INET, socket.SOCK_DGRAM, 0, None, ("127.0.0.1", int(port))
        ) as own:
            query = dns.message.make_query(name, "TXT")
            reply = await dns.asyncquery.udp(query, "127.0.0.1", 10, int(port), sock=own)
            told[(await own.getsockname())[1], query.id] = float(reply.time)

    async def main() -> None:
        names = [f"d{n}.example.com" for n in range(TOGETHER)]
        await asyncio.gather(*map(one, names))
        told.clear()
        with measure(TOGETHER * ROUNDS_INSIDE) as extra:
            with listening(port) as heard:
                for _ in range(ROUNDS_INSIDE):
                    await asyncio.gather(*map(one, names))
            report(extra, heard, told)

    asyncio.run(main())


async def _with_unbound() -> None:
    from servers.dns import DnsServer
    from servers.unbound import unbound

    zone = {(f"d{n}.example.com", "TXT"): "v=spf1 -all" for n in range(TOGETHER)}
    async with DnsServer(zone) as server, unbound(server.address) as (_, port):
        variants = (
            Variant("ours", "p13_dns_round_trip:ours", (str(port),)),
            Variant("dns.asyncquery", "p13_dns_round_trip:after_await", (str(port),)),
        )
        results = await asyncio.to_thread(compare, variants)
    conclude(results, Goal("ours", "", "error p50 ms", gate=5.0, moonshot=0.5))


if __name__ == "__main__":
    if sys.argv[1:2] == ["listen"]:
        listen(sys.argv[2])
    else:
        asyncio.run(_with_unbound())
