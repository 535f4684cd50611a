"""What is wrong with the key record of one selector, and with the key in it?"""

from collections.abc import Iterator

from agent.domain import dkim_rules_keys as rules
from agent.domain.dkim_der import PublicKey
from agent.domain.dkim_record import KNOWN, parse, repaired
from agent.domain.dkim_survey import Selector
from agent.domain.dkim_terms import GOOD_BITS, LEAST_BITS, MOST_BITS, Paste, Record, Verdict
from agent.domain.finding import Finding
from agent.domain.knowledge.dkim_targets import first_target
from agent.domain.peer_text import PeerText
from agent.domain.tenancy.powershell import command
from agent.domain.zone_line import txt_of

_SHOWN = 500  # octets of a record in a line of evidence
_MAX_EXPONENT_BITS = 33  # beyond, common libraries refuse the key
_LONGEST = 4000  # octets of a record that is proposed whole
_PASTES = {Paste.ARMOUR: rules.ARMOUR, Paste.QUOTES: rules.QUOTES, Paste.ESCAPES: rules.ESCAPES}


def lint_keys(one: Selector, domain: str) -> Iterator[Finding]:
    """Judge the record that counts at a selector of *domain*, and that it is the only one."""
    record = one.record
    if record is None:
        return
    leak = next((each for each in one.records if each.is_private), None)
    if leak is not None:
        yield rules.PRIVATE_KEY.found(f"{one.name} holds a private key; it is not shown here.")
        return
    if len(one.records) + len(one.others) > 1:
        yield _several(one)
    if record.paste is not None:
        detail = f"{one.name} has {record.paste.value}."
        fix = publish(one, repaired(record))
        yield _PASTES[record.paste].found(detail, shown(record), fix=fix)
    else:
        yield from _grammar(one, record)
    if record.verdict is not Verdict.REVOKED:
        yield from _restrictions(one, record)
    if record.key is not None:
        yield from _key(one, record.key, domain)


def publish(one: Selector, text: bytes) -> str:
    """Write a record as a line of a zone; empty where it must not, or cannot, be typed so."""
    return "" if not text or one.aliases else txt_of(one.name, text, _LONGEST)


def shown(record: Record) -> str:
    """Return the record for people to read; a private key is not spread any further."""
    return "(a private key)" if record.is_private else PeerText(record.raw, _SHOWN)


def _several(one: Selector) -> Finding:
    texts = [record.raw for record in one.records] + list(one.others)
    lines = [PeerText(text, _SHOWN) for text in texts]
    detail = f"{one.name} has {len(texts)} TXT records."
    fix = ""
    first = one.records[0]
    if len(one.records) == 1 and first.key is None and not first.is_revoked:
        whole = [parse(first.raw + other) for other in one.others]
        fixed = [repaired(record) for record in whole if record.key is not None]
        if fixed:
            detail = f"{one.name} has one key in two TXT records, of which each is only a part."
            fix = publish(one, fixed[0])
    return rules.SEVERAL.found(detail, *lines, fix=fix)


def _grammar(one: Selector, record: Record) -> Iterator[Finding]:
    for fault in record.faults:
        where = (
            f"at character {fault.position + 1}, `{PeerText(fault.text, 80)}` "
            if fault.text
            else ""
        )
        hint = (fault.hint,) if fault.hint else ()
        yield rules.SYNTAX.found(f"{one.name}: {where}{fault.problem}.", *hint, shown(record))
    for tag in record.unknown:
        detail = f"{one.name}: `{PeerText(tag.name, 20)}` at character {tag.position + 1}."
        name = tag.name.lower()
        hint = (f"`{name}` is meant: names are in small letters",) if name in KNOWN else ()
        yield rules.UNKNOWN_TAG.found(detail, *hint)
    if record.problem and not record.is_void:
        detail = f"{one.name}: what is in `p` is {record.problem}."
        meant, fix = _mistaken_type(record)
        yield rules.UNREADABLE.found(detail, *meant, shown(record), fix=publish(one, fix))


def _mistaken_type(record: Record) -> tuple[tuple[str, ...], bytes]:
    """See whether the key is a good one of another type, or in a wrapping too many."""
    for name in ("rsa", "ed25519"):
        tag = record.tag("p")
        text = f"v=DKIM1; k={name}; p={tag.value if tag else ''}".encode("latin-1")
        fixed = repaired(parse(text))
        if fixed:
            return (f"with `k={parse(fixed).type}` it is a whole key",), fixed
    return (), b""


def _restrictions(one: Selector, record: Record) -> Iterator[Finding]:
    if "y" in record.flags:
        yield rules.TESTING.found(f"{one.name} has the flag `y`.", shown(record))
    if not record.allows_sha256:
        detail = f"{one.name} allows {_words(record.hashes)} only."
        yield rules.HASH.found(detail, shown(record))
    if not record.is_for_mail:
        detail = f"{one.name} is for {_words(record.services)} only."
        yield rules.SERVICE.found(detail, shown(record))


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{PeerText(word, 20)}`" for word in words[:5])


def _key(one: Selector, key: PublicKey, domain: str) -> Iterator[Finding]:
    """Judge a key by its numbers (RFC 8301 section 3.2)."""
    rotate = ""
    if first_target(one.aliases) is not None:
        rotate = command("Rotate-DkimSigningConfig", domain, KeySize=str(GOOD_BITS))
    if key.weakness:
        yield rules.WEAK.found(f"{one.name} has a broken key: {key.weakness}.", fix=rotate)
        return
    if key.type != "rsa":
        return
    detail = f"{one.name} has an RSA key of {key.bits} bits."
    if key.bits < LEAST_BITS:
        yield rules.WEAK.found(detail, fix=rotate)
    elif key.bits < GOOD_BITS:
        yield rules.SHORT.found(detail, fix=rotate)
    elif key.bits > MOST_BITS:
        yield rules.LONG.found(detail)
    if key.exponent.bit_length() > _MAX_EXPONENT_BITS:
        detail = f"{one.name} has an exponent of {key.exponent.bit_length()} bits."
        yield rules.EXPONENT.found(detail, fix=rotate)
