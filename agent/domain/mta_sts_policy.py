"""What does the file with an MTA-STS policy say, line by line (RFC 8461 section 3.2)?

Read as a forgiving sender reads it, judged as a strict one judges it: what only some senders refuse
is a fault all the same, and the policy still counts.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from agent.domain.mta_sts_terms import MAX_AGE, Fault, Mode, Policy, PolicyError, describe
from agent.domain.names import MAX_NAME

MAX_LINES = 1000
MAX_PATTERNS = 500
MAX_FAULTS = 20
VERSION = "STSv1"
KNOWN = ("version", "mode", "max_age", "mx")
_LINE = re.compile(
    r"([ \t]*)([a-zA-Z0-9][a-zA-Z0-9_.-]{0,31})([ \t]*):[ \t]*([^\x00-\x1f\x7f]*?)[ \t]*"
)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"  # an underscore is forgiven
_PATTERN = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_AGE = re.compile(r"[0-9]{1,10}")
_LONGEST_WORD = 24  # beyond, nobody can tell what was meant
_MARK = "\ufeff"
_LIKE_ENFORCE = 0.6


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, as it came; ``name`` is empty where it is no field."""

    number: int
    text: str
    name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """The file as read: its lines, what is wrong with them, and the policy if there is one."""

    lines: tuple[Line, ...] = ()
    faults: tuple[Fault, ...] = ()
    policy: Policy | None = None

    @property
    def flaw(self) -> Fault | None:
        """The first fault because of which senders have no policy."""
        return next((each for each in self.faults if each.is_fatal), None)


def read_policy(body: bytes) -> Policy:
    """Read a policy as it was fetched. Raises PolicyError, which names the line."""
    document = parse(body)
    if document.policy is None:
        raise PolicyError(describe(document.faults[0], "line"))
    return document.policy


