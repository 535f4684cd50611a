"""What is wrong with the names by which Outlook finds a domain's mailboxes?

Compares a survey with what the topology, or the operator, lets expect.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from agent.domain import autodiscover_rules as rules
from agent.domain.autodiscover import Place, Survey
from agent.domain.finding import Finding, Rule, bounded
from agent.domain.knowledge.autodiscover_targets import MSOID, TARGETS
from agent.domain.knowledge.clouds import CLOUDS
from agent.domain.mx import matches_any
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText

# Whose host is to answer: one that the operator named, the cloud's, one of the domain's own, none.
Whose = Literal["named", "cloud", "own", "nobody", "anybody"]
_WHOSE: dict[str, Whose] = {
    "exchange-online": "cloud",
    "third-party-filter": "cloud",
    "hybrid": "own",
    "on-premises": "own",
    "parked": "nobody",
    "custom": "anybody",
}


class Verdict(enum.StrEnum):
    """What a name is worth: a closed set, fit for a label value."""

    RIGHT = "right"
    ABSENT = "absent"
    UNJUDGED = "unjudged"
    MISSING = "missing"
    WRONG = "wrong"
    DANGLING = "dangling"
    LEFT_OVER = "left-over"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a survey is compared with.

    ``patterns`` are the hosts that may answer; ``is_needed`` whether one must. ``cloud`` is the
    Microsoft cloud with the mailboxes; ``allow_cloud`` whether it may answer where hosts of one's
    own are expected.
    """

    whose: Whose
    patterns: tuple[str, ...] = ()
    is_needed: bool = False
    cloud: str = "exchange-online"
    allow_cloud: bool = False

    @property
    def advice(self) -> str:
        """The host to publish, where one is known."""
        exact = (name for name in self.patterns if not name.startswith("*."))
        return next(exact, "")

    @property
    def wanted(self) -> str:
        """What may answer, in words."""
        return self.advice if self.whose == "cloud" else " or ".join(self.patterns)


def expect(
    found: Survey,
    topology: str,
    senders: tuple[str, ...] = (),
    expected: tuple[str, ...] = (),
    *,
    allow_cloud: bool = False,
) -> Expectation:
    """Return what *topology* lets expect, unless *expected* names hosts.

    The cloud is that among *senders*, else that of the MX records, else the worldwide one. A
    domain on servers of its own needs no record: they may be others than Exchange.
    """
    named = next((name for name in senders if name in TARGETS), "")
    cloud = named or found.cloud or "exchange-online"
    if expected:
        return Expectation("named", expected, is_needed=True, cloud=cloud)
    whose = _WHOSE[topology]
    patterns = TARGETS[cloud] if whose == "cloud" else ()
    is_needed = whose == "cloud" or topology == "hybrid"
    return Expectation(whose, patterns, is_needed and found.receives, cloud, allow_cloud)


def judge(found: Survey, expected: Expectation) -> Verdict:
    """Tell what `autodiscover` itself is worth."""
    main = found.main
    if main.silence is not None and not main.target:
        return Verdict.UNANSWERED
    if expected.whose == "nobody":
        return Verdict.ABSENT if main.is_absent or main.is_wild else Verdict.LEFT_OVER
    if main.is_absent:
        return _judge_absence(found, expected)
    return Verdict.DANGLING if main.is_dangling else _judge_way(main, expected)


def _judge_way(main: Place, expected: Expectation) -> Verdict:
    """Tell whether the host is the one that is meant."""
    if expected.whose == "anybody":
        return Verdict.UNJUDGED
    if expected.patterns:
        is_right = _fits(main, expected)
    else:
        is_right = expected.allow_cloud or not main.clouds
    return Verdict.RIGHT if is_right else Verdict.WRONG


def _judge_absence(found: Survey, expected: Expectation) -> Verdict:
    ways = [one for one in found.srv if not expected.patterns or _fits(one, expected)]
    if not expected.is_needed or any(not one.is_dangling for one in ways):
        return Verdict.ABSENT
    return Verdict.UNANSWERED if found.mx_silence else Verdict.MISSING


def _fits(place: Place, expected: Expectation) -> bool:
    return any(matches_any(expected.patterns, name) for name in place.names)


def judge_other(place: Place, expected: Expectation) -> Verdict:
    """Tell what another name is worth; only `msoid` may not be there."""
    if place.silence is not None and not place.target:
        return Verdict.UNANSWERED
    if not place.target or place.is_wild:
        return Verdict.ABSENT
    if place.is_dangling:
        return Verdict.DANGLING
    is_msoid = place.name.partition(".")[0] == MSOID
    if is_msoid:
        return Verdict.RIGHT if expected.cloud == "21vianet" else Verdict.LEFT_OVER
    return Verdict.UNJUDGED


def judge_srv(place: Place, expected: Expectation) -> Verdict:
    """Tell what an SRV record is worth."""
    if expected.whose == "nobody":
        return Verdict.LEFT_OVER
    if place.is_dangling:
        return Verdict.DANGLING
    if expected.patterns:
        return Verdict.RIGHT if _fits(place, expected) else Verdict.LEFT_OVER
    return Verdict.UNJUDGED


