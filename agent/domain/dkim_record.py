"""What does a DKIM key record say, and where exactly is it wrong?

The grammar of RFC 6376 sections 3.2 and 3.6.1, with RFC 8301 and RFC 8463. Tags that nobody knows
are ignored by receivers and kept here. Octets become characters one by one, so that a position is
the same in both. What people paste along with a key is recognised, because its remedy is another.
"""

import base64
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from agent.domain.dkim_der import (
    NoKeyError,
    PrivateKeyError,
    PublicKey,
    plain_ed25519,
    read_ed25519,
    read_rsa,
)
from agent.domain.dkim_terms import Paste, Record, Tag
from agent.domain.tag_list import Fault, read_tags

KNOWN = ("v", "k", "p", "h", "s", "t", "n", "g")  # the last is of RFC 4871, and means nothing now
_BLANKS = " \t\r\n"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\t\r\n]")
_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/ \t\r\n]")
_LIKE = re.compile(r"(?:^|[;\s\"'])(?:v\s*=\s*DKIM|p\s*=|k\s*=\s*(?:rsa|ed25519))", re.IGNORECASE)
_BARE = re.compile(r"[\s\"']*MI[A-Za-z0-9+/=\s\"]{60,}\Z")  # base64 of a DER sequence
_ARMOUR = re.compile(r"(?<!-)-{2,10}\s{0,5}(?:BEGIN|END)[A-Z0-9 ]{0,40}-{0,10}")
_PRIVATE = re.compile(r"(?<!-)-{2,10}\s{0,5}BEGIN[A-Z0-9 ]{0,30}PRIVATE KEY")
_QUOTES = re.compile("[\"'\x93\x94]|\xe2\x80[\x98-\x9f]")  # the last in UTF-8, octet by octet
_STRING = 255  # octets that one string of a TXT record can have, RFC 1035 section 3.3.14
_READ: dict[str, Callable[[bytes], PublicKey]] = {"rsa": read_rsa, "ed25519": read_ed25519}


def is_like(raw: bytes) -> bool:
    """Tell whether a TXT record is, or was meant to be, a key record."""
    text = raw[:1000].decode("latin-1")
    return bool(_LIKE.search(text) or _BARE.match(text) or _ARMOUR.search(text))


@lru_cache(maxsize=128)  # whoever looks at keys and at senders reads it twice
def parse(raw: bytes) -> Record:
    """Read a record. Never raises."""
    text = raw.decode("latin-1")
    tags, faults = read_tags(text, _read_tag, _BLANKS)
    fields: dict[str, object] = {}
    seen: set[str] = set()
    for number, tag in enumerate(tags):
        if tag.name in seen:
            problem = "appears twice, and receivers then discard the record"
            faults.append(_fault(tag, problem, "Keep one of them.", voids=True))
            continue
        seen.add(tag.name)
        fields.update(_read_value(tag, number, faults))
    if "p" not in seen:
        hint = "Tags are written in small letters." if {"P"} & seen else ""
        problem = "the record has no tag `p`, and so no key"
        faults.append(Fault("", problem, hint, voids=True))
    key_type = str(fields.get("type", "rsa"))
    fields |= _read_key(next((tag for tag in tags if tag.name == "p"), None), key_type, text)
    unknown = tuple(tag for tag in tags if tag.name not in KNOWN)
    is_wrong = bool(fields.get("problem")) or any(fault.voids for fault in faults)
    ordered = tuple(sorted(faults, key=lambda fault: fault.position))
    paste = _pasted(text) if is_wrong else None
    return Record(raw, tuple(tags), ordered, unknown=unknown, paste=paste, **fields)  # type: ignore[arg-type]


def _read_tag(piece: str, position: int) -> Tag | Fault:
    name, equals, value = piece.partition("=")
    name, value = name.strip(_BLANKS), value.strip(_BLANKS)
    if not piece:
        return Fault("", "nothing stands between two semicolons", position=position)
    if not equals or not _NAME.fullmatch(name):
        problem = "is no tag with a value, as in `k=rsa`, and receivers discard the record"
        return Fault(piece, problem, voids=True, position=position)
    return Tag(name, value, position, position + len(piece) - len(value))


def _fault(tag: Tag, problem: str, hint: str = "", *, voids: bool = False) -> Fault:
    return Fault(f"{tag.name}={tag.value}", problem, hint, voids=voids, position=tag.position)


