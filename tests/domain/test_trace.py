from datetime import timedelta

import pytest

from agent.domain.estate import Estate
from agent.domain.header_fields import Fields, read_head
from agent.domain.knowledge.microsoft_hosts import HostClass
from agent.domain.loops import LoopKind
from agent.domain.owners import Owner, Owners
from agent.domain.trace import MAX_HOPS, Trace, holder, read_trace
from servers.heads import FILTERED, fields

OURS = Owners(us=Estate.read(["*.contoso.com", "192.0.2.0/28"]))


def header(*received: str) -> Fields:
    return fields(*(("Received", each) for each in received))


def dated(text: str, second: int = 0) -> str:
    return f"{text}; Tue, 3 Nov 2026 12:00:{second:02} +0000"


def test_the_oldest_hop_comes_first_with_its_owner() -> None:
    trace = read_trace(read_head(FILTERED), Owners())
    assert [hop.owner for hop in trace.hops] == [
        Owner.UNKNOWN,
        *[Owner.FILTER] * 2,
        *[Owner.MICROSOFT] * 4,
    ]
    assert [hop.host_class for hop in trace.hops[2:]] == [
        None,
        HostClass.EDGE,
        HostClass.MAILBOX,
        HostClass.MAILBOX,
        HostClass.MAILBOX,
    ]
    assert trace.hops[0].host == "mail.fabrikam.com"


def test_encryption_is_not_asked_of_a_hop_inside() -> None:
    trace = read_trace(read_head(FILTERED), Owners())
    assert [hop.encrypted for hop in trace.hops] == [False, True, None, True, True, True, None]
    broken = read_trace(header("from a.example ([198.51.100.1]"), Owners())
    assert broken.hops[0].encrypted is None


def test_the_time_is_charged_to_whoever_had_the_message() -> None:
    trace = read_trace(read_head(FILTERED), Owners())
    held = holder(trace)
    assert held is not None
    assert (held.owner, held.hop.host) == (Owner.FILTER, "mx0a-001.pphosted.com")
    assert held.time == timedelta(seconds=45)
    assert trace.total == timedelta(seconds=51)


def test_a_clock_that_is_behind_is_marked() -> None:
    trace = read_trace(read_head(FILTERED), Owners())
    assert [hop.is_corrected for hop in trace.hops].index(True) == 5
    assert trace.hops[5].delay == timedelta(0)
    assert not any(hop.is_skewed for hop in trace.hops)


def test_nobody_held_a_message_of_which_no_delay_is_known() -> None:
    assert holder(Trace()) is None
    assert holder(read_trace(header(dated("by a.example")), Owners())) is None


def test_a_hop_without_a_time_held_nothing() -> None:
    hops = (dated("from b.example by c.example", 9), "from a.example by b.example")
    held = holder(read_trace(header(*hops, dated("by a.example", 1)), Owners()))
    assert held is not None
    assert (held.hop.host, held.time) == ("a.example", timedelta(seconds=8))


def test_only_what_stands_above_the_first_stranger_is_evidence() -> None:
    trace = read_trace(read_head(FILTERED), Owners())
    assert trace.believed == 6
    assert [hop.is_claim for hop in trace.hops] == [True, *[False] * 6]


FORGED = dated("from mx1.contoso.com ([192.0.2.1]) by mx2.contoso.com with ESMTPS")


@pytest.mark.parametrize(
    ("newest", "believed"),
    [
        pytest.param("from x ([198.51.100.1]) by mx.contoso.com", 1, id="from a stranger"),
        pytest.param("from mx2.contoso.com ([198.51.100.1]) by mx.contoso.com", 1, id="says ours"),
        pytest.param("from mx2.contoso.com ([192.0.2.2]) by mx.contoso.com", 2, id="from ours"),
        pytest.param("by mx.contoso.com with LMTP", 2, id="inside of ours"),
        pytest.param("from a.mail.protection.outlook.com ([40.92.0.1]) by mx.contoso.com", 1,
                     id="from Microsoft, but the next is not by Microsoft"),
    ],
)  # fmt: skip
def test_a_forged_hop_is_not_believed(newest: str, believed: int) -> None:
    trace = read_trace(header(dated(newest), FORGED), OURS)
    assert trace.believed == believed
    assert trace.hops[0].is_claim is (believed == 1)


def test_all_hops_are_believed_where_all_are_ours() -> None:
    inside = dated("by mx2.contoso.com (Postfix, from userid 0)")
    outer = dated("from mx2.contoso.com ([192.0.2.2]) by mx.contoso.com")
    assert read_trace(header(outer, inside), OURS).believed == 2


def test_a_loop_is_seen_and_a_content_filter_on_the_same_host_is_none() -> None:
    there = "from b.example ([198.51.100.2]) by a.example"
    back = "from a.example ([198.51.100.1]) by b.example"
    looped = read_trace(header(*[dated(there), dated(back)] * 2), Owners())
    assert {sign.kind for sign in looped.loops} == {LoopKind.HOST}
    amavis = header(
        dated("from localhost (localhost [127.0.0.1]) by a.example (Postfix)"),
        dated("from a.example ([127.0.0.1]) by localhost (a.example [127.0.0.1]) (amavisd-new)"),
        dated("from b.example ([198.51.100.2]) by a.example (Postfix)"),
    )
    assert read_trace(amavis, Owners()).loops == ()


def test_a_message_with_endless_hops_is_read_in_part_and_counted_in_full() -> None:
    trace = read_trace(header(*[dated("by a.example")] * 300), Owners())
    assert (len(trace.hops), trace.count) == (MAX_HOPS, 300)
    assert [sign.times for sign in trace.loops] == [300]


def test_a_message_without_hops_has_an_empty_way() -> None:
    assert read_trace(header(), Owners()) == Trace()


def test_a_date_that_lies_is_marked() -> None:
    head = fields(("Received", dated("by a.example")), ("Date", "Tue, 3 Nov 2037 12:00:00 +0000"))
    assert read_trace(head, Owners()).is_date_skewed
