"""What does one look at a domain's MTA-STS have before it, and what is known from before?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from agent.domain.mta_sts_policy import Document, read_policy
from agent.domain.mta_sts_survey import Survey
from agent.domain.mta_sts_terms import Policy, PolicyError
from agent.domain.tls import Match, Presented, match_one

Expected = Literal["any", "enforce", "testing", "none"]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of asking for the policy's file.

    ``trouble`` says why senders do not get it, in words of ours; with ``is_ours`` the cause may be
    on this side. ``document`` is there as soon as there was a text, however it came.
    """

    document: Document | None = None
    trouble: str = ""
    is_ours: bool = False

    @property
    def policy(self) -> Policy | None:
        """The policy that senders get; None where they get none."""
        return self.document.policy if self.document and not self.trouble else None


@dataclass(frozen=True, slots=True)
class Shown:
    """The certificate that an exchange showed to another check.

    ``is_trusted`` is None where nobody looked.
    """

    names: tuple[str, ...]
    not_after: datetime
    is_trusted: bool | None = None

    def flaws(self, exchange: str, at: datetime) -> tuple[str, ...]:
        """Say why senders that obey the policy refuse it (RFC 8461 section 4.2)."""
        found = []
        if at > self.not_after:
            found.append(f"expired on {self.not_after:%Y-%m-%d}")
        if not any(match_one(exchange, name) is Match.YES for name in self.names):
            shown = ", ".join(self.names[:5]) or "no name"
            found.append(f"is for {shown}")
        if self.is_trusted is False:
            found.append("leads to no trusted root")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Change:
    """A text that is another one since ``at``, and what it was ``before``."""

    at: datetime
    before: str


@dataclass(frozen=True, slots=True)
class Past:
    """What this agent remembers.

    ``announced`` is the last change of id and policy together (see :func:`announcement`),
    ``policy_changed_at`` of the policy alone; ``mode_since`` is when the mode was first seen as it
    is, ``host`` the last change of the policy's host.
    """

    announced: Change | None = None
    policy_changed_at: datetime | None = None
    mode_since: datetime | None = None
    host: Change | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """What the operator says; times are lengths."""

    expected: Expected = "any"
    testing_is_fine_for: timedelta = timedelta(days=90)
    warn_before_expiry: timedelta = timedelta(days=21)
    report_changes_for: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Picture:
    """All that one run has seen. ``fetched`` is None where no policy is announced.

    ``presented`` is what the policy's host shows; ``exchanges`` the certificates by exchange.
    ``between`` is a well-known host for which the same untrusted authority signs here: somebody
    looks into our connections then, and what the policy's host really shows is not known.
    """

    survey: Survey
    now: datetime
    fetched: Fetched | None = None
    presented: Presented | None = None
    exchanges: Mapping[str, Shown] = field(default_factory=lambda: MappingProxyType({}))
    past: Past = field(default_factory=Past)
    between: str = ""

    @property
    def policy(self) -> Policy | None:
        """The policy that senders get; None where they get none."""
        return self.fetched.policy if self.fetched else None

    @property
    def uncovered(self) -> tuple[str, ...]:
        """The exchanges that the policy leaves out."""
        policy = self.policy
        return left_out(policy, self.survey.exchanges) if policy else ()

    @property
    def is_announced(self) -> bool:
        """Whether senders look for a policy."""
        return bool(self.survey.version)


def left_out(policy: Policy, exchanges: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of *exchanges* that *policy* does not cover."""
    return tuple(each for each in exchanges if not policy.covers(each))


_ID = "id: "


def announcement(version: str, policy: Policy) -> str:
    """Write an id and its policy down as text, the same for the same."""
    lines = [f"{_ID}{version}", "version: STSv1", f"mode: {policy.mode}"]
    lines += [f"max_age: {policy.max_age}", *(f"mx: {each}" for each in sorted(policy.patterns))]
    return "\n".join(lines)


def is_same(one: Policy, other: Policy) -> bool:
    """Tell whether two policies demand the same; the order of the patterns says nothing."""
    return announcement("", one) == announcement("", other)


def recollect(text: str) -> tuple[str, Policy] | None:
    """Read what :func:`announcement` wrote; None for an empty or a cut text."""
    first, _, rest = text.partition("\n")
    try:
        policy = read_policy(rest.encode())
    except PolicyError:
        return None
    return first.removeprefix(_ID), policy
