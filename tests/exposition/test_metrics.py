import subprocess
from datetime import timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from agent.domain.finding import Distribution, Measurement, Outcome, Signal
from agent.exposition import own_signals
from agent.exposition.check_signals import families
from agent.exposition.metrics import Metrics
from agent.exposition.own_metrics import OwnMetrics
from agent.exposition.scrape import Scrape
from agent.exposition.text_format import Format, go_float
from agent.probes.base import Probe
from agent.runtime.board import Board
from servers.standings import (
    DANGLING,
    LOOKUPS,
    MX,
    NOON,
    PROBES,
    ROUTE,
    SENT,
    SPF,
    TIME,
    TOO_MANY,
    HandClock,
    check,
    from_zero,
    large_board,
    publish,
    small_board,
)

CONTOSO = '{probe="spf",subject="contoso.com",tenant="contoso"}'


class World:
    """A board and what is exported of it."""

    def __init__(self, board: Board | None = None) -> None:
        self.clock = HandClock()
        self.board = Board() if board is None else board
        self.failures = 0
        self.metrics = Metrics(
            self.board, PROBES, self.clock, initial=from_zero, failed=self._failed
        )

    def _failed(self) -> None:
        self.failures += 1

    async def text(self, into: Format = Format.TEXT) -> str:
        return b"".join([bytes(piece) async for piece in self.metrics.render(into)]).decode()

    async def has(self, line: str) -> bool:
        return line in (await self.text()).splitlines()


@pytest.fixture
def world() -> World:
    return World()


async def test_before_its_first_run_a_check_shows_since_when_and_how_often(world: World) -> None:
    world.board.keep([check("contoso", SPF, "contoso.com")], NOON)
    assert await world.has(f"mailflow_check_interval_seconds{CONTOSO} 300.0")
    text = await world.text()
    assert f"mailflow_check_last_run_timestamp_seconds{CONTOSO} 1.7954" in text
    assert "mailflow_check_severity{" not in text


async def test_critical_runs_are_counted_while_the_last_one_was(world: World) -> None:
    of = check("contoso", SPF, "contoso.com")
    world.board.keep([of], NOON)
    for rule in (TOO_MANY, DANGLING):
        publish(world.board, of, Outcome((rule.found("wrong."),)), NOON)
    assert await world.has(f"mailflow_check_critical_runs{CONTOSO} 2.0")
    publish(world.board, of, Outcome(), NOON)
    assert "mailflow_check_critical_runs{" not in await world.text()


async def test_counters_and_histograms_start_at_zero(world: World) -> None:
    world.board.keep([check("contoso", ROUTE, "r")], NOON)
    labels = '{probe="route",subject="r",tenant="contoso"}'
    assert await world.has(f"mailflow_route_messages_total{labels} 0.0")
    assert await world.has(f"mailflow_route_delivery_duration_seconds_count{labels} 0.0")


async def test_a_finding_counts_runs_in_a_row_and_goes_when_it_is_mended(world: World) -> None:
    spf = check("contoso", SPF, "contoso.com")
    world.board.keep([spf], NOON)
    broken = Outcome((TOO_MANY.found("14"), TOO_MANY.found("again")), (LOOKUPS.at(14),))
    line = (
        'mailflow_finding{probe="spf",rule="spf-too-many-lookups",severity="critical",'
        'subject="contoso.com",tenant="contoso"} '
    )
    publish(world.board, spf, broken)
    assert await world.has(line + "1.0")
    publish(world.board, spf, broken)
    assert await world.has(line + "2.0")
    since = line.replace("mailflow_finding", "mailflow_finding_since_timestamp_seconds")
    assert await world.has(f"{since}{go_float(NOON.timestamp())}")
    assert await world.has(f"mailflow_check_severity{CONTOSO} 3.0")
    assert await world.has(f"mailflow_spf_lookups{CONTOSO} 14.0")
    publish(world.board, spf, Outcome())
    assert line not in await world.text()
    assert since not in await world.text()
    assert await world.has(f"mailflow_check_severity{CONTOSO} 0.0")
    assert f"mailflow_spf_lookups{CONTOSO}" not in await world.text()


async def test_a_result_expires_after_three_intervals_and_comes_back(world: World) -> None:
    spf = check("contoso", SPF, "contoso.com")
    world.board.keep([spf], NOON)
    outcome = Outcome((TOO_MANY.found("14"),), (LOOKUPS.at(14),))
    publish(world.board, spf, outcome)
    world.clock.advance(timedelta(minutes=14, seconds=59))
    assert await world.has(f"mailflow_check_severity{CONTOSO} 3.0")
    world.clock.advance(timedelta(seconds=1))
    text = await world.text()
    for gone in ("mailflow_check_severity{", "mailflow_finding{", "mailflow_spf_lookups{"):
        assert gone not in text
    for stays in ("last_run_timestamp_seconds", "interval_seconds", "duration_seconds"):
        assert f"mailflow_check_{stays}{CONTOSO}" in text
    publish(world.board, spf, outcome)
    assert await world.has(f"mailflow_spf_lookups{CONTOSO} 14.0")


async def test_counters_outlive_the_expiry(world: World) -> None:
    route = check("contoso", ROUTE, "r")
    world.board.keep([route], NOON)
    held = Measurement(TIME, Distribution((1, 2, 2, 2), 3.5))
    publish(world.board, route, Outcome(measurements=(SENT.at(2), held)))
    world.clock.advance(timedelta(hours=1))
    labels = '{probe="route",subject="r",tenant="contoso"}'
    assert await world.has(f"mailflow_route_messages_total{labels} 2.0")
    assert await world.has(f"mailflow_route_delivery_duration_seconds_sum{labels} 3.5")


