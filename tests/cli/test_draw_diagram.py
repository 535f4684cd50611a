# ruff: noqa: E501 - what a terminal shows

import pytest

from agent.cli.draw import Pen, draw_fact, join
from agent.domain.fact import Diagram, Road, Station
from servers import diagrams

LOOP = """\
Internet
  ──MX 10 of contoso.com──▶ mx.filter.example
mx.filter.example  filters for 41 tenants
  ──✓ From filter (partner)────────────────────────▶ Exchange Online (tenant contoso) ──✓ known recipients──▶ Mailbox
  ──✗ claimed by the certificate *.filter.example──▶ Exchange Online (tenant filter (the provider's own))
✗ Exchange Online  tenant filter (the provider's own)
  ──✗ All mail out (on-premises)──▶ relay.filter.example ──✗ MX 10 of contoso.com, again──▶ mx.filter.example
"""


def test_a_loop_is_drawn_as_lines() -> None:
    assert join(draw_fact(diagrams.loop(), Pen(120))) == LOOP


def test_a_way_without_a_fork_goes_on_as_far_as_there_is_room() -> None:
    stations = tuple(Station(x, f"{x}.example", "server") for x in "abcd")
    chain = Diagram(stations, tuple(Road(x, y, "mx") for x, y in ("ab", "bc", "cd")))
    assert list(draw_fact(chain, Pen(100))) == [
        "a.example",
        "  ──mx──▶ b.example ──mx──▶ c.example ──mx──▶ d.example",
    ]
    assert list(draw_fact(chain, Pen(45))) == [
        "a.example",
        "  ──mx──▶ b.example ──mx──▶ c.example",
        "c.example",
        "  ──mx──▶ d.example",
    ]


@pytest.mark.parametrize("connectors", [10, 60])
def test_every_connector_has_a_line_and_the_arrows_are_below_each_other(connectors: int) -> None:
    lines = list(draw_fact(diagrams.tenant(connectors), Pen(120)))
    partners = [line for line in lines if "▶ smtp" in line]
    assert len(partners) == connectors
    assert len({line.index("▶") for line in partners}) == 1
    assert all(len(line) <= 120 for line in lines)


def test_circles_end_and_stations_without_roads_are_drawn() -> None:
    stations = tuple(Station(x, x, "server", mood="unknown") for x in "abz")
    diagram = Diagram(stations, (Road("a", "b"), Road("b", "a", "back", "bad")))
    assert list(draw_fact(diagram, Pen(100))) == ["? a", "  ────▶ b ──✗ back──▶ a", "? z"]


def test_hostile_and_long_labels_are_printable_and_colour_is_kept_apart() -> None:
    text = "\x1b[2J\u202e" + "x" * 10_000
    diagram = Diagram(
        (Station("a", text, "server", text), Station("b", text, "server", column=1)),
        (Road("a", "b", text, "warning"),),
    )
    lines = list(draw_fact(diagram, Pen(100)))
    assert all(line.isprintable() and len(line) < 700 for line in lines)
    assert any("\x1b[33m\x1b[22m──! " in line for line in draw_fact(diagram, Pen(100, colour=True)))


def test_what_is_not_drawn_is_counted() -> None:
    many = tuple(Station(str(n), str(n), "server") for n in range(212))
    *_, last = draw_fact(Diagram(many, (Road("0", "nowhere"),)), Pen(100))
    assert last == "not drawn: 12 more places, 1 more ways"
