import asyncio
from pathlib import Path

import pytest

from agent.lab.control import NAME, Control, order
from agent.lab.faults import World


async def test_orders_break_and_mend_the_running_world(tmp_path: Path) -> None:
    world = World()
    async with Control(world, tmp_path):
        assert await asyncio.to_thread(order, tmp_path, "break", "spf-missing") == ("spf-missing",)
        assert world.broken == ("spf-missing",)
        assert await asyncio.to_thread(order, tmp_path, "broken") == ("spf-missing",)
        assert await asyncio.to_thread(order, tmp_path, "mend", "spf-missing") == ()
        await asyncio.to_thread(order, tmp_path, "break", "mx-missing")
        assert await asyncio.to_thread(order, tmp_path, "mend", "all") == ()


@pytest.mark.parametrize(
    "words", [("break", "coffee"), ("dance",), ("mend", "coffee"), ("x" * 5000,)], ids=str
)
async def test_an_order_that_makes_no_sense_is_refused(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    world = World()
    async with Control(world, tmp_path):
        with pytest.raises((ValueError, ConnectionError)):
            await asyncio.to_thread(order, tmp_path, *words)
    assert world.broken == ()


async def test_only_the_owner_may_give_orders(tmp_path: Path) -> None:
    async with Control(World(), tmp_path):
        assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


async def test_a_socket_left_by_a_killed_lab_is_replaced(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    async with Control(World(), tmp_path):
        assert await asyncio.to_thread(order, tmp_path, "broken") == ()
    assert not (tmp_path / NAME).exists()


def test_without_a_lab_an_order_fails(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        order(tmp_path, "broken")


async def test_a_second_lab_is_refused_and_leaves_the_first_alone(tmp_path: Path) -> None:
    world = World()
    async with Control(world, tmp_path):
        with pytest.raises(OSError, match="another lab runs there"):
            await Control(World(), tmp_path).__aenter__()
        assert await asyncio.to_thread(order, tmp_path, "break", "spf-missing") == ("spf-missing",)
    assert world.broken == ("spf-missing",)