async def test_a_removed_check_leaves_nothing_behind(world: World) -> None:
    checks = [check("contoso", SPF, "contoso.com"), check("contoso", ROUTE, "r")]
    world.board.keep(checks, NOON)
    for one in checks:
        publish(world.board, one, Outcome((TOO_MANY.found("x"),), (LOOKUPS.at(1), SENT.at(1))))
    await world.text()
    world.board.keep([], NOON)
    assert "tenant=" not in await world.text()


async def test_a_check_that_is_removed_and_added_between_two_scrapes_stays(world: World) -> None:
    spf = check("contoso", SPF, "contoso.com")
    world.board.keep([spf], NOON)
    publish(world.board, spf, Outcome(measurements=(LOOKUPS.at(3),)))
    world.board.keep([], NOON)
    again = check("contoso", SPF, "contoso.com", interval="1m")
    world.board.keep([again], NOON)
    publish(world.board, again, Outcome(measurements=(LOOKUPS.at(4),)))
    assert await world.has(f"mailflow_spf_lookups{CONTOSO} 4.0")
    assert await world.has(f"mailflow_check_interval_seconds{CONTOSO} 60.0")


async def test_a_changed_interval_changes_the_lifetime(world: World) -> None:
    world.board.keep([spf := check("contoso", SPF, "contoso.com")], NOON)
    publish(world.board, spf, Outcome())
    world.board.keep([check("contoso", SPF, "contoso.com", interval="1m")], NOON)
    assert await world.has(f"mailflow_check_interval_seconds{CONTOSO} 60.0")
    world.clock.advance(timedelta(minutes=3))
    assert "mailflow_check_severity{" not in await world.text()


async def test_an_unchanged_outcome_is_not_placed_again(world: World) -> None:
    world.board.keep([spf := check("contoso", SPF, "contoso.com")], NOON)
    outcome = Outcome(measurements=(LOOKUPS.at(3),))
    publish(world.board, spf, outcome)
    before = await world.text()
    publish(world.board, spf, outcome)
    assert await world.text() == before


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(Signal("mailflow_unknown", "Undeclared.").at(1), id="not declared"),
        pytest.param(LOOKUPS.at(1, "too", "many"), id="labels that were not declared"),
    ],
)
async def test_a_measurement_that_fits_no_declaration_costs_only_itself(
    world: World, wrong: Measurement
) -> None:
    world.board.keep([mx := check("contoso", MX, "contoso.com")], NOON)
    publish(world.board, mx, Outcome(measurements=(wrong, LOOKUPS.at(7))))
    assert world.failures == 1
    assert "mailflow_spf_lookups{" in await world.text()


def test_one_name_for_two_signals_is_refused() -> None:
    other = Probe("x", SPF.subject, SPF.settings, SPF.run, (), (Signal(LOOKUPS.name, "Else."),))
    with pytest.raises(TypeError, match="twice"):
        families((SPF, other))


async def test_many_checks_expire_together() -> None:
    clock = HandClock()
    world = World(large_board(clock, 1000))
    for standing in world.board.runs():
        publish(world.board, standing.check, Outcome((DANGLING.found("x"),)))
    assert (await world.text()).count("\nmailflow_check_severity{") == 2000
    world.clock.advance(timedelta(hours=1))
    assert "\nmailflow_check_severity{" not in await world.text()


async def test_the_whole_exposition_is_read_by_the_parsers_of_the_client_library() -> None:
    clock = HandClock()
    own = OwnMetrics()
    metrics = Metrics(small_board(clock), PROBES, clock, failed=own.collector_failed)
    await metrics.settle()
    scrape = Scrape(metrics, own, clock)
    text = b"".join(map(bytes, (await scrape.body(Format.TEXT, gzip=False)).pieces)).decode()
    opened = b"".join(
        map(bytes, (await scrape.body(Format.OPENMETRICS, gzip=False)).pieces)
    ).decode()
    names = {family.name for family in read_text(text)}
    assert {"mailflow_check_interval_seconds", "mailflow_build_info"} <= names
    again = list(read_openmetrics(opened))  # type: ignore[no-untyped-call]
    assert len(again) == len(names)
    assert opened.endswith("\n# EOF\n")
    assert opened.count("# EOF") == 1


@pytest.mark.integration
async def test_promtool_has_nothing_to_say_against_the_metrics() -> None:
    clock = HandClock()
    own = OwnMetrics()
    own.reloaded(NOON, successful=True)
    board = small_board(clock)
    metrics = Metrics(board, PROBES, clock)
    for standing in board.runs():
        if standing.run is not None:
            publish(board, standing.check, standing.run.outcome)
    body = await Scrape(metrics, own, clock).body(Format.TEXT, gzip=False)
    done = subprocess.run(  # noqa: ASYNC221 - a short-lived tool
        ["/usr/bin/promtool", "check", "metrics"],
        input=b"".join(map(bytes, body.pieces)),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()


def test_the_catalogue_keeps_the_naming_rules() -> None:
    for signal in own_signals.OWN_SIGNALS:
        assert signal.name.startswith("mailflow_")
        assert signal.name.endswith("_total") == (signal.kind == "counter")
        assert signal.help.endswith(".")
