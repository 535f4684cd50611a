"""Does reading a message that arrived ever fail, take long, or let through what cannot be shown?

Coverage-guided; needs `pip install atheris`, then

`python bench/fuzz/letters.py -max_total_time=300`
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports():
    from agent.domain.dsn import read_report
    from agent.domain.integrity import examine
    from agent.domain.letter_kind import kind_of
    from agent.domain.message import find_tokens
    from agent.domain.mime_parts import read_parts
    from agent.domain.owners import Owners
    from agent.domain.reading import read_message
    from agent.domain.report_words import sentence

TOKEN = "mfa1-aaaaaaaaaaaaaaaaaaaaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaaaaa"
NOBODYS = Owners()


def one(data: bytes) -> None:
    """Read the input in every way in which a letter is read."""
    kind_of(data)
    find_tokens(data)
    read_parts(data)
    examine(data, TOKEN)
    reading = read_message(data, NOBODYS)
    for hop in reading.trace.hops:
        assert hop.host.isprintable()
        assert hop.host.isascii()
    for meaning in reading.antispam.meanings():
        assert meaning.value.isprintable()
    report = read_report(data)
    if report is not None:
        assert sentence(report).isprintable()


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
