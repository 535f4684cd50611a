"""Which mail of another tenant does a connector claim, and what decides on it?

Exchange Online asks for the certificate's domain, then the MAIL FROM domain, then the RCPT TO
domain, each among the accepted domains of the tenants whose on-premises connector matches. The
last would always be right; the first two are what takes mail away.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain.attribution import Step, closeness
from agent.domain.public_suffix import zone_of
from agent.domain.tenancy.landscape import Landscape, Tenancy
from agent.domain.tenancy.objects import Inbound
from agent.domain.tenancy.ties import Shown, claims_by, name_of


class Cover(enum.Enum):
    """Whether a name in a connector is that of a certificate, as far as anybody can tell."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Hold:
    """A connector's claim on what is shown for the tenant *of*, and the step that decides."""

    connector: Inbound
    of: Tenancy
    shown: Shown
    cover: Cover
    step: Step


@dataclass(frozen=True, slots=True)
class Rivalry:
    """Two on-premises connectors for one certificate, seen by the tenant of *mine*.

    ``name`` is what the servers of one of them show. ``nearest`` is the tenant whose accepted
    domains decide; None where the MAIL FROM domain does, or, with ``is_open``, where an export
    does not hold the accepted domains.
    """

    mine: Inbound
    of: Tenancy
    theirs: Inbound
    name: str
    nearest: Tenancy | None
    is_open: bool = False

    @property
    def is_wide(self) -> bool:
        """True where mine is wider than what their servers show."""
        return self.name == name_of(self.theirs) != name_of(self.mine)

    @property
    def is_narrow(self) -> bool:
        """True where theirs is wider than what my servers show."""
        return self.name == name_of(self.mine) != name_of(self.theirs)


def cover(name: str, shown: Shown) -> Cover:
    """Tell whether *name*, of a connector, is that of what is shown.

    ``*.contoso.com`` is documented as the domain and all its subdomains. A wildcard in a
    certificate covers one label; one that a connector allows says only what may be shown.
    """
    if not name or not shown.name:
        return Cover.NO
    if name == shown.name:
        return Cover.YES
    if name.startswith("*."):
        is_below = f".{shown.name.removeprefix('*.')}".endswith(name[1:])
        return Cover.YES if is_below else Cover.NO
    if shown.name.startswith("*."):
        if shown.is_pattern:
            return Cover.MAYBE if name.endswith(shown.name[1:]) else Cover.NO
        return Cover.YES if name.partition(".")[2] == shown.name[2:] else Cover.NO
    return Cover.NO


def holds(tenancy: Tenancy, other: Tenancy, landscape: Landscape) -> Iterator[Hold]:
    """Yield what *tenancy* claims of another tenant's mail by certificate, or of its customers'.

    What *other*'s own servers show is a :class:`Rivalry`. Where *other* is *tenancy*, it is its
    gateways that show for customers.
    """
    theirs = landscape.ties(other.name)
    for connector in landscape.ties(tenancy.name).claimants:
        for shown in theirs.shown:
            if shown.source == "on-premises" or (other is tenancy and shown.source != "gateway"):
                continue
            found = cover(name_of(connector), shown)
            if found is Cover.NO or _is_idle(shown, theirs.shown):
                continue
            if _is_known_better(connector, shown, tenancy) or _keeps(other, shown, tenancy):
                continue
            yield Hold(connector, other, shown, found, step_of(connector, shown.name, tenancy))


def rivalries(tenancy: Tenancy, other: Tenancy, landscape: Landscape) -> Iterator[Rivalry]:
    """Yield the pairs of on-premises connectors of two tenants that are for one certificate.

    Whether a wildcard takes what another one's certificate shows is decided by accepted domains:
    where an export does not hold them, nothing is said of it.
    """
    is_open = None in (tenancy.export.domains, other.export.domains)
    for mine in landscape.ties(tenancy.name).claimants:
        for theirs in landscape.ties(other.name).claimants:
            name = _narrower(name_of(mine), name_of(theirs))
            if name and is_open and name_of(mine) == name_of(theirs):
                yield Rivalry(mine, other, theirs, name, None, is_open=True)
            elif name and not is_open:
                yield Rivalry(mine, other, theirs, name, _nearest(name, tenancy, other))


def step_of(connector: Inbound, name: str, tenancy: Tenancy) -> Step:
    """Say what makes the tenant the owner of mail that is shown the certificate *name*."""
    is_near = closeness(name, tenancy.export.domain_names) > 0
    narrow = connector.associated_accepted_domains
    return Step.CERTIFICATE if is_near and not narrow else Step.MAIL_FROM


def _narrower(one: str, other: str) -> str:
    """Return the name that both connectors are for; empty where there is none."""
    if cover(one, Shown("on-premises", "", other, is_pattern=True)) is Cover.YES:
        return other
    found = cover(other, Shown("on-premises", "", one, is_pattern=True))
    return one if found is Cover.YES else ""


def _nearest(name: str, *tenancies: Tenancy) -> Tenancy | None:
    near = {closeness(name, each.export.domain_names): each for each in tenancies}
    best = max(near)
    return near[best] if best and len(near) > 1 else None


def _is_idle(shown: Shown, among: tuple[Shown, ...]) -> bool:
    """Tell whether an MX host's own name says nothing: a partner connector has the certificate's.

    What delivers is then known better than by the name of the host that takes the mail.
    """
    if shown.source != "exchange" or not shown.is_pattern:
        return False
    zone = zone_of(shown.name)
    return any(each.source == "partner" and _zone(each.name) == zone for each in among if each.name)


def _is_known_better(connector: Inbound, shown: Shown, tenancy: Tenancy) -> bool:
    """Tell whether the tenant's gateways are known to show another name than the connector's."""
    if not shown.is_pattern:
        return False
    known = [each.lower() for each in tenancy.presents if _zone(each) == _zone(shown.name)]
    name = name_of(connector)
    return bool(known) and all(
        cover(name, Shown("gateway", "", each)) is Cover.NO for each in known
    )


def _keeps(other: Tenancy, shown: Shown, tenancy: Tenancy) -> bool:
    """Tell whether *other* claims the mail itself, nearer to the certificate's name."""
    if closeness(shown.name, other.export.domain_names) <= closeness(
        shown.name, tenancy.export.domain_names
    ):
        return False
    own = (each for each in other.export.inbound or () if claims_by(each))
    return any(cover(name_of(each), shown) is Cover.YES for each in own)


def _zone(name: str) -> str:
    return zone_of(name.lower().removeprefix("*."))
