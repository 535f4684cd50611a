"""Does the matcher of certificate names ever take a name for another, and does reading ever fail?

Coverage-guided; needs `pip install atheris`, then

`python bench/fuzz/certificate_names.py -max_total_time=300`
"""

import contextlib
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports():
    from agent.adapters.x509 import UnreadableError, read
    from agent.domain.tls import Match, match_one


def one(data: bytes) -> None:
    """Match two names made of the input, and read it as a certificate."""
    provider = atheris.FuzzedDataProvider(data)
    wanted = provider.ConsumeUnicodeNoSurrogates(64)
    held = provider.ConsumeUnicodeNoSurrogates(64)
    match = match_one(wanted, held)
    if match is Match.YES and "*" not in wanted + held:
        assert wanted.lower().removesuffix(".") == held.lower().removesuffix(".")
    if match is Match.YES and held.startswith("*.") and not wanted.startswith("*."):
        assert wanted.lower().removesuffix(".").count(".") == held.removesuffix(".").count(".")
    with contextlib.suppress(UnreadableError):
        read(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
