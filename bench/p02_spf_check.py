"""P2 to P5: what does it cost to look at a domain's SPF once more, when nothing has changed?

1000 domains share two includes, and unbound in front of a server of ours answers for all of them.
A pass checks each domain once; the first pass is not counted. What is compared is not the same:

- ours: the spf probe with the real resolver, recall, history and clock, called as the runner calls
  it. It says for one sender that must pass and one address that must not, for the lookups, the
  lints and the tree, what it said before, and evaluates again only when an answer changes. The
  clock is put forward by the default interval, five minutes, before each of twelve passes, so that
  all that has expired is asked again. 64 checks are in flight, or one, as few domains at long
  intervals have it. "At once" leaves the clock alone: what a check costs while nothing expires.
  Scheduling (P11) and the metrics' text (P8) are not in it.
- dns_exporter answers ONE TXT query for each HTTP probe, with the defaults of its command. It
  evaluates nothing and does not see the includes; HTTP and the metrics' text are in it, because
  there is no other way to have its result. It has the measured process to itself; whoever asks it
  is another one.
- pyspf evaluates ONE address, the sender, with ``check2``; the second include covers it, so that
  the whole record is walked. It asks for all three records each time.
- checkdmarc reads, counts and checks the whole record, no address, with ``check_spf``. It would
  answer from its cache for half an hour without asking anybody. Emptied before each pass, the cache
  still saves it the includes; emptied before each check, it asks for everything, as pyspf does.

Queries for one check are counted at a server of ours, without unbound: two runs of each variant
that differ in passes only, so that what is asked once does not count. A walk that keeps nothing
asks three. Beyond the walk we ask for three things that the lints look at, a record of type SPF, a
wildcard and the MX, whenever what is known of them has expired.

`python bench/p02_spf_check.py`
"""

import asyncio
import gzip
import http.client
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from harness import HERE, Goal, Results, Variant, compare, conclude, measure

sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

DOMAINS = 1000
PASSES = 12
EVERY = "300"  # seconds
COUNTED = 100  # domains, where queries are counted
WARM_UP = 20  # checks that peers, who keep nothing, do before all is measured
IN_FLIGHT = 64
TTL = 3600
SENDER = "192.31.196.10"
STRANGER = "192.52.193.77"
RECORD = "v=spf1 include:_spf-a.example.net include:_spf-b.example.net -all"
INCLUDES = {
    "_spf-a.example.net": "v=spf1 ip4:192.31.196.128/25 ip4:192.31.197.0/24 ~all",
    "_spf-b.example.net": "v=spf1 ip4:192.31.196.0/26 ip6:2620:4f:8000::/64 ~all",
}


def names(count: str | int) -> tuple[str, ...]:
    return tuple(f"d{number}.example.com" for number in range(int(count)))


async def _ours(port: str, passes: str, domains: str, in_flight: int, every: str) -> None:
    from agent.probes.base import Check
    from agent.probes.spf import PROBE, SpfSettings
    from agent.settings import DomainSubject

    checks = [
        Check(
            "contoso",
            DomainSubject(name=name, topology="custom", senders=(SENDER,), not_senders=(STRANGER,)),
            PROBE,
            SpfSettings(),
        )
        for name in names(domains)
    ]
    async with _toolbox(int(port)) as (tools, clock):

        async def worker(left: Any) -> None:
            for check in left:
                outcome = await PROBE.run(check, tools)
                assert not outcome.findings, outcome.findings

        async def all_of() -> None:
            left = iter(checks)
            async with asyncio.TaskGroup() as group:
                for _ in range(in_flight):
                    group.create_task(worker(left))

        await all_of()
        with measure(int(passes) * len(checks)):
            for _ in range(int(passes)):
                clock.ahead += float(every)
                await all_of()


@asynccontextmanager
async def _toolbox(port: int) -> AsyncIterator[Any]:
    from agent.adapters.clock import SystemClock
    from agent.adapters.history import History
    from agent.adapters.plans import Recall
    from agent.adapters.resolver import Resolver
    from agent.adapters.store import Store
    from agent.probes.base import Toolbox

    class MovedClock(SystemClock):
        ahead = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    clock, store = MovedClock(), Store()
    resolver = Resolver((("127.0.0.1", port),), clock)
    await resolver.start()
    await store.open()
    history = History(store)
    await history.start()
    recall = Recall(resolver)
    unused: Any = None
    yield Toolbox(resolver, clock, recall, history, unused, unused, unused), clock
    await resolver.close()
    await store.close()


def ours(port: str, passes: str, domains: str, in_flight: str, every: str) -> None:
    asyncio.run(_ours(port, passes, domains, int(in_flight), every))


def dns_exporter(port: str, passes: str, domains: str) -> None:
    """Be the exporter, and let another process ask it."""
    from dns_exporter import entrypoint  # type: ignore[import-untyped]

    own = _free_port()
    threading.Thread(target=_have_probed, args=(own, port, passes, domains)).start()
    entrypoint.main(["--quiet", "--port", str(own)])


def _have_probed(own: int, port: str, passes: str, domains: str) -> None:
    code = "import p02_spf_check as it, sys; it.ask_exporter(*map(int, sys.argv[1:]))"
    command = (sys.executable, "-c", code, str(own), port, passes, domains)
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, cwd=HERE) as prober:
        assert prober.stdin is not None
        assert prober.stdout is not None
        if prober.stdout.readline():  # it has begun, and all is imported
            with measure(int(passes) * int(domains)):
                prober.stdin.write("go\n")
                prober.stdin.flush()
                done = prober.stdout.readline()
            os._exit(0 if done else 1)  # the exporter has no other end
    os._exit(1)


