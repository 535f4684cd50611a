"""What do the dashboards look like, drawn by Grafana's own front-end libraries?

`make dashboards-preview` gets the libraries by npm and builds a page of them, runs the agent in its
lab and a real Prometheus, breaks two things, and takes pictures of all dashboards, with their rows
open, into `build/dashboards/`. It fails where the page has an error, where Prometheus refuses a
query, where nothing here draws a type of panel, or where a panel hides what it was answered.

It is no Grafana: its server, provisioning, panel plugins, annotations and the conversion of files
are not published as packages. What stands in for them is thin (`src/`), and the state timeline is
drawn by hand.

Nothing is written but below `build/`. What was built serves until a source changes, and what is in
`build/preview/node_modules` in the right version is not asked for again.
"""

import argparse
import asyncio
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from agent.exposition.dashboards import FOLDER
from agent.exposition.dashboards.words import NOTHING
from servers.browsing import Visitor, browsing
from servers.dashboards import BOARDS, queries
from servers.prometheus import Prometheus, prometheus
from servers.running import TENANTS, Installation, Running, eventually, running
from test_dashboards_live import EXPORTED, UNTOLD, all_answered, have_run, is_never

SOURCES: Final = Path(__file__).parent
ROOT: Final = SOURCES.parents[1]
BUILD: Final = ROOT / "build/preview"
LIBRARIES: Final = BUILD / "node_modules"
PICTURES: Final = ROOT / "build/dashboards"
PROGRAMS: Final = ("npm", "chromium", "prometheus")  # as Debian calls the packages too
EX_UNAVAILABLE, SVG = 69, "image/svg+xml"
SUBJECTS: Final = {
    "mailflow-connector": ("to-datacentre", "from-datacentre"),
    "mailflow-domain": ("contoso.com",),
    "mailflow-route": ("to-mailbox", "internet-to-mailbox"),
}
FAULTS: Final = ("smarthost-down", "spf-too-many-lookups")  # a route, a connector and a domain
BEFORE, AFTER = 45, 30  # scrapes, one a second, before something breaks and after it
WIDTHS: Final = (1280, 1920)
PHONE, ON_A_PHONE = 360, ("mailflow-overview", "mailflow-route")  # who is woken looks at these


class PreviewError(Exception):
    """It cannot be drawn: the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Look:
    """One picture to take."""

    board: str
    width: int
    theme: str

    @property
    def path(self) -> Path:
        """Where it goes."""
        return PICTURES / f"{self.board}-{self.width}-{self.theme}.png"


@dataclass(frozen=True, slots=True)
class World:
    """What a page is drawn of: where Prometheus answers, and from when to when there is data."""

    page: str
    prometheus: str
    start: float
    end: float

    def query(self, look: Look) -> str:
        """Return the address of a dashboard, below the page's own."""
        of = {"dashboard": look.board, "theme": look.theme, "prometheus": self.prometheus}
        times = {"from": f"{self.start * 1000:.0f}", "to": f"{self.end * 1000:.0f}"}
        return f"index.html?{urlencode({**of, **times, **_chosen(look.board)}, doseq=True)}"


def _chosen(board: str) -> Mapping[str, Sequence[str]]:
    """Return the subjects to look at: those of which something is broken, and of each kind one."""
    return {"var-subject": SUBJECTS[board]} if board in SUBJECTS else {}


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw what is asked for; return 0, 1 where it is wrong, 69 where a program is missing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("boards", nargs="*", metavar="DASHBOARD", help="by uid; all by default")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--width", type=int, action="append", help="in pixels; may be repeated")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.boards) - BOARDS.keys():
        parser.error(f"no {', '.join(sorted(unknown))}; there are {', '.join(BOARDS)}")
    if missing := [program for program in PROGRAMS if not shutil.which(program)]:
        say(f"Needed and not installed: {', '.join(missing)}. They are Debian's packages.")
        return EX_UNAVAILABLE
    try:
        return asyncio.run(preview(list(_looks(asked.boards or list(BOARDS), asked))))
    except PreviewError as error:
        say(str(error))
        return 1


def _looks(boards: Sequence[str], asked: argparse.Namespace) -> Iterator[Look]:
    for board in boards:
        widths = asked.width or (*WIDTHS, *((PHONE,) if board in ON_A_PHONE else ()))
        yield from (Look(board, width, asked.theme) for width in widths)


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr)


async def preview(looks: Sequence[Look]) -> int:
    """Build the page, fill a Prometheus and take the pictures; return how it went."""
    await build()
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with world() as seen, browsing() as visitor:
        visitor.url = seen.page
        wrong = [complaint for look in looks for complaint in await taken(visitor, seen, look)]
    for complaint in wrong:
        say(f"WRONG  {complaint}")
    return 1 if wrong else 0


async def build() -> None:
    """Bring libraries and page up to date. Raises PreviewError."""
    mark, state = BUILD / "built", _digest()
    BUILD.mkdir(parents=True, exist_ok=True)
    for path in _sources():
        copy = BUILD / path.relative_to(SOURCES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    if wanted := list(_not_installed()):
        say(f"Getting {len(wanted)} libraries and what they need, 700 MB: {', '.join(wanted)}")
        # Versions are pinned above what some of the packages ask for; none needs its scripts.
        quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
        await _npm("install", "--legacy-peer-deps", *quiet)
        mark.unlink(missing_ok=True)
    if not mark.exists() or mark.read_text(encoding="utf-8") != state:
        say("Building the page, which takes a minute ...")
        await _npm("run", "build", "--", "--logLevel", "warn")
        mark.write_text(state, encoding="utf-8")


def _sources() -> list[Path]:
    modules = sorted((SOURCES / "src").iterdir())
    return [SOURCES / name for name in ("package.json", "vite.config.js", "index.html")] + modules


def _digest() -> str:
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in _sources())).hexdigest()


