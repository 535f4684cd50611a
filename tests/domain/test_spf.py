"""Does an evaluation do what RFC 7208 says beyond its suite, and tell how it came about?"""

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.fact import Node
from agent.domain.lookup import Answer, Query, Reply, Silence, TextRecord, Unanswered, replay
from agent.domain.spf import check_host
from agent.domain.spf_identity import identify
from agent.domain.spf_terms import Result
from agent.domain.spf_trace import Evaluation, describe, tree
from servers.spf_zone import Zone, zone_of

D = "example.com"


def check(
    zone: Zone,
    ip: str = "192.0.2.1",
    mail_from: str = "me@example.com",
    helo: str = "h.example.org",
) -> Evaluation:
    found = replay(check_host(ip_address(ip), mail_from, helo), zone)
    assert tree(found).label
    assert found.sentence.isascii()
    return found


IDENTITIES = [
    pytest.param("", "mail.example.com", "postmaster@mail.example.com", None, id="null sender"),
    pytest.param("<>", "mail.example.com", "postmaster@mail.example.com", None, id="brackets"),
    pytest.param("", "[192.0.2.1]", None, "address", id="literal"),
    pytest.param("", "192.0.2.1", None, "address", id="bare address"),
    pytest.param("", "2001:db8::1", None, "address", id="bare IPv6 address"),
    pytest.param("", "localhost", None, "single label", id="single label"),
    pytest.param("", "", None, "no domain", id="nothing"),
    pytest.param("a@b@Example.COM.", "", "a@b@example.com", None, id="last at sign"),
    pytest.param("@example.com", "", "postmaster@example.com", None, id="empty local part"),
    pytest.param("example.com", "", "postmaster@example.com", None, id="no at sign"),
    pytest.param("a@b\u00fccher.example", "", "a@xn--bcher-kva.example", None, id="U-label"),
    pytest.param("a@\u00fc..example", "", None, "international", id="bad U-label"),
    pytest.param("a@" + "x" * 64 + ".com", "", None, "too long", id="long label"),
    pytest.param("a@" + ".".join(["x" * 40] * 7), "", None, "too long", id="long name"),
]


@pytest.mark.parametrize(("mail_from", "helo", "sender", "problem"), IDENTITIES)
def test_the_identity_is_chosen(
    mail_from: str, helo: str, sender: str | None, problem: str | None
) -> None:
    identity = identify(mail_from, helo)
    if problem is None:
        assert identity.sender.lower().removesuffix(".") == sender
        assert identity.domain == identity.sender_domain.lower().removesuffix(".")
    else:
        assert problem in identity.problem
        assert check({}, mail_from=mail_from, helo=helo).result is Result.NONE


