"""How does the HTTP server fare?

Declarations only; what is measured where, and read when a scrape comes.
"""

from agent.domain.finding import Signal

WEB_SUCCESSFUL = Signal(
    "mailflow_web_config_last_reload_successful",
    "Whether the web configuration file is right as it is now: 1 or 0; the last right one stays in"
    " force. Absent without such a file.",
)
WEB_SUCCESS = Signal(
    "mailflow_web_config_last_reload_success_timestamp_seconds",
    "When the web configuration in force was read.",
)
LOGINS_FAILED = Signal(
    "mailflow_http_logins_failed_total",
    "Logins with a wrong name or password.",
    kind="counter",
)
CONNECTIONS = Signal("mailflow_http_connections_open", "Connections of readers.")
TURNED_AWAY = Signal(
    "mailflow_http_connections_turned_away_total",
    "Connections that had to go, or were refused, because all places were taken.",
    kind="counter",
)

HTTP_SIGNALS = (WEB_SUCCESSFUL, WEB_SUCCESS, LOGINS_FAILED, CONNECTIONS, TURNED_AWAY)
