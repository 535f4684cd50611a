"""Do we read key records as dkimpy does?

Both read the same generated records, right ones and ones with a fault put in. Every disagreement
must be a known choice, named in a table below with its reason; anything else fails the test.
"""

import random
from collections import Counter
from collections.abc import Callable

import dkim

from agent.domain.dkim_record import parse
from agent.domain.dkim_terms import Record, Verdict
from servers.dkim_case import b64, ed25519, rsa, spki

RECORDS = 1500
KEYS = (
    *(rsa(bits) for bits in (512, 1024, 2048, 4096)),
    b64(spki()[24:]),  # a bare RSAPublicKey
    b64(ed25519()[-32:]),
    b64(ed25519()),
    "",
)
VALUES = {
    "k": ("rsa", "ed25519", "RSA", "dsa"),
    "h": ("sha256", "sha1", "sha1:sha256"),
    "s": ("*", "email", "tlsrpt", "other", "email:other"),
    "t": ("y", "s", "y:s"),
    "n": ("note", "a note"),
    "x": ("y",),
}
FAULTS: tuple[tuple[str, str], ...] = (
    ("; ", ";; "),
    ("; ", " "),
    ("; ", "\\; "),
    ("; ", ";\t\r\n "),
    ("v=DKIM1", "v=dkim1"),
    ("v=DKIM1; ", ""),
    ("v=DKIM1; ", " v = DKIM1 ; "),
    ("v=DKIM1; ", '"v=DKIM1; '),
    ("p=", "P="),
    ("p=", "p= "),
    ("p=", "1=2; p="),
    ("p=", "p=-----BEGIN PUBLIC KEY-----"),
    ("k=", "k=rsa; k="),
    ("AA", "A A"),
    ("AA", 'A" "A'),
    ("AA", "A*A"),
    ("AAAA", ""),
    ("A", ""),
    ("==", ""),
    ("=", ""),
    ("", ""),
)
"""What is replaced, once, by what."""
Told = tuple[str, int] | str


def generate(seed: int) -> bytes:
    dice = random.Random(seed)
    names = dice.sample(sorted(VALUES), dice.randint(0, 4))
    pairs = [f"{name}={dice.choice(VALUES[name])}" for name in names]
    pairs.insert(dice.randint(0, len(pairs)), f"p={dice.choice(KEYS)}")
    pairs.insert(0 if dice.random() < 0.9 else len(pairs), "v=DKIM1")
    text = "; ".join(pairs) + dice.choice(["", ";", " ; "])
    if dice.random() < 0.6:
        text = text.replace(*dice.choice(FAULTS), 1)
    return text.encode()


def peers_reading(raw: bytes) -> Told:
    """Return the type and size of the key as dkimpy reads them, or the name of its error."""
    try:
        _, bits, key_type, _ = dkim.evaluate_pk("s1._domainkey.contoso.com", raw)
    except (dkim.DKIMException, ValueError, IndexError, AssertionError) as error:
        return type(error).__name__
    return "nothing" if key_type is None else (key_type.decode(), bits)


def our_reading(record: Record) -> Told:
    if record.key is None or record.verdict is Verdict.BROKEN:
        return record.verdict.value
    return record.key.type, record.key.bits


def is_ed25519(record: Record, told: Told) -> bool:
    """The peer reads Ed25519 only where PyNaCl is installed."""
    return told == "NaClNotFoundError" and record.type == "ed25519"


def is_lax_base64(record: Record, told: Told) -> bool:
    """The peer skips what is no base64 (RFC 6376 section 3.2 has no such octets in it)."""
    return isinstance(told, tuple) and "no base64" in record.problem


def is_hash_read_later(record: Record, told: Told) -> bool:
    """The peer does not look at `h` when it reads a key (RFC 8301 section 3.1 refuses SHA-1)."""
    return isinstance(told, tuple) and not record.allows_sha256


def is_service_of_many(record: Record, told: Told) -> bool:
    """The peer takes `s` for a single word and goes on after its own error."""
    return record.tag("s") is not None and (not record.is_for_mail or told == "nothing")


def is_empty_tag(record: Record, told: Told) -> bool:
    """The peer gives up where nothing stands between two semicolons; others read on."""
    words = [fault.problem for fault in record.faults]
    return told == "InvalidTagSpec" or (
        isinstance(told, str) and "nothing stands between two semicolons" in words
    )


CHOICES: tuple[Callable[[Record, Told], bool], ...] = (
    is_ed25519,
    is_lax_base64,
    is_hash_read_later,
    is_service_of_many,
    is_empty_tag,
)


def agree(ours: Told, told: Told) -> bool:
    """Both have the same key, or neither has one."""
    return ours == told or (isinstance(ours, str) and isinstance(told, str))


def test_dkimpy_differs_only_where_it_is_known_to() -> None:
    unknown: list[str] = []
    seen: Counter[str] = Counter()
    for seed in range(RECORDS):
        raw = generate(seed)
        record, told = parse(raw), peers_reading(raw)
        if agree(our_reading(record), told):
            seen["agreed"] += 1
            continue
        choice = next((one for one in CHOICES if one(record, told)), None)
        if choice is None:
            unknown.append(f"{raw[:120]!r}: {our_reading(record)} {record.problem} and {told}")
        else:
            seen[choice.__name__] += 1
    assert unknown == []
    assert set(seen) - {"is_ed25519"} == {"agreed"} | {one.__name__ for one in CHOICES[1:]}
    assert seen["agreed"] > RECORDS * 0.7
