"""Does what must be refused get refused?

A door that stands open makes no noise: mail past the filter arrives as well as mail through it,
and an open relay serves its owner's mail as well as the spammers'. One run tries the doors, and a
success is the fault: a stranger at the tenant's endpoint where mail has to come through a
third-party filter; a stranger who writes in the domain's own name; and at every host of the
operator's own, a stranger who writes to strangers. Every session ends before a message.

Hosts of large providers are not tried as relays: they are nobody's to mend.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta

from agent.adapters.dialer import Address, Reach
from agent.adapters.plans import drive
from agent.adapters.smtp import own_name, reach_of
from agent.adapters.walk import Stop, Walker
from agent.domain import refusal_rules as rules
from agent.domain.connector_summary import merge
from agent.domain.fact import Fact, Table
from agent.domain.finding import Finding, Measurement, Outcome, Signal
from agent.domain.host import locate
from agent.domain.lookup import Unanswered
from agent.domain.mx import survey
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.refusal import Case, examine, is_shut
from agent.domain.smtp import Errand, Reason, Tls, Unreached
from agent.domain.walk import Walked, words_of
from agent.domain.walk_facts import sessions
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import (
    CheckSettings,
    DomainSubject,
    Duration,
    Field,
    MailAddress,
    ServerPlace,
    model_validator,
)

_SHARE = 0.85  # of the run's deadline
SMTP_PORT = 25
_MAX_HOSTS = 8  # of the domain, that are tried as relays

SHUT = Signal(
    name="mailflow_refusal_shut",
    help="1 where what must be refused was refused everywhere, 0 where it was taken anywhere;"
    " absent where it could not be told.",
    labels=("case",),
)


class RefusalSettings(CheckSettings):
    """Settings of a check of what a domain must refuse."""

    interval: Duration = Field(
        default=timedelta(hours=6),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )
    timeout: Duration = Field(
        default=timedelta(seconds=60),
        ge=timedelta(milliseconds=100),
        description="Deadline of one whole run.",
    )
    endpoint: ServerPlace | None = Field(
        default=None,
        description="The tenant's endpoint, such as `contoso-com.mail.protection.outlook.com`, to"
        " see that it is shut for strangers.",
    )
    recipient: MailAddress | None = Field(
        default=None,
        description="A live mailbox of the domain; needed with `endpoint`. No message is sent.",
    )
    stranger: MailAddress = Field(
        default="relay-test@example.org",
        description="An address of a domain that is not yours: the sender that is nobody's, and the"
        " recipient whose mail must not be relayed. No message is sent.",
    )
    filtered: bool | None = Field(
        default=None,
        description="Whether the endpoint must refuse what did not pass a filter; by default where"
        " the topology is third-party-filter.",
    )
    reject_direct_send: bool = Field(
        default=False,
        description="Whether RejectDirectSend is on, so that strangers must not write in the"
        " domain's own name.",
    )
    try_relay: bool = Field(
        default=True,
        description="Whether the domain's own hosts must refuse to relay for this machine.",
    )

    @model_validator(mode="after")
    def _complete(self) -> "RefusalSettings":
        if (self.endpoint is None) != (self.recipient is None):
            message = "endpoint and recipient are needed together"
            raise ValueError(message)
        return self


RefusalCheck = Check[DomainSubject, RefusalSettings]


@dataclass(frozen=True, slots=True)
class _Door:
    """A place to try, and what to try there."""

    host: str
    address: Address
    port: int
    reach: Reach
    cases: tuple[Case, ...]


async def run(check: RefusalCheck, tools: Toolbox) -> Outcome:
    """Try the doors, one session at a time at each: nobody likes to be tried."""
    until = tools.clock.monotonic() + _SHARE * check.settings.timeout.total_seconds()
    sought = [each for seek in (_endpoint, _own_hosts) async for each in seek(check, tools)]
    doors = [each for each in sought if isinstance(each, _Door)]
    findings = [each for each in sought if isinstance(each, Finding)]
    if not doors and not findings:
        return Outcome(idle=_nothing(check))
    walker = Walker(tools.dialer, tools.trust, tools.clock, tools.egress, tools.sightings)
    tried: list[tuple[Case, Walked]] = []
    for door in doors:
        for case in door.cases:
            left = timedelta(seconds=until - tools.clock.monotonic())
            walked = await walker.walk(_stop(door), _errand(check, case), left)
            tried.append((case, walked))
            if isinstance(walked.dialogue, Unreached):
                break  # the next case would come to the same
    for case, walked in tried:
        findings += examine(case, walked)
    return Outcome(
        findings=merge(findings),
        measurements=tuple(_measure(tried)),
        facts=_facts(tried),
        failure=_failure(findings, tried),
    )


async def _endpoint(check: RefusalCheck, tools: Toolbox) -> AsyncIterator[_Door | Finding]:
    """Find the tenant's endpoint; a Finding is why it cannot be found."""
    place = check.settings.endpoint
    if place is None:
        return
    located = await drive(locate(place.host), tools.resolver)
    for address in located.addresses[:1]:
        cases = tuple(_at_endpoint(check))
        yield _Door(place.host, address, place.port, reach_of(place.host), cases)
    if located.reason is Reason.DNS_UNANSWERED:
        yield DNS_UNANSWERED.found(located.detail)
    elif located.reason is not None:
        yield rules.NOT_TRIED.found(located.detail)


