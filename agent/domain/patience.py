"""How long is it until a message is tried again, and when is trying no use?

A server that greylists wants to see us again in minutes; one that slows us down wants to be left
alone, and each try in between makes it longer. Exchange Online blocks a sender for hours who
repeats what is refused for good ("continuous error throttling"), so after a few such refusals in a
row the route rests.
"""

from datetime import datetime, timedelta

from agent.domain.knowledge.reply import ReplyClass

_MINUTE = timedelta(minutes=1)
_GREYLISTED = (_MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, 60 * _MINUTE)
# 451 4.7.500 to 4.7.699 and their like: Microsoft's advice is no try within a quarter of an hour.
_THROTTLED = (15 * _MINUTE, 30 * _MINUTE, 60 * _MINUTE)
_LONGEST = max(*_GREYLISTED, *_THROTTLED)
_SLOWED_DOWN = (ReplyClass.THROTTLE, ReplyClass.REPUTATION)
REFUSALS = 3  # identical ones in a row, after which a route rests
_RESTS = (15 * _MINUTE, 60 * _MINUTE)


def next_try(attempts: int, reply_class: ReplyClass) -> timedelta:
    """Return how long to wait after so many *attempts* (at least one) that were deferred.

    *reply_class* is what the last reply was about. The last step of the ladder repeats.
    """
    ladder = _THROTTLED if reply_class in _SLOWED_DOWN else _GREYLISTED
    return ladder[min(attempts, len(ladder)) - 1]


def is_due_later(retry_at: datetime, now: datetime) -> bool:
    """Tell whether a try at *retry_at* still has to wait.

    What lies farther off than any step was noted while the clock was wrong: it is due.
    """
    return timedelta() < retry_at - now <= _LONGEST


def holds_off(refusals: int) -> timedelta:
    """Return how long a route rests after so many identical refusals for good in a row."""
    if refusals < REFUSALS:
        return timedelta()
    return _RESTS[min(refusals - REFUSALS, len(_RESTS) - 1)]
