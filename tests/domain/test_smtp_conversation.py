"""What the client says, and what it believes, without a network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.smtp import (
    Accepted,
    Dialogue,
    Errand,
    Login,
    Phase,
    Reason,
    Refused,
    Tls,
    Unreached,
)
from agent.domain.smtp_conversation import (
    MAX_TRANSCRIPT,
    Close,
    Conversation,
    Secure,
    Send,
    as_data,
    offers,
)
from agent.domain.smtp_reply import Reply

PLAIN = Errand("probe.example", Tls.NEVER, "a@example.com", ("b@example.net",))
LETTER = Errand("probe.example", Tls.NEVER, "a@example.com", ("b@example.net",), b"Hi\r\n")
OPEN = (b"220 mx\r\n", b"250 mx\r\n", b"250 ok\r\n")


def talk(errand: Errand, *replies: bytes) -> Conversation:
    """Have a conversation in which the server's octets come in these pieces."""
    conversation = Conversation(errand)
    for reply in replies:
        action = conversation.receive(reply)
        if isinstance(action, Secure):
            conversation.secured()
        if isinstance(action, Close):
            break
    return conversation


def test_a_walk_ends_in_the_last_yes_and_quits() -> None:
    conversation = talk(PLAIN, *OPEN, b"250 2.1.5 fine\r\n")
    assert isinstance(conversation.dialogue, Accepted)
    assert conversation.dialogue.reply.enhanced == "2.1.5"
    assert conversation.phase is Phase.QUIT
    assert isinstance(conversation.receive(b"221 bye\r\n"), Close)
    assert conversation.transcript[-2:] == ["> QUIT", "< 221 bye"]
    assert conversation.greeting == "220 mx"


def test_a_message_is_accepted_by_its_final_reply() -> None:
    conversation = talk(LETTER, *OPEN, b"250 ok\r\n", b"354 go\r\n", b"250 queued\r\n")
    assert isinstance(conversation.dialogue, Accepted)
    assert not any("Hi" in line for line in conversation.transcript)


