<#
.SYNOPSIS
Exports what decides on the mail flow of an Exchange Online tenant, for mailflow-agent to import.

.DESCRIPTION
Writes connectors, accepted domains, mail flow rules, DKIM and the settings of the organisation into
one JSON file, which `mailflow-agent import --check FILE` and `connectors: {import: FILE}` read.

It only reads from Exchange Online, with the properties that the agent looks at and no others. No
password, key or message is among them. The file is written aside and then renamed, so that whoever
reads it sees the old one or the new one, and never half of it. Where anything fails, the old file
stays and the exit code is 1.

It runs in Windows PowerShell 5.1 and in PowerShell 7, and needs the module
ExchangeOnlineManagement. The role Global Reader is enough: for a scheduled job, that of an
application with the permission Exchange.ManageAsApp.

.PARAMETER Path
The file to write, for instance C:\exports\contoso.json.

.PARAMETER Organization
The tenant, as contoso.onmicrosoft.com. With AppId and a certificate.

.PARAMETER AppId
The application that logs in. Without it, a session that is open already is used, or you are asked
to log in.

.PARAMETER CertificateThumbprint
The certificate of the application, in the store of this user or machine (Windows).

.PARAMETER CertificateFilePath
The certificate of the application, as a PFX file.

.PARAMETER CertificatePassword
The password of that file.

.PARAMETER DnsRecords
Exports, too, which DNS records Microsoft asks for, so that the agent compares them with DNS. It needs
the module Microsoft.Graph.Identity.DirectoryManagement and a session of Connect-MgGraph with the
permission Domain.Read.All.

.PARAMETER ExchangeEnvironmentName
The cloud, where it is not the worldwide one: see Connect-ExchangeOnline.

.EXAMPLE
./export-tenant.ps1 -Path contoso.json

Logs in as you, and exports once.

.EXAMPLE
./export-tenant.ps1 -Path C:\exports\contoso.json -Organization contoso.onmicrosoft.com `
    -AppId 00000000-0000-0000-0000-000000000000 `
    -CertificateThumbprint 0123456789ABCDEF0123456789ABCDEF01234567

Logs in as an application; for a job that runs every hour.

.LINK
https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2
#>
#Requires -Version 5.1
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true, Position = 0)]
    [ValidateNotNullOrEmpty()]
    [string] $Path,

    [string] $Organization,
    [string] $AppId,
    [string] $CertificateThumbprint,
    [string] $CertificateFilePath,
    [securestring] $CertificatePassword,
    [string] $ExchangeEnvironmentName,
    [switch] $DnsRecords
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 3.0

