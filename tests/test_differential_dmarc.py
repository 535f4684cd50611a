"""Do we read DMARC records as checkdmarc does?

Both read the same generated records, right ones and ones with a fault put in. Every disagreement
must be a known choice, named in a table below with its reason; anything else fails the test. No
address is a mailbox, so that the peer has nothing to ask; its resolver has nobody to ask either.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator

import checkdmarc.dmarc as peer
import dns.resolver
import pytest

from agent.domain.dmarc_record import is_record, parse
from agent.domain.dmarc_terms import Record

RECORDS = 500
DOMAIN = "contoso.com"
POLICIES = ("none", "quarantine", "reject", "Reject")
VALUES: dict[str, tuple[str, ...]] = {
    "sp": POLICIES,
    "np": POLICIES,
    "pct": ("0", "50", "100"),
    "t": ("y", "n"),
    "psd": ("y", "n", "u"),
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
    "fo": ("0", "1", "d:s", "0:1", "1:1"),
    "rua": ("https://contoso.com/r", "urn:contoso:r"),
    "ruf": ("https://contoso.com/r", "urn:contoso:r"),
    "rf": ("afrf",),
    "ri": ("3600",),
    "unheard": ("of",),
}
FAULTS: tuple[tuple[str, str], ...] = (
    ("p=", "p=x"),
    ("; ", " "),
    ("; ", ";; "),
    ("; ", ", "),
    ("v=DMARC1", "v=dmarc1"),
    ("v=DMARC1", "v=DMARC1.0"),
    ("v=DMARC1", " v=DMARC1"),
    ("v=DMARC1", "v = DMARC1"),
    ("=r", "=relaxed"),
    ("https:", ""),
    ("=y", "=yes"),
    ("pct=", "pct=1000"),
    ("ri=", "ri=-"),
    ("none", "none; p=none"),
    ("=", " "),
    ("reject", '"reject"'),
    ("", ""),
)
"""What is replaced, once, by what."""


def generate(seed: int) -> bytes:
    dice = random.Random(seed)
    names = dice.sample(sorted(VALUES), dice.randint(0, 6))
    pairs = [f"{name}={dice.choice(VALUES[name])}" for name in names]
    if dice.random() < 0.9:
        pairs.insert(0 if dice.random() < 0.9 else len(pairs), f"p={dice.choice(POLICIES)}")
    text = "; ".join(["v=DMARC1", *pairs]) + dice.choice(["", ";", " ; "])
    if dice.random() < 0.5:
        text = text.replace(*dice.choice(FAULTS), 1)
    return text.encode()


@pytest.fixture(scope="module")
def nobody() -> dns.resolver.Resolver:
    """A resolver that has nobody to ask: whatever asks all the same fails at once."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = []
    return resolver


def peers_reading(raw: bytes, resolver: dns.resolver.Resolver) -> dict[str, object] | str:
    """Return the values of the tags as checkdmarc reads them, or the name of its error."""
    if not peer._is_dmarc_record(raw.decode()):  # what it asks of an answer, before it parses
        return "no record"
    try:
        found = peer.parse_dmarc_record(raw.decode(), DOMAIN, resolver=resolver)
    except peer.DMARCError as error:
        return type(error).__name__
    return {name: tag["value"] for name, tag in found["tags"].items() if name != "v"}


def our_reading(record: Record) -> dict[str, object]:
    """Return ours in the peer's words; it has no pct, rf and ri any more."""
    policy = str(record.p or "none")
    sp = str(record.sp or policy)
    found: dict[str, object] = {
        "p": policy,
        "sp": sp,
        "np": str(record.np or sp),
        "t": "y" if record.testing else "n",
        "psd": record.psd,
        "adkim": record.adkim,
        "aspf": record.aspf,
        "fo": ":".join(record.fo),
    }
    for name, destinations in (("rua", record.rua), ("ruf", record.ruf)):
        if record.tag(name) is not None:
            found[name] = [
                {"scheme": one.scheme, "address": one.uri, "size_limit": None}
                for one in destinations
            ]
    return found


Told = dict[str, object] | str


def is_whole_record_refused(record: Record, told: Told) -> bool:
    """The peer gives up at a wrong value; RFC 7489 section 6.3 leaves the tag out and reads on."""
    return isinstance(told, str) and bool(record.faults)


def is_default_for_contradiction(record: Record, told: Told) -> bool:
    """`fo=0:1` is a contradiction in RFC 9989 only; we keep RFC 7489's reading of it."""
    return isinstance(told, dict) and {"0", "1"} <= set(record.fo) and told["fo"] == "0"


CHOICES: tuple[Callable[[Record, Told], bool], ...] = (
    is_whole_record_refused,
    is_default_for_contradiction,
)


def differences(resolver: dns.resolver.Resolver) -> Iterator[tuple[bytes, Record | None, Told]]:
    for seed in range(RECORDS):
        raw = generate(seed)
        told = peers_reading(raw, resolver)
        record = parse(raw)
        if record is None:
            if not isinstance(told, str):
                yield raw, None, told
        elif told != our_reading(record):
            yield raw, record, told


def test_checkdmarc_differs_only_where_it_is_known_to(nobody: dns.resolver.Resolver) -> None:
    unknown: list[str] = []
    seen: Counter[str] = Counter()
    for raw, record, told in differences(nobody):
        choice = record and next((one for one in CHOICES if one(record, told)), None)
        if choice:
            seen[choice.__name__] += 1
        else:
            unknown.append(f"{raw!r}: {told}, we {record}")
    assert not unknown, "\n".join(unknown[:10])
    assert set(seen) == {choice.__name__ for choice in CHOICES}, "a choice that nothing shows"


def test_both_take_the_same_texts_for_records() -> None:
    differing = [
        raw
        for raw in map(generate, range(RECORDS))
        if is_record(raw) != peer._is_dmarc_record(raw.decode())
    ]
    assert not differing
