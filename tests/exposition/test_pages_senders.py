"""Does the page of a domain show who may send, and who would lose mail?"""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from agent.domain.fact import Text
from agent.domain.finding import Outcome
from agent.domain.sender_matrix import draw
from agent.exposition.pages.senders import senders_of
from agent.exposition.pages.view import view_subject
from agent.probes.dmarc import PROBE
from agent.runtime.board import Board
from servers.dmarc_case import KEY, SPF, Case, D
from servers.exposed import Agent
from servers.standings import NOON, check, publish

KEYED = ("contoso", "domain", D)
WITH_KEY = f"{SPF}\nmail._domainkey.{D} TXT {KEY}"


def seen(*senders: str, more: str = WITH_KEY) -> Outcome:
    rows = Case(senders=senders, selectors=("mail",), more=more).looked().rows
    return Outcome(facts={"senders": draw(rows)})


def board_of(outcome: Outcome) -> Board:
    board = Board()
    dmarc = check("contoso", PROBE, D)
    board.keep([dmarc], NOON)
    publish(board, dmarc, outcome)
    return board


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    senders = ("exchange-online", "192.31.196.7", "sendgrid", "mailchimp")
    agent = Agent(board=board_of(seen(*senders)))
    agent.port = await agent.server.start("127.0.0.1", 0)
    yield agent
    await agent.server.close()


async def test_who_would_lose_mail_stands_first(agent: Agent) -> None:
    page = (await agent.ask(f"/subjects/contoso/domain/{D}")).text
    section = page.partition('<section class="senders"')[2].partition("</section>")[0]
    assert "1 of 4 would lose mail under an enforced policy; of 1 it" in section
    senders = re.findall(r'<th scope="row">([^<]+)</th>', section)
    assert senders == ["mailchimp", "sendgrid", "exchange-online", "192.31.196.7"]
    assert section.count('<td class="bad">') == 8
    assert "MAIL FROM is always the provider" in section
    assert "<td>delivered; refused where it was forwarded</td>" in section


@pytest.mark.parametrize(
    ("outcome", "summary"),
    [
        pytest.param(seen("exchange-online"), "It can pass DMARC.", id="one"),
        pytest.param(
            seen("exchange-online", "192.31.196.7"), "All 2 can pass DMARC.", id="all are well"
        ),
        pytest.param(
            seen("mailchimp", "192.31.196.7"),
            "1 of 2 would lose mail under an enforced policy.",
            id="one is not",
        ),
        pytest.param(Outcome(facts={"senders": Text("x")}), None, id="of another shape"),
        pytest.param(Outcome(), None, id="nothing seen"),
    ],
)
def test_it_is_summed_up_in_a_sentence(outcome: Outcome, summary: str | None) -> None:
    board = board_of(outcome)
    matrix = senders_of(view_subject(KEYED, board.runs(), NOON))
    assert (matrix and matrix.summary) == summary
    late = NOON + timedelta(days=9)
    assert senders_of(view_subject(KEYED, board.runs(), late)) is None
