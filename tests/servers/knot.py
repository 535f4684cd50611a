"""A real authoritative server, whose zones are signed well, wrongly, long ago, or not at all.

    with knot({"good.test": Signed(records), "plain.test": Unsigned(records)}) as server:
        ...  # server.address, and server.anchors for who is to trust the signed zones

Keys and signatures are made by Knot's own tools; a time in the past makes them expire.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from servers.free_ports import free_port

_PATH = os.environ.get("PATH", "") + ":/usr/sbin"
PROGRAM = shutil.which("knotd", path=_PATH)
KEYMGR = shutil.which("keymgr", path=_PATH)
KZONESIGN = shutil.which("kzonesign", path=_PATH)
IS_THERE = None not in (PROGRAM, KEYMGR, KZONESIGN)
LIFETIME = timedelta(days=14)
_SECONDS = 20
_SERVER = """
server:
  listen: 127.0.0.1@{port}
  rundir: "{folder}"
log:
  - target: stderr
    any: error
database:
  storage: "{folder}/keys"
policy:
  - id: ours
    algorithm: ecdsap256sha256
    single-type-signing: on
    manual: on
    rrsig-lifetime: {days}d
    cds-cdnskey-publish: none
template:
  - id: default
    storage: "{folder}/zones"
    file: "%s.zone"
    zonefile-sync: -1
    dnssec-policy: ours
    dnssec-signing: {signing}
zone:
"""
_APEX = """{zone}. 60 SOA ns.{zone}. host.{zone}. 1 3600 600 86400 60
{zone}. 60 NS ns.{zone}.
ns.{zone}. 60 A 127.0.0.1
"""


@dataclass(frozen=True, slots=True)
class Zone:
    """Lines of a zone file, and how they are signed.

    ``ago`` is how long ago they were signed, None for never; ``spoilt`` are texts of the signed
    zone and what somebody made of them afterwards; with ``is_anchored`` there is a trust anchor.
    Where it ``is_whole`` the lines have SOA and NS records of their own.
    """

    lines: str
    ago: timedelta | None = timedelta(0)
    spoilt: tuple[tuple[str, str], ...] = ()
    is_anchored: bool = True
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Knot:
    """Where it listens, and a DS record for each zone that is to be trusted."""

    address: tuple[str, int]
    anchors: tuple[str, ...]


@contextlib.contextmanager
def knot(zones: Mapping[str, Zone]) -> Iterator[Knot]:
    """Sign *zones* and serve them."""
    assert PROGRAM is not None, "install Debian's knot and knot-dnssecutils"
    with tempfile.TemporaryDirectory(prefix="mailflow-knot-") as name:
        folder, port = Path(name), free_port()
        for each in ("keys", "zones", "signed"):
            (folder / each).mkdir()
        signing = _configure(folder, port, zones, signing=True)
        anchors = tuple(
            anchor
            for name, zone in zones.items()
            for anchor in _prepare(folder, signing, name, zone)
        )
        serving = _configure(folder, port, zones, signing=False)
        process = subprocess.Popen((PROGRAM, "-c", str(serving)), stdin=subprocess.DEVNULL)
        try:
            _until_answered(port, process)
            yield Knot(("127.0.0.1", port), anchors)
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _configure(folder: Path, port: int, zones: Mapping[str, Zone], *, signing: bool) -> Path:
    path = folder / ("signing.conf" if signing else "serving.conf")
    text = _SERVER.format(
        port=port, folder=folder, days=LIFETIME.days, signing="on" if signing else "off"
    )
    path.write_text(text + "".join(f"  - domain: {name}\n" for name in zones))
    return path


def _prepare(folder: Path, conf: Path, name: str, zone: Zone) -> Iterator[str]:
    """Write a zone as it is served, and yield its trust anchor."""
    path = folder / "zones" / f"{name.removesuffix('.')}.zone"  # as %s has it
    path.write_text(("" if zone.is_whole else _APEX.format(zone=name)) + zone.lines)
    if zone.ago is None:
        return
    then = str(int((datetime.now().astimezone() - zone.ago).timestamp()))
    times = tuple(f"{each}={then}" for each in ("created", "publish", "ready", "active"))
    _call(KEYMGR, "-c", conf, name, "generate", "ksk=yes", "zsk=yes", *times)
    _call(KZONESIGN, "-c", conf, "-o", folder / "signed", "-t", then, name)
    signed = (folder / "signed" / path.name).read_text()
    for text, instead in zone.spoilt:
        assert text in signed
        signed = signed.replace(text, instead)
    path.write_text(signed)
    if zone.is_anchored:
        yield from _call(KEYMGR, "-c", conf, name, "ds").splitlines()[:1]


def _call(program: str | None, *words: object) -> str:
    assert program is not None
    done = subprocess.run(
        (program, *map(str, words)), capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _until_answered(port: int, process: subprocess.Popen[bytes]) -> None:
    """Ask for the root's servers until something comes back, be it a refusal."""
    question = b"ok\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1"
    until = time.monotonic() + _SECONDS
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.settimeout(0.1)
        udp.connect(("127.0.0.1", port))
        while time.monotonic() < until:
            assert process.poll() is None, "it did not start"
            with contextlib.suppress(OSError):
                udp.send(question)
                if udp.recv(512)[:2] == b"ok":
                    return
    message = "it does not answer"
    raise TimeoutError(message)
