"""What a session came to: the server's yes and no, its silence, and what was our own fault."""

import pytest

from agent.domain.handover import Fate, Handed, judge
from agent.domain.knowledge.reply import ReplyClass
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Accepted, Dialogue, Phase, Reason, Refused, Unreached
from agent.domain.smtp_reply import Reply


def reply(code: int, enhanced: str, text: str) -> Reply:
    return Reply(code, enhanced, (PeerText(f"{enhanced} {text}"),))


YES = Accepted(reply(250, "2.6.0", "<a@contoso.com> [InternalId=1] Queued mail for delivery"))
GREY = reply(451, "4.7.1", "Greylisted, try again in 60 s")
UNKNOWN_USER = reply(550, "5.1.1", "User unknown in virtual mailbox table")


@pytest.mark.parametrize(
    ("dialogue", "fate", "reason"),
    [
        pytest.param(YES, Fate.ACCEPTED, "", id="taken"),
        pytest.param(Refused(Phase.RCPT, UNKNOWN_USER), Fate.REFUSED, "", id="no for good"),
        pytest.param(Refused(Phase.RCPT, GREY), Fate.DEFERRED, "", id="not now"),
        pytest.param(Refused(Phase.FINAL, GREY), Fate.DEFERRED, "", id="not now, after the text"),
        pytest.param(
            Refused(Phase.AUTH, reply(535, "5.7.3", "Authentication unsuccessful")),
            Fate.OURS,
            "login",
            id="our login is refused",
        ),
        pytest.param(
            Refused(Phase.AUTH, reply(454, "4.7.0", "Temporary authentication failure")),
            Fate.OURS,
            "login",
            id="our login cannot be checked now",
        ),
        pytest.param(
            Unreached(Phase.CONNECT, Reason.TIMEOUT), Fate.UNREACHED, "", id="does not answer"
        ),
        pytest.param(
            Unreached(Phase.DATA, Reason.CONNECTION_LOST),
            Fate.UNREACHED,
            "",
            id="hung up before the message",
        ),
        pytest.param(
            Unreached(Phase.FINAL, Reason.CONNECTION_LOST),
            Fate.UNCERTAIN,
            "uncertain",
            id="hung up instead of the last reply",
        ),
        pytest.param(
            Unreached(Phase.QUIT, Reason.PROTOCOL),
            Fate.UNCERTAIN,
            "uncertain",
            id="the yes was perhaps none",
        ),
        pytest.param(
            Unreached(Phase.FINAL, Reason.NO_ROUTE),
            Fate.UNCERTAIN,
            "uncertain",
            id="our network went away while the message was on it",
        ),
        pytest.param(
            Unreached(Phase.RESOLVE, Reason.DNS_UNANSWERED),
            Fate.OURS,
            "dns-unanswered",
            id="DNS is silent",
        ),
        pytest.param(
            Unreached(Phase.RESOLVE, Reason.UNRESOLVED), Fate.UNREACHED, "", id="DNS says no"
        ),
        pytest.param(
            Unreached(Phase.CONNECT, Reason.NO_EGRESS), Fate.OURS, "no-egress", id="port 25 is shut"
        ),
    ],
)
def test_a_session_comes_to_one_fate(dialogue: Dialogue, fate: Fate, reason: str) -> None:
    handed = judge(dialogue, {})
    assert (handed.fate, handed.reason) == (fate, reason)
    assert handed.silence is (reason == "dns-unanswered")


def test_what_was_said_is_told_with_what_is_known_of_it() -> None:
    handed = judge(Refused(Phase.RCPT, UNKNOWN_USER), {})
    assert handed.detail.startswith("at rcpt: 550 5.1.1 User unknown in virtual mailbox table (")
    assert "What helps: " in handed.detail
    assert handed.diagnosis.reply_class is ReplyClass.ADDRESS
    unknown = judge(Refused(Phase.MAIL, reply(599, "5.9.9", "no")), {})
    assert unknown.detail == "at mail: 599 5.9.9 no"


def test_a_yes_is_told_as_it_was_said() -> None:
    handed = judge(YES, {}, via="mx1.contoso.com")
    assert handed.detail == YES.reply.text
    assert handed.via == "mx1.contoso.com"
    assert handed.diagnosis.known is None


def test_of_several_servers_the_one_that_decided_is_named() -> None:
    dialogue = Unreached(Phase.CONNECT, Reason.REFUSED, "192.0.2.1")
    assert judge(dialogue, {}, via="mx1.example").detail == (
        "mx1.example: at connect: refused 192.0.2.1"
    )
    assert judge(Unreached(Phase.CONNECT, Reason.REFUSED), {}).detail == "at connect: refused"


def test_times_and_transcript_are_handed_on() -> None:
    handed = judge(YES, {Phase.CONNECT: 0.1, Phase.FINAL: 0.4}, ("< 250 ok",))
    assert handed.timings == {"connect": 0.1, "final": 0.4}
    assert handed.transcript == ("< 250 ok",)
    assert Handed(Fate.OURS, "no token").timings == {}
