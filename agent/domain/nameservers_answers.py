"""Do all name servers of a domain say the same, and do our resolvers say it too?

While a change spreads, servers differ by right: how long they may is for whoever calls to say. A
resolver may keep what it had for as long as its time to live.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.domain import nameservers_rules as rules
from agent.domain.direct import Heard, Said
from agent.domain.finding import Finding, Rule
from agent.domain.lookup import Exchange, TextRecord
from agent.domain.names import MAX_NAME
from agent.domain.nameservers import Standing, Survey, Voice
from agent.domain.nameservers_lint import see
from agent.domain.nameservers_soa import Behind, ahead, behind, soa_of
from agent.domain.nameservers_topics import Topic, Value, value
from agent.domain.peer_text import PeerText

_SHOWN = 20
_NAMED = 5
_TEXT = 120  # characters of one record
_DAY = 86400
_RULES = {
    "NS": rules.NS_DIFFERS,
    "MX": rules.MX_DIFFERS,
    "SPF": rules.SPF_DIFFERS,
    "DMARC": rules.DMARC_DIFFERS,
}
_BY_TTL = ("NS", "SPF", "DMARC", "DKIM")


@dataclass(frozen=True, slots=True)
class Split:
    """A topic on which servers differ: what each answer is, and who gives it."""

    topic: Topic
    answers: tuple[tuple[Value, tuple[Voice, ...]], ...]

    @property
    def text(self) -> str:
        """What differs, the same text for the same difference."""
        return "\n".join((self.topic.title, *self.lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each answer, with those who give it."""
        return tuple(sorted(f"{_who(voices)}: {show(answer)}" for answer, voices in self.answers))


def splits(found: Survey) -> tuple[Split, ...]:
    """Return the topics on which servers that speak for the zone differ."""
    if see(found).is_intercepted:
        return ()
    apart = []
    for topic in found.topics:
        groups = groups_of(topic, found)
        if len(groups) > 1:
            apart.append(Split(topic, tuple((each, tuple(who)) for each, who in groups.items())))
    return tuple(apart)


def groups_of(topic: Topic, found: Survey) -> dict[Value, list[Voice]]:
    """Return who gives which answer; those that give none that counts are left out."""
    groups: dict[Value, list[Voice]] = {}
    for voice in found.of(Standing.GOOD):
        answer = value(topic, voice.told.get(topic.title))
        if answer is not None:
            groups.setdefault(answer, []).append(voice)
    return groups


def lint_splits(apart: Iterable[Split], hint: str = "") -> Iterator[Finding]:
    """Yield a finding for each topic on which servers differ; *hint* ends its sentence."""
    for split in apart:
        detail = f"{split.topic.title} of {split.topic.name}: {len(split.answers)} answers{hint}."
        yield _rule(split).found(detail, *split.lines[:_SHOWN])


def _rule(split: Split) -> Rule:
    title = split.topic.title
    if title != "MX":
        return _RULES.get(title, rules.DKIM_DIFFERS)
    sets = [_exchanges(answer) for answer, _ in split.answers]
    if not all(sets):
        return rules.MX_LACKING
    return rules.MX_DIFFERS if frozenset.intersection(*sets) else rules.MX_ELSEWHERE


def _exchanges(answer: Value) -> frozenset[object]:
    """Return the exchanges of an answer, whatever their preference; of an alias, its target."""
    return frozenset(
        each.exchange.lower() if isinstance(each, Exchange) else each for each in answer[1]
    )


def lint_serials(late: tuple[Behind, ...], hint: str = "") -> Iterator[Finding]:
    """Yield the servers whose serial is older than another's."""
    for one in late[:_SHOWN]:
        yield rules.SERIALS_DIFFER.found(
            f"{_who((one.voice,))} has serial {one.serial}, and {one.newest} is the newest{hint}."
        )


def lag(found: Survey) -> tuple[Behind, ...]:
    """Return the servers that are behind, as far as what was heard is theirs."""
    return () if see(found).is_intercepted else behind(found)


def spread(found: Survey) -> int:
    """Return by how much the oldest serial is behind the newest of the same primary."""
    return max((ahead(one.newest, one.serial) for one in lag(found)), default=0)


@dataclass(frozen=True, slots=True)
class Deviation:
    """A resolver that says something else than the servers; ``ttl`` is how long that may be."""

    topic: Topic
    resolver: str
    answer: Value
    expected: tuple[Value, ...]
    ttl: int

    @property
    def text(self) -> str:
        """What differs, the same text for the same difference."""
        return f"{self.resolver} {self.topic.title}: {show(self.answer)}"


def deviations(found: Survey) -> tuple[Deviation, ...]:
    """Return where resolvers differ from the servers, or from one another where none answers."""
    soa = soa_of(found)
    patience = [soa.negative_ttl] if soa else []
    found_out = []
    for topic in found.topics:
        voices = [voice.told.get(topic.title) for voice in found.of(Standing.GOOD)]
        expected = tuple(groups_of(topic, found))
        seen = [
            (f"{each.address}:{each.port}", value(topic, told, authoritative=False), told)
            for each in found.resolvers
            if (told := each.told.get(topic.title)) is not None
        ]
        answers = [(who, answer, told) for who, answer, told in seen if answer is not None]
        if not answers:
            continue
        expected = expected or (answers[0][1],)
        if any(kind == "delegated" for kind, _ in expected):
            continue
        ttl = max(map(_ttl, (*voices, *(told for _, _, told in answers))))
        found_out += [
            Deviation(topic, who, answer, expected, min(max((ttl, *patience)), 2 * _DAY))
            for who, answer, _ in answers
            if answer not in expected
        ]
    return tuple(found_out)


