"""Does the matrix say who may send, what can align and what would be lost?"""

import pytest

from agent.domain.dkim_terms import Verdict
from agent.domain.dmarc_senders import MOST_SELECTORS
from agent.domain.dmarc_terms import Policy
from agent.domain.lookup import Silence
from agent.domain.sender_matrix import Chance, candidates, draw
from servers import dkim_case as dkim
from servers.dmarc_case import KEY, MICROSOFT, SIGNED, SILENT, SPF, Case, D, text

P, F, U = Chance.PASS, Chance.FAIL, Chance.UNKNOWN
OWN = "192.31.196.7"
WITH_OWN = f"{D} TXT v=spf1 ip4:{OWN} -all"
MAIL = f"mail._domainkey.{D} TXT {KEY}"
EXCHANGE = ("exchange-online",)
BROKEN = f"selector1._domainkey.{D} TXT {KEY[:-9]}"


@pytest.mark.parametrize(
    ("senders", "selectors", "more", "expected"),
    [
        pytest.param(EXCHANGE, (), f"{SPF}\n{SIGNED}", (P, P, P, P), id="cloud, all well"),
        pytest.param(EXCHANGE, (), SPF, (P, P, F, P), id="cloud without DKIM"),
        pytest.param(EXCHANGE, (), SIGNED, (F, F, P, P), id="cloud without SPF"),
        pytest.param(EXCHANGE, (), WITH_OWN, (F, F, F, F), id="cloud with neither"),
        pytest.param(
            EXCHANGE,
            (),
            f"selector1._domainkey.{D} TXT v=DKIM1; p=",
            (F, F, F, F),
            id="a revoked key is none",
        ),
        pytest.param(EXCHANGE, (), f"{SPF}\n{BROKEN}", (P, P, F, P), id="a broken key is none"),
        pytest.param(("proofpoint",), (), SPF, (U, U, U, U), id="a filter of many names"),
        pytest.param(("proofpoint",), ("mail",), MAIL, (U, U, U, U), id="whose key is it"),
        pytest.param((OWN,), (), WITH_OWN, (P, P, U, P), id="own server, no selector"),
        pytest.param((OWN,), (), SPF, (F, F, U, U), id="own server, nothing known"),
        pytest.param((OWN,), ("mail",), SPF, (F, F, F, F), id="own server, nothing published"),
        pytest.param((OWN,), ("mail",), MAIL, (F, F, P, P), id="own server, signs"),
        pytest.param(("sendgrid",), (), SPF, (F, U, U, U), id="provider, nothing published"),
        pytest.param(
            ("sendgrid",),
            (),
            f"s1._domainkey.{D} TXT {KEY}",
            (F, U, P, P),
            id="provider with its usual selector",
        ),
        pytest.param(("mailchimp",), (), SPF, (F, F, F, F), id="provider with its own MAIL FROM"),
        pytest.param(("amazon-ses",), (), SPF, (U, U, U, U), id="provider without networks"),
        pytest.param(
            EXCHANGE,
            (),
            f"{SPF.replace(D, 'nowhere.example')}\n{D} TXT v=spf1 redirect=broken..x",
            (F, F, F, F),
            id="a broken record passes nobody",
        ),
    ],
)
def test_a_row_says_what_dns_shows(
    senders: tuple[str, ...],
    selectors: tuple[str, ...],
    more: str,
    expected: tuple[Chance, Chance, Chance, Chance],
) -> None:
    (row,) = Case(senders=senders, selectors=selectors, more=more).looked().rows
    assert (row.spf, row.spf_aligned.chance, row.dkim.chance, row.dmarc) == expected


def test_a_row_says_what_a_policy_does_with_the_mail() -> None:
    table = f"{SPF}\nmail._domainkey.{D} TXT {KEY}"
    senders = ("exchange-online", OWN, "sendgrid", "mailchimp")
    rows = Case(senders=senders, selectors=("mail",), more=table).looked().rows
    assert [row.under(Policy.REJECT) for row in rows] == [
        "delivered; refused where it was forwarded",
        "delivered",
        "cannot be told; refused unless a signature or MAIL FROM aligns",
        "refused",
    ]
    assert rows[3].under(Policy.QUARANTINE) == "put in the junk folder"
    assert rows[3].under(Policy.NONE) == "delivered, whatever DMARC says"
    assert rows[0].under(Policy.NONE) == "delivered"
    drawn = draw(rows)
    assert drawn.columns[-1] == "under p=reject"
    assert drawn.rows[0] == (
        "exchange-online",
        "pass",
        "pass: with MAIL FROM in the domain itself",
        "fail: no key at selector1, selector2",
        "pass",
        "delivered; refused where it was forwarded",
    )
    assert drawn.rows[1][3] == "pass: key at mail"


