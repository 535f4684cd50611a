"""What has Microsoft switched off around mail, or will: when, for whom, and what comes instead?

One table for all who warn of it. Dates move: each entry names where its date is from and when that
was read, so that it can be read again. ``documented`` is Microsoft's own page or message in the
message center, ``reported`` what others write of it. State of November 2026.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Literal

from agent.domain.knowledge.microsoft_endpoints import is_microsofts

WARN_BEFORE = timedelta(days=90)
_READ = date(2026, 11, 28)
_TEAM = "https://techcommunity.microsoft.com/t5/exchange-team-blog/"
_BASIC = (
    "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/"
    "deprecation-of-basic-authentication-exchange-online"
)

Protocol = Literal["smtp", "imap", "pop", "ews"]
Effect = Literal["gone", "off-by-default", "limited", "notice"]
"""What comes on the day: the end; the end, until an administrator allows it again; a limit; nothing
for what is in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """Something that Microsoft switches off. ``key`` is fit for a label value.

    ``since`` is the first day of ``effect``, None where nobody says (it is so already). ``final``
    is the day from which it is gone for good, where that differs. ``instead`` completes "use".
    ``source`` is what people search for, ``page`` where it stood on the day ``read``.
    """

    key: str
    what: str
    affects: str
    effect: Effect
    since: date | None
    final: date | None = None
    warn_from: date | None = None
    instead: str
    source: str
    page: str
    certainty: Literal["documented", "reported"] = "documented"
    read: date = _READ

    @property
    def warned_from(self) -> date | None:
        """The first day on which a warning is worth it; None for always."""
        if self.warn_from is not None or self.since is None:
            return self.warn_from
        return self.since - WARN_BEFORE


