"""Does anything come out of the reply parser but replies and faults, whatever goes in?

Coverage-guided, for hours where the property tests take seconds. Needs atheris, which is in no lock
because nothing else needs it: `pip install atheris`, then

`python bench/fuzz/smtp_reply.py -max_total_time=300`
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports():
    from agent.domain.diagnosis import diagnose
    from agent.domain.smtp import Accepted, Errand, Refused, Tls, Unreached
    from agent.domain.smtp_conversation import Close, Conversation, Secure
    from agent.domain.smtp_reply import MAX_REPLY, Reply, ReplyReader

_LETTER = b"Subject: probe\r\n\r\nhello\r\n"


def read(data: bytes) -> None:
    """Read replies whole and cut at a place that the input chooses: both must be the same."""
    cut = data[0] * len(data) // 256 if data else 0
    whole, parts = ReplyReader(), ReplyReader()
    once = whole.feed(data)
    twice = [*parts.feed(data[:cut]), *parts.feed(data[cut:])]
    assert list(once) == twice
    for event in once:
        if isinstance(event, Reply):
            assert 200 <= event.code <= 599
            assert event.text.isprintable()
            assert sum(map(len, event.lines)) <= 6 * MAX_REPLY
            diagnose(event)


def converse(data: bytes) -> None:
    """Hold a whole session with a server that says *data*, a piece for each of our commands."""
    errand = Errand("a.example", Tls.IF_OFFERED, "a@a.example", ("b@b.example",), _LETTER)
    talk = Conversation(errand)
    for piece in data.split(b"\0"):
        action = talk.receive(piece)
        while isinstance(action, Secure):
            action = talk.secured()
        if isinstance(action, Close):
            break
    assert talk.dialogue is None or isinstance(talk.dialogue, Accepted | Refused | Unreached)
    assert all(line.isprintable() for line in talk.transcript)


def one(data: bytes) -> None:
    """Take one input."""
    read(data)
    converse(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