@pytest.mark.parametrize(
    ("errand", "replies", "verdict"),
    [
        pytest.param(
            PLAIN,
            (b"220 a\r\n250 early\r\n",),
            Unreached(Phase.GREETING, Reason.PROTOCOL),
            id="early EHLO reply",
        ),
        pytest.param(
            PLAIN,
            (b"220 a\r\n25",),
            Unreached(Phase.GREETING, Reason.PROTOCOL),
            id="early part of a reply",
        ),
        pytest.param(
            LETTER,
            (*OPEN, b"250 ok\r\n", b"354 go\r\n250 queued\r\n"),
            Unreached(Phase.DATA, Reason.PROTOCOL),
            id="accepted before it was sent",
        ),
        pytest.param(
            LETTER,
            (*OPEN, b"250 ok\r\n", b"354 go\r\n", b"250 ok\r\n250 ok\r\n"),
            Unreached(Phase.FINAL, Reason.PROTOCOL),
            id="doubled final reply",
        ),
        pytest.param(
            LETTER,
            (*OPEN, b"250 ok\r\n", b"250 ok\r\n"),
            Unreached(Phase.DATA, Reason.PROTOCOL),
            id="a yes that DATA does not have",
        ),
        pytest.param(
            PLAIN,
            (*OPEN, b"250 ok\r\n", b"550 5.1.1 no\r\n"),
            Unreached(Phase.QUIT, Reason.PROTOCOL),
            id="the no comes after QUIT",
        ),
        pytest.param(
            PLAIN,
            (*OPEN, b"354 go\r\n"),
            Unreached(Phase.RCPT, Reason.PROTOCOL),
            id="RCPT answered with 354",
        ),
        pytest.param(
            PLAIN,
            (b"554 no service\r\n",),
            Refused(Phase.GREETING, Reply(554)),
            id="no service",
        ),
        pytest.param(
            PLAIN,
            (b"HTTP/1.1 400 Bad Request\r\n",),
            Unreached(Phase.GREETING, Reason.PROTOCOL),
            id="not SMTP",
        ),
        pytest.param(
            PLAIN,
            (b"220 a\r\n", b"550 no\r\n"),
            Refused(Phase.EHLO, Reply(550)),
            id="EHLO refused for good",
        ),
        pytest.param(
            PLAIN,
            (b"220 a\r\n", b"502 what\r\n", b"504 what\r\n"),
            Refused(Phase.EHLO, Reply(504)),
            id="HELO refused too",
        ),
        pytest.param(
            PLAIN,
            (*OPEN, b"421 later\r\n"),
            Refused(Phase.RCPT, Reply(421)),
            id="hangs up at RCPT",
        ),
        pytest.param(
            Errand("probe.example", Tls.REQUIRED),
            (b"220 a\r\n", b"250-mx\r\n250 STARTTLSX\r\n"),
            Unreached(Phase.STARTTLS, Reason.TLS_NOT_OFFERED),
            id="STARTTLS stripped",
        ),
        pytest.param(
            Errand("probe.example"),
            (b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"454 4.7.0 not now\r\n"),
            Refused(Phase.STARTTLS, Reply(454, "4.7.0")),
            id="STARTTLS refused",
        ),
        pytest.param(
            Errand("probe.example"),
            (b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n250 X-INJECTED\r\n"),
            Unreached(Phase.STARTTLS, Reason.TLS_INJECTION),
            id="plaintext after the 220",
        ),
        pytest.param(
            Errand("probe.example"),
            (b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"454 no\r\n454 no\r\n"),
            Unreached(Phase.STARTTLS, Reason.PROTOCOL),
            id="doubled refusal of STARTTLS",
        ),
    ],
)
def test_only_what_is_in_step_is_believed(
    errand: Errand, replies: tuple[bytes, ...], verdict: Dialogue
) -> None:
    dialogue = talk(errand, *replies).dialogue
    if isinstance(verdict, Refused):
        assert isinstance(dialogue, Refused)
        assert (dialogue.phase, dialogue.reply.code) == (verdict.phase, verdict.reply.code)
        assert dialogue.reply.enhanced == verdict.reply.enhanced
    else:
        assert dialogue == verdict


def test_helo_stands_in_for_ehlo() -> None:
    conversation = talk(Errand("probe.example"), b"220 a\r\n", b"502 what\r\n", b"250 mx\r\n")
    assert isinstance(conversation.dialogue, Accepted)
    assert "> HELO probe.example" in conversation.transcript


def test_what_was_offered_before_tls_does_not_count() -> None:
    conversation = talk(
        Errand("probe.example", mail_from=""),
        b"220 a\r\n",
        b"250-mx\r\n250-X-CLEAR\r\n250 STARTTLS\r\n",
        b"220 go\r\n",
        b"250-mx\r\n250 size 1000\r\n",
        b"250 ok\r\n",
    )
    assert isinstance(conversation.dialogue, Accepted)
    assert conversation.capabilities == ("size 1000",)
    assert offers(conversation.capabilities, "SIZE")
    assert "> MAIL FROM:<>" in conversation.transcript


def test_every_recipient_is_tried_and_one_refusal_stops_the_message() -> None:
    errand = Errand("probe.example", Tls.NEVER, "", ("a@b.example", "c@d.example"), b"Hi")
    conversation = talk(errand, *OPEN, b"550 5.1.1 no\r\n", b"250 ok\r\n")
    assert [reply.code for _, reply in conversation.recipients] == [550, 250]
    assert isinstance(conversation.dialogue, Refused)
    assert conversation.phase is Phase.QUIT


def test_a_lost_connection_leaves_the_phase_and_spares_the_verdict() -> None:
    conversation = talk(LETTER, *OPEN, b"250 ok\r\n", b"354 go\r\n")
    conversation.fail(Reason.CONNECTION_LOST)
    assert conversation.dialogue == Unreached(Phase.FINAL, Reason.CONNECTION_LOST)
    assert isinstance(conversation.dialogue, Unreached)
    assert conversation.dialogue.is_uncertain
    walked = talk(PLAIN, *OPEN, b"250 ok\r\n")
    walked.fail(Reason.CONNECTION_LOST)
    assert isinstance(walked.dialogue, Accepted)


def test_a_refused_walk_stays_refused_whatever_quit_is_answered_with() -> None:
    conversation = talk(PLAIN, *OPEN, b"550 no\r\n", b"250 what\r\n")
    assert isinstance(conversation.dialogue, Refused)


LOGIN = Errand("probe.example", Tls.NEVER, login=Login("PLAIN", b"c2VjcmV0"))
OFFER = b"250-mx\r\n250 AUTH LOGIN PLAIN\r\n"


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        pytest.param((OFFER, b"235 c2VjcmV0\r\n"), 235, id="yes"),
        pytest.param((OFFER, b"535 5.7.8 c2VjcmV0\r\n"), 535, id="no, with the secret echoed"),
        pytest.param((OFFER, b"334 c2VjcmV0\r\n", b"535 no\r\n"), 535, id="no, and why"),
        pytest.param((OFFER, b"334 a\r\n", b"334 b\r\n"), Reason.PROTOCOL, id="endless 334"),
        pytest.param((b"250 mx\r\n",), Reason.AUTH_NOT_OFFERED, id="no AUTH"),
        pytest.param((b"250-mx\r\n250 AUTH X\r\n",), Reason.AUTH_NOT_OFFERED, id="other AUTH"),
    ],
)
def test_logging_in_shows_no_secret(replies: tuple[bytes, ...], expected: int | Reason) -> None:
    conversation = talk(LOGIN, b"220 mx\r\n", *replies)
    match conversation.dialogue:
        case Accepted(reply) | Refused(reply=reply):
            assert reply.code == expected
        case Unreached(reason=reason):
            assert reason is expected
        case None:
            pytest.fail("there must be a verdict")
    assert "c2VjcmV0" not in f"{conversation.transcript} {conversation.dialogue} {LOGIN}"


