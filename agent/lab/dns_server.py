"""Who answers the agent's DNS questions in the lab?

A server on loopback, over UDP and TCP, that plays the resolver of the lab's world, or one of its
name servers: it knows the world's zones and nothing else, and obeys the faults that are switched
on.
"""

import asyncio
import enum
import struct
from contextlib import suppress
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Protocol, Self, cast

from agent.adapters.dns_serving import (
    REFUSED,
    SERVFAIL,
    Question,
    ResourceRecord,
    Response,
    read_question,
    refer,
    respond,
    write_response,
)
from agent.lab.faults import World

TTL = 3600  # seconds, as a well-kept mail domain has it
SHARED_TTL = 5  # of what domains share or lack, so that a fault and its end show soon
IDLE = 10  # seconds until a silent TCP client is let go
GATE = IPv4Address("198.18.0.1")  # RFC 2544: nobody's
ANY = (0,) * 20  # twenty free ports, until one is free for UDP as it is for TCP


class Role(enum.Enum):
    """Whom a server plays."""

    RESOLVER = "the resolver"
    REGISTRY = "the name server of com, which delegates"
    FIRST = "the first name server of the domains"
    SECOND = "the second one"


class DnsServer:
    """Answers from a world until it is closed, on the first of *ports* that is free."""

    def __init__(
        self, world: World, ports: tuple[int, ...] = ANY, role: Role = Role.RESOLVER
    ) -> None:
        self._world = world
        self._role = role
        self._ports = ports
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        *others, last = self._ports
        for port in others:
            with suppress(OSError):
                return await self._listen(port)
        return await self._listen(last)

    async def _listen(self, port: int) -> Self:
        """Listen on *port*, for TCP and for UDP; raises OSError where it is taken for either."""
        self._tcp = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._tcp.sockets[0].getsockname()[1]
        try:
            self._udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Datagrams(self._answer), ("127.0.0.1", self.port)
            )
        except OSError:
            self._tcp.close()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()

    def _answer(self, wire: bytes, *, datagram: bool) -> bytes | None:
        question = read_question(wire)
        if question is None or self._world.is_silent:
            return None
        return write_response(question, self._response(question), datagram=datagram)

    def _response(self, question: Question) -> Response:
        if self._role is Role.RESOLVER and self._world.is_captive:
            return _gate(question)
        if self._world.is_failing(question.name):
            return Response(SERVFAIL)
        if not question.name:
            return Response(REFUSED)  # the lab has no root
        if self._role is not Role.RESOLVER:
            return self._authority(question)
        is_domain = (question.name, "MX") in self._world.zone
        ttl = TTL if is_domain else SHARED_TTL
        return respond(question, self._world.zone, ttl=ttl, negative_ttl=SHARED_TTL)

    def _authority(self, question: Question) -> Response:
        """Answer as a name server does, with the times to live as they are published."""
        if self._role is Role.REGISTRY:
            return refer(question, self._world.zone, "com", ttl=TTL)
        is_second = self._role is Role.SECOND
        if is_second and self._world.second_refuses(question.name):
            return Response(REFUSED, authoritative=False, recursion=False)
        zone = self._world.second_zone if is_second else self._world.zone
        return replace(respond(question, zone, ttl=TTL), recursion=False)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(IDLE):
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                wire = self._answer(await reader.readexactly(length), datagram=False)
                if wire is not None:
                    writer.write(struct.pack("!H", len(wire)) + wire)
                    await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def _gate(question: Question) -> Response:
    """Answer as the gate of a guest network does, so that every browser lands on its page."""
    page = ResourceRecord(question.name, "A", SHARED_TTL, GATE)
    return Response(answers=(page,) if question.kind == "A" else ())


class _Answers(Protocol):
    def __call__(self, wire: bytes, *, datagram: bool) -> bytes | None: ...


class _Datagrams(asyncio.DatagramProtocol):
    """Hands each datagram to a function and sends back what it returns."""

    def __init__(self, answer: _Answers) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket to answer on."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        reply = self._answer(data, datagram=True)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)
