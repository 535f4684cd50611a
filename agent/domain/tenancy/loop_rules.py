"""What can send mail round in a loop?"""

from collections.abc import Mapping
from types import MappingProxyType

from agent.domain.finding import Rule, Severity
from agent.domain.tenancy.journey_values import Cause

_NDR = (
    "https://learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/"
    "fix-error-code-5-4-6-through-5-4-20-in-exchange-online"
)
_CONNECTORS = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/use-connectors-to-configure-"
    "mail-flow"
)
_TROUBLE = "https://learn.microsoft.com/exchange/mail-flow-best-practices/troubleshoot-mail-flow"


def _rule(code: str, summary: str, remedy: str, reference: str) -> Rule:
    return Rule(f"loop-{code}", Severity.CRITICAL, summary, remedy, reference)


ATTRIBUTION = _rule(
    "attribution",
    "Mail goes round because a tenant claims what is meant for another one",
    "Let the servers that send the claiming tenant's own mail show a certificate of its own, with a"
    " name that is one of its accepted domains and that no gateway shows when it delivers for"
    " others, and name that one in TlsSenderCertificateName.",
    _TROUBLE,
)
DNS_ROUTING = _rule(
    "dns-routing",
    "Mail for mailboxes elsewhere is sent to an MX that leads back",
    "If the other mailboxes are on servers of your own, name those as smart host of an outbound"
    " connector for the domain, with UseMXRecord off. If there are none any more, make the accepted"
    " domain Authoritative: mail for unknown recipients is then refused. Where a connector to them"
    " is only switched off, switch it on: as Authoritative the domain would refuse recipients that"
    " are not synchronised.",
    _NDR,
)
SMART_HOST = _rule(
    "smart-host",
    "A smart host of an outbound connector is Exchange Online itself",
    "Name the server that the mail is meant for as smart host; an endpoint of Exchange Online, or a"
    " name whose MX or address is one, brings it back to where it came from.",
    f"{_CONNECTORS}/set-up-connectors-to-route-mail",
)
RULE_UNGUARDED = _rule(
    "rule-unguarded",
    "A mail flow rule sends a message to a service again that comes back from it",
    "Except messages from the rule that have the header which the service writes"
    " (ExceptIfHeaderContainsMessageHeader); the service's instructions name it.",
    f"{_CONNECTORS}/integrate-office-365-with-an-email-add-on-service",
)
CMT = _rule(
    "centralised-transport",
    "Centralised mail transport has no way out to your own servers, or none back",
    "Have one outbound connector of the type OnPremises with RouteAllMessagesViaOnPremises that is"
    " for all recipients (*) and names your own servers as smart host, and one inbound connector of"
    " the type OnPremises by which they send the mail back.",
    _NDR,
)
PREDICTED = _rule(
    "predicted",
    "Mail would go round in a loop",
    "Follow the path in the evidence and change the step that it names, so that the mail goes to"
    " where the mailboxes are; `mailflow-agent path` shows where it goes then.",
    _NDR,
)

RULES: tuple[Rule, ...] = (ATTRIBUTION, DNS_ROUTING, SMART_HOST, RULE_UNGUARDED, CMT, PREDICTED)

BY_CAUSE: Mapping[Cause | None, Rule] = MappingProxyType(
    {
        Cause.ATTRIBUTION: ATTRIBUTION,
        Cause.RULE: RULE_UNGUARDED,
        Cause.CMT: CMT,
        Cause.SMART_HOST: SMART_HOST,
        Cause.DNS_ROUTING: DNS_ROUTING,
        None: PREDICTED,
    }
)
