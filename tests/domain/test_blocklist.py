"""How blocklists are asked, and what their answers mean."""

from ipaddress import ip_address, ip_network

import pytest

from agent.domain.blocklist import (
    Asked,
    State,
    health,
    is_key,
    kind_of,
    read,
    read_reason,
    written,
)
from agent.domain.knowledge.blocklists import BLOCKLISTS, KEYED_SUFFIXES
from agent.domain.lookup import Answer, Query, Reply, Silence, TextRecord, Unanswered

NOTHING = Answer(name_exists=False)
SILENT = Unanswered(Silence.TIMEOUT)
_CODES = ip_network("127.0.0.0/8")


def asked(name: str = "spamhaus-zen", key: str = "") -> Asked:
    known = BLOCKLISTS[name]
    return Asked(known, known.keyed_zone if key else known.zone, known.refuses, known.of, key)


def codes(*texts: str) -> Answer:
    return Answer(tuple(map(ip_address, texts)))


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        # RFC 5782 sections 2.1, 2.4 and 3.
        (ip_address("192.0.2.99"), "99.2.0.192"),
        (
            ip_address("2001:db8:1:2:3:4:567:89ab"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2",
        ),
        (ip_address("::ffff:7f00:2"), "2.0.0.0.0.0.f.7.f.f.f.f" + 20 * ".0"),
        ("contoso.com", "contoso.com"),
    ],
)
def test_an_entry_is_written_as_lists_have_it(entry: object, name: str) -> None:
    assert written(entry) == name  # type: ignore[arg-type]


def test_the_question_names_the_zone_and_a_key_before_it() -> None:
    four = ip_address("192.0.2.99")
    assert asked().query(four) == Query("99.2.0.192.zen.spamhaus.org", "A")
    keyed = asked(key="SeCret")
    assert keyed.query(four, text=True).name == "99.2.0.192.secret.zen.dq.spamhaus.net"
    assert "ecret" not in repr(keyed).lower()


@pytest.mark.parametrize(
    ("reply", "state", "words"),
    [
        (NOTHING, State.NOT_LISTED, ""),
        (Answer((TextRecord((b"x",)),)), State.NOT_LISTED, ""),
        (SILENT, State.UNANSWERED, "timeout"),
        (codes("192.0.2.80"), State.BROKEN, "192.0.2.80, which is not in 127/8"),
        (codes("127.0.0.2", "10.0.0.1"), State.BROKEN, "10.0.0.1"),
        (codes("127.255.255.252"), State.REFUSED, "misspelt"),
        (codes("127.255.255.254"), State.REFUSED, "public or open resolver"),
        (codes("127.255.255.255"), State.REFUSED, "too many questions"),
        (codes("127.255.255.7"), State.REFUSED, "for a reason of its own"),
        (codes("127.0.0.1"), State.REFUSED, "does not answer"),
    ],
)
def test_what_is_no_listing(reply: Reply, state: State, words: str) -> None:
    verdict = read(asked(), reply)
    assert verdict.state is state
    assert words in verdict.detail


def test_codes_are_told_by_their_meaning_and_others_by_their_number() -> None:
    verdict = read(asked(), codes("127.0.0.10", "127.0.0.4", "127.0.0.77"))
    assert verdict.state is State.LISTED
    assert verdict.refuses
    first, second, third = verdict.said
    assert first == "127.0.0.4: infected or hijacked machine (XBL)"
    assert second.startswith("127.0.0.10: end users' addresses")
    assert third == "127.0.0.77: a code that is not known here"
    alone = read(asked(), codes("127.0.0.77"))
    assert alone.refuses  # it is listed, whatever for


def test_bits_are_told_one_by_one() -> None:
    verdict = read(asked("uribl"), codes("127.0.0.14"))
    (said,) = verdict.said
    assert said == (
        "127.0.0.14: named in spam (black), named in mail that some call spam (grey),"
        " young, or of those who look alike (red)"
    )
    assert verdict.refuses
    assert not read(asked("uribl"), codes("127.0.0.4")).refuses
    assert not read(asked("spamhaus-dbl"), codes("127.0.1.102")).refuses


def test_a_list_has_refusals_of_its_own() -> None:
    assert "public one" in read(asked("uribl"), codes("127.0.0.1")).detail
    assert "asked for an address" in read(asked("spamhaus-dbl"), codes("127.0.1.255")).detail


def test_the_reason_is_made_safe_and_the_key_is_taken_out() -> None:
    text = b"see https://list.example/?k=SECRETKEY\x1b[31m\n" + b"x" * 900
    reply = Answer((TextRecord((text[:200], text[200:])),))
    reason = read_reason(asked(key="secretkey"), reply)
    assert reason.startswith(r"see https://list.example/?k=********\x1b[31m\x0a")
    assert len(reason) == 200
    assert "SECRETKEY" in read_reason(asked(), reply)
    assert read_reason(asked(), NOTHING) == ""
    assert read_reason(asked(), SILENT) == ""


@pytest.mark.parametrize(
    ("listed", "never", "state", "words"),
    [
        (codes("127.0.0.2"), NOTHING, State.NOT_LISTED, ""),
        (NOTHING, NOTHING, State.UNANSWERED, "does not list 127.0.0.2, its own entry"),
        (codes("127.0.0.2"), codes("127.0.0.2"), State.BROKEN, "lists even 127.0.0.1"),
        (codes("192.0.2.1"), codes("192.0.2.1"), State.BROKEN, "not in 127/8"),
        (codes("127.255.255.254"), codes("127.255.255.254"), State.REFUSED, "public"),
        (NOTHING, codes("127.255.255.254"), State.REFUSED, "public"),
        (SILENT, NOTHING, State.UNANSWERED, "timeout"),
        (codes("127.0.0.2"), SILENT, State.UNANSWERED, "timeout"),
    ],
)
def test_a_list_is_judged_by_its_entries_for_tests(
    listed: Reply, never: Reply, state: State, words: str
) -> None:
    found = health(asked(), "ipv4", listed, never)
    assert found.state is state
    assert found.is_good is (state is State.NOT_LISTED)
    assert words in found.detail


def test_each_sort_of_entry_has_its_own_tests() -> None:
    assert [kind_of(each) for each in asked().tests("ipv6")] == ["ipv6", "ipv6"]
    assert asked("spamhaus-dbl").tests("domain") == ("dbltest.com", "invalid")
    assert asked("psbl").tests("domain") == ("test", "invalid")


def test_a_key_is_a_label() -> None:
    assert is_key("a1b2-c3_d4")
    for text in ("", "a.b", "a b", "x" * 64, "schlüssel"):
        assert not is_key(text)


def test_the_table_fits_together() -> None:
    for name, known in BLOCKLISTS.items():
        assert known.name == name
        assert known.terms.endswith(".")
        assert known.page.startswith("https://")
        assert known.codes or known.bits
        assert all(ip_address(code) in _CODES for code in (*known.codes, *known.refusals))
        assert not known.keyed_zone or known.keyed_zone.endswith(KEYED_SUFFIXES)
