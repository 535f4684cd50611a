"""A real browser that looks at the agent's pages, and all that it complained of meanwhile."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import async_playwright

# Nothing of the browser's own leaves the machine.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Visitor:
    """A browser; ``complaints`` are errors of pages, ``requests`` all that they asked for."""

    browser: Any
    url: str = ""
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    async def visit(self, path: str, width: int = 1280, *, status: int = 200, **how: Any) -> Any:
        """Open a page of the agent; *how* are options of the browser's context."""
        page = await self.browser.new_page(viewport={"width": width, "height": 900}, **how)
        page.on("console", lambda said: self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", self._note_failure)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", self._refuse)
        reply = await page.goto(f"{self.url.rstrip('/')}/{path}")
        assert reply.status == status
        return page

    def _note_failure(self, request: Any) -> None:
        # A page that is left takes what it was fetching with it.
        if "ERR_ABORTED" not in request.failure:
            self.complaints.append(f"{request.url}: {request.failure}")

    async def _refuse(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        await dialog.dismiss()


@asynccontextmanager
async def browsing() -> AsyncIterator[Visitor]:
    """Start the system's Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(QUIET)
        )
        try:
            yield Visitor(browser)
        finally:
            await browser.close()
