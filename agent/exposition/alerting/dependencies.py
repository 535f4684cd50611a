"""What is down that many checks depend on?

One cause, one alert, with its own name: when the resolver is silent nothing is known of a thousand
domains, and one person is called once. The agent itself leaves out what another cause explains, so
these need not wait. What it finds in two runs of its own check is down.
"""

from agent.exposition.alerting.alert import LINGER, Alert
from agent.exposition.alerting.found import CHECK, HOLD, LOCATED, found, held, one_of_each

_WHOM = (
    "{{ with query `count by (tenant) (max without (instance, pod)"
    ' (mailflow_finding{rule=~"dependency-down|route-mailbox-closed|route-not-sent"}))` }}'
    " Checks that can tell nothing now:{{ range $at, $each := . }}{{ if $at }},{{ end }}"
    " {{ .Value }} of {{ .Labels.tenant }}{{ end }}.{{ end }}"
)
_SEEN = " Seen from {{ $labels.subject }} in {{ $value }} runs in a row."
# Each resolver that this agent asks, as dig takes it.
_ASK = (
    "{{ with printf `count by (server) (mailflow_dns_server_up and on (job, instance)"
    ' mailflow_check_interval_seconds{subject=%q,probe="self"})` $labels.subject | query }}'
    "{{ range $at, $each := sortByLabel `server` . }}{{ if $at }}, and{{ end }}"
    ' `dig SOA com {{ $each.Labels.server | reReplaceAll "^(.*):([0-9]+)$" "@$1 -p $2" }}`{{ end }}'
    "{{ else }} `dig SOA com @RESOLVER`, for each that its own page names{{ end }}."
)

RESOLVER_DOWN = Alert(
    name="MailflowResolverDown",
    expr=found("self-resolver-down"),
    severity="critical",
    component="dns",
    linger=LINGER,
    summary="The resolver that the agent asks does not answer, or not by what DNS holds.",
    description="Nothing can be told about any domain until it does; mail itself may be fine."
    f"{_SEEN}{_WHOM} On the agent's host:{_ASK}",
    runbook="self-resolver-down",
    subject_kind="agent",
)
UPLINK_DOWN = Alert(
    name="MailflowUplinkDown",
    expr=found("self-uplink-down"),
    severity="critical",
    component="uplink",
    linger=LINGER,
    summary="No connection leaves the agent's machine.",
    description="Nothing can be told about any server until one does; mail between others may be"
    f" fine.{_SEEN}{_WHOM} On the agent's host: `ip route`, and `curl -v"
    " telnet://login.microsoftonline.com:443`; then its firewall, line and router.",
    runbook="self-uplink-down",
    subject_kind="agent",
)
IDENTITY_DOWN = Alert(
    name="MailflowIdentityProviderDown",
    expr=found("self-identity-down"),
    severity="critical",
    component="identity",
    linger=LINGER,
    summary="The identity provider gives no tokens.",
    description="Mailboxes that are opened by a token cannot be looked into, and nothing is sent on"
    f" routes that end there.{_SEEN}{_WHOM} See https://status.cloud.microsoft, and on the agent's"
    " host: `curl -sS https://login.microsoftonline.com/common/discovery/instance`.",
    runbook="self-identity-down",
    subject_kind="agent",
)
CREDENTIAL_REFUSED = Alert(
    name="MailflowCredentialRefused",
    expr="max without (instance, pod) (mailflow_self_credential_refused_runs) >= 2"
    f" and on (job) {found('self-credential-refused')}",
    severity="critical",
    component="identity",
    linger=LINGER,
    summary="The identity provider refuses a credential of the agent.",
    description="{{ $labels.credential }} is refused ({{ $labels.reason }}) in {{ $value }} runs in"
    " a row: routes that use it are not watched. The agent's own page names the missing step;"
    " `mailflow-agent doctor ROUTE` shows whether it works again.",
    runbook="self-credential-refused",
)
MAILBOX_DOWN = Alert(
    name="MailflowMailboxDown",
    expr="max without (instance, pod) (mailflow_self_mailbox_failing_runs) >= 2"
    f" and on (job) {found('self-mailbox-down')}",
    severity="critical",
    component="mailbox",
    linger=LINGER,
    summary="A mailbox in which test mail arrives cannot be looked into.",
    description="{{ $labels.place }} cannot be looked into ({{ $labels.reason }}) in {{ $value }}"
    " runs in a row, and nothing is sent on the routes that end there"
    "{{ with printf `count by (tenant) (max by (tenant, subject) (mailflow_route_info{place=%q}))`"
    " $labels.place | query }}:{{ range $at, $each := . }}{{ if $at }},{{ end }} {{ .Value }} of"
    " {{ .Labels.tenant }}{{ end }}{{ end }}. Users' mail may be fine."
    " `mailflow-agent doctor ROUTE` walks every step and names the missing one.",
    runbook="self-mailbox-down",
)

