"""Replies of Exchange Online are told apart by code and text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.diagnosis import diagnose
from agent.domain.knowledge.replies_of_routing import ROUTING
from agent.domain.knowledge.replies_of_standards import STANDARDS
from agent.domain.knowledge.replies_to_messages import MESSAGES
from agent.domain.knowledge.replies_to_senders import SENDERS
from agent.domain.knowledge.reply import Known, ReplyClass
from agent.domain.peer_text import PeerText
from agent.domain.smtp_reply import Malformed, Reply, ReplyReader


def read(line: str) -> Reply:
    (reply,) = ReplyReader().feed(line.encode() + b"\r\n")
    assert not isinstance(reply, Malformed)
    return reply


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("550 5.7.64 TenantAttribution; Relay Access Denied [DB5.example]", ReplyClass.RELAY),
        ("550 5.7.51 TenantInboundAttribution; There is a partner connector", ReplyClass.RELAY),
        ("550 5.7.68 TenantInboundAttribution; Direct Send not allowed", ReplyClass.RELAY),
        ("550 5.4.1 Recipient address rejected: Access denied.", ReplyClass.ADDRESS),
        ("550 5.4.1 Relay Access Denied", ReplyClass.ROUTING),
        ("550 5.7.1 Unable to relay", ReplyClass.RELAY),
        ("530 5.7.1 Client was not authenticated", ReplyClass.AUTH),
        ("550 5.7.1 Delivery not authorized", ReplyClass.POLICY),
        ("550 5.7.1 something else", ReplyClass.OTHER),
        ("550 5.7.606 Access denied, banned sending IP [192.0.2.1]", ReplyClass.REPUTATION),
        ("550 5.7.649 Access denied", ReplyClass.REPUTATION),
        ("550 5.7.650 Access denied", ReplyClass.OTHER),
        ("550 5.7.605 Access denied", ReplyClass.OTHER),
        ("451 4.7.500 Server busy. Please try again later", ReplyClass.THROTTLE),
        ("451 4.7.699 Server busy", ReplyClass.THROTTLE),
        ("451 4.7.700 other", ReplyClass.OTHER),
        ("451 4.7.850 Access denied, please try again later", ReplyClass.THROTTLE),
        ("432 4.3.2 Concurrent connections limit exceeded", ReplyClass.THROTTLE),
        ("421 Too many connections", ReplyClass.THROTTLE),
        ("451 4.4.62 Mail sent to the wrong Office 365 region. ATTR35", ReplyClass.ROUTING),
        ("554 5.4.14 Hop count exceeded - possible mail loop ATTR34", ReplyClass.LOOP),
        ("550 5.0.350 Remote server returned an error -> 550 5.1.1 User", ReplyClass.ADDRESS),
        ("550 5.0.350 Remote server returned an error -> 550 no", ReplyClass.REMOTE),
        ("550 5.6.999 unheard of -> 554 no", ReplyClass.REMOTE),
        ("550 5.0.350 an -> arrow", ReplyClass.REMOTE),
        ("550 No such user", ReplyClass.OTHER),
        ("550 5.1.2 Host unknown", ReplyClass.DNS),
        ("556 5.1.10 Recipient address has null MX", ReplyClass.DNS),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found", ReplyClass.ADDRESS),
        ("501 5.1.8 Sender address rejected", ReplyClass.FORMAT),
        ("550 5.1.8 Access denied, bad outbound sender", ReplyClass.REPUTATION),
        ("550 5.7.26 Unauthenticated email, see the domain's DMARC policy", ReplyClass.DMARC),
        ("550 5.7.26 This message sent over IPv6 must pass SPF or DKIM", ReplyClass.IPV6),
        ("554 5.7.1 Service unavailable; blocked using a.list.example", ReplyClass.REPUTATION),
        ("550 5.7.236 Your organisation has reached its limit", ReplyClass.LIMIT),
        ("550 5.7.30 Basic authentication is not supported", ReplyClass.AUTH),
        ("450 4.2.2 Mailbox full", ReplyClass.LIMIT),
        ("550 5.5.6 odd", ReplyClass.OTHER),
    ],
)
def test_a_reply_is_told_by_code_and_text(line: str, expected: ReplyClass) -> None:
    assert diagnose(read(line)).reply_class is expected


def test_what_is_quoted_and_tagged_is_said() -> None:
    quoted = diagnose(read("550 5.0.350 Remote server returned an error -> 550 5.7.23 SPF AS(1)"))
    assert quoted.is_remote
    assert quoted.reply_class is ReplyClass.SPF
    tagged = diagnose(read("550 5.7.64 TenantAttribution; Relay Access Denied. ATTR36 AS780090 x"))
    assert tagged.tags == ("ATTR36", "AS780090")
    assert len(tagged.advice) == 3
    assert diagnose(read("550 whatever")).advice == ()


@pytest.mark.parametrize(
    "known", [*ROUTING, *SENDERS, *MESSAGES, *STANDARDS], ids=lambda each: each.codes[0]
)
def test_every_kind_is_found_by_its_own_code(known: Known) -> None:
    for codes in known.codes:
        enhanced = codes.partition("-")[0]
        text = PeerText(f"{enhanced} {known.text}")
        found = diagnose(Reply(int(f"{enhanced[0]}50"), enhanced, (text,)))
        assert found.known is known
    assert all(line.endswith(".") and ".." not in line for line in found.advice)


@given(
    code=st.integers(200, 599),
    enhanced=st.from_regex(r"[245]\.\d{1,3}\.\d{1,3}|", fullmatch=True),
    text=st.text(max_size=300),
)
def test_no_reply_is_too_odd(code: int, enhanced: str, text: str) -> None:
    found = diagnose(Reply(code, enhanced, (PeerText(text),)))
    assert found.is_throttle is (found.reply_class is ReplyClass.THROTTLE)
