"""A server is asked directly: its bits, its referrals, its signatures; and its bad manners."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import cast

import dns.flags
import dns.message
import dns.rrset
import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dns_direct import Direct
from agent.adapters.dns_serving import FORMERR, NOTIMP
from agent.domain.direct import Code, DirectQuery, Said, Signature
from agent.domain.lookup import Exchange, Silence, TextRecord, Type, Unanswered
from servers.dns import Content, DnsServer, Fault, WithoutEdns

SERVER = ip_address("192.0.2.53")


def query(name: str = "example.com", kind: Type = "MX", *, signed: bool = False) -> DirectQuery:
    return DirectQuery(SERVER, name, kind, signed=signed)


def direct(to: tuple[str, int], seconds: float = 2) -> Direct:
    return Direct(
        SystemClock(),
        timeout=timedelta(seconds=seconds),
        detours={(str(SERVER), 53): to},
        detours_only=True,
    )


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    zone: dict[tuple[str, str], Content] = {
        ("example.com", "MX"): "10 mx.example.com",
        ("example.com", "SOA"): "ns.example.com. host.example.com. 7 3600 600 86400 60",
        ("example.com", "DS"): "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
        ("www.example.com", "CNAME"): "web.example.com",
        ("web.example.com", "A"): "192.0.2.80",
        ("long.example.com", "TXT"): [f"{n:03}" + "x" * 200 for n in range(20)],
        ("slow.example.com", "A"): Fault.SILENT,
        ("lame.example.com", "A"): Fault.REFUSED,
        ("loop.example.com", "CNAME"): "loop.example.com",
    }
    async with DnsServer(zone) as server:
        yield server


async def test_an_answer_comes_with_the_servers_bits(server: DnsServer) -> None:
    said = await direct(server.address).ask(query())
    assert isinstance(said, Said)
    assert said.records == (Exchange(10, "mx.example.com"),)
    assert (said.code, said.authoritative, said.recursion) == (Code.NOERROR, True, True)
    assert said.ttl is not None
    assert not said.is_referral


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("SOA", "ns.example.com. host.example.com. 7 3600 600 86400 60"),
        ("DS", "60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118"),
    ],
)
async def test_other_types_come_in_the_form_of_zone_files(
    server: DnsServer, kind: Type, record: str
) -> None:
    said = await direct(server.address).ask(query(kind=kind))
    assert isinstance(said, Said)
    assert said.records == (record,)


async def test_aliases_are_followed_within_the_answer(server: DnsServer) -> None:
    said = await direct(server.address).ask(query("www.example.com", "A"))
    assert isinstance(said, Said)
    assert said.aliases == ("web.example.com",)
    assert said.records == (ip_address("192.0.2.80"),)
    assert await direct(server.address).ask(query("loop.example.com", "A")) == Unanswered(
        Silence.ALIAS_LOOP
    )


async def test_a_cut_reply_is_asked_for_over_tcp(server: DnsServer) -> None:
    said = await direct(server.address).ask(query("long.example.com", "TXT"))
    assert isinstance(said, Said)
    assert len(said.records) == 20
    assert isinstance(said.records[0], TextRecord)
    assert server.connections == 1


async def test_a_refusal_is_an_answer_and_silence_is_none(server: DnsServer) -> None:
    asking = direct(server.address, 0.4)
    refused, silent = await asking.ask_all(
        (query("lame.example.com", "A"), query("slow.example.com", "A"))
    )
    assert isinstance(refused, Said)
    assert refused.code is Code.REFUSED
    assert silent == Unanswered(Silence.TIMEOUT)
    assert server.asked["slow.example.com", "A"] == 2


async def test_what_is_not_of_the_internet_is_not_asked(server: DnsServer) -> None:
    asking = Direct(SystemClock(), timeout=timedelta(seconds=0.5))
    own = DirectQuery(ip_address("127.0.0.1"), "example.com", "MX", port=server.address[1])
    assert await asking.ask(own) == Unanswered(Silence.UNREACHABLE)
    assert not server.asked
    assert isinstance(await asking.ask(own, reach="any"), Said)


async def test_a_port_without_a_server_and_a_name_that_is_none() -> None:
    asking = direct(("127.0.0.1", 9), 0.5)
    assert await asking.ask(query()) == Unanswered(Silence.UNREACHABLE)
    assert await asking.ask(query("a" * 64)) == Unanswered(Silence.MALFORMED)


class Scripted(asyncio.DatagramProtocol):
    """Says what the test wants, to whatever is asked."""

    def __init__(self, response: dns.message.Message, noise: bytes = b"") -> None:
        self._response, self._noise = response, noise
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        assert self.transport is not None
        asked = dns.message.from_wire(data)
        response = dns.message.make_response(asked)
        response.flags = self._response.flags
        for section in (0, 1, 2):
            response.sections[section + 1].extend(self._response.sections[section + 1])
        if self._noise:
            self.transport.sendto(self._noise, addr)
        self.transport.sendto(response.to_wire(), addr)


async def _say(response: dns.message.Message, asked: DirectQuery, noise: bytes = b"") -> Said:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Scripted(response, noise), local_addr=("127.0.0.1", 0)
    )
    try:
        said = await direct(transport.get_extra_info("sockname")).ask(asked)
    finally:
        transport.close()
    assert isinstance(said, Said)
    return said


async def test_a_referral_has_its_glue_and_noise_is_passed_over() -> None:
    response = dns.message.Message()
    response.flags = dns.flags.QR
    response.authority.append(
        dns.rrset.from_text("example.com.", 60, "IN", "NS", "b.example.com.", "a.example.com.")
    )
    response.additional += [
        dns.rrset.from_text("a.example.com.", 60, "IN", "A", "192.0.2.1", "192.0.2.2"),
        dns.rrset.from_text("a.example.com.", 60, "IN", "AAAA", "2001:db8::1"),
    ]
    said = await _say(response, query("www.example.com", "A"), noise=b"\0\1hello")
    assert said.is_referral
    assert said.delegation == ("a.example.com", "b.example.com")
    assert said.glue == {
        "a.example.com": tuple(map(ip_address, ("192.0.2.1", "192.0.2.2", "2001:db8::1")))
    }


async def test_signatures_of_the_records_asked_for_are_read() -> None:
    response = dns.message.Message()
    response.flags = dns.flags.QR | dns.flags.AA | dns.flags.AD
    valid = "20261101000000 20261001000000"  # expiration, inception
    response.answer += [
        dns.rrset.from_text("example.com.", 60, "IN", "MX", "10 mx.example.com."),
        dns.rrset.from_text(
            "example.com.", 60, "IN", "RRSIG", f"MX 13 2 60 {valid} 77 example.com. AAAA"
        ),
        dns.rrset.from_text(
            "example.com.", 60, "IN", "RRSIG", f"TXT 13 2 60 {valid} 78 example.com. AAAA"
        ),
    ]
    said = await _say(response, query(signed=True))
    assert said.authentic
    assert said.signatures == (
        Signature(
            "example.com",
            13,
            77,
            datetime(2026, 10, 1, tzinfo=UTC),
            datetime(2026, 11, 1, tzinfo=UTC),
            60,
        ),
    )


async def test_whoever_is_out_of_sockets_blames_itself(server: DnsServer) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        said = await direct(server.address).ask(query())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert said == Unanswered(Silence.UNREACHABLE)
    assert isinstance(said, Unanswered)
    assert said.is_ours
    await server.stop()
    said = await direct(server.address).ask(query())
    assert isinstance(said, Unanswered)
    assert not said.is_ours
    await server.start()


async def test_a_question_may_go_over_tcp_from_the_first(server: DnsServer) -> None:
    said = await direct(server.address).ask(replace(query(), by_tcp=True))
    assert isinstance(said, Said)
    assert said.by_tcp
    assert (server.datagrams, server.connections) == (0, 1)


async def test_a_server_without_edns_is_asked_once_more_without_it(server: DnsServer) -> None:
    for rcode in (FORMERR, NOTIMP):
        server.zone["old.example.com", "MX"] = WithoutEdns("10 mx.example.com", rcode)
        said = await direct(server.address).ask(query("old.example.com"))
        assert isinstance(said, Said)
        assert said.records == (Exchange(10, "mx.example.com"),)
    server.zone["none.example.com", "MX"] = Fault.FORMERR
    said = await direct(server.address).ask(query("none.example.com"))
    assert isinstance(said, Said)
    assert said.code is Code.FORMERR
    assert server.asked["none.example.com", "MX"] == 2
