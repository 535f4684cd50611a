"""Planned records are read as receivers would, and refused with the place of the first fault."""

from collections.abc import Callable, Mapping

import pytest

from agent.domain.dmarc_terms import Policy
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
from agent.domain.overlay import Alias
from agent.domain.planned import (
    Change,
    PlanError,
    SilentError,
    Wishes,
    changes,
    read_dkim,
    read_dmarc,
    read_mx,
    read_spf,
    read_tls_rpt,
)
from agent.lab.world import SIGNING_KEY

D = "contoso.com"
DMARC = f"_dmarc.{D}"
SPF = "v=spf1 include:spf.protection.outlook.com -all"
KEY = f"v=DKIM1; k=rsa; p={SIGNING_KEY}"
ARMOUR = "-----BEGIN RSA PRIVATE KEY-----"


def text(*texts: str) -> Answer:
    return Answer(tuple(TextRecord((each.encode(),)) for each in texts))


def planned(wishes: Wishes, zone: Mapping[tuple[str, str], Reply] | None = None) -> Change:
    (change,) = replay(changes(D, wishes), zone or {})
    return change


@pytest.mark.parametrize(
    ("read", "given", "value"),
    [
        pytest.param(read_spf, SPF, SPF, id="spf"),
        pytest.param(read_dmarc, "Reject", Policy.REJECT, id="policy"),
        pytest.param(read_dmarc, "v=DMARC1; p=none", "v=DMARC1; p=none", id="dmarc"),
        pytest.param(read_mx, "10 MX.contoso.com.", Exchange(10, "mx.contoso.com"), id="mx"),
        pytest.param(read_mx, "0 .", Exchange(0, ""), id="null mx"),
        pytest.param(read_dkim, f"S1={KEY}", ("s1", KEY), id="key"),
        pytest.param(read_dkim, "s1=Key.example.", ("s1", "key.example"), id="alias"),
        pytest.param(
            read_tls_rpt,
            "v=TLSRPTv1; rua=mailto:a@b.example",
            "v=TLSRPTv1; rua=mailto:a@b.example",
            id="tls-rpt",
        ),
    ],
)
def test_what_can_be_published_is_read(
    read: Callable[[str], object], given: str, value: object
) -> None:
    assert read(given) == value