def ask_exporter(own: int, port: int, passes: int, domains: int) -> None:
    """Probe as Prometheus would: a few domains at first, and all of them when told."""
    while True:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", own)) == 0:
                break
    for name in names(WARM_UP):
        _probe(own, port, name)
    print("ready", flush=True)
    if sys.stdin.readline():
        for name in names(domains) * passes:
            _probe(own, port, name)
        print("done", flush=True)


def _probe(own: int, port: int, name: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", own)
    connection.request(
        "GET",
        f"/query?server=127.0.0.1:{port}&protocol=udp&family=ipv4&query_name={name}&query_type=TXT",
        headers={"Accept-Encoding": "gzip"},
    )
    text = gzip.decompress(connection.getresponse().read())
    assert b"dnsexp_dns_query_success 1.0" in text, text
    connection.close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _stub(port: str) -> Any:
    import dns.resolver

    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = int(port)
    return resolver


def _one_by_one(
    check: Callable[[str], None], passes: str, domains: str, begin: Callable[[], None]
) -> None:
    for name in names(WARM_UP):
        check(name)
    every = names(domains)
    with measure(int(passes) * len(every)):
        for _ in range(int(passes)):
            begin()
            for name in every:
                check(name)


def pyspf(port: str, passes: str, domains: str) -> None:
    import dns.resolver
    import spf

    dns.resolver.default_resolver = _stub(port)  # it knows no other

    def check(name: str) -> None:
        result, _ = spf.check2(i=SENDER, s=f"user@{name}", h=name)
        assert result == "pass", result

    _one_by_one(check, passes, domains, lambda: None)


def checkdmarc(port: str, passes: str, domains: str, emptied: str) -> None:
    from checkdmarc.spf import check_spf
    from checkdmarc.utils import DNS_CACHE

    resolver = _stub(port)
    each_check = emptied == "each check"

    def check(name: str) -> None:
        if each_check:
            DNS_CACHE.clear()
        result = check_spf(name, resolver=resolver)
        assert result["valid"], result

    _one_by_one(check, passes, domains, DNS_CACHE.clear)


def variants(port: int, domains: int = DOMAINS, times: int = 1) -> tuple[Variant, ...]:
    """Return all of them, with *times* as many passes over *domains* as usual."""

    def arguments(passes: int, *more: str) -> tuple[str, ...]:
        return (str(port), str(passes * times), str(domains), *more)

    module = "p02_spf_check"
    return (
        Variant("ours", f"{module}:ours", arguments(PASSES, str(IN_FLIGHT), EVERY)),
        Variant("ours, one at a time", f"{module}:ours", arguments(PASSES, "1", EVERY)),
        Variant("ours, at once", f"{module}:ours", arguments(PASSES, str(IN_FLIGHT), "0")),
        Variant("dns_exporter", f"{module}:dns_exporter", arguments(1)),
        Variant("pyspf", f"{module}:pyspf", arguments(1)),
        Variant("checkdmarc", f"{module}:checkdmarc", arguments(1, "each pass")),
        Variant("checkdmarc, no cache", f"{module}:checkdmarc", arguments(1, "each check")),
    )


async def _main() -> None:
    from agent.adapters import dns_serving
    from servers.dns import DnsServer, Published
    from servers.unbound import unbound

    dns_serving.NEGATIVE_TTL = TTL  # an hour is what most zones have
    texts = dict.fromkeys(names(DOMAINS), RECORD) | INCLUDES
    zone = {(name, "TXT"): Published(text, TTL) for name, text in texts.items()}
    zone |= {(name, "MX"): Published(f"10 mx.{name}", TTL) for name in names(DOMAINS)}
    async with DnsServer(zone) as server:
        queries = await _count(server)
        async with unbound(server.address) as (_, port):
            results = await asyncio.to_thread(compare, variants(port))
    for name, runs in results.runs.items():
        for run in runs:
            run.extra["queries"] = queries[name]
    conclude(
        results,
        *(
            Goal(name, peer, "cpu", gate=gate, moonshot=moonshot)
            for name in ("ours", "ours, one at a time")
            for peer, gate, moonshot in (
                ("dns_exporter", 0.2, 0.05),
                ("pyspf", 0.5, 0.1),
                ("checkdmarc", 0.1, 0.03),
                ("checkdmarc, no cache", 0.1, 0.03),
            )
        ),
        Goal("ours, at once", "", "queries", gate=1.1, moonshot=1.0),
        Goal("ours", "", "queries", gate=1.1, moonshot=1.0),
    )


async def _count(server: Any) -> dict[str, float]:
    """Return how many datagrams a check of each variant sends, what is asked once left out."""
    queries = {}
    once, twice = (variants(server.port, COUNTED, times) for times in (1, 2))
    for one, two in zip(once, twice, strict=True):
        counts = []
        for variant in (one, two):
            before = server.datagrams
            results: Results = await asyncio.to_thread(compare, (variant,), 1)
            counts.append(server.datagrams - before)
        more = results.runs[two.name][0].count // 2
        queries[one.name] = (counts[1] - counts[0]) / more
    return queries


if __name__ == "__main__":
    asyncio.run(_main())
