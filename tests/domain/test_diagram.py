import random

import pytest

from agent.domain import diagram as domain
from agent.domain.diagram import about, printable, shortened, shown
from agent.domain.fact import Diagram, Mood, Road, Station, StationKind


def stations(*keys: str, kind: StationKind = "server") -> tuple[Station, ...]:
    return tuple(Station(key, key.upper(), kind) for key in keys)


def roads(*ways: str) -> tuple[Road, ...]:
    return tuple(Road(way[0], way[1]) for way in ways)


@pytest.mark.parametrize(
    ("ways", "columns"),
    [
        pytest.param(["ab", "bc", "cd"], [0, 1, 2, 3], id="chain"),
        pytest.param(["ab", "ac", "bd", "cd"], [0, 1, 1, 2], id="fork and join"),
        pytest.param(["ad", "ab", "bc", "cd"], [0, 1, 2, 3], id="the longest way counts"),
        pytest.param(["ab", "bc", "ca"], [0, 1, 2, 0], id="circle begins where it is entered"),
        pytest.param(["aa", "ab"], [0, 1, 0, 0], id="to itself"),
        pytest.param([], [0, 0, 0, 0], id="no road"),
    ],
)
def test_columns_that_nobody_gave_follow_the_roads(ways: list[str], columns: list[int]) -> None:
    drawn = shown(Diagram(stations(*"abcd"), roads(*ways)))
    assert [station.column for station in drawn.stations] == columns


def test_given_columns_are_kept_in_order_and_closed_up() -> None:
    given = [Station("a", "A", "server", column=7), Station("b", "B", "server", column=-1)]
    given += [Station("c", "C", "server", column=4)]
    drawn = shown(Diagram(tuple(given), roads("ab")))
    assert [station.column for station in drawn.stations] == [2, 0, 1]


def test_there_is_a_last_column() -> None:
    long = tuple(Station(str(n), "x", "server", column=n) for n in range(40))
    assert shown(Diagram(long, ())).stations[-1].column == domain.MOST_COLUMNS - 1


def test_the_order_of_roads_does_not_matter() -> None:
    ways = [*roads("ab", "ac", "bc", "ca"), Road("a", "b", "x"), Road("a", "b", "y", "bad")]
    expected = shown(Diagram(stations(*"abc"), tuple(ways)))
    for seed in range(10):
        random.Random(seed).shuffle(ways)
        assert shown(Diagram(stations(*"abc"), tuple(ways))) == expected


def test_roads_side_by_side_are_one_way_for_each_mood() -> None:
    ways = (Road("a", "b", "y"), Road("a", "b", "x"), Road("a", "b", "y"), Road("a", "b"))
    drawn = shown(Diagram(stations("a", "b"), (*ways, Road("a", "b", "z", "bad"))))
    assert [(way.label, way.mood) for way in drawn.ways] == [("z", "bad"), ("x, y", "plain")]
    assert [way.roads for way in drawn.ways] == [1, 4]
    assert drawn.more_roads == 0


def test_what_leads_nowhere_and_what_comes_twice_is_left_out() -> None:
    twice = (*stations("a", "b"), Station("a", "another", "mailbox"))
    drawn = shown(Diagram(twice, roads("ab", "ax", "xb")))
    assert [station.label for station in drawn.stations] == ["A", "B"]
    assert (len(drawn.ways), drawn.more_stations, drawn.more_roads) == (1, 0, 2)


def test_trouble_is_never_left_out() -> None:
    many = [Station(str(n), f"host {n}", "server", column=n % 2) for n in range(500)]
    many[420] = Station("420", "down", "server", mood="unknown", column=1)
    ways = [Road("0", str(n), str(n)) for n in range(1, 500)]
    ways += [Road("496", "498", "round", "bad")]
    drawn = shown(Diagram(tuple(many), tuple(ways)))
    assert len(drawn.stations) == domain.MOST_STATIONS
    assert {"420", "496", "498"} <= {station.key for station in drawn.stations}
    assert drawn.more_stations == 300
    assert "round" in [way.label for way in drawn.ways]
    assert len(drawn.ways) + drawn.more_roads == len(ways)


def test_roads_are_bounded_and_the_worst_kept() -> None:
    keys = [str(n) for n in range(40)]
    ways = [Road(a, b) for a in keys for b in keys] + [Road("39", "38", "", "warning")]
    drawn = shown(Diagram(stations(*keys), tuple(ways)))
    assert len(drawn.ways) == domain.MOST_ROADS
    assert drawn.more_roads == 1601 - domain.MOST_ROADS
    assert "warning" in {way.mood for way in drawn.ways}


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        pytest.param("mx.example", "mx.example", id="as it is"),
        pytest.param(" a \n\tb ", "a b", id="blanks"),
        pytest.param("a\u202eb\x1b[31m\x00", "a\ufffdb\ufffd[31m\ufffd", id="what steers a screen"),
        pytest.param("\ud800", "\ufffd", id="half a surrogate pair"),
        pytest.param("Büro 東京", "Büro 東京", id="other alphabets"),
        pytest.param("x" * 10_000, "x" * 99 + "…" + "x" * 100, id="10 kB"),
    ],
)
def test_texts_are_printable_and_bounded(text: str, shows: str) -> None:
    assert printable(text) == shows
    assert len(shortened(text, 9)) <= 9


def test_a_station_without_a_label_shows_its_key() -> None:
    drawn = shown(Diagram((Station("k\n", "", "server"),), ()))
    assert drawn.stations[0].label == "k"


@pytest.mark.parametrize(
    ("station", "says"),
    [
        (Station("a", "mx.example", "gateway"), "mx.example"),
        (Station("a", "mx", "gateway", "MX 10", "bad"), "mx: MX 10 (bad)"),
    ],
    ids=["label", "everything"],
)
def test_all_there_is_to_say_of_a_station(station: Station, says: str) -> None:
    assert about(station) == says


def test_names_tell_stations_apart_and_sentences_use_them() -> None:
    moods: tuple[Mood, Mood] = ("plain", "warning")
    same = (
        Station("a", "Exchange Online", "exchange", "tenant a"),
        Station("b", "Exchange Online", "exchange"),
        Station("c", "mx", "gateway"),
    )
    ways = (Road("c", "a", "", moods[0]), Road("c", "b", "From filter", moods[1]))
    drawn = shown(Diagram(same, ways))
    assert drawn.names() == {
        "a": "Exchange Online (tenant a)",
        "b": "Exchange Online (b)",
        "c": "mx",
    }
    assert list(drawn.sentences().values()) == [
        "mx to Exchange Online (tenant a)",
        "mx to Exchange Online (b), From filter (warning)",
    ]


def test_stations_with_one_way_in_and_one_out_and_those_with_none() -> None:
    drawn = shown(Diagram(stations(*"abcdz"), roads("ab", "bc", "cd", "ad")))
    assert list(drawn.onward()) == ["b", "c"]
    assert [station.key for station in drawn.lonely()] == ["z"]
    assert [(station.key, len(ways)) for station, ways in drawn.leaving()] == [
        ("a", 2),
        ("b", 1),
        ("c", 1),
    ]
