"""Who would lose mail by a change, first."""

from collections.abc import Mapping
from ipaddress import ip_address

import pytest

from agent.domain.dmarc_terms import Policy
from agent.domain.lookup import Answer, Query, Reply, Silence, TextRecord, Unanswered, replay
from agent.domain.overlay import Planned, overlay
from agent.domain.simulation import Fate, draw, fates, losses, mail, selectors_to_declare
from agent.domain.spf_dropped import Dropped
from agent.domain.spf_terms import Result
from agent.lab.world import SIGNING_KEY

D = "contoso.com"
SENDERS = ("exchange-online", "mailchimp", "192.0.2.9")


def text(value: str) -> Answer:
    return Answer((TextRecord((value.encode(),)),))


ZONE: Mapping[tuple[str, str], Reply] = {
    (D, "TXT"): text("v=spf1 include:spf.protection.outlook.com ip4:192.0.2.9 -all"),
    (f"_dmarc.{D}", "TXT"): text("v=DMARC1; p=none"),
    ("spf.protection.outlook.com", "TXT"): text("v=spf1 ip4:40.92.0.0/15 -all"),
    ("servers.mcsv.net", "TXT"): text("v=spf1 ip4:205.201.128.0/20 ~all"),
    (f"selector1._domainkey.{D}", "TXT"): text(f"v=DKIM1; p={SIGNING_KEY}"),
}
SPF = {Query(D, "TXT"): text("v=spf1 ip4:192.0.2.9 -all")}
REJECT = {Query(f"_dmarc.{D}", "TXT"): text("v=DMARC1; p=reject")}


def test_senders_that_would_fail_come_first() -> None:
    before = replay(mail(D, SENDERS, ()), ZONE)
    after = replay(overlay(mail(D, SENDERS, ()), {**SPF, **REJECT}), ZONE)
    assert (before.policy, after.policy) == (Policy.NONE, Policy.REJECT)
    found = fates(before, after)
    assert [(one.sender, one.is_lost) for one in found] == [
        ("mailchimp", True),
        ("exchange-online", False),
        ("192.0.2.9", False),
    ]
    assert found[0].was == "delivered, whatever DMARC says"
    assert found[0].becomes == "refused"
    assert draw(found).rows[1][-1] == "SPF pass to fail"


def test_without_an_enforced_policy_nothing_is_lost() -> None:
    before = replay(mail(D, SENDERS, ()), ZONE)
    key = {Query(f"k1._domainkey.{D}", "TXT"): text(f"v=DKIM1; p={SIGNING_KEY}")}
    found = fates(before, replay(overlay(mail(D, SENDERS, ()), key), ZONE))
    assert not any(one.is_lost for one in found)
    changes = {row[0]: row[-1] for row in draw(found).rows}
    assert changes == {"mailchimp": "DKIM fail to pass", "exchange-online": "-", "192.0.2.9": "-"}


def test_a_selector_that_a_sender_is_known_for_needs_no_word() -> None:
    assert selectors_to_declare(("selector1",), ("exchange-online", "192.0.2.9")) == ()
    assert selectors_to_declare(("own",), ("exchange-online",)) == ("selector1", "selector2", "own")


RELAY = "192.0.2.9"
WITHOUT_RELAY = "v=spf1 include:spf.protection.outlook.com"


def fate(sender: str, spf: str, policy: str = "none", selectors: tuple[str, ...] = ()) -> Fate:
    """What becomes of one sender, where the record is *spf* and the policy *policy*."""
    keys: dict[Query, Planned] = {
        Query(D, "TXT"): text(spf),
        Query(f"_dmarc.{D}", "TXT"): text(f"v=DMARC1; p={policy}"),
        Query(f"own._domainkey.{D}", "TXT"): text(f"v=DKIM1; p={SIGNING_KEY}"),
    }
    zone = {**ZONE, (f"mute._domainkey.{D}", "TXT"): Unanswered(Silence.TIMEOUT)}
    before = replay(mail(D, (sender,), selectors), zone)
    after = replay(overlay(mail(D, (sender,), selectors), keys), zone)
    (found,) = fates(before, after)
    return found


