"""Judging certificates."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.peer_text import PeerText
from agent.domain.tls import (
    Certificate,
    Flaw,
    Match,
    Presented,
    Trust,
    judge,
    match_name,
    match_one,
)
from servers.certificate import DAY, NOW, SOUND

SECOND = timedelta(seconds=1)
SOON = 30 * DAY


def flaws(leaf: Certificate, trust: Trust = Trust.TRUSTED, expected: str | None = None) -> set[str]:
    presented = Presented(leaf, (), trust)
    return {fault.flaw.value for fault in judge(presented, expected=expected, at=NOW, soon=SOON)}


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        pytest.param({}, None, id="sound"),
        pytest.param({"not_after": NOW - SECOND}, Flaw.EXPIRED, id="expired"),
        pytest.param({"not_after": NOW}, Flaw.EXPIRES_SOON, id="in its last second"),
        pytest.param({"not_before": NOW + SECOND}, Flaw.NOT_YET_VALID, id="not yet valid"),
        pytest.param({"not_before": NOW}, None, id="in its first second"),
        pytest.param({"not_after": NOW + SOON - SECOND}, Flaw.EXPIRES_SOON, id="expires soon"),
        pytest.param({"not_after": NOW + SOON}, None, id="not so soon"),
        pytest.param({"key_bits": 2047}, Flaw.WEAK_KEY, id="RSA-2047"),
        pytest.param({"key_bits": 0, "key_type": "other"}, None, id="unknown key"),
        pytest.param({"key_bits": 256, "key_type": "EC"}, None, id="P-256"),
        pytest.param({"key_bits": 224, "key_type": "EC"}, None, id="P-224"),
        pytest.param({"key_bits": 192, "key_type": "EC"}, Flaw.WEAK_KEY, id="P-192"),
        pytest.param({"signature": "sha1"}, Flaw.WEAK_SIGNATURE, id="SHA-1"),
    ],
)
def test_a_flaw_is_seen(changes: dict[str, object], flaw: Flaw | None) -> None:
    assert flaws(replace(SOUND, **changes)) == ({flaw.value} if flaw else set())  # type: ignore[arg-type]


def test_all_faults_are_said_at_once() -> None:
    leaf = replace(SOUND, not_after=NOW - DAY, key_bits=512, signature="md5")
    assert flaws(leaf, Trust.UNTRUSTED, "other.example.com") == {
        Flaw.EXPIRED,
        Flaw.UNTRUSTED,
        Flaw.NAME_MISMATCH,
        Flaw.WEAK_KEY,
        Flaw.WEAK_SIGNATURE,
    }


@pytest.mark.parametrize(
    ("presented", "words"),
    [
        pytest.param(Presented(SOUND, (), Trust.SELF_SIGNED), "signed by itself", id="self-signed"),
        pytest.param(Presented(SOUND, (), Trust.INCOMPLETE), "not sent: CN=Issuer", id="alone"),
        pytest.param(
            Presented(SOUND, (replace(SOUND, issuer=PeerText("CN=Root")),), Trust.INCOMPLETE),
            "not sent: CN=Root",
            id="one above is missing",
        ),
        pytest.param(Presented(SOUND, (), Trust.UNTRUSTED, "why"), "root (why)", id="why"),
        pytest.param(Presented(SOUND, (), Trust.UNTRUSTED), "no trusted root", id="unknown"),
    ],
)
def test_where_a_chain_leads_is_said(presented: Presented, words: str) -> None:
    (fault,) = judge(presented, expected=None, at=NOW, soon=DAY)
    assert words in fault.detail


@pytest.mark.parametrize(
    ("expected", "held", "match"),
    [
        pytest.param("mail.contoso.com", "Mail.Contoso.com.", Match.YES, id="the same"),
        pytest.param("mail.contoso.com", "*.contoso.com", Match.YES, id="a wildcard covers one"),
        pytest.param("a.b.contoso.com", "*.contoso.com", Match.NO, id="and not two labels"),
        pytest.param("contoso.com", "*.contoso.com", Match.NO, id="nor none"),
        pytest.param("mail.contoso.com", "m*.contoso.com", Match.NO, id="wildcard within"),
        pytest.param("mail.contoso.com", "*.*.com", Match.NO, id="two wildcards"),
        pytest.param("*.contoso.com", "*.contoso.com", Match.YES, id="the same wildcard"),
        pytest.param("*.contoso.com", "x.contoso.com", Match.YES, id="a name in the zone"),
        pytest.param("*.contoso.com", "contoso.com", Match.AMBIGUOUS, id="the zone itself"),
        pytest.param("*.contoso.com", "a.b.contoso.com", Match.AMBIGUOUS, id="a deeper name"),
        pytest.param("*.contoso.com", "*.b.contoso.com", Match.AMBIGUOUS, id="deeper wildcard"),
        pytest.param("*.contoso.com", "x.fabrikam.com", Match.NO, id="another zone"),
    ],
)
def test_names_match_by_exchanges_rules(expected: str, held: str, match: Match) -> None:
    assert match_name(expected, replace(SOUND, names=(PeerText(held),))) is match


def test_the_common_name_counts_where_there_is_no_other() -> None:
    leaf = replace(SOUND, names=(), name_count=0)
    assert match_name("mail.contoso.com", leaf) is Match.YES
    nameless = replace(leaf, common_name=PeerText(""))
    assert flaws(nameless, expected="mail.contoso.com") == {Flaw.NAME_MISMATCH}


def test_an_undocumented_match_is_not_called_wrong() -> None:
    leaf = replace(SOUND, names=(PeerText("contoso.com"),))
    assert flaws(leaf, expected="*.contoso.com") == {Flaw.NAME_AMBIGUOUS}


def test_the_right_name_is_no_flaw() -> None:
    assert flaws(SOUND, expected="mail.contoso.com") == set()


def test_names_that_were_cut_off_leave_it_open() -> None:
    leaf = replace(SOUND, name_count=10_000)
    assert match_name("other.contoso.com", leaf) is Match.AMBIGUOUS


def test_few_names_are_shown() -> None:
    names = tuple(PeerText(f"n{number}.contoso.com") for number in range(50))
    leaf = replace(SOUND, names=names, name_count=50)
    (fault,) = judge(Presented(leaf, (), Trust.TRUSTED), expected="x.example", at=NOW, soon=DAY)
    assert fault.detail.endswith("and 40 more")


def test_a_wildcard_of_nothing_covers_nothing() -> None:
    for held in ("*..", "*.", "*"):
        assert match_one("localhost", held) is Match.NO


_LABEL = st.text("abz019-*", min_size=1, max_size=3)
_NAMES = st.lists(_LABEL, min_size=1, max_size=4).map(".".join)


@given(_NAMES, _NAMES)
def test_a_name_fits_only_itself_or_below_a_wildcard_of_one_label(wanted: str, held: str) -> None:
    match = match_one(wanted, held)
    assert match_one(wanted.upper() + ".", held) is match
    if match is not Match.YES or wanted == held:
        return
    # One of the two is a wildcard, and all behind the first label is the same.
    assert wanted.startswith("*.") or held.startswith("*.")
    assert wanted.partition(".")[2] == held.partition(".")[2]
