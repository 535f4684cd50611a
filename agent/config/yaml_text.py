"""Is this file text that can be YAML at all?"""

from dataclasses import dataclass
from typing import Final

from agent.config.scalars import stray_character

MAX_SIZE: Final = 16 * 1024 * 1024  # bytes of one file: some 50,000 domains
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the text, where (line and column from 1), and below which key."""

    line: int
    column: int
    path: Path
    message: str


class StrictYamlError(ValueError):
    """The text breaks a rule after which nothing more of it can be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def decode(raw: bytes) -> str:
    """Return the text of a file; raise StrictYamlError where it cannot be YAML in UTF-8."""
    if len(raw) > MAX_SIZE:
        raise StrictYamlError(Problem(1, 1, (), f"is larger than {MAX_SIZE >> 20} MiB"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            message = "is UTF-16; save the file as UTF-8"
        else:
            message = f"octet 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise StrictYamlError(Problem(line, column, (), message)) from None
    stray = stray_character(text)
    if stray is not None:
        at, message = stray
        line = text.count("\n", 0, at) + 1
        raise StrictYamlError(Problem(line, at - text.rfind("\n", 0, at), (), message))
    return text
