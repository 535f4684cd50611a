"""What a server says of a login is understood without a word of its own."""

import pytest

from agent.domain.diagnosis import diagnose
from agent.domain.knowledge.reply import ReplyClass
from agent.domain.login_replies import meaning_of, without_text
from agent.domain.peer_text import PeerText
from agent.domain.smtp_reply import Reply


def reply(code: int, enhanced: str = "", text: str = "no") -> Reply:
    return Reply(code, enhanced, (PeerText(f"{enhanced} {text}".strip()),))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(reply(535, "5.7.8"), "Correct the login", id="wrong password"),
        pytest.param(reply(535, "5.7.139"), "allow authenticated SMTP", id="SMTP AUTH is off"),
        pytest.param(reply(535, "5.7.3"), "allow authenticated SMTP", id="Exchange"),
        pytest.param(reply(535), "is wrong", id="no enhanced code"),
        pytest.param(reply(534, "5.7.9"), "app password or OAuth", id="Google"),
        pytest.param(reply(534), "too weak", id="weak mechanism"),
        pytest.param(reply(530, "5.7.57"), "log in", id="not logged in"),
        pytest.param(reply(530, "5.7.0"), "a login or TLS first", id="login wanted"),
        pytest.param(
            reply(432, "4.3.2", "Concurrent connections limit exceeded"), "fewer", id="too many"
        ),
        pytest.param(reply(432, "4.7.12"), "by PLAIN", id="password transition"),
        pytest.param(reply(454, "4.7.0"), "cannot check logins", id="not at present"),
        pytest.param(reply(454), "cannot check logins", id="not at present, no enhanced code"),
        pytest.param(reply(550, "5.7.30"), "OAuth", id="no passwords any more"),
        pytest.param(reply(599), "", id="unknown"),
    ],
)
def test_a_refused_login_is_explained(said: Reply, words: str) -> None:
    assert words in meaning_of(said)
    assert bool(meaning_of(said)) is bool(words)


def test_nothing_is_kept_of_what_the_server_said_but_what_we_know_ourselves() -> None:
    said = reply(432, "4.3.2", "secret limit exceeded secret")
    kept = without_text(said)
    assert kept.lines == ("4.3.2 (hidden) limit exceeded",)
    assert diagnose(kept).reply_class is ReplyClass.THROTTLE
    assert without_text(reply(535, "5.7.8", "secret")).text == "535 5.7.8 (hidden)"
    assert without_text(reply(334, "", "secret")).text == "334 (hidden)"
