"""Keys, records and domains as the tests of the rules about DKIM write them down."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from math import gcd, prod

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.domain.dkim_lint import lint
from agent.domain.dkim_report import Picture, draw_facts, measure
from agent.domain.dkim_selectors import Intent
from agent.domain.dkim_survey import Survey, survey
from agent.domain.finding import Finding
from agent.domain.lookup import Answer, Reply, Silence, TextRecord, Unanswered, replay

D = "contoso.com"
OLD_ZONE = "contoso.onmicrosoft.com"
NEW_ZONE = "contoso.r-v1.dkim.mail.microsoft"
SILENT = Unanswered(Silence.SERVFAIL)
_SMALL = prod((3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47))


@cache
def modulus(bits: int, seed: int = 0) -> int:
    """A number of so many bits that looks like a product of two primes; nobody can sign by it."""
    number = (1 << (bits - 1)) + 2 * 7919 * seed + 1
    while gcd(number, _SMALL) != 1 or any(number % each == 0 for each in range(53, 1000, 2)):
        number += 2
    return number


@cache
def spki(bits: int = 2048, seed: int = 0, exponent: int = 65537) -> bytes:
    key = RSAPublicNumbers(exponent, modulus(bits, seed)).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def rsa(bits: int = 2048, seed: int = 0, exponent: int = 65537) -> str:
    return b64(spki(bits, seed, exponent))


@cache
def ed25519(seed: int = 0) -> bytes:
    """An Ed25519 SubjectPublicKeyInfo; its last 32 octets are the key."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key(bits: int = 2048, seed: int = 0, more: str = "") -> str:
    return f"v=DKIM1; k=rsa; {more}p={rsa(bits, seed)}"


GOOD = key()
NEXT = key(seed=1)
ED = f"v=DKIM1; k=ed25519; p={b64(ed25519()[-32:])}"


def target(selector: str, domain: str = D, zone: str = OLD_ZONE) -> str:
    return f"{selector}-{domain.replace('.', '-')}._domainkey.{zone}"


def text(*records: str, via: str = "", exists: bool = True) -> Answer:
    """Return an answer with TXT records, by way of aliases if any."""
    found = tuple(TextRecord((record.encode("latin-1"),)) for record in records)
    return Answer(found, name_exists=exists, aliases=tuple(via.split()))


def at(selector: str, domain: str = D) -> tuple[str, str]:
    return f"{selector}._domainkey.{domain}", "TXT"


MICROSOFT: Mapping[tuple[str, str], Reply] = {
    at("selector1"): text(GOOD, via=target("selector1")),
    at("selector2"): text(via=target("selector2"), exists=False),
}
"""As most domains are: one selector signs, the other has no key yet."""


@dataclass(frozen=True)
class Case:
    """What DNS says, and what is meant."""

    replies: Mapping[tuple[str, str], Reply] = field(default_factory=lambda: dict(MICROSOFT))
    intent: Intent = field(default_factory=Intent)
    domain: str = D

    def survey(self) -> Survey:
        return replay(survey(self.domain, self.intent), self.replies)

    def findings(self) -> tuple[Finding, ...]:
        found = self.survey()
        picture = Picture(found, self.intent, {}, {}, {})
        assert draw_facts(picture)
        assert measure(picture)
        findings = lint(found, self.intent)
        assert all(f.detail.isascii() and f.detail.endswith(".") for f in findings)
        assert all(line.isascii() for f in findings for line in (*f.evidence, f.fix))
        return findings


def named(*selectors: str) -> Intent:
    """A domain of servers of its own whose operator names the selectors."""
    return Intent(senders=(), selectors=selectors)


def alone(record: str, *others: str, intent: Intent | None = None) -> Case:
    """One selector that the operator names, with these records."""
    return Case({at("s1"): text(record, *others)}, intent or named("s1"))
