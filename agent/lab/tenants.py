"""Which tenants does the lab's Exchange Online have, and how are they configured now?

Their configuration is what PowerShell would export of them: one file for each tenant, and one more
for each fault that changes it. The front door decides by the same files that are laid down for the
agent to import, so that what the tenant analysis says of them comes true.
"""

import json
from functools import lru_cache
from importlib.resources import files
from ipaddress import ip_network
from typing import Any, Final, Literal

from agent.domain.attribution import InboundConnector, Tenant
from agent.lab.faults import Behaviour, World

Document = dict[str, Any]  # a whole export, as JSON has it

NAMES: Final = ("contoso", "fabrikam", "relecloud")
_CHANGED: Final = {
    Behaviour.FORGETS_CONNECTOR: ("contoso", "contoso-connector-lost"),
    Behaviour.BYPASSED: ("fabrikam", "fabrikam-unrestricted"),
    Behaviour.SHARES_CERTIFICATE: ("relecloud", "relecloud-certificate-shared"),
}
_TYPES: Final[dict[str, Literal["on-premises", "partner"]]] = {
    "OnPremises": "on-premises",
    "Partner": "partner",
}


def _load(name: str) -> Document:
    text = (files("agent.lab") / "exports" / f"{name}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


_FILES: Final = {name: _load(name) for name in (*NAMES, *(file for _, file in _CHANGED.values()))}


def _file_of(world: World, tenant: str) -> str:
    """Return the name of the file that holds a tenant's configuration now."""
    changed = (
        file for fault, (of, file) in _CHANGED.items() if of == tenant and world.behaves(fault)
    )
    return next(changed, tenant)


def export_of(world: World, tenant: str) -> Document:
    """Return what would be exported of a tenant now; it is not to be changed."""
    return _FILES[_file_of(world, tenant)]


def id_of(tenant: str) -> str:
    """Return a tenant's id."""
    return str(_FILES[tenant]["org"]["ExternalDirectoryOrganizationId"])


def tenants(world: World) -> tuple[Tenant, ...]:
    """Return the tenants as they are configured now."""
    return tuple(_tenant(name, _file_of(world, name)) for name in NAMES)


@lru_cache
def _tenant(name: str, file: str) -> Tenant:
    found = _FILES[file]
    return Tenant(
        name=name,
        accepted_domains=tuple(each["DomainName"] for each in found["domains"]),
        connectors=tuple(map(_connector, found["inbound"])),
        rejects_direct_send=found["org"]["RejectDirectSend"],
    )


def _connector(found: Document) -> InboundConnector:
    return InboundConnector(
        name=found["Name"],
        connector_type=_TYPES[found["ConnectorType"]],
        tls_sender_certificate_name=found["TlsSenderCertificateName"],
        sender_ip_addresses=tuple(map(ip_network, found["SenderIPAddresses"])),
        # Exchange writes them with scheme and cost: smtp:*;1
        sender_domains=tuple(
            each.removeprefix("smtp:").partition(";")[0] for each in found["SenderDomains"]
        ),
        is_restricted=found["RestrictDomainsToCertificate"],
        is_enabled=found["Enabled"],
    )
