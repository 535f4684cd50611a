"""How is each signal about connectors, routes, tenants and the agent itself shown?"""

from collections.abc import Mapping

from agent.exposition.dashboards import words
from agent.exposition.dashboards.look import (
    ENDS,
    SEE,
    Look,
    age,
    left,
    number,
    yes,
)
from agent.exposition.dashboards.model import Shape
from agent.exposition.dashboards.words import DAY, GREEN, ORANGE, RED

OTHERS: Mapping[str, Look] = {
    "mailflow_connector_reachable": yes(
        "The smart hosts take mail",
        "Red: mail by this connector queues in Exchange Online. " + SEE,
    ),
    "mailflow_connector_addresses": Look(
        "Addresses of the smart hosts by result",
        "`refused` and `unreached` addresses delay every message that tries them first. " + SEE,
        stacked=True,
    ),
    "mailflow_connector_phase_duration_seconds": Look(
        "Time of a session with the smart hosts, by phase",
        "A slow greeting is a loaded server; a slow `connect` is the network or a firewall.",
        unit="s",
        stacked=True,
    ),
    "mailflow_connector_certificate_expiry_timestamp_seconds": left(
        "Smart hosts' certificate ends in", ENDS
    ),
    "mailflow_inbound_accepted": yes(
        "Exchange Online takes what it should",
        "Red: it no longer knows the connector, or no longer trusts the sender. " + SEE,
        "accepted",
        "not accepted",
    ),
    "mailflow_inbound_certificate_expiry_timestamp_seconds": left(
        "Sender's certificate ends in", ENDS
    ),
    "mailflow_drift_changes": number(
        "Changes of the tenant's configuration",
        "Orange: something was changed. The findings name each; ask who did it, and why.",
        words.WARN_FROM_ONE,
    ),
    "mailflow_export_timestamp_seconds": age(
        "Age of the export",
        "Red: nothing about the tenant is proven any more. See why the export job does not run.",
        ((None, GREEN), (DAY, ORANGE), (26 * 3600, RED)),
    ),
    "mailflow_export_readable": yes(
        "The export can be read",
        "Red: what is said of the tenant is of an older export. The finding names the file.",
    ),
    "mailflow_export_objects": Look(
        "Objects in the export",
        "A sudden fall is an export with too few rights, or somebody who deleted objects.",
    ),
    "mailflow_retirement_due_timestamp_seconds": left(
        "Microsoft switches off in",
        "Red: less than 90 days, or over. Move off it; the finding names what to use.",
        ((None, RED), (90 * DAY, ORANGE), (365 * DAY, GREEN)),
    ),
    "mailflow_expiry_timestamp_seconds": left(
        "Certificates, secrets and keys end in", "Renew it in time. The finding names which it is."
    ),
    "mailflow_connector_info": Look(
        "What it delivers to", "As configured: compare with `Get-OutboundConnector`.", Shape.TABLE
    ),
    "mailflow_route_last_sent_timestamp_seconds": age(
        "Last message sent",
        "Longer ago than the interval: see the budget, and whether the agent's state is written.",
    ),
    "mailflow_route_info": Look(
        "From where to where", "As configured: these are the two ends to look at.", Shape.TABLE
    ),
    "mailflow_links_info": Look(
        "Where links lead",
        "Set `external_url` and `grafana_url` where they lead astray.",
        Shape.TABLE,
    ),
    "mailflow_web_config_last_reload_successful": yes(
        "Web configuration",
        "Red: mend the file; the status page says what is wrong. Grey: there is none.",
        "in force",
        "wrong",
    ),
    "mailflow_web_config_last_reload_success_timestamp_seconds": age(
        "Web configuration read", "Longer ago than you changed it: see whether the file is right."
    ),
    "mailflow_http_logins_failed_total": Look(
        "Logins that failed in an hour", "Many: somebody guesses. Shut the port to strangers."
    ),
    "mailflow_http_connections_open": Look(
        "Open connections", "At the limit: somebody holds connections. See from where they come."
    ),
    "mailflow_http_connections_turned_away_total": Look(
        "Connections turned away in an hour",
        "Any: all places were taken, perhaps Prometheus' own. Shut the port to strangers.",
    ),
    "mailflow_self_mailbox_failing_runs": Look(
        "Places of pick-up that are closed, in runs", "`mailflow-agent doctor ROUTE` says why."
    ),
    "mailflow_self_credential_refused_runs": Look(
        "Credentials that are refused, in runs",
        "Look its AADSTS number up in the log; make a new secret where it has ended.",
    ),
}
