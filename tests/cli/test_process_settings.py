"""Can a container set what is the process's own, without a word in the file?"""

import socket
from pathlib import Path

from servers.program import mailflow_agent
from servers.running import Installation, running


async def test_environment_and_flags_go_over_the_file(tmp_path: Path) -> None:
    installation = Installation(tmp_path, "tenants: []\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = await mailflow_agent(
            "run",
            MAILFLOW_AGENT_CONFIG=str(installation.path),
            MAILFLOW_AGENT_LISTEN=address,
            MAILFLOW_AGENT_STATE="elsewhere",
        )
        assert ended.code == 69
        assert address in ended.err
    environment = {
        "MAILFLOW_AGENT_LISTEN": "127.0.0.1:0",
        "MAILFLOW_AGENT_STATE": "elsewhere",  # beside the file
    }
    async with running(installation, lab=False, environment=environment):
        assert (tmp_path / "elsewhere" / "mailflow.db").exists()
        assert not installation.state.exists()


async def test_what_is_wrong_in_them_is_told_as_a_mistake_of_the_configuration(
    tmp_path: Path,
) -> None:
    installation = Installation(tmp_path, "tenants: []\n")
    for command in (
        ("run", "--config", str(installation.path), "--listen", "nonsense:port"),
        ("run", "--lab", "--config", str(installation.path), "--listen", "nonsense:port"),
    ):
        ended = await mailflow_agent(*command)
        assert ended.code == 78
        assert "agent.listen" in ended.err
        assert "Traceback" not in ended.err


async def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    installation = Installation(tmp_path, "tenants: []\n")
    ended = await mailflow_agent("config", "check", MAILFLOW_AGENT_CONFIG=str(installation.path))
    assert ended.code == 0
    assert str(installation.path) in ended.out
