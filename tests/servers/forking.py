"""How is a command run without an interpreter that starts anew and imports everything again?

A helper process has imported the whole program once. For each command it forks: the child takes the
file descriptors, the folder, the environment and the arguments that came with the request, and runs
the module as ``python -m`` would, in a process of its own, to its end. The helper says, on a pipe
that came along, the child's id and then how it ended.

Arguments: the descriptor of the socket from which requests come; at its end the helper ends too.
"""

import array
import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import threading
import warnings
from dataclasses import dataclass
from typing import Any, TextIO, cast

LARGEST = 2**20  # octets of a request
_STREAMS = 3  # of a command: its input, output, and errors
_PYTHONS = warnings.filters[0]  # the first of its own filters


@dataclass(frozen=True, slots=True)
class Request:
    """A command to run, and the descriptors for it: its three streams, and where to say its end."""

    module: str
    arguments: list[str]
    cwd: str
    environment: dict[str, str]
    streams: tuple[int, ...] = ()
    status: int = -1


def preload() -> None:
    """Import the whole program, and what it imports only when it needs it."""
    package = importlib.import_module("agent")
    for module in pkgutil.walk_packages(package.__path__, "agent."):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(ImportError, SyntaxError):  # for the command that needs it
                importlib.import_module(module.name)
    importlib.import_module("dkim")


class Helper:
    """Forks for each request, and tells the end of each child."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._selector = selectors.DefaultSelector()
        self._selector.register(requests, selectors.EVENT_READ)
        self._children: dict[int, tuple[int, int]] = {}  # by pidfd: its pid, and where to say so

    def serve(self) -> Request | None:
        """Return in each child what it is to run, and None in the helper when all is done."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._requests:
                    request = self._next()
                    if request is None:
                        self._end_all()
                        return None
                    if self._fork(request):
                        return request
                else:
                    self._bury(key.fd)

    def _next(self) -> Request | None:
        message, ancillary, _, _ = self._requests.recvmsg(LARGEST, socket.CMSG_SPACE(4 * 4))
        if not message:
            return None
        descriptors = array.array("i")
        for _level, _kind, data in ancillary:
            descriptors.frombytes(data)
        *streams, status = descriptors
        return Request(**json.loads(message), streams=tuple(streams), status=status)

    def _fork(self, request: Request) -> bool:
        """Fork, and return whether this is the child."""
        pid = os.fork()
        if not pid:
            self._selector.close()
            self._requests.close()
            return True
        _say(request.status, pid)
        for stream in request.streams:
            os.close(stream)
        ends = os.pidfd_open(pid)
        self._children[ends] = (pid, request.status)
        self._selector.register(ends, selectors.EVENT_READ)
        return False

    def _bury(self, ends: int) -> None:
        pid, status = self._children.pop(ends)
        self._selector.unregister(ends)
        os.close(ends)
        _, code = os.waitpid(pid, 0)
        _say(status, os.waitstatus_to_exitcode(code))
        os.close(status)

    def _end_all(self) -> None:
        for pid, _ in self._children.values():
            os.kill(pid, signal.SIGKILL)
        for ends in list(self._children):
            self._bury(ends)


def _say(status: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
        os.write(status, f"{number}\n".encode())


def become(request: Request) -> None:
    """Be a process as if it had been started for this request, up to its first own line."""
    for number, stream in enumerate(request.streams):
        os.dup2(stream, number)
    os.closerange(_STREAMS, os.sysconf("SC_OPEN_MAX"))
    os.chdir(request.cwd)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.stdin, sys.stdout, sys.stderr = map(_reopened, (sys.stdin, sys.stdout, sys.stderr), "rww")
    sys.path[0] = request.cwd
    sys.argv = [request.module, *request.arguments]
    if action := request.environment.get("PYTHONWARNINGS"):
        # Python's own come after it, what libraries have put before those comes before it.
        filters = cast("list[Any]", warnings.filters)
        filters.insert(filters.index(_PYTHONS), (action, None, Warning, None, 0))
        warnings._filters_mutated()  # type: ignore[attr-defined]


def _reopened(stream: TextIO, mode: str) -> Any:
    """Open a standard stream anew, as Python does when it starts."""
    is_unbuffered = mode == "w" and bool(os.environ.get("PYTHONUNBUFFERED"))
    number = stream.fileno()
    return io.TextIOWrapper(
        open(number, f"{mode}b", buffering=0 if is_unbuffered else -1, closefd=False),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=not is_unbuffered and (stream is sys.stderr or os.isatty(number)),
        write_through=is_unbuffered,
    )


def _end(code: object) -> None:
    """End as Python does, but do not free all memory piece by piece: that costs more than the rest.

    Returns where Python is to do it itself: it complains about what cannot be written.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        if isinstance(code, int):
            os._exit(code & 0xFF)


def main() -> None:
    """Import, and fork until nobody asks any more."""
    preload()
    gc.collect()
    gc.freeze()  # what all share is left alone, and so stays shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal; it is for the tests to end
    request = Helper(socket.socket(fileno=int(sys.argv[1]))).serve()
    if request is None:
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    become(request)
    try:
        runpy.run_module(request.module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        _end(ended.code)
        raise


if __name__ == "__main__":
    main()
