"""P17 and P16: what does it cost to start with 10,000 domains, and how much memory do they take?

P17 is CPU time from exec until ``/-/healthy`` first answers 200, the median of ``--rounds``. P16 is
the largest resident set (VmHWM) in a life in which every check has run twice and the metrics were
scraped every fifteen seconds; ``--interval`` only shortens that life, and the last round lives it.
"""

import asyncio
import contextlib
import statistics
import sys
import time

import many_domains

GATE_CPU, MOONSHOT_CPU = 1.5, 0.6
GATE_MEMORY, MOONSHOT_MEMORY = 200, 128


async def main() -> int:
    parser = many_domains.options("Start-up and memory.", seconds=240)
    parser.set_defaults(interval="2m")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    cpus, walls, rests = [], [], []
    rounds = given.rounds + 1  # the first one only makes sure that there is bytecode
    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(many_domains.resolver(with_unbound=given.unbound))
        for turn in range(rounds):
            with many_domains.folder() as folder:
                config = many_domains.configure(
                    folder, port, domains=given.domains, interval=given.interval
                )
                with many_domains.agent(config) as agent:
                    await asyncio.to_thread(agent.wait_until_healthy)
                    reading = agent.read()
                    cpus.append(reading.cpu)
                    walls.append(reading.at - agent.started)
                    rests.append(reading.resident / 2**20)
                    if turn == rounds - 1 and given.seconds:
                        peak, now = await _live(agent, given.seconds)
    cpu, rest = statistics.median(cpus[1:]), statistics.median(rests[1:])
    print(f"until healthy: {cpu:.2f} s CPU, {statistics.median(walls[1:]):.2f} s, {rest:.0f} MiB")
    missed = _judge("P17, s of CPU", cpu, GATE_CPU, MOONSHOT_CPU)
    if given.seconds:
        print(f"after {given.seconds:.0f} s: {now:.0f} MiB resident, {peak:.0f} MiB at most")
        missed |= _judge("P16, MiB", peak, GATE_MEMORY, MOONSHOT_MEMORY)
    return int(missed)


async def _live(agent: many_domains.Process, seconds: float) -> tuple[float, float]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.to_thread(agent.scrape)
        await asyncio.sleep(max(0.0, min(15.0, end - time.monotonic())))
    reading = agent.read()
    return reading.peak / 2**20, reading.resident / 2**20


def _judge(what: str, value: float, gate: float, moonshot: float) -> bool:
    word = "held" if value <= gate else "MISSED"
    word = "moonshot reached" if value <= moonshot else f"gate {word}"
    print(f"{what}: {value:.4g} (gate {gate:g}, moonshot {moonshot:g}): {word}")
    return value > gate


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
