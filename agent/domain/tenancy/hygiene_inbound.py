"""Is every inbound connector set so that it does what it seems to do?"""

from collections import defaultdict
from collections.abc import Iterator

from agent.domain.finding import Finding
from agent.domain.tenancy import hygiene_rules as common
from agent.domain.tenancy import hygiene_rules_inbound as rules
from agent.domain.tenancy.hygiene_view import View, called, change, few
from agent.domain.tenancy.objects import Inbound


def connectors(view: View) -> Iterator[Finding]:
    """Yield what is wrong with connectors that are on, each by itself and together."""
    for each in view.inbound:
        if each.is_on:
            yield from _restrictions(each)
            yield from _ineffective(each, view)
            yield from _trust(each, view)
    yield from _duplicates(view)


def _restrictions(connector: Inbound) -> Iterator[Finding]:
    if connector.connector_type != "partner":
        return
    by_certificate = connector.restrict_domains_to_certificate
    by_address = connector.restrict_domains_to_ip_addresses
    missing = []
    if by_certificate and not connector.tls_sender_certificate_name:
        missing.append("a certificate and TlsSenderCertificateName is empty")
    if by_address and not connector.sender_ip_addresses:
        missing.append("addresses and SenderIPAddresses is empty")
    if missing:
        detail = f"{called(connector)} is restricted to {', and to '.join(missing)}."
        yield rules.RESTRICTION_WITHOUT_VALUE.found(detail)
    elif by_certificate and by_address:
        yield rules.RESTRICTION_MIXED.found(
            f"{called(connector)} sets RestrictDomainsToCertificate and"
            " RestrictDomainsToIPAddresses.",
            fix=change(connector, RestrictDomainsToIPAddresses=False),
        )
    if by_certificate and connector.require_tls is False:
        yield rules.CERTIFICATE_WITHOUT_TLS.found(
            f"{called(connector)} sets RestrictDomainsToCertificate without RequireTls.",
            fix=change(connector, RequireTls=True),
        )


def _ineffective(connector: Inbound, view: View) -> Iterator[Finding]:
    found = [*_of_other_type(connector, view), *_of_trust(connector)]
    if found:
        yield common.INEFFECTIVE.found(
            f"{called(connector)} sets {', '.join(found)}, which does nothing there.",
            fix=change(connector, **dict.fromkeys(found, False)),
        )


def _of_other_type(connector: Inbound, view: View) -> Iterator[str]:
    """Yield what acts on partner connectors only.

    RequireTls is true by default on both types, and the wizard sets it: it says nothing of what
    somebody relies on.
    """
    if connector.connector_type != "on-premises":
        return
    if connector.restrict_domains_to_certificate and not _may_be_add_on(connector, view):
        yield "RestrictDomainsToCertificate"
    if connector.restrict_domains_to_ip_addresses:
        yield "RestrictDomainsToIPAddresses"


def _may_be_add_on(connector: Inbound, view: View) -> bool:
    """Tell whether this may be the way back from an add-on service.

    Microsoft's page on add-on services sets the restriction on a connector of the type OnPremises.
    The way there is a connector for rules, which an export may lack: a rule that routes tells of
    it as well.
    """
    if not connector.tls_sender_certificate_name:
        return False
    if view.export.outbound is None or view.export.rules is None:
        return True
    return any(rule.route_message_outbound_connector for rule in view.rules) or any(
        each.connector_type == "on-premises" and each.is_transport_rule_scoped
        for each in view.outbound
    )


def _of_trust(connector: Inbound) -> Iterator[str]:
    if connector.treat_messages_as_internal and (
        connector.connector_type == "partner" or connector.cloud_services_mail_enabled
    ):
        yield "TreatMessagesAsInternal"


def _trust(connector: Inbound, view: View) -> Iterator[Finding]:
    if (
        connector.treat_messages_as_internal
        and connector.connector_type != "partner"
        and not connector.cloud_services_mail_enabled
    ):
        yield rules.TREATED_AS_INTERNAL.found(
            f"{called(connector)} sets TreatMessagesAsInternal.",
            fix=change(connector, TreatMessagesAsInternal=False),
        )
    scope = {name.lower() for name in connector.associated_accepted_domains}
    if scope:
        out = sorted(set(view.export.domain_names) - scope)
        said = f"leaves out {few(out)}" if out else "will leave out any domain that is added"
        yield rules.SCOPED_TO_DOMAINS.found(
            f"{called(connector)} is limited by AssociatedAcceptedDomains and {said}.",
            *out,
            fix=change(connector, AssociatedAcceptedDomains=()),
        )


def _duplicates(view: View) -> Iterator[Finding]:
    """Yield partners with several connectors; ``*`` is no partner."""
    by_domain: defaultdict[str, list[int]] = defaultdict(list)
    for place, connector in enumerate(view.inbound):
        if connector.is_on and connector.connector_type == "partner":
            for name in {each.lower() for each in connector.sender_domains} - {"*"}:
                by_domain[name].append(place)
    groups: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
    for name, places in by_domain.items():
        if len(places) > 1:
            groups[tuple(places)].append(name)
    for together, names in groups.items():
        found = [view.inbound[place] for place in together]
        yield common.PARTNER_TWICE.found(
            f"The inbound connectors {few(each.name for each in found)} are all for mail from"
            f" {few(names)}.",
            *map(called, found),
        )
