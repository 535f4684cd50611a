"""Is the page good to look at in a real browser, wide and narrow?"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright

from servers.running import Installation, Running, running

pytestmark = pytest.mark.integration
WIDTHS = [1280, 360, 320]
# Nothing of the browser's own leaves the machine.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Visitor:
    """A browser, and all that pages complained about in it."""

    def __init__(self, browser: Any, agent: Running) -> None:
        self._browser = browser
        self._agent = agent
        self.complaints: list[str] = []

    async def visit(self, path: str, width: int) -> Any:
        page = await self._browser.new_page(viewport={"width": width, "height": 900})
        page.on("console", lambda said: self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(request.url))
        reply = await page.goto(self._agent.url + path)
        assert reply.status == 200
        return page


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    async with running(Installation(tmp_path)) as agent, async_playwright() as playwright:
        await agent.until(lambda seen: seen.is_well())
        await agent.order("break", "spf-too-many-lookups")
        await agent.until(lambda seen: "spf-too-many-lookups" in seen.found("spf", "contoso.com"))
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(QUIET)
        )
        try:
            yield Visitor(browser, agent)
        finally:
            await browser.close()


async def test_no_page_is_wider_than_the_window_and_none_complains(visitor: Visitor) -> None:
    for width in WIDTHS:
        for path in ("", "subjects/contoso/domain/contoso.com", "rules/spf-too-many-lookups"):
            page = await visitor.visit(path, width)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"/{path} is {wide} wide in a window of {width}"
            await page.close()
    assert visitor.complaints == []


async def test_a_click_leads_from_the_worst_to_the_tree_that_shows_why(visitor: Visitor) -> None:
    page = await visitor.visit("", 1280)
    await page.locator("summary", has_text="contoso.com").first.click(timeout=5000)
    await page.locator('a[href$="/subjects/contoso/domain/contoso.com"]').first.click(timeout=5000)
    await page.wait_for_url("**/contoso.com")
    text = await page.inner_text("main")
    assert "more than 10 lookups" in text
    assert await page.get_by_text("include:spf.protection.outlook.com").first.is_visible()
    assert visitor.complaints == []
