"""Which status and reply did a recipient get, and is the address itself at fault?

A report may give three codes that contradict one another: the Status field of the reporting
server, the enhanced code in the words of the server that refused, and one in the text for people.
The server that refused knows best, and a code that names a detail says more than one that does not
(RFC 3463 section 3: X.0.0 is "no more is known").

A bounce is hard where the address or its domain does not exist and will not on a second attempt. A
full mailbox, a policy, a bad reputation, a sender that is not liked are soft, whatever the class of
the code: the address is good. "User unknown" after DATA is soft as well, because filters say so.
"""

import enum
import re
from dataclasses import dataclass

from agent.domain.dsn_fields import without_type


class Command(enum.StrEnum):
    """The command that a reply answered, as far as the report tells."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Codes:
    """A reply code, 0 where there is none, and an enhanced status code, or nothing."""

    reply: int = 0
    status: str = ""

    @property
    def is_specific(self) -> bool:
        """Whether the status names a detail."""
        return bool(self.status) and not self.status.endswith(".0.0")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be thought of one recipient; ``words`` are those that decided."""

    codes: Codes = Codes()
    words: str = ""
    is_hard: bool = False


_STATUS = r"[245]\.[0-7]\.\d{1,3}"  # RFC 3463 section 2; the subjects end at 7
_ENHANCED = re.compile(rf"(?<![\w.@])({_STATUS})(?![\w@]|\.\d)")
_REPLY = re.compile(
    rf"(?<![\w.@/:=-])([245][0-5]\d)(?:[ \-]+|: ?)'?(?:\1[ -]+)?\(?#?({_STATUS})(?![\w@]|\.\d)"
)
_BARE = re.compile(  # a code without an enhanced one, where only a reply can stand
    r"(?:^|<<< |[:;] ?|:\n|message: \[|problem |')"
    r"[ \t]{0,20}([245][0-5]\d)(?=[ \-:,]|$)",
    re.MULTILINE,
)
_ARROW = re.compile(r"->[ \t\n]{0,20}(?=[245]\d\d[ -])")

_SPOKEN = tuple(
    (command, re.compile("|".join(words)))
    for command, words in (
        (
            Command.DATA,
            (
                r"end of data|to data command|our (?:final )?data|\(data\)|>>> (?:data|bdat|\.)",
                r"text command|after i sent the message|\[(?:end_of_)?data\]|transmission failure",
            ),
        ),
        (
            Command.RCPT,
            (
                r"\brcpt\b|rcpt_to|does not like recipient",
                r"rejected (?:address|by the server for the recip)",
            ),
        ),
        (Command.MAIL, (r"mail[ _]from\b|sender was rejected",)),
        (
            Command.CONNECT,
            (r"refused to\s+talk to me|initial (?:server )?greeting|after (?:ehlo|helo)",),
        ),
    )
)


def judge(said: str, field: str = "", diagnostic: str = "") -> Verdict:
    """Judge by a text for people, a Status field and a Diagnostic-Code field, as far as given."""
    spoken = without_type(diagnostic)
    codes = choose(field, codes_in(spoken), codes_in(said))
    heard = f"{spoken or said} {field}".lower()
    command = command_in(f"{spoken} {field} {said}".lower())
    # With the type x-unix a program speaks that was run for a mailbox which exists.
    is_local = diagnostic.lower().startswith("x-unix")
    return Verdict(
        codes, spoken or _line(said, codes), not is_local and is_hard(codes, heard, command)
    )


def _line(said: str, codes: Codes) -> str:
    """Return the words with the reply in them: from the line that has its code."""
    code = codes.status or (str(codes.reply) if codes.reply else "")
    at = said.find(code) if code else -1
    return said[said.rfind("\n", 0, at) + 1 :] if at >= 0 else said


def codes_in(words: str) -> Codes:
    """Return the codes in what a server said; where it quotes another, that one's."""
    arrow = None
    for match in _ARROW.finditer(words):
        arrow = match
    if arrow and (found := _codes(words[arrow.end() :])).reply:
        return found
    return _codes(words)


