"""Does the whole picture hold together, file by file?"""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import bcrypt
import pytest
import yaml

from agent.config import load
from servers.program import ROOT
from servers.prometheus import PROMTOOL

DEPLOY = ROOT / "deploy"
FILE = DEPLOY / "compose.yaml"
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def mounts(service: Any) -> dict[str, str]:
    """Return what is mounted where, by target."""
    return {
        target: source for source, target, *_ in (each.split(":") for each in service["volumes"])
    }


def test_the_file_is_of_the_form_that_compose_takes() -> None:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(FILE)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_the_dockerfile_has_nothing_that_hadolint_minds() -> None:
    ended = subprocess.run(
        [BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "")


def test_what_is_mounted_is_there(compose: Any) -> None:
    for name, service in compose["services"].items():
        for source in mounts(service).values():
            if source.startswith("."):
                assert (DEPLOY / source).exists(), (name, source)
            else:
                assert source in compose["volumes"], (name, source)


def test_nothing_can_be_reached_from_another_machine(compose: Any) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert len(ports) == 4
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in ports)


def test_every_service_is_locked_down_and_pinned(compose: Any) -> None:
    for service in compose["services"].values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert re.fullmatch(r"\$\{[A-Z]+_IMAGE:-[a-z./-]+:[a-z0-9.]+\}", service["image"])
    assert compose["services"]["agent"]["read_only"]


def test_the_agent_takes_its_configuration(compose: Any, tmp_path: Path) -> None:
    inside = mounts(compose["services"]["agent"])
    folder = tmp_path / "etc"
    folder.mkdir()
    web = next(target for target in inside if target.endswith("web-config.yml"))
    for target, source in inside.items():
        if source.startswith("."):
            text = (DEPLOY / source).read_text(encoding="utf-8")
            copy = folder if Path(target).parent.name == "mailflow-agent" else tmp_path
            text = text.replace(web, str(tmp_path / Path(web).name))
            (copy / Path(target).name).write_text(text, encoding="utf-8")
    config = load(folder, exports=False)
    assert config.agent.external_url == "http://localhost:16245"
    assert config.web_config == tmp_path / Path(web).name


def test_prometheus_can_log_in_where_the_agent_asks_it_to() -> None:
    web = yaml.safe_load((DEPLOY / "compose/web-config.yml").read_text(encoding="utf-8"))
    scrape = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
    job = next(each for each in scrape["scrape_configs"] if each["job_name"] == "mailflow")
    password = (DEPLOY / "compose/password").read_bytes()
    assert bcrypt.checkpw(
        password, web["basic_auth_users"][job["basic_auth"]["username"]].encode("ascii")
    )
    assert {"sample_limit", "body_size_limit", "label_value_length_limit"} <= job.keys()


@pytest.mark.integration
def test_prometheus_takes_its_configuration(compose: Any, tmp_path: Path) -> None:
    assert PROMTOOL is not None
    for target, source in mounts(compose["services"]["prometheus"]).items():
        if source.startswith("."):
            copy = tmp_path / Path(target).relative_to("/etc/prometheus")
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(DEPLOY / source, copy)
    command = [PROMTOOL, "check", "config", str(tmp_path / "prometheus.yml")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_names_that_are_called_are_names_of_services(compose: Any) -> None:
    texts = [
        (DEPLOY / name).read_text(encoding="utf-8")
        for name in ("prometheus.yml", "alertmanager.yml")
    ]
    called = set(re.findall(r"""["/](\w+):\d{4,5}["/]""", "".join(texts))) - {"localhost"}
    assert called == {"agent", "alertmanager", "receiver"}
    assert called < set(compose["services"])


@contextmanager
def receiver() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The receiver, on a port that the system chooses."""
    script = (
        "import runpy, sys; from http.server import ThreadingHTTPServer as S\n"
        "told = S.server_activate\n"
        "def tell(self):\n"
        "    told(self)\n"
        "    print(self.server_address[1], flush=True)\n"
        "S.server_activate = tell\n"
        "sys.argv = ['receiver.py', '0']\n"
        f"runpy.run_path({str(DEPLOY / 'compose/receiver.py')!r}, run_name='__main__')"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        try:
            yield f"http://127.0.0.1:{it.stdout.readline().strip()}", it
        finally:
            it.terminate()


async def test_the_receiver_writes_what_it_is_told_and_survives_nonsense() -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "MailflowRouteDown", "severity": "critical", "subject": "a\x1b[2J"},
        "startsAt": "2026-11-23T12:00:00Z",
        "annotations": {
            "summary": "Mail is not delivered.",
            "description": "For about 5m: `dig a`.",
            "page_url": "http://x/subjects/",
        },
    }
    with receiver() as (url, process):
        async with aiohttp.ClientSession() as session, asyncio.timeout(20):
            for wrong in (b"", b"[]", b"nonsense", b'{"alerts": [1]}'):
                async with session.post(f"{url}/pager", data=wrong) as reply:
                    assert reply.status == 400
            notice = {"status": "firing", "alerts": [alert]}
            async with session.post(f"{url}/pager", data=json.dumps(notice)) as reply:
                assert reply.status == 200
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
    assert lines == [
        "pager: firing\n",
        "  firing critical MailflowRouteDown a?[2J, since 2026-11-23T12:00:00Z\n",
        "    Mail is not delivered.\n",
        "    For about 5m: `dig a`.\n",
        "    http://x/subjects/\n",
    ]