async def _own_hosts(check: RefusalCheck, tools: Toolbox) -> AsyncIterator[_Door | Finding]:
    """Find the exchanges that belong to no large provider."""
    if not check.settings.try_relay:
        return
    found = await tools.recall.derive(check.identity, check, lambda: survey(check.subject))
    if isinstance(found.reply, Unanswered):
        yield DNS_UNANSWERED.found(f"MX of {check.subject}: {found.reply.reason}.")
    own = [target for target in found.routes if target.owner is None][:_MAX_HOSTS]
    for target in own:
        for address in target.addresses[:1]:
            host = str(PeerText(target.exchange, MAX_NAME))
            yield _Door(host, address, SMTP_PORT, "public", (Case.OPEN_RELAY, Case.OWN_DOMAIN))


def _at_endpoint(check: RefusalCheck) -> Iterator[Case]:
    filtered = check.settings.filtered
    if filtered or (filtered is None and check.target.topology == "third-party-filter"):
        yield Case.BYPASS
    if check.settings.reject_direct_send:
        yield Case.DIRECT_SEND
    yield Case.OWN_DOMAIN


def _nothing(check: RefusalCheck) -> str:
    if check.target.topology == "third-party-filter":
        return "Set `endpoint` and `recipient` to see that the filter cannot be passed by."
    return "There is no host of the domain's own to try, and no `endpoint` is set."


def _stop(door: _Door) -> Stop:
    return Stop(host=door.host, address=door.address, port=door.port, reach=door.reach)


def _errand(check: RefusalCheck, case: Case) -> Errand:
    settings = check.settings
    is_own = case in (Case.OWN_DOMAIN, Case.DIRECT_SEND)
    sender = f"postmaster@{check.subject}" if is_own else settings.stranger
    recipient = settings.stranger if case.is_relaying else settings.recipient
    assert recipient is not None  # noqa: S101 - the settings demand it with an endpoint
    return Errand(helo=own_name(), tls=Tls.IF_OFFERED, mail_from=sender, rcpt_to=(recipient,))


def _measure(tried: list[tuple[Case, Walked]]) -> Iterator[Measurement]:
    for case in Case:
        told = [is_shut(case, walked) for each, walked in tried if each is case]
        if False in told:
            yield SHUT.at(0.0, case)
        elif True in told:
            yield SHUT.at(1.0, case)


def _failure(findings: list[Finding], tried: list[tuple[Case, Walked]]) -> str:
    """Return why a part of the run could not tell, if so."""
    if any(finding.rule is DNS_UNANSWERED for finding in findings):
        return str(Reason.DNS_UNANSWERED)
    for case, walked in tried:
        if isinstance(walked.dialogue, Unreached) and examine(case, walked):
            return str(walked.dialogue.reason)
    return ""


_WORDS = {True: "shut", False: "open", None: "not known"}


def _facts(tried: list[tuple[Case, Walked]]) -> dict[str, Fact]:
    rows = tuple(
        (walked.place, case, _WORDS[is_shut(case, walked)], words_of(walked.dialogue))
        for case, walked in tried
    )
    # A session that was refused as it should be needs no explanation.
    odd = ((case, walked) for case, walked in tried if not is_shut(case, walked))
    titled = ((f"{case} at {walked.place}", walked) for case, walked in odd)
    return {
        "Doors": Table(("Door", "Tried", "It is", "Last word"), rows),
        **sessions(titled, resolving=None),
    }


PROBE = Probe(
    kind="refusal",
    subject=DomainSubject,
    settings=RefusalSettings,
    run=run,
    rules=rules.RULES,
    signals=(SHUT,),
    depends_on=("resolver", "uplink"),
    polite=timedelta(minutes=10),
    example="{interval: 6h, reject_direct_send: true}",
)
