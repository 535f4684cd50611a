"""What does a synthetic message say to people, and to software that damages mail?

The same sentences once as text and once as HTML: a mail store that keeps one of the two and makes
the other anew, as Exchange does, brings back the same words.
"""

OPENING = "This is a synthetic message of mailflow-agent, which watches this way of mail."


def plain_text(token: str) -> str:
    """Return the text of the message with *token*."""
    return "\r\n".join((*_sentences(token), ""))


def html_text(token: str) -> str:
    """Return the same text as a document of HTML, which holds no link and no picture."""
    lines = "".join(f"<p>{line}</p>\r\n" for line in _sentences(token) if line)
    head = "<head><title>mailflow-agent</title></head>"
    return f"<!DOCTYPE html>\r\n<html>{head}\r\n<body>\r\n{lines}</body></html>\r\n"


def _sentences(token: str) -> tuple[str, ...]:
    return (
        OPENING,
        "Nobody needs to read or answer it.",
        "",
        f"Token: {token}",
        "",
        ".a line that starts with a dot, which a careless relay loses",
        "From a mailbox in mbox form this line comes back changed.",
    )
