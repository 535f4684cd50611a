"""What does it cost to look at 100 domains at once, all that DNS says of their mail?

The domains are customers of Exchange Online with two senders more, keys, a DMARC record and a
record for TLS reports; unbound answers for all of them, in front of a server of ours. Each variant
has looked at one other domain before, so that all is imported, and keeps nothing of the 100.

- ours: what `mailflow-agent check` does, all domains at once: every probe that needs no more than
  a name, every sender evaluated from samples of its networks, the list and the text.
- checkdmarc: `check_domains` with what it does by default, but for BIMI, which we do not look at.
  It looks at the zone's name servers, its SOA record and its signatures as well; DKIM keys and
  senders it does not look at. It takes one domain after the other.
- the same, far away: every answer that is there takes 10 ms longer, as from a resolver that has to
  ask somebody.

The name servers of the domains are ours as well, at addresses of twenty providers: we ask each of
them for all that mail needs, and checkdmarc asks none.

A policy of MTA-STS is announced by none of the domains: fetching it would measure a web server.

`python bench/p24_check_domains.py`
"""

import asyncio
import sys
from dataclasses import replace
from typing import Any

from harness import HERE, Goal, Variant, compare, conclude, measure

sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

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


def zone() -> dict[tuple[str, str], Any]:
    from domains.world_of_domains import OTHER_KEY

    from agent.lab.world import SIGNING_KEY
    from servers.dns import Published

    texts = dict(SHARED)
    # What every resolver has, by which ours tells one from the gate of a network.
    records: dict[tuple[str, str], Any] = {("com", "SOA"): Published("a.registry.example", TTL)}
    for at, name in enumerate((*names(), ANOTHER)):
        token = name.replace(".", "-")
        keys = f"-{token}._domainkey.tenant.onmicrosoft.com"
        host = f"{token}.mail.protection.outlook.com"
        texts |= {
            name: SPF,
            f"_dmarc.{name}": f"v=DMARC1; p=reject; rua=mailto:d@{name}",
            f"_smtp._tls.{name}": f"v=TLSRPTv1; rua=mailto:d@{name}",
            f"selector1{keys}": f"v=DKIM1; k=rsa; p={SIGNING_KEY}",
            f"selector2{keys}": f"v=DKIM1; k=rsa; p={OTHER_KEY}",
            f"k1._domainkey.{name}": f"v=DKIM1; k=rsa; p={OTHER_KEY}",
        }
        for selector in ("selector1", "selector2"):
            alias = Published(f"{selector}{keys}", TTL)
            records[f"{selector}._domainkey.{name}", "CNAME"] = alias
        records[name, "MX"] = Published(f"0 {host}", TTL)
        records[host, "A"] = Published("52.101.68.1", TTL)
        records[name, "NS"] = Published((f"ns1.{name}", f"ns2.{name}"), TTL)
        two = SERVERS[at % PROVIDERS], SERVERS[at % PROVIDERS + PROVIDERS]
        records |= {(f"ns{n}.{name}", "A"): Published(two[n - 1], TTL) for n in (1, 2)}
        records[name, "SOA"] = Published(f"ns1.{name}. dns.{name}. 7 7200 900 604800 {TTL}", TTL)
    return records | {(name, "TXT"): Published(text, TTL) for name, text in texts.items()}


def _variants(port: int, authority: int, where: str) -> tuple[Variant, ...]:
    arguments = (str(port), str(authority))
    return (
        Variant(f"ours{where}", "p24_check_domains:ours", arguments),
        Variant(f"checkdmarc{where}", "p24_check_domains:checkdmarc", arguments),
    )


async def _main() -> None:
    from agent.adapters import dns_serving
    from servers.dns import Delayed, DnsServer
    from servers.unbound import unbound

    dns_serving.NEGATIVE_TTL = TTL
    near = zone()
    far = {key: Delayed(each.records, AWAY) for key, each in near.items() if key[1] != "CNAME"}
    far |= {key: each for key, each in near.items() if key[1] == "CNAME"}
    async with (
        DnsServer(near) as server,
        unbound(server.address) as (_, port),
        DnsServer(far) as distant,
    ):
        variants = (
            *_variants(port, server.port, ""),
            *_variants(distant.port, distant.port, ", far away"),
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
