# ruff: noqa: E501 - tables of data
import itertools
import random
import re
from html.parser import HTMLParser
from itertools import combinations
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.fact import Diagram, Mood, Road, Station, StationKind
from agent.exposition.as_json import fact_as_json
from agent.exposition.pages import render
from agent.exposition.pages.diagram import Picture, picture
from agent.exposition.pages.grid import MOST_SEGMENTS
from agent.exposition.pages.lettering import LABEL_SIZE, SMALL_SIZE, fitted, width
from servers import diagrams

MOODS, KINDS = get_args(Mood), get_args(StationKind)
EXAMPLES = {
    "10 connectors": diagrams.tenant(10),
    "60 connectors": diagrams.tenant(60),
    "loop": diagrams.loop(),
    "two tenants": diagrams.two_tenants(),
    "nothing": Diagram((), ()),
    "one": Diagram((Station("a", "A", "server"),), ()),
    "to itself": Diagram((Station("a", "A", "server"),), (Road("a", "a", "round", "bad"),)),
}
labels = st.sampled_from(["", "MX 10", "From filter (partner, *.filter.example)", "x" * 300])


@st.composite
def pictures(draw: st.DrawFn) -> Diagram:
    number = draw(st.integers(1, 14))
    columns = draw(st.lists(st.integers(0, 4), min_size=number, max_size=number))
    stations = [
        Station(str(n), draw(labels), draw(st.sampled_from(KINDS)), draw(labels), column=column)
        for n, column in enumerate(columns)
    ]
    keys = st.sampled_from([station.key for station in stations])
    road = st.builds(Road, keys, keys, labels, st.sampled_from(MOODS))
    return Diagram(tuple(stations), tuple(draw(st.lists(road, max_size=25))))


def points(path: str) -> list[tuple[float, float]]:
    """The corners of a path of M, H, and C, in the order in which it is drawn."""
    found, x, y = [], 0.0, 0.0
    for command, numbers in re.findall(r"([MHC])([^MHC]*)", path):
        values = [float(number) for number in numbers.split()]
        if command == "H":
            x = values[0]
        else:
            x, y = values[-2:]
        found.append((x, y))
    return found


def assert_fine(drawn: Picture) -> None:
    for one, other in combinations(drawn.cards, 2):
        apart = (
            one.x + one.width <= other.x
            or other.x + other.width <= one.x
            or one.y + one.height <= other.y
            or other.y + other.height <= one.y
        )
        assert apart, (one, other)
    for card in drawn.cards:
        assert card.x >= 0
        assert card.y >= 0
        assert card.x + card.width <= drawn.width
        assert card.y + card.height <= drawn.height
        for line in card.lines:
            assert card.y < line.y < card.y + card.height
            is_bold = line.part == "label"
            taken = width(line.text, LABEL_SIZE if is_bold else SMALL_SIZE, bold=is_bold)
            assert line.x + taken <= card.x + card.width
    for stroke in drawn.strokes:
        for x, y in points(stroke.line):
            assert 0 <= x <= drawn.width
            assert 0 <= y <= drawn.height
        for line in stroke.lines:
            assert line.y - SMALL_SIZE >= 0
            assert_labels_keep_clear(line.x, line.y, width(line.text, SMALL_SIZE), drawn)
    assert_labels_keep_apart(drawn)


def assert_labels_keep_clear(x: float, y: float, room: float, drawn: Picture) -> None:
    for card in drawn.cards:
        beside = x + room <= card.x or card.x + card.width <= x
        assert beside or y <= card.y or card.y + card.height <= y - SMALL_SIZE


def assert_labels_keep_apart(drawn: Picture) -> None:
    lines = [line for stroke in drawn.strokes for line in stroke.lines]
    for one, other in combinations(lines, 2):
        beside = (
            one.x + width(one.text, SMALL_SIZE) <= other.x
            or other.x + width(other.text, SMALL_SIZE) <= one.x
        )
        assert beside or abs(one.y - other.y) >= SMALL_SIZE, (one, other)


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_overlaps_and_all_is_inside(name: str) -> None:
    assert_fine(picture(EXAMPLES[name]))


