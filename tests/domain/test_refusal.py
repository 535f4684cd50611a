"""A door is shut only if the lock refused."""

import pytest

from agent.domain import refusal_rules as rules
from agent.domain.finding import Rule
from agent.domain.peer_text import PeerText
from agent.domain.refusal import Case, examine, is_shut
from agent.domain.smtp import Accepted, Dialogue, Phase, Reason, Refused, Unreached
from agent.domain.smtp_reply import Reply
from agent.domain.walk import Walked
from proof import Proves, fires, named, quiet

TO = "somebody@example.org"


def said(line: str, phase: Phase = Phase.RCPT) -> Refused:
    code, enhanced, text = line.split(" ", 2)
    return Refused(phase, Reply(int(code), enhanced, (PeerText(f"{enhanced} {text}"),)))


def walked(dialogue: Dialogue) -> Walked:
    match dialogue:
        case Accepted(reply) | Refused(Phase.RCPT, reply):
            recipients: tuple[tuple[str, Reply], ...] = ((TO, reply),)
        case _:
            recipients = ()
    return Walked(host="mx.contoso.com", dialogue=dialogue, recipients=recipients)


TAKEN = Accepted(Reply(250, "2.1.5", (PeerText("2.1.5 OK"),)))
LOCKED = said("550 5.7.51 TenantInboundAttribution; Rejecting")
NO_DIRECT = said("550 5.7.68 TenantInboundAttribution; Direct Send not allowed")
DENIED = said("550 5.7.64 TenantAttribution; Relay Access Denied")
DENIED_BY_POSTFIX = said("454 4.7.1 <a@b.example>: Relay access denied")
UNKNOWN = said("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found")
BANNED = said("550 5.7.606 Access denied, banned sending IP")
BUSY = said("451 4.7.500 Server busy")
LATER = said("451 4.2.0 not now")
NO_GREETING = said("554 5.5.9 no", Phase.GREETING)
SILENT = Unreached(Phase.CONNECT, Reason.NO_EGRESS)
DOWN = Unreached(Phase.CONNECT, Reason.REFUSED)
HELD = Unreached(Phase.CONNECT, Reason.HELD_BACK)

CASES: list[tuple[Proves, Rule, str, tuple[Case, Dialogue]]] = [
    (fires, rules.BYPASSED, "taken", (Case.BYPASS, TAKEN)),
    (quiet, rules.BYPASSED, "locked", (Case.BYPASS, LOCKED)),
    (fires, rules.DIRECT_SEND, "taken", (Case.DIRECT_SEND, TAKEN)),
    (quiet, rules.DIRECT_SEND, "rejected", (Case.DIRECT_SEND, NO_DIRECT)),
    (fires, rules.OWN_DOMAIN_RELAYED, "taken", (Case.OWN_DOMAIN, TAKEN)),
    (quiet, rules.OWN_DOMAIN_RELAYED, "denied", (Case.OWN_DOMAIN, DENIED)),
    (fires, rules.OPEN_RELAY, "taken", (Case.OPEN_RELAY, TAKEN)),
    (quiet, rules.OPEN_RELAY, "denied", (Case.OPEN_RELAY, DENIED_BY_POSTFIX)),
    (fires, rules.INCONCLUSIVE, "nobody of that name", (Case.BYPASS, UNKNOWN)),
    (fires, rules.INCONCLUSIVE, "banned", (Case.OPEN_RELAY, BANNED)),
    (fires, rules.INCONCLUSIVE, "busy", (Case.OWN_DOMAIN, BUSY)),
    (fires, rules.INCONCLUSIVE, "later", (Case.BYPASS, LATER)),
    (fires, rules.INCONCLUSIVE, "not even greeted", (Case.OPEN_RELAY, NO_GREETING)),
    (fires, rules.INCONCLUSIVE, "left alone", (Case.OPEN_RELAY, HELD)),
    (quiet, rules.INCONCLUSIVE, "a stranger is unknown", (Case.OPEN_RELAY, UNKNOWN)),
    (quiet, rules.INCONCLUSIVE, "locked", (Case.BYPASS, LOCKED)),
    (fires, rules.NOT_TRIED, "closed here", (Case.BYPASS, SILENT)),
    (quiet, rules.NOT_TRIED, "refused", (Case.BYPASS, BANNED)),
    (quiet, rules.NOT_TRIED, "a relay that is down", (Case.OPEN_RELAY, DOWN)),
    (fires, rules.NOT_TRIED, "an endpoint that is down", (Case.OWN_DOMAIN, DOWN)),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_rules(proves: Proves, rule: Rule, case: tuple[Case, Dialogue]) -> None:
    proves(rule, examine(case[0], walked(case[1])))


@pytest.mark.parametrize(
    ("case", "dialogue", "shut"),
    [
        pytest.param(Case.BYPASS, LOCKED, True, id="locked"),
        pytest.param(Case.BYPASS, TAKEN, False, id="taken"),
        pytest.param(Case.BYPASS, UNKNOWN, None, id="inconclusive"),
        pytest.param(Case.OPEN_RELAY, SILENT, None, id="not tried"),
        pytest.param(Case.OPEN_RELAY, Accepted(Reply(250)), None, id="no recipient was named"),
    ],
)
def test_whether_a_door_is_shut(case: Case, dialogue: Dialogue, *, shut: bool | None) -> None:
    seen = Walked(host="mx", dialogue=dialogue) if dialogue == Accepted(Reply(250)) else None
    assert is_shut(case, seen or walked(dialogue)) is shut
