"""Do we read what is published about MTA-STS and TLS reports as checkdmarc does?

Both read the same generated records and policies, right ones and ones with a fault put in. Every
disagreement must be a known choice, named below with its reason; anything else fails the test. A
fault that we find and read past counts as told: what matters is that neither keeps quiet alone.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import checkdmarc.mta_sts as peer
import checkdmarc.smtp_tls_reporting as peer_of_reports
import pytest

from agent.domain import mta_sts_policy, mta_sts_record, tls_rpt_record
from agent.domain.mta_sts_terms import Fault, Mode, Policy

TEXTS = 600
Faults = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Told:
    """What one reader says: the values, or None; and whether it complains."""

    value: object
    complains: bool = False


def spoilt(dice: random.Random, text: str, faults: Faults) -> str:
    for _ in range(dice.choice((0, 1, 1, 2))):
        text = text.replace(*dice.choice(faults), 1)
    return text


RECORD_FAULTS: Faults = (
    ("id=", "ID="),
    ("id=", "id = "),
    ("id=", "id"),
    ("id=", "id=-"),
    ("id=", "x=y; id="),
    ("; ", ";"),
    ("; ", ";; "),
    (";", " ;"),
    ("id=", "id=7; id="),
    ("id=", "a b=c; id="),
    ("id=", "x=a b; id="),
    ("id=", ""),
    ("STSv1", "STSv1 "),
    ("id=", f"id={'1' * 33}"),
)


def record(dice: random.Random) -> str:
    text = f"v=STSv1; id={dice.randint(1, 10**9)}{dice.choice(['', ';', ' ; '])}"
    return spoilt(dice, text, RECORD_FAULTS)


def our_record(text: str) -> Told:
    read = mta_sts_record.parse(text.encode())
    return Told(read.id or None, bool(read.faults))


def peers_record(text: str) -> Told:
    try:
        found = peer.parse_mta_sts_record(text)
    except peer.MTASTSError:
        return Told(None, complains=True)
    return Told(found["tags"]["id"], bool(found["warnings"]))


REPORT_FAULTS: Faults = (
    ("rua=", "RUA="),
    ("rua=", "rua = "),
    ("mailto:", ""),
    ("mailto:", "mailto://"),
    ("https:", "http:"),
    ("@", "@@"),
    ("@", ""),
    (",", " , "),
    (",", ",,"),
    (",", ";"),
    ("; ", ";; "),
    ("; ", " ; "),
    ("rua=", "rua="),
    ("rua=", "x=y; rua="),
    ("rua=", "x=a b; rua="),
    ("a@", "a!b@"),
    ("a@", "a%21b@"),
    ("contoso.com", "contoso.com!10m"),
    ("contoso.com", "localhost"),
    ("rua=", "rua=mailto:x@contoso.com; rua="),
)
PLACES = ("mailto:a@contoso.com", "https://contoso.com/r?x=y", "mailto:a.b+c@reports.contoso.com")


def reports(dice: random.Random) -> str:
    places = ",".join(dice.sample(PLACES, dice.randint(1, 3)))
    return spoilt(dice, f"v=TLSRPTv1; rua={places}{dice.choice(['', ';'])}", REPORT_FAULTS)


def our_reports(text: str) -> Told:
    read = tls_rpt_record.parse(text.encode())
    places = [each.uri for each in read.destinations]
    is_void = any(each.is_fatal for each in read.faults)
    return Told(None if is_void else places, bool(read.faults))


def peers_reports(text: str) -> Told:
    try:
        found = peer_of_reports.parse_smtp_tls_reporting_record(text)
    except peer_of_reports.SMTPTLSReportingError:
        return Told(None, complains=True)
    return Told(found["tags"]["rua"]["value"], bool(found["warnings"]))


POLICY_FAULTS: Faults = (
    ("version: STSv1\n", ""),
    ("STSv1", "STSv2"),
    ("STSv1", "STSv1 "),
    ("version:", "Version:"),
    ("mode: ", "mode:"),
    ("mode:", "mode :"),
    ("mode", " mode"),
    ("mode: ", "mode="),
    ("mode:", "mode: testing\nmode:"),
    ("enforce", "Enforce"),
    ("enforce", "report"),
    ("mx:", "mx: *.a.example\nmx:"),
    ("mx:", "mx: *\nmx:"),
    ("mx:", "mx: a.*.example\nmx:"),
    ("mx:", "mx: a_b.example\nmx:"),
    ("mx:", "mx: -a.example\nmx:"),
    ("mx:", "mx: a.example.\nmx:"),
    ("mx:", "mx: a.example, b.example\nmx:"),
    ("mx:", "x: any text\nmx:"),
    ("mx:", "x:\nmx:"),
    ("mx:", "nonsense\nmx:"),
    ("mx:", "\nmx:"),
    ("mx:", "mx: mail.contoso.com\nmx:"),
    ("max_age: ", "max_age: -"),
    ("max_age: ", "max_age: 9999"),
    ("max_age: ", "max-age: "),
    ("max_age: ", "max_age: 1_"),
    ("\n", "\r\n"),
    ("\n", "\r"),
    ("\n", "\r\r\n"),
    ("version", "\ufeffversion"),
    ("contoso", "contös\u00f6"),
    ("version: STSv1\nmode: enforce\n", "mode: enforce\nversion: STSv1\n"),
)


def policy(dice: random.Random) -> str:
    mode = dice.choice(("enforce", "enforce", "testing", "none"))
    lines = ["version: STSv1", f"mode: {mode}"]
    lines += [f"mx: {each}" for each in ("mail.contoso.com", "*.b.example")[: dice.randint(0, 2)]]
    lines.append(f"max_age: {dice.choice((0, 600, 604800, 31557600))}")
    return spoilt(dice, "\n".join(lines) + dice.choice(["", "\n"]), POLICY_FAULTS)


def our_policy(text: str) -> Told:
    read = mta_sts_policy.parse(text.encode())
    return Told(read.policy, bool(read.faults))


def peers_policy(text: str) -> Told:
    try:
        found = peer.parse_mta_sts_policy(text)
    except peer.MTASTSError:
        return Told(None, complains=True)
    told = found["policy"]
    patterns = tuple(dict.fromkeys(each.lower() for each in told["mx"]))
    return Told(Policy(Mode(told["mode"]), patterns, told["max_age"]), bool(found["warnings"]))


@dataclass(frozen=True)
class Choice:
    """A disagreement that is meant, and why."""

    why: str
    shows: Callable[[str, Told, Told, tuple[Fault, ...]], bool]


def has(*problems: str) -> Callable[[str, Told, Told, tuple[Fault, ...]], bool]:
    """Tell whether one of these is among our complaints."""

    def shows(_text: str, _ours: Told, _peers: Told, faults: tuple[Fault, ...]) -> bool:
        return bool(faults) and any(one in each.problem for each in faults for one in problems)

    return shows


RECORD_CHOICES = (
    Choice(
        "Two semicolons in a row: the peer stops, we read on as forgiving senders do and warn.",
        has("between two semicolons"),
    ),
    Choice(
        "An extension is no fault: RFC 8461 section 3.1 lets it be there; the peer warns.",
        lambda text, ours, peers, _: ours.value == peers.value and "x=y" in text,
    ),
)
REPORT_CHOICES = (
    Choice(
        "Two semicolons in a row: the peer stops, we read on as forgiving senders do and warn.",
        has("between two semicolons"),
    ),
    Choice(
        "A domain of one label: a valid URI for the peer, for us nobody outside can send there.",
        has("single label"),
    ),
    Choice(
        "An extension is no fault: RFC 8460 section 3 lets it be there; the peer warns.",
        lambda text, ours, peers, _: ours.value == peers.value and "x=y" in text,
    ),
)
POLICY_CHOICES = (
    Choice(
        "A blank before a name or a colon: the peer stops, we read on as forgiving senders do, and"
        " warn.",
        has("has a blank before"),
    ),
    Choice(
        "An empty line is no field by the grammar: the peer is silent, we warn.", has("is empty")
    ),
    Choice(
        "A max_age above a year: the peer stops, we read the highest and warn.",
        has("above the highest"),
    ),
    Choice(
        "An extension without a value: the peer stops, we pass it over and warn.", has("no value")
    ),
    Choice(
        "The version is not the first line: no order is asked for, some senders want one; we warn.",
        has("is not the first"),
    ),
    Choice(
        "An extension is no fault: RFC 8461 section 3.2 lets it be there; the peer warns.",
        lambda text, ours, peers, _: ours.value == peers.value and "x: any" in text,
    ),
    Choice("A host that is named twice is worth a warning to us.", has("is there twice")),
    Choice(
        "A host with an underscore: no host name for the peer; MX records with one exist, and"
        " senders deliver to them.",
        lambda text, ours, _peers, _: ours.value is not None and "a_b" in text,
    ),
)


def faults_of_record(text: str) -> tuple[Fault, ...]:
    return mta_sts_record.parse(text.encode()).faults


def faults_of_reports(text: str) -> tuple[Fault, ...]:
    return tls_rpt_record.parse(text.encode()).faults


def faults_of_policy(text: str) -> tuple[Fault, ...]:
    return mta_sts_policy.parse(text.encode()).faults


Comparison = tuple[
    Callable[[random.Random], str],
    Callable[[str], Told],
    Callable[[str], Told],
    Callable[[str], tuple[Fault, ...]],
    tuple[Choice, ...],
]
COMPARISONS: dict[str, Comparison] = {
    "record": (record, our_record, peers_record, faults_of_record, RECORD_CHOICES),
    "reports": (reports, our_reports, peers_reports, faults_of_reports, REPORT_CHOICES),
    "policy": (policy, our_policy, peers_policy, faults_of_policy, POLICY_CHOICES),
}


def differences(comparison: Comparison) -> Iterator[tuple[str, Told, Told]]:
    make, ours, peers, _, _ = comparison
    for seed in range(TEXTS):
        text = make(random.Random(seed))
        one, other = ours(text), peers(text)
        if one != other:
            yield text, one, other


@pytest.mark.parametrize("name", COMPARISONS)
def test_checkdmarc_differs_only_where_it_is_known_to(name: str) -> None:
    comparison = COMPARISONS[name]
    *_, faults, choices = comparison
    unknown: list[str] = []
    seen: Counter[str] = Counter()
    for text, ours, peers in differences(comparison):
        known = [one.why for one in choices if one.shows(text, ours, peers, faults(text))]
        seen.update(known[:1])
        if not known:
            unknown.append(f"{text!r}: {peers}, we {ours}")
    assert not unknown, "\n".join(unknown[:10])
    assert set(seen) == {one.why for one in choices}, "a choice that nothing shows"


@pytest.mark.parametrize(
    ("host", "pattern"),
    [
        (host, pattern)
        for host in ("contoso.com", "a.contoso.com", "A.b.contoso.com", "xcontoso.com")
        for pattern in ("contoso.com", "*.contoso.com", "*.b.contoso.com", "a.contoso.com")
    ],
)
def test_both_hold_hosts_against_patterns_alike(host: str, pattern: str) -> None:
    ours = Policy(Mode.ENFORCE, (pattern,), 1).covers(host)
    assert ours is peer.mx_in_mta_sts_patterns(host, [pattern])
