"""What is known of a kind of reply?"""

import enum
import re
from dataclasses import dataclass

_CODES = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?:-(\d{1,3}))?")


class ReplyClass(enum.StrEnum):
    """What a refusal is about: a closed set, fit for a label value."""

    THROTTLE = "throttle"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    DANE = "dane"
    RELAY = "relay"
    ROUTING = "routing"
    LOOP = "loop"
    ADDRESS = "address"
    AUTH = "auth"
    POLICY = "policy"
    LIMIT = "limit"
    REPUTATION = "reputation"
    SPF = "spf"
    DMARC = "dmarc"
    IPV6 = "ipv6"
    HYBRID = "hybrid"
    CONFIG = "config"
    FORMAT = "format"
    REMOTE = "remote"
    EXPIRED = "expired"
    ONPREM = "onprem"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Known:
    """A kind of reply, with what an administrator should know of it.

    ``codes`` are enhanced status codes or ranges of them in their last part (``4.7.500-699``);
    ``text`` is a part of the reply's text in lower case that must be there, where the code alone
    does not tell.
    """

    codes: tuple[str, ...]
    reply_class: ReplyClass
    meaning: str
    cause: str
    fix: str
    text: str = ""

    def covers(self, enhanced: str) -> bool:
        """Tell whether an enhanced code is one of the kind's; the text is another question."""
        return any(_covers(each, enhanced) for each in self.codes)


def _covers(codes: str, enhanced: str) -> bool:
    if codes == enhanced:
        return True
    if "-" not in codes:
        return False
    known, given = _CODES.fullmatch(codes), _CODES.fullmatch(enhanced)
    if known is None or given is None:
        return False
    return known.group(1, 2) == given.group(1, 2) and int(known[3]) <= int(given[3]) <= int(
        known[4]
    )
