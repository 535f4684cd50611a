"""What can be wrong with whom Exchange Online takes a tenant's mail to be from?"""

from agent.domain.finding import Rule, Severity

_RELAY = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/updated-requirements-smtp-relay"
)
_ADD_ON = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/use-connectors-to-configure-"
    "mail-flow/integrate-office-365-with-an-email-add-on-service"
)
_FILTER = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/"
    "manage-mail-flow-using-third-party-cloud"
)
_TROUBLE = "https://learn.microsoft.com/exchange/mail-flow-best-practices/troubleshoot-mail-flow"
_BLOG = "https://techcommunity.microsoft.com/blog/exchange/office-365-message-attribution/749143"


def _rule(code: str, severity: Severity, summary: str, remedy: str, reference: str) -> Rule:
    return Rule(f"attribution-{code}", severity, summary, remedy, reference)


CLAIMS_OTHERS = _rule(
    "claims-others-mail",
    Severity.CRITICAL,
    "The tenant claims mail that is for others, by a certificate that is shown for them too",
    "Relay your own organisation's mail under another certificate, one that no customer's mail is"
    " sent under: issue it for a name of its own, add that name to the accepted domains, let your"
    " own servers show it, and name it in TlsSenderCertificateName. If the certificate is that of a"
    " filter or partner, make the connector one of the type Partner instead.",
    _TROUBLE,
)
CLAIMED = _rule(
    "mail-claimed-elsewhere",
    Severity.CRITICAL,
    "Another tenant claims mail that is for this one",
    "Nothing in this tenant mends it: the tenant that the finding names has to give up the"
    " certificate in its connector of the type OnPremises. Until then, ask whoever delivers your"
    " mail for a certificate of your own.",
    _TROUBLE,
)
SHARED_CERTIFICATE = _rule(
    "certificate-shared",
    Severity.CRITICAL,
    "Several tenants have an on-premises connector for the same certificate",
    "Give every tenant a certificate with a name of its own that is one of its accepted domains,"
    " and the servers one send connector for each tenant. A configuration like this may work for"
    " years and stop on the day that Microsoft moves a tenant (MC1226222).",
    _BLOG,
)
WILDCARD = _rule(
    "certificate-wildcard",
    Severity.WARNING,
    "A wildcard in TlsSenderCertificateName covers certificates that other tenants go by",
    "Name in TlsSenderCertificateName just the certificate that your own servers show. Today the"
    " other tenant's accepted domain decides; without it its mail would be yours.",
    _BLOG,
)
WITHIN_WILDCARD = _rule(
    "certificate-maybe-shared",
    Severity.WARNING,
    "The tenant's certificate is among those that others take for their filter's",
    "See that no gateway shows it when it delivers customers' mail; if one does, that mail is"
    " claimed by this tenant. Where the names that the gateways show are configured (`presents`),"
    " this is known, and the finding goes.",
    _TROUBLE,
)
SHARED_ADDRESS = _rule(
    "address-shared",
    Severity.CRITICAL,
    "An on-premises connector goes by addresses that others' mail comes from as well",
    "Identify your servers by a certificate of their own and take the addresses out of"
    " SenderIPAddresses; an address that is shared must be in no connector of the type OnPremises."
    " A configuration like this may stop without notice (MC1226222).",
    _BLOG,
)
PARTNER_MISSING = _rule(
    "partner-connector-missing",
    Severity.CRITICAL,
    "The filter in front of the tenant comes in as if it were one of its own servers",
    "Make the connector one of the type Partner that is restricted to the filter's certificate, or"
    " to its addresses. OnPremises lets whatever the filter delivers, for whomever, be relayed and"
    " trusted in your name.",
    _FILTER,
)
OWN_AS_PARTNER = _rule(
    "own-servers-as-partner",
    Severity.WARNING,
    "The tenant's own servers come in as a partner only",
    "Add a connector of the type OnPremises for the same certificate; the one that restricts may"
    " stay beside it. Without it Exchange Online neither relays for your servers nor takes their"
    " mail for internal.",
    _FILTER,
)
PROVIDER_CERTIFICATE = _rule(
    "provider-certificate",
    Severity.CRITICAL,
    "An on-premises connector goes by the certificate that a provider shows for all its customers",
    "Ask the provider for a name of your own below theirs, add it to the accepted domains, and put"
    " it in TlsSenderCertificateName. For a filter that all your MX lead to, make the connector one"
    " of the type Partner. Mail of one customer to another is else taken for the wrong tenant's.",
    _ADD_ON,
)
NOT_ACCEPTED = _rule(
    "domain-not-accepted",
    Severity.CRITICAL,
    "The certificate's domain in an on-premises connector is no accepted domain",
    "Add the domain in TlsSenderCertificateName to the accepted domains: the line, of"
    " Microsoft Graph PowerShell, adds it, the TXT record that it then asks for verifies it."
    " Without it only mail of your own senders is"
    " relayed, no reports and nothing forwarded, and that may stop without notice (MC1226222).",
    _RELAY,
)
PARENT_ONLY = _rule(
    "domain-parent-only",
    Severity.WARNING,
    "Only a parent of the certificate's domain is an accepted domain",
    "It works today. Microsoft's advice is to add the very name of the certificate to the accepted"
    " domains: the line, of Microsoft Graph PowerShell, adds it, the TXT record that it then asks"
    " for verifies it.",
    _RELAY,
)
FOREIGN_STAMP = _rule(
    "foreign-stamp",
    Severity.CRITICAL,
    "A message of the tenant was attributed to another tenant",
    "Another tenant's connector of the type OnPremises matches the certificate or the address that"
    " your mail comes from. If the certificate or the address is yours alone, ask Microsoft whose"
    " tenant it is by its id; if it is a provider's, tell them.",
    _BLOG,
)

RULES = (
    CLAIMS_OTHERS,
    CLAIMED,
    SHARED_CERTIFICATE,
    WILDCARD,
    WITHIN_WILDCARD,
    SHARED_ADDRESS,
    PARTNER_MISSING,
    OWN_AS_PARTNER,
    PROVIDER_CERTIFICATE,
    NOT_ACCEPTED,
    PARENT_ONLY,
    FOREIGN_STAMP,
)
