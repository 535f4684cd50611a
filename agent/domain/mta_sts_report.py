"""What does a look at a domain's MTA-STS amount to: measurements and facts?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from agent.domain.fact import Fact, Table, Text
from agent.domain.finding import Measurement, Signal
from agent.domain.lookup import Answer, Unanswered
from agent.domain.mta_sts_picture import Fetched, Picture
from agent.domain.mta_sts_policy import KNOWN, Document, Line
from agent.domain.mta_sts_terms import MAX_AGE, Mode, Policy
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText

_SHOWN = 100  # rows of a table
_RECORD_TEXT = 500  # characters
_WEEK = timedelta(days=7)

MODE = Signal(
    name="mailflow_mta_sts_mode",
    help="The mode of the domain's MTA-STS policy: 0 none, 1 testing, 2 enforce; absent where it"
    " could not be read.",
)
MAX_AGE_SECONDS = Signal(
    name="mailflow_mta_sts_max_age_seconds",
    help="How long senders remember the domain's MTA-STS policy.",
)
CERTIFICATE_EXPIRY = Signal(
    name="mailflow_mta_sts_certificate_expiry_timestamp_seconds",
    help="When the certificate of the host that serves the MTA-STS policy expires.",
)
UNCOVERED = Signal(
    name="mailflow_mta_sts_exchanges_uncovered",
    help="Exchanges of the domain that its MTA-STS policy leaves out.",
)
SIGNALS = (MODE, MAX_AGE_SECONDS, CERTIFICATE_EXPIRY, UNCOVERED)

_MEANINGS = {
    Mode.ENFORCE: "senders keep mail that they cannot deliver by this policy",
    Mode.TESTING: "senders deliver all the same, and report what does not fit",
    Mode.NONE: "senders forget the policy from before",
}


def measure(picture: Picture) -> Iterator[Measurement]:
    """Yield the values of the signals; what does not apply or is not known is left out."""
    policy = picture.policy
    if policy is not None:
        yield MODE.at(policy.mode.rank)
        yield MAX_AGE_SECONDS.at(policy.max_age)
        if not isinstance(picture.survey.mx, Unanswered):
            yield UNCOVERED.at(len(picture.uncovered))
    elif isinstance(picture.survey.reply, Answer) and not picture.is_announced:
        yield MODE.at(Mode.NONE.rank)
    if picture.presented is not None:
        yield CERTIFICATE_EXPIRY.at(picture.presented.leaf.not_after.timestamp())


def draw_facts(picture: Picture) -> dict[str, Fact]:
    """Return what the page and the command line show."""
    survey = picture.survey
    texts = (*survey.texts, *survey.near)
    lines = [PeerText(text, _RECORD_TEXT) for text in texts[:10]]
    facts: dict[str, Fact] = {"record": Text("\n".join(lines) or "no MTA-STS record")}
    if picture.is_announced or survey.host.addresses:
        facts["policy host"] = Table(("what", "value"), tuple(_host(picture)))
    fetched = picture.fetched
    if fetched is not None and fetched.document is not None:
        facts["policy"] = _policy(fetched.document)
    if picture.policy is not None and survey.exchanges:
        facts["exchanges"] = _exchanges(picture, picture.policy)
    return facts


def _host(picture: Picture) -> Iterator[tuple[str, str]]:
    host, presented, past = picture.survey.host, picture.presented, picture.past
    yield "host", host.name
    if host.aliases:
        yield "alias for", " -> ".join(PeerText(each, MAX_NAME) for each in host.aliases[:10])
    addresses = ", ".join(map(str, host.addresses[:10]))
    yield "addresses", addresses or (f"no answer: {host.silence}" if host.silence else "none")
    if presented is not None:
        leaf = presented.leaf
        names = ", ".join(leaf.held[:5])
        yield "certificate", f"{names}, until {leaf.not_after:%Y-%m-%d}, {presented.trust}"
    if picture.fetched is not None:
        yield "file", _file(picture.fetched)
    if past.mode_since is not None and picture.policy is not None:
        yield "mode", f"{picture.policy.mode} since {_time(past.mode_since)} at least"
    if past.announced is not None:
        yield "id or policy changed", _time(past.announced.at)
    if past.host is not None:
        yield "host changed", f"{_time(past.host.at)}, before {past.host.before}"


def _file(fetched: Fetched) -> str:
    if fetched.trouble:
        return f"{fetched.trouble}{' (perhaps on this side)' if fetched.is_ours else ''}"
    return "fetched" if fetched.policy else "fetched, and no policy"


def _policy(document: Document) -> Table:
    """Show the file with a judgement of each line."""
    rows = [
        (str(line.number), PeerText(line.text) or "-", _judgement(document, line))
        for line in document.lines
    ]
    numbers = {line.number for line in document.lines}
    rows += [
        (str(fault.at or "-"), PeerText(fault.text, 80) or "-", fault.problem)
        for fault in document.faults
        if fault.at not in numbers
    ]
    return Table(("line", "text", "judgement"), tuple(rows[:_SHOWN]))


def _judgement(document: Document, line: Line) -> str:
    faults = [each for each in document.faults if each.at == line.number]
    if faults:
        return "; ".join(each.problem for each in faults)
    if line.name not in KNOWN:
        return "passed over by senders" if line.name else "no field"
    if line.name == "mode":
        return _MEANINGS[Mode(line.value)]
    if line.name == "max_age":
        return _age(min(int(line.value), MAX_AGE))
    if line.name == "mx":
        return "any one label in front" if line.value.startswith("*.") else "this host"
    return "as it must be"


def _age(seconds: int) -> str:
    length = timedelta(seconds=seconds)
    low = ", weeks are usual" if length < _WEEK else ""
    return f"{str(length).removesuffix(', 0:00:00')}{low}"


def _exchanges(picture: Picture, policy: Policy) -> Table:
    rows = []
    for exchange in picture.survey.exchanges[:_SHOWN]:
        seen = picture.exchanges.get(exchange)
        certificate = "not seen"
        if seen is not None:
            certificate = "; ".join(seen.flaws(exchange, picture.now)) or "satisfies the policy"
        pattern = PeerText(policy.pattern_for(exchange), MAX_NAME) or "none"
        rows.append((PeerText(exchange, MAX_NAME), pattern, certificate))
    return Table(("exchange", "covered by", "certificate"), tuple(rows))


def _time(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
