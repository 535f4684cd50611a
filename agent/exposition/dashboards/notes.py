"""What is marked on every panel, so that a step of a line is seen with its cause?"""

from agent.exposition import own_signals as own
from agent.exposition.dashboards import words
from agent.exposition.dashboards.model import Note
from agent.exposition.dashboards.promql import of
from agent.exposition.dashboards.trouble import FIRING

_RESTART = of("process_start_time_seconds")
NOTES = (
    Note("Alerts", FIRING, words.RED, "{{alertname}} {{subject}}"),
    Note(
        "Reloads",
        f"changes({of(own.RELOAD_SUCCESS)}[2m]) > 0",
        words.BLUE,
        "Configuration reloaded: {{instance}}",
    ),
    Note(
        "Restarts",
        f"(changes({_RESTART}[2m]) > 0) and on (job, instance) {of(own.BUILD_INFO)}",
        words.PURPLE,
        "Agent restarted: {{instance}}",
    ),
)