def _not_installed() -> Iterator[str]:
    """Yield the libraries that are not there in the version that is wanted."""
    package = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))
    for name, version in package["dependencies"].items():
        found = LIBRARIES / name / "package.json"
        number = version.rpartition("@")[2]  # of an alias, npm:NAME@NUMBER
        if not found.exists() or json.loads(found.read_bytes())["version"] != number:
            yield name


async def _npm(*command: str) -> None:
    """Run npm where the page is built; what it says goes to our standard error."""
    process = await asyncio.create_subprocess_exec("npm", *command, cwd=BUILD, stdout=sys.stderr)
    if await process.wait():
        message = f"npm {' '.join(command)} failed, see above; it ran in {BUILD}."
        raise PreviewError(message)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """Run lab, agent and Prometheus until there is something to see, and serve the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say("Starting the agent in its lab, and Prometheus ...")
        async with (
            running(Installation(folder, TENANTS + EXPORTED), is_fresh=True) as agent,
            prometheus(agent.url, folder) as watcher,
            served() as page,
        ):
            start = await fill(agent, watcher)
            yield World(page, watcher.url, start, time.time())


async def fill(agent: Running, watcher: Prometheus) -> float:
    """Wait until every query has an answer, then break something and wait until it is seen.

    Return when there was something to see for the first time.
    """
    await agent.until(have_run, 60)
    start = time.time()
    usual = [each for each in queries() if not is_never(each) and UNTOLD not in each.expr]
    await all_answered(watcher, usual, 90)
    await scraped(watcher, BEFORE)
    say(f"Breaking {' and '.join(FAULTS)} ...")
    for fault in FAULTS:
        await agent.order("break", fault)
    broken = "count(mailflow_check_severity == 3) >= bool 3"
    await eventually(lambda: watcher.query(broken), lambda seen: seen.get("") == 1, 60)
    await scraped(watcher, BEFORE + AFTER)
    return start


async def scraped(watcher: Prometheus, times: int) -> None:
    """Wait until the agent was scraped so often."""
    count = "count_over_time(up[1h])"
    await eventually(lambda: watcher.query(count), lambda seen: seen.get("", 0) >= times, times * 3)


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """Serve the page, the icons and the dashboards on a free port; Prometheus allows any origin."""
    application = web.Application()
    application.router.add_get("/public/fonts/inter/Inter-{style}.woff2", font)
    application.router.add_get("/public/build/{path:.+}", icon)
    application.router.add_static("/dashboards", ROOT / FOLDER)
    application.router.add_static("/", BUILD / "dist")
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def font(request: web.Request) -> web.FileResponse:
    """Answer with a font of Grafana's, which its own packages ask for and do not have."""
    weight = {"Regular": 400, "Medium": 500}[request.match_info["style"]]
    return web.FileResponse(
        LIBRARIES / f"@fontsource/inter/files/inter-latin-{weight}-normal.woff2"
    )


async def icon(request: web.Request) -> web.StreamResponse:
    """Answer with an icon; a few are in the packages under no name, and are left blank."""
    path = LIBRARIES / "@grafana/ui/dist/public" / request.match_info["path"]
    if path.is_file():
        return web.FileResponse(path)
    return web.Response(text='<svg xmlns="http://www.w3.org/2000/svg"/>', content_type=SVG)


async def taken(visitor: Visitor, seen: World, look: Look) -> list[str]:
    """Take a picture, and return what is wrong with what it shows."""
    visitor.complaints.clear()
    page = await visitor.visit(seen.query(look), look.width)
    await page.wait_for_function(
        "window.preview && (window.preview.errors.length || window.preview.isSettled())",
        timeout=120_000,
    )
    await page.wait_for_load_state("networkidle")  # icons
    await page.screenshot(path=look.path, full_page=True)
    panels = await page.evaluate("window.preview.panels()")
    errors = await page.evaluate("window.preview.errors")
    await page.close()
    print(look.path)
    for remark in remarks(panels):
        say(f"  {remark}")
    return [f"{look.path.name}: {text}" for text in (*errors, *visitor.complaints, *hidden(panels))]


def remarks(panels: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what somebody may want to know, and what is no fault."""
    if cut := [panel["title"] for panel in panels if panel["isTitleCut"]]:
        yield f"titles that are cut: {'; '.join(cut)}"
    if empty := [panel["title"] for panel in panels if not panel["rows"]]:
        yield f"nothing to show in the lab: {'; '.join(empty)}"


def hidden(panels: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what is wrong with panels that do not show what they were answered."""
    for panel in panels:
        if panel["rows"] and NOTHING in panel["text"]:
            yield f"{panel['title']} was answered and says {NOTHING!r}"
        if panel["type"] == "timeseries" and panel["notNumbers"]:
            yield f"{panel['title']} has values that are no number, which hide its lines and axis"
        if panel["isBroken"]:
            yield f"{panel['title']} is not drawn: {panel['text']}"


if __name__ == "__main__":
    sys.exit(main())
