"""Where would a tenant's mail go round, before any does?

Messages of every kind are followed through the landscape. Those whose ways come back to themselves
by the same object are one finding, with the path, the step to change, and the hop at which
Exchange Online would cut the loop.
"""

from collections.abc import Iterator
from operator import attrgetter

from agent.domain.finding import Finding
from agent.domain.tenancy.evidence import serves
from agent.domain.tenancy.hosts import is_endpoint
from agent.domain.tenancy.hygiene_view import switch_on
from agent.domain.tenancy.journey_values import CUT, ROUNDS, By, Cause, Journey, Loop, Step
from agent.domain.tenancy.landscape import Landscape, Tenancy
from agent.domain.tenancy.loop_rules import BY_CAUSE, RULES
from agent.domain.tenancy.looping import looping
from agent.domain.tenancy.objects import Export, Inbound, Outbound, TransportRule, identity_of
from agent.domain.tenancy.powershell import command
from agent.domain.tenancy.ways import Ways

__all__ = ["RULES", "loops"]


def loops(tenancy: Tenancy, landscape: Landscape, ways: Ways | None = None) -> Iterator[Finding]:
    """Yield a finding for each object that sends mail of the tenant, or past it, in a circle.

    *ways* is what was found out about the landscape before, for the analysis of many tenants.
    """
    known = ways if ways is not None else Ways(landscape)
    found: dict[tuple[Cause | None, By], list[tuple[Journey, Loop]]] = {}
    domains: dict[tuple[Cause | None, By], set[str]] = {}
    for each in looping(tenancy, known):
        journey, loop = each.journey, each.loop
        if _concerns(tenancy, journey, loop):
            key = loop.edge.cause, _blamed(loop.edge.by, landscape)
            found.setdefault(key, []).append((journey, loop))
            domains.setdefault(key, set()).update(each.trial.domains)
    for key in sorted(found, key=str):
        yield _finding(found[key], domains[key], tenancy, landscape)


def _blamed(by: By, landscape: Landscape) -> By:
    """Return the object to change: for a relay domain a connector that is off, if there is one."""
    off = _off(by, landscape)
    return by if off is None else By("outbound connector", off.name, by.tenant)


def _off(by: By, landscape: Landscape) -> Outbound | None:
    """Return the connector that would take a domain's mail to own servers if it were on."""
    if by.kind != "accepted domain" or by.tenant not in landscape:
        return None
    return next(
        (
            each
            for each in sorted(landscape[by.tenant].export.outbound or (), key=attrgetter("name"))
            if not each.is_on
            and each.connector_type == "on-premises"
            and not each.is_transport_rule_scoped
            and not each.use_mx_record
            and each.smart_hosts
            and not any(is_endpoint(host.lower()) for host in each.smart_hosts)
            and serves(each, by.name)
        ),
        None,
    )


def _concerns(tenancy: Tenancy, journey: Journey, loop: Loop) -> bool:
    """Tell whether a loop is the tenant's: of its mail, or through it."""
    is_own = tenancy.export.accepted(journey.message.rcpt_domain) is not None
    return is_own or any(_is_of(step, tenancy) for step in loop.steps)


def _is_of(step: Step, tenancy: Tenancy) -> bool:
    return step.spot == "tenant" and step.name == tenancy.name


def _finding(
    found: list[tuple[Journey, Loop]],
    domains: set[str],
    tenancy: Tenancy,
    landscape: Landscape,
) -> Finding:
    journey, loop = min(found, key=lambda each: len(each[0].steps))
    domain = journey.message.rcpt_domain
    others = sorted(domains - {domain})
    blamed = _blamed(loop.edge.by, landscape)
    detail = f"mail for {domain} goes round {_through(loop)}; {loop.edge.by} sends it back"
    if blamed != loop.edge.by:
        detail += f", while {blamed} is switched off"
    evidence = [*_path(journey, loop), f"to change: {blamed}"]
    if others:
        evidence.append(f"so does mail for {', '.join(others)}")
    fix = _fix(loop.edge, loop, landscape)
    if fix and loop.edge.cause is Cause.ATTRIBUTION:
        evidence.append(_OFF)
    if fix and loop.edge.by.tenant != tenancy.name:
        evidence.append(f"to type in tenant {loop.edge.by.tenant}: {fix}")
        fix = ""  # the same line here would change an object of the same name
    return BY_CAUSE[loop.edge.cause].found(detail, *evidence, fix=fix)


_OFF = (
    "the line switches the connector off, which ends the loop at once; mail of the tenant's own"
    " servers is then not relayed"
)


def _through(loop: Loop) -> str:
    names = dict.fromkeys(
        f"tenant {step.name}" if step.spot == "tenant" else step.name
        for step in loop.steps
        if step.spot != "exchange"
    )
    return f"through {' and '.join(names)}"


def _path(journey: Journey, loop: Loop) -> Iterator[str]:
    """Yield the way, step by step, as far as where it repeats."""
    for number, step in enumerate(journey.steps, 1):
        yield f"{number}. {step}"
    again = len(journey.steps) - len(loop.steps) + 1
    yield (
        f"and again from {again}: Exchange Online cuts it after {ROUNDS} rounds, at about hop"
        f" {loop.hop}, with {CUT}"
    )


def _fix(edge: Step, loop: Loop, landscape: Landscape) -> str:
    """Return the line that changes the object of *edge*; what only its owner knows is in <>."""
    by = edge.by
    if by.tenant not in landscape:
        return ""
    export = landscape[by.tenant].export
    match by.kind:
        case "inbound connector":
            return command("Set-InboundConnector", _identity(export.inbound, by), Enabled=False)
        case "mail flow rule":
            return command(
                "Set-TransportRule",
                _identity(export.rules, by),
                ExceptIfHeaderContainsMessageHeader="<header that the service writes>",
                ExceptIfHeaderContainsWords="<its value>",
            )
        case "outbound connector":
            return _fix_of_outbound(_identity(export.outbound, by), edge, loop)
    off = _off(by, landscape)
    return switch_on(off) if off is not None else _authoritative(export, by.name)


def _fix_of_outbound(identity: str, edge: Step, loop: Loop) -> str:
    if edge.cause is not Cause.CMT:
        hosts = ("<own server>",)
        return command("Set-OutboundConnector", identity, UseMXRecord=False, SmartHosts=hosts)
    if len(loop.steps) == 1:
        everybody = ("*",)
        return command(
            "Set-OutboundConnector",
            identity,
            RecipientDomains=everybody,
            AllAcceptedDomains=False,
        )
    return command(
        "New-InboundConnector",
        Name="From own servers",
        ConnectorType="OnPremises",
        SenderDomains=("*",),
        TlsSenderCertificateName="<name in the certificate of your servers>",
        CloudServicesMailEnabled=True,
    )


def _authoritative(export: Export, domain: str) -> str:
    accepted = export.accepted(domain)
    name = accepted.name if accepted is not None else domain
    return command("Set-AcceptedDomain", name, DomainType="Authoritative")


def _identity(things: tuple[Inbound | Outbound | TransportRule, ...] | None, by: By) -> str:
    """Return what the cmdlet finds the object by."""
    return next((identity_of(each) for each in things or () if each.name == by.name), by.name)
