"""Is a message a bounce in plain words?

It must come from a daemon or say in its subject what it is, and it must admit a failure in its
text: people write about failures as well.
"""

import re

from agent.domain.dsn_text import Texts
from agent.domain.header_fields import Fields

_DAEMON = re.compile(
    r"mailer-?daemon|post_?master|mail.?delivery|microsoftexchange[0-9a-f]{32}", re.IGNORECASE
)
_SUBJECT = re.compile(
    r"undeliver|returned? (?:mail|to sender)|fail(?:ure|ed)|delivery status"
    r"|delivery (?:report|notification|has)|could not (?:be delivered|send)|not delivered"
    r"|error sending|mail system error|unzustellbar|non remis|non recapitabile|onbestelbaar"
    r"|no se puede entregar|loop alert",
    re.IGNORECASE,
)
_ADMITS = re.compile(
    r"(?:could not|couldn't|cannot|can not|was not|unable to|not be|not able to|wasn't able to"
    r"|did not|failed to|trying to|attempting to|error|trouble)\s{1,3}(?:be )?deliver"
    r"|did not reach the following|del[ei]very (?:to the following|failed|errors|problems)"
    r"|undeliverable|(?:is|been) delayed|was rejected|returning message|fatal errors"
    r"|diagnostic information for administrators|transcript of session|failure reasons"
    r"|final-recipient *:|exceeds allowed size|duplicated message-id|unable to contact"
    r"|failed addresses|as their mailbox|error message below|you tried to contact"
)
_SAID = 16 * 1024  # characters in which a bounce has said what it is
_REPORT_TYPE = re.compile(r";\s*report-type\s*=\s*\"?([a-z-]{1,40})", re.IGNORECASE)


def report_type(head: Fields) -> str:
    """Return the report-type of a multipart/report (RFC 6522 section 3) in lower case, or nothing.

    Looks at the text of the field alone: it counts where all else is broken.
    """
    value = head.first("content-type")[:2000]
    match = _REPORT_TYPE.search(value)
    return match[1].lower() if match and value.lower().startswith("multipart/report") else ""


def is_bounce(texts: Texts) -> bool:
    """Tell whether a message without a report for machines is one in plain words."""
    head = texts.head
    if head.has("x-failed-recipients") or head.has("x-ms-exchange-message-is-ndr"):
        return True
    if report_type(head) == "delivery-status":
        return True
    says_so = is_from_daemon(head) or bool(_SUBJECT.search(head.first("subject")[:500]))
    return says_so and bool(_ADMITS.search(texts.said[:_SAID].lower()))


def is_of_machine(head: Fields) -> bool:
    """Tell whether the header of a report is one that mail systems write: people write none."""
    if head.has("x-failed-recipients") or head.has("x-ms-exchange-message-is-ndr"):
        return True
    is_automatic = head.first("auto-submitted").lower().startswith("auto-")  # RFC 3834 section 5
    return is_automatic or is_from_daemon(head) or report_type(head) == "delivery-status"


def is_from_daemon(head: Fields) -> bool:
    """Tell whether a machine sent it: the null return path, or a name that only daemons have."""
    if head.first("return-path").replace(" ", "") == "<>":
        return True
    return bool(_DAEMON.search(head.first("from")[:500]))
