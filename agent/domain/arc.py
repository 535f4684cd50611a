"""What do the servers on the way vouch for?

Authenticated Received Chain, RFC 8617: each server that hands a message on seals what it saw. The
seals are read here, not verified: ``cv`` is what the sealer found, and anybody can write it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.domain.authentication_results import AuthResult, Statement, read_statement

MAX_SETS = 50  # RFC 8617 section 4.2.1

_INSTANCE = re.compile(r"\bi ?= ?([0-9]{1,2})\b")
_TAG = re.compile(r"\b(cv|d) ?= ?([A-Za-z0-9._-]{1,255})")
_NEAR = 200  # characters in which the instance is looked for
_TAGS = 1000  # characters in which other tags are
_NOTHING = Statement()


@dataclass(frozen=True, slots=True)
class ArcSet:
    """One round of the chain: what the chain was worth before, who sealed it, and what it saw.

    ``validation`` is ``cv=``, None where the seal is missing.
    """

    instance: int
    validation: AuthResult | None = None
    domain: str = ""
    statement: Statement = _NOTHING


def read_sets(seals: Iterable[str], statements: Iterable[str]) -> tuple[ArcSet, ...]:
    """Return the sets by their instance, the oldest first; of two with one the upper one counts.

    *seals* are the values of ARC-Seal, *statements* those of ARC-Authentication-Results.
    """
    by_seal, by_statement = _by_instance(seals), _by_instance(statements)
    return tuple(
        _set(number, by_seal.get(number, ""), by_statement.get(number, ""))
        for number in sorted(by_seal.keys() | by_statement.keys())
    )


def _set(number: int, seal: str, statement: str) -> ArcSet:
    tags = dict(reversed(_TAG.findall(seal[:_TAGS])))
    return ArcSet(
        number,
        AuthResult.read(tags["cv"]) if "cv" in tags else None,
        tags.get("d", "").lower(),
        read_statement(statement.partition(";")[2]),
    )


def _by_instance(values: Iterable[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for value in values:
        match = _INSTANCE.search(value[:_NEAR])
        if match is not None and 1 <= int(match[1]) <= MAX_SETS:
            found.setdefault(int(match[1]), value)
    return found
