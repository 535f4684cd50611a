from datetime import UTC, datetime, timedelta

import pytest

from agent.cli.draw import Pen, draw_fact, draw_outcome, draw_run, draw_verdict
from agent.cli.draw_priority import draw_kinds
from agent.domain.fact import Chain, Fact, Link, Node, Path, Phase, Stop, Table, Text, Walk
from agent.domain.finding import Outcome, Rule, Severity
from agent.exposition.as_json import outcome_as_json

BAD = Rule("x-bad", Severity.CRITICAL, "It is bad", "Make it good.", "RFC 1 section 2")
MEH = Rule("x-meh", Severity.WARNING, "It is meh", "Make it better.", "RFC 1 section 3")
PLAIN = Pen(width=60)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fact", "lines"),
    [
        pytest.param(Text("v=spf1 -all"), ["v=spf1 -all"], id="text"),
        pytest.param(Text(""), [""], id="empty text"),
        pytest.param(
            Table(("host", "is"), (("mx.example", "up"), ("a", "down"))),
            ["host        is", "mx.example  up", "a           down"],
            id="table",
        ),
        pytest.param(
            Node("top", count=3, children=(Node("a", "x", children=(Node("b"),)), Node("c"))),
            ["top [3]", "├─ a  x", "│  └─ b", "└─ c"],
            id="tree",
        ),
        pytest.param(
            Walk((Phase("connect", 0.001, "good"), Phase("rcpt", None, "bad", "not reached"))),
            [
                "connect     1.0 ms ████████████████████████",
                "rcpt          -     not reached",
            ],
            id="walk",
        ),
        pytest.param(
            Path(
                (
                    Stop("this agent", "us", note="sent 12:00:00Z"),
                    Stop("mx.example", "filter", 1.5, "TLS 1.3"),
                    Stop("maildir box", "", None, "seen by the agent", "good"),
                )
            ),
            [
                "  ● this agent (us)",
                "  │ sent 12:00:00Z",
                "  │ 1.5 s TLS 1.3",
                "  ● mx.example (filter)",
                "  │ seen by the agent",
                "  ● maildir box",
            ],
            id="path",
        ),
        pytest.param(
            Chain(
                (Link("CN=mx.example", "CN=ca", NOON, NOON + timedelta(days=90)),),
                "No root of the trust store",
                "bad",
            ),
            [
                "CN=mx.example",
                "  valid from 2026-11-23 to 2027-02-21; signed by:",
                "✗ No root of the trust store",
            ],
            id="chain",
        ),
    ],
)
def test_a_fact_is_drawn_by_its_shape(fact: Fact, lines: list[str]) -> None:
    assert list(draw_fact(fact, PLAIN)) == lines


def test_a_finding_says_what_the_evidence_is_and_what_to_do() -> None:
    assert list(draw_outcome(Outcome((BAD.found("Seen.", "line one"),)), PLAIN)) == [
        "    ✗ It is bad",
        "      Seen.",
        "      > line one",
        "      → Make it good.",
        "      rule x-bad, RFC 1 section 2",
    ]


def test_a_run_that_had_nothing_to_look_at_has_no_tick() -> None:
    idle, busy = Outcome(idle="No exchange has an address."), Outcome()
    assert list(draw_run(busy, "exchange", Pen())) == ["✓ ok       exchange"]
    assert list(draw_run(idle, "exchange", Pen())) == [
        "\N{EN DASH}          exchange: nothing to look at: No exchange has an address.",
    ]
    kinds = draw_kinds({"exchange": idle, "mx": busy}, Pen())
    assert kinds == "    looked at: \N{EN DASH} exchange  ✓ mx"
    assert outcome_as_json(idle)["idle"] == "No exchange has an address."


def test_the_worst_finding_comes_first_and_facts_come_last() -> None:
    outcome = Outcome((MEH.found("m"), BAD.found("b")), facts={"Record": Text("r")})
    lines = list(draw_outcome(outcome, PLAIN))
    assert lines.index("    ✗ It is bad") < lines.index("    ! It is meh")
    assert lines[-2:] == ["    Record", "      r"]
    assert "    Record" not in list(draw_outcome(outcome, PLAIN, facts=False))


def test_colour_is_used_only_where_it_is_wanted() -> None:
    assert "\x1b[" not in draw_verdict(Severity.CRITICAL, "contoso.com", PLAIN)
    assert "\x1b[31m" in draw_verdict(Severity.CRITICAL, "contoso.com", Pen(60, colour=True))


def test_long_lines_fit_the_pen() -> None:
    finding = BAD.found("word " * 60)
    assert max(len(line) for line in draw_outcome(Outcome((finding,)), PLAIN)) <= 60


def test_a_pen_is_never_narrower_than_it_can_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "5")
    assert Pen.of_terminal(colour=False).width == 40


def test_findings_of_one_rule_are_drawn_together_with_one_remedy() -> None:
    found = (MEH.found("First."), BAD.found("Worse."), MEH.found("Second.", "seen", fix="Mend-It"))
    assert list(draw_outcome(Outcome(found), PLAIN)) == [
        "    ✗ It is bad",
        "      Worse.",
        "      → Make it good.",
        "      rule x-bad, RFC 1 section 2",
        "    ! It is meh (2 times)",
        "      - First.",
        "      - Second.",
        "        > seen",
        "        $ Mend-It",
        "      → Make it better.",
        "      rule x-meh, RFC 1 section 3",
    ]


@pytest.mark.parametrize(
    ("fix", "sign"),
    [
        ("Set-InboundConnector -Identity 'a'", "$"),
        ("Get-AcceptedDomain", "$"),
        ("mailflow-agent check contoso.com", "$"),
        ('_dmarc.contoso.com. 3600 IN TXT "v=DMARC1; p=none"', "="),
        ("contoso 3600 IN A 192.0.2.1", "="),
        ("v=spf1 -all", "="),
        ("mode: enforce", "="),
    ],
)
def test_what_is_to_be_published_does_not_look_like_a_command(fix: str, sign: str) -> None:
    lines = list(draw_outcome(Outcome((BAD.found("So.", fix=fix),)), Pen()))
    assert f"      {sign} {fix}" in lines


def test_a_page_of_ours_is_no_source_to_look_up() -> None:
    ours = Rule("x-ours", Severity.WARNING, "It is", "Mend it.", "docs/architecture.md")
    *_, last = draw_outcome(Outcome((ours.found("So."),)), PLAIN)
    assert last == "      rule x-ours"


def test_a_line_with_a_gap_does_not_look_like_one_to_paste() -> None:
    found = BAD.found("So.", fix="Set-It -To '<your name>'")
    *_, said, line, _ = draw_outcome(Outcome((found,)), PLAIN)
    assert said == "      fill in what is in <>, then type:"
    assert line == "        Set-It -To '<your name>'"
