"""What does DNS say in this test?

A real server over UDP and TCP, in the test's loop, from a mapping of names and types to records or
faults:

    async with DnsServer({
        ("example.com", "TXT"): "v=spf1 mx -all",
        ("example.com", "MX"): ["10 mail.example.com", Exchange(20, "backup.example.com")],
        ("mail.example.com", "A"): "192.0.2.1",
        ("slow.example.com", "TXT"): Fault.SILENT,
    }) as server:
        resolver = Resolver((server.address,), clock)

The zone may be changed while the server runs (``server.zone``); questions are counted by name and
type (``server.asked``), datagrams and connections by transport. Names are lower case.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self

from agent.adapters import dns_serving
from agent.adapters.dns_serving import Question, ResourceRecord, Response
from servers.dns_zone import (
    AliasOnly,
    Content,
    Delayed,
    Fault,
    Forged,
    Held,
    Published,
    Raw,
    Rotating,
    Truncated,
    View,
    WithoutEdns,
    WithoutTcp,
    Zone,
    publish,
    read_records,
    rotate,
    spoil,
)

__all__ = [
    "AliasOnly",
    "Content",
    "Delayed",
    "DnsServer",
    "Fault",
    "Forged",
    "Held",
    "Published",
    "Raw",
    "Rotating",
    "Truncated",
    "WithoutEdns",
    "WithoutTcp",
    "Zone",
    "read_records",
]


class DnsServer(asyncio.DatagramProtocol):
    """One server on one free port, for UDP and TCP."""

    def __init__(self, zone: Mapping[tuple[str, str], Content] | None = None) -> None:
        self.zone: Zone = dict(zone or {})
        self.default: Content | None = None  # for names that the zone does not have
        self.asked: Counter[tuple[str, str]] = Counter()
        self.datagrams = 0
        self.connections = 0
        self.address: tuple[str, int] = ("127.0.0.1", 0)
        self.last_client = ("", 0)
        self.shouts = False  # echoes the question in capitals
        self._heard = asyncio.Event()
        self._closed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._handlers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port, the same for UDP and TCP."""
        return self.address[1]

    async def start(self, port: int = 0) -> None:
        """Listen; a *port* that had been the server's brings it back to the same place."""
        loop = asyncio.get_running_loop()
        while True:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: self, local_addr=("127.0.0.1", port)
            )
            address = transport.get_extra_info("sockname")
            try:
                self._tcp = await asyncio.start_server(self._serve_tcp, *address)
            except OSError:  # the port is free for UDP and taken for TCP
                transport.close()
                continue
            self._udp = transport
            receiver = transport.get_extra_info("socket")
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self.address = (address[0], address[1])
            return

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._closed.set()

    async def stop(self) -> None:
        """Close all sockets; the port answers with ICMP unreachable from now on."""
        self._closed.clear()
        self._udp.close()
        await self._closed.wait()
        self._tcp.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        for handler in tuple(self._handlers):
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._tcp.wait_closed()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.datagrams += 1
        self.last_client = addr
        question = dns_serving.read_question(data)
        if question is None:
            return
        if self.shouts:
            question = replace(question, octets=question.octets.upper())
        content = self._content(question)
        match content:
            case Fault.SILENT:
                return
            case Raw(make):
                reply = make(question, data)
            case Truncated():
                response = Response(truncated=True)
                reply = dns_serving.write_response(question, response, datagram=True)
            case _:
                response = self._response(question, content)
                reply = dns_serving.write_response(question, response, datagram=True)
        self._deliver(content, reply, addr)

    def _deliver(self, content: Content | None, reply: bytes, addr: tuple[str, int]) -> None:
        match content:
            case Delayed(_, seconds):
                asyncio.get_running_loop().call_later(seconds, self._send, reply, addr)
            case Held(_, until):
                self._own(self._send_when(until, reply, addr))
            case Forged(packets, _, genuine):
                for forge in packets:
                    self._udp.sendto(forge(reply), addr)
                if genuine:
                    self._udp.sendto(reply, addr)
            case _:
                self._udp.sendto(reply, addr)

    def send_to(self, packet: bytes, client: tuple[str, int]) -> None:
        """Send any datagram from this server's port."""
        self._udp.sendto(packet, client)

    async def wait_until_asked(self, name: str, kind: str, *, times: int = 1) -> None:
        """Wait until a question has come, over UDP or TCP, so many times in all."""
        while self.asked[name, kind] < times:
            self._heard.clear()
            await self._heard.wait()

    def _send(self, reply: bytes, addr: tuple[str, int]) -> None:
        if not self._udp.is_closing():
            self._udp.sendto(reply, addr)

    async def _send_when(self, until: asyncio.Event, reply: bytes, addr: tuple[str, int]) -> None:
        await until.wait()
        self._send(reply, addr)

    def _own(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)

    def _content(self, question: Question) -> Content | None:
        self.asked[question.name, question.kind] += 1
        self._heard.set()
        content = self.zone.get((question.name, question.kind))
        if content is None and not self._exists(question.name):
            return self.default
        return content

    def _exists(self, name: str) -> bool:
        return any(known == name or known.endswith("." + name) for known, _ in self.zone)

    def _response(self, question: Question, content: Content | None) -> Response:
        if isinstance(content, WithoutEdns) and question.edns:
            return Response(rcode=content.rcode)
        if isinstance(content, Fault):
            return Response(rcode=int(content.value))
        if isinstance(content, AliasOnly):
            alias = ResourceRecord(question.name, "CNAME", 300, content.target)
            return Response(answers=(alias,))
        ttl = content.ttl if isinstance(content, Published) else 300
        response = dns_serving.respond(question, View(self.zone, question, content), ttl=ttl)
        if isinstance(content, Rotating):
            return rotate(response, self.asked[question.name, question.kind])
        if isinstance(content, Published):
            return publish(response, content)
        return response

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        handler = asyncio.current_task()
        assert handler is not None
        self._handlers.add(handler)
        try:
            length = int.from_bytes(await reader.readexactly(2), "big")
            data = await reader.readexactly(length)
            question = dns_serving.read_question(data)
            if question is not None:
                await self._reply_tcp(question, data, writer)
            await reader.read()  # until the client has gone
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._handlers.discard(handler)
            self._writers.discard(writer)
            writer.close()

    async def _reply_tcp(
        self, question: Question, data: bytes, writer: asyncio.StreamWriter
    ) -> None:
        content = self._content(question)
        if isinstance(content, WithoutTcp):
            writer.close()
            return
        if isinstance(content, Raw):
            reply = content.make(question, data)
        else:
            response = self._response(question, content)
            reply = dns_serving.write_response(question, response, datagram=False)
        if isinstance(content, Truncated):
            writer.write(spoil(content, question, reply))
            if content.tcp == "closes":
                writer.close()
        elif content is not Fault.SILENT:
            writer.write(len(reply).to_bytes(2, "big") + reply)
            await writer.drain()