@pytest.mark.parametrize(
    ("spf", "policy", "selectors", "lost", "becomes"),
    [
        pytest.param(
            f"{WITHOUT_RELAY} -all",
            "reject",
            (),
            "lost",
            "refused unless a signature aligns; no key is known",
            id="reject",
        ),
        pytest.param(
            f"{WITHOUT_RELAY} ~all",
            "quarantine",
            (),
            "lost",
            "put in the junk folder unless a signature aligns; no key is known",
            id="junk",
        ),
        pytest.param(
            f"{WITHOUT_RELAY} -all",
            "none",
            (),
            "lost",
            "refused where receivers go by `-all`",
            id="-all",
        ),
        pytest.param(
            f"{WITHOUT_RELAY} ~all",
            "none",
            (),
            "",
            "delivered, but not proven by SPF any more",
            id="~all",
        ),
        pytest.param(f"{WITHOUT_RELAY} -all", "reject", ("own",), "", "delivered", id="signs"),
        pytest.param(
            f"{WITHOUT_RELAY} -all",
            "reject",
            ("mute",),
            "",
            "cannot be told; refused unless a signature or MAIL FROM aligns",
            id="silence",
        ),
        pytest.param(f"v=spf1 ip4:{RELAY} -all", "none", (), "", "delivered", id="kept"),
    ],
)
def test_a_relay_that_is_dropped_loses_its_mail_unless_it_signs(
    spf: str, policy: str, selectors: tuple[str, ...], lost: str, becomes: str
) -> None:
    found = fate(RELAY, spf, policy, selectors)
    assert ("lost" if found.is_lost else "", found.becomes) == (lost, becomes)


def lost(*found: Dropped, spf: str = "v=spf1 -all", policy: str = "none") -> list[tuple[str, ...]]:
    change = {
        Query(D, "TXT"): text(spf),
        Query(f"_dmarc.{D}", "TXT"): text(f"v=DMARC1; p={policy}"),
    }
    before = replay(mail(D, SENDERS, ()), ZONE)
    after = replay(overlay(mail(D, SENDERS, ()), change), ZONE)
    seen = losses(found, fates(before, after), after)
    return [(one.subject, one.becomes, "lost" if one.is_lost else "") for one in seen]


ADDRESSES = tuple(ip_address(f"203.0.113.{n}") for n in range(6))
CRM = Dropped("include:spf.crm.example", ADDRESSES[:1], Result.PASS, Result.FAIL)


def test_terms_that_are_dropped_say_what_becomes_of_mail_from_there() -> None:
    part = Dropped("ip4:203.0.113.0/24", ADDRESSES, Result.PASS, Result.SOFTFAIL, is_whole=False)
    two = Dropped("ip4:203.0.113.0/31", ADDRESSES[:2], Result.PASS, Result.FAIL, is_whole=False)
    broken = Dropped("a:x.example", ADDRESSES[:1], Result.PERMERROR, Result.FAIL)
    cloud = Dropped(
        "include:spf.protection.outlook.com",
        ADDRESSES[:1],
        Result.PASS,
        Result.FAIL,
        "exchange-online",
    )
    refused = "refused where receivers go by `-all`"
    shown = "203.0.113.0, 203.0.113.1, 203.0.113.2, 203.0.113.3 and 2 more"
    unsure = "whom it lets pass depends on the client, and cannot be told"
    assert lost(Dropped("ptr"), part, broken, cloud, CRM, two) == [
        ("include:spf.crm.example", f"SPF fail; {refused}", "lost"),
        ("part of ip4:203.0.113.0/31 (203.0.113.0, 203.0.113.1)", f"SPF fail; {refused}", "lost"),
        ("ptr", unsure, ""),
        (
            f"part of ip4:203.0.113.0/24 ({shown})",
            "SPF softfail; delivered, but not proven by SPF any more",
            "",
        ),
        ("a:x.example", f"SPF permerror now, fail then; {refused}", ""),
        ("include:spf.protection.outlook.com", "SPF fail; delivered", ""),
    ]


def test_what_a_sender_says_is_not_said_again() -> None:
    own = Dropped("ip4:192.0.2.9", (ip_address("192.0.2.9"),), Result.PASS, Result.FAIL)
    chimp = Dropped(
        "include:servers.mcsv.net", ADDRESSES[:1], Result.PASS, Result.FAIL, "mailchimp"
    )
    ((subject, becomes, is_lost),) = lost(own, chimp, CRM, policy="reject")
    assert (subject, is_lost) == (CRM.term, "lost")
    assert becomes == "SPF fail; refused unless a signature aligns; no key is known"


@pytest.mark.parametrize(("key", "expected"), [("", "lost"), (SIGNING_KEY, "")])
def test_a_part_of_a_provider_that_rests_on_spf_is_lost_though_its_samples_pass(
    key: str, expected: str
) -> None:
    zone: dict[tuple[str, str], Reply] = {
        **ZONE,
        (f"_dmarc.{D}", "TXT"): text("v=DMARC1; p=reject"),
        (f"selector1._domainkey.{D}", "TXT"): text(f"v=DKIM1; p={key}"),
    }
    seen = replay(mail(D, ("exchange-online",), ()), zone)
    term = "include:spf.protection.outlook.com"
    part = Dropped(term, ADDRESSES[:1], Result.PASS, Result.FAIL, "exchange-online", is_whole=False)
    (found,) = losses((part,), fates(seen, seen), seen)
    assert ("lost" if found.is_lost else "") == expected, found