VERDICTS = [
    pytest.param("ip6:::/0 -all", "192.0.2.1", "fail", id="IPv6 range, IPv4 client"),
    pytest.param("ip4:0.0.0.0/0 -all", "2001:db8::1", "fail", id="IPv4 range, IPv6 client"),
    pytest.param("ip4:192.0.2.9/24 -all", "::ffff:192.0.2.1", "pass", id="mapped client"),
    pytest.param("~include:y.com -all", "192.0.2.1", "softfail", id="qualifier of include"),
    pytest.param("redirect=y.com ip4:192.0.2.9", "192.0.2.1", "pass", id="redirect stands first"),
    pytest.param("redirect=%{i}..x.com", "192.0.2.1", "permerror", id="malformed redirect"),
    pytest.param("include:a%{d1}", "192.0.2.1", "permerror", id="include of a single label"),
    pytest.param("include:%{l}..x.com -all", "192.0.2.1", "fail", id="unaskable include"),
    pytest.param("mx:%{l}..x.com -all", "192.0.2.1", "fail", id="unaskable mx"),
    pytest.param("ptr:%{l}..x.com -all", "192.0.2.1", "fail", id="unaskable ptr"),
    pytest.param("exists:%{l}..x.com -all", "192.0.2.1", "fail", id="unaskable exists"),
    pytest.param("mx:null.com -all", "192.0.2.1", "fail", id="null MX"),
    pytest.param("mx:y.com -all", "192.0.2.1", "fail", id="no MX, no fallback to A"),
    pytest.param("mx:slow.com -all", "192.0.2.1", "temperror", id="MX unanswered"),
    pytest.param("mx:half.com -all", "192.0.2.1", "temperror", id="address of MX unanswered"),
    pytest.param("mx:good.com -all", "192.0.2.1", "pass", id="MX"),
    pytest.param("a:slow.com -all", "192.0.2.1", "temperror", id="A unanswered"),
    pytest.param("ip4:192.0.2.1 a:slow.com", "192.0.2.1", "pass", id="failing term after match"),
    pytest.param("exists:good.com -all", "2001:db8::1", "pass", id="exists asks for A"),
    pytest.param("ptr:good.com -all", "192.0.2.1", "pass", id="ptr"),
    pytest.param("ptr:ood.com -all", "192.0.2.1", "fail", id="ptr at label boundaries"),
    pytest.param("ptr -all", "192.0.2.9", "fail", id="ptr unanswered"),
    pytest.param("ptr:x.com ptr:good.com -all", "192.0.2.1", "pass", id="ptr twice"),
    pytest.param("exists:%{p}.p.com -all", "192.0.2.1", "pass", id="validated name"),
    pytest.param("a:good.com ip4:x", "192.0.2.1", "permerror", id="syntax error after match"),
    pytest.param("a:good.com -all", "192.0.2.1", "pass", id="A"),
    pytest.param("a:good.com -all", "192.0.2.9", "fail", id="A of another"),
    pytest.param("a:%{l}..x.com -all", "192.0.2.1", "fail", id="unaskable a"),
    pytest.param("exists:slow.com -all", "192.0.2.1", "temperror", id="exists unanswered"),
    pytest.param("exists:null.com -all", "192.0.2.1", "fail", id="exists not"),
    pytest.param("mx:many.com -all", "192.0.2.1", "permerror", id="eleven MX"),
    pytest.param("redirect=y.com", "192.0.2.9", "fail", id="fail by a redirect"),
]
ZONE = """
y.com TXT v=spf1 ip4:192.0.2.1 -all
y.com A 192.0.2.1
null.com MX 0 .
good.com MX 10 mail.good.com
good.com A 192.0.2.1
mail.good.com A 192.0.2.1
half.com MX 10 gone.half.com
1.2.0.192.in-addr.arpa PTR mail.good.com
1.2.0.192.in-addr.arpa PTR bad..name
mail.good.com.p.com A 127.0.0.2
"""
ZONE += "".join(f"many.com MX 10 mx{number}.good.com\n" for number in range(11))
SLOW: dict[tuple[str, str], Reply] = {
    ("slow.com", "MX"): Unanswered(Silence.TIMEOUT),
    ("slow.com", "A"): Unanswered(Silence.TIMEOUT),
    ("gone.half.com", "A"): Unanswered(Silence.SERVFAIL),
    ("9.2.0.192.in-addr.arpa", "PTR"): Unanswered(Silence.REFUSED),
}


@pytest.mark.parametrize(("terms", "ip", "result"), VERDICTS)
def test_a_verdict(terms: str, ip: str, result: str) -> None:
    zone = zone_of(f"example.com TXT v=spf1 {terms}\n{ZONE.strip()}") | SLOW
    found = check(zone, ip)
    assert found.result == result, found.sentence
    assert (found.reason is not None) == (result == "temperror")


def test_a_local_part_outside_ascii_matches_nothing() -> None:
    zone = zone_of("example.com TXT v=spf1 exists:%{l}.x.com -all")
    assert check(zone, mail_from="jos\u00e9@example.com").result is Result.FAIL


def test_a_client_name_at_or_below_the_domain_is_preferred() -> None:
    zone = zone_of(
        "1.2.0.192.in-addr.arpa PTR a.org\n1.2.0.192.in-addr.arpa PTR m.example.com\n"
        "a.org A 192.0.2.1\nm.example.com A 192.0.2.1\n"
        "example.com TXT v=spf1 -all exp=exp.example.com\nexp.example.com TXT %{p} is not allowed"
    )
    assert check(zone).explanation == "m.example.com is not allowed"


EXPLANATIONS = [
    pytest.param("exp=%{l}..x.com", "", id="unaskable"),
    pytest.param("exp=no.x.com", "", id="missing"),
    pytest.param("exp=bad.x.com", "", id="faulty text"),
    pytest.param("", "", id="none"),
    pytest.param("exp=good.x.com", "no 192.0.2.1", id="good"),
]


@pytest.mark.parametrize(("exp", "said"), EXPLANATIONS)
def test_an_explanation(exp: str, said: str) -> None:
    zone = zone_of(
        f"example.com TXT v=spf1 -all {exp}\nbad.x.com TXT %{{x}}\ngood.x.com TXT no %{{c}}"
    )
    assert check(zone).explanation == said


