"""What does a Subject say, once its encoded words are undone?

The answer is for looking at, not for showing: it may hold any character. Only charsets that are
read in linear time are undone; others stay as they came.
"""

import binascii
import contextlib
import re

MAX_SUBJECT = 1000  # characters that are looked at

_WORD = re.compile(
    r"=\?([A-Za-z0-9_-]{1,40})(?:\*[^?]{0,20})?\?([BbQq])\?([^? ]{0,400})\?="
)  # RFC 2047
_BETWEEN = re.compile(r"(\?=)\s{1,20}(?==\?)")  # section 6.2: blanks between two are not shown
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")  # as PeerText writes an octet that is not ASCII
_CHARSET = re.compile(
    r"utf-8|us-ascii|iso-8859-\d{1,2}|windows-125\d|cp125\d|iso-2022-jp|shift_jis|euc-jp|euc-kr"
    r"|ks_c_5601-1987|gb2312|gbk|gb18030|big5|koi8-[ru]",
    re.IGNORECASE,
)


def words_of(subject: str) -> str:
    """Return a Subject, as a header reader gave it, in lower case and decoded as far as it can be.

    Never raises.
    """
    text = _BETWEEN.sub(r"\1", subject[:MAX_SUBJECT])
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return _WORD.sub(_decoded, text).strip().lower()


def _decoded(word: re.Match[str]) -> str:
    charset, encoding, text = word.groups()
    if not _CHARSET.fullmatch(charset):
        return word[0]
    try:
        octets = text.encode("ascii")
        if encoding in "Bb":
            octets = binascii.a2b_base64(octets)
        else:
            octets = binascii.a2b_qp(octets, header=True)
        return octets.decode(charset, "replace")
    except (binascii.Error, LookupError, UnicodeError):
        return word[0]
