"""Who would lose mail by a change, first."""

from collections.abc import Mapping

from agent.domain.dmarc_terms import Policy
from agent.domain.lookup import Answer, Query, Reply, TextRecord, replay
from agent.domain.overlay import overlay
from agent.domain.simulation import draw, fates, mail, selectors_to_declare
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
