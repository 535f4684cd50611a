"""What kind of answer is a message that came to a mailbox, or to the address we send from?

Only an ordinary message can be the one we wait for. The others are answers to it: a bounce, a
warning, somebody's holiday, a receipt, a complaint. Our own messages say ``Auto-Submitted:
auto-generated`` and suppress automatic answers, so neither of these marks makes an answer; and a
copy of ours that a rule resends or a person forwards is a message still.
"""

import enum
import re

from agent.domain.dsn import ReportKind, report_of
from agent.domain.dsn_signs import is_from_daemon, report_type
from agent.domain.dsn_text import RECEIPT_TYPES, Texts, read_texts
from agent.domain.header_fields import Fields
from agent.domain.identity import token_at_top
from agent.domain.knowledge.answers import (
    AUTO_REPLY_SUBJECTS,
    AWAY_SUBJECTS,
    FORWARD_PREFIXES,
)
from agent.domain.subject_words import words_of


class LetterKind(enum.StrEnum):
    """What a message is: a closed set, fit for a label value."""

    MESSAGE = "message"
    BOUNCE = "bounce"
    DELAY = "delay"
    AUTO_REPLY = "auto-reply"
    CHALLENGE = "challenge"
    RECEIPT = "receipt"
    FEEDBACK = "feedback"


_OF_REPORT = {
    ReportKind.FAILED: LetterKind.BOUNCE,
    ReportKind.DELAYED: LetterKind.DELAY,
    # A success report is a receipt that the server gives (RFC 3461 section 4.1, NOTIFY=SUCCESS).
    ReportKind.DELIVERED: LetterKind.RECEIPT,
    ReportKind.RELAYED: LetterKind.RECEIPT,
    ReportKind.EXPANDED: LetterKind.RECEIPT,
    ReportKind.FEEDBACK: LetterKind.FEEDBACK,
}


def kind_of(raw: bytes) -> LetterKind:
    """Return the kind of a message.

    Never raises; the work is linear in the octets looked at, which are bounded.
    """
    texts = read_texts(raw)
    if token_at_top(texts.head) is not None:
        return (
            LetterKind.MESSAGE
        )  # or a copy that was resent: an answer has a Message-ID of its own
    named = _by_name(texts)
    if named is not None:
        return named
    report = report_of(texts, raw)
    if report is not None:
        return _OF_REPORT[report.kind]
    return LetterKind.AUTO_REPLY if _is_reply_by_mark(texts.head) else LetterKind.MESSAGE


def _by_name(texts: Texts) -> LetterKind | None:
    """Return the kind of a message that bears its name; None where its words must be read."""
    declared = report_type(texts.head)
    if texts.status or declared == "delivery-status":
        return None
    if texts.feedback or declared == "feedback-report":
        return LetterKind.FEEDBACK
    if declared == "disposition-notification" or _is_receipt(texts):
        return LetterKind.RECEIPT
    if _is_challenge(texts):
        return LetterKind.CHALLENGE
    return LetterKind.AUTO_REPLY if _is_reply_by_name(texts.head) else None


def _is_receipt(texts: Texts) -> bool:
    """Tell a receipt for reading (RFC 8098), Exchange's own form of it too."""
    if any(each in texts.types for each in RECEIPT_TYPES):
        return True
    return texts.head.first("content-class").lower().startswith("urn:content-classes:mdn")


_REPLY_SUBJECT = re.compile(rf"(?:{'|'.join(AUTO_REPLY_SUBJECTS)})\s?[:\uff1a]")
_AWAY = re.compile("|".join(AWAY_SUBJECTS))
_FORWARDED = re.compile(rf"(?:{'|'.join(FORWARD_PREFIXES)})\s?:")
_REPLY_FIELDS = (
    "x-autoreply",
    "x-auto-reply",
    "x-autorespond",
    "x-autoresponder",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-vacation",
)


def _is_reply_by_name(head: Fields) -> bool:
    """Tell an automatic answer by what only such answers carry: a field or a subject of its own."""
    subject = words_of(head.first("subject"))
    if _FORWARDED.match(subject):
        return False
    if any(head.has(each) for each in _REPLY_FIELDS) or _REPLY_SUBJECT.match(subject):
        return True
    if any("auto_reply" in head.first(each).lower() for each in ("precedence", "x-precedence")):
        return True
    if head.first("x-apple-action").upper() == "VACATION":
        return True
    is_answer = head.has("in-reply-to") or head.has("references") or head.has("auto-submitted")
    return is_answer and bool(_AWAY.match(subject))


def _is_reply_by_mark(head: Fields) -> bool:
    """Tell an automatic answer by marks that bounces carry as well, so that those come first."""
    if head.first("auto-submitted").lower().startswith("auto-replied"):  # RFC 3834 section 5
        return not _FORWARDED.match(words_of(head.first("subject")))
    if head.has("x-ms-exchange-inbox-rules-loop") and is_from_daemon(head):
        return True  # Exchange marks what a rule resends in the same way, but keeps its sender
    is_bulk = head.first("precedence").lower() in ("bulk", "junk") and not head.has("list-id")
    return is_bulk and head.has("in-reply-to")


_CHALLENGE_SUBJECT = re.compile(
    r"(?:confirm|verify) (?:that you sent )?(?:your |the |this )?(?:message|e-?mail|mail|delivery"
    r"|address|identity)|(?:confirmation|verification|authentication) (?:is )?(?:required|requested"
    r"|needed)|requires? (?:your )?(?:confirmation|verification)|(?:sender|email) verification"
    r"|challenge[- ]response|spam ?arrest|needs to be (?:confirmed|verified)"
)
_CHALLENGE_WORDS = re.compile(
    r"(?:confirm|verify|prove|authenticate)[^.]{0,80}(?:(?:you are|that you)[^.]{0,40}(?:human"
    r"|person|sender|sent)|message[^.]{0,60}deliver|be(?:fore it is)? delivered|release)"
    r"|(?:held|waiting|quarantined)[^.]{0,80}(?:until|unless) you (?:confirm|verify|reply|click)"
)
_SAID = 8 * 1024  # characters of the text that are looked at


def _is_challenge(texts: Texts) -> bool:
    """Tell a challenge: a filter wants the sender to prove to be a person.

    People ask for confirmations too: a machine must have sent it, in answer to something.
    """
    head = texts.head
    if "tmda" in head.first("x-delivery-agent").lower() and head.has("in-reply-to"):
        return True
    is_machine = is_from_daemon(head) or head.has("precedence") or head.has("auto-submitted")
    if not (is_machine or head.has("in-reply-to")):
        return False
    subject = words_of(head.first("subject"))
    asks = bool(_CHALLENGE_SUBJECT.search(subject))
    says = bool(_CHALLENGE_WORDS.search(texts.said[:_SAID].lower()))
    return (asks and is_machine) or (asks and says) or (says and is_machine)
