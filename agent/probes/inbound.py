"""Would Exchange Online take our servers' mail through this connector?

An inbound connector tells Exchange Online whose mail a session brings: by the certificate that the
sending server shows, or by its address. When a certificate is renewed under another name, or a
domain leaves the tenant, the mail is still taken, as a stranger's, and relaying ends with 550
5.7.64. One run connects to the tenant's endpoint as the sending server does, shows the connector's
certificate where the credential is given, and names a mailbox of the tenant and then a stranger. A
third session shows a certificate that nobody vouches for, which must open nothing. No message is
sent.
"""

from collections.abc import Iterator
from datetime import timedelta

from agent.adapters.dialer import Address
from agent.adapters.plans import drive
from agent.adapters.smtp import own_name, reach_of
from agent.adapters.tls import TlsClient
from agent.adapters.walk import Stop, Walker
from agent.adapters.wallet import WalletError
from agent.adapters.x509_making import KeyPair, ders_of, self_signed
from agent.domain import inbound_rules as rules
from agent.domain.connector_summary import merge
from agent.domain.fact import Fact, Table
from agent.domain.finding import Finding, Measurement, Outcome, Signal
from agent.domain.host import Located, locate
from agent.domain.inbound import Case, Promise, examine, examine_certificate, examine_domains
from agent.domain.smtp import Accepted, Errand, Reason, Refused, Tls, Unreached
from agent.domain.tls import Presented
from agent.domain.walk import Walked, words_of
from agent.domain.walk_facts import certificates, sessions
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, ConnectorSubject, Duration, Field

_SHARE = 0.9  # of the run's deadline, so that a session can still say at which phase it ended
_DAY = timedelta(days=1)

ACCEPTED = Signal(
    name="mailflow_inbound_accepted",
    help="1 where Exchange Online accepted what the session tried, else 0; absent where it could"
    " not be told.",
    labels=("case",),
)
EXPIRY = Signal(
    name="mailflow_inbound_certificate_expiry_timestamp_seconds",
    help="When the certificate that is shown expires.",
)


class InboundSettings(CheckSettings):
    """Settings of a check of an inbound connector."""

    warn_before_expiry: Duration = Field(
        default=timedelta(days=30),
        description="How long before its end the certificate is worth a warning.",
    )
    at_sender: bool = Field(
        default=False,
        description="Whether this machine's address is one of `sender_ip_addresses`, so that it is"
        " answered as the sending server is.",
    )


InboundCheck = Check[ConnectorSubject, InboundSettings]


async def run(check: InboundCheck, tools: Toolbox) -> Outcome:
    """Hold the sessions one after another: Exchange Online sees one connection at a time."""
    endpoint = check.target.endpoint
    assert endpoint is not None  # noqa: S101 - an inbound connector has one
    until = tools.clock.monotonic() + _SHARE * check.settings.timeout.total_seconds()
    try:
        pair = await _pair(check, tools)
    except WalletError as error:
        finding = rules.UNREADABLE.found(str(error))
        return Outcome((finding,), failure="credential-unreadable")
    located = await drive(locate(endpoint.host), tools.resolver)
    if not located.addresses:
        return _nowhere(located)
    tour = _Tour(check, tools, located.addresses[0], until)
    seen = [(case, await tour.walk(case, pair)) for case in _cases(check, pair)]
    return _judge(check, tools, seen, pair)


async def _pair(check: InboundCheck, tools: Toolbox) -> KeyPair | None:
    name = check.target.credential
    if name is None or tools.wallet is None:
        return None
    return await tools.wallet.pair(name)


def _cases(check: InboundCheck, pair: KeyPair | None) -> Iterator[Case]:
    if check.target.recipient is not None:
        yield Case.RECIPIENT
    yield Case.RELAY
    if check.target.relays and pair is not None and not check.settings.at_sender:
        yield Case.IMPOSTOR


