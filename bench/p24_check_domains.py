"""What does it cost to look at 100 domains at once, all that DNS says of their mail?

The domains are customers of Exchange Online with two senders more, keys, a DMARC record and a
record for TLS reports; unbound answers for all of them, in front of Knot. Each variant has looked
at one other domain before, so that all is imported, and keeps nothing of the 100.

- ours: what `mailflow-agent check` does, all domains at once: every probe that needs no more than
  a name, every sender evaluated from samples of its networks, the list and the text.
- checkdmarc: `check_domains` with what it does by default, but for BIMI, which we do not look at.
  It looks at the zone's name servers, its SOA record and its signatures as well; DKIM keys and
  senders it does not look at. It takes one domain after the other.
- the same, far away: every answer takes 10 ms longer.

The name servers of the domains are ours as well, at addresses of twenty providers: we ask each of
them for all that mail needs, and checkdmarc asks none.

A policy of MTA-STS is announced by none of the domains: fetching it would measure a web server.

`python bench/p24_check_domains.py`
"""

import asyncio
import functools
import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness import HERE, Goal, Variant, compare, conclude, measure

sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

if TYPE_CHECKING:
    from servers.knot import Zone

DOMAINS = 100
ANOTHER = "another.com"
AWAY = 0.01  # seconds
TTL = 3600
PROVIDERS = 20  # that the domains are spread over, each with two name servers
SERVERS = tuple(f"192.31.196.{number}" for number in range(1, 2 * PROVIDERS + 1))
SPF = (
    "v=spf1 ip4:192.31.196.10 include:spf.protection.outlook.com include:servers.mcsv.net"
    " include:sendgrid.net -all"
)
SHARED = {
    "spf.protection.outlook.com": "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15"
    " ip4:52.102.0.0/16 ip4:52.103.0.0/17 ip4:104.47.0.0/17 -all",
    "servers.mcsv.net": "v=spf1 ip4:205.201.128.0/20 ip4:198.2.128.0/18 ~all",
    "sendgrid.net": "v=spf1 ip4:167.89.0.0/17 ip4:208.117.48.0/20 ~all",
}


def names() -> tuple[str, ...]:
    return tuple(f"customer{number}.com" for number in range(DOMAINS))


def ours(port: str, authority: str) -> None:
    asyncio.run(_ours(int(port), int(authority)))


async def _ours(port: int, authority: int) -> None:
    from agent.adapters.dns_direct import Direct
    from agent.cli.check import as_text
    from agent.cli.draw import Pen
    from agent.cli.looking import look, public_probes
    from agent.cli.resolvers import resolving
    from agent.cli.toolbox import lending

    probes = public_probes()
    async with resolving((("127.0.0.1", port),)) as resolver, lending(resolver) as lent:
        # What the domains' own servers are asked directly is asked of ours.
        places = {(place, 53): ("127.0.0.1", authority) for place in SERVERS}
        tools = replace(lent, direct=Direct(lent.clock, detours=places))
        await look((ANOTHER,), tools, probes)
        with measure(DOMAINS):
            looked = await look(names(), tools, probes)
            text = "\n".join(as_text(looked, Pen(), facts=True))
    assert all(each.outcomes.keys() >= {"mx", "spf", "dmarc", "dkim"} for each in looked)
    assert "dns-unanswered" not in text, text


def checkdmarc(port: str, _: str) -> None:
    import dns.nameserver
    import dns.resolver
    from checkdmarc import check_domains
    from checkdmarc.utils import DNS_CACHE

    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = int(port)
    none: Any = None  # what its documentation says leaves BIMI out
    servers = [dns.nameserver.Do53Nameserver("127.0.0.1", int(port))]

    def check(*domains: str) -> Any:
        return check_domains(
            list(domains),
            bimi_selector=none,
            nameservers=servers,
            resolver=resolver,
        )

    check(ANOTHER)
    DNS_CACHE.clear()
    with measure(DOMAINS):
        found = check(*names())
    assert all(each["spf"]["valid"] and each["dmarc"]["valid"] for each in found), found


