"""Which resolvers does this machine use?"""

from pathlib import Path

PORT = 53
_LOCAL = ("127.0.0.1", PORT)  # what resolv.conf(5) says when it names none


def system_resolvers(path: Path = Path("/etc/resolv.conf")) -> tuple[tuple[str, int], ...]:
    """Return the name servers of the system, as addresses and ports, in their order."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return (_LOCAL,)
    words = [line.split() for line in lines]
    servers = tuple((line[1], PORT) for line in words if line[:1] == ["nameserver"] and line[1:])
    return servers or (_LOCAL,)
