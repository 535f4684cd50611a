"""Does every exchange of the domain take mail from the world, over TLS that is worth the name?

DNS may be right and mail still wait: a server that is down, a firewall that lets nobody in, one of
two address families that leads nowhere, a certificate that ran out. One run walks every address of
every exchange that the MX records name, in the way of any sender: connect, greeting, EHLO,
STARTTLS, certificate, EHLO, QUIT. Nobody's address is named unless a `recipient` is configured, and
no message is sent.

A closed port here is not a dead server there: before silence is called a fault, somebody must have
been reached at port 25 from this machine.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import zip_longest

from agent.adapters.dialer import Address
from agent.adapters.plans import drive
from agent.adapters.smtp import own_name
from agent.adapters.walk import Stop, Walker
from agent.domain import exchange_rules as rules
from agent.domain.connector_summary import Partial, summarise
from agent.domain.exchange import examine, examine_reverse
from agent.domain.fact import Fact, Table
from agent.domain.finding import Finding, Measurement, Outcome, Signal
from agent.domain.lookup import Unanswered
from agent.domain.mx import Survey, Target, survey
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.reverse import Reversal, Reversed, reverse
from agent.domain.smtp import Errand, Reason, Tls, Unreached
from agent.domain.together import together
from agent.domain.walk import RESULTS, Walked, first_end, result_of, slowest, words_of
from agent.domain.walk_facts import certificates, sessions
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, DomainSubject, Duration, Field, MailAddress, ReversePath

MAX_WALKS = 32  # sessions of one run
_SHARE = 0.85  # of the run's deadline; the rest is for asking whether the port is open at all
_PARTIAL = Partial(rules.PARTLY_FAILING, rules.FAMILY_FAILING)

REACHABLE = Signal(
    name="mailflow_exchange_reachable",
    help="1 where at least one address of the domain's exchanges took a session, else 0; absent"
    " where it could not be told.",
)
ADDRESSES = Signal(
    name="mailflow_exchange_addresses",
    help="Addresses of the domain's exchanges, by what the session came to.",
    labels=("result",),
)
ENCRYPTED = Signal(
    name="mailflow_exchange_addresses_with_tls",
    help="Addresses of the domain's exchanges with which TLS was agreed on.",
)
PHASE_DURATION = Signal(
    name="mailflow_exchange_phase_duration_seconds",
    help="Time that a phase of the session took, of the slowest address.",
    labels=("phase",),
)
EXPIRY = Signal(
    name="mailflow_exchange_certificate_expiry_timestamp_seconds",
    help="When the first of the exchanges' certificates expires.",
)


class ExchangeSettings(CheckSettings):
    """Settings of a check of a domain's exchanges."""

    interval: Duration = Field(
        default=timedelta(minutes=30),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )
    recipient: MailAddress | None = Field(
        default=None,
        description="A live mailbox of the domain, which every exchange must accept; by default no"
        " recipient is named. No message is sent.",
    )
    mail_from: ReversePath = Field(
        default="", description="Sender of the envelope; `<>` is the null sender."
    )
    warn_before_expiry: Duration = Field(
        default=timedelta(days=21),
        description="How long before its end a certificate is worth a warning.",
    )
    reverse_dns: bool = Field(
        default=True,
        description="Whether the exchanges' addresses must have names that lead back to them.",
    )
    allow_private: bool = Field(
        default=False,
        description="Whether to connect to private addresses that DNS gives an exchange.",
    )


ExchangeCheck = Check[DomainSubject, ExchangeSettings]
_Place = tuple[Target, Address]
_Pair = tuple[Walked, Reversed | None]


async def run(check: ExchangeCheck, tools: Toolbox) -> Outcome:
    """Walk every address of every exchange, at the same time."""
    began = tools.clock.monotonic()
    found = await tools.recall.derive(check.identity, check, lambda: survey(check.subject))
    if isinstance(found.reply, Unanswered):
        detail = f"MX of {check.subject}: {found.reply.reason}."
        return Outcome((DNS_UNANSWERED.found(detail),), failure=found.reply.reason.value)
    places = [(target, each) for target in found.routes for each in target.addresses]
    if not places:
        return Outcome(idle=_nobody(found))
    chosen = places[:MAX_WALKS]
    names = await _names(chosen, tools) if check.settings.reverse_dns else ()
    resolving = tools.clock.monotonic() - began
    left = _SHARE * check.settings.timeout - timedelta(seconds=resolving)
    walker = Walker(tools.dialer, tools.trust, tools.clock, tools.egress, tools.sightings)
    async with asyncio.TaskGroup() as group:
        walks = [
            group.create_task(walker.walk(_stop(check, place), _errand(check), left))
            for place in chosen
        ]
    tried = [task.result() for task in walks]
    pairs = list(zip_longest(tried, names))
    within = [pair for pair in pairs if not pair[0].is_out_of_reach] or pairs
    gaps = tuple(
        DNS_UNANSWERED.found(f"{PeerText(target.exchange, MAX_NAME)}: {target.silence}")
        for target in found.routes
        if target.silence
    )
    return _judge(check, within, gaps, resolving=resolving, at=tools.clock.now())