# What the agent reads of each object; a test of the agent compares these lists with its own.
$Properties = @{
    inbound = @(
        'Name', 'Identity', 'Guid', 'Enabled', 'ConnectorType', 'ConnectorSource',
        'CloudServicesMailEnabled', 'WhenCreatedUTC', 'WhenChangedUTC', 'WhenChanged',
        'SenderDomains', 'SenderIPAddresses', 'TlsSenderCertificateName', 'RequireTls',
        'RestrictDomainsToCertificate', 'RestrictDomainsToIPAddresses',
        'TreatMessagesAsInternal', 'AssociatedAcceptedDomains', 'TrustedOrganizations',
        'EFSkipLastIP', 'EFSkipIPs', 'EFUsers', 'OrganizationId'
    )
    outbound = @(
        'Name', 'Identity', 'Guid', 'Enabled', 'ConnectorType', 'ConnectorSource',
        'CloudServicesMailEnabled', 'WhenCreatedUTC', 'WhenChangedUTC', 'WhenChanged',
        'RecipientDomains', 'AllAcceptedDomains', 'IsTransportRuleScoped', 'UseMXRecord',
        'SmartHosts', 'TlsSettings', 'TlsDomain', 'RouteAllMessagesViaOnPremises',
        'SenderRewritingEnabled', 'MtaStsMode', 'SmtpDaneMode', 'TestMode',
        'ValidationRecipients', 'IsValidated', 'LastValidationTimestamp', 'OrganizationId'
    )
    domains = @(
        'DomainName', 'Name', 'Identity', 'DomainType', 'Default', 'InitialDomain',
        'MatchSubDomains', 'OutboundOnly', 'SendingFromDomainDisabled',
        'SendingToDomainDisabled', 'AuthenticationType', 'WhenChangedUTC', 'WhenChanged',
        'OrganizationId'
    )
    rules = @(
        'Name', 'Identity', 'Guid', 'State', 'Enabled', 'Mode', 'Priority', 'FromScope',
        'SentToScope', 'RouteMessageOutboundConnector', 'StopRuleProcessing', 'SetSCL',
        'SetHeaderName', 'WhenChangedUTC', 'WhenChanged', 'OrganizationId'
    )
    dkim = @(
        'Domain', 'Name', 'Identity', 'Enabled', 'Status', 'Selector1CNAME', 'Selector2CNAME',
        'Selector1KeySize', 'Selector2KeySize', 'RotateOnDate', 'OrganizationId'
    )
    records = @(
        'Label', 'RecordType', 'MailExchange', 'CanonicalName', 'NameTarget', 'Preference', 'Text',
        'SupportedService', 'IsOptional', 'OrganizationId'
    )
    org = @(
        'Name', 'Identity', 'RejectDirectSend', 'OrganizationId',
        'ExternalDirectoryOrganizationId', 'Guid'
    )
    transport = @(
        'SmtpClientAuthenticationDisabled', 'MessageExpiration', 'OrganizationId'
    )
}
# What limits the messages that a mail flow rule applies to; each has an exception of that name.
$Conditions = @(
    'ADComparisonAttribute', 'AnyOfCcHeader', 'AnyOfCcHeaderMemberOf',
    'AnyOfRecipientAddressContainsWords', 'AnyOfRecipientAddressMatchesPatterns',
    'AnyOfToCcHeader', 'AnyOfToCcHeaderMemberOf', 'AnyOfToHeader', 'AnyOfToHeaderMemberOf',
    'AttachmentContainsWords', 'AttachmentExtensionMatchesWords',
    'AttachmentHasExecutableContent', 'AttachmentIsPasswordProtected',
    'AttachmentIsUnsupported', 'AttachmentMatchesPatterns', 'AttachmentNameMatchesPatterns',
    'AttachmentProcessingLimitExceeded', 'AttachmentPropertyContainsWords',
    'AttachmentSizeOver', 'BetweenMemberOf1', 'BetweenMemberOf2',
    'ContentCharacterSetContainsWords', 'From', 'FromAddressContainsWords',
    'FromAddressMatchesPatterns', 'FromMemberOf', 'HasClassification', 'HasNoClassification',
    'HasSenderOverride', 'HeaderContainsMessageHeader', 'HeaderContainsWords',
    'HeaderMatchesMessageHeader', 'HeaderMatchesPatterns', 'ManagerAddresses',
    'MessageContainsDataClassifications', 'MessageSizeOver', 'MessageTypeMatches',
    'RecipientADAttributeContainsWords', 'RecipientADAttributeMatchesPatterns',
    'RecipientAddressContainsWords', 'RecipientAddressMatchesPatterns', 'RecipientDomainIs',
    'RecipientInSenderList', 'SCLOver', 'SenderADAttributeContainsWords',
    'SenderADAttributeMatchesPatterns', 'SenderDomainIs', 'SenderInRecipientList',
    'SenderIpRanges', 'SenderManagementRelationship', 'SentTo', 'SentToMemberOf',
    'SubjectContainsWords', 'SubjectMatchesPatterns', 'SubjectOrBodyContainsWords',
    'SubjectOrBodyMatchesPatterns', 'WithImportance'
)
$Properties.rules += $Conditions
$Properties.rules += @($Conditions + 'FromScope' + 'SentToScope' | ForEach-Object { "ExceptIf$_" })

