"""Which of a tenant's certificates are shown for other tenants, and which of its own by them?

Where two tenants are at odds each has a finding of its own, in its own words: the one that claims
can mend it, the other one has to know why its mail does not arrive.
"""

from collections.abc import Iterable, Iterator

from agent.domain.attribution import Step, closeness
from agent.domain.finding import Finding
from agent.domain.knowledge.certificate_names import filter_of
from agent.domain.tenancy import attribution_rules as rules
from agent.domain.tenancy.attribution_alone import OWN_NAME, third_parties, to_partner
from agent.domain.tenancy.holds import Cover, Hold, Rivalry, holds
from agent.domain.tenancy.landscape import Landscape, Tenancy
from agent.domain.tenancy.objects import Inbound, identity_of
from agent.domain.tenancy.powershell import command
from agent.domain.tenancy.ties import name_of

_NAMED = 3  # tenants in a sentence; the evidence has them all
_LOOP = "it is sent out again to the recipient's MX and loops until 554 5.4.14"


def claims_others(
    connector: Inbound, sure: list[Hold], tenancy: Tenancy, landscape: Landscape
) -> Iterator[Finding]:
    """Yield one finding for all that a connector claims of others' mail."""
    if not sure:
        return
    name = name_of(connector)
    whose = _names(each.of.name for each in sure if each.of is not tenancy) or "its customers"
    best = min(sure, key=lambda each: each.step is not Step.CERTIFICATE)
    detail = (
        f"{tenancy.name} claims mail for {whose} by certificate: its on-premises connector"
        f" '{connector.name}' names {name}, and {_decides(best, tenancy)}; {_LOOP}"
    )
    evidence = [f"{each.of.name}: {each.shown.by}" for each in _one_each(sure)]
    yield rules.CLAIMS_OTHERS.found(detail, *evidence, fix=_way_out(connector, tenancy, landscape))


def claimed(tenancy: Tenancy, landscape: Landscape) -> Iterator[Finding]:
    """Yield one finding for all that others claim of the tenant's mail."""
    held = [
        (other, each)
        for other in landscape.claiming_of(tenancy.name)
        for each in holds(other, tenancy, landscape)
        if each.cover is Cover.YES
    ]
    if not held:
        return
    claimer, first = held[0]
    whose = _names(other.name for other, _ in held)
    detail = (
        f"{whose} claims mail for {tenancy.name} by certificate: {first.shown.by}, which is that of"
        f" the on-premises connector '{first.connector.name}' of {claimer.name},"
        f" where {_decides(first, claimer)}; {_LOOP}"
    )
    evidence = dict.fromkeys(
        f"{other.name}: '{each.connector.name}', as {each.shown.by}" for other, each in held
    )
    yield rules.CLAIMED.found(detail, *evidence)


def shared(connector: Inbound, rivals: list[Rivalry]) -> Iterator[Finding]:
    """Yield one finding for the rivals of a connector that can take mail, its own or theirs."""
    open_ = [
        each
        for each in rivals
        if not (each.is_wide and each.nearest is each.of)
        and not (each.is_narrow and each.nearest is not None and each.nearest is not each.of)
    ]
    if not open_:
        return
    whose = _names(each.of.name for each in open_)
    detail = (
        f"'{connector.name}' and a connector of {whose} are both for {open_[0].name}:"
        f" {_outcome(open_[0])}"
    )
    evidence = [f"{each.of.name}: '{each.theirs.name}', {_outcome(each)}" for each in open_]
    fix = command("Set-InboundConnector", identity_of(connector), TlsSenderCertificateName=OWN_NAME)
    yield rules.SHARED_CERTIFICATE.found(detail, *evidence, fix=fix)


def _outcome(rivalry: Rivalry) -> str:
    if rivalry.is_open:
        return "which of them claims is decided by accepted domains that were not exported"
    if rivalry.nearest is None:
        return (
            "the certificate domain decides for neither, so each claims by the MAIL FROM domain"
            " what its senders send through the other's servers, and reports go by the RCPT TO"
            " domain"
        )
    is_theirs = rivalry.nearest is rivalry.of
    loser = "this tenant" if is_theirs else rivalry.of.name
    return (
        f"{rivalry.nearest.name} claims the mail of {loser} by the certificate domain, which is"
        " accepted there"
    )


def wildcard(connector: Inbound, rivals: list[Rivalry]) -> Iterator[Finding]:
    """Yield a finding where a wildcard covers rivals that keep their mail all the same."""
    kept = [each for each in rivals if each.is_wide and each.nearest is each.of]
    if kept:
        whose = _names(each.of.name for each in kept)
        detail = (
            f"{name_of(connector)} in '{connector.name}' covers {kept[0].name},"
            f" the certificate of {whose}"
        )
        yield rules.WILDCARD.found(detail, *(f"{e.of.name}: {e.name}" for e in kept))


def maybe_shared(connector: Inbound, mine: list[Hold]) -> Iterator[Finding]:
    """Yield a finding where others allow a wildcard that the connector's certificate fits."""
    maybe = _one_each(each for each in mine if each.cover is Cover.MAYBE)
    if maybe:
        whose = _names(each.of.name for each in maybe)
        detail = (
            f"{name_of(connector)} in '{connector.name}' is among what {whose} takes for its"
            " filter's: nobody here can tell whether a gateway shows it"
        )
        yield rules.WITHIN_WILDCARD.found(
            detail, *(f"{each.of.name}: {each.shown.by}" for each in maybe)
        )


def _way_out(connector: Inbound, tenancy: Tenancy, landscape: Landscape) -> str:
    """Return the line that ends a claim: the filter's connector is a partner's, else own name."""
    name = name_of(connector)
    fronts = {host for _, host in third_parties(tenancy, landscape.surroundings)}
    is_gateway = bool(tenancy.gateways or tenancy.presents)
    if not is_gateway and (fronts or filter_of(name)) and not _accepts(tenancy, name):
        return to_partner(connector, tenancy, landscape.surroundings)[0]
    return command(
        "Set-InboundConnector", identity_of(connector), TlsSenderCertificateName=OWN_NAME
    )


def _decides(hold: Hold, tenancy: Tenancy) -> str:
    if hold.step is Step.CERTIFICATE:
        accepted = max(
            (each for each in tenancy.export.domain_names if _accepts_as(each, hold.shown.name)),
            key=len,
        )
        return f"the certificate domain decides: {accepted} is accepted there, whoever sends"
    return "the MAIL FROM domain decides, so that it takes what its own senders send there"


def _accepts(tenancy: Tenancy, name: str) -> bool:
    return closeness(name, tenancy.export.domain_names) > 0


def _accepts_as(domain: str, name: str) -> bool:
    return closeness(name, (domain,)) > 0


def _one_each(held: Iterable[Hold]) -> list[Hold]:
    """Return the first of each tenant."""
    first: dict[str, Hold] = {}
    for each in held:
        first.setdefault(each.of.name, each)
    return list(first.values())


def _names(names: Iterable[str]) -> str:
    """Write names of tenants, each once, the first few of them."""
    known = tuple(dict.fromkeys(names))
    more = len(known) - _NAMED
    text = ", ".join(known[:_NAMED])
    return f"{text} and {more} more" if more > 0 else text
