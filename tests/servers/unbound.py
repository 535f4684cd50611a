"""A real recursive resolver, in front of the tests' own server.

unbound asks the given server for every name and caches what it says; it never asks anybody else.
"""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from agent.adapters.dns_question import echoes, encode_query, encode_question
from servers.free_ports import free_port

PROGRAM = shutil.which("unbound", path=os.environ.get("PATH", "") + ":/usr/sbin")
_CONTROL_NAME = "ready.unbound.invalid"
_CONFIGURATION = """
server:
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  verbosity: 0
  use-syslog: no
  logfile: ""
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  do-ip6: no
  do-daemonize: no
  do-not-query-localhost: no
  module-config: "{modules}"
  local-zone: "test." nodefault
  local-zone: "invalid." nodefault
  local-zone: "168.192.in-addr.arpa." nodefault
  local-zone: "10.in-addr.arpa." nodefault
  local-zone: "2.0.192.in-addr.arpa." nodefault
  local-zone: "100.51.198.in-addr.arpa." nodefault
  local-zone: "113.0.203.in-addr.arpa." nodefault
  local-zone: "8.b.d.0.1.0.0.2.ip6.arpa." nodefault
  local-data: "{control}. 60 IN A 127.0.0.1"
  cache-max-ttl: {max_ttl}
  cache-max-negative-ttl: {max_ttl}
  serve-expired: no
  rrset-roundrobin: yes
  num-threads: 1
  so-rcvbuf: 1m
  infra-host-ttl: 1
{anchors}
{records}
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: {host}@{upstream}
"""


@asynccontextmanager
async def unbound(
    upstream: tuple[str, int],
    *,
    max_ttl: int = 86_400,
    records: Iterable[str] = (),
    anchors: Iterable[str] = (),
) -> AsyncIterator[tuple[str, int]]:
    """Run unbound in front of *upstream*, and give its address once it answers.

    *records*, written as in a zone file, it knows by itself. With *anchors*, DS records as in a
    zone file, it validates what is below them.
    """
    assert PROGRAM is not None, "install Debian's unbound"
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        path = _configure(
            Path(folder),
            port,
            upstream,
            max_ttl=max_ttl,
            records=tuple(records),
            anchors=tuple(anchors),
        )
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "-d", "-c", str(path), stdin=asyncio.subprocess.DEVNULL
        )
        try:
            await _until_ready(port, process)
            yield ("127.0.0.1", port)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _configure(
    folder: Path,
    port: int,
    upstream: tuple[str, int],
    *,
    max_ttl: int,
    records: tuple[str, ...],
    anchors: tuple[str, ...],
) -> Path:
    path = folder / "unbound.conf"
    host, upstream_port = upstream
    path.write_text(
        _CONFIGURATION.format(
            port=port,
            folder=folder,
            control=_CONTROL_NAME,
            max_ttl=max_ttl,
            host=host,
            upstream=upstream_port,
            modules="validator iterator" if anchors else "iterator",
            anchors="".join(f"  trust-anchor: '{anchor}'\n" for anchor in anchors),
            records="".join(f"  local-data: '{record}'\n" for record in records),
        )
    )
    return path


async def _until_ready(port: int, process: asyncio.subprocess.Process) -> None:
    """Ask for a name that unbound knows by itself, until it answers."""
    question = encode_question(_CONTROL_NAME, "A")
    assert question is not None
    for _ in range(100):
        assert process.returncode is None, "unbound did not start"
        replies: asyncio.Queue[bytes] = asyncio.Queue()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda replies=replies: _Inbox(replies),  # type: ignore[misc]
            remote_addr=("127.0.0.1", port),
        )
        transport.sendto(encode_query(b"ok", question, edns=False))
        try:
            async with asyncio.timeout(0.1):
                if echoes(await replies.get(), question):
                    return
        except TimeoutError:
            pass
        finally:
            transport.close()
    message = "unbound does not answer"
    raise TimeoutError(message)


class _Inbox(asyncio.DatagramProtocol):
    def __init__(self, replies: asyncio.Queue[bytes]) -> None:
        self._replies = replies

    def datagram_received(self, data: bytes, _addr: object) -> None:
        self._replies.put_nowait(data)
