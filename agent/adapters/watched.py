"""What has to be known of a route to read what arrives of it?"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from agent.domain.entry import Place
from agent.domain.payload import PLAIN, Payload

Body = Literal["intact", "banner-allowed", "any"]


@dataclass(frozen=True, slots=True)
class Watched:
    """What has to be known of a route to read what arrives of it.

    ``body`` tells how the text may change on the way, ``is_reflected`` that it is an answer.
    ``rcpt_to`` and ``mail_from`` are those of its envelope, in lower case.
    """

    payload: Payload = PLAIN
    body: Body = "intact"
    is_reflected: bool = False
    rcpt_to: str = ""
    mail_from: str = ""


def astray_of(
    watched: Watched, routes: Iterable[Watched], recipients: frozenset[str]
) -> Place | None:
    """Tell where a message went that was brought for *recipients*, and not for its own.

    One whom none of the *routes* knows is its own, rewritten on the way. None where it is right, or
    where that cannot be told: an answer goes where its author likes.
    """
    if watched.is_reflected or not watched.rcpt_to or watched.rcpt_to in recipients:
        return None
    if watched.mail_from in recipients:
        return Place.ORIGIN
    others = {address for each in routes for address in (each.rcpt_to, each.mail_from)}
    return Place.ELSEWHERE if others & recipients else None
