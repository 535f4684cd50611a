"""What does a person want to see of a domain's name servers?"""

from collections.abc import Mapping

from agent.domain.direct import Address, Heard, Said
from agent.domain.fact import Fact, Table, Text
from agent.domain.lookup import Unanswered
from agent.domain.names import MAX_NAME
from agent.domain.nameservers import Standing, Survey, Voice
from agent.domain.nameservers_answers import groups_of, show
from agent.domain.nameservers_lint import remark
from agent.domain.nameservers_soa import behind, read_soa, soa_of
from agent.domain.nameservers_topics import Value, value
from agent.domain.nameservers_zone import Zone
from agent.domain.peer_text import PeerText

_ROWS = 40


def draw(found: Survey) -> dict[str, Fact]:
    """Return the facts of a survey."""
    zone = found.zone
    if zone is None:
        text = "The name does not exist, or has no name server, nor has anything above it."
        return {"zone": Text(text)}
    facts: dict[str, Fact] = {"zone": Text("\n".join(_lines(found, zone)))}
    if found.voices:
        columns = ("server", "address", "time", "serial", "MX", "SPF", "DMARC", "remark")
        most = {topic.title: _most(found, topic.title) for topic in found.topics}
        late = {one.voice.address for one in behind(found)}
        rows = tuple(_row(found, voice, most, late) for voice in found.voices[:_ROWS])
        facts["name servers"] = Table(columns, rows)
    if any(host.glue for host in found.hosts):
        rows = tuple(
            (
                PeerText(host.name, MAX_NAME),
                ", ".join(map(str, host.glue[:10])) or "none",
                ", ".join(map(str, host.addresses[:10])) or host.silence or "none",
            )
            for host in found.hosts
        )
        facts["glue"] = Table(("server", "in the delegation", "by the resolver"), rows)
    if answers := tuple(_answers(found))[:_ROWS]:
        facts["answers"] = Table(("record", "name", "who", "answer", "TTL"), answers)
    return facts


def _lines(found: Survey, zone: Zone) -> list[str]:
    lines = [f"zone: {zone.name}"]
    if zone.name != found.domain:
        lines.append(f"{found.domain} is no zone of its own")
    above = zone.parent or "unknown"
    if zone.delegation:
        servers = ", ".join(PeerText(name, MAX_NAME) for name in zone.delegation[:20])
        lines.append(f"delegated by {above} to: {servers}")
    else:
        lines.append(f"delegated by {above}, whose servers {_why(zone.above)}")
    if zone.own:
        servers = ", ".join(PeerText(name, MAX_NAME) for name in zone.own[:20])
        lines.append(f"by the resolver: {servers}")
    if found.left_out:
        lines.append(f"and {found.left_out} that were not asked")
    if soa := soa_of(found):
        lines.append(
            f"SOA: primary {PeerText(soa.primary, MAX_NAME)}, refresh {soa.refresh} s, retry"
            f" {soa.retry} s, expire {soa.expire} s, negative TTL {soa.negative_ttl} s"
        )
    for title, told in found.wildcards.items():
        if isinstance(told, Said) and told.records:
            lines.append(f"wildcard {title}: {show(('records', frozenset(told.records)))}")
    return lines


def _why(above: tuple[tuple[Address, Heard], ...]) -> str:
    if not above:
        return "are not known"
    if all(isinstance(told, Unanswered) for _, told in above):
        return "do not answer us"
    return "have the zone themselves, or do not tell"


def _most(found: Survey, title: str) -> Value | None:
    """Return the answer that most servers give."""
    topic = next(each for each in found.topics if each.title == title)
    groups = groups_of(topic, found)
    return max(groups, key=lambda answer: len(groups[answer]), default=None)


def _row(
    found: Survey, voice: Voice, most: Mapping[str, Value | None], late: set[Address]
) -> tuple[str, ...]:
    soa = read_soa(voice.soa)
    words = "older than another's" if voice.address in late else remark(voice)
    seconds = voice.soa.seconds if isinstance(voice.soa, Said) else None
    return (
        PeerText(voice.name, MAX_NAME),
        str(voice.address),
        "-" if seconds is None else f"{seconds * 1000:.0f} ms",
        "-" if soa is None else str(soa.serial),
        *(_verdict(found, voice, title, most) for title in ("MX", "SPF", "DMARC")),
        words,
    )


def _verdict(found: Survey, voice: Voice, title: str, most: Mapping[str, Value | None]) -> str:
    topic = next((each for each in found.topics if each.title == title), None)
    if voice.standing is not Standing.GOOD or topic is None:
        return "-"
    answer = value(topic, voice.told.get(title))
    if answer is None:
        return "no answer"
    if answer != most[title]:
        return "differs" if answer[1] else "lacks it"
    return "same" if answer[1] else "none"


def _answers(found: Survey) -> list[tuple[str, ...]]:
    """Return every answer that was given, and who gives it."""
    rows: list[tuple[str, ...]] = []
    for topic in found.topics:
        for answer, voices in groups_of(topic, found).items():
            heard = [voice.told[topic.title] for voice in voices]
            ttl = max((told.ttl or 0 for told in heard if isinstance(told, Said)), default=0)
            who = f"{len(voices)} of {len(found.voices)}"
            shown = f"{ttl} s" if ttl else "-"
            rows.append((topic.title, topic.name, who, show(answer), shown))
        for each in found.resolvers:
            answer_ = value(topic, each.told.get(topic.title), authoritative=False)
            if answer_ is not None:
                who = f"resolver {each.address}"
                rows.append((topic.title, topic.name, who, show(answer_), "-"))
    return rows