@given(pictures())
@settings(max_examples=80, deadline=None)
def test_no_picture_overlaps_or_leaves_its_frame(diagram: Diagram) -> None:
    assert_fine(picture(diagram))


@given(pictures(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_roads_changes_nothing(diagram: Diagram, order: random.Random) -> None:
    shuffled = list(diagram.roads)
    order.shuffle(shuffled)
    assert picture(Diagram(diagram.stations, tuple(shuffled))) == picture(diagram)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_same_diagram_is_drawn_the_same(name: str) -> None:
    assert picture.__wrapped__(EXAMPLES[name]) == picture.__wrapped__(EXAMPLES[name])


def test_stations_of_a_column_stand_in_the_order_given_where_no_road_decides() -> None:
    stations = [Station(str(n), str(n), "server", column=n > 0) for n in range(6)]
    for order in itertools.islice(itertools.permutations(stations[1:]), 0, 120, 7):
        diagram = Diagram((stations[0], *order), tuple(Road("0", x.key) for x in order))
        cards = sorted((card for card in picture(diagram).cards if card.x > 100), key=lambda x: x.y)
        assert [card.station.key for card in cards] == [station.key for station in order]


def test_roads_are_put_where_they_do_not_cross() -> None:
    stations = [Station(x, x, "server", column=int(x > "c")) for x in "abcdef"]
    drawn = picture(Diagram(tuple(stations), (Road("a", "f"), Road("b", "e"), Road("c", "d"))))
    for stroke in drawn.strokes:
        assert len({y for _, y in points(stroke.line)}) == 1


@pytest.mark.parametrize("connectors", [10, 60])
def test_all_roads_of_a_tenant_leave_it_side_by_side(connectors: int) -> None:
    drawn = picture(diagrams.tenant(connectors))
    outward = [x for x in drawn.strokes if x.way.end.key.startswith("p")]
    assert len(outward) == connectors
    assert all(len({y for _, y in points(x.line)}) == 1 for x in outward)
    assert drawn.width * drawn.scale <= 1170


def test_a_way_back_points_back() -> None:
    (back,) = [x for x in picture(diagrams.loop()).strokes if x.way.start.key == "out"]
    (first, _), (last, _) = points(back.line)[0], points(back.line)[-1]
    assert first < last
    assert float(back.head.split()[0][1:]) < first


def test_a_high_station_says_its_name_again() -> None:
    (hub,) = [x for x in picture(diagrams.tenant(60)).cards if x.station.key == "contoso"]
    again = [line for line in hub.lines if line.is_again and line.part == "label"]
    assert len(again) == len(hub.icons) - 1 >= 3


def test_roads_over_many_columns_are_bounded_and_counted() -> None:
    stations = [Station(str(n), str(n), "server", column=n) for n in range(24)]
    ways = [Road("0", "23", str(n), mood) for n in range(1) for mood in MOODS]
    ways += [Road(str(a), str(b), mood=mood) for mood in MOODS for a in range(5) for b in range(24)]
    drawn = picture(Diagram(tuple(stations), tuple(ways)))
    assert sum(stroke.way.roads for stroke in drawn.strokes) + drawn.more_roads == len(ways)
    assert drawn.more_roads > 0
    assert len(drawn.strokes) < MOST_SEGMENTS


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("mx.example", ["mx.example"], id="fits"),
        pytest.param("MX 10 of contoso.com", ["MX 10 of", "contoso.com"], id="between words"),
        pytest.param("on premises, 203.0.113.25", ["on premises,", "203.0.113.25"], id="address"),
        pytest.param("smtp1.tailspintoys.com", ["smtp1.", "tailspintoys.com"], id="name"),
        pytest.param(
            "contoso-com.mail.protection.outlook.com",
            ["contoso-com.mail.", "protectio…look.com"],
            id="too long",
        ),
        pytest.param("a" * 99, ["aaaaaaa…aaaaaaa"], id="one word"),
    ],
)
def test_texts_are_broken_where_names_are(text: str, lines: list[str]) -> None:
    assert fitted(text, 124, SMALL_SIZE) == lines


