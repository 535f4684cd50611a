"""What does one look at a domain's DANE have before it, and how does each exchange stand?"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from agent.domain.dane import is_among
from agent.domain.dane_survey import Host, Key, Survey, Validation
from agent.domain.direct import Code, Said, Signature
from agent.domain.knowledge.dnssec_hosts import is_in_dnssec_zone
from agent.domain.lookup import Answer, Unanswered
from agent.domain.mta_sts_terms import Policy
from agent.domain.tls import Match, match_one
from agent.domain.tlsa import AUTHORITY, ITSELF, Tlsa


@dataclass(frozen=True, slots=True)
class Look:
    """What the resolver says when it is asked not to validate.

    ``is_refused`` is whether it refused the same question, with validation, once more after that.
    """

    said: Said
    is_refused: bool = False

    @property
    def is_bogus(self) -> bool:
        """Whether there is an answer, and nobody who validates gets it."""
        return self.is_refused and self.said.code in (Code.NOERROR, Code.NXDOMAIN)

    @property
    def last(self) -> Signature | None:
        """The signature that holds longest: one that is valid is enough."""
        return max(self.said.signatures, key=lambda each: each.expiration, default=None)


@dataclass(frozen=True, slots=True)
class Sight:
    """What other checks saw at an exchange: the chains, as prints, by address."""

    names: tuple[str, ...]
    not_after: datetime
    chains: Mapping[str, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Fit:
    """Which records the chain at one address fits; where none, ``why`` some nearly does."""

    address: str
    prints: tuple[bytes, ...]
    records: tuple[Tlsa, ...] = ()
    why: str = ""


class Stand(enum.StrEnum):
    """How DANE stands at an exchange: a closed set, fit for a label value."""

    FITTING = "fitting"
    MISMATCHING = "mismatching"
    PARTLY = "partly-mismatching"  # at some of its addresses
    UNSEEN = "unseen"  # nobody has seen its certificate lately
    UNUSABLE = "unusable"
    INSECURE = "insecure"  # there are records, and DNSSEC does not vouch for them
    WITHOUT = "without"
    UNKNOWN = "unknown"


IN_FORCE = (Stand.FITTING, Stand.MISMATCHING, Stand.PARTLY, Stand.UNSEEN)
NOT_IN_FORCE = (Stand.UNUSABLE, Stand.INSECURE, Stand.WITHOUT)


@dataclass(frozen=True, slots=True)
class Intent:
    """What the operator says; times are lengths."""

    required: bool = False
    warn_before: timedelta = timedelta(days=3)
    rollover_before: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Picture:
    """All that one run has seen.

    ``looks`` are signatures by name and type, ``sights`` certificates by exchange, ``policy`` the
    MTA-STS policy where it matters; ``control`` is a look at the name that tells of the resolver,
    where a signature seems to have come to its end.
    """

    survey: Survey
    now: datetime
    looks: Mapping[Key, Look] = field(default_factory=lambda: MappingProxyType({}))
    sights: Mapping[str, Sight] = field(default_factory=lambda: MappingProxyType({}))
    policy: Policy | None = None
    control: Look | None = None

    @property
    def is_clock_wrong(self) -> bool:
        """Whether the control is not valid either by our clock, as if it were we who are late."""
        last = None if self.control is None else self.control.last
        return last is not None and not last.inception <= self.now <= last.expiration

    @property
    def is_proven(self) -> bool:
        """Whether the resolver's word on DNSSEC counts."""
        return self.survey.validation is Validation.PROVEN

    def fits(self, host: Host) -> tuple[Fit, ...]:
        """Hold what was seen at *host* against its usable records."""
        sight = self.sights.get(host.exchange)
        if sight is None:
            return ()
        return tuple(self._fit(host, sight, each) for each in sight.chains)

    def _fit(self, host: Host, sight: Sight, address: str) -> Fit:
        prints = sight.chains[address]
        usable = [each for each in host.records if each.is_usable]
        found = tuple(each for each in usable if is_among(each, prints))
        flaw = _flaw(host, self.survey.domain, sight, self.now)
        if not flaw:
            return Fit(address, prints, found)
        # The name and the time count for nothing where the certificate itself is named (RFC 7672
        # section 3.1.1), and do below an authority (section 3.1.2).
        sound = tuple(each for each in found if each.usage == ITSELF)
        return Fit(address, prints, sound, flaw if found and not sound else "")

    def stand(self, host: Host) -> Stand:
        """Tell how DANE stands at *host*."""
        if isinstance(host.tlsa, Answer) and not host.tlsa.records:
            return Stand.WITHOUT
        if isinstance(host.tlsa, Unanswered) or not self.is_proven:
            return Stand.UNKNOWN
        if not host.is_signed:
            return Stand.INSECURE
        if not any(each.is_usable for each in host.records):
            return Stand.UNUSABLE
        return self._compared(host)

    def _compared(self, host: Host) -> Stand:
        fits = self.fits(host)
        good = sum(bool(each.records) for each in fits)
        if not fits:
            return Stand.UNSEEN
        if good == len(fits):
            return Stand.FITTING
        return Stand.PARTLY if good else Stand.MISMATCHING

    def spare(self, host: Host) -> tuple[Tlsa, ...] | None:
        """Return the usable records that wait for the next key; None where there need be none.

        A record of an authority goes on to fit when the server's key is renewed.
        """
        used = {record for fit in self.fits(host) for record in fit.records}
        if not used or any(each.usage == AUTHORITY for each in used):
            return None
        return tuple(each for each in host.records if each.is_usable and each not in used)


def _flaw(host: Host, domain: str, sight: Sight, now: datetime) -> str:
    """Say why a certificate below an authority is refused though its chain fits."""
    if now > sight.not_after:
        return f"the certificate expired on {sight.not_after:%Y-%m-%d}"
    wanted = (host.exchange, host.name.removeprefix("_25._tcp."), domain)
    if not any(match_one(want, name) is Match.YES for want in wanted for name in sight.names):
        return f"the certificate is for {', '.join(sight.names[:5]) or 'no name'}"
    return ""


def is_of_microsoft(host: Host) -> bool:
    """Tell whether Microsoft publishes the TLSA records of *host*."""
    return is_in_dnssec_zone(host.exchange)


def has_dangling_alias(host: Host) -> bool:
    """Tell whether the name for TLSA records is an alias, and leads to none."""
    return isinstance(host.tlsa, Answer) and bool(host.tlsa.aliases) and not host.tlsa.records