@pytest.mark.parametrize(
    ("read", "given", "position", "problem"),
    [
        pytest.param(read_spf, "v=spf2 -all", 0, "does not begin with `v=spf1`", id="spf version"),
        pytest.param(read_spf, "v=spf1 includ:a.example", 7, "is no mechanism", id="spf term"),
        pytest.param(read_spf, "v=spf1 \u201ca", 7, "not plain ASCII", id="spf quotes"),
        pytest.param(read_spf, "", -1, "is empty", id="spf empty"),
        pytest.param(read_dmarc, "rejects", 0, "is neither none, quarantine", id="dmarc word"),
        pytest.param(read_dmarc, "v=DMARC1; p=rejct", 10, "must be none", id="dmarc value"),
        pytest.param(read_dmarc, "v=DMARC1; sp=none", -1, "no tag `p`", id="dmarc without p"),
        pytest.param(read_mx, "mx.contoso.com", 0, "a preference and a host", id="mx host only"),
        pytest.param(read_mx, "70000 a.example", 0, "a preference and a host", id="mx too high"),
        pytest.param(read_mx, "10 a b", 3, "names no host", id="mx two words"),
        pytest.param(read_mx, "10 192.0.2.1", 3, "names no host", id="mx address"),
        pytest.param(read_mx, "10", 2, "names no host", id="mx no host"),
        pytest.param(read_dkim, KEY, 0, "must be a selector", id="key for a selector"),
        pytest.param(read_dkim, "s1=k=rsa; p", 10, "is no tag with a value", id="key, no value"),
        pytest.param(read_dkim, "-", 0, "must be a selector", id="no selector"),
        pytest.param(read_dkim, "s1=v=DKIM1; p=AAAA", 14, "has no key in `p`", id="no key"),
        pytest.param(read_dkim, f"s1=p={ARMOUR}MIIB", 5, "a private key", id="private key"),
        pytest.param(read_tls_rpt, "v=TLSRPT", 0, "is no record for TLS reports", id="tls version"),
        pytest.param(read_tls_rpt, "v=TLSRPTv1; rua=me", 16, "", id="tls-rpt uri"),
        pytest.param(read_tls_rpt, "v=TLSRPTv1;", -1, "it has no `rua`", id="tls-rpt without rua"),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_place(
    read: Callable[[str], object], given: str, position: int, problem: str
) -> None:
    with pytest.raises(PlanError) as refused:
        read(given)
    assert problem in refused.value.problem
    assert refused.value.position == position


def test_other_text_beside_spf_stays() -> None:
    zone = {(D, "TXT"): text("MS=ms123", "v=spf1 +all")}
    change = planned(Wishes(spf=SPF), zone)
    assert change == Change(Query(D, "TXT"), text("MS=ms123", SPF), ("v=spf1 +all",), (SPF,))
    silent = planned(Wishes(spf=SPF), {(D, "TXT"): Unanswered(Silence.TIMEOUT)})
    assert silent.planned == text(SPF)


def test_a_long_record_is_cut_into_strings() -> None:
    long = "v=spf1 " + "ip4:192.0.2.1 " * 30 + "-all"
    found = planned(Wishes(spf=long)).planned
    assert isinstance(found, Answer)
    (record,) = found.records
    assert isinstance(record, TextRecord)
    assert [len(each) for each in record.strings] == [255, len(long) - 255]


@pytest.mark.parametrize(
    ("now", "then"),
    [
        pytest.param("v=DMARC1; p=none; rua=mailto:a@b", "v=DMARC1; p=reject; rua=mailto:a@b"),
        pytest.param("v=DMARC1;p = none;sp=none", "v=DMARC1;p = reject;sp=none"),
        pytest.param("v=DMARC1; rua=mailto:a@b", "v=DMARC1; p=reject; rua=mailto:a@b"),
        pytest.param("no record", "v=DMARC1; p=reject"),
    ],
)
def test_a_policy_leaves_the_rest_of_the_record_as_it_is(now: str, then: str) -> None:
    change = planned(Wishes(dmarc=Policy.REJECT), {(DMARC, "TXT"): text(now)})
    assert (change.before, change.after) == ((now,), (then,))


def test_a_policy_needs_one_record_that_is_known() -> None:
    several = {(DMARC, "TXT"): text("v=DMARC1; p=none", "v=DMARC1; p=reject")}
    with pytest.raises(PlanError, match="has 2; give the whole record"):
        planned(Wishes(dmarc=Policy.REJECT), several)
    silent = {(DMARC, "TXT"): Unanswered(Silence.SERVFAIL)}
    with pytest.raises(SilentError, match="servfail"):
        planned(Wishes(dmarc=Policy.REJECT), silent)
    assert planned(Wishes(dmarc="v=DMARC1; p=none"), silent).before == ("no answer: servfail",)


def test_everything_may_be_planned_at_once() -> None:
    wishes = Wishes(
        mx=(Exchange(5, "new.example"), Exchange(0, "")),
        dkim={"s1": KEY, "s2": "key.example"},
        mta_sts="v=STSv1; id=1",
        tls_rpt="v=TLSRPTv1; rua=mailto:a@b.example",
    )
    found = replay(changes(D, wishes), {(D, "MX"): Answer((Exchange(1, "old.example"),))})
    assert [change.query.name for change in found] == [
        D,
        f"s1._domainkey.{D}",
        f"s2._domainkey.{D}",
        f"_mta-sts.{D}",
        f"_smtp._tls.{D}",
    ]
    mx, _, alias, *_ = found
    assert (mx.before, mx.after) == (("1 old.example",), ("0 .", "5 new.example"))
    assert (alias.planned, alias.after) == (Alias("key.example"), ("CNAME key.example",))
