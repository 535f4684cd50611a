"""Does a survey find where senders would go?"""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.knowledge.providers import PROFILES
from agent.domain.lookup import (
    Answer,
    Exchange,
    Query,
    Reply,
    Silence,
    TextRecord,
    Unanswered,
    replay,
)
from agent.domain.mx import (
    MAX_TARGETS,
    NO_SUCH_LABEL,
    can_be_host,
    is_host_name,
    literal,
    matches,
    owner_of,
    survey,
)
from agent.domain.mx_lint import expect, lint

PUBLIC = IPv4Address("192.31.196.10")
PUBLIC6 = IPv6Address("2600::25")
Zone = dict[tuple[str, str], Reply]


def mx(*records: tuple[int, str]) -> Answer:
    return Answer(tuple(Exchange(preference, name) for preference, name in records))


def test_addresses_of_all_exchanges_are_asked_for_at_once() -> None:
    plan = survey("example.com")
    first = next(plan)
    assert first == (Query("example.com", "MX"), Query(f"{NO_SUCH_LABEL}.example.com", "MX"))
    assert [query.fresh for query in first] == [True, False]
    second = plan.send((mx((20, "b.example"), (10, "a.example")), Answer()))
    assert second == tuple(
        Query(name, kind) for name in ("a.example", "b.example") for kind in ("A", "AAAA")
    )
    with pytest.raises(StopIteration):
        plan.send((Answer(), Answer(), Answer(), Answer()))


def test_exchanges_come_once_and_the_most_preferred_first() -> None:
    zone: Zone = {
        ("example.com", "MX"): mx((30, "B.example"), (10, "a.example"), (5, "b.example")),
        ("a.example", "A"): Answer((PUBLIC,)),
        ("b.example", "AAAA"): Answer((PUBLIC6, PUBLIC6)),
    }
    found = replay(survey("example.com"), zone)
    assert [(one.exchange, one.preference) for one in found.targets] == [
        ("b.example", 5),
        ("a.example", 10),
    ]
    assert [one.addresses for one in found.targets] == [(PUBLIC6,), (PUBLIC,)]
    assert found.routes == found.targets
    assert len(found.records) == 3


def test_without_mx_the_domain_itself_is_the_exchange() -> None:
    zone: Zone = {("example.com", "MX"): Answer(), ("example.com", "A"): Answer((PUBLIC,))}
    found = replay(survey("example.com"), zone)
    assert found.implicit is not None
    assert found.routes == (found.implicit,)
    assert found.implicit.addresses == (PUBLIC,)


def test_an_unanswered_address_of_the_domain_is_no_absence() -> None:
    zone: Zone = {
        ("example.com", "MX"): Answer(),
        ("example.com", "A"): Unanswered(Silence.TIMEOUT),
    }
    found = replay(survey("example.com"), zone)
    assert found.implicit is not None
    assert found.implicit.silence is Silence.TIMEOUT
    assert not found.implicit.has_no_address


def test_a_domain_with_neither_mx_nor_address_has_no_route() -> None:
    found = replay(survey("example.com"), {("example.com", "TXT"): Answer()})
    assert found.routes == ()


def test_a_domain_that_does_not_exist_is_not_asked_for_more() -> None:
    plan = survey("example.com")
    next(plan)
    with pytest.raises(StopIteration) as done:
        plan.send((Answer(name_exists=False), Answer(name_exists=False)))
    assert done.value.value.implicit is None


def test_nothing_follows_from_an_unanswered_question() -> None:
    silence = Unanswered(Silence.SERVFAIL)
    found = replay(survey("example.com"), {("example.com", "MX"): silence})
    assert found.reply is silence
    assert found.routes == ()
    assert lint(found, expect("exchange-online")) == ()


def test_a_domain_too_long_for_a_label_below_it_is_not_asked_for_a_wildcard() -> None:
    domain = ".".join(["a" * 60] * 4)
    (only,) = next(survey(domain))
    assert only == Query(domain, "MX")


