"""Does mail pass the filter in front of a tenant, and is its true source judged?"""

from collections.abc import Iterator

from agent.domain.finding import Finding
from agent.domain.tenancy import hygiene_rules_inbound as rules
from agent.domain.tenancy.hygiene_view import View, called, change, few, switch_on
from agent.domain.tenancy.objects import Inbound, TransportRule, identity_of
from agent.domain.tenancy.powershell import command

FILTER_NAME = "<name in the certificate of the filter>"
"""Stands in a line where only the filter's provider knows it."""

_LOCK = command(
    "New-InboundConnector",
    Name="From the filter",
    ConnectorType="Partner",
    SenderDomains=("*",),
    RequireTls=True,
    RestrictDomainsToCertificate=True,
    TlsSenderCertificateName=FILTER_NAME,
)


def filtering(view: View) -> Iterator[Finding]:
    """Yield what is wrong with the lock on the tenant and with enhanced filtering."""
    yield from _lock(view)
    yield from _unrestricted(view)
    yield from _locked_out(view)
    yield from _missing(view)
    for connector in view.inbound:
        if connector.is_on and connector.has_enhanced_filtering:
            yield from _harmful(connector, view)
    yield from _bypasses(view)


def locks_off(view: View) -> Iterator[Inbound]:
    """Yield the restricted connectors that are switched off while the tenant stands open."""
    if _stands_open(view):
        yield from (each for each in view.inbound if not each.is_on and _is_lock(each))


def _lock(view: View) -> Iterator[Finding]:
    if not _stands_open(view):
        return
    names = few(view.filtered)
    off = next(locks_off(view), None)
    loose = next((each for each in view.inbound if each.is_on and _is_for_all(each)), None)
    start = f"The MX of {names} leads to a filter"
    if off is not None:
        yield rules.NOT_LOCKED_DOWN.found(
            f"{start}, and {_lower(called(off))} that holds others off is switched off.",
            fix=_safe(switch_on(off), view),
        )
    elif loose is not None:
        detail = f"{start}, and {_lower(called(loose))} takes mail from everybody."
        yield rules.NOT_LOCKED_DOWN.found(detail, fix=_safe(_tightened(loose), view))
    else:
        yield rules.NOT_LOCKED_DOWN.found(
            f"{start}, and no partner connector for `*` is restricted to it.",
            fix=_safe(_LOCK, view),
        )


def _safe(line: str, view: View) -> str:
    """Return the line that locks; none while some domain's mail would be locked out by it."""
    return "" if view.direct else line


def _unrestricted(view: View) -> Iterator[Finding]:
    """Yield connectors by which anybody comes in, while nobody knows whether a filter is.

    Where DNS says that one is, or that none is, that is known, and judged elsewhere.
    """
    is_known = bool(view.filtered) or all(name in view.ways for name in view.domains)
    if is_known or any(each.is_on and _may_be_lock(each) for each in view.inbound):
        return
    for connector in view.inbound:
        if connector.is_on and _is_for_all(connector):
            yield rules.UNRESTRICTED.found(
                f"{called(connector)} is for all senders and restricts them neither to a"
                " certificate nor to addresses."
            )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _stands_open(view: View) -> bool:
    """Tell whether there is a filter and surely no lock."""
    is_known = view.export.inbound is not None
    return (
        is_known
        and bool(view.filtered)
        and not any(each.is_on and _may_be_lock(each) for each in view.inbound)
    )


def _may_be_lock(connector: Inbound) -> bool:
    """Tell whether a connector may hold others off, as far as the export says."""
    restrictions = (
        connector.restrict_domains_to_certificate,
        connector.restrict_domains_to_ip_addresses,
    )
    return (
        connector.connector_type != "on-premises"
        and (not connector.sender_domains or "*" in connector.sender_domains)
        and (True in restrictions or None in restrictions)
    )


def _is_for_all(connector: Inbound) -> bool:
    return connector.connector_type == "partner" and "*" in connector.sender_domains


def _is_lock(connector: Inbound) -> bool:
    return connector.is_restricted and "*" in connector.sender_domains


