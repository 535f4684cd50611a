"""When must somebody look after a mailbox or a credential, before the agent goes blind?"""

from agent.exposition.standing_alerts import Alert

CREDENTIAL_EXPIRES = Alert(
    name="MailflowCredentialExpires",
    expr="min without (instance, pod) (mailflow_credential_secret_expiry_timestamp_seconds)"
    " - time() < 14 * 86400",
    severity="warning",
    component="credential",
    summary="A client secret or certificate of the agent is about to end.",
    description="{{ $labels.credential }} ends in {{ $value | humanizeDuration }}. Make a new one"
    " in Entra, and put it where the configuration reads it; no restart is needed.",
    runbook="credential-expires",
    meaning="After that no token is got with it: nothing is sent or read by the routes that use it,"
    " and they are shown as unknown.",
    steps=(
        "Entra > App registrations > the application > Certificates & secrets: make a new one.",
        (
            "Write it into the file that the credential names, and set `expires` of a client"
            " secret to the new day; the next token is got with it."
        ),
        "`mailflow-agent doctor ROUTE` shows that it works.",
    ),
)
MAILBOX_FILLS = Alert(
    name="MailflowMailboxFillsUp",
    expr="max without (instance, pod) (mailflow_mailbox_used_bytes)"
    " / max without (instance, pod) (mailflow_mailbox_limit_bytes) > 0.9",
    severity="warning",
    component="mailbox",
    summary="A mailbox that test mail arrives in is nearly full.",
    description="{{ $labels.place }} is {{ $value | humanizePercentage }} full. Once it is full"
    " test mail bounces, and says nothing of the route any more.",
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
ALERTS = (CREDENTIAL_EXPIRES, MAILBOX_FILLS)
