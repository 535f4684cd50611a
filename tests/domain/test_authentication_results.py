import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.authentication_results import (
    MAX_SIGNATURES,
    AuthResult,
    Signature,
    Statement,
    read_statement,
)
from servers.budget import best_cpu
from servers.heads import HEADERS, samples

PASS, FAIL, NONE = AuthResult.PASS, AuthResult.FAIL, AuthResult.NONE


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        pytest.param(
            "spf=pass (sender IP is 40.92.253.77) smtp.helo=a.outbound.protection.outlook.com;"
            " outlook.com; dkim=none (message not signed) header.d=none;outlook.com; dmarc=pass"
            " action=none header.from=outlook.com;compauth=pass reason=100",
            Statement(
                spf=PASS,
                helo="a.outbound.protection.outlook.com",
                sender_address="40.92.253.77",
                signatures=(Signature(NONE, comment="message not signed"),),
                dmarc=PASS,
                action="none",
                header_from="outlook.com",
                compauth=PASS,
                reason="100",
            ),
            id="Exchange Online",
        ),
        pytest.param(
            "mx.google.com; dkim=pass header.i=@example.com header.s=s1 header.b=I6sb+J0I;"
            " spf=fail (google.com: domain of a@b.example does not designate 2001:db8::1 as"
            " permitted sender) smtp.mailfrom=a@b.example; dmarc=fail (p=QUARANTINE sp=NONE"
            " dis=QUARANTINE) header.from=b.example",
            Statement(
                authserv_id="mx.google.com",
                spf=FAIL,
                mail_from="a@b.example",
                sender_address="2001:db8::1",
                signatures=(Signature(PASS, "example.com", "s1"),),
                dmarc=FAIL,
                dmarc_policy="quarantine",
                action="quarantine",
                header_from="b.example",
            ),
            id="Google",
        ),
        pytest.param(
            "mx.example 1; dkim/1=pass (ok) header.d=A.example\\x09dkim = fail"
            ' reason="bad; very bad" header.d=b.example; arc=pass smtp.remote-ip=192.0.2.1',
            Statement(
                authserv_id="mx.example",
                sender_address="192.0.2.1",
                signatures=(
                    Signature(PASS, "a.example", comment="ok"),
                    Signature(FAIL, "b.example"),
                ),
                arc=PASS,
            ),
            id="versions, quotes, blanks, no semicolon",
        ),
        pytest.param(
            "mx.google.com; spf=pass smtp.mailfrom=; dkim=timeout (key query timeout) header.d=x.y",
            Statement(
                authserv_id="mx.google.com",
                spf=PASS,
                signatures=(Signature(AuthResult.TIMEOUT, "x.y", comment="key query timeout"),),
            ),
            id="the null sender",
        ),
        pytest.param(
            "mx.example; sender-id=pass header.from=a@b.example; auth=pass (PLAIN);"
            " spf=hardfail smtp.mfrom=a@b.example; dmarc=permerror policy.dmarc=reject",
            Statement(
                authserv_id="mx.example",
                spf=FAIL,
                mail_from="a@b.example",
                dmarc=AuthResult.PERMERROR,
                dmarc_policy="reject",
            ),
            id="methods that we do not keep",
        ),
        pytest.param("mx.example; none", Statement(authserv_id="mx.example"), id="no result"),
        pytest.param(
            "; spf=strange", Statement(spf=AuthResult.OTHER), id="a word that is no result"
        ),
        pytest.param("", Statement(), id="nothing"),
    ],
)
def test_a_field_is_read_whoever_wrote_it(value: str, wanted: Statement) -> None:
    assert read_statement(value) == wanted


def test_one_signature_that_passes_is_enough() -> None:
    seen = read_statement("a; dkim=fail header.d=x.example dkim=pass header.d=y.example")
    assert (seen.dkim, seen.header_domains) == (PASS, ("x.example", "y.example"))
    assert read_statement("a; dkim=fail").dkim is FAIL
    assert read_statement("a; spf=pass").dkim is None


def test_a_reason_has_a_meaning() -> None:
    assert "accepted domains" in read_statement("compauth=fail reason=601").reason_meaning
    assert "ARC" in read_statement("compauth=pass reason=130").reason_meaning
    assert read_statement("spf=pass").reason_meaning == ""


def test_a_statement_is_completed_only_where_it_is_silent() -> None:
    first = read_statement("a; spf=pass smtp.mailfrom=x.example")
    second = read_statement("a; spf=fail smtp.helo=y.example; dmarc=pass header.from=z.example")
    both = first.completed(second)
    assert (both.spf, both.mail_from, both.helo) == (PASS, "x.example", "")
    assert (both.dmarc, both.header_from) == (PASS, "z.example")


def test_what_is_kept_is_bounded() -> None:
    seen = read_statement("a; " + "dkim=pass " * 500)
    assert len(seen.signatures) == MAX_SIGNATURES


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_no_value_breaks_the_reader(value: str) -> None:
    read_statement(value)
    read_statement(f"a; spf=pass ({value} dkim={value}; {value}=")


@pytest.mark.skipif(not HEADERS.exists(), reason="the folder ../shared is absent")
def test_every_real_field_with_a_method_gives_its_result() -> None:
    seen = [each for each in samples() if each.name.endswith("authentication-results")]
    assert len(seen) > 60
    for each in seen:
        statement = read_statement(each.value)
        for method in ("spf", "dkim", "dmarc", "arc"):
            has = any(f"{start}{method}=" in f" {each.value}" for start in " ;")
            assert (getattr(statement, method) is not None) is has, each


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("a; " + "dkim=pass " * 800, id="methods"),
        pytest.param("a; " + 'x="\\' * 2000, id="quotes"),
        pytest.param("a" + " =" * 4000, id="equals signs"),
        pytest.param("a; dmarc=pass " + "(p=)" * 2000, id="comments"),
        pytest.param("a; spf=pass (" + "sender IP is " * 600, id="senders"),
    ],
)
def test_a_hostile_field_is_read_at_once(value: str) -> None:
    assert best_cpu(lambda: read_statement(value)) < 0.05
