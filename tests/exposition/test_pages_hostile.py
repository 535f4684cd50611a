"""What peers say is text on a page and nothing else: nothing runs, and nothing is fetched."""

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from agent.domain.fact import (
    Chain,
    Diagram,
    Fact,
    Link,
    Node,
    Path,
    Phase,
    Road,
    Station,
    Stop,
    Table,
    Text,
    Walk,
)
from agent.domain.finding import Outcome
from agent.domain.peer_text import PeerText
from agent.runtime.board import Board
from servers.browsing import Visitor, browsing
from servers.exposed import Agent
from servers.standings import DANGLING, NOON, SPF, TOO_MANY, check, publish

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
RUN = "window.hit=1"
MARKUP = [
    f"<script>{RUN}</script>",
    f"</pre></code></textarea></title></style></script><script>{RUN}</script>",
    f'"><img src=x onerror="{RUN}">',
    f"' onmouseover='{RUN}' autofocus onfocus='{RUN}' x='",
    f"<svg onload={RUN}><script>{RUN}</script><a xlink:href='javascript:{RUN}'>x</a></svg>",
    f"<svg><foreignObject><iframe srcdoc='<script>parent.{RUN}</script>'></foreignObject></svg>",
    f"]]><![CDATA[<set attributeName=href to=javascript:{RUN}>",
    f"javascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    "<link rel=stylesheet href=//evil.example/x.css><style>@import '//evil.example/x'</style>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'><base href=//evil.example/>",
    "<form action=//evil.example/><input name=q autofocus></form>",
    "<iframe src=//evil.example/></iframe><object data=//evil.example/></object>",
    "{{ 7*7 }}{% raw %}${7*7}#{7*7}<%= 7*7 %>{{ ''.__class__ }}",
    "<!-- --><![endif]--><plaintext>",
    "&lt;script&gt;&#x3c;script&#62;",
    "`backticks` `<b>` ``",
]
# These come as octets, and pass the gate that all octets of peers pass.
OCTETS = [
    b"\x00\x01\x1b[31mred\x1b[0m\x07\x08\x7f",
    b"line\r\nSet-Cookie: a=b\r\n\r\n<script>window.hit=1</script>",
    b"\xff\xfe\xc3\x28\xa0\xa1\xed\xa0\x80<img src=x onerror=window.hit=1>",
    "\u202egnp.exe\u202c\u2066\u200b\ufeff\u2028<script>window.hit=1</script>".encode(),
    b"+ADw-script+AD4-window.hit=1+ADw-/script+AD4-",
    b"<" * 5000,
]
HOSTILE = [*MARKUP, *map(PeerText, OCTETS)]
DRAWN = """() => ({
    hit: window.hit,
    scripts: [...document.scripts].map(x => x.getAttribute('src')),
    handlers: [...document.querySelectorAll('*')].flatMap(x => x.getAttributeNames())
        .filter(x => x.startsWith('on') || x === 'style' || x === 'srcdoc' || x === 'formaction'),
    foreign: document.querySelectorAll('body :is(script, style, link, meta, base, iframe, object,'
        + ' embed, img, foreignObject, set, animate, use, plaintext, textarea)').length,
    links: [...document.querySelectorAll('[href], [src], [action]')].flatMap(x =>
        ['href', 'src', 'action'].map(y => x.getAttribute(y)).filter(y => y !== null))
        .filter(x => !/^([/#?]|data:,$)/.test(x) || x.startsWith('//')),
    text: document.body.textContent,
})"""


def facts(text: str) -> dict[str, Fact]:
    """Return a fact of every shape with *text* wherever a peer's text could stand."""
    stations = (
        Station("a", text, "internet", text),
        Station("b", text, "server", text, "bad", 1),
    )
    return {
        f"Text {text}": Text(text),
        "Table": Table((text, "b"), ((text, text),)),
        "Tree": Node(text, text, "bad", 3, (Node(text, text, children=(Node(text),)),)),
        f"Walk of {text}": Walk((Phase("rcpt", 0.1, "bad", text), Phase("data", None))),
        "Path": Path((Stop("us", "us"), Stop(text, text, 1.0, text, "bad", text))),
        "Diagram": Diagram(stations, (Road("a", "b", text, "bad"),)),
        "Certificate": Chain(
            (Link(text, text, NOON, NOON + timedelta(days=1), text),), text, "bad"
        ),
    }


def hostile_board(texts: Iterable[str]) -> Board:
    """Return a board of one domain for each text, each with it in every place."""
    board = Board()
    found = [
        (check("contoso", SPF, f"domain{number}.example"), text)
        for number, text in enumerate(texts)
    ]
    board.keep([of for of, _ in found], NOON)
    for of, text in found:
        findings = (
            DANGLING.found(text, text, fix=text),
            TOO_MANY.found(text, text, fix=f"<{text}>"),
        )
        publish(board, of, Outcome(findings, facts=facts(text)), NOON)
    return board


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agent() -> AsyncIterator[Agent]:
    agent = Agent(errors=tuple(HOSTILE))
    agent.board = hostile_board(HOSTILE)
    agent.server = agent.make()
    agent.port = await agent.server.start("127.0.0.1", 0)
    yield agent
    await agent.server.close()


def is_harmless(drawn: Any) -> None:
    assert drawn["hit"] is None
    assert drawn["scripts"] == ["/static/live.js"]
    assert drawn["handlers"] == []
    assert drawn["foreign"] == 0
    assert drawn["links"] == []


async def test_no_string_of_a_peer_runs_or_fetches_or_becomes_an_element(agent: Agent) -> None:
    async with browsing() as visitor:
        visitor.url = f"http://127.0.0.1:{agent.port}/"
        page = await visitor.visit("")
        for number, text in enumerate(HOSTILE):
            await page.goto(f"{visitor.url}subjects/contoso/domain/domain{number}.example")
            await page.evaluate(
                "document.querySelectorAll('details').forEach(x => { x.open = 1; })"
            )
            for _ in range(8):
                await page.keyboard.press("Tab")
            drawn = await page.evaluate(DRAWN)
            is_harmless(drawn)
            told = " ".join(drawn["text"].split())
            assert told.count(" ".join(text.split())) >= 15, f"{text!r} is shown as it is"
        await _also_elsewhere(visitor, page)
        assert visitor.complaints == []
        assert all(url.startswith(visitor.url) for url in visitor.requests)


async def _also_elsewhere(visitor: Visitor, page: Any) -> None:
    """Look at the first page, at what it takes over live, at a rule, and at what was asked for."""
    await page.goto(visitor.url)
    is_harmless(await page.evaluate(DRAWN))
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await page.wait_for_selector(".live:not(.lost)")
    is_harmless(await page.evaluate(DRAWN))
    await page.goto(f"{visitor.url}rules/mx-dangling")
    is_harmless(await page.evaluate(DRAWN))
    for text in MARKUP:
        await page.goto(visitor.url)
        await page.fill("input[type=search]", text)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**q=**")
        is_harmless(await page.evaluate(DRAWN))
        assert await page.input_value("input[type=search]") == text.lower()[:253]
