import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.utils import floatToGoString

from agent.domain.finding import Distribution
from agent.exposition.series import CHUNK, Family
from agent.exposition.text_format import Format, go_float, negotiate

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
NUMBERS = st.floats() | st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan, 1e6, 1234567.0])


async def rendered(family: Family, into: Format) -> bytes:
    return b"".join([bytes(piece) async for piece in family.render(into)])


def expected(registry: CollectorRegistry, into: Format) -> bytes:
    if into is Format.TEXT:
        return generate_latest(registry)
    whole: bytes = generate_openmetrics(registry)  # type: ignore[no-untyped-call]
    return whole.removesuffix(b"# EOF\n")


@given(value=NUMBERS | st.integers(-(10**18), 10**18).map(float))
def test_numbers_are_written_as_the_client_library_writes_them(value: float) -> None:
    assert go_float(value) == floatToGoString(value)  # type: ignore[no-untyped-call]


@given(
    explanation=TEXTS.filter(bool),
    series=st.dictionaries(st.tuples(TEXTS, TEXTS, TEXTS), NUMBERS, max_size=8),
)
async def test_a_gauge_equals_that_of_the_client_library_byte_for_byte(
    explanation: str, series: dict[tuple[str, str, str], float]
) -> None:
    registry = CollectorRegistry()
    gauge = Gauge("mailflow_x", explanation, ("tenant", "subject", "probe"), registry=registry)
    family = Family("mailflow_x", explanation, ("tenant", "subject", "probe"))
    for labels, value in series.items():
        gauge.labels(*labels).set(1)
        gauge.labels(*labels).set(value)
        family.set(labels, 1)
        family.set(labels, value)
    for into in Format:
        assert await rendered(family, into) == expected(registry, into)


async def test_a_gauge_without_labels_has_no_braces() -> None:
    family = Family("mailflow_x", "X.")
    family.set((), 2)
    assert (await rendered(family, Format.TEXT)).endswith(b"\nmailflow_x 2.0\n")


async def test_a_counter_equals_that_of_the_client_library() -> None:
    registry = CollectorRegistry()
    Counter("mailflow_x_total", 'A "quoted" \\ help.', ("a",), registry=registry).labels("1").inc(3)
    family = Family("mailflow_x_total", 'A "quoted" \\ help.', ("a",), kind="counter")
    family.set(("1",), 3)
    assert await rendered(family, Format.OPENMETRICS) == b"".join(
        line
        for line in expected(registry, Format.OPENMETRICS).splitlines(keepends=True)
        if b"_created" not in line
    )


async def test_a_histogram_equals_that_of_the_client_library() -> None:
    registry = CollectorRegistry()
    histogram = Histogram(
        "mailflow_t", "T.", ("probe", "a"), buckets=(0.5, 2.5, 1e7), registry=registry
    )
    for value in (0.1, 1.0, 2.0, 9.0):
        histogram.labels("p", 'q"').observe(value)
    family = Family("mailflow_t", "T.", ("probe", "a"), kind="histogram", buckets=(0.5, 2.5, 1e7))
    family.set(("p", 'q"'), Distribution((1, 3, 4, 4), 12.1))
    assert await rendered(family, Format.OPENMETRICS) == b"".join(
        line
        for line in expected(registry, Format.OPENMETRICS).splitlines(keepends=True)
        if b"_created" not in line
    )


def test_label_values_that_do_not_fit_the_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        Family("mailflow_x", "X.", ("a",)).set(("1", "2"), 0)


async def test_a_family_is_rendered_in_chunks_and_only_again_when_something_changed() -> None:
    family = Family("mailflow_x", "X.", ("n",))
    for number in range(2 * CHUNK + 1):
        family.set((str(number),), 0)
    first = [piece async for piece in family.render(Format.TEXT)]
    assert len(first) == 4
    family.set(("0",), 0)
    again = [piece async for piece in family.render(Format.OPENMETRICS)]
    assert all(one is other for one, other in zip(first[1:], again[1:], strict=True))
    family.remove(family.key(("0",)))
    family.remove(family.key(("0",)))
    assert len(family) == 2 * CHUNK
    assert b'{n="0"}' not in await rendered(family, Format.TEXT)


async def test_a_change_while_a_family_is_being_rendered_shows_in_the_next_scrape() -> None:
    family = Family("mailflow_x", "X.", ("n",))
    for number in range(2 * CHUNK):
        family.set((str(number),), 0)
    pieces = family.render(Format.TEXT)
    await anext(pieces)
    await anext(pieces)
    family.set(("new",), 1)
    assert b"new" not in b"".join([bytes(piece) async for piece in pieces])
    assert b'{n="new"} 1.0' in await rendered(family, Format.TEXT)


@pytest.mark.parametrize(
    ("accept", "into"),
    [
        pytest.param("", Format.TEXT, id="nothing said"),
        pytest.param("*/*", Format.TEXT, id="anything"),
        pytest.param("text/html", Format.TEXT, id="nothing that we have"),
        pytest.param("application/openmetrics-text", Format.OPENMETRICS, id="any version"),
        pytest.param(
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
            "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Format.OPENMETRICS,
            id="Prometheus 2",
        ),
        pytest.param(
            "application/openmetrics-text; version=1.0.0; q=0.4, text/plain; q=0.5",
            Format.TEXT,
            id="q-values decide",
        ),
        pytest.param(
            "application/openmetrics-text;version=2.0.0,text/plain;q=0.1",
            Format.TEXT,
            id="2.0 is not offered",
        ),
        pytest.param("application/openmetrics-text;q=0", Format.TEXT, id="refused"),
        pytest.param("application/openmetrics-text;q=x", Format.TEXT, id="no number"),
        pytest.param("application/openmetrics-text;q=7", Format.TEXT, id="no weight"),
        pytest.param(";;=,,;q", Format.TEXT, id="rubbish"),
    ],
)
def test_the_format_is_negotiated(accept: str, into: Format) -> None:
    assert negotiate(accept) is into


@given(accept=st.text())
def test_no_accept_header_is_too_strange(accept: str) -> None:
    assert negotiate(accept) in Format
