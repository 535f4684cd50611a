"""What does a delivery report say: which recipient, which status, and why?

Reports come in two ways: for machines (RFC 3464, RFC 6533 for addresses in other scripts, RFC 5965
for complaints) and in plain words. The machine's form is believed first, and the words fill what it
leaves out. A report is an answer to a message, so it carries the message's identity: the token that
it quotes, the envelope id, the Message-ID. Whoever can guess none of them accuses nobody.
"""

import enum
import re
from dataclasses import dataclass

from agent.domain.diagnosis import Diagnosis, diagnose
from agent.domain.dsn_fields import Group, is_of_recipient, read_groups, without_type
from agent.domain.dsn_free_form import MAX_RECIPIENTS, MAX_WORDS, listed, words_by_address
from agent.domain.dsn_signs import is_bounce, is_of_machine
from agent.domain.dsn_text import Texts, read_texts
from agent.domain.dsn_verdict import Codes, Verdict, judge
from agent.domain.header_fields import read_head
from agent.domain.knowledge.reply import Known
from agent.domain.message import Token, find_tokens
from agent.domain.peer_text import PeerText
from agent.domain.smtp_reply import Reply

MAX_DIAGNOSTIC = 500  # characters
_LONGEST_ADDRESS = 320  # RFC 5321 section 4.5.3.1: 64 octets, an at sign, 255 octets
_PERMANENT = 550
_MAX_SCAN = 64 * 1024  # octets of the report in which a token is looked for beside the original


class ReportKind(enum.StrEnum):
    """What became of a message: the words of RFC 3464 section 2.3.3, and a complaint."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    FEEDBACK = "feedback"


_ORDER = tuple(ReportKind)  # the worst of the recipients is the report's own kind
_ACTIONS = {"expired": ReportKind.FAILED, "deliverable": ReportKind.DELIVERED}
_OF_CLASS = {"2": ReportKind.DELIVERED, "4": ReportKind.DELAYED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One recipient of a report.

    ``status`` is the enhanced code (``5.1.1``) or empty, ``reply`` the SMTP code or 0,
    ``diagnostic`` the words that were said, ``is_hard`` tells whether the address itself is at
    fault, ``diagnosis`` what is known of the reply.
    """

    address: PeerText
    action: ReportKind
    status: str
    reply: int
    diagnostic: PeerText
    remote_mta: PeerText
    is_hard: bool
    diagnosis: Diagnosis

    @property
    def is_remote(self) -> bool:
        """Whether another server than the reporting one said no."""
        said = self.diagnostic.lower()
        quotes = "remote server returned" in said or "remote host said" in said
        return quotes or bool(self.remote_mta) or self.diagnosis.is_remote

    @property
    def known(self) -> Known | None:
        """Meaning, cause and remedy, where the reply is a known one."""
        return self.diagnosis.known


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A delivery report or a complaint; empty fields where it does not say.

    ``recipients`` may be empty: a report may be too broken to name them. ``tokens`` are those of
    the message that it quotes, perhaps of none. ``is_of_machine``: as far as can be told, a mail
    system wrote it, and not a person who tells of a failure.
    """

    kind: ReportKind
    recipients: tuple[Recipient, ...]
    reporting_mta: PeerText
    envelope_id: PeerText
    original_message_id: PeerText
    tokens: tuple[Token, ...]
    is_of_machine: bool = True

    @property
    def tags(self) -> tuple[str, ...]:
        """Microsoft's marks for its support, such as ATTR36 and AS780090, each once."""
        return tuple(dict.fromkeys(tag for each in self.recipients for tag in each.diagnosis.tags))


def read_report(raw: bytes) -> Report | None:
    """Return the report in a message, or None for a message that is none.

    Never raises; the work is linear in the octets looked at, which are bounded.
    """
    return report_of(read_texts(raw), raw)


def report_of(texts: Texts, raw: bytes) -> Report | None:
    """Return the report in the message *raw*, of which *texts* were read, as `read_report` does."""
    groups = [group for text in texts.status for group in read_groups(text)]
    if texts.feedback:
        kind, recipients = ReportKind.FEEDBACK, _complained(texts)
    elif groups or is_bounce(texts):
        words = words_by_address(texts.said)
        groups = groups or read_groups(texts.said)
        if not groups and not words:
            # It passes on a report of somebody else, and names nobody itself.
            groups = [group for text in texts.inner for group in read_groups(text)]
        recipients = _recipients(texts, groups, words)
        kind = min((each.action for each in recipients), key=_ORDER.index, default=_spoken(texts))
    else:
        return None
    about = {name: value for group in reversed(groups) for name, value in group.items()}
    return Report(
        kind=kind,
        recipients=recipients,
        reporting_mta=PeerText(_reporter(about, texts)),
        envelope_id=PeerText(about.get("original-envelope-id", "")),
        original_message_id=PeerText(_message_id(about, texts), MAX_DIAGNOSTIC),
        tokens=find_tokens(texts.original) or find_tokens(raw[:_MAX_SCAN]),
        is_of_machine=bool(texts.status or texts.feedback) or is_of_machine(texts.head),
    )


