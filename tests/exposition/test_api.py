"""What do programs read of the agent?"""

import json
import math
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.domain.entry import Entry, State
from agent.domain.finding import Outcome
from agent.exposition import openapi
from agent.exposition.api_operations import OPERATIONS
from servers.exposed import Agent
from servers.standings import LOOKUPS, SPF, check, large_board, publish, small_board

SENT = datetime(2026, 11, 23, 11, 59, tzinfo=UTC)
V1 = "/api/v1"


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    agent = Agent()
    agent.board = small_board(agent.clock)
    agent.server = agent.make(messages=lambda _: (entry(6), entry(7)))
    agent.port = await agent.server.start("127.0.0.1", 0)
    yield agent
    await agent.server.close()


def entry(sequence: int) -> Entry:
    return Entry(
        nonce=f"secret{sequence}",
        route="contoso/internet-to-mailbox",
        sequence=sequence,
        within=timedelta(minutes=1),
        lost_after=timedelta(minutes=15),
        planned_at=SENT,
        state=State.LOST,
        failure="lost",
    )


async def get(agent: Agent, path: str) -> Any:
    answer = await agent.ask(f"{V1}/{path}")
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    return json.loads(answer.body)


async def test_subjects_are_listed_worst_tenant_first_and_filtered(agent: Agent) -> None:
    listed = await get(agent, "subjects")
    assert (listed["total"], listed["matching"], listed["pages"]) == (8, 8, 1)
    first = listed["subjects"][0]
    assert (first["subject"], first["state"]) == ("contoso.com", "critical")
    assert first["headline"] == "An MX record names a host that does not exist"
    assert first["page"] == "/subjects/contoso/domain/contoso.com"
    assert {each["probe"]: each["state"] for each in first["checks"]} == {
        "mx": "critical",
        "spf": "critical",
    }
    for query, names in (
        ("q=CONTOSO.d", {"contoso.de"}),
        ("tenant=fabrikam&state=stale", {"mail.fabrikam.de"}),
        ("state=pending", {"fabrikam-new.example"}),
        ("kind=connector&state=trouble", {"to-datacentre"}),
        ("tenant=none", set()),
    ):
        found = (await get(agent, f"subjects?{query}"))["subjects"]
        assert {each["subject"] for each in found} == names, query
    headlines = {each["subject"]: each["headline"] for each in listed["subjects"]}
    assert headlines["mail.fabrikam.de"] == "has not been checked in time"
    assert headlines["fabrikam-new.example"] == "not checked yet"
    assert headlines["contoso.de"] == ""


async def test_one_subject_and_one_check_say_all(agent: Agent) -> None:
    subject = await get(agent, "subjects/contoso/domain/contoso.com")
    assert [each["check"] for each in subject["details"]] == [
        "contoso/domain/contoso.com/spf",
        "contoso/domain/contoso.com/mx",
    ]
    assert {each["probe"] for each in subject["changes"]} == {"spf", "mx"}
    one = await get(agent, "checks/contoso/domain/contoso.com/spf")
    assert (one["runs"], one["severity"], one["findings"][0]["consecutive"]) == (4, "critical", 4)
    assert one["findings"][0]["since"] == one["changed_at"], "it changed when it was found first"
    assert one["run"]["measurements"] == [
        {"name": "mailflow_spf_lookups", "labels": {}, "value": 14.0}
    ]
    shapes = {each["title"]: each["shape"] for each in one["run"]["facts"]}
    assert shapes == {"Record": "text", "Includes": "node"}
    pending = await get(agent, "checks/fabrikam/domain/fabrikam-new.example/spf")
    assert (pending["run"], pending["state"]) == (None, "pending")


async def test_checks_are_found_by_probe_and_rule(agent: Agent) -> None:
    found = await get(agent, "checks?rule=mx-dangling")
    assert [each["check"] for each in found["checks"]] == ["contoso/domain/contoso.com/mx"]
    assert (await get(agent, "checks?probe=spf"))["matching"] == 5
    assert (await get(agent, "checks?probe=spf&state=trouble&q=de"))["matching"] == 2


async def test_changes_rules_and_the_agent_are_told(agent: Agent) -> None:
    agent.errors = ("config.yaml:3: wrong",)
    changes = (await get(agent, "changes?tenant=fabrikam&q=L.FABRIKAM.de"))["changes"]
    assert [each["subject"] for each in changes] == ["mail.fabrikam.de"]
    assert len((await get(agent, "changes?limit=2"))["changes"]) == 2
    rules = {each["rule"]: each for each in (await get(agent, "rules"))["rules"]}
    assert (rules["mx-dangling"]["found"], rules["mx-dangling"]["probes"]) == (1, ["mx"])
    rule = await get(agent, "rules/dns-unanswered")
    assert [each["check"] for each in rule["checks"]] == ["fabrikam/domain/fabrikam.de/spf"]
    about = await get(agent, "agent")
    assert about["config_errors"] == ["config.yaml:3: wrong"]
    assert about["dependencies"] == [{"name": "resolver", "up": True}]
    assert about["subjects"]["critical"] == 1