function ConvertTo-Plain {
    # Returns a value as JSON is to have it: enumerations by name, times in UTC, lists as lists.
    param([string] $Name, $Value)

    if ($null -eq $Value) { return $null }
    if ($Value -is [bool] -or $Value -is [int] -or $Value -is [long]) { return $Value }
    if ($Value -is [datetime]) {
        if ($Value.Kind -eq [System.DateTimeKind]::Local) {
            $Value = $Value.ToUniversalTime()
        }
        elseif ($Value.Kind -eq [System.DateTimeKind]::Unspecified -and $Name -like '*UTC') {
            $Value = [datetime]::SpecifyKind($Value, [System.DateTimeKind]::Utc)
        }
        return $Value.ToString('o', [System.Globalization.CultureInfo]::InvariantCulture)
    }
    $isText = $Value -is [string] -or $Value -is [System.Collections.IDictionary]
    if ($Value -is [System.Collections.IEnumerable] -and -not $isText) {
        $items = @(foreach ($item in $Value) { ConvertTo-Plain -Name $Name -Value $item })
        return , $items
    }
    return [string] $Value
}

function Select-Plain {
    # Returns an object with those of the properties that it has: what is not there stays absent.
    param([string] $Kind, [Parameter(ValueFromPipeline = $true)] $Thing)

    process {
        if ($null -eq $Thing) { return }
        $plain = [ordered]@{}
        foreach ($name in $Properties[$Kind]) {
            $property = $Thing.PSObject.Properties[$name]
            if ($null -ne $property) {
                $plain[$name] = ConvertTo-Plain -Name $name -Value $property.Value
            }
        }
        [pscustomobject] $plain
    }
}

function Get-All {
    # Calls a cmdlet for everything, not only for the first thousand.
    param([string] $Cmdlet, [hashtable] $Parameters = @{})

    $command = Get-Command -Name $Cmdlet -ErrorAction SilentlyContinue
    if ($null -eq $command) {
        throw "$Cmdlet is not there: whoever logged in lacks the role, such as Global Reader"
    }
    if ($command.Parameters.ContainsKey('ResultSize')) {
        $Parameters = $Parameters + @{ ResultSize = 'Unlimited' }
    }
    if ($command.Parameters.ContainsKey('All')) {
        $Parameters = $Parameters + @{ All = $true }
    }
    & $Cmdlet @Parameters
}

function Expand-Record {
    # Returns a record of Graph as one object: what only its type has stands apart there.
    param([Parameter(ValueFromPipeline = $true)] $Record)

    process {
        $plain = @{}
        foreach ($property in $Record.PSObject.Properties) {
            $plain[$property.Name] = $property.Value
        }
        foreach ($name in @($Record.AdditionalProperties.Keys)) {
            $plain[$name] = $Record.AdditionalProperties[$name]
        }
        [pscustomobject] $plain
    }
}

function Read-Records {
    # Returns the records that Microsoft asks for, of all domains.
    param($Domains)

    foreach ($domain in $Domains) {
        Get-All Get-MgDomainServiceConfigurationRecord @{ DomainId = $domain.DomainName } |
            Expand-Record | Select-Plain -Kind records
    }
}

