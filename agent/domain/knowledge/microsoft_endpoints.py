"""Where are the identity provider, Graph and the mail servers of each Microsoft cloud?

Source: Microsoft's pages on national cloud deployments and on OAuth for IMAP and SMTP; state of
November 2026. The mail servers of the national clouds are those of their service descriptions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base addresses of a cloud, and the scope of the tokens that its mail servers take."""

    authority: str
    graph: str
    mail_scope: str


ENDPOINTS: Mapping[str, Endpoints] = MappingProxyType(
    {
        "global": Endpoints(
            "https://login.microsoftonline.com",
            "https://graph.microsoft.com",
            "https://outlook.office365.com/.default",
        ),
        "us-government": Endpoints(
            "https://login.microsoftonline.us",
            "https://graph.microsoft.us",
            "https://outlook.office365.us/.default",
        ),
        "us-government-dod": Endpoints(
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us",
            "https://outlook-dod.office365.us/.default",
        ),
        "china": Endpoints(
            "https://login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            "https://partner.outlook.cn/.default",
        ),
    }
)

_HOSTS = (".office365.com", ".outlook.com", ".office365.us", ".outlook.cn", ".office.com")


def is_microsofts(host: str) -> bool:
    """Tell whether mail clients that log in at *host* log in at Microsoft."""
    return host.endswith(_HOSTS)
