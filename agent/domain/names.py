"""Is this a domain name, and which one?

Names are parsed once, at the edge; inside, the type says that they are valid. A name is kept in
lower-case A-labels without the trailing dot. Labels may hold underscores, because mail policies
live under such names.
"""

import re
from dataclasses import dataclass
from typing import Self

import idna

MAX_NAME = 253  # characters of a name in presentation form, RFC 1035 section 2.3.4
MAX_LABEL = 63
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True, order=True)
class DomainName:
    """A domain name of at least two labels, in lower-case A-labels."""

    ascii: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name as people write it.

        Raises ValueError, with a reason that fits after the name, where *text* is not one.
        """
        name = text.strip().removesuffix(".")
        if not name.isascii():
            try:
                name = idna.encode(name, uts46=True).decode("ascii")
            except idna.IDNAError as error:
                message = f"is not a valid international name: {error}"
                raise ValueError(message) from None
        name = name.lower()
        _check(name)
        return cls(name)

    def __str__(self) -> str:
        return self.ascii

    @property
    def unicode(self) -> str:
        """The name as its owner would write it, for people to read."""
        try:
            return idna.decode(self.ascii)
        except idna.IDNAError:
            return self.ascii


def _check(name: str) -> None:
    """Raise ValueError where *name* cannot be a mail domain."""
    if len(name) > MAX_NAME:
        message = f"is longer than {MAX_NAME} characters"
        raise ValueError(message)
    labels = name.split(".")
    for label in labels:
        if not label:
            message = "has an empty label"
            raise ValueError(message)
        if len(label) > MAX_LABEL:
            message = f"has a label longer than {MAX_LABEL} characters"
            raise ValueError(message)
        if not _LABEL.fullmatch(label):
            message = f"has the label {label!r}, which is not letters, digits and hyphens"
            raise ValueError(message)
    if len(labels) == 1:
        message = "has a single label; a mail domain has at least two"
        raise ValueError(message)
    if labels[-1].isdigit():
        message = "ends in a number, as addresses do"
        raise ValueError(message)


def could_be_address(text: str) -> bool:
    """Tell whether *text* may be an IP address, at a glance: names end in no digit, as a rule."""
    return ":" in text or text[-1:].isdecimal()