function Connect-Tenant {
    # Logs in; returns whether this script has to log out again.
    $arguments = @{ ShowBanner = $false }
    if ($ExchangeEnvironmentName) { $arguments.ExchangeEnvironmentName = $ExchangeEnvironmentName }
    if ($AppId) {
        if (-not $Organization) { throw '-AppId needs -Organization' }
        if (-not $CertificateThumbprint -and -not $CertificateFilePath) {
            throw '-AppId needs -CertificateThumbprint or -CertificateFilePath'
        }
        $arguments.AppId = $AppId
        $arguments.Organization = $Organization
        if ($CertificateThumbprint) { $arguments.CertificateThumbprint = $CertificateThumbprint }
        if ($CertificateFilePath) { $arguments.CertificateFilePath = $CertificateFilePath }
        if ($CertificatePassword) { $arguments.CertificatePassword = $CertificatePassword }
    }
    elseif (Get-Command -Name Get-ConnectionInformation -ErrorAction SilentlyContinue) {
        if (@(Get-ConnectionInformation | Where-Object { $_.State -eq 'Connected' }).Count -gt 0) {
            return $false
        }
    }
    Connect-ExchangeOnline @arguments | Out-Null
    return $true
}

function Read-Tenant {
    # Returns all that is exported.
    $askedAt = (Get-Date).ToUniversalTime().ToString(
        'o', [System.Globalization.CultureInfo]::InvariantCulture)
    # Both switches are filters, so that all connectors are in four answers.
    $outbound = foreach ($isScoped in $false, $true) {
        foreach ($isTest in $false, $true) {
            Get-All Get-OutboundConnector @{
                IsTransportRuleScoped     = $isScoped
                IncludeTestModeConnectors = $isTest
            }
        }
    }
    $domains = @(Get-All Get-AcceptedDomain | Select-Plain -Kind domains)
    if ($domains.Count -eq 0) {
        throw 'there is no accepted domain, and every tenant has one: the answer is not whole'
    }
    $export = [ordered]@{
        schema      = 'mailflow-export/1'
        exportedUtc = $askedAt
        inbound     = @(Get-All Get-InboundConnector | Select-Plain -Kind inbound)
        outbound    = @(@($outbound) | Select-Plain -Kind outbound)
        domains     = $domains
        rules       = @(Get-All Get-TransportRule | Select-Plain -Kind rules)
        dkim        = @(Get-All Get-DkimSigningConfig | Select-Plain -Kind dkim)
        org         = Get-All Get-OrganizationConfig | Select-Plain -Kind org
        transport   = Get-All Get-TransportConfig | Select-Plain -Kind transport
    }
    # What is not asked for must not look as if there were none.
    if ($DnsRecords) { $export['records'] = @(Read-Records -Domains $domains) }
    $export
}

function Write-Whole {
    # Writes a file aside and puts it in the place of the old one in one step.
    param([string] $File, [string] $Text)

    $folder = [System.IO.Path]::GetDirectoryName($File)
    $name = [System.IO.Path]::GetFileName($File)
    $aside = [System.IO.Path]::Combine($folder, ".$name.$PID.tmp")
    try {
        $utf8 = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
        [System.IO.File]::WriteAllText($aside, $Text, $utf8)
        if ([System.IO.File]::Exists($File)) {
            [System.IO.File]::Replace($aside, $File, [NullString]::Value)
        }
        else {
            [System.IO.File]::Move($aside, $File)
        }
    }
    finally {
        if ([System.IO.File]::Exists($aside)) { [System.IO.File]::Delete($aside) }
    }
}

$isOurs = $false
$exitCode = 0
try {
    $file = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
    $isOurs = Connect-Tenant
    $export = Read-Tenant
    $how = @{ Depth = 5 }
    if ((Get-Command -Name ConvertTo-Json).Parameters.ContainsKey('EnumsAsStrings')) {
        $how.EnumsAsStrings = $true
    }
    $json = ConvertTo-Json -InputObject $export @how
    Write-Whole -File $file -Text $json
    Write-Verbose "$($export.inbound.Count + $export.outbound.Count) connectors are in $file"
}
catch {
    [Console]::Error.WriteLine("export-tenant.ps1: $($_.Exception.Message)")
    $exitCode = 1
}
finally {
    if ($isOurs) {
        try { Disconnect-ExchangeOnline -Confirm:$false | Out-Null }
        catch { [Console]::Error.WriteLine("export-tenant.ps1: $($_.Exception.Message)") }
    }
}
exit $exitCode
