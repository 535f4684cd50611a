"""Which MTA-STS policy would the policy's host serve, by a file that somebody names?

A policy is read as far as senders read one. What is no file, such as a pipe that nobody fills or a
device without an end, is not read at all.
"""

import os
import stat
from pathlib import Path

import click

from agent.domain.mta_sts_policy import Document, parse
from agent.domain.mta_sts_terms import MAX_POLICY, describe

_HINT = "--mta-sts-policy"


def read_policy(path: Path) -> Document:
    """Read the policy at *path*. Raises BadParameter, which says what is wrong with it."""
    document = parse(_read(path))
    if document.policy is None:
        raise _refused(path, describe(document.faults[0], "line"))
    return document


def _read(path: Path) -> bytes:
    try:
        # A pipe would otherwise wait for somebody to write.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise _refused(path, f"cannot be opened: {error.strerror}") from None
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise _refused(path, "is no regular file, but a pipe or a device")
        text = file.read(MAX_POLICY + 1)
    if len(text) > MAX_POLICY:
        raise _refused(path, f"is larger than the {MAX_POLICY} octets that senders read")
    return text


def _refused(path: Path, why: str) -> click.BadParameter:
    return click.BadParameter(f"{path}: {why}", param_hint=_HINT)