_UNREACHED = found("route-unreached")
# Held as findings are: or a route that just got through would count as one that tells nothing.
_ROUTES_LATELY = held("mailflow_route_info", HOLD)
_LAST = held('mailflow_check_severity{probe="route"}', HOLD)
_VERDICTS = f"max without (instance, pod) ({_LAST} != 2)"
# What a connector finds where its server takes no connection at all.
_CUT_OFF = "connector-(connection-lost|refused|session-refused|stalled|timed-out|unresolved)"


def _server_down(servers: str) -> str:
    """Servers that no route which tells anything can reach, or that a connector cannot.

    Whichever of them finds it first, it is one fault and one name for it.
    """
    where = _UNREACHED.replace("}", f", server{servers}}}")
    by_connector = f'{LOCATED}{{rule=~"{_CUT_OFF}", server!="", server{servers}}} >= 2'
    return (
        f"count by (job, server) ({where})"
        f" unless on (job, server) ({one_of_each(_ROUTES_LATELY)}"
        f" and on ({CHECK}) {_VERDICTS} unless on ({CHECK}) {_UNREACHED.removesuffix(' >= 2')})"
        f" or count by (job, server) ({by_connector})"
    )


_WHO_FINDS = (
    f'{{{{ with printf `{LOCATED}{{rule=~"route-unreached|{_CUT_OFF}", server=%q}} >= 2`'
    " $labels.server | query }} Found by {{ len . }} checks, among them"
    "{{ range $at, $each := . }}{{ if lt $at 3 }}{{ if $at }},{{ end }} {{ .Labels.probe }}"
    " {{ .Labels.subject }} of {{ .Labels.tenant }} ({{ .Labels.rule }}){{ end }}{{ end }}."
    "{{ end }}"
)
_ROUTES = (
    "{{ with printf `max by (tenant, subject) (mailflow_route_info{server=%q})` $labels.server"
    " | query }} Routes that hand over to it:{{ range $at, $each := . }}{{ if lt $at 10 }}"
    "{{ if $at }},{{ end }} {{ .Labels.subject }} of {{ .Labels.tenant }}{{ end }}{{ end }}."
    "{{ if gt (len .) 10 }} Only the first ten are named.{{ end }}{{ end }}"
)

SMART_HOST_DOWN = Alert(
    name="MailflowSmartHostDown",
    expr=_server_down('!~"mx:.*|"'),
    severity="critical",
    component="server",
    linger=LINGER,
    summary="A server that takes mail for others cannot be reached.",
    description="{{ $labels.server }} takes no mail, in two runs in a row."
    f"{_WHO_FINDS}{_ROUTES} Mail for it waits with whoever sends it, and bounces after a day."
    " On the agent's host: `openssl s_client -starttls smtp -connect {{ $labels.server }}`; the"
    " page of a route or connector shows the phase at which it ends.",
    runbook="smart-host-down",
    meaning="Every route that hands its messages to this server, and can tell anything, finds it"
    " unreachable in two runs in a row; or the connector that leads to it does. It is one fault,"
    " whatever their number.",
    steps=(
        "Open the page of one of the routes: its walk shows the phase at which it ends.",
        "On the agent's host: `openssl s_client -starttls smtp -connect SERVER`.",
        (
            "Before the greeting it is the address, the port, a firewall or the service; at"
            " `starttls` or `certificate` the TLS of the server."
        ),
        (
            "Mail of users that takes this way waits in the queue of whoever sends it, and bounces"
            " after a day or more."
        ),
    ),
)
EXCHANGES_DOWN = Alert(
    name="MailflowExchangesDown",
    expr=_server_down('=~"mx:.*"'),
    severity="critical",
    component="server",
    linger=LINGER,
    summary="The exchanges of a domain take no mail from routes.",
    description="No exchange of {{ $labels.server | reReplaceAll `^mx:` `` }} can be reached, in"
    f" two runs in a row.{_WHO_FINDS}{_ROUTES} Mail for"
    " the domain waits with its senders. `mailflow-agent check DOMAIN` walks every exchange.",
    runbook="exchanges-down",
    meaning="Every route that delivers to the exchanges in the MX records of a domain, and can tell"
    " anything, finds none of them reachable in two runs in a row.",
    steps=(
        "`mailflow-agent check DOMAIN` walks every exchange and names the phase at which it ends.",
        "Where the MX records are wrong, an alert about the domain says which.",
        "Mail for the domain waits in the queues of its senders, and bounces after a day or more.",
    ),
)

# These are the alerts of their rules, and bear the rule's name for a runbook.
OF_RULE = {
    alert.runbook: alert
    for alert in (RESOLVER_DOWN, UPLINK_DOWN, IDENTITY_DOWN, CREDENTIAL_REFUSED, MAILBOX_DOWN)
}
ALERTS = (*OF_RULE.values(), SMART_HOST_DOWN, EXCHANGES_DOWN)
