"""When must somebody look after a credential, a certificate or a mailbox, before mail stops?

A ticket in time, and a page when there is hardly any left: either of the two at a time.
"""

from agent.exposition.alerting.alert import Alert

_DAY = 86400
_SECRET_SOON, _SECRET_NOW = 30, 5  # days
_CERTIFICATE_NOW = 3  # days; how early a ticket is opened is set with each check

_CREDENTIAL_LEFT = (
    "min without (instance, pod) (mailflow_credential_secret_expiry_timestamp_seconds) - time()"
)
_RENEW = (
    "{{ $labels.credential }} ends in {{ $value | humanizeDuration }}; after that nothing is sent"
    " or read with it. Make a new one in Entra (App registrations > the application > Certificates"
    " & secrets), and put it where the configuration reads it; no restart is needed."
)
CREDENTIAL_EXPIRES = Alert(
    name="MailflowCredentialExpires",
    expr=f"{_CREDENTIAL_LEFT} < {_SECRET_SOON} * {_DAY}"
    f" and {_CREDENTIAL_LEFT} >= {_SECRET_NOW} * {_DAY}",
    severity="warning",
    component="identity",
    summary="A client secret or certificate of the agent is about to end.",
    description=_RENEW,
    runbook="credential-expires",
    meaning="After that no token is got with it: nothing is sent or read by the routes that use it,"
    f" and they are shown as unknown. It pages {_SECRET_NOW} days before the end.",
    steps=(
        "Entra > App registrations > the application > Certificates & secrets: make a new one.",
        (
            "Write it into the file that the credential names, and set `expires` of a client"
            " secret to the new day; the next token is got with it."
        ),
        "`mailflow-agent doctor ROUTE` shows that it works.",
    ),
)
CREDENTIAL_ENDS = Alert(
    name="MailflowCredentialExpires",
    expr=f"{_CREDENTIAL_LEFT} < {_SECRET_NOW} * {_DAY}",
    severity="critical",
    component="identity",
    summary="A client secret or certificate of the agent ends within days.",
    description=_RENEW,
    runbook="credential-expires",
)

_CERTIFICATE_LEFT = (
    "(min without (instance, pod) (mailflow_connector_certificate_expiry_timestamp_seconds)"
    " and on (job, tenant, subject)"
    ' mailflow_connector_info{tls_settings=~"certificate-validation|domain-validation"}'
    " or min without (instance, pod) (mailflow_inbound_certificate_expiry_timestamp_seconds))"
    " - time()"
)
CERTIFICATE_ENDS = Alert(
    name="MailflowCertificateExpires",
    expr=f"{_CERTIFICATE_LEFT} < {_CERTIFICATE_NOW} * {_DAY} and {_CERTIFICATE_LEFT} > 0",
    severity="critical",
    component="connector",
    summary="A certificate that a connector stands on ends within days.",
    description="The certificate of {{ $labels.subject }} of {{ $labels.tenant }} ends in"
    " {{ $value | humanizeDuration }}. From then on Exchange Online"
    " {{ if eq $labels.probe `inbound` }}takes mail by it no longer as the tenant's own"
    "{{ else }}delivers nothing through the connector, and mail waits in its queue{{ end }}. Renew"
    " it with the same subject, assign it to the mail service (`Enable-ExchangeCertificate"
    " -Services SMTP` on Exchange), and see it with `openssl s_client -starttls smtp -connect"
    " HOST:25`.",
    runbook="certificate-expires",
    meaning=f"It ends in less than {_CERTIFICATE_NOW} days, and Exchange Online looks at it: as the"
    " connector's `TlsSettings` say, or because it knows the tenant by it. The tickets"
    " `MailflowConnectorCertificateExpiresSoon` and `MailflowInboundCertificateExpiresSoon` came"
    " before.",
    steps=(
        "The connector's page on the agent shows the certificate, and which server shows it.",
        (
            "Renew it with the same subject and names, and assign it to the mail service of every"
            " server: `Enable-ExchangeCertificate -Services SMTP` on Exchange."
        ),
        (
            "See it: `openssl s_client -starttls smtp -connect HOST:25 </dev/null | openssl x509"
            " -noout -enddate`."
        ),
    ),
    subject_kind="connector",
)
MAILBOX_FILLS = Alert(
    name="MailflowMailboxFillsUp",
    expr="max without (instance, pod) (mailflow_mailbox_used_bytes)"
    " / max without (instance, pod) (mailflow_mailbox_limit_bytes) > 0.9",
    severity="warning",
    component="mailbox",
    summary="A mailbox that test mail arrives in is nearly full.",
    description="{{ $labels.place }} is {{ $value | humanizePercentage }} full. Once it is full"
    " test mail bounces, and says nothing of the route any more. See what lies there that is not"
    " the agent's, and that `cleanup` of the route is `delete`.",
    runbook="mailbox-fills-up",
    hold="15m",
    meaning="The agent deletes its own messages only. Something else fills the mailbox, or a hold"
    " keeps what is deleted.",
    steps=(
        "See what lies there that bears no token of the agent, and why it comes there.",
        "See that `cleanup` of the route is `delete`, and that the agent may delete.",
        "Take the mailbox off litigation hold and retention policies, or use another one.",
    ),
)
ALERTS = (CREDENTIAL_EXPIRES, CREDENTIAL_ENDS, CERTIFICATE_ENDS, MAILBOX_FILLS)
