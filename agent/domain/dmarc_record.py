"""What does a DMARC record say, and where exactly is it wrong?

The grammar of RFC 7489 section 6.4 and of RFC 9989 section 4.8, read as receivers do: what does not
fit is left out, and its place is kept. Only the version must be right to the letter. Octets become
characters one by one, so that a position is the same in both.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache

from agent.domain.dmarc_terms import Policy, Record, Tag
from agent.domain.dmarc_uri import read_destinations
from agent.domain.tag_list import Fault, read_tags

KNOWN = ("v", "p", "sp", "np", "pct", "t", "psd", "adkim", "aspf", "rua", "ruf", "fo", "rf", "ri")
_VERSION = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_NEARLY = re.compile(r"[^;]{0,20}dmarc[^;]{0,3}(?:[; ,]|\Z)", re.IGNORECASE)
_ENFORCES = re.compile(r"\b(?:sp|p|np)[ \t:=\"']{1,5}(?:rej|quar)", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z]+")
_RUN_ON = re.compile(r"[ \t,]([A-Za-z]{1,8}[ \t]*=)")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\t]")
_MAX_INTERVAL = 4_294_967_295  # of ri, an unsigned number of 32 bits
_LONGEST_WORD = 24  # beyond, nobody can tell what was meant
_POLICY_TAGS = frozenset({"p", "sp", "np"})


class _ValueError(ValueError):
    """A value does not fit its tag."""


def is_record(raw: bytes) -> bool:
    """Tell whether receivers take a TXT record for one of DMARC (RFC 9989 section 4.7)."""
    return _VERSION.match(raw[:200].decode("latin-1")) is not None


def is_nearly(raw: bytes) -> bool:
    """Tell whether a TXT record is no DMARC record and was meant to be one."""
    return not is_record(raw) and _NEARLY.match(raw[:200].decode("latin-1")) is not None


def wants_enforcement(raw: bytes) -> bool:
    """Tell whether whoever wrote *raw* wanted quarantine or reject, however badly it is written."""
    return _ENFORCES.search(raw[:1000].decode("latin-1")) is not None


@lru_cache(maxsize=128)  # a look at a domain reads the same one ten times
def parse(raw: bytes) -> Record | None:
    """Read a record; None where it is not one of DMARC. Never raises."""
    text = raw.decode("latin-1")
    if _VERSION.match(text) is None:
        return None
    tags, faults = read_tags(text, _read_tag)
    return _make(tuple(tags), faults)


def render(record: Record) -> bytes:
    """Write the tags of *record* down, in their order and without superfluous blanks."""
    return "; ".join(f"{tag.name}={tag.value}" for tag in record.tags).encode("latin-1")


def describe_near_miss(raw: bytes) -> str:
    """Say why a record that was meant to be one of DMARC is none."""
    text = raw[:200].decode("latin-1")
    if text[:1] in {" ", "\t"}:
        return "it begins with a blank"
    if text[:1] in {'"', "'", "\\", "\x93"}:
        return "it begins with a quotation mark that is part of the text"
    first = text.partition(";")[0]
    name, equals, version = first.partition("=")
    if not equals or name.strip().lower() != "v":
        return "it does not begin with `v=DMARC1`"
    if version.strip() != "DMARC1" and version.strip().upper() == "DMARC1":
        return "`DMARC1` must be in capitals"
    if version.strip().startswith("DMARC1"):
        return "no semicolon follows `v=DMARC1`"
    return "its version is not `DMARC1`"


def _read_tag(piece: str, position: int) -> Tag | Fault:
    name, equals, value = piece.partition("=")
    name, value = name.strip(" \t"), value.strip(" \t")
    if not piece:
        return Fault("", "nothing stands between two semicolons", position=position)
    if not equals or not _NAME.fullmatch(name):
        hint = ""
        if piece.lower().startswith("mailto:"):
            hint = "Put a comma, not a semicolon, between the addresses of a list."
        problem = "is no tag with a value, as in `p=none`"
        return Fault(piece, problem, hint, position=position)
    return Tag(name.lower(), value, position, position + len(piece) - len(value))


def _make(tags: tuple[Tag, ...], faults: list[Fault]) -> Record:
    """Read the values; the first tag of a name counts."""
    fields: dict[str, object] = {}
    unknown: list[Tag] = []
    seen: set[str] = set()
    for tag in tags:
        if tag.name in seen:
            problem = "appears twice; receivers take the first, the last, or no policy at all"
            faults.append(_fault(tag, problem, "Keep one of them.", voids=True))
        elif tag.name not in KNOWN:
            unknown.append(tag)
        elif tag.name != "v":
            fields.update(_read_value(tag, faults))
        seen.add(tag.name)
    if "p" not in seen:
        problem = "the record has no tag `p`, so that nothing but `none` is asked for"
        faults.append(Fault("", problem, "Write `p=` after the version.", voids=True))
    ordered = tuple(sorted(faults, key=lambda fault: fault.position))
    return Record(tags, faults=ordered, unknown=tuple(unknown), **fields)  # type: ignore[arg-type]


def _read_value(tag: Tag, faults: list[Fault]) -> dict[str, object]:
    if tag.name in {"rua", "ruf"}:
        found, wrong = read_destinations(tag.value, tag.start)
        faults += wrong
        return {tag.name: found}
    try:
        value = _READERS[tag.name](tag.value.lower())
    except _ValueError as error:
        voids = tag.name in _POLICY_TAGS
        faults.append(_fault(tag, str(error), _hint(tag), voids=voids))
        return {}
    return {"testing" if tag.name == "t" else tag.name: value}


def _fault(tag: Tag, problem: str, hint: str = "", *, voids: bool = False) -> Fault:
    return Fault(f"{tag.name}={tag.value}", problem, hint, voids, tag.position)


def _hint(tag: Tag) -> str:
    """Guess what was meant; empty where nothing comes to mind."""
    run_on = _RUN_ON.search(tag.value)
    if run_on is not None:
        return f"A semicolon is missing before `{run_on[1]}`."
    if _UNPRINTABLE.search(tag.value):
        return "Type it anew: it holds an octet outside printable ASCII."
    meant = meant_by(tag)
    return f"Did you mean `{tag.name}={meant}`?" if meant else ""


def meant_by(tag: Tag) -> str:
    """Guess which value the one that is not valid was to be; empty where none comes to mind."""
    bare = tag.value.lower().strip(" \t\"'.,:")
    if len(bare) > _LONGEST_WORD:
        return ""
    if tag.name in _POLICY_TAGS:
        return next(iter(get_close_matches(bare, tuple(Policy), 1, 0.5)), "")
    return _MEANT.get(bare, "")


def _one_of(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in words:
            message = f"must be {' or '.join(words)}"
            raise _ValueError(message)
        return value

    return read


def _policy(value: str) -> Policy:
    return Policy(_one_of(*Policy)(value))


def _number(most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) > most:
            message = f"must be a number from 0 to {most}"
            raise _ValueError(message)
        return int(value)

    return read


def _list_of(*words: str) -> Callable[[str], tuple[str, ...]]:
    def read(value: str) -> tuple[str, ...]:
        options = tuple(option.strip(" \t") for option in value.split(":"))
        if not set(options) <= set(words) or len(set(options)) < len(options):
            message = f"must be a list of {', '.join(words)}, with colons between, each once"
            raise _ValueError(message)
        return options

    return read


def _testing(value: str) -> bool:
    return _one_of("y", "n")(value) == "y"


_READERS: dict[str, Callable[[str], object]] = {
    "p": _policy,
    "sp": _policy,
    "np": _policy,
    "pct": _number(100),
    "t": _testing,
    "psd": _one_of("y", "n", "u"),
    "adkim": _one_of("r", "s"),
    "aspf": _one_of("r", "s"),
    "fo": _list_of("0", "1", "d", "s"),
    "rf": _list_of("afrf"),
    "ri": _number(_MAX_INTERVAL),
}
_MEANT = {"relaxed": "r", "strict": "s", "yes": "y", "no": "n", "true": "y", "false": "n"}
