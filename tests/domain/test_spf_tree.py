"""Is the whole tree of includes read, counted and drawn, and never without bound?"""

from datetime import UTC, datetime
from time import process_time

from agent.domain.fact import MOST_CHILDREN
from agent.domain.lookup import Answer, Plan, Query, Reply, TextRecord, replay
from agent.domain.spf_lint_tree import void_terms
from agent.domain.spf_report import Picture, draw_facts, failure_of, measure
from agent.domain.spf_survey import survey
from agent.domain.spf_tree import MAX_BRANCHES, MAX_OCTETS, MAX_QUERIES, Forest, State, draw, grow
from servers.spf_zone import Zone, zone_of

D = "example.com"


def forest(zone: Zone) -> Forest:
    return replay(grow(D), zone)


def test_lookups_are_counted_at_every_branch() -> None:
    found = forest(
        zone_of(
            "example.com TXT v=spf1 a include:x.com include:y.com -all mx\n"
            "x.com TXT v=spf1 mx exists:%{i}.x.com redirect=z.com\n"
            "y.com TXT v=spf1 include:%{i}.y.com ptr -all\n"
            "z.com TXT v=spf1 ip4:192.0.2.1 a:x.com -all"
        )
    )
    node = draw(found.root)
    assert node.count == 9
    assert [child.count for child in node.children] == [1, 5, 3, None]
    assert found.root.written == 10
    assert draw(found.root).children[1] is node.children[1]


def test_each_target_is_fetched_once_and_loops_are_cut() -> None:
    zone = zone_of(
        "example.com TXT v=spf1 include:x.com include:y.com -all\n"
        "x.com TXT v=spf1 include:y.com -all\n"
        "y.com TXT v=spf1 include:example.com -all"
    )
    asked: list[Query] = []
    found = replay(_watch(grow(D), asked), zone)
    assert len(asked) == len(set(asked)) == 3
    states = [branch.state for branch in found.root.walk()]
    assert states.count(State.LOOP) == 2


def _watch(plan: Plan[Forest], asked: list[Query]) -> Plan[Forest]:
    queries = next(plan)
    try:
        while True:
            asked += queries
            queries = plan.send((yield queries))
    except StopIteration as done:
        value: Forest = done.value
        return value


def test_a_tree_that_doubles_at_every_level_is_bounded() -> None:
    lines = [f"n{n}.com TXT v=spf1 {f'include:n{n + 1}.com ' * 2}-all" for n in range(10)]
    text = "\n".join(["example.com TXT v=spf1 include:n0.com -all", *lines])
    found = forest(zone_of(text))
    states = [branch.state for branch in found.root.walk()]
    assert State.CUT in states
    assert sum(state is State.RECORD for state in states) <= MAX_BRANCHES


def test_a_chain_that_never_ends_is_bounded() -> None:
    lines = [f"n{n}.com TXT v=spf1 include:n{n + 1}.com -all" for n in range(40)]
    found = forest(zone_of("\n".join(["example.com TXT v=spf1 include:n0.com -all", *lines])))
    assert State.CUT in {branch.state for branch in found.root.walk()}


def test_the_octets_of_a_tree_are_bounded() -> None:
    padding = "ip4:192.0.2.1 " * 3500
    lines = [f"n{n}.com TXT v=spf1 {padding}-all" for n in range(8)]
    includes = " ".join(f"include:n{n}.com" for n in range(8))
    found = forest(zone_of("\n".join([f"example.com TXT v=spf1 {includes} -all", *lines])))
    states = [branch.state for branch in found.root.walk()]
    assert states.count(State.RECORD) == 1 + MAX_OCTETS // len(padding)
    assert states.count(State.CUT) == 8 - MAX_OCTETS // len(padding)
    texts = [one.joined for reply in found.replies.values() for one in _texts(reply)]
    assert sum(map(len, texts)) <= MAX_OCTETS


def _texts(reply: Reply) -> tuple[TextRecord, ...]:
    records = reply.records if isinstance(reply, Answer) else ()
    return tuple(one for one in records if isinstance(one, TextRecord))


def test_a_record_of_thirty_thousand_terms_is_counted_soon_and_drawn_in_part() -> None:
    before = process_time()
    found = forest(zone_of(f"example.com TXT v=spf1 {'a ' * 30_000}-all a"))
    assert process_time() - before < 20  # minutes, where every term is compared with all others
    assert found.root.lookups == 30_000
    assert found.root.written == 30_001
    node = draw(found.root)
    assert len(node.children) == MOST_CHILDREN + 1
    assert node.children[80].label == "29901 more that are not drawn"
    assert node.children[-1].label == "-all"


def test_a_record_with_very_many_hosts_is_bounded() -> None:
    hosts = " ".join(f"a:h{n}.com" for n in range(600))
    found = forest(zone_of(f"example.com TXT v=spf1 {hosts} -all"))
    assert len(found.replies) <= MAX_QUERIES


def test_the_records_that_redirects_lead_to_are_the_policy() -> None:
    zone = zone_of(
        "example.com TXT v=spf1 redirect=_spf.%{d}\n"
        "_spf.example.com TXT v=spf1 include:x.com redirect=%{i}.com"
    )
    assert [branch.domain for branch in forest(zone).policy] == [
        "example.com",
        "_spf.example.com",
        "%{i}.com",
    ]


def test_several_records_at_a_target_are_shown() -> None:
    zone = zone_of("example.com TXT v=spf1 a\nexample.com TXT v=spf1 mx")
    assert forest(zone).root.text == "v=spf1 a | v=spf1 mx"


def test_void_terms_differ_by_family() -> None:
    zone = zone_of(
        "example.com TXT v=spf1 a mx exists:x.com include:%{i}.y -all\n"
        "example.com A 192.0.2.1\nexample.com MX 5 m.com\nm.com AAAA 2001:db8::1"
    )
    found = replay(survey(D), zone)
    assert void_terms(found, "A") == ("mx", "exists:x.com")
    assert void_terms(found, "AAAA") == ("a", "exists:x.com")


def test_a_picture_without_senders_and_time_to_live_is_measured() -> None:
    found = replay(survey(D), zone_of("example.com TXT v=spf1 -all", ttl=None))
    picture = Picture(found, (), ())
    names = {one.signal.name for one in measure(picture, 0.0)}
    assert "mailflow_spf_record_ttl_seconds" not in names
    assert "mailflow_spf_lookups" in names
    assert failure_of(picture) == ""
    facts = draw_facts(picture, datetime(2026, 11, 23, tzinfo=UTC), None, None)
    assert "evaluation" not in facts
