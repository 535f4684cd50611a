"""G6: can the agent keep up 200 routes at 30 s, and does it lose or double nothing by it?

The real program, a real Postfix between its two ends: 180 routes to the agent's own server, 20 into
one Maildir, which is looked into by one task and not by twenty. After a warm-up of one interval the
agent is watched for ``--seconds``, by its own metrics and by asking ``/-/healthy`` every 50 ms from
outside; then it is stopped, and its ledger is compared with the log of Postfix.

`python bench/p19_two_hundred_routes.py` (as root: it starts Postfix)
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import many_domains
from p15_whole import Delta, Scrapes, probe

from servers.crash_judge import Judgement, compare, entries_in  # found as many_domains finds it
from servers.mail_ports import free_port
from servers.onward import TO_MAILDIR, TO_SINK, Onward, onward
from servers.running import Seen

INTERVAL = 30


def routes(relay: Onward, *, count: int, boxed: int) -> list[str]:
    """Return the lines of a tenant with *count* routes, *boxed* of which end in the Maildir."""
    lines = ["  - name: contoso", "    routes:"]
    for number in range(count):
        is_boxed = number < boxed
        to = (TO_MAILDIR if is_boxed else TO_SINK).replace("@", f"+{number}@")
        place = f"maildir: {{path: {relay.maildir}}}" if is_boxed else "sink: {}"
        lines += [
            f"      - name: r{number}",
            "        send:",
            f"          smtp: {{host: 127.0.0.1, port: {relay.port}}}",
            f"          mail_from: r{number}@contoso.com",
            f"          rcpt_to: {to}",
            f"        receive: {{{place}}}",
        ]
    return lines


def head(sink: int, *, interval: str = f"{INTERVAL}s") -> list[str]:
    """Return the lines before the tenants."""
    return [
        "agent: {vantage: bench, listen: 127.0.0.1:0, log: {level: warning}}",
        f"sink: {{listen: '127.0.0.1:{sink}', hostname: sink.contoso.com}}",
        "budget: {messages_per_minute: 6000, messages_per_day: 1000000}",
        "checks:",
        f"  route: {{interval: {interval}, messages_per_minute: 4}}",
    ]


Goals = list[tuple[str, float, float]]


async def watch(agent: many_domains.Process, seconds: float, count: int) -> Goals:
    """Watch the agent, print what was seen, and return what has a goal, with the gate."""
    say: Callable[[str], None] = print
    scrapes = Scrapes(agent)
    await asyncio.sleep(INTERVAL + 5)
    before, zero, seen = agent.read(), await scrapes.once(), await look(agent)
    end = time.monotonic() + seconds
    taken, _ = await asyncio.gather(probe(agent.url, end), scrapes.until(end))
    after, delta, last = agent.read(), Delta(zero, await scrapes.once()), await look(agent)
    span = after.at - before.at
    cpu = (after.cpu - before.cpu) / span * 100
    runs = delta.sum("mailflow_runs_total")
    lag = delta.histogram("mailflow_event_loop_lag_seconds")
    late = delta.histogram("mailflow_scheduler_lateness_seconds")
    looks = total(last, "mailflow_pickup_looks_total") - total(seen, "mailflow_pickup_looks_total")
    each, often = cpu / runs * span * 10, looks / span * INTERVAL
    say(f"{runs:.0f} runs in {span:.0f} s, CPU {cpu:.1f} % of a core, {each:.2f} ms a run")
    say(f"the Maildir was looked into {looks:.0f} times, {often:.1f} in an interval")
    say(f"resident {after.resident / 2**20:.0f} MiB, at most {after.peak / 2**20:.0f}")
    p50, p99, most = (value * 1e3 for value in lag)
    say(f"lag by itself, ms: p50 {p50:.1f}, p99 {p99:.1f}, below {most:.0f}")
    return [
        ("runs missing", max(0.0, count * (span / INTERVAL) * 0.98 - runs), 0),
        ("runs skipped", delta.sum("mailflow_runs_skipped_total"), 0),
        ("start lateness p99, ms", late[1] * 1e3, 250),
        ("lag p99, ms", lag[1] * 1e3, 50),
        ("/-/healthy p99, ms", taken[int(len(taken) * 0.99)] * 1e3, 50),
    ]


async def look(agent: many_domains.Process) -> Seen:
    body, _ = await asyncio.to_thread(agent.scrape)
    return Seen(body.decode())


def total(seen: Seen, name: str) -> float:
    return sum(sample.value for sample in seen.all(name))


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--routes", type=int, default=200)
    parser.add_argument("--boxed", type=int, default=20, help="of these, in the Maildir")
    given = parser.parse_args()
    sink = free_port()
    async with onward(sink) as relay:
        with many_domains.folder() as folder:
            config = folder / "config.yaml"
            ours = routes(relay, count=given.routes, boxed=given.boxed)
            async with many_domains.resolver(with_unbound=False) as dns:
                resolvers = f"resolvers: [127.0.0.1:{dns}]"
                config.write_text("\n".join([*head(sink), resolvers, "tenants:", *ours, ""]))
                with many_domains.agent(config) as agent:
                    await asyncio.to_thread(agent.wait_until_healthy)
                    goals = await watch(agent, given.seconds, given.routes)
                log = agent.log.read_text()
            found = compared(folder / "state", relay)
    if noise := [line for line in log.splitlines() if "level=" in line]:
        print(f"logged {len(noise)} lines, the first:", noise[0])
    print(
        f"{len(found.entries)} messages planned, {len(found.taken)} taken by Postfix,"
        f" {sum(each.has_arrived for each in found.entries)} arrived,"
        f" {sum(each.duplicates for each in found.entries)} duplicates"
    )
    print("\n".join(found.violations) or "none lost, none doubled, the tally adds up")
    for what, value, gate in goals:
        print(f"{what}: {value:.4g} (gate {gate}): {'held' if value <= gate else 'MISSED'}")
    return int(bool(found.violations) or any(value > gate for _, value, gate in goals))


def compared(state: Path, relay: Onward) -> Judgement:
    """Compare the ledger with the log of the relay."""
    problems: list[str] = []
    found = Judgement(entries_in(state, problems), relay.taken(), [], relay.log)
    found.hold("the store is damaged", problems)
    compare(found, relay)
    return found


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
