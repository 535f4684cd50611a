"""With which code does the program end?

One table for every command, and for the documentation: the monitoring-plugin convention for what
was found, and the BSD convention for what was asked of it.
"""

import enum

from agent.domain.finding import Severity


class Exit(enum.IntEnum):
    """The documented exit codes."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3
    USAGE = 64
    UNAVAILABLE = 69
    STUCK = 70
    INTERRUPTED = 130
    CONFIG = 78


MEANINGS = {
    Exit.OK: "all is well, or the daemon was stopped as asked",
    Exit.WARNING: "a check found a warning; or generated files are stale",
    Exit.CRITICAL: "a check found something critical",
    Exit.UNKNOWN: "a check could not tell",
    Exit.USAGE: "the command line is wrong",
    Exit.UNAVAILABLE: "the machine does not allow it: port in use, state folder not writable",
    Exit.STUCK: "the event loop was stuck for a minute and the daemon gave up; the log says where",
    Exit.CONFIG: "the configuration is wrong; every mistake is listed",
    Exit.INTERRUPTED: "interrupted from the keyboard",
}
_OF_SEVERITY = {
    Severity.OK: Exit.OK,
    Severity.WARNING: Exit.WARNING,
    Severity.UNKNOWN: Exit.UNKNOWN,
    Severity.CRITICAL: Exit.CRITICAL,
}


def exit_for(severity: Severity) -> Exit:
    """Return the code that tells a plugin's caller how bad it is."""
    return _OF_SEVERITY[severity]