async def test_a_route_has_its_last_messages_and_never_their_tokens(agent: Agent) -> None:
    assert (await get(agent, "routes"))["matching"] == 2
    answer = await agent.ask(f"{V1}/routes/contoso/internet-to-mailbox")
    messages = json.loads(answer.body)["messages"]
    assert [each["sequence"] for each in messages] == [7, 6]
    assert (messages[0]["state"], messages[0]["failure"]) == ("lost", "lost")
    assert "secret" not in answer.text


async def test_what_is_not_there_is_a_problem(agent: Agent) -> None:
    for path in (
        "subjects/contoso/domain/none.example",
        "checks/contoso/domain/contoso.com/none",
        "rules/none",
        "routes/contoso/none",
        "nothing",
    ):
        answer = await agent.ask(f"{V1}/{path}")
        assert answer.status == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert json.loads(answer.body)["status"] == 404


async def test_every_wrong_parameter_is_told_at_once_with_what_is_right(agent: Agent) -> None:
    answer = await agent.ask(
        f"{V1}/subjects?state=critcal&page=0&page=1&per_page=501&foo=1&q=" + "x" * 254
    )
    assert answer.status == 400
    assert {each["parameter"]: each["detail"] for each in json.loads(answer.body)["errors"]} == {
        "state": "is not one of: critical, unknown, stale, warning, pending, ok, trouble;"
        " did you mean critical?",
        "page": "is given twice",
        "per_page": "is not a whole number from 1 to 500",
        "foo": "is unknown; there is: q, tenant, state, kind, page, per_page",
        "q": "has more than 253 characters",
    }
    assert "there is none" in (await agent.ask(f"{V1}/rules?x=1")).text


async def test_a_question_that_is_too_long_to_be_read_is_a_problem_too(agent: Agent) -> None:
    answer = await agent.ask(f"{V1}/subjects?q=" + "x" * 9000)
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert json.loads(answer.body)["title"] == "Bad Request"


async def test_nothing_can_be_written(agent: Agent) -> None:
    for operation in OPERATIONS:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            answer = await agent.ask(re.sub("[{}]", "", operation.path), method)
            assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD"), operation.name


async def test_what_is_known_already_is_not_sent_again(agent: Agent) -> None:
    for path in ("subjects", "status", "openapi.json"):
        first = await agent.ask(f"{V1}/{path}")
        tag = first.headers["ETag"]
        for known in (tag, f'"other", {tag}', "*", tag.removeprefix("W/")):
            again = await agent.ask(f"{V1}/{path}", If_None_Match=known)
            assert (again.status, again.body) == (304, b""), path
        assert (await agent.ask(f"{V1}/{path}", If_None_Match='"other"')).status == 200
    known = (await agent.ask(f"{V1}/status")).headers["ETag"]
    publish(agent.board, check("contoso", SPF, "contoso.de"), Outcome(), agent.clock.now())
    assert (await agent.ask(f"{V1}/status", If_None_Match=known)).status == 200


async def test_a_number_that_json_does_not_know_is_null(agent: Agent) -> None:
    of = check("contoso", SPF, "contoso.de")
    publish(agent.board, of, Outcome(measurements=(LOOKUPS.at(math.inf),)), agent.clock.now())
    one = await get(agent, "checks/contoso/domain/contoso.de/spf")
    assert one["run"]["measurements"][0]["value"] is None


async def test_a_long_list_comes_in_pages() -> None:
    agent = Agent()
    agent.board = large_board(agent.clock, 250)
    agent.server = agent.make()
    agent.port = await agent.server.start("127.0.0.1", 0)
    path, seen = f"{V1}/subjects?per_page=100&kind=domain", []
    while path:
        page = json.loads((await agent.ask(path)).body)
        seen += [each["subject"] for each in page["subjects"]]
        path = page["next"]
    assert len(seen) == len(set(seen)) == 250
    assert (await agent.ask(f"{V1}/subjects?page=999")).status == 200
    status = json.loads((await agent.ask(f"{V1}/status")).body)
    assert len(status["checks"]) == 500, "in portions, and whole"
    await agent.server.close()


def test_the_description_names_every_operation_and_shape() -> None:
    described = openapi.described()
    assert described["openapi"] == "3.1.0"
    assert set(described["paths"]) == {each.path for each in OPERATIONS}
    finding = described["components"]["schemas"]["Finding"]
    assert finding["properties"]["fix"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert "errors" not in described["components"]["schemas"]["Problem"]["required"]
