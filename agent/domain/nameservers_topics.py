"""What is every name server asked, and when do two answers say the same?

What mail needs of a domain, the zone's own NS records, and a few names that nobody created.
"""

from dataclasses import dataclass

from agent.domain.direct import Code, Heard, Said
from agent.domain.lookup import TextRecord, Type
from agent.domain.mx import NO_SUCH_LABEL
from agent.domain.names import MAX_NAME
from agent.domain.nameservers_zone import Told, heard

MAX_SELECTORS = 4


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that every server is asked; *prefix* is how its texts begin, in lower case."""

    title: str
    name: str
    type: Type
    prefix: bytes = b""


def topics(domain: str, zone: str, selectors: tuple[str, ...]) -> tuple[Topic, ...]:
    """Return what every server is asked of *domain*."""
    wanted = (
        Topic("NS", zone, "NS"),
        Topic("MX", domain, "MX"),
        Topic("SPF", domain, "TXT", b"v=spf1"),
        Topic("DMARC", f"_dmarc.{domain}", "TXT", b"v=dmarc1"),
        *(
            Topic(f"DKIM {each}", f"{each}._domainkey.{domain}", "TXT")
            for each in selectors[:MAX_SELECTORS]
        ),
    )
    return tuple(topic for topic in wanted if len(topic.name) <= MAX_NAME)


def wildcards(domain: str) -> tuple[Topic, ...]:
    """Return questions for names that nobody created."""
    below, key = f"{NO_SUCH_LABEL}.{domain}", f"{NO_SUCH_LABEL}._domainkey.{domain}"
    wanted = (Topic("MX", below, "MX"), Topic("TXT", below, "TXT"), Topic("DKIM", key, "TXT"))
    return tuple(topic for topic in wanted if len(topic.name) <= MAX_NAME)


def by_title(wanted: tuple[Topic, ...], told: tuple[Told, ...]) -> dict[str, Heard]:
    """Return answers by the title of their topic."""
    return {topic.title: heard(one) for topic, one in zip(wanted, told, strict=True)}


Value = tuple[str, frozenset[object]]


def value(topic: Topic, told: Heard | None, *, authoritative: bool = True) -> Value | None:
    """Return what an answer comes to, to be compared; None where it is none that counts.

    An alias counts by its first target, because not every server follows it; a name that is
    delegated further by those whom it is delegated to.
    """
    if not isinstance(told, Said):
        return None
    if told.is_referral and authoritative:
        return "delegated", frozenset(told.delegation)
    is_bad = told.code not in (Code.NOERROR, Code.NXDOMAIN)
    if is_bad or (authoritative and not told.authoritative):
        return None
    if told.aliases:
        return "alias", frozenset(told.aliases[:1])
    return "records", frozenset(record for record in told.records if _counts(record, topic))


def _counts(record: object, topic: Topic) -> bool:
    if not topic.prefix or not isinstance(record, TextRecord):
        return True
    text = record.joined[: len(topic.prefix) + 1].lower()
    return text.rstrip(b" ;\t") == topic.prefix
