"""The steps of a route are walked from the command line, and a message is sent only where asked."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from agent.adapters.smtp_policy import Client, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.app.doctor import Step
from agent.cli.doctor import _shortened
from servers.program import mailflow_agent

ROUTE = """\
agent: {{state: state}}
sink: {{listen: "127.0.0.1:{sink}"}}
tenants:
  - name: contoso
    routes:
      - name: in
        send:
          smtp: {{host: 127.0.0.1, port: {port}, tls: never}}
          mail_from: probe@contoso.com
          rcpt_to: in@contoso.com
        receive: {{{place}}}
"""


@dataclass
class Delivery(Policy):
    """A server that puts what it takes into a Maildir."""

    folder: Path
    answer: Response = field(default=say(250, "2.1.5 ok"))
    taken: int = 0

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        del client, rcpt_to
        return self.answer

    async def message(self, client: Client, content: bytes) -> Response:
        del client
        self.taken += 1
        whole = self.folder / "tmp" / f"{self.taken}.letter"
        whole.write_bytes(content)
        whole.rename(self.folder / "new" / whole.name)
        return say(250, "2.6.0 delivered")


@dataclass
class Place:
    """A server, a Maildir, and a configuration of a route from one to the other."""

    server: SmtpServer
    delivery: Delivery
    config: Path

    def write(self, place: str = "maildir: {path: box}", sink: int = 1) -> str:
        text = ROUTE.format(port=self.server.port, place=place, sink=sink)
        self.config.write_text(text)
        return str(self.config)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    for name in ("cur", "new", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    delivery = Delivery(tmp_path / "box")
    server = SmtpServer(delivery)
    await server.start("127.0.0.1", 0)
    yield Place(server, delivery, tmp_path / "config.yaml")
    await server.close()


async def test_each_step_is_told_and_nothing_is_sent(place: Place) -> None:
    ended = await mailflow_agent("doctor", "in", "--config", place.write())
    assert ended.out.splitlines() == [
        f"✓ hand over to 127.0.0.1:{place.server.port}",
        "    it takes in@contoso.com from probe@contoso.com",
        "✓ pick-up maildir box",
        "    it opens, with Inbox and Junk",
        "✓ pick-up maildir box, reading",
        "    0 messages of the last 3 days",
    ]
    assert (ended.code, ended.err, place.delivery.taken) == (0, "", 0)


async def test_a_step_that_fails_says_what_to_do(place: Place) -> None:
    place.delivery.answer = say(550, "5.1.10 recipient not found")
    ended = await mailflow_agent("doctor", "in", "--config", place.write(), "--send")
    first = ended.out.partition("✓ pick-up")[0]
    assert first.startswith(
        f"✗ hand over to 127.0.0.1:{place.server.port}\n    at rcpt: 550 5.1.10"
    )
    assert "    → " in first
    assert "sending one message" not in ended.out
    assert (ended.code, place.delivery.taken) == (2, 0)


async def test_a_maildir_that_is_missing_does_not_open(place: Place) -> None:
    ended = await mailflow_agent("doctor", "in", "--config", place.write("maildir: {path: none}"))
    told = " ".join(ended.out.split())  # lines are wrapped, wherever the path makes it so
    assert "✗ pick-up maildir none no-mailbox: there is no Maildir at " in told
    assert "it opens" not in ended.out
    assert ended.code == 2


def test_a_fault_that_was_told_is_not_told_again() -> None:
    first = Step("credential c", "bad", "library-missing: no msal", "Install it.")
    again = Step("hand over to x:25", "bad", "c: library-missing: no msal. Install it.", "See.")
    assert _shortened(again, [first]) == replace(again, detail="as above, at credential c", fix="")
    assert _shortened(first, [first]).detail == "as above"


@pytest.mark.parametrize(
    "earlier",
    [
        Step("a", "good", "refused", "Look."),
        Step("a", "bad", "refused", "Look elsewhere."),
        Step("a", "bad", "refused"),
        Step("a", "bad", "lost", "Look."),
    ],
)
def test_another_fault_is_told_in_full(earlier: Step) -> None:
    step = Step("b", "bad", "refused", "Look.")
    assert _shortened(step, [earlier]) == step


async def test_the_help_does_not_promise_to_stop_at_a_failure() -> None:
    ended = await mailflow_agent("doctor", "--help")
    assert "say what to do at each that fails" in " ".join(ended.out.split())


async def test_a_message_is_sent_and_followed_where_that_is_asked_for(place: Place) -> None:
    ended = await mailflow_agent("doctor", "in", "--config", place.write(), "--send")
    assert "… sending one message, and waiting for it" in ended.out
    assert "✓ ok       in" in ended.out, ended.out + ended.err
    assert (ended.code, place.delivery.taken) == (0, 1)
    assert list((place.delivery.folder / "new").iterdir()) == []


async def test_all_of_it_is_there_as_json(place: Place) -> None:
    ended = await mailflow_agent("doctor", "in", "--config", place.write(), "--send", "--json")
    told = json.loads(ended.out)
    assert told["route"] == "in"
    assert [step["verdict"] for step in told["steps"]] == ["good"] * 3
    assert told["message"]["severity"] == "ok"
    assert ended.code == 0


async def test_json_of_the_steps_alone_has_no_message(place: Place) -> None:
    place.delivery.answer = say(451, "4.7.1 later")
    ended = await mailflow_agent("doctor", "in", "--config", place.write(), "--json")
    assert [step["verdict"] for step in json.loads(ended.out)["steps"]] == [
        "unknown",
        "good",
        "good",
    ]
    assert "message" not in json.loads(ended.out)
    assert ended.code == 3


async def test_an_own_server_that_cannot_listen_is_told(place: Place) -> None:
    path = place.write("sink: {}", place.server.port)
    ended = await mailflow_agent("doctor", "in", "--config", path, "--send")
    assert "cannot be listened on" in ended.err
    assert "is the agent running?" in ended.err
    assert (ended.code != 0, place.delivery.taken) == (True, 0)


async def test_a_route_that_is_not_there_is_told_with_those_that_are(place: Place) -> None:
    ended = await mailflow_agent("doctor", "inn", "--config", place.write())
    assert "has no route 'inn'" in ended.err
    assert "known: in" in ended.err
    assert ended.code == 64
    place.config.write_text("tenants: []\n")
    ended = await mailflow_agent("doctor", "in", "--config", str(place.config))
    assert "has no route 'in'; known: none" in ended.err