def test_a_null_mx_is_recognised_and_no_target() -> None:
    found = replay(survey("example.com"), {("example.com", "MX"): mx((0, ""))})
    assert found.is_null
    assert found.targets == ()
    assert not replay(survey("b.example"), {("b.example", "MX"): Answer()}).is_null


def test_the_wildcard_is_seen_below_the_domain() -> None:
    zone: Zone = {
        ("example.com", "MX"): mx((0, "")),
        (f"{NO_SUCH_LABEL}.example.com", "MX"): mx((10, "a.example")),
    }
    assert replay(survey("example.com"), zone).wildcard == (Exchange(10, "a.example"),)


def test_no_more_than_a_bounded_number_of_exchanges_is_followed() -> None:
    names = [(10, f"mx{number:03}.example") for number in range(MAX_TARGETS + 5)]
    found = replay(survey("example.com"), {("example.com", "MX"): mx(*names)})
    assert len(found.targets) == MAX_TARGETS + 5
    assert sum(one.followed for one in found.targets) == MAX_TARGETS


def test_aliases_of_an_exchange_are_kept() -> None:
    zone: Zone = {
        ("example.com", "MX"): mx((10, "mail.example")),
        ("mail.example", "A"): Answer((PUBLIC,), aliases=("host.example",)),
    }
    (target,) = replay(survey("example.com"), zone).targets
    assert target.aliases == ("host.example",)


@pytest.mark.parametrize(
    ("exchange", "address"),
    [
        pytest.param("192.0.2.1", "192.0.2.1", id="bare IPv4"),
        pytest.param("[192.0.2.1]", "192.0.2.1", id="bracketed IPv4"),
        pytest.param("2001:db8::1", "2001:db8::1", id="bare IPv6"),
        pytest.param("[ipv6:2001:db8::1]", "2001:db8::1", id="tagged IPv6"),
    ],
)
def test_an_address_in_place_of_a_name_is_read(exchange: str, address: str) -> None:
    assert literal(exchange) == ip_address(address)
    assert not can_be_host(exchange)


@pytest.mark.parametrize(
    ("exchange", "host", "followed"),
    [
        pytest.param("mail.example.com", True, True, id="ordinary"),
        pytest.param("localhost", True, True, id="single label"),
        pytest.param("mail.example.1", True, True, id="a number at the end"),
        pytest.param("mail_1.example.com", False, True, id="underscore"),
        pytest.param("10 mail.example.com", False, False, id="preference inside"),
        pytest.param("mail.example.com ", False, False, id="trailing space"),
        pytest.param("mail.example.com\n", False, False, id="trailing line feed"),
        pytest.param("-mail.example.com", False, False, id="leading hyphen"),
        pytest.param("mail..example.com", False, False, id="empty label"),
        pytest.param("*.example.com", False, False, id="asterisk"),
        pytest.param("\x00.example.com", False, False, id="control octet"),
        pytest.param(f"{'a' * 64}.example", False, False, id="label too long"),
        pytest.param(".".join(["a" * 60] * 5), False, False, id="name too long"),
        pytest.param("", False, False, id="root"),
    ],
)
def test_host_names_are_told_from_others(exchange: str, host: bool, followed: bool) -> None:  # noqa: FBT001
    assert is_host_name(exchange) is host
    assert can_be_host(exchange) is followed


@pytest.mark.parametrize(
    ("pattern", "exchange", "fits"),
    [
        pytest.param("mx1.example.com", "mx1.example.com", True, id="exact"),
        pytest.param("MX1.example.com.", "mx1.example.com", True, id="case and trailing dot"),
        pytest.param("mx1.example.com", "mx2.example.com", False, id="another host"),
        pytest.param("*.mx.microsoft", "contoso-com.e-v1.mx.microsoft", True, id="two labels"),
        pytest.param("*.example.com", "example.com", False, id="the name itself"),
        pytest.param("*.example.com", ".example.com", False, id="empty label"),
        pytest.param("*.example.com", "evilexample.com", False, id="no dot between"),
    ],
)
def test_patterns_match_whole_labels(pattern: str, exchange: str, fits: bool) -> None:  # noqa: FBT001
    assert matches(pattern, exchange) is fits


