"""What can be wrong with a way that mail takes?"""

from agent.domain.arrival_rules import ARRIVAL_RULES
from agent.domain.finding import Rule, Severity

_DOC = "docs/architecture.md"

REFUSED = Rule(
    code="route-refused",
    severity=Severity.CRITICAL,
    summary="The server refuses the message for good",
    remedy="Read the reply in the evidence: it names the sender, the recipient or a policy. Mail"
    " of users that takes this way is refused in the same manner and bounces.",
    reference="RFC 5321 section 4.2.1",
)
DEFERRED = Rule(
    code="route-deferred",
    severity=Severity.WARNING,
    summary="The server refuses the message for now",
    remedy="Users' mail waits in a queue and is tried again. Where it lasts, read the reply: it"
    " tells greylisting (goes away by itself) from throttling (send less, or raise the limit).",
    reference="RFC 5321 section 4.2.1",
)
UNREACHED = Rule(
    code="route-unreached",
    severity=Severity.CRITICAL,
    summary="The server that should take the message gives no answer that can be believed",
    remedy="Look at the walk for the phase at which it ended. Before the greeting: address, port"
    " and firewall. At `starttls` or `certificate`: the TLS of the server.",
    reference="RFC 5321 section 4.5.3.2",
)
UNCERTAIN = Rule(
    code="route-uncertain",
    severity=Severity.UNKNOWN,
    summary="The connection ended before the server said whether it took the message",
    remedy="Nothing is sent again; if the message comes in it counts as delivered. Where it"
    " happens often, look for a firewall or a content filter that is slow at the end of DATA.",
    reference="RFC 5321 section 4.2.5",
)
NOT_SENT = Rule(
    code="route-not-sent",
    severity=Severity.UNKNOWN,
    summary="No message was sent, for a reason on the side of the agent",
    remedy="Mend what the finding names; nothing is known about the route itself.",
    reference=_DOC,
)
INTERRUPTED = Rule(
    code="route-interrupted",
    severity=Severity.UNKNOWN,
    summary="A message was under way while the agent was not running",
    remedy="Nothing is known about the route: while the agent is away nobody takes the message in."
    " Where it happens often, see why the agent stops.",
    reference=_DOC,
)
UNRECORDED = Rule(
    code="route-unrecorded",
    severity=Severity.UNKNOWN,
    summary="No message was sent, because it could not be recorded",
    remedy="Make room on the disk of the state folder, or make it writable; sending goes on by"
    " itself.",
    reference=_DOC,
)
UNSEEN = Rule(
    code="route-unseen",
    severity=Severity.UNKNOWN,
    summary="Nobody could look whether a message arrived",
    remedy="Mend what keeps the agent from its mailbox; nothing is known about the route itself.",
    reference=_DOC,
)
MAILBOX_CLOSED = Rule(
    code="route-mailbox-closed",
    severity=Severity.UNKNOWN,
    summary="No message was sent, because nobody can look where it should arrive",
    remedy="The finding names the missing step; `mailflow-agent doctor` walks all of them one by"
    " one. Sending goes on by itself once the mailbox opens.",
    reference="docs/checks/route.md",
)
RESTING = Rule(
    code="route-resting",
    severity=Severity.CRITICAL,
    summary="Messages are refused again and again in the same words, so fewer are sent",
    remedy="Read the reply in the evidence. A server blocks a sender for hours who repeats what it"
    " refuses for good, so the next try waits; it is made by itself.",
    reference="Exchange Online: continuous error throttling of SMTP submission",
)
OVER_BUDGET = Rule(
    code="route-over-budget",
    severity=Severity.UNKNOWN,
    summary="No message was sent, because the budget is spent",
    remedy="Make the interval of the route longer, or its budget larger. After a crash loop it"
    " fills up again by itself.",
    reference=_DOC,
)
LATE = Rule(
    code="route-late",
    severity=Severity.WARNING,
    summary="A message did not arrive in the time that is expected",
    remedy="Look at the queue of the host that had it longest: the evidence names it once the"
    " message is in. `expect.within` says what is expected.",
    reference=_DOC,
)
LOST = Rule(
    code="route-lost",
    severity=Severity.CRITICAL,
    summary="A message was accepted and never arrived",
    remedy="Ask the server that accepted it, by the Message-ID and the reply in the evidence: its"
    " log, or Get-MessageTraceV2 -MessageId, says where the message went. Users' mail on this way"
    " may vanish too.",
    reference="RFC 5321 section 6.1",
)
JUNKED = Rule(
    code="route-junked",
    severity=Severity.WARNING,
    summary="A message arrived in the junk folder",
    remedy="See what the receiver says of authentication and spam: users' mail that gets the same"
    " marks lands in Junk, too. Where only the probe does, let it pass by a mail flow rule that"
    " asks for its address and for what proves it, not for its domain alone.",
    reference="Microsoft Defender for Office 365: create safe sender lists",
)
QUARANTINED = Rule(
    code="route-quarantined",
    severity=Severity.CRITICAL,
    summary="A message was put in quarantine",
    remedy="Release it, and see which policy took it.",
    reference="Microsoft Defender for Office 365: quarantine",
)
BOUNCED = Rule(
    code="route-bounced",
    severity=Severity.CRITICAL,
    summary="A message came back with a non-delivery report",
    remedy="Read the status code and the diagnostic text of the report in the evidence.",
    reference="RFC 3464",
)
LOOPED = Rule(
    code="route-looped",
    severity=Severity.CRITICAL,
    summary="Mail goes round in a loop instead of arriving",
    remedy="Two systems hand it to each other. Compare the domain's type, the connectors and the"
    " filter's delivery host.",
    reference="RFC 5321 section 6.3",
)
MISROUTED = Rule(
    code="route-misrouted",
    severity=Severity.CRITICAL,
    summary="A message arrived where it should not",
    remedy="See where it arrived, and which rule, connector or alias leads there.",
    reference=_DOC,
)
DUPLICATE = Rule(
    code="route-duplicate",
    severity=Severity.WARNING,
    summary="A message arrived more than once",
    remedy="A server on the way did not hear that the next one took it, or two of them deliver."
    " Look for timeouts at the end of DATA and for journal or forwarding rules.",
    reference="RFC 5321 section 4.5.3.2.6",
)
DAMAGED = Rule(
    code="route-damaged",
    severity=Severity.WARNING,
    summary="A message arrived with another text than it was sent with",
    remedy="Something on the way adds a banner or breaks lines; signatures made before that place"
    " do not verify any more.",
    reference="RFC 6376 section 5.3",
)

RULES = (
    REFUSED,
    DEFERRED,
    UNREACHED,
    UNCERTAIN,
    NOT_SENT,
    INTERRUPTED,
    UNRECORDED,
    OVER_BUDGET,
    UNSEEN,
    MAILBOX_CLOSED,
    RESTING,
    LATE,
    LOST,
    JUNKED,
    QUARANTINED,
    BOUNCED,
    LOOPED,
    MISROUTED,
    DUPLICATE,
    DAMAGED,
    *ARRIVAL_RULES,
)
