"""The program with a web configuration: what it serves, and what it says when the file breaks."""

import asyncio
import base64
import re
import signal
from pathlib import Path

import aiohttp

from servers.dns import DnsServer
from servers.program import start
from servers.running import eventually
from servers.web_files import PASSWORD, TLS, USERS, WebFiles

ALICE = "Basic " + base64.b64encode(f"alice:{PASSWORD}".encode()).decode()

BROKEN = "mailflow_web_config_last_reload_successful 0.0"


async def test_the_program_serves_by_its_web_configuration(tmp_path: Path) -> None:
    files = WebFiles(tmp_path)
    files.write(TLS + USERS)
    context = files.client()
    async with DnsServer() as dns, aiohttp.ClientSession() as session:
        (tmp_path / "config.yaml").write_text(
            f"agent: {{listen: '0.0.0.0:0', web_config: web.yml, probe_endpoint: true}}\n"
            f"resolvers: ['127.0.0.1:{dns.port}']\n"
            "tenants: [{name: contoso, domains: [{name: contoso.com}]}]\n"
        )
        process = await start("run", "--config", str(tmp_path / "config.yaml"), cwd=tmp_path)
        assert process.stderr is not None
        async with asyncio.timeout(60):
            log = b""
            while (found := re.search(rb"Page +https://0.0.0.0:(\d+)/", log)) is None:
                log += await process.stderr.readline()
        url = f"https://localhost:{int(found[1])}"

        async def get(path: str, login: str = ALICE) -> tuple[int, str]:
            headers = {"Authorization": login}
            async with session.get(url + path, ssl=context, headers=headers) as answer:
                return answer.status, await answer.text()

        assert (await get("/api/v1/agent"))[0] == 200
        assert (await get("/api/v1/agent", "Basic eDp5"))[0] == 401
        assert (await get("/probe?check=contoso/domain/evil.example/spf"))[0] == 404
        probed = await get("/probe?check=contoso/domain/contoso.com/spf")
        assert probed[0] == 200
        assert "\nprobe_success " in probed[1]
        files.write(TLS + "basic_auth_users: {alice: oops}\n")
        await eventually(lambda: get("/metrics"), lambda seen: BROKEN in seen[1])
        assert "is no bcrypt hash" in (await get("/"))[1]
        process.send_signal(signal.SIGTERM)
        rest = (await process.communicate())[1] or b""
    assert process.returncode == 0
    assert b"web configuration rejected" in rest
    assert PASSWORD.encode() not in log + rest
