"""When it cannot start, does it say why, in a line for each reason, and what to do?"""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.cli.exits import Exit
from servers.program import Ended, mailflow_agent
from servers.running import Installation, running


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def run(path: Path, *arguments: str) -> Ended:
    return await mailflow_agent("run", "--config", str(path), *arguments, cwd=path.parent)


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _told(ended: Ended, code: Exit) -> list[str]:
    """Return the lines of the complaint, which is no traceback."""
    assert ended.code == code, ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""
    return [line for line in ended.err.splitlines() if line.strip()]


DOMAIN = "tenants: [{name: contoso, domains: [{name: contoso.com}]}]\n"
QUIET = "resolvers: [127.0.0.1:9]\n"


async def test_a_port_that_is_taken(tmp_path: Path, taken: int) -> None:
    path = write(tmp_path, f'agent: {{listen: "127.0.0.1:{taken}"}}\n{QUIET}{DOMAIN}')
    (line,) = _told(await run(path), Exit.UNAVAILABLE)
    assert str(taken) in line
    assert "`listen` under `agent`" in line


async def test_a_state_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a folder")
    path = write(tmp_path, f'agent: {{listen: "127.0.0.1:0", state: state}}\n{QUIET}{DOMAIN}')
    (line,) = _told(await run(path), Exit.UNAVAILABLE)
    assert "state" in line


async def test_a_state_folder_in_which_nobody_may_write(tmp_path: Path) -> None:
    path = write(tmp_path, f'agent: {{listen: "127.0.0.1:0", state: /proc/1}}\n{QUIET}{DOMAIN}')
    (line,) = _told(await run(path), Exit.UNAVAILABLE)
    assert "/proc/1" in line


async def test_a_second_agent_on_the_same_state(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    async with running(installation):
        lines = _told(await run(installation.path, "--lab"), Exit.UNAVAILABLE)
    assert len(lines) == 1
    assert str(installation.state) in lines[0]


async def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    lines = _told(await run(tmp_path / "nowhere.yaml"), Exit.CONFIG)
    assert "nowhere.yaml" in lines[0]


async def test_twenty_mistakes_are_twenty_lines(tmp_path: Path) -> None:
    domains = "\n".join(
        f"      - {{name: domain{n}.example, topologgy: parked}}" for n in range(18)
    )
    path = write(
        tmp_path,
        "agent: {vantage: 7, listenn: 1}\n"
        f"tenants:\n  - name: contoso\n    domains:\n{domains}\n",
    )
    lines = _told(await run(path), Exit.CONFIG)
    mistakes = [line for line in lines if line.startswith(("config.yaml:", str(path)))]
    assert len(mistakes) == 20
    assert all("topology" in line for line in mistakes[2:])
