"""Which cmdlet wrote an object, and which objects are in a document?

The name of a file says nothing: operators call them what they like. Every cmdlet writes properties
that no other does, and the one whose properties an object has most of has written it. Others that
operators confuse with them are known too, so that the answer can name what was seen.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from agent.domain.peer_text import PeerText
from agent.domain.tenancy.export_objects import Kind, Properties
from agent.domain.tenancy.export_trouble import MAX_OBJECTS, Notes, Place, shown
from agent.domain.tenancy.export_values import Cell, is_cut_off, moment, plain

SCHEMA: Final = "mailflow-export/1"
SCRIPT: Final = "deploy/export-tenant.ps1"
CMDLETS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        "inbound": "Get-InboundConnector",
        "outbound": "Get-OutboundConnector",
        "domains": "Get-AcceptedDomain",
        "rules": "Get-TransportRule",
        "dkim": "Get-DkimSigningConfig",
        "records": "Get-MgDomainServiceConfigurationRecord",
        "org": "Get-OrganizationConfig",
        "transport": "Get-TransportConfig",
    }
)
_KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {name: kind for kind, cmdlet in CMDLETS.items() for name in (kind, cmdlet)}
)
_SKEW = 3600.0  # seconds by which the clocks of two machines may differ unnoticed


def _marks(words: str) -> frozenset[str]:
    return frozenset(words.lower().split())


_MARKS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "Get-InboundConnector": _marks(
            "SenderIPAddresses SenderDomains TlsSenderCertificateName RequireTls"
            " RestrictDomainsToCertificate RestrictDomainsToIPAddresses TreatMessagesAsInternal"
            " AssociatedAcceptedDomains TrustedOrganizations EFSkipLastIP EFSkipIPs EFUsers"
        ),
        "Get-OutboundConnector": _marks(
            "RecipientDomains UseMXRecord SmartHosts TlsSettings TlsDomain IsTransportRuleScoped"
            " RouteAllMessagesViaOnPremises AllAcceptedDomains SenderRewritingEnabled MtaStsMode"
            " SmtpDaneMode TestMode ValidationRecipients IsValidated LastValidationTimestamp"
        ),
        "Get-AcceptedDomain": _marks(
            "DomainName DomainType MatchSubDomains InitialDomain OutboundOnly AuthenticationType"
            " SendingFromDomainDisabled SendingToDomainDisabled SmtpDaneStatus IsCoexistenceDomain"
            " AddressBookEnabled"
        ),
        "Get-TransportRule": _marks(
            "RouteMessageOutboundConnector StopRuleProcessing SentToScope FromScope SetSCL"
            " SetHeaderName RuleVersion SenderDomainIs RecipientDomainIs RuleErrorAction"
            " ExceptIfHeaderContainsMessageHeader ExceptIfHeaderContainsWords SenderAddressLocation"
        ),
        "Get-DkimSigningConfig": _marks(
            "Selector1CNAME Selector2CNAME Selector1KeySize Selector2KeySize RotateOnDate"
            " Selector1PublicKey Selector2PublicKey SelectorBeforeRotateOnDate"
            " SelectorAfterRotateOnDate"
        ),
        "Get-MgDomainServiceConfigurationRecord": _marks(
            "Label RecordType SupportedService Ttl IsOptional MailExchange CanonicalName NameTarget"
        ),
        "Get-OrganizationConfig": _marks(
            "RejectDirectSend IsDehydrated OAuth2ClientProfileEnabled PublicFoldersEnabled"
            " MailTipsAllTipsEnabled ExternalDirectoryOrganizationId"
        ),
        "Get-TransportConfig": _marks(
            "SmtpClientAuthenticationDisabled MessageExpiration ExternalPostmasterAddress"
            " MaxRecipientEnvelopeLimit ClearCategories TLSReceiveDomainSecureList"
        ),
        # What is not read, by what it is known:
        "Get-Mailbox": _marks(
            "RecipientTypeDetails ProhibitSendQuota MailboxPlan ExchangeGuid LitigationHoldEnabled"
            " UserPrincipalName PrimarySmtpAddress EmailAddresses ForwardingSmtpAddress"
        ),
        "Get-CASMailbox": _marks(
            "ActiveSyncEnabled OWAEnabled PopEnabled ImapEnabled MAPIEnabled EwsEnabled"
            " SmtpClientAuthenticationDisabled"
        ),
        "Get-RemoteDomain": _marks(
            "DomainName AllowedOOFType AutoForwardEnabled AutoReplyEnabled TNEFEnabled IsInternal"
            " CharacterSet NDREnabled"
        ),
        "Get-SendConnector": _marks(
            "AddressSpaces SmartHosts DNSRoutingEnabled SourceTransportServers TlsDomain"
            " TlsAuthLevel SmartHostAuthMechanism TlsCertificateName RequireTLS Fqdn Port"
        ),
        "Get-ReceiveConnector": _marks(
            "Bindings RemoteIPRanges PermissionGroups AuthMechanism Banner Fqdn RequireTLS"
            " TransportRole TlsCertificateName"
        ),
        "Get-MessageTrace": _marks(
            "MessageTraceId SenderAddress RecipientAddress MessageId FromIP"
        ),
        "Get-HostedConnectionFilterPolicy": _marks("IPAllowList IPBlockList EnableSafeList"),
        "Get-ExchangeCertificate": _marks("Thumbprint Subject NotAfter Services"),
    }
)
_EXPECTED = f"what is read is the output of {', '.join(CMDLETS.values())}, or of {SCRIPT}"
_SECTIONS: Final = frozenset(CMDLETS)
_COMBINED: Final = 2  # sections that tell a combined file without its schema


@dataclass(frozen=True, slots=True)
class Document:
    """A file as JSON has it, and when it was last written, in UTC."""

    file: str
    data: Any
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """An object of a kind that is read, and when Exchange was asked for it."""

    kind: Kind
    properties: Properties
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Section:
    """All objects of one kind in a document, perhaps none."""

    kind: Kind
    found: tuple[Found, ...]
    asked_at: datetime
    place: Place


def writer_of(thing: Mapping[str, Any]) -> str:
    """Return the cmdlet that wrote an object; empty where that cannot be told.

    One that is read goes before one that is not.
    """
    keys = {key.lower() for key in thing}
    hits = {cmdlet: len(marks & keys) for cmdlet, marks in _MARKS.items()}
    most = max(hits.values())
    best = [cmdlet for cmdlet, count in hits.items() if count == most]
    is_certain = len(best) == 1 or best[1] not in _KINDS
    return best[0] if most and is_certain else ""


def sections_of(document: Document, notes: Notes, asked_at: datetime) -> Iterator[Section]:
    """Yield what is in a document, kind by kind. What is no object of an export is a mistake."""
    place = Place(document.file)
    data = document.data
    if is_combined(data):
        yield from _combined(data, place, notes, asked_at)
        return
    by_kind: dict[Kind, list[Found]] = {}
    for thing, where in _objects(data, place, notes):
        kind = _kind_of(thing, where, notes)
        if kind is not None:
            properties = Properties.of(thing, where, notes)
            by_kind.setdefault(kind, []).append(Found(kind, properties, asked_at))
    for kind, found in by_kind.items():
        yield Section(kind, tuple(found), asked_at, place)
    if not by_kind and not notes.mistakes:
        right = f"{SCRIPT} says of which kind there are none"
        notes.remark(place, "holds no objects, and does not say of which kind", right)


def is_combined(data: Any) -> bool:
    """Tell whether a document is the file that our script writes, or made like it."""
    if not isinstance(data, dict) or writer_of(data):
        return False
    keys = {key.lower() for key in data}
    return "schema" in keys or len(keys & _SECTIONS) >= _COMBINED


def asked_at(document: Document, notes: Notes) -> datetime:
    """Return when Exchange was asked for what a document holds: as it says, or when it was written.

    What was written before it says that it was asked for says so by a clock that is wrong.
    """
    found: datetime | None = None
    if is_combined(document.data):
        for key, value in document.data.items():
            if key.lower() == "exportedutc":
                found = moment(Cell(value, Place(document.file).key(key), notes))
    if found is None:
        return document.written_at
    if (found - document.written_at).total_seconds() > _SKEW:
        what = f"is {found:%Y-%m-%d %H:%M} UTC, after the file was written"
        right = "see that the clock of the machine that exports is right"
        notes.remark(Place(document.file).key("exportedUtc"), what, right)
        return document.written_at
    return found


def _combined(
    data: Mapping[str, Any], place: Place, notes: Notes, asked_at: datetime
) -> Iterator[Section]:
    for key, value in data.items():
        name, where = key.lower(), place.key(key)
        if name == "schema":
            if value != SCHEMA:
                notes.mistake(where, f"is {shown(value)}", f"what is read is '{SCHEMA}'")
        elif name in _SECTIONS:
            yield from _section(_KINDS[name], value, where, notes, asked_at)
        elif name != "exportedutc" and "@" not in name:
            notes.remark(where, "is no section of an export", f"there are {', '.join(CMDLETS)}")


def _section(
    kind: Kind, value: Any, place: Place, notes: Notes, asked_at: datetime
) -> Iterator[Section]:
    if value is None or value == [None]:
        notes.remark(place, "is null, which may be none or a failure", "write none as []")
        return
    found = []
    for thing, where in _objects(value, place, notes):
        writer = writer_of(thing)
        if writer not in ("", CMDLETS[kind]) and not _has_marks(kind, thing):
            right = f"this section is the output of {CMDLETS[kind]}"
            notes.mistake(where, f"is the output of {writer}", right)
            continue
        found.append(Found(kind, Properties.of(thing, where, notes), asked_at))
    yield Section(kind, tuple(found), asked_at, place)


def _has_marks(kind: Kind, thing: Mapping[str, Any]) -> bool:
    return any(key.lower() in _MARKS[CMDLETS[kind]] for key in thing)


def _objects(value: Any, place: Place, notes: Notes) -> Iterator[tuple[dict[str, Any], Place]]:
    """Yield the objects of a list, of an answer of REST, or the one that there is."""
    if isinstance(value, dict):
        inner = plain(value)
        if not isinstance(inner, list) or writer_of(value):
            yield value, place
            return
        value, place = inner, place.key("value")
    if not isinstance(value, list):
        notes.mistake(place, _what_is(value), _EXPECTED)
        return
    if len(value) > MAX_OBJECTS:
        what = f"has {len(value)} objects, and no tenant has more than {MAX_OBJECTS} of a kind"
        notes.mistake(place, what, _EXPECTED)
        return
    for index, each in enumerate(value):
        if isinstance(each, dict):
            yield each, place.item(index)
        elif each is not None:
            notes.mistake(place.item(index), _what_is(each), _EXPECTED)


def _what_is(value: Any) -> str:
    if is_cut_off(value):
        return f"is cut off: {shown(value)}"
    return f"is {shown(value)}, and no object of Exchange"


def _kind_of(thing: Mapping[str, Any], place: Place, notes: Notes) -> Kind | None:
    writer = writer_of(thing)
    if writer in _KINDS:
        return _KINDS[writer]
    if writer:
        notes.mistake(place, f"is the output of {writer}", _EXPECTED)
        return None
    keys = ", ".join(PeerText(key, 40) for key in list(thing)[:5])
    what = f"is an object with the properties {keys}" if keys else "is an object with nothing in it"
    notes.mistake(place, f"{what}, which none of the cmdlets writes that are read", _EXPECTED)
    return None
