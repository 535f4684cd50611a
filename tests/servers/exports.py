"""An export of Contoso as PowerShell writes it, to be read, bent and damaged."""

from copy import deepcopy
from typing import Any

Json = dict[str, Any]

GUID = "00000000-0000-0000-0000-00000000000{}"
TENANT_ID = "72f988bf-86f1-41af-91ab-2d7cd011db47"
HOSTED = (
    "EURPR01A001.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/{0}.onmicrosoft.com -"
    " EURPR01A001.PROD.OUTLOOK.COM/ConfigurationUnits/{0}.onmicrosoft.com/Configuration"
)

_INBOUND: Json = {
    "Enabled": True,
    "ConnectorType": "OnPremises",
    "ConnectorSource": "AdminUI",
    "Comment": "",
    "SenderIPAddresses": [],
    "SenderDomains": ["smtp:*;1"],
    "TrustedOrganizations": [],
    "ClientHostNames": [],
    "AssociatedAcceptedDomains": [],
    "RequireTls": True,
    "RestrictDomainsToIPAddresses": False,
    "RestrictDomainsToCertificate": False,
    "CloudServicesMailEnabled": True,
    "TreatMessagesAsInternal": False,
    "TlsSenderCertificateName": "*.contoso.com",
    "EFTestMode": False,
    "ScanAndDropRecipients": [],
    "EFSkipLastIP": False,
    "EFSkipIPs": [],
    "EFSkipMailGateway": [],
    "EFUsers": [],
    "AdminDisplayName": "",
    "Name": "From own servers",
    "Identity": "From own servers",
    "WhenChangedUTC": "2026-01-02T00:00:00.0000000Z",
    "WhenCreatedUTC": "2026-01-01T00:00:00.0000000Z",
    "Guid": GUID.format(1),
    "IsValid": True,
}
_OUTBOUND: Json = {
    "Enabled": True,
    "UseMXRecord": False,
    "Comment": "",
    "ConnectorType": "OnPremises",
    "ConnectorSource": "AdminUI",
    "RecipientDomains": ["contoso.com"],
    "SmartHosts": ["mail.contoso.com"],
    "TlsDomain": None,
    "TlsSettings": "CertificateValidation",
    "IsTransportRuleScoped": False,
    "RouteAllMessagesViaOnPremises": False,
    "CloudServicesMailEnabled": True,
    "AllAcceptedDomains": False,
    "SenderRewritingEnabled": False,
    "MtaStsMode": "Opportunistic",
    "SmtpDaneMode": "Opportunistic",
    "TestMode": False,
    "ValidationRecipients": ["probe@contoso.com"],
    "IsValidated": True,
    "LastValidationTimestamp": "2026-01-03T00:00:00.0000000",
    "AdminDisplayName": "",
    "Name": "To own servers",
    "Identity": "To own servers",
    "WhenChangedUTC": "2026-01-02T00:00:00.0000000Z",
    "WhenCreatedUTC": "2026-01-01T00:00:00.0000000Z",
    "Guid": GUID.format(2),
    "IsValid": True,
}
_DOMAIN: Json = {
    "DomainName": "contoso.com",
    "DomainType": "InternalRelay",
    "MatchSubDomains": True,
    "Default": True,
    "InitialDomain": False,
    "AuthenticationType": "Managed",
    "OutboundOnly": False,
    "SendingFromDomainDisabled": False,
    "SendingToDomainDisabled": False,
    "Name": "contoso.com",
    "WhenChangedUTC": "2026-01-02T00:00:00.0000000Z",
}
_INITIAL: Json = _DOMAIN | {
    "DomainName": "contoso.onmicrosoft.com",
    "DomainType": "Authoritative",
    "MatchSubDomains": False,
    "Default": False,
    "InitialDomain": True,
    "Name": "contoso.onmicrosoft.com",
}
_RULE: Json = {
    "Name": "Sign",
    "Identity": "Sign",
    "Guid": GUID.format(3),
    "State": "Enabled",
    "Mode": "Enforce",
    "Priority": 0,
    "FromScope": "InOrganization",
    "SentToScope": "NotInOrganization",
    "RouteMessageOutboundConnector": "To signatures",
    "StopRuleProcessing": True,
    "SetSCL": None,
    "SetHeaderName": None,
    "SenderDomainIs": ["contoso.com", "example.com"],
    "ExceptIfHeaderContainsMessageHeader": "X-Signed",
    "ExceptIfHeaderContainsWords": ["yes"],
    "RuleVersion": "15.0.5.1",
    "SenderAddressLocation": "Header",
    "WhenChanged": "2026-01-02T01:00:00+01:00",
}
_DKIM: Json = {
    "Domain": "contoso.com",
    "Enabled": True,
    "Status": "Valid",
    "Selector1CNAME": "selector1-contoso-com._domainkey.contoso.onmicrosoft.com",
    "Selector2CNAME": "selector2-contoso-com._domainkey.contoso.onmicrosoft.com",
    "Selector1KeySize": 2048,
    "Selector2KeySize": 2048,
    "RotateOnDate": "2026-01-02T00:00:00.0000000Z",
}
_ORG: Json = {
    "Name": "contoso.onmicrosoft.com",
    "Guid": TENANT_ID,
    "OrganizationId": HOSTED.format("contoso"),
    "RejectDirectSend": True,
}
_TRANSPORT: Json = {"SmtpClientAuthenticationDisabled": True, "MessageExpiration": "1.00:00:00"}


def inbound(**changes: Any) -> Json:
    """Return an inbound connector."""
    return deepcopy(_INBOUND) | changes


def outbound(**changes: Any) -> Json:
    """Return an outbound connector."""
    return deepcopy(_OUTBOUND) | changes


def domain(**changes: Any) -> Json:
    """Return an accepted domain, the default one."""
    return deepcopy(_DOMAIN) | changes


def initial(**changes: Any) -> Json:
    """Return the accepted domain that Microsoft gave."""
    return deepcopy(_INITIAL) | changes


def rule(**changes: Any) -> Json:
    """Return a mail flow rule."""
    return deepcopy(_RULE) | changes


def dkim(**changes: Any) -> Json:
    """Return how a domain's mail is signed."""
    return deepcopy(_DKIM) | changes


def org(**changes: Any) -> Json:
    """Return the settings of the organisation."""
    return deepcopy(_ORG) | changes


def transport(**changes: Any) -> Json:
    """Return the settings of transport."""
    return deepcopy(_TRANSPORT) | changes


def combined(**changes: Any) -> Json:
    """Return the whole file, as our script writes it."""
    return {
        "schema": "mailflow-export/1",
        "exportedUtc": "2026-02-01T06:00:00.0000000Z",
        "inbound": [inbound()],
        "outbound": [outbound()],
        "domains": [domain(), initial()],
        "rules": [rule()],
        "dkim": [dkim()],
        "org": org(),
        "transport": transport(),
    } | changes