def test_three_counters_are_kept() -> None:
    zone = zone_of(
        "example.com TXT v=spf1 mx a:gone.com include:y.com ?all\nexample.com MX 1 a.x.com\n"
        "example.com MX 2 b.x.com\ny.com TXT v=spf1 ip4:1.2.3.4"
    )
    found = check(zone)
    assert (found.result, found.terms, found.voids, found.void_queries) == ("neutral", 3, 2, 3)
    assert "count every query" in found.differs
    assert [step.lookups for step in found.visit.steps] == [1, 1, 1, 0]
    node = tree(found)
    assert node.count == 3
    assert {child.label for child in node.children} >= {"counters", "differs between receivers"}


HOSTS = "a.com A 192.0.2.7\nb.com A 192.0.2.7\nc.com A 192.0.2.7"


@pytest.mark.parametrize(
    ("hosts", "differs"),
    [
        pytest.param(HOSTS, True, id="hosts with IPv4 only"),
        pytest.param("d.com A 192.0.2.7", False, id="no hosts at all"),
    ],
)
def test_hosts_without_ipv6_are_told_apart_from_no_hosts(hosts: str, *, differs: bool) -> None:
    zone = zone_of(f"example.com TXT v=spf1 a:a.com a:b.com a:c.com -all\n{hosts}")
    found = check(zone, "2001:db8::1")
    assert found.result is Result.PERMERROR
    assert ("neither A nor AAAA" in found.differs) == differs


def test_ten_lookups_pass_and_eleven_do_not() -> None:
    hosts = "\n".join(f"h{n}.com A 192.0.2.9" for n in range(11))
    for count, result in ((10, Result.FAIL), (11, Result.PERMERROR)):
        terms = " ".join(f"a:h{n}.com" for n in range(count))
        found = check(zone_of(f"example.com TXT v=spf1 {terms} -all\n{hosts}"))
        assert (found.result, found.terms) == (result, count)


def test_an_evaluation_is_drawn_with_its_questions() -> None:
    zone = zone_of(
        "example.com TXT v=spf1 include:y.com a:slow.com\ny.com TXT v=spf1 a mx -all\n"
        "y.com A 192.0.2.7\ny.com MX 5 m.y.com"
    )
    node = tree(check(zone | SLOW))
    assert node.mood == "unknown"
    include, slow, *_ = node.children
    assert include.count == 3
    assert [child.label for child in include.children] == ["y.com: fail"]
    assert slow.children == (Node("slow.com A", "unanswered: timeout", "unknown"),)


def test_replies_are_described_in_few_words() -> None:
    assert describe(Answer((), name_exists=False)) == "no such name"
    assert describe(Answer(tuple(f"n{n}" for n in range(9)))).endswith("and 3 more")
    zone = zone_of("a.com MX 5 .\nb.com TXT x|y")
    assert describe(zone["a.com", "MX"]) == "."
    assert describe(zone["b.com", "TXT"]) == "xy"


NAME = st.sampled_from(
    ["example.com", "x.com", "y.com", "%{i}.x.com", "%{d}", "%{l}.y.com", "%{p}"]
)
TERM = st.one_of(
    st.builds("{}{}:{}".format, st.sampled_from(["", "-", "~", "?"]),
              st.sampled_from(["include", "a", "mx", "ptr", "exists"]), NAME),
    st.builds("redirect={}".format, NAME),
    st.sampled_from(["a", "mx", "ptr", "-all", "ip4:192.0.2.0/24", "ip6:::/0", "exp=x.com", "k=v"]),
)  # fmt: skip
TEXT = st.one_of(
    st.lists(TERM, max_size=14).map(lambda terms: " ".join(["v=spf1", *terms]).encode()),
    st.binary(max_size=60).map(lambda raw: b"v=spf1 " + raw),
    st.binary(max_size=20),
)
REPLY = st.one_of(
    st.lists(TEXT, max_size=2).map(lambda texts: Answer(tuple(TextRecord((t,)) for t in texts))),
    st.just(Unanswered(Silence.TIMEOUT)),
    st.just(Answer((), name_exists=False)),
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["example.com", "x.com", "y.com"]), REPLY),
    st.ip_addresses(),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_any_zone_gives_a_verdict_in_bounded_steps(
    texts: dict[str, Reply], ip: object, local_part: str, helo: str
) -> None:
    plan = check_host(ip_address(str(ip)), f"{local_part}@example.com", helo)
    asked = 0
    try:
        queries = next(plan)
        while True:
            asked += len(queries)
            assert asked < 300
            queries = plan.send(tuple(_reply(query, texts) for query in queries))
    except StopIteration as done:
        evaluation: Evaluation = done.value
    assert evaluation.terms <= 11
    assert tree(evaluation).label.isascii()


def _reply(query: Query, texts: dict[str, Reply]) -> Reply:
    return texts.get(query.name, Answer()) if query.type == "TXT" else Answer()
