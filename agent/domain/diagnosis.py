"""What does a reply of Exchange Online mean, and what is to be done?

The enhanced code alone does not always tell (5.4.1 and 5.7.1 have many meanings), so the text is
looked at as well, and what is not known is said to be unknown. Where Exchange quotes another server
(``Remote server returned an error -> 550 ...``) the words after the arrow are what counts.
"""

import functools
import re
from dataclasses import dataclass

from agent.domain.knowledge.replies_of_routing import ROUTING
from agent.domain.knowledge.replies_of_standards import STANDARDS
from agent.domain.knowledge.replies_to_messages import MESSAGES
from agent.domain.knowledge.replies_to_senders import SENDERS
from agent.domain.knowledge.reply import Known, ReplyClass
from agent.domain.smtp_reply import Reply

CLOSING = 421  # RFC 5321 section 3.8

_ALL = (*ROUTING, *SENDERS, *MESSAGES, *STANDARDS)
# A kind that wants a text says more than one that goes by the code alone.
_KNOWN = (*(each for each in _ALL if each.text), *(each for each in _ALL if not each.text))
_ARROW = "->"
_QUOTED = re.compile(r"\s*[245]\d\d[ -]([245]\.\d{1,3}\.\d{1,3})?")
_TAG = re.compile(r"\b(?:ATTR\d{1,4}|AS\d{1,10})\b")
_MOST_TAGS = 4


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known of one reply.

    ``known`` is None for a reply that says nothing we know. ``tags`` are Microsoft's marks for its
    support, such as ATTR36. ``is_remote`` is true where another server's words were judged.
    """

    known: Known | None = None
    reply_class: ReplyClass = ReplyClass.OTHER
    tags: tuple[str, ...] = ()
    is_remote: bool = False

    @property
    def is_throttle(self) -> bool:
        """True where the server asks to be left alone for a while: nothing is wrong with it."""
        return self.reply_class is ReplyClass.THROTTLE

    @property
    def advice(self) -> tuple[str, ...]:
        """Meaning, cause and remedy, a line each; nothing for an unknown reply."""
        if self.known is None:
            return ()
        return (
            f"Meaning: {self.known.meaning}.",
            f"Usual cause: {self.known.cause}.",
            f"What helps: {self.known.fix}.",
        )


def diagnose(reply: Reply) -> Diagnosis:
    """Return what is known of a reply; any reply, of any server."""
    text = str(reply.text)
    tags = tuple(dict.fromkeys(_TAG.findall(text)))[:_MOST_TAGS]
    enhanced, said, is_remote = reply.enhanced, text.lower(), False
    before, arrow, after = text.partition(_ARROW)
    if arrow and (quoted := _QUOTED.match(after)):
        enhanced, said, is_remote = quoted[1] or "", after.lower(), True
    known = _known(enhanced, said)
    if known is None and is_remote:
        known = _known(reply.enhanced, before.lower())
    if known is None:
        is_busy = reply.code == CLOSING
        found = ReplyClass.THROTTLE if is_busy else ReplyClass.REMOTE if is_remote else None
        return Diagnosis(None, found or ReplyClass.OTHER, tags, is_remote)
    return Diagnosis(known, known.reply_class, tags, is_remote)


def _known(enhanced: str, text: str) -> Known | None:
    """Return the first kind that fits."""
    return next((each for each in _of_code(enhanced) if each.text in text), None)


@functools.lru_cache(maxsize=256)
def _of_code(enhanced: str) -> tuple[Known, ...]:
    """Return the kinds that a code may be of: a report repeats one code for many recipients."""
    return tuple(each for each in _KNOWN if each.covers(enhanced))