def lint(found: Survey, expected: Expectation) -> tuple[Finding, ...]:
    """Return what is wrong; nothing of what DNS could not say."""
    if not found.exists:
        return ()
    return bounded((*_main(found, expected), *_srv(found, expected), *_others(found, expected)))


def publish(found: Survey, expected: Expectation) -> str:
    """Write the alias to publish as a line of a zone; empty where no host is known."""
    host = expected.advice
    if not host or host == found.main.name:
        return ""
    return f"{found.main.name}. 3600 IN CNAME {host}."


def _choices(found: Survey, expected: Expectation) -> tuple[str, ...]:
    """Say what may be published where only the operator knows which host answers."""
    record = f"{found.main.name}. 3600 IN CNAME"
    if expected.whose == "named":
        return (f"expected by the configuration: {expected.wanted}",)
    return (
        f"as long as there are mailboxes on servers of your own: {record} <your Exchange server>.",
        f"once all of them are in Exchange Online: {record} {TARGETS[expected.cloud][0]}.",
    )


def _main(found: Survey, expected: Expectation) -> Iterator[Finding]:
    main, verdict = found.main, judge(found, expected)
    if verdict is Verdict.MISSING:
        detail = f"There is no record at {main.name}."
        fix = publish(found, expected)
        yield rules.MISSING.found(detail, *(() if fix else _choices(found, expected)), fix=fix)
    elif verdict is Verdict.LEFT_OVER:
        yield rules.PARKED.found(f"{main.name} leads to {_leads(main)}.")
    elif verdict is Verdict.DANGLING:
        yield _dangling(main, rules.TAKEOVER, publish(found, expected))
    elif verdict is Verdict.WRONG:
        yield _wrong(found, expected)


def _wrong(found: Survey, expected: Expectation) -> Finding:
    main = found.main
    if not expected.patterns:
        return rules.SKIPS_OWN_SERVERS.found(f"{main.name} leads to {_leads(main)}.")
    is_host = expected.whose == "cloud" and not main.target
    rule = rules.ADDRESS if is_host else rules.WRONG_TARGET
    evidence = [f"{CLOUDS[cloud].title} answers there." for cloud in main.clouds]
    if main.is_wild:
        evidence.append(f"A wildcard record of {found.domain} answers, as for every other name.")
    detail = f"{main.name} leads to {_leads(main)}, and not to {expected.wanted}."
    return rule.found(detail, *evidence, fix=publish(found, expected))


def _dangling(place: Place, grave: Rule, fix: str = "") -> Finding:
    """Say that a record leads nowhere; by *grave* where somebody else can take what it names."""
    end = PeerText(place.end, MAX_NAME)
    why = "has no address" if place.exists else "does not exist"
    detail = f"{place.name} leads to {_leads(place)}, and {end} {why}."
    if not place.free:
        return rules.DANGLING.found(detail, fix=fix)
    free = PeerText(place.free, MAX_NAME)
    detail = f"{place.name} leads to {_leads(place)}, and {free} is free to be taken."
    return grave.found(
        detail, *(f"by way of {PeerText(name)}" for name in place.chain[1:]), fix=fix
    )


def _srv(found: Survey, expected: Expectation) -> Iterator[Finding]:
    for place in found.srv:
        verdict = judge_srv(place, expected)
        if verdict is Verdict.DANGLING:
            yield _dangling(place, rules.TAKEOVER)
        elif verdict is Verdict.LEFT_OVER and expected.whose == "nobody":
            yield rules.PARKED.found(f"The SRV record {place.name} leads to {_leads(place)}.")
        elif verdict is Verdict.LEFT_OVER:
            detail = f"{place.name} leads to {_leads(place)}, and not to {expected.wanted}."
            yield rules.SRV_COMPETES.found(detail)


def _others(found: Survey, expected: Expectation) -> Iterator[Finding]:
    for place in found.others:
        verdict = judge_other(place, expected)
        if verdict is Verdict.DANGLING:
            # No Outlook sends a password there: whoever takes it gains a name, and no mailbox.
            yield _dangling(place, rules.DANGLING)
        elif verdict is Verdict.LEFT_OVER:
            yield rules.MSOID.found(f"{place.name} leads to {_leads(place)}.")


def _leads(place: Place) -> str:
    """Show where a name leads: the alias, else the first addresses."""
    if place.target:
        return str(PeerText(place.target, MAX_NAME))
    return ", ".join(map(str, place.addresses[:3]))


def silences(found: Survey, expected: Expectation) -> tuple[tuple[str, str], ...]:
    """Return the names of which DNS could not say what has to be known, each with the reason."""
    if not found.exists or judge(found, expected) is not Verdict.UNANSWERED:
        return ()
    asked = ((found.main.name, found.main.silence), (f"MX of {found.domain}", found.mx_silence))
    return tuple((name, reason.value) for name, reason in asked if reason is not None)
