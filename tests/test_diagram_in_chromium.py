"""Is the picture of a tenant's routing good to look at in a real browser?"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from agent.domain.fact import Diagram
from agent.exposition.pages import render
from agent.exposition.server import POLICY
from servers import diagrams

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
SMALLEST = 11  # pixels that letters are high
PICTURES = {
    "10 connectors": diagrams.tenant(10),
    "60 connectors": diagrams.tenant(60),
    "loop": diagrams.loop(),
    "two tenants": diagrams.two_tenants(),
}
BOXES = """selector => [...document.querySelectorAll(selector)].map(x => {
    const box = x.getBBox();
    return [box.x, box.y, box.x + box.width, box.y + box.height, x.textContent];
})"""
HEIGHTS = """() => [...document.querySelectorAll('.picture text')].map(x =>
    parseFloat(getComputedStyle(x).fontSize) * x.getScreenCTM().a)"""
SPILLED = """() => [...document.querySelectorAll('.station')].flatMap(x => {
    const card = x.querySelector('rect').getBBox();
    return [...x.querySelectorAll('text')].filter(text => {
        const box = text.getBBox();
        return box.x < card.x || box.x + box.width > card.x + card.width
            || box.y < card.y - 1 || box.y + box.height > card.y + card.height + 1;
    }).map(text => text.textContent);
})"""
CONTRASTS = """() => {
    const light = colour => {
        const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map(x => x / 255)
            .map(x => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ratio = (a, b) => {
        const [x, y] = [light(a), light(b)].sort((m, n) => n - m);
        return (x + 0.05) / (y + 0.05);
    };
    const paper = getComputedStyle(document.querySelector('.picture')).backgroundColor;
    const texts = [...document.querySelectorAll('.picture text')].map(x => {
        const card = x.closest('.station')?.querySelector('rect');
        return ratio(getComputedStyle(x).fill, card ? getComputedStyle(card).fill : paper);
    });
    const roads = [...document.querySelectorAll('.picture .road')].map(x =>
        ratio(getComputedStyle(x).stroke, paper));
    return [Math.min(...texts), Math.min(...roads)];
}"""


class Gallery:
    """A browser that shows pictures under the policy of our pages, and what it complained of."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self.complaints: list[str] = []

    async def show(self, diagram: Diagram, width: int, scheme: str = "light") -> Any:
        page = await self._browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        page.on("console", lambda said: self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        html = diagrams.page(diagram)

        async def answer(route: Any) -> None:
            body, kind = {
                "style.css": (render.STYLE, "text/css"),
                "live.js": (render.SCRIPT, "text/javascript"),
            }.get(route.request.url.rpartition("/")[2], (html, "text/html; charset=utf-8"))
            await route.fulfill(
                body=body,
                content_type=kind,
                headers=dict(POLICY),
            )

        await page.route("**/*", answer)
        await page.goto("http://agent.example/")
        return page


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Any]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def gallery(browser: Any) -> AsyncIterator[Gallery]:
    yield Gallery(browser)
    for context in browser.contexts:
        await context.close()


def overlapping(boxes: list[list[Any]], least: float = 0.0) -> list[tuple[str, str]]:
    """The pairs of boxes that cover each other by more than so many pixels in both directions."""
    return [
        (one[4], other[4])
        for number, one in enumerate(boxes)
        for other in boxes[number + 1 :]
        if min(one[2], other[2]) - max(one[0], other[0]) > least
        and min(one[3], other[3]) - max(one[1], other[1]) > least
    ]


@pytest.mark.parametrize("name", PICTURES)
async def test_nothing_overlaps_and_all_can_be_read(gallery: Gallery, name: str) -> None:
    page = await gallery.show(PICTURES[name], 1280)
    cards = await page.evaluate(BOXES, ".station > rect")
    assert len(cards) == len(PICTURES[name].stations)
    assert overlapping(cards) == []
    labels = await page.evaluate(BOXES, ".name-of-way")
    # The box of a text has room above and below its letters.
    assert overlapping(labels, least=3) == []
    assert overlapping([*cards, *labels], least=3) == []
    assert await page.evaluate(SPILLED) == []
    assert min(await page.evaluate(HEIGHTS)) >= SMALLEST
    assert gallery.complaints == []


@pytest.mark.parametrize("name", ["10 connectors", "60 connectors", "loop"])
async def test_it_needs_no_scrolling_on_a_usual_screen(gallery: Gallery, name: str) -> None:
    page = await gallery.show(PICTURES[name], 1280)
    wide, room = await page.evaluate(
        "(x => [x.scrollWidth, x.clientWidth])(document.querySelector('.picture'))"
    )
    assert wide <= room


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_letters_and_roads_stand_out(gallery: Gallery, scheme: str) -> None:
    page = await gallery.show(PICTURES["60 connectors"], 1280, scheme)
    text, road = await page.evaluate(CONTRASTS)
    assert text >= 4.5  # WCAG 2.2 criterion 1.4.3
    assert road >= 3  # WCAG 2.2 criterion 1.4.11


@pytest.mark.parametrize("width", [400, 320])
async def test_on_a_narrow_screen_it_scrolls_in_its_own_region(
    gallery: Gallery, width: int
) -> None:
    page = await gallery.show(PICTURES["60 connectors"], width)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    region = page.get_by_role("region", name="Where mail goes, picture")
    await region.focus()
    await page.keyboard.press("ArrowRight")
    await page.wait_for_function("document.querySelector('.picture').scrollLeft > 0")
    assert min(await page.evaluate(HEIGHTS)) >= SMALLEST
    await page.locator("summary", has_text="In words").click()
    assert await page.get_by_text("To woodgrovebank 1").last.is_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert gallery.complaints == []


async def test_it_is_printed_whole(gallery: Gallery) -> None:
    page = await gallery.show(PICTURES["10 connectors"], 700)
    await page.emulate_media(media="print")
    wide, room = await page.evaluate(
        "(x => [x.scrollWidth, x.clientWidth])(document.querySelector('.picture'))"
    )
    assert wide <= room


async def test_a_screen_reader_is_told_what_it_is(gallery: Gallery) -> None:
    page = await gallery.show(PICTURES["loop"], 1280)
    picture = page.get_by_role("img", name="Where mail goes")
    assert await picture.count() == 1
    assert "3 of them wrong" in await picture.locator("desc").text_content()
