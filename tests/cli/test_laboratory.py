"""Can the lab be started, broken, mended and stopped from a terminal?"""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.lab.control import Control
from agent.lab.export_folder import NAME as FOLDER
from agent.lab.faults import FAULTS, World
from agent.lab.mailbox import NAME
from servers.program import ROOT, Process, end, mailflow_agent, start


@asynccontextmanager
async def serving(state: Path) -> AsyncIterator[tuple[Process, str]]:
    """Run the lab alone; yields its process and what it says its resolver is."""
    process = await start("lab", "serve", "--state", str(state))
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            await process.stdout.readline()
            hint = (await process.stdout.readline()).decode()
        yield process, hint.split()[-1]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_orders_reach_the_lab_that_runs(tmp_path: Path) -> None:
    state, world = ("--state", str(tmp_path)), World()
    async with Control(world, tmp_path):
        broken = await mailflow_agent("lab", "break", "spf-missing", *state)
        assert (broken.code, world.broken) == (0, ("spf-missing",))
        assert "Soon to be seen: spf of contoso.com" in broken.out
        await mailflow_agent("lab", "break", "dns-silent", *state)
        listed = await mailflow_agent("lab", "list", *state)
        assert set(re.findall(r"^✗ (\S+)", listed.out, re.MULTILINE)) == set(world.broken)
        one = await mailflow_agent("lab", "mend", "dns-silent", *state)
        assert one.out == "Mended; still broken: spf-missing.\n"
        rest = await mailflow_agent("lab", "mend", "all", *state)
        assert (rest.code, rest.out) == (0, "Mended; nothing is broken any more.\n")
        assert world.broken == ()


@pytest.mark.parametrize("words", [("break", "spf-missing"), ("mend", "all")], ids=" ".join)
async def test_without_a_lab_an_order_says_how_to_start_one(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    ended = await mailflow_agent("lab", *words, "--state", str(tmp_path))
    assert ended.code == 69
    assert "make run" in ended.err


async def test_without_a_lab_the_faults_are_listed_all_the_same(tmp_path: Path) -> None:
    ended = await mailflow_agent("lab", "list", "--state", str(tmp_path))
    assert ended.code == 0
    assert ended.err.startswith("No lab is running here")
    assert all(f"  {fault.name} " in ended.out for fault in FAULTS)
    assert "✗" not in ended.out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
async def test_a_lab_alone_answers_until_it_is_stopped(tmp_path: Path, number: int) -> None:
    async with serving(tmp_path) as (process, resolver):
        arguments = ("check", "contoso.com", "--brief", "--resolver", resolver)
        assert (await mailflow_agent(*arguments)).code == 0
        await mailflow_agent("lab", "break", "spf-missing", "--state", str(tmp_path))
        assert (await mailflow_agent(*arguments)).code == 2
        process.send_signal(number)
        async with asyncio.timeout(20):
            ended = await end(process)
    assert (ended.code, ended.err) == (0, "")
    orders = await mailflow_agent("lab", "mend", "all", "--state", str(tmp_path))
    assert orders.code == 69


async def test_a_second_lab_leaves_the_first_alone(tmp_path: Path) -> None:
    async with serving(tmp_path):
        second = await mailflow_agent("lab", "serve", "--state", str(tmp_path))
        assert second.code == 69
        assert "another lab runs there" in second.err
        first = await mailflow_agent("lab", "mend", "all", "--state", str(tmp_path))
        assert first.code == 0


async def test_the_example_finds_its_mail_wherever_the_state_of_the_lab_is(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text((ROOT / "config.example.yaml").read_text())
    words = ("--config", "config.yaml", "--listen", "127.0.0.1:0", "--state", "elsewhere")
    process = await start("run", "--lab", *words, cwd=tmp_path)
    try:
        assert process.stderr is not None
        async with asyncio.timeout(20):
            while b"break spf-too-many-lookups" not in (said := await process.stderr.readline()):
                assert said, "it ended"
    finally:
        process.kill()
        await process.wait()
    program, fault = said.decode().split(" lab break ")
    assert program.strip() == "mailflow-agent" or program.endswith(" -m agent"), "can be pasted"
    assert fault == "spf-too-many-lookups --state elsewhere\n"
    assert (tmp_path / "elsewhere" / "mailflow.db").is_file()
    assert (tmp_path / "state" / NAME / "new").is_dir()
    assert (tmp_path / "state" / FOLDER / "contoso.json").is_file()
    assert {each.name for each in (tmp_path / "elsewhere").iterdir()}.isdisjoint({NAME, FOLDER})
