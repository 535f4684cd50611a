"""Logging in, by what the server offers, and nothing of it is shown."""

import pytest

from agent.domain.smtp import Accepted, Errand, Login, Phase, Reason, Refused, Tls, Unreached
from agent.domain.smtp_conversation import Close, Conversation, Send

BY_TOKEN = Login("XOAUTH2", b"dG9rZW4=")
BY_PASSWORD = Login("PLAIN", b"c2VjcmV0", otherwise=Login("LOGIN", b"", (b"dXNlcg==", b"cGFzcw==")))
SECRETS = ("c2VjcmV0", "dXNlcg==", "cGFzcw==", "dG9rZW4=", "echo")


def talk(login: Login, *replies: bytes) -> tuple[Conversation, list[bytes]]:
    """Have a conversation; returns it and what was said."""
    conversation = Conversation(Errand("probe.example", Tls.NEVER, login=login))
    said = []
    for reply in (b"220 mx\r\n", *replies):
        action = conversation.receive(reply)
        if isinstance(action, Send):
            said.append(action.data)
        if isinstance(action, Close):
            break
    assert not [secret for secret in SECRETS if secret in str(conversation.transcript)]
    assert not [secret for secret in SECRETS if secret in str(conversation.dialogue)]
    return conversation, said


def offer(words: bytes) -> bytes:
    return b"250-mx\r\n250-X PLAIN LOGIN\r\n250 " + words + b"\r\n"


@pytest.mark.parametrize("words", [b"AUTH LOGIN XOAUTH2", b"auth login", b"AUTH=LOGIN"])
def test_login_is_spoken_where_plain_is_not_offered(words: bytes) -> None:
    conversation, said = talk(
        BY_PASSWORD,
        offer(words),
        b"334 VXNlcm5hbWU6\r\n",
        b"334 echo\r\n",
        b"235 2.7.0 echo\r\n",
    )
    assert isinstance(conversation.dialogue, Accepted)
    assert said[1:-1] == [b"AUTH LOGIN\r\n", b"dXNlcg==\r\n", b"cGFzcw==\r\n"]
    assert [line for line in conversation.transcript if line.startswith(">")][1:4] == [
        "> AUTH LOGIN",
        "> (hidden)",
        "> (hidden)",
    ]


def test_plain_is_spoken_where_both_are_offered() -> None:
    conversation, said = talk(BY_PASSWORD, offer(b"AUTH LOGIN PLAIN"), b"235 echo\r\n")
    assert isinstance(conversation.dialogue, Accepted)
    assert said[1] == b"AUTH PLAIN c2VjcmV0\r\n"


@pytest.mark.parametrize("words", [b"AUTH CRAM-MD5", b"AUTH", b"AUTHX PLAIN", b"SIZE 1"])
def test_a_server_that_offers_none_of_ours_is_told_as_such(words: bytes) -> None:
    conversation, said = talk(BY_PASSWORD, offer(words))
    assert conversation.dialogue == Unreached(Phase.AUTH, Reason.AUTH_NOT_OFFERED)
    assert not [line for line in said if line.startswith(b"AUTH")]


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        pytest.param((b"535 5.7.8 echo\r\n",), [], id="at once"),
        pytest.param((b"334 x\r\n", b"535 5.7.8 echo\r\n"), [b"dXNlcg==\r\n"], id="the user"),
        pytest.param(
            (b"334 x\r\n", b"334 x\r\n", b"535 5.7.8 echo\r\n"),
            [b"dXNlcg==\r\n", b"cGFzcw==\r\n"],
            id="the password",
        ),
    ],
)
def test_a_no_is_heard_wherever_it_comes(replies: tuple[bytes, ...], said: list[bytes]) -> None:
    conversation, heard = talk(BY_PASSWORD, offer(b"AUTH LOGIN"), *replies)
    assert isinstance(conversation.dialogue, Refused)
    assert conversation.dialogue.reply.text == "535 5.7.8 (hidden)"
    assert heard[2:-1] == said


def test_who_asks_for_more_than_there_is_gets_nothing() -> None:
    conversation, said = talk(BY_PASSWORD, offer(b"AUTH LOGIN"), *[b"334 x\r\n"] * 5)
    assert conversation.dialogue == Unreached(Phase.AUTH, Reason.PROTOCOL)
    assert said[2:] == [b"dXNlcg==\r\n", b"cGFzcw==\r\n"]


def test_the_reason_of_a_refused_token_is_fetched_with_an_empty_line() -> None:
    conversation, said = talk(
        BY_TOKEN, offer(b"AUTH LOGIN XOAUTH2"), b"334 echo\r\n", b"535 5.7.3 echo\r\n"
    )
    assert isinstance(conversation.dialogue, Refused)
    assert said[2] == b"\r\n"


def test_a_login_shows_no_secret() -> None:
    assert not [secret for secret in SECRETS if secret in f"{BY_PASSWORD} {BY_TOKEN}"]
