"""What does a domain demand of those who deliver to it (MTA-STS, RFC 8461)?

A TXT record says that there is a policy, and which version; the policy itself comes over HTTPS.
Both are a stranger's text: what is not exactly as the RFC has it is no policy.
"""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain.lookup import Answer, Reply, TextRecord, Unanswered
from agent.domain.peer_text import PeerText

MAX_POLICY = 65_536  # octets that are read, RFC 8461 section 3.3 leaves it to us
MAX_AGE = 31_557_600  # seconds, a year; section 3.2
_MAX_PATTERNS = 100
_RECORD = re.compile(r"v=STSv1 *;(?: *[a-zA-Z0-9][\w.-]{0,31}=[!-:<>-~]+ *;?)*", re.ASCII)
_ID = re.compile(r"; *id=([a-zA-Z0-9]{1,32}) *(?:;|$)")
_LINE = re.compile(r"([a-zA-Z0-9][\w.-]{0,31}) *: *(.*?) *", re.ASCII)
_PATTERN = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")


class Mode(enum.StrEnum):
    """How much a policy demands."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


class PolicyError(ValueError):
    """A text is no policy; says why in words of ours."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy; ``max_age`` is in seconds."""

    mode: Mode
    patterns: tuple[str, ...]
    max_age: int

    def covers(self, exchange: str) -> bool:
        """Tell whether *exchange* is one of the policy's hosts; ``*.`` is one label."""
        name = exchange.lower().removesuffix(".")
        behind = name.partition(".")[2]
        return any(
            behind == each[2:] if each.startswith("*.") else name == each for each in self.patterns
        )


@dataclass(frozen=True, slots=True)
class Announced:
    """What the TXT record says: the version of the policy, or why there is none to fetch.

    ``trouble`` is empty where the domain has no policy at all.
    """

    version: str = ""
    trouble: str = ""
    silence: str = ""


def announced(reply: Reply) -> Announced:
    """Read the answer for ``_mta-sts`` of a domain, section 3.1."""
    if isinstance(reply, Unanswered):
        return Announced(silence=reply.reason.value)
    texts = [
        text
        for text in _texts(reply)
        if text.startswith("v=STSv1") and text[7:].lstrip(" ")[:1] in ("", ";")
    ]
    if not texts:
        return Announced()
    if len(texts) > 1:
        return Announced(trouble=f"{len(texts)} records, and more than one counts as none")
    match = _ID.search(texts[0]) if _RECORD.fullmatch(texts[0]) else None
    if match is None:
        return Announced(trouble=f"the record is malformed: {PeerText(texts[0])}")
    return Announced(version=match[1])


def _texts(answer: Answer) -> Iterator[str]:
    for record in answer.records:
        if isinstance(record, TextRecord):
            yield record.joined.decode("ascii", "replace")


def read_policy(body: bytes) -> Policy:
    """Read a policy as it was fetched, section 3.2. Raises PolicyError."""
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        message = "it is not ASCII"
        raise PolicyError(message) from None
    fields: dict[str, list[str]] = {}
    for line in text.replace("\r\n", "\n").removesuffix("\n").split("\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            message = f"a line is no field: {PeerText(line)}"
            raise PolicyError(message)
        fields.setdefault(match[1], []).append(match[2])
    return _made(fields)


def _made(fields: dict[str, list[str]]) -> Policy:
    """Make a policy of its fields; of those that may stand once the first counts."""
    if fields.get("version", [""])[0] != "STSv1":
        message = "it does not say version: STSv1"
        raise PolicyError(message)
    word = fields.get("mode", [""])[0]
    if word not in list(Mode):
        message = f"its mode is none: {PeerText(word)}"
        raise PolicyError(message)
    age = fields.get("max_age", [""])[0]
    if not (age.isascii() and age.isdigit() and len(age) <= len(str(MAX_AGE))):
        message = f"its max_age is no number of seconds: {PeerText(age)}"
        raise PolicyError(message)
    patterns = tuple(each.lower() for each in fields.get("mx", []))[:_MAX_PATTERNS]
    wrong = [each for each in patterns if not _PATTERN.fullmatch(each)]
    if wrong:
        message = f"an mx is no host: {PeerText(wrong[0])}"
        raise PolicyError(message)
    if not patterns and word != Mode.NONE:
        message = "it names no mx"
        raise PolicyError(message)
    return Policy(Mode(word), patterns, min(int(age), MAX_AGE))
