import gzip
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families as read_text

from servers.exposed import Agent
from servers.standings import (
    SPF,
    check,
    large_board,
    small_board,
)


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    agent = Agent()
    agent.board = small_board(agent.clock)
    agent.server = agent.make()
    agent.port = await agent.server.start("127.0.0.1", 0)
    yield agent
    await agent.server.close()


async def test_metrics_come_in_the_format_that_is_asked_for(agent: Agent) -> None:
    plain = await agent.ask("/metrics")
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert list(read_text(plain.text))
    opened = await agent.ask("/metrics", Accept="application/openmetrics-text")
    assert opened.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert opened.text.endswith("# EOF\n")


async def test_a_large_scrape_is_compressed_and_a_small_one_is_not(agent: Agent) -> None:
    assert "Content-Encoding" not in (await agent.ask("/metrics", Accept_Encoding="gzip")).headers
    big = Agent()
    big.board = large_board(big.clock, 100)
    big.server = big.make()
    big.port = await big.server.start("127.0.0.1", 0)
    compressed = await big.ask("/metrics", Accept_Encoding="br, gzip;q=0.5")
    plain = await big.ask("/metrics", Accept_Encoding="gzip;q=0")
    await big.server.close()
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed.body) == plain.body


async def test_a_scrape_is_kept_for_a_second(agent: Agent) -> None:
    first = await agent.ask("/metrics")
    agent.own.logged("error")
    assert (await agent.ask("/metrics")).body == first.body
    agent.clock.advance(timedelta(seconds=1))
    assert (await agent.ask("/metrics")).body != first.body


async def test_head_has_the_headers_and_no_body(agent: Agent) -> None:
    get, head = await agent.ask("/metrics"), await agent.ask("/metrics", "HEAD")
    assert head.status == 200
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert head.body == b""


@pytest.mark.parametrize(
    ("path", "caching"),
    [
        ("/-/healthy", "no-store"),
        ("/-/ready", "no-store"),
        ("/", "no-store"),
        ("/nothing", "no-store"),
        ("/api/v1/nothing", "no-store"),
        ("/api/v1/status", "private, no-cache"),
        ("/static/style.css", "private, no-cache"),
    ],
)
async def test_every_answer_forbids_foreign_scripts_frames_and_caching(
    agent: Agent, path: str, caching: str
) -> None:
    headers = (await agent.ask(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'; connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == caching
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Server"] == "mailflow-agent"


async def test_readiness_is_told_apart_from_health(agent: Agent) -> None:
    assert (await agent.ask("/-/ready")).status == 200
    agent.is_ready = False
    assert (await agent.ask("/-/ready")).status == 503
    assert (await agent.ask("/-/healthy")).status == 200


async def test_the_status_page_shows_the_worst_first(agent: Agent) -> None:
    page = (await agent.ask("/")).text
    assert "1 of 8 subjects is critical" in page
    assert page.index("contoso.com") < page.index("contoso.de")
    assert "no data yet" in page
    assert "stale" in page
    assert page.count("<script") == 1, "its own file"
    assert "style=" not in page


async def test_a_subject_has_its_page_with_facts(agent: Agent) -> None:
    page = (await agent.ask("/subjects/contoso/domain/contoso.com")).text
    assert "The SPF record takes more than 10 lookups" in page
    assert "include:spf.protection.outlook.com" in page
    assert "What changed" in page
    walk = (await agent.ask("/subjects/contoso/connector/to-datacentre")).text
    assert "not reached" in walk
    path = (await agent.ask("/subjects/contoso/route/internet-to-mailbox")).text
    assert path.index("mx1.filter.example") < path.index("relay.partner.example")
    assert "not encrypted" in path
    assert "owner-microsoft" in path
    assert (await agent.ask("/subjects/contoso/domain/other.example")).status == 404


async def test_a_rule_has_its_page_with_those_who_break_it(agent: Agent) -> None:
    page = (await agent.ask("/rules/mx-dangling")).text
    assert "contoso.com" in page
    assert "Remove the record" in page
    assert "Not found anywhere" in (await agent.ask("/rules/run-crashed")).text
    assert (await agent.ask("/rules/none")).status == 404


async def test_the_status_is_there_for_programs(agent: Agent) -> None:
    status = json.loads((await agent.ask("/api/v1/status")).body)
    checks = {check["check"]: check for check in status["checks"]}
    assert checks["contoso/domain/contoso.com/mx"]["findings"][0]["consecutive"] == 4
    assert checks["fabrikam/domain/fabrikam-new.example/spf"]["state"] == "pending"
    assert checks["fabrikam/domain/mail.fabrikam.de/spf"]["state"] == "stale"


async def test_a_rejected_configuration_is_shown(agent: Agent) -> None:
    agent.errors = ("config.yaml:3: tenants: <b>wrong</b>",)
    assert "config.yaml:3: tenants: &lt;b&gt;wrong" in (await agent.ask("/")).text
    refused = await agent.ask("/-/reload", "POST")
    assert refused.status == 500
    assert "config.yaml:3" in refused.text


async def test_reload_takes_a_post_from_nowhere_else(agent: Agent) -> None:
    assert (await agent.ask("/-/reload", "POST")).text == "reloaded\n"
    assert (await agent.ask("/-/reload", "POST", Origin="http://localhost")).status == 200
    for origin in ("http://evil.example", "null", "http://[::1"):
        assert (await agent.ask("/-/reload", "POST", Origin=origin)).status == 403
    got = await agent.ask("/-/reload")
    assert (got.status, got.headers["Allow"]) == (405, "POST")
    assert agent.reloads == 2


async def test_reload_does_not_exist_unless_it_is_enabled(agent: Agent) -> None:
    server = agent.make(reloadable=False)
    agent.port = await server.start("127.0.0.1", 0)
    assert (await agent.ask("/-/reload", "POST")).status == 404
    await server.close()


async def test_of_many_subjects_only_trouble_is_listed_until_asked() -> None:
    agent = Agent()
    agent.board = large_board(agent.clock, 300)
    agent.server = agent.make()
    agent.port = await agent.server.start("127.0.0.1", 0)
    page = (await agent.ask("/")).text
    assert "6 of 300 subjects are critical" in page
    assert page.count('<details class="subject') == 6
    everything = (await agent.ask("/?show=all&page=3")).text
    assert everything.count('<details class="subject') == 100
    assert "Page 3 of 3" in everything
    assert (await agent.ask("/?q=DOMAIN00007&show=all")).text.count('<details class="subject') == 1
    assert "Nothing matches" in (await agent.ask("/?tenant=none")).text
    assert (await agent.ask("/?page=9999999999&show=%00%ff")).status == 200
    await agent.server.close()


@pytest.mark.parametrize(
    ("names", "says"),
    [
        pytest.param((), "Nothing is configured", id="none"),
        pytest.param(("a.example",), "The subject has no data yet", id="one"),
        pytest.param(("a.example", "b.example"), "2 of 2 subjects have no data yet", id="two"),
    ],
)
async def test_no_data_is_not_called_fine(names: tuple[str, ...], says: str) -> None:
    agent = Agent()
    agent.board.keep([check("contoso", SPF, name) for name in names], agent.clock.now())
    agent.port = await agent.server.start("127.0.0.1", 0)
    assert says in (await agent.ask("/")).text
    await agent.server.close()
