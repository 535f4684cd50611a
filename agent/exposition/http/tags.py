"""Has the asker got this already?

Entity tags as RFC 9110 section 8.8.3 has them: made of the content, so that two processes with the
same state give the same.
"""

import hashlib
from collections.abc import Iterable

_LENGTH = 24  # hexadecimal digits


def tag_of(*pieces: bytes, weak: bool = False) -> str:
    """Return the tag of a content; a *weak* one stands for contents that say the same."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    strong = f'"{digest.hexdigest()[:_LENGTH]}"'
    return f"W/{strong}" if weak else strong


def is_known(tag: str, fields: Iterable[str]) -> bool:
    """Tell whether the If-None-Match *fields* of a request name *tag* (RFC 9110 section 13.1.2)."""
    bare = tag.removeprefix("W/")
    for field in fields:
        if any(
            one.strip() == "*" or one.strip().removeprefix("W/") == bare for one in field.split(",")
        ):
            return True
    return False
