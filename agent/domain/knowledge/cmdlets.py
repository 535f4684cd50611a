"""Which cmdlets may a line that is shown call, and with which parameters?

As far as runbooks use them, from Microsoft's reference of each module. A line that somebody types
at night must not fail on a name that no cmdlet has; a test holds every line of the runbooks to it.
"""

from collections.abc import Mapping
from types import MappingProxyType

EXCHANGE_ONLINE: Mapping[str, str] = MappingProxyType(
    {
        "Add-MailboxPermission": "Identity User AccessRights",
        "Add-RecipientPermission": "Identity Trustee AccessRights",
        "Disable-TransportRule": "Identity",
        "Enable-DnssecForVerifiedDomain": "DomainName",
        "Enable-SmtpDaneInbound": "DomainName",
        "Enable-TransportRule": "Identity",
        "Get-AcceptedDomain": "Identity",
        "Get-CASMailbox": "Identity",
        "Get-DkimSigningConfig": "Identity",
        "Get-DnssecStatusForVerifiedDomain": "DomainName",
        "Get-InboundConnector": "Identity",
        "Get-InboxRule": "Mailbox Identity",
        "Get-Mailbox": "Identity",
        "Get-MailboxFolderStatistics": "Identity",
        "Get-MailboxPermission": "Identity",
        "Get-MailboxStatistics": "Identity",
        "Get-MessageTraceDetailV2": "MessageTraceId RecipientAddress",
        "Get-MessageTraceV2": "MessageId StartDate EndDate SenderAddress RecipientAddress Status",
        "Get-OrganizationConfig": "",
        "Get-OutboundConnector": "Identity IsTransportRuleScoped IncludeTestModeConnectors",
        "Get-QuarantineMessage": "MessageId Identity",
        "Get-Recipient": "Identity",
        "Get-SmtpDaneInboundStatus": "DomainName",
        "Get-ServicePrincipal": "Identity",
        "Get-TransportConfig": "",
        "Get-TransportRule": "Identity",
        "New-DkimSigningConfig": "DomainName Enabled KeySize",
        "New-InboundConnector": "Name ConnectorType SenderDomains RequireTls SenderIPAddresses"
        " TlsSenderCertificateName RestrictDomainsToCertificate RestrictDomainsToIPAddresses",
        "New-OutboundConnector": "Name ConnectorType RecipientDomains UseMXRecord SmartHosts"
        " TlsSettings TlsDomain",
        "New-ServicePrincipal": "AppId ObjectId DisplayName",
        "Release-QuarantineMessage": "Identity ReleaseToAll",
        "Remove-InboundConnector": "Identity",
        "Remove-OutboundConnector": "Identity",
        "Rotate-DkimSigningConfig": "Identity KeySize",
        "Search-UnifiedAuditLog": "StartDate EndDate RecordType Operations",
        "Set-AcceptedDomain": "Identity DomainType",
        "Set-CASMailbox": "Identity ImapEnabled",
        "Set-DkimSigningConfig": "Identity Enabled",
        "Set-InboundConnector": "Identity Enabled SenderDomains SenderIPAddresses RequireTls"
        " TlsSenderCertificateName RestrictDomainsToCertificate RestrictDomainsToIPAddresses"
        " EFSkipLastIP EFSkipIPs",
        "Set-Mailbox": "Identity LitigationHoldEnabled",
        "Set-OrganizationConfig": "RejectDirectSend",
        "Set-OutboundConnector": "Identity Enabled RecipientDomains UseMXRecord SmartHosts"
        " TlsSettings TlsDomain RouteAllMessagesViaOnPremises SmtpDaneMode ValidationRecipients",
        "Set-TransportRule": "Identity RouteMessageOutboundConnector"
        " ExceptIfHeaderContainsMessageHeader ExceptIfHeaderContainsWords",
        "Validate-OutboundConnector": "Identity Recipients",
    }
)
"""Of the module ExchangeOnlineManagement."""

EXCHANGE_SERVER: Mapping[str, str] = MappingProxyType(
    {
        "Enable-ExchangeCertificate": "Thumbprint Services",
        "Get-ExchangeCertificate": "Thumbprint",
        "Get-Queue": "Identity",
        "Get-ReceiveConnector": "Identity",
        "Get-SendConnector": "Identity",
        "Retry-Queue": "Identity",
        "Set-ReceiveConnector": "Identity RemoteIPRanges",
        "Set-SendConnector": "Identity TlsCertificateName",
    }
)
"""Of the management shell of Exchange Server."""

GRAPH: Mapping[str, str] = MappingProxyType(
    {
        "Confirm-MgDomain": "DomainId",
        "Get-MgDomainServiceConfigurationRecord": "DomainId",
        "Get-MgDomainVerificationDnsRecord": "DomainId",
        "Get-MgOrganization": "",
        "New-MgDomain": "Id",
    }
)
"""Of the module Microsoft.Graph.Identity.DirectoryManagement."""

POWERSHELL: Mapping[str, str] = MappingProxyType(
    {
        "Format-List": "",
        "Format-Table": "",
        "Get-ChildItem": "",
        "Get-Date": "",
        "Sort-Object": "Descending",
        "Where-Object": "",
    }
)
"""Of PowerShell itself."""

CMDLETS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        name: frozenset(parameters.split())
        for module in (EXCHANGE_ONLINE, EXCHANGE_SERVER, GRAPH, POWERSHELL)
        for name, parameters in module.items()
    }
)
"""All of them, with their parameters."""
