"""Does a plan ask what it needs, and does a mapping answer it?"""

from ipaddress import IPv4Address

import pytest

from agent.domain.lookup import (
    Answer,
    Exchange,
    Plan,
    Query,
    Reply,
    Silence,
    TextRecord,
    Unanswered,
    ask,
    ask_all,
    replay,
)


def test_freshness_is_no_part_of_a_question() -> None:
    assert Query("a.example", "A", fresh=True) == Query("a.example", "A")
    assert len({Query("a.example", "A", fresh=True), Query("a.example", "A")}) == 1


def test_strings_of_a_record_are_run_together_without_a_blank() -> None:
    assert TextRecord((b"v=spf1 ip4:192.0.", b"2.1 -all")).joined == b"v=spf1 ip4:192.0.2.1 -all"
    assert TextRecord(()).joined == b""


def test_exchanges_sort_by_preference_and_then_by_name() -> None:
    ordered = [Exchange(0, "z.example"), Exchange(10, "a.example"), Exchange(10, "b.example")]
    one, two, three = ordered
    assert sorted([three, one, two]) == ordered


def test_time_to_live_and_size_make_no_other_answer() -> None:
    assert Answer(ttl=1, size=50) == Answer(ttl=2, size=60)
    assert Unanswered(Silence.TIMEOUT, "after 2 s") == Unanswered(Silence.TIMEOUT)
    assert Unanswered(Silence.TIMEOUT) != Unanswered(Silence.SERVFAIL)


@pytest.mark.parametrize(
    ("answer", "void"),
    [
        pytest.param(Answer(name_exists=False), True, id="NXDOMAIN"),
        pytest.param(Answer(), True, id="no data"),
        pytest.param(Answer((IPv4Address("192.0.2.1"),)), False, id="data"),
    ],
)
def test_an_answer_without_records_is_void(answer: Answer, void: bool) -> None:  # noqa: FBT001
    assert answer.is_void is void


def test_one_question_has_one_reply() -> None:
    silence = Unanswered(Silence.REFUSED)
    assert replay(ask(Query("a.example", "A")), {("a.example", "A"): silence}) is silence


def test_replies_come_in_the_order_of_the_questions() -> None:
    one, other = Answer((IPv4Address("192.0.2.1"),)), Answer((IPv4Address("192.0.2.2"),))
    queries = (Query("b.example", "A"), Query("a.example", "A"))
    zone = {("a.example", "A"): one, ("b.example", "A"): other}
    assert replay(ask_all(queries), zone) == (other, one)


def test_without_questions_nothing_is_asked() -> None:
    with pytest.raises(StopIteration) as done:
        next(ask_all(()))
    assert done.value.value == ()


def test_what_the_mapping_lacks_does_not_exist() -> None:
    zone: dict[tuple[str, str], Reply] = {("a.example", "TXT"): Answer()}
    assert replay(ask(Query("b.example", "A")), zone) == Answer(name_exists=False)
    assert replay(ask(Query("a.example", "A")), zone) == Answer(name_exists=True)


def test_plans_are_made_of_plans() -> None:
    def both() -> Plan[list[Reply]]:
        first = yield from ask(Query("a.example", "A"))
        rest = yield from ask_all((Query("b.example", "A"),))
        return [first, *rest]

    assert replay(both(), {}) == [Answer(name_exists=False)] * 2