@pytest.mark.parametrize(
    "errand",
    [
        pytest.param({"helo": ""}, id="no name"),
        pytest.param({"helo": "a\r\nQUIT"}, id="line break in the name"),
        pytest.param({"helo": "a", "mail_from": "a> SIZE=1"}, id="parameter in the sender"),
        pytest.param({"helo": "a", "mail_from": "", "rcpt_to": ("ü@b.example",)}, id="not ASCII"),
        pytest.param({"helo": "a", "login": Login("PLAIN", b"x")}, id="login maybe in the clear"),
    ],
)
def test_an_errand_cannot_break_out_of_a_command(errand: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"said in SMTP|needs"):
        Errand(**errand)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("message", "data"),
    [
        pytest.param(b"", b".\r\n", id="empty"),
        pytest.param(b"a\r\n.\r\nb", b"a\r\n..\r\nb\r\n.\r\n", id="dot"),
        pytest.param(b".a\nb\r", b"..a\r\nb\r\n.\r\n", id="bare line ends"),
        pytest.param(b"a\n.\nMAIL", b"a\r\n..\r\nMAIL\r\n.\r\n", id="smuggling"),
    ],
)
def test_a_message_is_stuffed(message: bytes, data: bytes) -> None:
    assert as_data(message) == data


def test_the_transcript_is_bounded() -> None:
    many = b"".join(b"250-X-%d\r\n" % number for number in range(200))
    conversation = talk(PLAIN, b"220 a\r\n", many + b"250 ok\r\n")
    assert len(conversation.transcript) == MAX_TRANSCRIPT
    assert len(conversation.capabilities) == 200


def test_our_own_failures_are_told_from_the_servers() -> None:
    assert Reason.NO_ROUTE.is_ours
    assert not Reason.REFUSED.is_ours


@given(st.lists(st.one_of(st.binary(max_size=30), st.sampled_from([*OPEN, b"354 x\r\n"]))))
def test_no_octets_make_it_fail(pieces: list[bytes]) -> None:
    conversation = Conversation(LETTER)
    said = 0
    for piece in pieces:
        action = conversation.receive(piece)
        said += isinstance(action, Send)
        if isinstance(action, Close):
            assert conversation.dialogue is not None
            break
    assert said <= 7
