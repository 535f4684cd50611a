"""Are the pages good to use in a real browser: by eye, by ear, by keyboard and over time?"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from agent.domain.finding import Outcome
from servers.browsing import Visitor, browsing
from servers.exposed import Agent
from servers.histories import exposed_with_history
from servers.running import Installation, running
from servers.standings import TOO_MANY, publish

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
WIDTHS = [1920, 1280, 360, 320]
DOMAIN = "subjects/contoso/domain/contoso.com"
PAGES = [
    "",
    "?show=all&q=contoso",
    "?q=none",
    DOMAIN,
    "subjects/contoso/connector/to-datacentre",
    "subjects/contoso/route/internet-to-mailbox",
    "subjects/fabrikam/domain/mail.fabrikam.de",
    "subjects/fabrikam/domain/fabrikam-new.example",
    "rules/run-crashed",
]
# An element that has the focus and does not look like it.
UNSEEN_FOCUS = """() => {
    const at = document.activeElement;
    const style = getComputedStyle(at);
    const box = at.getBoundingClientRect();
    const isSeen = style.outlineStyle !== 'none' && style.outlineWidth !== '0px';
    return isSeen && box.width > 1 ? '' : at.outerHTML.slice(0, 200);
}"""
NOW = "window.dispatchEvent(new Event('online'))"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agent() -> AsyncIterator[Agent]:
    async with exposed_with_history() as agent:
        yield agent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Visitor]:
    async with browsing() as visitor:
        yield visitor


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(agent: Agent, browser: Visitor) -> AsyncIterator[Visitor]:
    browser.url = f"http://127.0.0.1:{agent.port}/"
    browser.complaints.clear()
    yield browser
    assert browser.complaints == []


async def test_no_page_keeps_out_who_sees_hears_or_moves_differently(visitor: Visitor) -> None:
    page = await visitor.visit("")
    for path in PAGES:
        await page.emulate_media(color_scheme="light")
        await page.goto(visitor.url + path)
        await page.evaluate("document.querySelectorAll('details').forEach(x => { x.open = true; })")
        found = await Axe().run(page)
        assert found.violations_count == 0, f"/{path}: {found.generate_report()}"
        await page.emulate_media(color_scheme="dark")
        found = await Axe().run(page, options={"runOnly": ["color-contrast"]})
        assert found.violations_count == 0, f"/{path} in the dark: {found.generate_report()}"
    await page.close()


async def test_no_page_is_wider_than_the_window(visitor: Visitor) -> None:
    page = await visitor.visit("")
    for path in PAGES:
        await page.goto(visitor.url + path)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"/{path} is {wide} wide in a window of {width}"
    await page.close()


@pytest.mark.parametrize("path", ["", DOMAIN], ids=["first", "subject"])
async def test_the_keyboard_reaches_everything_and_one_sees_where_it_is(
    visitor: Visitor, path: str
) -> None:
    page = await visitor.visit(path)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    await page.goto(visitor.url + path)
    wanted = await page.locator(
        "a[href]:visible, summary:visible, input:visible, select:visible, button:visible"
    ).count()
    reached: set[str] = set()
    for _ in range(wanted + 60):
        await page.keyboard.press("Tab")
        name = await page.evaluate(
            "[...document.querySelectorAll('*')].indexOf(document.activeElement)"
            " + document.activeElement.tagName"
        )
        if name in reached or name.endswith("BODY"):
            break
        reached.add(name)
        assert await page.evaluate(UNSEEN_FOCUS) == ""
    assert len(reached) >= wanted
    await page.close()


async def test_an_open_page_stays_true_and_loses_nothing_of_its_reader(
    visitor: Visitor, agent: Agent
) -> None:
    page = await visitor.visit("")
    subject = page.locator("details.subject", has_text="contoso.de")
    await subject.locator("summary").first.click()
    await page.fill("input[type=search]", "half a na")
    await page.evaluate("window.scrollTo(0, 300)")
    (spf,) = (x.check for x in agent.board.runs() if x.check.identity.endswith("contoso.de/spf"))
    publish(agent.board, spf, Outcome((TOO_MANY.found("Now it takes 12 lookups."),)))
    await page.evaluate(NOW)
    await expect(page).to_have_title(re.compile("^2 of 8"))
    assert "2 of 8 subjects are critical" in await page.locator("h1").inner_text()
    assert "Now it takes 12 lookups." in await subject.inner_text(), "unfolded as it was"
    assert await page.input_value("input[type=search]") == "half a na"
    assert await page.evaluate("document.activeElement.name") == "q"
    assert await page.evaluate("window.scrollY") == 300
    assert "2 of 8 subjects are critical" in await page.locator(".live").inner_text()
    publish(agent.board, spf, Outcome())
    await page.evaluate(NOW)
    await expect(page).to_have_title(re.compile("^1 of 8"))
    await page.close()


async def test_an_open_page_says_when_it_hears_nothing_and_rests_when_nobody_looks(
    agent: Agent, browser: Visitor
) -> None:
    browser.url = f"http://127.0.0.1:{agent.port}/"
    page = await browser.visit(DOMAIN)
    await page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})"
    )
    browser.requests.clear()
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator(".live")).to_contain_text("paused")
    assert not [url for url in browser.requests if url.endswith(DOMAIN)]
    await page.evaluate("delete document.hidden")
    await page.route("**/contoso.com", lambda route: route.abort("connectionrefused"))
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await page.wait_for_selector(".live.lost")
    assert "connection lost" in await page.locator(".live").inner_text()
    assert "critical" in await page.locator("h1").inner_text(), "what was there is still there"
    await page.unroute("**/contoso.com")
    await page.evaluate(NOW)
    await expect(page.locator(".live")).to_contain_text("again")
    await page.close()


async def test_all_of_it_works_without_script(visitor: Visitor) -> None:
    page = await visitor.visit("", java_script_enabled=False)
    assert not await page.locator(".live").is_visible()
    await page.fill("input[type=search]", "contoso.de")
    await page.click("button")
    assert page.url.endswith("/?q=contoso.de&tenant=&show=all")
    assert await page.locator("details.subject").count() == 1
    await page.locator("summary").first.click()
    await page.get_by_text("History and details of contoso.de").click()
    assert await page.locator("h1").inner_text() == "contoso.de \N{CHECK MARK} ok"
    await page.close()


async def test_the_history_says_in_words_what_the_band_shows(visitor: Visitor) -> None:
    page = await visitor.visit(DOMAIN)
    told = await page.locator(".history").inner_text()
    assert "Critical for 2 h 10 min." in told
    assert "2 incidents" in told
    assert "Not on record: " in told
    bands = page.locator(".history > .band svg")
    assert await bands.count() == 3
    assert await bands.nth(2).locator("rect.critical").count() == 2
    brief = await page.locator(".brief").inner_text()
    assert "for 2 h 10 min" in brief
    assert "Whoever publishes the domain's DNS" in brief
    await page.emulate_media(media="print")
    assert not await page.locator("nav").first.is_visible()
    assert await page.locator(".history").is_visible()
    await page.close()


async def test_in_the_lab_a_click_leads_from_the_worst_to_the_tree_that_shows_why(
    tmp_path: Path, browser: Visitor
) -> None:
    async with running(Installation(tmp_path)) as agent:
        await agent.until(lambda seen: seen.severity("spf", "contoso.com") == 0)
        await agent.order("break", "spf-too-many-lookups")
        await agent.until(lambda seen: "spf-too-many-lookups" in seen.found("spf", "contoso.com"))
        browser.url = agent.url
        browser.complaints.clear()
        page = await browser.visit("")
        await page.locator("summary", has_text="contoso.com").first.click(timeout=5000)
        await page.locator(f'a[href$="{DOMAIN}"]:visible').last.click(timeout=5000)
        await page.wait_for_url("**/contoso.com")
        text = await page.inner_text("main")
        assert "more than 10 lookups" in text
        assert await page.get_by_text("include:spf.protection.outlook.com").first.is_visible()
        assert "Critical for" in await page.locator(".history").inner_text()
        assert browser.complaints == []
        await page.close()
