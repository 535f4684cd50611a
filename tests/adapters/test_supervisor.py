"""Does a supervisor hear what it is to hear, and nothing that is not so?"""

import logging
import os
import time
from pathlib import Path

import pytest

from agent.adapters.supervisor import Supervisor
from servers.notified import Notified


def listening(address: str, *, beats: bool = True) -> Supervisor:
    environment = {"NOTIFY_SOCKET": address, "HOME": "/"}
    if beats:
        environment |= {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    supervisor = Supervisor.of(environment)
    assert environment == {"HOME": "/"}  # no child has it
    return supervisor


@pytest.mark.parametrize("kind", ["a path", "an abstract name"])
async def test_a_life_is_told_from_the_start_to_the_end(tmp_path: Path, kind: str) -> None:
    address = str(tmp_path / "notify") if kind == "a path" else f"@mailflow-{os.getpid()}-notify"
    with Notified.at(address) as manager:
        supervisor = listening(address)
        supervisor.ready("Watching")
        assert manager.heard() == ["READY=1", "STATUS=Watching"]
        supervisor.beat((), ())
        assert manager.heard() == ["WATCHDOG=1"]
        before = time.monotonic_ns() // 1000
        async with supervisor.reloading():
            first, stamp = manager.heard()
        assert first == "RELOADING=1"
        assert before <= int(stamp.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
        assert manager.heard() == ["READY=1"]
        supervisor.stopping()
        assert manager.heard() == ["STOPPING=1", "STATUS=Stopping"]


def test_nobody_hears_a_beat_while_a_task_is_overdue(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with Notified.at(address) as manager:
        supervisor = listening(address)
        supervisor.ready("Watching")
        manager.heard()
        supervisor.beat((), ("monitor", "scheduler"))
        supervisor.beat((), ("monitor", "scheduler"))
        assert manager.heard() == ["STATUS=No sign of life of monitor, scheduler"]
        supervisor.beat((), ())
        assert manager.heard() == ["WATCHDOG=1", "STATUS=Watching"]


def test_a_file_that_was_rejected_shows_in_one_line(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with Notified.at(address) as manager:
        supervisor = listening(address, beats=False)
        supervisor.beat(("config.yaml:3: it is\nwrong\r" + "!" * 999,), ())
        (line,) = manager.heard()
    prefix = "STATUS=Watching; the new configuration was rejected: config.yaml:3: it is wrong !!"
    assert line.startswith(prefix)
    assert len(line) < 220


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "1"},
        {"NOTIFY_SOCKET": "vsock:2:9999", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"},
    ],
)
async def test_without_a_supervisor_nothing_is_said(environment: dict[str, str]) -> None:
    supervisor = Supervisor.of(environment)
    assert environment == {}
    supervisor.ready("Watching")
    supervisor.beat((), ())
    async with supervisor.reloading():
        supervisor.stopping()


def test_beats_are_for_the_process_that_is_meant() -> None:
    assert Supervisor.of({"WATCHDOG_USEC": "1"}).expects_beats
    assert not Supervisor.of({"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}).expects_beats
    assert not Supervisor.of({}).expects_beats


def test_a_supervisor_that_does_not_listen_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    supervisor = listening(str(tmp_path / "nobody"))
    supervisor.ready("Watching")
    supervisor.beat((), ())
    assert [record.getMessage() for record in caplog.records] == ["the supervisor does not listen"]


def test_a_supervisor_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with Notified.at(address) as manager:
        supervisor = listening(address)
        for _ in range(2000):  # more than a socket keeps
            supervisor.beat((), ())
        assert 0 < len(manager.heard()) < 2000