@pytest.mark.parametrize(
    ("exchange", "name"),
    [
        pytest.param("contoso-com.mail.protection.outlook.com", "exchange-online", id="classic"),
        pytest.param("contoso-com.e-v1.mx.microsoft", "exchange-online", id="dnssec"),
        pytest.param("contoso-com.mail.protection.office365.us", "gcc-high", id="gcc-high"),
        pytest.param("contoso-com.mail.protection.outlook.de", "germany", id="retired"),
        pytest.param("mail.messaging.microsoft.com", "legacy", id="legacy"),
        pytest.param("aspmx.l.google.com", "google-workspace", id="exact name"),
        pytest.param("mx0a-00000001.pphosted.com", "proofpoint", id="filter"),
        pytest.param("mail.example.com", None, id="nobody known"),
        pytest.param("localhost", None, id="single label"),
    ],
)
def test_the_owner_of_a_host_is_told_by_its_name(exchange: str, name: str | None) -> None:
    owner = owner_of(exchange)
    assert (owner.name if owner else None) == name


def test_every_pattern_of_a_profile_is_recognised_as_its_own() -> None:
    for profile in PROFILES.values():
        for pattern in profile.exchange_patterns:
            owner = owner_of(pattern.replace("*", "x"))
            assert owner is not None
            assert owner.name == profile.name


_name = st.one_of(
    st.sampled_from(
        [
            "",
            "a.example",
            "b.example",
            "localhost",
            "192.0.2.1",
            "[ipv6:::1]",
            "a_b.example",
            "contoso-com.mail.protection.outlook.com",
            "contoso-com.e-v1.mx.microsoft",
            "x.mail.protection.outlook.de",
            "mail.eo.outlook.com",
            "mx.pphosted.com",
        ]
    ),
    st.text(st.characters(max_codepoint=255), max_size=260),
)
_address = st.one_of(
    st.ip_addresses(), st.sampled_from([PUBLIC, PUBLIC6, IPv4Address("127.0.0.1")])
)
_record = st.one_of(
    st.builds(Exchange, st.integers(0, 65535), _name),
    _address,
    st.just(TextRecord((b"v=spf1 -all",))),
    st.just("host.example"),
)
_reply = st.one_of(
    st.builds(
        Answer,
        st.lists(_record, max_size=25).map(tuple),
        st.booleans(),
        st.lists(_name, max_size=3).map(tuple),
        st.none() | st.integers(0, 2**31 - 1),
    ),
    st.sampled_from(Silence).map(Unanswered),
)


@given(
    first=_reply,
    rest=st.lists(_reply, min_size=1, max_size=8),
    topology=st.sampled_from(["exchange-online", "third-party-filter", "parked", "custom"]),
    exchanges=st.sampled_from([(), ("a.example", "b.example"), ("*.mx.microsoft",)]),
)
def test_whatever_dns_says_nothing_breaks_and_all_text_is_printable(
    first: Reply, rest: list[Reply], topology: str, exchanges: tuple[str, ...]
) -> None:
    plan = survey("contoso.com")
    next(plan)
    replies: tuple[Reply, ...] = (first, rest[0])
    while True:
        try:
            queries = plan.send(replies)
        except StopIteration as done:
            found = done.value
            break
        replies = tuple(rest[place % len(rest)] for place, _ in enumerate(queries))
    findings = lint(found, expect(topology, exchanges=exchanges, min_ttl=300, max_ttl=86400))
    for finding in findings:
        for text in (finding.detail, *finding.evidence):
            assert text.isascii()
            assert text.isprintable()
            assert len(text) < 3000