def _ttl(told: Heard | None) -> int:
    return (told.ttl or 0) if isinstance(told, Said) else 0


def lint_deviations(found: Iterable[Deviation], hint: str = "") -> Iterator[Finding]:
    """Yield where a resolver of the configuration says something else."""
    for one in found:
        yield rules.RESOLVER_DIFFERS.found(
            f"{one.resolver} answers otherwise for {one.topic.title} of {one.topic.name}{hint}.",
            f"{one.resolver}: {show(one.answer)}",
            *(f"expected: {show(each)}" for each in one.expected[:_SHOWN]),
        )


def lint_times(found: Survey, min_ttl: int, max_ttl: int) -> Iterator[Finding]:
    """Yield what is wrong with times to live and the SOA's own times, in seconds."""
    low, high = [], []
    for title, ttl in ttls(found).items():
        if title.partition(" ")[0] in _BY_TTL:  # that of MX is for another check
            low += [f"{title}: {ttl} s"] if ttl < min_ttl else []
            high += [f"{title}: {ttl} s"] if ttl > max_ttl > 0 else []
    if low:
        yield rules.TTL_LOW.found(f"{', '.join(low)}; at least {min_ttl} s are asked for.")
    if high:
        yield rules.TTL_HIGH.found(f"{', '.join(high)}; at most {max_ttl} s are asked for.")
    soa = soa_of(found)
    if soa is None or see(found).is_intercepted:
        return
    if soa.negative_ttl > _DAY:
        yield rules.NEGATIVE_TTL.found(f"It is {soa.negative_ttl} s.")
    if soa.expire < max(soa.refresh + soa.retry, _DAY):
        yield rules.SOA_TIMERS.found(
            f"`expire` is {soa.expire} s, with a `refresh` of {soa.refresh} s and a `retry` of"
            f" {soa.retry} s."
        )


def ttls(found: Survey) -> dict[str, int]:
    """Return the highest TTL that a server publishes, by topic, in seconds."""
    highest: dict[str, int] = {}
    for voice in found.of(Standing.GOOD):
        for title, told in voice.told.items():
            # Behind an alias it is that of somebody else's record.
            if isinstance(told, Said) and told.authoritative and told.ttl and not told.aliases:
                highest[title] = max(highest.get(title, 0), told.ttl)
    return highest


def lint_wildcards(found: Survey) -> Iterator[Finding]:
    """Yield the wildcards that harm: a null MX, a bare refusal and a revoked key do not."""
    exchanges = [each for each in _records(found, "MX") if isinstance(each, Exchange)]
    hosts = [each for each in exchanges if each.exchange]
    if hosts:
        yield rules.WILDCARD_MX.found(
            f"A name below {found.domain} that nobody created has MX records.",
            *(f"MX {each.preference} {PeerText(each.exchange, MAX_NAME)}" for each in hosts[:10]),
        )
    below = [each for each in _texts(found, "TXT") if not each.lower().startswith(b"v=spf1")]
    keys = [each for each in _texts(found, "DKIM") if not is_empty_key(each)]
    where = ["below the domain"] * bool(below) + ["below _domainkey"] * bool(keys)
    if where:
        lines = dict.fromkeys(PeerText(each, _TEXT) for each in (*below, *keys))
        yield rules.WILDCARD_TXT.found(
            f"Names {' and '.join(where)} of {found.domain} that nobody created have a text.",
            *tuple(lines)[:10],
        )


def is_empty_key(text: bytes) -> bool:
    """Tell whether a text revokes every key that it is asked for as, RFC 6376 section 3.6.1."""
    tags = text.replace(b" ", b"").rstrip(b";").split(b";")
    return b"p=" in tags


def _records(found: Survey, title: str) -> tuple[object, ...]:
    told = found.wildcards.get(title)
    return told.records if isinstance(told, Said) and told.authoritative else ()


def _texts(found: Survey, title: str) -> list[bytes]:
    return [each.joined for each in _records(found, title) if isinstance(each, TextRecord)]


def show(answer: Value) -> str:
    """Show an answer in one line."""
    kind, records = answer
    texts = sorted(map(_show, records))
    prefix = {"alias": "alias of ", "delegated": "delegated to "}.get(kind, "")
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return prefix + (" | ".join(texts[:_SHOWN]) or "nothing") + more


def _show(record: object) -> str:
    if isinstance(record, TextRecord):
        return PeerText(record.joined, _TEXT)
    if isinstance(record, Exchange):
        return f"{record.preference} {PeerText(record.exchange, MAX_NAME) or '.'}"
    return PeerText(str(record), MAX_NAME)


def _who(voices: Iterable[Voice]) -> str:
    names = [f"{PeerText(each.name, MAX_NAME)} ({each.address})" for each in voices]
    return ", ".join(names[:_NAMED]) + (
        f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    )
