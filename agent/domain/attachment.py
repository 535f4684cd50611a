"""What does a synthetic file hold?

Files are made from the token and nothing else, are harmless and look like what they say they are: a
filter that opens them finds what it expects. Random octets would look like an encrypted container,
and one octet a million times like an attack on the scanner.
"""

import io
import zipfile
from collections.abc import Callable, Mapping

_WIDTH = 72  # characters of a line
_FAR = 10**9  # no offset in a file of ours is as long a number
_LONG_AGO = (2000, 1, 1, 0, 0, 0)  # a file in a container has a time, which must not change
_FONTS = b"/Resources << /Font << /F1 5 0 R >> >>"
_PAGE = b"BT /F1 12 Tf 72 720 Td (A synthetic document of mailflow-agent) Tj ET"


def text(token: str, size: int) -> bytes:
    """Return *size* octets of lines that anybody can read, ending in a line break."""
    line = f"mailflow-agent tests this way of mail with a file that means nothing. {token}"
    block = "\r\n".join(line[at : at + _WIDTH].rstrip() for at in range(0, len(line), _WIDTH))
    octets = f"{block}\r\n".encode("ascii")
    whole = octets * (size // len(octets) + 1)
    return whole[: max(size - 2, 0)] + b"\r\n"[:size]


def csv(token: str, size: int) -> bytes:
    """Return at least *size* octets of a table with a head and equal rows."""
    row = f'"{token}","mailflow-agent","a row that means nothing"\r\n'.encode("ascii")
    head = b"token,program,remark\r\n"
    return head + row * -(-max(size - len(head), 0) // len(row))


def pdf(token: str, size: int) -> bytes:
    """Return a PDF of one page and at least *size* octets (ISO 32000-1 section 7.5)."""
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R %s >>" % _FONTS,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(_PAGE), _PAGE),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    entries = b"".join(b"%010d 00000 n \n" % place for place in places)
    tail = b"xref\n0 6\n0000000000 65535 f \n" + entries
    tail += b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n"
    comment = f"% {token} a comment that fills the file\n".encode("ascii")
    end = len(b"%d\n%%%%EOF\n" % _FAR)
    out += comment * -(-max(size - len(out) - len(tail) - end, 0) // len(comment))
    return bytes(out) + tail + b"%d\n%%%%EOF\n" % len(out)


def archive(token: str, size: int) -> bytes:
    """Return a ZIP archive with one text in it, not compressed, of at least *size* octets."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as container:
        member = zipfile.ZipInfo("mailflow-agent.txt", _LONG_AGO)
        container.writestr(member, text(token, size))
    return out.getvalue()


Maker = Callable[[str, int], bytes]

MAKERS: Mapping[str, Maker] = {
    "text/plain": text,
    "text/csv": csv,
    "application/pdf": pdf,
    "application/zip": archive,
    "application/octet-stream": text,
}
EXTENSIONS: Mapping[str, str] = {
    "text/plain": "txt",
    "text/csv": "csv",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/octet-stream": "txt",
}