def parse(body: bytes) -> Document:
    """Read a file. Never raises."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        number = body[: error.start].count(b"\n") + 1
        return Document(faults=(Fault(number, "", "is no UTF-8"),))
    if text.lstrip().startswith("<"):
        problem = "is no field: the file is a web page"
        return Document(faults=(Fault(1, text.lstrip()[:80].splitlines()[0], problem),))
    faults = []
    if text.startswith(_MARK):
        text = text.removeprefix(_MARK)
        hint = "Save the file as UTF-8 without it."
        faults.append(Fault(1, "", "begins with a byte order mark", hint))
    pieces = text.removesuffix("\n").split("\n")
    if len(pieces) > MAX_LINES:
        faults.append(Fault(MAX_LINES + 1, "", f"is beyond the {MAX_LINES} that are read"))
    lines = []
    for number, piece in enumerate(pieces[:MAX_LINES], 1):
        line, wrong = _read_line(number, piece.removesuffix("\r"), is_only=len(pieces) == 1)
        lines.append(line)
        faults += wrong
    policy = _Reading(faults).policy(lines)
    faults.sort(key=lambda each: (not each.is_fatal, each.at or MAX_LINES + 2))
    return Document(tuple(lines), tuple(faults[:MAX_FAULTS]), policy)


def _read_line(number: int, text: str, *, is_only: bool) -> tuple[Line, list[Fault]]:
    """Read one line; *is_only* tells that there is no other."""
    if not text.strip(" \t") and not is_only:
        return Line(number, text), [Fault(number, "", "is empty", is_fatal=False)]
    match = _LINE.fullmatch(text)
    if match is None:
        hint = "Write a colon after the name." if re.match(r"\w{1,32}[ \t]*=", text) else ""
        return Line(number, text), [Fault(number, text, "is no field, as in `mode: enforce`", hint)]
    line = Line(number, text, match[2], match[4])
    if match[1] or match[3]:
        problem = "has a blank before the name or the colon, which strict senders refuse"
        return line, [Fault(number, text, problem, is_fatal=False)]
    return line, []


class _Reading:
    """Reads the fields, and notes what is wrong with them."""

    def __init__(self, faults: list[Fault]) -> None:
        self._faults = faults

    def policy(self, lines: list[Line]) -> Policy | None:
        """Return the policy; None where a fault is fatal."""
        first: dict[str, Line] = {}
        patterns: dict[str, Line] = {}
        for line in filter(lambda each: each.name, lines):
            if line.name == "mx":
                self._pattern(line, patterns)
            elif line.name in first:
                self._note(line, "is a second one of its name; the first counts", is_fatal=False)
            elif line.name in KNOWN:
                first[line.name] = line
            else:
                self._extension(line)
        self._version(first, lines)
        mode, age = self._mode(first), self._age(first)
        if len(patterns) > MAX_PATTERNS:
            self._missing(f"its names of hosts are more than {MAX_PATTERNS}")
        if not any(line.name == "mx" for line in lines) and mode is not Mode.NONE:
            self._missing("it names no mx", "Write a line `mx:` for each exchange.")
        if mode is None or age is None or any(each.is_fatal for each in self._faults):
            return None
        return Policy(mode, tuple(patterns), age)

    def _note(self, line: Line, problem: str, hint: str = "", *, is_fatal: bool = True) -> None:
        self._faults.append(Fault(line.number, line.text, problem, hint, is_fatal=is_fatal))

    def _missing(self, problem: str, hint: str = "") -> None:
        self._faults.append(Fault(0, "", problem, hint))

    def _version(self, first: dict[str, Line], lines: list[Line]) -> None:
        line = first.get("version")
        if line is None:
            self._missing("it has no version")
        elif line.value != VERSION:
            self._note(line, f"is another version than {VERSION}")
        elif line is not next(each for each in lines if each.name):
            self._note(line, "is not the first, which some senders want", is_fatal=False)

    def _mode(self, first: dict[str, Line]) -> Mode | None:
        line = first.get("mode")
        if line is None:
            self._missing("it has no mode")
            return None
        if line.value in list(Mode):
            return Mode(line.value)
        bare = line.value.lower().strip(" \"'.;,")[:_LONGEST_WORD]
        near = get_close_matches(bare, tuple(Mode), 1, _LIKE_ENFORCE)
        hint = f"Did you mean `mode: {near[0]}`?" if near else ""
        self._note(line, "has a mode that is not enforce, testing or none", hint)
        return None

    def _age(self, first: dict[str, Line]) -> int | None:
        line = first.get("max_age")
        if line is None:
            self._missing("it has no max_age")
            return None
        if not _AGE.fullmatch(line.value):
            hint = "Write digits only, such as `max_age: 604800`."
            self._note(line, "has a max_age that is no number of seconds", hint)
            return None
        if int(line.value) > MAX_AGE:
            problem = f"is above the highest max_age of {MAX_AGE}, which some senders refuse"
            self._note(line, problem, f"Write `max_age: {MAX_AGE}`.", is_fatal=False)
        return min(int(line.value), MAX_AGE)

    def _pattern(self, line: Line, patterns: dict[str, Line]) -> None:
        value = line.value.lower()
        if len(value) > MAX_NAME or not _PATTERN.fullmatch(value):
            self._note(line, "is no host, or `*.` and a host", _mend(value))
        elif value in patterns:
            self._note(line, "is there twice", is_fatal=False)
        else:
            patterns[value] = line

    def _extension(self, line: Line) -> None:
        """Note a name that is nearly known; one that nobody knows is passed over."""
        near = get_close_matches(line.name.lower(), KNOWN, 1, 0.8)
        if near:
            hint = f"Did you mean `{near[0]}`?"
            self._note(line, "is passed over by senders", hint, is_fatal=False)
        elif not line.value:
            self._note(line, "has no value", is_fatal=False)


def _mend(value: str) -> str:
    """Guess what was meant by a pattern."""
    if not value.isascii():
        return "Write an international name in its ASCII form, xn--."
    if value.endswith(".") and _PATTERN.fullmatch(value[:-1]):
        return f"Write `mx: {value[:-1]}`, without the dot at its end."
    if "*" in value.removeprefix("*."):
        return "`*` may stand only as the whole first label, as in `*.mail.contoso.com`."
    if "," in value or " " in value:
        return "Write a line of its own for each host."
    return ""