def zones() -> "dict[str, Zone]":
    """The root, com, and a zone for each customer; all else stands in the first two."""
    from domains.world_of_domains import OTHER_KEY

    from agent.lab.world import SIGNING_KEY
    from servers.knot import Zone

    shared = [_txt(name, text) for name, text in SHARED.items()]
    customers: dict[str, list[str]] = {}
    for at, name in enumerate((*names(), ANOTHER)):
        token = name.replace(".", "-")
        keys = f"-{token}._domainkey.tenant.onmicrosoft.com"
        host = f"{token}.mail.protection.outlook.com"
        shared += [
            f"{host}. {TTL} A 52.101.68.1",
            _txt(f"selector1{keys}", f"v=DKIM1; k=rsa; p={SIGNING_KEY}"),
            _txt(f"selector2{keys}", f"v=DKIM1; k=rsa; p={OTHER_KEY}"),
        ]
        two = SERVERS[at % PROVIDERS], SERVERS[at % PROVIDERS + PROVIDERS]
        customers[name] = [
            *_apex(name, f"ns1.{name}", f"ns2.{name}"),
            *(f"ns{n}.{name}. {TTL} A {place}" for n, place in enumerate(two, 1)),
            f"{name}. {TTL} MX 0 {host}.",
            *(f"selector{n}._domainkey.{name}. {TTL} CNAME selector{n}{keys}." for n in (1, 2)),
            _txt(name, SPF),
            _txt(f"_dmarc.{name}", f"v=DMARC1; p=reject; rua=mailto:d@{name}"),
            _txt(f"_smtp._tls.{name}", f"v=TLSRPTv1; rua=mailto:d@{name}"),
            _txt(f"k1._domainkey.{name}", f"v=DKIM1; k=rsa; p={OTHER_KEY}"),
        ]
    of_com = [line for line in shared if line.partition(" ")[0].endswith(".com.")]
    lines = {
        ".": [*_apex("", "a.registry.example"), *(each for each in shared if each not in of_com)],
        "com": [*_apex("com", "a.registry.example"), *of_com],
        **customers,
    }
    return {
        name: Zone("\n".join(each) + "\n", ago=None, is_whole=True) for name, each in lines.items()
    }


def _apex(name: str, *servers: str) -> list[str]:
    soa = f"{name}. {TTL} SOA {servers[0]}. dns.{servers[0]}. 7 7200 900 1209600 {TTL}"
    return [soa, *(f"{name}. {TTL} NS {server}." for server in servers)]


def _txt(name: str, text: str) -> str:
    strings = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
    return f"{name}. {TTL} TXT {strings}"


def _variants(port: int, authority: int, where: str) -> tuple[Variant, ...]:
    arguments = (str(port), str(authority))
    return (
        Variant(f"ours{where}", "p24_check_domains:ours", arguments),
        Variant(f"checkdmarc{where}", "p24_check_domains:checkdmarc", arguments),
    )


async def _away(port: int) -> int:
    """Listen in front of a server, and return where."""
    loop = asyncio.get_running_loop()
    udp, _ = await loop.create_datagram_endpoint(functools.partial(_Away, port), ("127.0.0.1", 0))
    mine = int(udp.get_extra_info("sockname")[1])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        back.write(await reader.read(65_535))
        length = await there.readexactly(2)
        reply = await there.readexactly(int.from_bytes(length))
        await asyncio.sleep(AWAY)
        writer.write(length + reply)
        writer.close()
        back.close()

    await asyncio.start_server(serve, "127.0.0.1", mine)
    return mine


class _Away(asyncio.DatagramProtocol):
    """Hands questions on, and each reply back after a while, as a resolver that is far away."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._own: asyncio.DatagramTransport

    def connection_made(self, transport: Any) -> None:
        self._own = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        one = socket.socket(type=socket.SOCK_DGRAM)
        one.settimeout(0)
        one.connect(("127.0.0.1", self._port))

        def heard() -> None:
            loop.remove_reader(one)
            reply = one.recv(65_535)
            one.close()
            loop.call_later(AWAY, self._own.sendto, reply, addr)

        loop.add_reader(one, heard)
        one.send(data)


async def _main() -> None:
    from servers.knot import knot
    from servers.unbound import unbound

    with knot(zones()) as authority:
        async with unbound(authority.address) as (_, port):
            ways = [await _away(real) for real in (port, authority.address[1])]
            variants = (
                *_variants(port, authority.address[1], ""),
                *_variants(*ways, ", far away"),
            )
            results = await asyncio.to_thread(compare, variants)
    conclude(
        results,
        Goal("ours", "checkdmarc", "cpu", gate=1.5, moonshot=0.1),
        Goal("ours", "checkdmarc", "wall", gate=1.5, moonshot=0.05),
        Goal("ours, far away", "checkdmarc, far away", "wall", gate=0.25, moonshot=0.05),
    )


if __name__ == "__main__":
    asyncio.run(_main())
