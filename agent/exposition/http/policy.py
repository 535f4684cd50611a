"""What does every answer say to a browser, and how much may a request be?"""

import resource
from types import MappingProxyType

LINE = 8 * 1024  # octets of a request line, and of one header field
HEADERS = 32  # header fields
BODY = 1024  # octets
CONNECTIONS = 4096  # at most, and no more than half of the files that the process may open
ASKING = 64  # requests that are being answered at once, of those that take long
BACKLOG = 512  # connections that the kernel has accepted and we have not
ACCEPTED = 16  # of them between two turns of the event loop
SENDING = 30.0  # seconds until a reader that does not read is left
KEEPALIVE = 30.0  # seconds; the gate is stricter
LINGERING = 1.0  # seconds spent on the body of a refused request

POLICY = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self';"
        " connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Server": "mailflow-agent",
    }
)
# What has a tag may be asked for again, and is not shown without asking.
REVALIDATED = "private, no-cache"


def places() -> int:
    """Return how many connections there is room for: checks need files, too."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return CONNECTIONS if files < 0 else max(64, min(CONNECTIONS, files // 2))