def _recipients(texts: Texts, groups: list[Group], words: dict[str, str]) -> tuple[Recipient, ...]:
    about = [group for group in groups if is_of_recipient(group)][:MAX_RECIPIENTS]
    if about:
        if len(about) == 1:
            words.setdefault(_address(about[0]), texts.said[:MAX_WORDS])
        # Each text is used once: repeating an address must not multiply the work.
        return tuple(_from_group(each, words.pop(_address(each), "")) for each in about)
    action = _spoken(texts)
    failed = listed(texts.head.first("x-failed-recipients"))
    if not words or (failed and not any(each in words for each in failed)):
        # The words name nobody: then they are about all of them, or about the addressee.
        verdict = judge(texts.said[:MAX_WORDS])
        shared = failed or _addressees(texts.original)
        return tuple(_recipient(each, action, verdict) for each in shared)
    return tuple(_recipient(each, action, judge(said)) for each, said in words.items())


def _addressees(original: bytes) -> list[str]:
    """Return to whom the original went, where that is one address."""
    found = listed(read_head(original).first("to").replace("<", " ").replace(">", " "))
    return found if len(found) == 1 else []


def _address(group: Group) -> str:
    value = group.get("final-recipient") or group.get("original-recipient", "")
    return without_type(value).strip("<> ")


def _from_group(group: Group, said: str) -> Recipient:
    verdict = judge(said, group.get("status", ""), group.get("diagnostic-code", ""))
    action = _action(group.get("action", ""), verdict.codes)
    return _recipient(_address(group), action, verdict, without_type(group.get("remote-mta", "")))


def _recipient(address: str, action: ReportKind, verdict: Verdict, remote: str = "") -> Recipient:
    codes = verdict.codes
    diagnostic = PeerText(" ".join(verdict.words.split()), MAX_DIAGNOSTIC)
    return Recipient(
        address=PeerText(address, _LONGEST_ADDRESS),
        action=action,
        status=codes.status,
        reply=codes.reply,
        diagnostic=diagnostic,
        remote_mta=PeerText(remote),
        is_hard=verdict.is_hard and action is ReportKind.FAILED,
        diagnosis=diagnose(Reply(codes.reply or _PERMANENT, codes.status, (diagnostic,))),
    )


def _action(word: str, codes: Codes) -> ReportKind:
    word = word.partition("(")[0].strip().lower()
    if word in _ORDER and word != ReportKind.FEEDBACK:
        return ReportKind(word)
    return _ACTIONS.get(word) or _OF_CLASS.get(codes.status[:1], ReportKind.FAILED)


_DELAY = re.compile(
    r"\bdelay|\bwarning|still (?:being )?(?:re)?tr|will be retried|temporary failure report"
)


def _spoken(texts: Texts) -> ReportKind:
    """Tell a warning in plain words from a failure."""
    said = f"{texts.head.first('subject')}\n{texts.said[:2000]}".lower()
    return ReportKind.DELAYED if _DELAY.search(said) else ReportKind.FAILED


def _complained(texts: Texts) -> tuple[Recipient, ...]:
    """Return whom a complaint is about (RFC 5965 section 3.2); mail was delivered to them."""
    addresses = re.findall(
        r"^Original-Rcpt-To:[ \t]*<?([^\s<>]{1,320})",
        texts.feedback[0],
        re.IGNORECASE | re.MULTILINE,
    )
    nothing = Verdict()
    return tuple(
        _recipient(each, ReportKind.FEEDBACK, nothing) for each in addresses[:MAX_RECIPIENTS]
    )


_GENERATING = re.compile(
    r"(?:generating server:|program at(?: host)?|mail system at host|mail agent v\S{1,20} at)"
    r"\s{1,4}([A-Za-z0-9.-]{1,253})",
    re.IGNORECASE,
)


def _reporter(about: Group, texts: Texts) -> str:
    if "reporting-mta" in about:
        return without_type(about["reporting-mta"])
    match = _GENERATING.search(texts.said)
    return match[1].rstrip(".") if match else ""


def _message_id(about: Group, texts: Texts) -> str:
    """Return the Message-ID of the original: as quoted, else as answered."""
    quoted = read_head(texts.original).first("message-id")
    head = texts.head
    references = head.first("references").split()[-1:] or [""]
    return (
        quoted
        or about.get("x-original-message-id", "")
        or head.first("in-reply-to")
        or references[0]
    ).strip()
