"""What does one Authentication-Results field say?

RFC 8601 section 2.2 is the form on paper. Exchange Online writes no authserv-id at the start but
sometimes a bare domain in the middle; others forget the semicolon between methods, or put results
of several signatures in a row. So this reader takes words with ``=`` in order: a method begins a
result, everything else belongs to the result before it. The work is linear.
"""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from agent.domain.comments import pieces
from agent.domain.knowledge.compauth_reasons import compauth_meaning
from agent.domain.received import read_address

MAX_LENGTH = 8 * 1024  # characters of a field that are looked at
MAX_SIGNATURES = 10
MAX_RESULTS = 20  # of one field
_MAX_VALUE = 320  # characters of one value

_METHODS = frozenset({"spf", "dkim", "dmarc", "compauth", "arc"})
# Results that we do not keep; without this list their properties would go to the one before.
_OTHERS = frozenset(
    {"auth", "iprev", "sender-id", "domainkeys", "dkim-adsp", "dkim-atps", "x-hmca"}
)
_SENDER = re.compile(r"(?:sender IP is|designates?) ([0-9A-Fa-f.:]{2,45})")
_DMARC_TAG = re.compile(r"\b(p|dis)=([A-Za-z]{1,20})", re.IGNORECASE)
_SEMICOLON, _BLANK = "\x01", "\x02"  # inside of quotes; printable text holds neither


class AuthResult(enum.StrEnum):
    """The result of a method: a closed set, fit for a label value.

    RFC 8601 section 2.7, and the words that Exchange Online adds.
    """

    PASS = "pass"  # noqa: S105 - RFC 8601's word
    FAIL = "fail"
    SOFTFAIL = "softfail"
    SOFTPASS = "softpass"
    NEUTRAL = "neutral"
    NONE = "none"
    POLICY = "policy"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"
    BESTGUESSPASS = "bestguesspass"
    TIMEOUT = "timeout"
    OTHER = "other"

    @classmethod
    def read(cls, word: str) -> "AuthResult":
        """Return the result that *word* names; ``OTHER`` for a word that is none."""
        return _RESULTS.get(word.lower(), cls.OTHER)


_RESULTS = {str(each): each for each in AuthResult} | {
    "hardfail": AuthResult.FAIL,  # RFC 8601 section 2.7.2 tells of it
    "error": AuthResult.TEMPERROR,  # before RFC 7208
    "unknown": AuthResult.PERMERROR,
}


@dataclass(frozen=True, slots=True)
class Signature:
    """The result of one DKIM signature; ``domain`` is header.d, empty where there is none."""

    result: AuthResult
    domain: str = ""
    selector: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a field says; None and empty stand for what it does not say.

    ``sender_address`` is the address of the client as the server saw it.
    """

    authserv_id: str = ""
    spf: AuthResult | None = None
    mail_from: str = ""
    helo: str = ""
    sender_address: str = ""
    signatures: tuple[Signature, ...] = ()
    dmarc: AuthResult | None = None
    dmarc_policy: str = ""
    action: str = ""
    header_from: str = ""
    compauth: AuthResult | None = None
    reason: str = ""
    arc: AuthResult | None = None

    @property
    def dkim(self) -> AuthResult | None:
        """The best result of the signatures: one that passes is enough (RFC 6376 section 6.1)."""
        results = [each.result for each in self.signatures]
        return AuthResult.PASS if AuthResult.PASS in results else next(iter(results), None)

    @property
    def header_domains(self) -> tuple[str, ...]:
        """The domains that signed, in order."""
        return tuple(each.domain for each in self.signatures if each.domain)

    @property
    def reason_meaning(self) -> str:
        """What the reason of composite authentication means; empty where it is not known."""
        return compauth_meaning(self.reason)

    def completed(self, other: "Statement") -> "Statement":
        """Return the statement with what *other* says of methods that this one is silent about."""
        missing: dict[str, Any] = {}
        for names in _TOGETHER:
            if not getattr(self, names[0]):
                missing |= {name: getattr(other, name) for name in names}
        return replace(self, **missing)


_TOGETHER = (  # a method and what belongs to it
    ("spf", "mail_from", "helo"),
    ("sender_address",),
    ("signatures",),
    ("dmarc", "dmarc_policy", "action", "header_from"),
    ("compauth", "reason"),
    ("arc",),
)


@dataclass(slots=True)
class _Part:
    """A result with its properties, as it is read."""

    method: str
    result: str
    properties: dict[str, str] = field(default_factory=dict)
    comment: str = ""


def read_statement(value: str) -> Statement:
    """Read the value of an Authentication-Results field. Never raises."""
    identity, parts = _parts(value[:MAX_LENGTH].replace("\\x09", " "))
    spf, dmarc = _first(parts, "spf"), _first(parts, "dmarc")
    compauth, arc = _first(parts, "compauth"), _first(parts, "arc")
    tags = {each[1].lower(): each[2].lower() for each in _DMARC_TAG.finditer(dmarc.comment)}
    return Statement(
        authserv_id=identity,
        spf=_result(spf),
        mail_from=_property(spf, "smtp.mailfrom", "smtp.mfrom").strip("<>"),
        helo=_property(spf, "smtp.helo"),
        sender_address=_sender(spf, arc),
        signatures=tuple(_signatures(parts)),
        dmarc=_result(dmarc),
        dmarc_policy=_property(dmarc, "policy.dmarc") or tags.get("p", ""),
        action=_property(dmarc, "action").lower() or tags.get("dis", ""),
        header_from=_property(dmarc, "header.from"),
        compauth=_result(compauth),
        reason=_property(compauth, "reason"),
        arc=_result(arc),
    )


def sender_in(comment: str) -> str:
    """Return the client's address that a comment of an SPF result names; empty where none."""
    match = _SENDER.search(comment)
    return read_address(match[1].rstrip(".:")) if match else ""


