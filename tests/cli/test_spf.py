import json
from collections.abc import AsyncIterator

import pytest

from agent.lab.dns_server import DnsServer
from agent.lab.faults import World
from servers.program import mailflow_agent


@pytest.fixture
async def resolver() -> AsyncIterator[str]:
    async with DnsServer(World()) as server:
        yield f"127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("ip", "mail_from", "result", "code"),
    [
        pytest.param("192.31.196.25", "a@contoso.com", "pass", 0, id="pass"),
        pytest.param("192.0.2.1", "a@contoso.com", "fail", 2, id="fail"),
        pytest.param("192.0.2.1", "a@nobody.example", "none", 1, id="none"),
        pytest.param("192.0.2.1", "a@adatum.com", "permerror", 2, id="permerror"),
        pytest.param("192.0.2.1", "a@wingtiptoys.com", "permerror", 2, id="two records"),
    ],
)
async def test_the_result_is_the_first_line_and_the_exit_code(
    resolver: str, ip: str, mail_from: str, result: str, code: int
) -> None:
    ended = await mailflow_agent(
        "spf", "--ip", ip, "--mail-from", mail_from, "--resolver", resolver
    )
    assert ended.out.splitlines()[0] == result
    assert ended.code == code
    assert ended.err == ""


async def test_the_json_answer_carries_the_counters_and_the_trace(resolver: str) -> None:
    ended = await mailflow_agent(
        *("spf", "--ip", "192.0.2.1", "--mail-from", "a@fabrikam.com"),
        *("--resolver", resolver, "--json"),
    )
    data = json.loads(ended.out)
    assert (data["result"], data["lookups"]) == ("fail", 1)
    assert data["trace"]["children"]


async def test_a_resolver_that_cannot_be_reached_is_a_temporary_error() -> None:
    ended = await mailflow_agent(
        *("spf", "--ip", "192.0.2.1", "--mail-from", "a@contoso.com"),
        *("--resolver", "127.0.0.1:1"),
    )
    assert (ended.out.splitlines()[0], ended.code) == ("temperror", 3)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["--ip", "1.2.3", "--helo", "a.b"], "is no address", id="address"),
        pytest.param(["--ip", "192.0.2.1"], "give --mail-from", id="no sender"),
        pytest.param(
            ["--ip", "192.0.2.1", "--helo", "a.b", "--resolver", "dns.example"],
            "'dns.example' is no address",
            id="resolver name",
        ),
        pytest.param(
            ["--ip", "192.0.2.1", "--helo", "a.b", "--resolver", "[::1]:99999"],
            "'99999' in '[::1]:99999' is no port",
            id="resolver port",
        ),
    ],
)
async def test_a_wrong_command_line_is_one_clear_line(arguments: list[str], complaint: str) -> None:
    ended = await mailflow_agent("spf", *arguments)
    assert ended.code == 64
    assert complaint in ended.err
    assert "Traceback" not in ended.err
