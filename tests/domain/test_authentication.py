import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.authentication import read_authentication, read_received_spf
from agent.domain.authentication_results import AuthResult, Statement
from agent.domain.header_fields import read_head
from servers.heads import FILTERED, fields

HOP = ("Received", "by mx.example; Tue, 3 Nov 2026 12:00:00 +0000")
GOOD = ("Authentication-Results", "mx.example; spf=pass; dmarc=pass header.from=contoso.com")
BAD = ("Authentication-Results", "mx.example; spf=fail; dmarc=fail header.from=contoso.com")


def test_what_exchange_online_saw_is_read() -> None:
    found = read_authentication(read_head(FILTERED), 6)
    results = {found.spf, found.dkim, found.dmarc, found.compauth}
    assert results == {AuthResult.PASS}
    assert found.signatures[0].domain == "fabrikam.com"
    assert (found.source, found.is_claim) == ("authentication-results", False)
    assert found.sender_address == "205.220.168.10"


def test_the_topmost_field_counts() -> None:
    assert read_authentication(fields(HOP, BAD, HOP, GOOD)).spf is AuthResult.FAIL


def test_a_field_below_the_evidence_does_not_count() -> None:
    head = fields(HOP, HOP, BAD, HOP, GOOD)
    found = read_authentication(head, 2, {"mx.example"})
    assert (found.spf, found.is_claim) == (AuthResult.FAIL, False)


EDGE = "db1.mail.protection.outlook.com"


@pytest.mark.parametrize(
    ("name", "value", "server", "is_claim"),
    [
        pytest.param(*GOOD, "mx.example", False, id="its name"),
        pytest.param(*GOOD, "mx.other.example", True, id="another name"),
        pytest.param(*GOOD, "in.mx.example", False, id="a domain above it"),
        pytest.param("Authentication-Results", "example; spf=pass", "mx.example", True, id="a TLD"),
        pytest.param("Authentication-Results", "spf=pass", "mx.example", True, id="no name"),
        pytest.param("Authentication-Results", "spf=pass", EDGE, False, id="Exchange Online"),
        pytest.param("Authentication-Results", "evil.example; spf=pass", EDGE, True,
                     id="not Exchange Online"),
        pytest.param("Received-SPF", "pass (x) receiver=mx.example", "mx.example", False,
                     id="receiver"),
        pytest.param("Received-SPF", "pass (mx.example: domain of a@b designates ::1)",
                     "mx.example", False, id="speaker"),
        pytest.param("Received-SPF", "pass (x) receiver=evil.example", "mx.example", True,
                     id="another receiver"),
        pytest.param("Received-SPF", "pass", "mx.example", True, id="no receiver"),
    ],
)  # fmt: skip
def test_directly_above_what_a_stranger_wrote_a_field_must_name_a_server_that_is_believed(
    name: str, value: str, server: str, *, is_claim: bool
) -> None:
    found = read_authentication(fields(HOP, (name, value), HOP), 1, {server})
    assert (found.spf, found.is_claim) == (AuthResult.PASS, is_claim)


def test_where_anybody_could_have_written_it_that_is_said() -> None:
    found = read_authentication(fields(HOP, HOP, GOOD), 1)
    assert (found.spf, found.is_claim) == (AuthResult.PASS, True)


def test_evidence_of_a_lesser_kind_is_better_than_a_claim() -> None:
    head = fields(("Received-SPF", "softfail (x)"), HOP, HOP, GOOD)
    found = read_authentication(head, 1)
    assert (found.spf, found.dmarc, found.is_claim) == (AuthResult.SOFTFAIL, None, False)
    assert found.source == "received-spf"


def test_without_any_field_nothing_is_said() -> None:
    found = read_authentication(fields(HOP), 1)
    assert (found.seen, found.source, found.is_claim) == (Statement(), "", False)


def test_filters_of_one_server_complete_each_other() -> None:
    one = ("Authentication-Results", "mx.example; dmarc=pass header.from=contoso.com")
    two = ("Authentication-Results", "mx.example; dkim=pass header.d=contoso.com")
    other = ("Authentication-Results", "mx.other.example; spf=fail")
    found = read_authentication(fields(one, other, two, HOP, BAD))
    assert (found.dmarc, found.dkim, found.spf) == (AuthResult.PASS, AuthResult.PASS, None)


def test_a_field_without_a_name_is_completed_by_nobody() -> None:
    nameless = ("Authentication-Results", "dmarc=pass")
    found = read_authentication(fields(nameless, ("Authentication-Results", "spf=fail")))
    assert (found.dmarc, found.spf) == (AuthResult.PASS, None)


def test_received_spf_speaks_where_the_other_is_silent() -> None:
    silent = ("Authentication-Results", "mx.example; dmarc=pass")
    policy = ("Received-SPF", "Pass (x: domain of a.example designates 192.0.2.1 as permitted)")
    found = read_authentication(fields(silent, policy))
    assert (found.dmarc, found.spf) == (AuthResult.PASS, AuthResult.PASS)
    assert (found.seen.mail_from, found.sender_address) == ("a.example", "192.0.2.1")


@pytest.mark.parametrize(
    ("cip", "address"), [("192.0.2.1", "192.0.2.1"), ("255.255.255.255", ""), ("", "")]
)
def test_the_filter_knows_the_client_as_well(cip: str, address: str) -> None:
    head = fields(("X-Forefront-Antispam-Report", f"CIP:{cip};CTRY:;"))
    assert read_authentication(head).sender_address == address


def test_what_a_server_before_said_is_kept_apart() -> None:
    original = ("Authentication-Results-Original", "spf=softfail smtp.mailfrom=a.example")
    found = read_authentication(fields(GOOD, original, ("ARC-Seal", "i=1; cv=none; d=b.example")))
    assert found.original is not None
    assert found.original.spf is AuthResult.SOFTFAIL
    assert [each.domain for each in found.arc_sets] == ["b.example"]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        pytest.param(
            "Pass (protection.outlook.com: domain of a.example designates 192.0.2.1 as permitted"
            " sender) receiver=protection.outlook.com; client-ip=192.0.2.1; helo=b.example; pr=C",
            Statement(
                spf=AuthResult.PASS,
                mail_from="a.example",
                helo="b.example",
                sender_address="192.0.2.1",
            ),
            id="Exchange Online",
        ),
        pytest.param(
            'Neutral (x) client-ip=2001:db8::1; envelope-from="a@b.example"; helo=c.example;',
            Statement(
                spf=AuthResult.NEUTRAL,
                mail_from="a@b.example",
                helo="c.example",
                sender_address="2001:db8::1",
            ),
            id="RFC 7208",
        ),
        pytest.param("none", Statement(spf=AuthResult.NONE), id="one word"),
        pytest.param("", Statement(), id="nothing"),
    ],
)
def test_received_spf_is_read(value: str, wanted: Statement) -> None:
    assert read_received_spf(value) == wanted


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_no_value_breaks_the_reader(value: str) -> None:
    names = ("Authentication-Results", "Received-SPF", "ARC-Seal", "ARC-Authentication-Results")
    read_authentication(fields(*((name, value) for name in names)), 0)
