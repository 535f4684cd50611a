"""What is wrong with the certificate that a server shows?

Exchange Online looks at a certificate only as far as the connector asks: the chain with
CertificateValidation, the name as well with DomainValidation. A monitor looks at all of it at
every run, and says everything that is wrong at once: a certificate that is renewed for its expiry
should not turn out to have the wrong name.
"""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.domain.peer_text import PeerText

MIN_RSA_BITS = 2048  # CA/Browser Forum baseline requirements, section 6.1.5
MIN_CURVE_BITS = 224
MAX_NAMES = 300  # of one certificate; more are counted and not kept
_WEAK_HASHES = ("md2", "md5", "sha1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """The facts of one certificate, its texts made safe to show.

    ``names`` are its dNSNames in lower case, as far as they are kept; ``name_count`` is how many
    it has. ``key_bits`` is 0 for a kind of key that is not known. ``signature`` is the hash that
    was signed, ``fingerprint`` the SHA-256 of the certificate in hex. ``purposes`` are its extended
    key usages (``serverAuth``, ``clientAuth``, ``any``, else the OID); none: it is for anything.
    """

    subject: PeerText
    issuer: PeerText
    common_name: PeerText
    names: tuple[PeerText, ...]
    name_count: int
    not_before: datetime
    not_after: datetime
    key_type: str
    key_bits: int
    signature: str
    is_self_signed: bool
    fingerprint: str
    purposes: tuple[str, ...] = ()

    @property
    def held(self) -> tuple[str, ...]:
        """Its names; the common name counts where there are no others."""
        if self.name_count:
            return tuple(map(_fold, self.names))
        return (_fold(self.common_name),) if self.common_name else ()


class Trust(enum.StrEnum):
    """Whether a chain leads to a certificate authority of the trust store."""

    TRUSTED = "trusted"
    SELF_SIGNED = "self-signed"  # and not itself in the store
    INCOMPLETE = "incomplete"  # an intermediate was not sent, and is not in the store
    UNTRUSTED = "untrusted"


class Revocation(enum.StrEnum):
    """What an authority says of a certificate of its, RFC 6960 section 2.2."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Staple:
    """An authority's answer that the server stapled to the handshake."""

    status: Revocation
    this_update: datetime
    next_update: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Presented:
    """What a server showed: its certificate, those it sent with it, and where they lead."""

    leaf: Certificate
    others: tuple[Certificate, ...] = ()
    trust: Trust = Trust.UNTRUSTED
    trust_detail: str = ""
    staple: Staple | None = None


class Flaw(enum.StrEnum):
    """Something wrong with a certificate: a closed set, fit for a label value."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRES_SOON = "expires-soon"
    NAME_MISMATCH = "name-mismatch"
    NAME_AMBIGUOUS = "name-ambiguous"
    SELF_SIGNED = "self-signed"
    INCOMPLETE_CHAIN = "incomplete-chain"
    UNTRUSTED = "untrusted"
    WEAK_KEY = "weak-key"
    WEAK_SIGNATURE = "weak-signature"
    REVOKED = "revoked"
    STALE_STAPLE = "stale-staple"
    NOT_FOR_SERVERS = "not-for-servers"


@dataclass(frozen=True, slots=True)
class Fault:
    """One flaw of a certificate, with a sentence for people."""

    flaw: Flaw
    detail: str


_TRUST_FLAWS = {
    Trust.SELF_SIGNED: Flaw.SELF_SIGNED,
    Trust.INCOMPLETE: Flaw.INCOMPLETE_CHAIN,
    Trust.UNTRUSTED: Flaw.UNTRUSTED,
}


def judge(
    presented: Presented, *, expected: str | None, at: datetime, soon: timedelta
) -> tuple[Fault, ...]:
    """Return everything that is wrong with a certificate at the time *at*.

    *expected* is the name it must have, as TlsDomain has it; without it no name is wrong. *soon* is
    how long before its end a certificate is worth a warning.
    """
    leaf = presented.leaf
    faults = [*_validity(leaf, at, soon)]
    if flaw := _TRUST_FLAWS.get(presented.trust):
        faults.append(Fault(flaw, _untrusted(presented)))
    if expected is not None:
        faults += _naming(leaf, expected)
    faults += _strength(leaf)
    if presented.staple is not None:
        faults += _revocation(presented.staple, at)
    if not is_for(leaf, "serverAuth"):
        faults.append(Fault(Flaw.NOT_FOR_SERVERS, f"is only for {', '.join(leaf.purposes)}"))
    return tuple(faults)


def is_for(leaf: Certificate, purpose: str) -> bool:
    """Tell whether a certificate may be used for ``serverAuth`` or ``clientAuth``."""
    return not leaf.purposes or purpose in leaf.purposes or "any" in leaf.purposes


def _revocation(staple: Staple, at: datetime) -> list[Fault]:
    if staple.status is Revocation.REVOKED:
        since = f" on {_day(staple.revoked_at)}" if staple.revoked_at else ""
        return [Fault(Flaw.REVOKED, f"revoked by its authority{since}")]
    if staple.next_update is not None and at > staple.next_update:
        return [Fault(Flaw.STALE_STAPLE, f"its OCSP answer ended on {_day(staple.next_update)}")]
    return []


def _validity(leaf: Certificate, at: datetime, soon: timedelta) -> list[Fault]:
    if at < leaf.not_before:
        return [Fault(Flaw.NOT_YET_VALID, f"valid from {_day(leaf.not_before)} on")]
    if at > leaf.not_after:
        days = (at - leaf.not_after).days
        return [Fault(Flaw.EXPIRED, f"expired on {_day(leaf.not_after)}, {days} days ago")]
    if leaf.not_after - at < soon:
        days = (leaf.not_after - at).days
        return [Fault(Flaw.EXPIRES_SOON, f"expires on {_day(leaf.not_after)}, in {days} days")]
    return []


def _untrusted(presented: Presented) -> str:
    match presented.trust:
        case Trust.SELF_SIGNED:
            return f"signed by itself: {presented.leaf.subject}"
        case Trust.INCOMPLETE:
            last = presented.others[-1] if presented.others else presented.leaf
            return f"its issuer was not sent: {last.issuer}"
        case _:
            detail = f" ({presented.trust_detail})" if presented.trust_detail else ""
            return f"issued by {presented.leaf.issuer}, which leads to no trusted root{detail}"


def _naming(leaf: Certificate, expected: str) -> list[Fault]:
    held = leaf.held
    shown = ", ".join(held[:10]) or "no name"
    if len(held) > 10:  # noqa: PLR2004 - enough to see what it is for
        shown += f" and {len(held) - 10} more"
    match = match_name(expected, leaf)
    if match is Match.YES:
        return []
    if match is Match.NO:
        return [Fault(Flaw.NAME_MISMATCH, f"{expected} is asked for, the certificate has {shown}")]
    detail = f"whether Exchange takes {shown} for {expected} is not documented"
    return [Fault(Flaw.NAME_AMBIGUOUS, detail)]


def _strength(leaf: Certificate) -> list[Fault]:
    faults = []
    floor = MIN_RSA_BITS if leaf.key_type in ("RSA", "DSA") else MIN_CURVE_BITS
    if 0 < leaf.key_bits < floor:
        faults.append(Fault(Flaw.WEAK_KEY, f"{leaf.key_type} key of {leaf.key_bits} bits"))
    if leaf.signature in _WEAK_HASHES:
        faults.append(Fault(Flaw.WEAK_SIGNATURE, f"signed with {leaf.signature}"))
    return faults


class Match(enum.Enum):
    """Whether a certificate has a name, as far as Microsoft's text decides it."""

    YES = "yes"
    NO = "no"
    AMBIGUOUS = "ambiguous"


def match_name(expected: str, leaf: Certificate) -> Match:
    """Tell whether *leaf* has the name *expected*, which may start with ``*.`` as TlsDomain may.

    A plain name matches itself and a wildcard that covers exactly one label (RFC 6125 section
    6.4.3). For ``*.contoso.com`` Microsoft's text covers ``x.contoso.com`` and the same wildcard;
    for ``contoso.com`` itself and for deeper names it does not say.
    """
    matches = {match_one(expected, name) for name in leaf.held}
    if Match.YES in matches:
        return Match.YES
    # A name that was not kept could be the one.
    is_cut = leaf.name_count > len(leaf.names)
    return Match.AMBIGUOUS if is_cut or Match.AMBIGUOUS in matches else Match.NO


def match_one(expected: str, name: str) -> Match:
    """Tell whether one *name* of a certificate is the name *expected*; see :func:`match_name`."""
    wanted, held = _fold(expected), _fold(name)
    if "*" in held.removeprefix("*."):
        return Match.NO  # a wildcard elsewhere than in front is none
    if wanted == held:
        return Match.YES
    if not wanted.startswith("*."):
        behind = wanted.partition(".")[2]
        covered = bool(behind) and held.startswith("*.") and behind == held[2:]
        return Match.YES if covered else Match.NO
    zone = wanted[2:]
    label, _, rest = held.partition(".")
    if rest == zone and label != "*":
        return Match.YES
    if held == zone or held.removeprefix("*.").endswith(f".{zone}"):
        return Match.AMBIGUOUS
    return Match.NO


def _fold(name: str) -> str:
    return name.lower().removesuffix(".")


def _day(time: datetime) -> str:
    return time.strftime("%Y-%m-%d")