def _tightened(connector: Inbound) -> str:
    if connector.tls_sender_certificate_name:
        return change(connector, RequireTls=True, RestrictDomainsToCertificate=True)
    if connector.sender_ip_addresses:
        return change(connector, RestrictDomainsToIPAddresses=True)
    return change(
        connector,
        RequireTls=True,
        RestrictDomainsToCertificate=True,
        TlsSenderCertificateName=FILTER_NAME,
    )


def _locked_out(view: View) -> Iterator[Finding]:
    for lock in view.inbound:
        if lock.is_on and _is_lock(lock) and not lock.associated_accepted_domains and view.direct:
            yield rules.LOCKED_OUT.found(
                f"{called(lock)} refuses the mail that comes for {few(view.direct)} straight from"
                " the Internet.",
                *view.direct,
            )


def _missing(view: View) -> Iterator[Finding]:
    on = [each for each in view.inbound if each.is_on]
    if view.centralised or any(each.has_enhanced_filtering for each in on):
        return
    for connector in on:
        # An export without the property says nothing.
        if view.filtered and _is_for_all(connector) and connector.ef_skip_last_ip is False:
            yield rules.EF_MISSING.found(
                f"{called(connector)} takes the mail of {few(view.filtered)} from the filter"
                " without enhanced filtering.",
                fix=change(connector, EFSkipLastIP=True),
            )


def _harmful(connector: Inbound, view: View) -> Iterator[Finding]:
    off = change(connector, EFSkipLastIP=False, EFSkipIPs=())
    if view.centralised:
        yield rules.EF_UNDER_CMT.found(
            f"{called(connector)} has enhanced filtering while all mail goes through"
            f" '{view.centralised[0].name}'.",
            fix=off,
        )
    elif _is_all_direct(view):
        yield rules.EF_WITHOUT_FILTER.found(
            f"{called(connector)} has enhanced filtering, and the MX of {few(view.direct)} leads"
            " straight to Exchange Online.",
            fix=off,
        )
    if connector.ef_users:
        yield rules.EF_PILOT.found(
            f"{called(connector)} has enhanced filtering for {len(connector.ef_users)} recipients"
            " only.",
            fix=change(connector, EFUsers=()),
        )


def _is_all_direct(view: View) -> bool:
    """Tell whether all mail comes straight in: known of every domain that has any."""
    is_known = all(name in view.ways for name in view.domains)
    used = [name for name in view.domains if view.ways.get(name)]
    return is_known and bool(used) and len(used) == len(view.direct)


_WHO = frozenset(
    {"senderdomainis", "from", "fromaddresscontainswords", "fromaddressmatchespatterns"}
)
# Who it is for, and whom it is not about, proves nothing of the others.
_NOT_ABOUT_SENDER = ("sentto", "recipient", "anyof", "exceptif")


def _bypasses(view: View) -> Iterator[Finding]:
    """Yield rules that let mail from outside skip spam filtering."""
    is_enhanced = any(each.is_on and each.has_enhanced_filtering for each in view.inbound)
    for rule in view.rules:
        if rule.is_on and rule.set_scl == -1 and rule.from_scope.lower() != "inorganization":
            why = _why_forged(rule, view)
            if why:
                chosen = rules.SCL_CONFLICT if is_enhanced else rules.SCL_BLANKET
                yield chosen.found(
                    f"{called(rule)} sets SCL -1 {why}.",
                    fix=command("Disable-TransportRule", identity_of(rule)),
                )


def _why_forged(rule: TransportRule, view: View) -> str:
    """Say by what little the rule knows mail; nothing where it is told by something better."""
    if rule.exception_headers:  # such as what another server found out about the sender
        return ""
    names = {name.lower() for name, _ in rule.conditions}
    about_sender = {name for name in names if not name.startswith(_NOT_ABOUT_SENDER)}
    if not about_sender:
        return "for mail from anybody"
    if about_sender <= _WHO:
        return "by what a message says of its sender"
    if about_sender == {"senderipranges"} and view.filtered:
        return "by the address of the last server, behind a filter"
    return ""
