"""How do two ways of doing the same thing compare on this machine, now?

Absolute times mean little on a shared machine. Variants are therefore run in turn, round after
round, each as a process of its own, and compared within a round; the verdict is the median of the
rounds' ratios. CPU time is the process's own (getrusage), memory its peak resident set.

    def ours() -> None:
        prepare()
        with measure(10_000) as extra:   # only this section counts
            work()
            extra["lag_max"] = 0.004     # further numbers of the variant's own

    if __name__ == "__main__":
        results = compare([Variant("ours", "script:ours"), Variant("peer", ("peer", "--flag"))])
        conclude(results, Goal("ours", "peer", "cpu", gate=2.0, moonshot=0.5))

A variant that measures nothing itself, such as a foreign command, is measured as a whole.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
_MARK = "harness: "
_CALL = (
    "import importlib, sys; sys.path[:0] = [sys.argv[1], sys.argv[2]];"
    " getattr(importlib.import_module(sys.argv[3]), sys.argv[4])(*sys.argv[5:])"
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of doing it: ``module:function`` of this folder with text arguments, or a command.

    *count* is the number of units of work that a command does; functions state their own.
    """

    name: str
    target: str | tuple[str, ...]
    arguments: tuple[str, ...] = ()
    count: int = 1

    @property
    def command(self) -> tuple[str, ...]:
        """What to execute."""
        if isinstance(self.target, tuple):
            return (*self.target, *self.arguments)
        module, _, function = self.target.partition(":")
        folders = (str(HERE), str(HERE.parent))
        return (sys.executable, "-c", _CALL, *folders, module, function, *self.arguments)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one variant; CPU and wall time in seconds, peak memory in octets."""

    cpu: float
    wall: float
    memory: int
    count: int
    extra: dict[str, float] = field(default_factory=dict)

    def value(self, measure: str) -> float:
        """Return CPU or wall time for one unit, the peak memory, or an extra number."""
        if measure in {"cpu", "wall"}:
            return float(getattr(self, measure)) / self.count
        return float(self.memory) if measure == "memory" else self.extra[measure]


@dataclass(slots=True)
class Results:
    """Runs by variant, round after round."""

    runs: dict[str, list[Run]]

    def median(self, name: str, measure: str = "cpu") -> float:
        """Return the median over the rounds."""
        return statistics.median(run.value(measure) for run in self.runs[name])

    def ratio(self, name: str, to: str, measure: str = "cpu") -> float:
        """Return the median of the rounds' ratios of one variant to another."""
        return statistics.median(
            one.value(measure) / other.value(measure)
            for one, other in zip(self.runs[name], self.runs[to], strict=True)
        )

    def table(self) -> str:
        """Return medians for people to read; times in microseconds for one unit."""
        extras = sorted({key for runs in self.runs.values() for run in runs for key in run.extra})
        width = max(map(len, self.runs))
        head = f"{'':{width}}  {'cpu us':>10}  {'wall us':>10}  {'peak MiB':>8}"
        lines = ["  ".join([head, *(f"{key:>12}" for key in extras)])]
        for name, runs in self.runs.items():
            cells = [
                f"{name:{width}}",
                f"{self.median(name) * 1e6:10.2f}",
                f"{self.median(name, 'wall') * 1e6:10.2f}",
                f"{self.median(name, 'memory') / 2**20:8.1f}",
            ]
            for key in extras:
                known = all(key in run.extra for run in runs)
                cells.append(f"{self.median(name, key):12.6g}" if known else " " * 12)
            lines.append("  ".join(cells))
        return "\n".join(lines)

    def as_json(self) -> dict[str, list[dict[str, object]]]:
        """Return all runs."""
        return {name: [asdict(run) for run in runs] for name, runs in self.runs.items()}


@dataclass(frozen=True, slots=True)
class Goal:
    """What *name* must hold for *measure*: as a ratio to *peer*, or by itself if *peer* is empty.

    Missing *gate* fails the benchmark; missing *moonshot* is only said.
    """

    name: str
    peer: str
    measure: str
    gate: float
    moonshot: float

    def reached(self, results: Results) -> float:
        """Return the value to be compared with gate and moonshot."""
        if self.peer:
            return results.ratio(self.name, self.peer, self.measure)
        return results.median(self.name, self.measure)

    def verdict(self, results: Results) -> str:
        """Say in one line what was reached."""
        value = self.reached(results)
        word = "MISSED" if value > self.gate else "held"
        word = "moonshot reached" if value <= self.moonshot else f"gate {word}"
        versus = f" / {self.peer}" if self.peer else ""
        return (
            f"{self.name}{versus}, {self.measure}: {value:.4g}"
            f" (gate {self.gate:g}, moonshot {self.moonshot:g}): {word}"
        )


@contextmanager
def measure(count: int) -> Iterator[dict[str, float]]:
    """Measure the section, which does *count* units of work, and report it to the parent."""
    extra: dict[str, float] = {}
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    yield extra
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    section = {"cpu": cpu, "wall": wall, "count": count, "extra": extra}
    print(_MARK + json.dumps(section), flush=True)


def compare(variants: Sequence[Variant], rounds: int | None = None) -> Results:
    """Run all variants in turn, *rounds* times (``--rounds``, else 5).

    Raises subprocess.CalledProcessError when a variant fails; its error output is not hidden.
    """
    rounds = rounds or _options().rounds
    results = Results({variant.name: [] for variant in variants})
    for turn in range(rounds):
        # Each round begins with another variant, so that none always follows the same one.
        for variant in (*variants[turn % len(variants) :], *variants[: turn % len(variants)]):
            print(f"round {turn + 1}/{rounds}: {variant.name}", file=sys.stderr)
            results.runs[variant.name].append(_run(variant))
    return results


def conclude(results: Results, *goals: Goal) -> None:
    """Print the results, as JSON with ``--json``, and exit 1 if a gate was missed."""
    verdicts = [goal.verdict(results) for goal in goals]
    if _options().json:
        reached = {
            verdict: goal.reached(results) for verdict, goal in zip(verdicts, goals, strict=True)
        }
        print(json.dumps({"goals": reached, "runs": results.as_json()}, indent=1))
    else:
        print("\n".join([results.table(), *verdicts]))
    if any(goal.reached(results) > goal.gate for goal in goals):
        sys.exit(1)


def _run(variant: Variant) -> Run:
    start = time.perf_counter()
    child = subprocess.Popen(variant.command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines = child.stdout.read().splitlines()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)  # so that nobody waits for it again
    child.stdout.close()
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, variant.command)
    memory = usage.ru_maxrss * 1024
    for line in reversed(lines):
        if line.startswith(_MARK):
            return Run(memory=memory, **json.loads(line.removeprefix(_MARK)))
    return Run(usage.ru_utime + usage.ru_stime, wall, memory, variant.count)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A side-by-side benchmark.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default 5)")
    parser.add_argument("--json", action="store_true", help="print all numbers as JSON")
    return parser.parse_known_args()[0]
