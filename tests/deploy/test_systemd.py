"""Does systemd get on with the agent, and is the unit as tight as it says?"""

import asyncio
import re
import shutil
import signal
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from servers.notified import Notified
from servers.program import ROOT
from servers.running import Installation, running

UNIT = ROOT / "deploy" / "mailflow-agent.service"
ANALYZE = shutil.which("systemd-analyze")
EXPOSURE = 20  # of 100, as `systemd-analyze security` counts


@pytest.fixture(scope="module")
def settings() -> dict[str, list[str]]:
    """The unit's settings, by section and name."""
    found, section = defaultdict(list), ""
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            assert equals, line
            found[f"{section}.{name}"].append(value)
    return found


def test_the_unit_waits_for_the_agent_and_notices_when_it_is_stuck(
    settings: dict[str, list[str]],
) -> None:
    assert settings["Service.Type"] == ["notify"]
    assert settings["Service.NotifyAccess"] == ["main"]
    assert int(settings["Service.WatchdogSec"][0]) > 60  # the agent's own patience, and more
    assert settings["Service.Restart"] == ["on-failure"]
    assert settings["Service.RestartPreventExitStatus"] == ["64 78"]
    assert int(settings["Service.TimeoutStopSec"][0]) > 10
    assert settings["Service.ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_the_unit_gives_no_right_away(settings: dict[str, list[str]]) -> None:
    assert settings["Service.CapabilityBoundingSet"] == [""]
    assert settings["Service.SystemCallFilter"] == ["@system-service", "~@privileged @resources"]
    for name in (
        *("DynamicUser", "NoNewPrivileges", "PrivateDevices", "PrivateTmp", "ProtectClock"),
        *("ProtectControlGroups", "ProtectHome", "ProtectHostname", "ProtectKernelLogs"),
        *("ProtectKernelModules", "ProtectKernelTunables", "RestrictNamespaces"),
        *("RestrictRealtime", "RestrictSUIDSGID", "LockPersonality"),
    ):
        assert settings[f"Service.{name}"] == ["yes"], name
    assert settings["Service.ProtectSystem"] == ["strict"]
    assert settings["Service.UMask"] == ["0077"]


def test_systemd_takes_the_unit_and_finds_it_tight(tmp_path: Path) -> None:
    if ANALYZE is None:
        return  # the two tests above say the same with fewer words
    copy = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text), encoding="utf-8")
    for command in (
        ("verify", "--man=no", str(copy)),
        ("security", "--offline=yes", f"--threshold={EXPOSURE}", str(copy)),
    ):
        ended = subprocess.run([ANALYZE, *command], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert command[0] == "security" or not ended.stderr


async def test_the_agent_tells_systemd_its_whole_life(tmp_path: Path) -> None:
    installation = Installation(tmp_path, "tenants: []\n")
    address = str(tmp_path / "notify")
    environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "75000000"}
    with Notified.at(address) as manager:
        async with running(installation, lab=False, environment=environment) as agent:
            lines = await manager.until("READY=1")
            assert f"STATUS=Watching; the page is {agent.url}" in lines
            await manager.until("WATCHDOG=1")
            agent.process.send_signal(signal.SIGHUP)
            lines = await manager.until("READY=1")
            assert [each.partition("=")[0] for each in lines if not each.startswith("WATCH")] == [
                "RELOADING",
                "MONOTONIC_USEC",
                "READY",
            ]
            installation.write("nonsense: 1\n")
            agent.process.send_signal(signal.SIGHUP)
            lines = await manager.until("STATUS=")
            assert "nonsense" in lines[-1]
            agent.process.send_signal(signal.SIGTERM)
            await manager.until("STOPPING=1")
            async with asyncio.timeout(20):
                assert await agent.process.wait() == 0