class _Tour:
    """The sessions of one run with one address."""

    def __init__(self, check: InboundCheck, tools: Toolbox, address: Address, until: float) -> None:
        self._subject, self._tools = check.target, tools
        self._address, self._until = address, until

    async def walk(self, case: Case, pair: KeyPair | None) -> Walked:
        """Hold the session of one case."""
        subject, tools = self._subject, self._tools
        endpoint = subject.endpoint
        assert endpoint is not None  # noqa: S101 - an inbound connector has one
        to = subject.recipient if case is Case.RECIPIENT else subject.foreign_recipient
        errand = Errand(
            helo=subject.helo or subject.mail_from.rpartition("@")[2] or own_name(),
            tls=Tls.REQUIRED,
            mail_from=subject.mail_from,
            rcpt_to=(to,) if to else (),
        )
        stop = Stop(
            host=endpoint.host,
            address=self._address,
            port=endpoint.port,
            reach=reach_of(endpoint.host),
            tls=self._client(case, pair),
        )
        left = timedelta(seconds=self._until - tools.clock.monotonic())
        walker = Walker(tools.dialer, tools.trust, tools.clock, tools.egress, tools.sightings)
        return await walker.walk(stop, errand, left)

    def _client(self, case: Case, pair: KeyPair | None) -> TlsClient | None:
        if pair is None:
            return None
        if case is Case.IMPOSTOR:
            name = self._subject.tls_sender_certificate_name or self._subject.name
            now = self._tools.clock.now()
            name = name.replace("*", "mail")
            pair = self_signed(name, not_before=now - _DAY, not_after=now + _DAY)
        return self._tools.trust.showing(pair)


def _nowhere(located: Located) -> Outcome:
    if located.reason is Reason.DNS_UNANSWERED:
        finding = DNS_UNANSWERED.found(located.detail)
        return Outcome((finding,), failure=str(Reason.DNS_UNANSWERED))
    finding = rules.NOT_REACHED.found(located.detail)
    return Outcome((finding,), failure=str(Reason.UNRESOLVED))


def _judge(
    check: InboundCheck, tools: Toolbox, seen: list[tuple[Case, Walked]], pair: KeyPair | None
) -> Outcome:
    subject, now = check.target, tools.clock.now()
    promise = Promise(
        certificate_name=subject.tls_sender_certificate_name,
        accepted_domains=subject.accepted_domains,
        mail_from=subject.mail_from,
        relays=subject.relays,
        is_sender=pair is not None or check.settings.at_sender,
        warn_before=check.settings.warn_before_expiry,
    )
    shown = tools.trust.present(ders_of(pair), now) if pair else None
    findings: list[Finding] = [*examine_domains(promise)]
    if shown is not None:
        findings += examine_certificate(shown, promise, now)
    for case, walked in seen:
        findings += examine(case, walked, promise)
    merged = merge(findings)
    return Outcome(
        findings=merged,
        measurements=tuple(_measure(seen, shown)),
        facts=_facts(seen, shown, promise),
        failure=_failure(seen),
    )


def _failure(seen: list[tuple[Case, Walked]]) -> str:
    """Return why a part of the run could not tell, if so."""
    for _, walked in seen:
        if isinstance(walked.dialogue, Unreached):
            return str(walked.dialogue.reason)
    return ""


def _measure(seen: list[tuple[Case, Walked]], shown: Presented | None) -> Iterator[Measurement]:
    for case, walked in seen:
        if isinstance(walked.dialogue, Accepted | Refused):
            yield ACCEPTED.at(float(isinstance(walked.dialogue, Accepted)), case)
    if shown is not None:
        yield EXPIRY.at(shown.leaf.not_after.timestamp())


def _facts(
    seen: list[tuple[Case, Walked]], shown: Presented | None, promise: Promise
) -> dict[str, Fact]:
    rows = tuple(
        (
            case,
            ", ".join(to for to, _ in walked.recipients) or "-",
            "yes" if walked.asked else "no" if walked.asked is False else "-",
            words_of(walked.dialogue),
        )
        for case, walked in seen
    )
    facts: dict[str, Fact] = {
        "Sessions": Table(("Tried", "Recipient", "Certificate asked for", "Last word"), rows)
    }
    if shown is not None:
        mine = Walked(host="shown by us", dialogue=seen[0][1].dialogue, presented=shown)
        facts |= certificates((mine,), promise.certificate_name)
    return facts | sessions(tuple((str(case), walked) for case, walked in seen), resolving=None)


PROBE = Probe(
    kind="inbound",
    subject=ConnectorSubject,
    settings=InboundSettings,
    run=run,
    rules=rules.RULES,
    signals=(ACCEPTED, EXPIRY),
    depends_on=("resolver", "uplink"),
    polite=timedelta(minutes=1),
    example="{interval: 15m}",
    unfit=lambda subject: "" if subject.direction == "inbound" else "it is an outbound connector",
)
