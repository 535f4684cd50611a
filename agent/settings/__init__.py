"""What may an operator write?

The types of configuration fields and the subjects that checks look at. pydantic lives here and in
:mod:`agent.config`, and nowhere else: probes take what they need from this package, and hand plain
values to the domain. Every field has a description, because the documentation is made of them.
"""

from pydantic import BaseModel, Field, model_validator

from agent.settings.blocklist import BlocklistSettings, UnusableError
from agent.settings.connector_subject import ConnectorSubject, TlsSettings
from agent.settings.durations import Duration, read_duration, write_duration
from agent.settings.entra_ids import ClientId, Tenant, TenantId
from agent.settings.fields import (
    Address,
    CheckSettings,
    Domain,
    Host,
    HostPattern,
    HostPort,
    Listen,
    MailAddress,
    Name,
    Network,
    Port,
    RecipientDomain,
    ReversePath,
    ServerPlace,
    Settings,
    SmartHost,
    TlsExpectation,
    read_address,
    read_network,
    read_port,
)
from agent.settings.route_ends import (
    ByGraph,
    ByMx,
    Endpoint,
    GraphReceive,
    ImapReceive,
    MaildirReceive,
    PayloadSettings,
    Receive,
    Send,
    SinkReceive,
)
from agent.settings.route_subject import Expect, HostsSettings, RouteSubject
from agent.settings.secret import MASK, Secret, SecretError
from agent.settings.secret_fields import SecretFile, SecretVariable
from agent.settings.subject import Subject
from agent.settings.subjects import AgentSubject, DomainSubject, Topology
from agent.settings.tenant_subject import (
    Gateways,
    ImportedConnector,
    ImportPaths,
    LoginUse,
    SecretUse,
    TenantSubject,
)

__all__ = [
    "MASK",
    "Address",
    "AgentSubject",
    "BaseModel",
    "BlocklistSettings",
    "ByGraph",
    "ByMx",
    "CheckSettings",
    "ClientId",
    "ConnectorSubject",
    "Domain",
    "DomainSubject",
    "Duration",
    "Endpoint",
    "Expect",
    "Field",
    "Gateways",
    "GraphReceive",
    "Host",
    "HostPattern",
    "HostPort",
    "HostsSettings",
    "ImapReceive",
    "ImportPaths",
    "ImportedConnector",
    "Listen",
    "LoginUse",
    "MailAddress",
    "MaildirReceive",
    "Name",
    "Network",
    "PayloadSettings",
    "Port",
    "Receive",
    "RecipientDomain",
    "ReversePath",
    "RouteSubject",
    "Secret",
    "SecretError",
    "SecretFile",
    "SecretUse",
    "SecretVariable",
    "Send",
    "ServerPlace",
    "Settings",
    "SinkReceive",
    "SmartHost",
    "Subject",
    "Tenant",
    "TenantId",
    "TenantSubject",
    "TlsExpectation",
    "TlsSettings",
    "Topology",
    "UnusableError",
    "model_validator",
    "read_address",
    "read_duration",
    "read_network",
    "read_port",
    "write_duration",
]
