"""Which connector or rule takes a message out, row by row."""

from dataclasses import replace

import pytest
from routing import CENTRAL, OUTSIDE, SIGN, TO_SERVICE, mail, tenant

from agent.domain.tenancy.choice import (
    applies,
    centralised,
    choose,
    is_guarded,
    is_open,
    routing_rules,
)
from agent.domain.tenancy.journey import Message
from agent.domain.tenancy.objects import Outbound, TransportRule

EXACT = Outbound(name="exact", recipient_domains=("contoso.com",))
ACCEPTED = Outbound(name="accepted", all_accepted_domains=True, connector_type="on-premises")
WIDE = Outbound(name="wide", recipient_domains=("*.com", "x.example"))
WIDER = Outbound(name="everything", recipient_domains=("*",))


def name_for(domain: str, *connectors: Outbound) -> str:
    chosen = choose(tenant(*connectors, also=("shop.contoso.com",)).export, domain)
    return chosen.connector.name if chosen is not None else ""


@pytest.mark.parametrize(
    ("domain", "connectors", "name"),
    [
        pytest.param("contoso.com", (WIDER, WIDE, ACCEPTED, EXACT), "exact", id="exact first"),
        pytest.param("contoso.com", (WIDER, WIDE, ACCEPTED), "accepted", id="then all accepted"),
        pytest.param("contoso.com", (WIDER, WIDE), "wide", id="then the longer wildcard"),
        pytest.param("contoso.com", (WIDER,), "everything", id="then the shorter"),
        pytest.param("contoso.com", (), "", id="none"),
        pytest.param(OUTSIDE, (ACCEPTED, EXACT, WIDE), "", id="none that fits"),
        pytest.param(
            "contoso.com",
            (EXACT, replace(EXACT, name="zz", connector_type="on-premises")),
            "zz",
            id="of two the on-premises one",
        ),
        pytest.param(
            "contoso.com", (EXACT, replace(EXACT, name="aa")), "aa", id="of two the first by name"
        ),
        pytest.param("contoso.com", (replace(EXACT, enabled=False),), "", id="off"),
        pytest.param("contoso.com", (replace(EXACT, test_mode=True),), "", id="in test mode"),
        pytest.param(
            "contoso.com", (replace(EXACT, is_transport_rule_scoped=True),), "", id="for rules only"
        ),
    ],
)
def test_a_connector_is_chosen_by_precedence(
    domain: str, connectors: tuple[Outbound, ...], name: str
) -> None:
    assert name_for(domain, *connectors) == name
    assert name_for(domain, *reversed(connectors)) == name


def test_centralised_transport_is_a_connector_that_is_on() -> None:
    assert centralised(tenant(CENTRAL).export) == CENTRAL
    assert centralised(tenant(replace(CENTRAL, enabled=False), EXACT).export) is None


def test_rules_act_by_priority_and_name_a_connector_that_is_on() -> None:
    by_guid = replace(TO_SERVICE, guid="8a9f")
    rules = (
        replace(SIGN, name="unknown priority", priority=None),
        replace(SIGN, name="second", priority=1, route_message_outbound_connector="8A9F"),
        SIGN,
        replace(SIGN, name="off", enabled=False),
        replace(SIGN, name="watched", mode="Audit"),
        replace(SIGN, name="lost", route_message_outbound_connector="gone"),
    )
    found = routing_rules(tenant(by_guid, *rules).export)
    assert [each.rule.name for each in found] == ["sign", "second", "unknown priority"]


WITHIN = mail(sender="contoso.com")
AWAY = mail(OUTSIDE, sender="contoso.com")


def is_routed(
    rule: TransportRule, message: Message, *, trusted: bool = True, again: bool = False
) -> bool:
    export = tenant(TO_SERVICE, rule).export
    (routed,) = routing_rules(export)
    stamped = frozenset({"to service"} if again else ())
    return applies(routed, message, export, trusted=trusted, stamped=stamped)


PLAIN = replace(SIGN, from_scope="", exception_headers=())


def limited(*conditions: tuple[str, str]) -> TransportRule:
    return replace(PLAIN, conditions=conditions)


@pytest.mark.parametrize(
    ("rule", "message", "expected"),
    [
        pytest.param(PLAIN, mail(), True, id="no limit"),
        pytest.param(replace(PLAIN, from_scope="NotInOrganization"), mail(), True, id="outside"),
        pytest.param(replace(PLAIN, from_scope="NotInOrganization"), WITHIN, False, id="inside"),
        pytest.param(replace(PLAIN, sent_to_scope="InOrganization"), WITHIN, True, id="to inside"),
        pytest.param(replace(PLAIN, sent_to_scope="InOrganization"), AWAY, False, id="to outside"),
        pytest.param(limited(("RecipientDomainIs", "a.example, example")), AWAY, True, id="below"),
        pytest.param(limited(("RecipientDomainIs", "a.example")), AWAY, False, id="other domain"),
        pytest.param(limited(("SenderDomainIs", "contoso.com")), AWAY, True, id="sender"),
        pytest.param(limited(("FromScope", "InOrganization")), AWAY, True, id="scope as a limit"),
        pytest.param(
            limited(("ExceptIfSentToScope", "NotInOrganization")), AWAY, False, id="except scope"
        ),
        pytest.param(
            limited(("ExceptIfSenderDomainIs", "contoso.com")), AWAY, False, id="except sender"
        ),
        pytest.param(limited(("ExceptIfFromMemberOf", "x")), AWAY, True, id="except somebody"),
        pytest.param(limited(("FromMemberOf", "x")), AWAY, False, id="not known to be met"),
        pytest.param(
            limited(("FromMemberOf", "x")), replace(AWAY, meets_conditions=True), True, id="met"
        ),
    ],
)
def test_a_rule_routes_what_its_limits_let_through(
    rule: TransportRule, message: Message, *, expected: bool
) -> None:
    assert is_routed(rule, message) is expected


@pytest.mark.parametrize(
    ("rule", "guarded"),
    [
        pytest.param(SIGN, True, id="header"),
        pytest.param(limited(("ExceptIfSenderIpRanges", "192.0.2.1")), True, id="address"),
        pytest.param(limited(("HeaderContainsWords", "x")), True, id="header as a condition"),
        pytest.param(limited(("ExceptIfSenderDomainIs", "x.example")), False, id="domain"),
        pytest.param(PLAIN, False, id="none"),
    ],
)
def test_what_a_service_can_have_added_exempts_on_the_way_back(
    rule: TransportRule, *, guarded: bool
) -> None:
    assert is_guarded(rule) is guarded
    assert is_routed(rule, replace(AWAY, meets_conditions=True), again=True) is not guarded


def test_only_conditions_that_content_decides_are_open() -> None:
    assert is_open(limited(("SubjectContainsWords", "x")))
    assert not is_open(limited(("ExceptIfSubjectContainsWords", "x"), ("SenderDomainIs", "y")))


def test_a_spoofed_sender_is_not_from_inside() -> None:
    assert not is_routed(SIGN, WITHIN, trusted=False)
