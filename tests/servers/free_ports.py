"""A port for a server that cannot be asked to choose one itself.

Whoever asks the kernel for a port, lets it go and hands it to a server loses a race now and then:
until the server listens, any connection that leaves this machine may be given that port. These
are therefore outside the range from which the kernel gives ports to connections.
"""

import os
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST = 10_000
_WORKERS = 8


def free_port() -> int:
    """Return a port of loopback, free for UDP and TCP, that this process never gets again."""
    return next(_free)


def _ports() -> Iterator[int]:
    """All ports of this worker's share, in an order that another run does not have."""
    given = int(_RANGE.read_text().split()[0]) if _RANGE.is_file() else 32_768
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    share = list(range(_FIRST + worker, given, _WORKERS))
    random.SystemRandom().shuffle(share)
    yield from filter(_is_free, share)


def _is_free(port: int) -> bool:
    with ExitStack() as stack:
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                stack.enter_context(socket.socket(type=kind)).bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_free = _ports()