BASIC_SMTP = Retirement(
    key="smtp-basic",
    what="basic authentication for SMTP AUTH",
    affects="who submits mail with a user name and a password; new tenants never have it",
    effect="off-by-default",
    since=date(2026, 12, 31),
    # The last day for those who allow it again is to be announced in the second half of 2027.
    instead="a credential of Entra, with SMTP.SendAsApp, or Graph",
    source="Exchange Team: SMTP AUTH basic authentication (MC786329)",
    page=f"{_TEAM}exchange-online-to-retire-basic-auth-for-client-submission-smtp/ba-p/4114750",
)
BASIC_HVE = Retirement(
    key="hve-basic",
    what="basic authentication for High Volume Email",
    affects="who submits mail at smtp-hve.office365.com with a password",
    effect="gone",
    since=date(2028, 9, 30),
    instead="a credential of Entra",
    source="Exchange Team on High Volume Email, as the press reports it",
    page="https://learn.microsoft.com/exchange/mail-flow-best-practices/high-volume-mails-m365",
    certainty="reported",
)
BASIC_IMAP = Retirement(
    key="imap-basic",
    what="basic authentication for IMAP and POP",
    affects="who reads a mailbox with a user name and a password",
    effect="gone",
    since=date(2023, 1, 1),
    instead="a credential of Entra, with IMAP.AccessAsApp",
    source="Exchange Online: deprecation of basic authentication",
    page=_BASIC,
)
BASIC_EWS = Retirement(
    key="ews-basic",
    what="basic authentication for Exchange Web Services",
    affects="who calls EWS with a user name and a password",
    effect="gone",
    since=date(2023, 1, 1),
    instead="Graph, with a credential of Entra",
    source="Exchange Online: deprecation of basic authentication",
    page=_BASIC,
)
EWS = Retirement(
    key="ews",
    what="Exchange Web Services in Exchange Online",
    affects="applications that are not on the tenant's list of those allowed, in April 2027 all",
    effect="off-by-default",
    since=date(2026, 10, 1),
    final=date(2027, 4, 1),
    warn_from=date(2026, 6, 1),  # the list was to be made by the end of August
    instead="Graph; until April 2027 the application may be put on the tenant's list",
    source="Message center: deprecation of Exchange Web Services (MC1227454)",
    page="https://admin.microsoft.com/#/MessageCenter/:/messages/MC1227454",
)
LEGACY_TLS = Retirement(
    key="legacy-tls",
    what="TLS 1.0 and 1.1 for POP and IMAP, with the endpoints that were opened for them",
    affects="who logs in at pop-legacy or imap-legacy.office365.com",
    effect="gone",
    since=date(2026, 7, 1),
    instead="outlook.office365.com, with TLS 1.2 or later",
    source="Exchange Team: deprecating legacy TLS and endpoints for POP and IMAP",
    page=f"{_TEAM}deprecating-legacy-tls-and-endpoints-for-pop-and-imap-in/ba-p/4515201",
)
LEGACY_TLS_SMTP = Retirement(
    key="legacy-tls-smtp",
    what="the SMTP endpoint for TLS 1.0 and 1.1",
    affects="who submits mail at smtp-legacy.office365.com; nobody says for how long it stays",
    effect="limited",
    since=None,
    instead="smtp.office365.com, with TLS 1.2 or later",
    source="Set-TransportConfig: AllowLegacyTLSClients",
    page="https://learn.microsoft.com/powershell/module/exchangepowershell/set-transportconfig",
)
LEGACY_MX = Retirement(
    key="legacy-mx",
    what="the MX hosts of Exchange Online's forerunners",
    affects="domains with such an MX record: senders are put off with 451 4.4.62",
    effect="gone",
    since=None,
    instead="the MX record that the admin centre shows for the domain",
    source="Support article on the wrong Office 365 region",
    page="https://learn.microsoft.com/troubleshoot/exchange/connectors/wrong-office-365-region-exo",
)
MOERA = Retirement(
    key="onmicrosoft-sending",
    what="mail from onmicrosoft.com to more than 100 recipients outside in a day",
    affects="tenants that send from their onmicrosoft.com addresses (550 5.7.236)",
    effect="limited",
    since=date(2026, 6, 1),
    instead="an address of a domain of your own",
    source="Exchange Online limits",
    page="https://learn.microsoft.com/office365/servicedescriptions/"
    "exchange-online-service-description/exchange-online-limits",
)
MX_NAMES = Retirement(
    key="mx-names",
    what="MX hosts below mail.protection.outlook.com for domains that are added",
    affects="whoever makes up the MX record of a new domain; older domains keep theirs",
    effect="notice",
    since=date(2026, 7, 1),
    instead="the host below mx.microsoft that the admin centre or Graph shows for the domain",
    source="Message center: DNS provisioning change (MC1048624)",
    page="https://learn.microsoft.com/graph/api/domain-list-serviceconfigurationrecords",
)
OLD_EXCHANGE = Retirement(
    key="old-exchange",
    what="support of Exchange Server 2016 and 2019",
    affects="own servers without updates: mail through their connector is slowed down with"
    " 450 4.7.230, then refused with 550 5.7.230",
    effect="notice",
    since=date(2025, 10, 14),
    instead="Exchange Server Subscription Edition; Get-OnPremServerReportInfo shows who is seen",
    source="Exchange Team: throttling and blocking of persistently vulnerable servers",
    page=f"{_TEAM}throttling-and-blocking-email-from-persistently-vulnerable/ba-p/3815328",
)

RETIREMENTS: tuple[Retirement, ...] = (
    BASIC_SMTP,
    BASIC_HVE,
    BASIC_IMAP,
    BASIC_EWS,
    EWS,
    LEGACY_TLS,
    LEGACY_TLS_SMTP,
    LEGACY_MX,
    MOERA,
    MX_NAMES,
    OLD_EXCHANGE,
)
"""All of them, in the order in which they are shown where dates say nothing."""

_HVE = "smtp-hve.office365.com"
_OLD_TLS: Mapping[str, Retirement] = MappingProxyType(
    {
        # The last two as they were called when they were opened; not read again.
        "smtp-legacy.office365.com": LEGACY_TLS_SMTP,
        "imap-legacy.office365.com": LEGACY_TLS,
        "pop-legacy.office365.com": LEGACY_TLS,
    }
)
_PASSWORDS: Mapping[Protocol, Retirement] = MappingProxyType(
    {"smtp": BASIC_SMTP, "imap": BASIC_IMAP, "pop": BASIC_IMAP, "ews": BASIC_EWS}
)


def retired_by_login(protocol: Protocol, host: str, *, is_password: bool) -> Iterator[Retirement]:
    """Yield what a login at *host* uses of the table; nothing for hosts that are not Microsoft's.

    The first one is about the password, where it is one.
    """
    if not is_microsofts(host):
        return
    if is_password:
        yield BASIC_HVE if host == _HVE else _PASSWORDS[protocol]
    if protocol == "ews":
        yield EWS
    if host in _OLD_TLS:
        yield _OLD_TLS[host]