def _read_value(tag: Tag, number: int, faults: list[Fault]) -> dict[str, object]:
    """Return the fields of a record that one tag sets, and note what is wrong with it."""
    if tag.name == "v":
        faults += _read_version(tag, number)
    elif tag.name == "k":
        return {"type": tag.value}
    elif tag.name in {"h", "s", "t"}:
        words = tuple(word.strip(_BLANKS) for word in tag.value.split(":"))
        if not all(words):
            faults.append(_fault(tag, "has an empty word in its list"))
        field = {"h": "hashes", "s": "services", "t": "flags"}[tag.name]
        kept = tuple(word for word in words if word)
        return {field: kept} if kept else {}
    stray = _UNPRINTABLE.search(tag.value)
    if stray is not None and tag.name != "p":
        faults.append(_fault(tag, f"has an octet that is no ASCII, {ord(stray[0]):#04x}"))
    return {}


def _read_version(tag: Tag, number: int) -> Iterator[Fault]:
    if tag.value != "DKIM1":
        hint = "Write `v=DKIM1`, in capitals, or leave it out."
        yield _fault(tag, "is no version, and receivers discard the record", hint, voids=True)
    elif number:
        yield _fault(tag, "must be the first tag", "Some receivers discard the record for it.")


def _read_key(tag: Tag | None, key_type: str, text: str) -> dict[str, object]:
    """Return the fields about the key itself."""
    if _PRIVATE.search(text):
        return {"problem": "a private key", "is_private": True}
    if tag is None or not tag.value:
        return {"is_revoked": tag is not None}
    read = _READ.get(key_type)
    if read is None:
        known = "`rsa` and `ed25519`"
        return {"problem": f"of a type that receivers do not know; they know {known}"}
    try:
        return {"key": read(decode(tag))}
    except PrivateKeyError as error:
        return {"problem": str(error), "is_private": True}
    except NoKeyError as error:
        is_full = len(text) == _STRING and "cut off" in str(error)
        end = "; the record ends where one string of 255 octets does" if is_full else ""
        return {"problem": f"{error}{end}"}


def decode(tag: Tag) -> bytes:
    """Return the octets in a tag's base64, blanks left out. Raises NoKeyError."""
    stray = _NO_BASE64.search(tag.value.rstrip(f"={_BLANKS}"))  # what fills up may only be last
    if stray is not None:
        where = tag.start + stray.start() + 1
        message = f"no base64: octet {ord(stray[0]):#04x} stands at character {where}"
        raise NoKeyError(message)
    text = "".join(tag.value.split())
    letters = text.rstrip("=")
    if len(text) % 4 and len(text) == len(letters):
        message = f"no base64, cut off: {len(text)} characters are no multiple of 4"
        raise NoKeyError(message)
    if len(text) - len(letters) != -len(letters) % 4:
        message = "no base64: it is filled up wrongly at its end"
        raise NoKeyError(message)
    return base64.b64decode(text)


def _pasted(text: str) -> Paste | None:
    if _ARMOUR.search(text):
        return Paste.ARMOUR
    if "\\" in text:
        return Paste.ESCAPES
    return Paste.QUOTES if _QUOTES.search(text) else None


def repaired(record: Record) -> bytes:
    """Return the record as it was meant, where that is plain; empty where it is not."""
    if record.is_private:
        return b""
    text = _QUOTES.sub("", _ARMOUR.sub("", record.raw.decode("latin-1").replace("\\", "")))
    if not _LIKE.search(text):
        text = f"p={text}"
    found = parse(text.encode("latin-1"))
    if found.key is None and found.type == "ed25519" and (plain := _unwrapped(found)):
        found = parse(b"k=ed25519; p=" + base64.b64encode(plain))
    if found.key is None or found.is_void:
        return b""
    kept = [f"{tag.name}={tag.value}" for tag in found.tags if tag.name in {"h", "s", "t"}]
    key = "".join(tag.value for tag in found.tags if tag.name == "p")
    words = ("v=DKIM1", f"k={found.type}", *kept, f"p={''.join(key.split())}")
    return "; ".join(words).encode("latin-1")


def _unwrapped(record: Record) -> bytes:
    tag = record.tag("p")
    try:
        return plain_ed25519(decode(tag)) if tag is not None else b""
    except NoKeyError:
        return b""