def _codes(words: str) -> Codes:
    best = Codes()
    for match in _REPLY.finditer(words):
        found = Codes(int(match[1]), match[2])
        if match[1][0] != match[2][0]:
            continue  # RFC 2034 section 4: the two agree in class
        if found.is_specific:
            return found
        best = best if best.reply else found
    if best.reply:
        return best
    bare = _BARE.search(words)
    reply = int(bare[1]) if bare else 0
    statuses = [match[1] for match in _ENHANCED.finditer(words[:4000])]
    fitting = [each for each in statuses if not reply or each[0] == str(reply)[0]]
    specific = [each for each in fitting if not each.endswith(".0.0")]
    return Codes(reply, (specific or fitting or [""])[-1])


def choose(field: str, diagnostic: Codes, words: Codes) -> Codes:
    """Return the codes that count, of the Status field, the Diagnostic-Code and the text."""
    status_field = _ENHANCED.match(field.strip())
    given = Codes(0, status_field[1] if status_field else "")
    # Where the words of the server that refused have a status, nobody else's are needed.
    order = (diagnostic, given) if diagnostic.status else (diagnostic, given, words)
    status = next((each.status for each in order if each.is_specific), "")
    status = status or next((each.status for each in order if each.status), "")
    reply = diagnostic.reply or words.reply
    if status and reply and str(reply)[0] != status[0]:
        reply = 0  # they contradict each other; the status is what the report is about
    return Codes(reply, status)


def command_in(words: str) -> Command:
    """Return the command that was answered, as far as *words* (in lower case) tell."""
    return next((each for each, pattern in _SPOKEN if pattern.search(words)), Command.UNKNOWN)


_FULL = re.compile(
    r"quota|(?:mailbox|folder) (?:is )?full|exceeds allowed size|disk full|storage|too large"
)
_OTHERWISE = re.compile(
    r"\bsenders?\b|mail from|relay|spam|black ?list|\bblocked\b|block list|\bdnsbl\b|policy"
    r"|reputation|\bspf\b|\bdkim\b|\bdmarc\b|reverse dns|\bptr\b|authenticat|authrequired|virus"
    r"|banned|not allowed|unauthori[sz]ed|not permitted|permission|procmail|x-unix|vacation"
    r"|disabled|suspend|locked|discontinued|recipient preferences|expired|timed out|\bloops?\b"
    r"|too many|deferred|temporar|try again"
)
_UNKNOWN = re.compile(
    r"users? (?:is )?unknown|unknown (?:user|recipient|mailbox|address|or illegal|local)"
    r"|no such (?:user|mailbox|recip|address|account)|user (?:does )?not (?:found|exist)"
    r"|recipnotfound|recipient (?:address )?(?:is )?(?:not found|unknown|rejected\.? ?$)"
    r"|invalid (?:address|mailbox|user)|mailbox (?:unavailable|not found|does not exist)"
    r"|account[^.]{0,60}does not exist|doesn't have an? \S{1,80} account|address rejected(?!:)"
)
_OWN_WORDS = re.compile(  # of a server about its own users, where it need not ask another
    r"not listed in|name is not recogni[sz]ed|address (?:not|couldn't be) found|invalid recipient"
    r"|recipient address rejected: access denied"  # Exchange's edge of whom it does not know
)
_HOST = re.compile(
    r"host (?:is )?(?:unknown|not found)|unknown host|domain (?:name )?(?:does not exist|not found)"
    r"|domain is not reachable|no such (?:host|domain)|host \S{1,253} not found|nxdomain"
    r"|unrouteable (?:mail )?(?:address|domain)|no smtp service|null mx"
    r"|(?:does not|doesn't) (?:accept|receive) (?:any )?(?:e-?mail|mail)|find a mail exchanger"
)
_ADDRESS_STATUS = re.compile(r"[45]\.1\.(?:1|2|3|6|10)|5\.4\.4")  # RFC 3463 section 3.2


def is_hard(codes: Codes, words: str, command: Command) -> bool:
    """Tell whether the address is at fault; *words* are in lower case."""
    if _FULL.search(words):
        return False
    is_transient = codes.status[:1] == "4" or codes.reply // 100 == 4  # noqa: PLR2004 - the class
    if _HOST.search(words):
        return not is_transient and "not found, try again" not in words
    if _OWN_WORDS.search(words):
        return True
    if _OTHERWISE.search(words):
        return False
    is_sure = command is Command.RCPT or codes.status.startswith("5.1.")
    says_so = is_sure and not is_transient and bool(_UNKNOWN.search(words))
    return says_so or bool(_ADDRESS_STATUS.fullmatch(codes.status))