def _sender(spf: _Part, arc: _Part) -> str:
    named = sender_in(spf.comment)
    return named or read_address(
        _property(spf, "smtp.client-ip", "smtp.remote-ip", "policy.iprev")
        or _property(arc, "smtp.client-ip", "smtp.remote-ip")
    )


def _parts(value: str) -> tuple[str, list[_Part]]:
    """Return the authserv-id and the results, in order."""
    identity, current, parts = "", _Part("", ""), list[_Part]()
    for is_comment, text in pieces(_protect(value)):
        if is_comment:
            current.comment = current.comment or text.translate(_RESTORE)
            continue
        for word in _words(text):
            key, equals, said = word.partition("=")
            if not equals:
                # A bare domain later on is the sender's, as Exchange Online writes it.
                first = not identity and not parts and key != ";"
                identity = key.strip(";")[:_MAX_VALUE] if first else identity
                continue
            key, said = key.lower(), _clean(said)
            method = key.partition("/")[0]  # with a version, RFC 8601 section 2.2
            if method in _METHODS or method in _OTHERS:
                if len(parts) == MAX_RESULTS:
                    return identity, parts
                current = _Part(method, said)
                parts.append(current)
            else:
                current.properties.setdefault(key, said)
    return identity, parts


def _words(text: str) -> list[str]:
    """Return words, with what stands around ``=`` joined; a semicolon ends a word."""
    spaced = " ".join(text.replace(";", " ; ").split())
    return spaced.replace(" =", "=").replace("= ", "=").split()


_RESTORE = {ord(_SEMICOLON): ";", ord(_BLANK): " "}


def _protect(value: str) -> str:
    """Hide semicolons and blanks inside of quotes; a quote that nobody closed is none."""
    if '"' not in value:
        return value
    cut = value.split('"')
    last = len(cut) - 1
    hidden = [
        text.replace(";", _SEMICOLON).replace(" ", _BLANK) if number % 2 and number < last else text
        for number, text in enumerate(cut)
    ]
    return "".join(hidden)


def _clean(value: str) -> str:
    return value.strip(";").translate(_RESTORE)[:_MAX_VALUE]


def _first(parts: list[_Part], method: str) -> _Part:
    """Return the first result of a method; an empty one where there is none."""
    return next((part for part in parts if part.method == method), _Part("", ""))


def _result(part: _Part) -> AuthResult | None:
    return AuthResult.read(part.result) if part.method else None


def _property(part: _Part, *names: str) -> str:
    return next((part.properties[name] for name in names if part.properties.get(name)), "")


def _signatures(parts: list[_Part]) -> Iterator[Signature]:
    found = [part for part in parts if part.method == "dkim"]
    for part in found[:MAX_SIGNATURES]:
        domain = _property(part, "header.d").lower()
        if not domain:  # header.i=@example.com names the same domain or one below it
            domain = _property(part, "header.i").rpartition("@")[2].lower()
        yield Signature(
            AuthResult.read(part.result),
            "" if domain == "none" else domain,
            _property(part, "header.s"),
            part.comment[:_MAX_VALUE],
        )
