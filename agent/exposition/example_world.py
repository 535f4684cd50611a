"""What does the example configuration describe?

The world of the lab, as plain data: what is not said here stands in the example with its default.
"""

from collections.abc import Mapping
from typing import Any, Final

CREDENTIALS: Final = """\
credentials:
  mailer:
    kind: password
    username: probe@contoso.com
    password_file: /run/secrets/mailer    # or password: ${MAILER_PASSWORD}
  graph:
    kind: entra-client-credentials        # or certificate, workload-identity
    tenant_id: contoso.onmicrosoft.com
    client_id: 00000000-0000-0000-0000-000000000000
    client_secret_file: /run/secrets/graph
  sender:
    kind: client-certificate
    certificate_file: /etc/ssl/mail.pem
    private_key_file: /run/secrets/mail.key
  signer:
    kind: dkim-key
    domain: contoso.com
    selector: probe
    private_key_file: /run/secrets/dkim.key
"""

REMARK: Final = "#"  # the key under which an example subject holds what is to be said of it

_DOMAINS: Final = (
    {
        REMARK: "All well: mailboxes in Exchange Online, one relay in the data centre.",
        "name": "contoso.com",
        "senders": ["exchange-online", "192.31.196.25"],
        "not_senders": ["192.31.196.200"],
        "dkim_selectors": ["selector1", "selector2"],
    },
    {
        REMARK: "All well: some mailboxes in Exchange Online, some at home.",
        "name": "litwareinc.com",
        "topology": "hybrid",
        "exchanges": ["*.mail.protection.outlook.com"],
        "senders": ["exchange-online", "192.31.196.40"],
    },
    {
        REMARK: "All well: parked, neither sends nor receives.",
        "name": "fourthcoffee.com",
        "topology": "parked",
    },
    {REMARK: "Broken: the SPF record takes too many lookups.", "name": "adatum.com"},
    {REMARK: "Broken: a second SPF record stands beside the first.", "name": "wingtiptoys.com"},
    {REMARK: "Broken: the MX names a host that is gone.", "name": "tailspintoys.com"},
    {
        REMARK: "Broken: SPF lets the whole world send.",
        "name": "northwindtraders.com",
        "senders": ["exchange-online", "192.31.196.50"],
    },
)

_CONNECTORS: Final = (
    {
        "name": "to-datacentre",
        "smart_hosts": ["mail.contoso.com"],
        "tls_settings": "domain-validation",
        "tls_domain": "mail.contoso.com",
        "validation_recipients": ["postmaster@contoso.com"],
        "recipient_domains": ["contoso.com"],
        "helo": "contoso.com",
        "mail_from": "probe@contoso.com",
    },
    {
        REMARK: "With `credential: sender` it would show the certificate of the sending server;"
        " in the lab the agent has its address.",
        "name": "from-datacentre",
        "direction": "inbound",
        "endpoint": "contoso-com.mail.protection.outlook.com",
        "sender_ip_addresses": ["192.31.196.25"],
        "recipient": "postmaster@contoso.com",
        "mail_from": "probe@contoso.com",
        "relays": True,
        "checks": {"inbound": {"at_sender": True}},
    },
)

_ROUTES: Final = (
    {
        "name": "datacentre-to-mailbox",
        "send": {
            "smtp": {"host": "mail.contoso.com", "port": 25, "tls": "required"},
            "mail_from": "probe@contoso.com",
            "rcpt_to": "probe@monitor.contoso.com",
        },
        "receive": {"sink": {}},
        "returns": {"sink": {}},
        "hosts": {"ours": ["mail.contoso.com", "sink.monitor.contoso.com"]},
        "expect": {"within": "30s", "lost_after": "2m"},
    },
    {
        REMARK: "As the internet sends: to the filter that the MX names, and on to the mailbox.",
        "name": "internet-to-mailbox",
        "send": {
            "mx": {"tls": "required"},
            "mail_from": "visitor@contoso.com",
            "rcpt_to": "probe@fabrikam.com",
        },
        "receive": {"maildir": {"path": "state/lab-mailbox"}, "poll": "1s"},
        "returns": {"sink": {}},
        "expect": {
            "within": "15s",
            "lost_after": "1m",
            "spf": "pass",
            "dmarc": "pass",
            "tls": "every-hop",
            "through": ["*.filter.example"],
            "max_hops": 6,
            "attributed_to": "7f3c9d52-0a41-4c8e-9b1d-2f6e0c5a7b10",
        },
    },
)

_FILTERED: Final = (
    {
        REMARK: "All well, behind a third-party filter.",
        "name": "fabrikam.com",
        "topology": "third-party-filter",
        "exchanges": ["*.filter.example"],
        "checks": {
            "refusal": {
                "endpoint": "fabrikam-com.mail.protection.outlook.com",
                "recipient": "postmaster@fabrikam.com",
                "reject_direct_send": True,
            }
        },
    },
)

SECTIONS: Final[Mapping[str, Any]] = {
    "agent": {"vantage": "lab", "listen": "127.0.0.1:16245"},
    "resolvers": ["system"],
    "sink": {"hostname": "sink.monitor.contoso.com"},
    "tenants": [
        {"name": "contoso", "domains": _DOMAINS, "connectors": _CONNECTORS, "routes": _ROUTES},
        {
            REMARK: "What Exchange exports of a tenant is read from files; the lab writes these.",
            "name": "fabrikam",
            "domains": _FILTERED,
            "connectors": {"import": ["state/lab-exports/fabrikam.json"]},
        },
        {
            REMARK: "The provider of Fabrikam's filter, which is a customer of Microsoft, too.",
            "name": "relecloud",
            "gateways": {"hosts": ["*.filter.example"], "presents": ["*.filter.example"]},
            "connectors": {"import": ["state/lab-exports/relecloud.json"]},
        },
    ],
}
