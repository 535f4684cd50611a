"""P6: what does a DNS query, answered and judged, cost in CPU, against aiodns (c-ares)?

Both ask the same unbound for the same names, half TXT and half MX, 64 in flight, and look at what
they get: does the TXT record still say what it said, is the preferred exchange still the same? Ours
is asked with ``fresh``, so that its cache saves nothing but reading what has not changed.
unbound is a process of its own, as are both clients. Its records have a TTL of 0, because c-ares
keeps what it may keep, and then asks nobody. aiodns is tried as it comes, with a thread of its own,
and on the loop. `python bench/p06_dns_query.py`
"""

import asyncio
import sys

from harness import HERE, Goal, Variant, compare, conclude, measure

sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

DOMAINS = 500
PASSES = 20
IN_FLIGHT = 64


def ours(port: str) -> None:
    from agent.adapters.clock import SystemClock
    from agent.adapters.resolver import Resolver
    from agent.domain.lookup import Answer, Query

    async def main() -> None:
        resolver = Resolver((("127.0.0.1", int(port)),), SystemClock())
        await resolver.start()
        queries = [
            Query(f"d{n}.example.com", kind, fresh=True)
            for n in range(DOMAINS)
            for kind in ("TXT", "MX")
        ]
        known = {}

        async def one(query: Query) -> None:
            reply = await resolver.resolve(query)
            key = (query.name, query.type)
            if known.get(key) is not reply:
                assert isinstance(reply, Answer), reply
                assert reply.records
                known[key] = reply

        await _passes(1, queries, one)
        with measure(PASSES * len(queries)) as extra:
            await _passes(PASSES, queries, one)
            stats = resolver.stats
            extra["unchanged"] = stats.unchanged / (stats.unchanged + stats.read)
        await resolver.close()

    asyncio.run(main())


def peer(port: str, watch: str) -> None:
    import aiodns
    import pycares

    class OnTheLoop(aiodns.DNSResolver):  # type: ignore[misc]
        """Watches its sockets by the loop, as it does where c-ares cannot have a thread."""

        def _make_channel(self, **kwargs: object) -> tuple[bool, pycares.Channel]:
            return False, pycares.Channel(
                sock_state_cb=self._sock_state_cb, timeout=self._timeout, **kwargs
            )

    async def main() -> None:
        resolver = (OnTheLoop if watch == "loop" else aiodns.DNSResolver)(
            nameservers=[f"127.0.0.1:{port}"], timeout=2, tries=3
        )
        queries = [(f"d{n}.example.com", kind) for n in range(DOMAINS) for kind in ("TXT", "MX")]
        known: dict[tuple[str, str], object] = {}

        async def one(query: tuple[str, str]) -> None:
            reply = await resolver.query_dns(*query)
            if query[1] == "TXT":
                said: object = sorted(record.data.data for record in reply.answer)
            else:
                said = sorted(
                    (record.data.priority, record.data.exchange) for record in reply.answer
                )
            if known.get(query) != said:
                assert said
                known[query] = said

        await _passes(1, queries, one)
        with measure(PASSES * len(queries)):
            await _passes(PASSES, queries, one)
        await resolver.close()

    asyncio.run(main())


async def _passes(count, queries, one) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Run *one* for every query, *count* times, with a constant number in flight."""
    left = iter([query for _ in range(count) for query in queries])

    async def worker() -> None:
        for query in left:
            await one(query)

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(worker())


async def _with_unbound() -> None:
    from servers.dns import DnsServer
    from servers.unbound import unbound

    records = []
    for n in range(DOMAINS):
        text = f"v=spf1 include:_spf.example.com ip4:192.0.2.{n % 256} -all"
        records.append(f'd{n}.example.com. 0 IN TXT "{text}"')
        records.append(f"d{n}.example.com. 0 IN MX 10 mx{n}.example.com.")
    async with (
        DnsServer() as server,
        unbound(server.address, records=records) as (_, port),
    ):
        variants = (
            Variant("ours", "p06_dns_query:ours", (str(port),)),
            Variant("aiodns, its thread", "p06_dns_query:peer", (str(port), "thread")),
            Variant("aiodns, on the loop", "p06_dns_query:peer", (str(port), "loop")),
        )
        results = await asyncio.to_thread(compare, variants)
    conclude(
        results,
        Goal("ours", "aiodns, its thread", "cpu", gate=2.0, moonshot=0.5),
        Goal("ours", "aiodns, on the loop", "cpu", gate=2.0, moonshot=0.5),
    )


if __name__ == "__main__":
    asyncio.run(_with_unbound())
