"""Is every outbound connector set so that mail leaves by it as it seems to?"""

from collections import defaultdict
from collections.abc import Iterator

from agent.domain.finding import Finding
from agent.domain.tenancy import hygiene_rules as common
from agent.domain.tenancy import hygiene_rules_outbound as rules
from agent.domain.tenancy.hosts import as_address, is_endpoint
from agent.domain.tenancy.hygiene_view import View, called, change, few
from agent.domain.tenancy.objects import Outbound

_STRENGTH = {"none": 0, "encryption-only": 1, "certificate-validation": 2, "domain-validation": 3}


def connectors(view: View) -> Iterator[Finding]:
    """Yield what is wrong with connectors that are on, each by itself and together."""
    for each in view.outbound:
        if each.is_on:
            yield from _targets(each, view)
            yield from _tls(each, view)
            yield from _centralised(each, view)
            yield from _ineffective(each, view)
    yield from _overlaps(view)


def _targets(connector: Outbound, view: View) -> Iterator[Finding]:
    if connector.use_mx_record is False and not connector.smart_hosts:
        yield rules.NO_SMART_HOST.found(
            f"{called(connector)} neither uses MX records nor has a smart host."
        )
    exchange = [host for host in connector.smart_hosts if _is_exchange(host.lower(), view)]
    if exchange and connector.use_mx_record is not True and _is_for_own(connector, view):
        yield rules.SMART_HOST_IS_EXCHANGE.found(
            f"{called(connector)} has the smart host {few(exchange)}.", *sorted(exchange)
        )


def _is_exchange(host: str, view: View) -> bool:
    """Tell whether a smart host leads to Exchange Online: its MX counts more than its address."""
    address = as_address(host)
    if address is not None:
        return is_endpoint(host, (address,))
    seen = view.surroundings
    exchanges = seen.exchanges[host].hosts if host in seen.exchanges else ()
    return any(is_endpoint(each, seen.addresses.get(each, ())) for each in exchanges or (host,))


def _is_for_own(connector: Outbound, view: View) -> bool:
    """Tell whether more than foreign domains is sent by it: a partner may be at Exchange Online."""
    return (
        connector.connector_type == "on-premises"
        or bool(connector.is_transport_rule_scoped)
        or any(name == "*" or name.lower() in view.own for name in connector.recipient_domains)
    )


def _tls(connector: Outbound, view: View) -> Iterator[Finding]:
    settings, wish = connector.tls_settings, view.wishes.tls
    if settings is not None and wish != "any" and _STRENGTH[settings] < _STRENGTH[wish]:
        yield rules.TLS_WEAK.found(
            f"{called(connector)} has TlsSettings {settings}; wished is {wish}.",
            fix=_strengthened(connector, wish),
        )
    if settings == "domain-validation" and not connector.tls_domain:
        yield rules.TLS_WITHOUT_DOMAIN.found(
            f"{called(connector)} has TlsSettings DomainValidation and no TlsDomain."
        )
    modes = {"MtaStsMode": connector.mta_sts_mode, "SmtpDaneMode": connector.smtp_dane_mode}
    off = [name for name, mode in modes.items() if mode.lower() == "none"]
    if off:
        yield rules.TRANSPORT_SECURITY_OFF.found(
            f"{called(connector)} sets {' and '.join(off)} to None.",
            fix=change(connector, **dict.fromkeys(off, "Opportunistic")),
        )


def _strengthened(connector: Outbound, wish: str) -> str:
    if wish == "certificate-validation":
        return change(connector, TlsSettings="CertificateValidation")
    return change(connector, TlsSettings="DomainValidation") if connector.tls_domain else ""


def _centralised(connector: Outbound, view: View) -> Iterator[Finding]:
    if not connector.route_all_messages_via_on_premises:
        return
    if connector.connector_type == "partner" and not view.centralised:
        yield rules.CMT_NO_CONNECTOR.found(
            f"{called(connector)} sets RouteAllMessagesViaOnPremises and is of the type Partner."
        )
    names = connector.recipient_domains
    is_narrow = connector.all_accepted_domains or (names and "*" not in names)
    if connector.connector_type == "on-premises" and is_narrow:
        scope = "all accepted domains" if connector.all_accepted_domains else few(names)
        yield rules.CMT_SCOPED.found(
            f"{called(connector)} sets RouteAllMessagesViaOnPremises for {scope} only.",
            fix=change(connector, AllAcceptedDomains=False, RecipientDomains=("*",)),
        )


def _ineffective(connector: Outbound, view: View) -> Iterator[Finding]:
    found: dict[str, bool | tuple[str, ...]] = {}
    if connector.connector_type == "partner":
        if connector.route_all_messages_via_on_premises and view.centralised:
            found["RouteAllMessagesViaOnPremises"] = False
        if connector.all_accepted_domains:
            found["AllAcceptedDomains"] = False
        if connector.sender_rewriting_enabled:
            found["SenderRewritingEnabled"] = False
    if connector.tls_domain and connector.tls_settings not in (None, "domain-validation"):
        found["TlsDomain"] = ()
    if connector.use_mx_record and connector.smart_hosts:
        found["SmartHosts"] = ()
    if found:
        yield common.INEFFECTIVE.found(
            f"{called(connector)} sets {', '.join(found)}, which does nothing there.",
            fix=change(connector, **found),
        )


def _overlaps(view: View) -> Iterator[Finding]:
    """Yield connectors at one level: for the same domain, wildcard, or all accepted domains."""
    by_scope: defaultdict[str, list[int]] = defaultdict(list)
    for place, connector in enumerate(view.outbound):
        # What the export does not say to be open to all mail may be for rules only.
        if connector.is_on and connector.is_transport_rule_scoped is False:
            for scope in _scopes(connector):
                by_scope[scope].append(place)
    groups: defaultdict[tuple[tuple[int, ...], bool], list[str]] = defaultdict(list)
    for scope, places in by_scope.items():
        if len(places) > 1:
            groups[tuple(places), "*" in scope].append(scope)
    for (together, is_wide), scopes in groups.items():
        found = [view.outbound[place] for place in together]
        is_partner = not is_wide and all(each.connector_type == "partner" for each in found)
        rule = common.PARTNER_TWICE if is_partner else rules.OVERLAP
        yield rule.found(
            f"The outbound connectors {few(each.name for each in found)} are all for"
            f" {few(scopes)}.",
            *map(called, found),
        )


def _scopes(connector: Outbound) -> Iterator[str]:
    yield from {each.lower() for each in connector.recipient_domains}
    if connector.all_accepted_domains and connector.connector_type != "partner":
        yield "all accepted domains"