@pytest.mark.parametrize(
    "records",
    [
        pytest.param((KEY,), id="good"),
        pytest.param((dkim.key(512),), id="too short"),
        pytest.param((dkim.ED,), id="Ed25519"),
        pytest.param((KEY[:-9],), id="cut off"),
        pytest.param(("v=DKIM1; p=",), id="revoked"),
        pytest.param((KEY.replace("k=rsa", "s=other"),), id="not for mail"),
        pytest.param((KEY.replace("DKIM1", "DKIM2"),), id="another version"),
        pytest.param(("v=spf1 -all",), id="no key at all"),
        pytest.param((KEY[:-9], KEY), id="two, one of them good"),
    ],
)
def test_a_sender_is_proven_by_the_keys_that_the_dkim_check_finds_valid(
    records: tuple[str, ...],
) -> None:
    case = Case(senders=EXCHANGE, replies={(f"selector1._domainkey.{D}", "TXT"): text(*records)})
    survey = dkim.Case(case.zone(), dkim.named("selector1"), D).survey()
    valid = [one for one in survey.selectors if one.verdict is Verdict.VALID]
    assert (case.looked().rows[0].dkim.chance is P) is bool(valid)


def test_a_key_that_no_receiver_takes_is_told_from_one_that_is_missing() -> None:
    part = Case(senders=EXCHANGE, more=BROKEN).looked().rows[0].dkim
    assert part.why == "a broken, weak or revoked key at selector1; no key at selector2"


def test_a_key_at_the_organisation_aligns_where_that_is_relaxed() -> None:
    sub = f"news.{D}"
    parent = Case("", f"_dmarc.{D} TXT v=DMARC1; p=reject\n{SIGNED}", domain=sub, senders=EXCHANGE)
    assert parent.looked().rows[0].dkim.chance is P
    strict = Case("v=DMARC1; p=reject; adkim=s", SIGNED, domain=sub, senders=EXCHANGE)
    assert strict.looked().rows[0].dkim.chance is F
    # Receivers of RFC 9989 take the subdomain for an organisation of its own.
    divided = Case("v=DMARC1; p=reject", SIGNED, domain=sub, senders=EXCHANGE)
    part = divided.looked().rows[0].dkim
    assert part.chance is U
    assert part.why == "key at selector1, where only some receivers let it align"


def test_silence_is_unknown_and_told_as_such() -> None:
    silent_key = {(f"selector{n}._domainkey.{D}", "TXT"): SILENT for n in (1, 2)}
    keys = Case(senders=EXCHANGE, replies=silent_key, more=WITH_OWN).looked()
    assert keys.rows[0].dmarc is U
    assert keys.silence is Silence.TIMEOUT
    spf = Case(senders=EXCHANGE, replies={(D, "TXT"): SILENT}).looked()
    assert spf.rows[0].spf_aligned.is_silent
    assert spf.silence is Silence.TIMEOUT
    networks = Case(senders=EXCHANGE, replies={(MICROSOFT, "TXT"): SILENT}, more=SPF).looked()
    assert networks.rows[0].is_silent
    # What passes all the same is known.
    good = Case(senders=EXCHANGE, replies=silent_key, more=SPF).looked()
    assert good.rows[0].dmarc is P
    assert good.silence is None


def test_more_selectors_than_are_asked_for_are_not_taken_for_absent() -> None:
    many = tuple(f"s{number}" for number in range(MOST_SELECTORS + 1))
    looked = Case(senders=(OWN,), selectors=many).looked()
    assert looked.rows[0].dkim.chance is U
    assert looked.silence is None


def test_without_senders_there_is_nothing_to_look_at() -> None:
    assert Case().looked().rows == ()


def test_selectors_belong_to_who_is_known_to_use_them() -> None:
    senders = ("exchange-online", OWN, "sendgrid")
    declared = ("selector1", "s1", "mail")
    assert candidates("exchange-online", senders, declared).selectors == ("selector1", "selector2")
    assert candidates(OWN, senders, declared).selectors == ("mail",)
    assert candidates("sendgrid", senders, declared).selectors == ("s1", "s2", "mail")