@given(st.text(), st.floats(30, 300), st.booleans(), st.integers(1, 4))
def test_no_line_is_wider_than_its_room(text: str, room: float, bold: bool, most: int) -> None:  # noqa: FBT001
    lines = fitted(text, room, LABEL_SIZE, bold=bold, most=most)
    assert len(lines) <= most
    assert all(width(line, LABEL_SIZE, bold=bold) <= room for line in lines)


def test_the_style_has_the_sizes_that_are_reckoned_with() -> None:
    style = render.STYLE.decode()
    assert f".picture text {{ font-size: {SMALL_SIZE:.0f}px" in style
    assert f".picture .label {{ font-size: {LABEL_SIZE:.0f}px" in style


class Tags(HTMLParser):
    """All tags and attributes of a page, and whether what was opened was closed."""

    void = frozenset({"meta", "link", "input", "rect", "path"})

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-->]]></svg></title><a href=javascript:x>",
    "\u202egro.elpmaxe\u2066",
    "a" * 10_000,
    "&#60;b&#62; {{ 7 * 7 }} {% raw %}",
    "\x00\x1b[2J\ud800",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_no_label_breaks_out(text: str) -> None:
    diagram = Diagram(
        (Station("a", text, "server", text, "bad"), Station(text, text, "gateway", text, column=1)),
        (Road("a", text, text, "bad"), Road(text, "a", text)),
    )
    page = diagrams.page(diagram)
    tags = Tags(page)
    harmless = Tags(diagrams.page(diagrams.loop()))
    assert tags.open == []
    assert not tags.names - harmless.names
    assert not {name for name in tags.attributes if name.startswith("on") or name == "style"}
    assert len(page) < 30_000
    assert "\u202e" not in page.decode()
    assert_fine(picture(diagram))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mood", MOODS)
def test_every_kind_and_mood_is_drawn_with_sign_and_word(kind: StationKind, mood: Mood) -> None:
    stations = (Station("a", "A", kind, "about", mood), Station("b", "B", "server"))
    page = diagrams.page(Diagram(stations, (Road("a", "b", "To B", mood),))).decode()
    assert f'<g class="station {kind} {mood}"><title>A: about' in page
    assert f'<g class="way {mood}"><title>A to B, To B' in page
    assert ('class="mark"' in page) == (mood != "plain")
    words = {"good": "good", "warning": "warning", "unknown": "not known", "bad": "wrong"}
    assert (f"{words.get(mood)}: </span>" in page) == (mood != "plain")


def test_the_picture_is_said_in_words_too() -> None:
    page = diagrams.page(diagrams.loop()).decode()
    assert "In words: 6 places and 6 ways between them, 3 of them wrong." in page
    assert "to <b>Exchange Online (tenant contoso)</b>" in page
    assert 'role="img" aria-label="Where mail goes"' in page
    one = diagrams.page(EXAMPLES["one"]).decode()
    assert "1 place and 0 ways between them." in one
    assert '<b>A</b> <span class="about">server</span>' in one


def test_what_is_not_drawn_is_counted() -> None:
    many = tuple(Station(str(n), str(n), "server") for n in range(212))
    assert "Not drawn: 12 more places and 0 more ways." in diagrams.page(Diagram(many, ())).decode()
    assert "Not drawn" not in diagrams.page(diagrams.loop()).decode()


def test_the_line_that_mends_is_there_to_be_copied() -> None:
    page = diagrams.page(diagrams.loop()).decode()
    assert (
        '<pre class="fix powershell" tabindex="0">Set-InboundConnector -Identity &#39;From filter'
        in page
    )
    assert "PS&gt;" not in page  # the style writes it, so that it is not copied


def test_a_diagram_as_json_is_what_it_is() -> None:
    diagram = Diagram(
        (Station("a", "A", "internet", "any", "good", 0), Station("b", "B", "refused", column=1)),
        (Road("a", "b", "MX 10", "bad"),),
    )
    assert fact_as_json(diagram) == {
        "stations": [
            {"key": "a", "label": "A", "kind": "internet", "detail": "any", "mood": "good", "column": 0},
            {"key": "b", "label": "B", "kind": "refused", "detail": "", "mood": "plain", "column": 1},
        ],
        "roads": [{"start": "a", "end": "b", "label": "MX 10", "mood": "bad"}],
    }  # fmt: skip