async def _names(places: list[_Place], tools: Toolbox) -> tuple[Reversed, ...]:
    """Return the names of the addresses; a gate in the resolver's place knows of none."""
    names = await drive(together([reverse(each) for _, each in places], {}), tools.resolver)
    wrong = {Reversal.MISSING, Reversal.UNCONFIRMED}
    if any(each.reversal in wrong for each in names) and not await tools.recall.sees():
        return (Reversed(Reversal.UNANSWERED),) * len(names)
    return names


def _nobody(found: Survey) -> str:
    """Say why there is nobody to walk; whether that is right is for the mx check to tell."""
    if found.is_null:
        return "The domain declares that it takes no mail (null MX)."
    return "No exchange has an address; see the mx check of the domain."


def _stop(check: ExchangeCheck, place: _Place) -> Stop:
    target, address = place
    return Stop(
        host=str(PeerText(target.exchange, MAX_NAME)),
        address=address,
        reach="private" if check.settings.allow_private else "public",
    )


def _errand(check: ExchangeCheck) -> Errand:
    recipient, sender = check.settings.recipient, check.settings.mail_from
    return Errand(
        helo=sender.rpartition("@")[2] or own_name(),
        tls=Tls.IF_OFFERED,
        mail_from=sender if recipient else None,
        rcpt_to=(recipient,) if recipient else (),
    )


def _judge(
    check: ExchangeCheck,
    pairs: list[_Pair],
    gaps: tuple[Finding, ...],
    *,
    resolving: float,
    at: datetime,
) -> Outcome:
    seen = tuple(walked for walked, _ in pairs)
    soon = check.settings.warn_before_expiry
    examined = tuple(
        (
            *examine(walked, at, soon),
            *(examine_reverse(walked.place, found) if found else ()),
        )
        for walked, found in pairs
    )
    failure = next(filter(None, map(_ours, seen)), "")
    return Outcome(
        findings=(*summarise(seen, examined, _PARTIAL), *gaps),
        measurements=tuple(_measure(seen, resolving)),
        facts=_facts(pairs, resolving),
        failure=failure or (str(Reason.DNS_UNANSWERED) if gaps else ""),
    )


def _ours(seen: Walked) -> str:
    """Return why nothing is known of an address, if so."""
    dialogue = seen.dialogue
    return (
        str(dialogue.reason) if isinstance(dialogue, Unreached) and dialogue.reason.is_ours else ""
    )


def _measure(seen: tuple[Walked, ...], resolving: float) -> Iterator[Measurement]:
    results = [result_of(each.dialogue) for each in seen]
    if "accepted" in results or not any(map(_ours, seen)):
        yield REACHABLE.at(float("accepted" in results))
    for result in RESULTS:
        yield ADDRESSES.at(results.count(result), result)
    yield ENCRYPTED.at(sum(bool(each.tls_version) for each in seen))
    for step, seconds in slowest(seen, resolving).items():
        yield PHASE_DURATION.at(seconds, step)
    if end := first_end(seen):
        yield EXPIRY.at(end.timestamp())


def _facts(pairs: list[_Pair], resolving: float) -> dict[str, Fact]:
    seen = tuple(walked for walked, _ in pairs)
    rows = []
    for each, found in pairs:
        tls = f"{each.tls_version} {each.tls_cipher}".strip() or "none"
        rows.append((each.place, words_of(each.dialogue), tls, _back(found)))
    columns = ("Exchange", "Last word", "TLS", "Reverse name")
    return {
        "Exchanges": Table(columns, tuple(rows)),
        **sessions(((each.place, each) for each in seen), resolving),
        **certificates(seen, None),
    }


def _back(found: Reversed | None) -> str:
    """Say what the address leads back to."""
    if found is None:
        return "not asked for"
    names = ", ".join(map(PeerText, found.names[:2]))
    return f"{names} ({found.reversal})" if names else str(found.reversal)


PROBE = Probe(
    kind="exchange",
    subject=DomainSubject,
    settings=ExchangeSettings,
    run=run,
    rules=rules.RULES,
    signals=(REACHABLE, ADDRESSES, ENCRYPTED, PHASE_DURATION, EXPIRY),
    depends_on=("resolver", "uplink"),
    polite=timedelta(minutes=1),
    example="{interval: 30m, reverse_dns: true}",
)
