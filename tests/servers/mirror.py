"""What does a process see of itself, and how does it end? Run as a program: forked, and afresh."""

import atexit
import json
import os
import signal
import sys
import threading
import warnings


def seen() -> dict[str, object]:
    """Return all in which a forked process might differ from one with an interpreter of its own."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    ours = {"mailflow_test", "COLUMNS"}
    return {
        "arguments": sys.argv,
        "folder": os.getcwd(),  # noqa: PTH109 - as the system has it
        "environment": {key: value for key, value in os.environ.items() if key in ours},
        "descriptors": [each for each in range(64) if _is_open(each)],
        "encodings": [(each.encoding, each.errors, each.line_buffering) for each in streams],
        "handlers": {int(each): str(signal.getsignal(each)) for each in signal.valid_signals()},
        "input": sys.stdin.read(),
        "warnings": [each for each in map(str, warnings.filters) if "." not in each],  # Python's
        "threads": threading.active_count(),
    }


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _later() -> None:
    threading.main_thread().join()
    print("a thread may end after the main one")  # noqa: T201 - for the test


def end(how: str) -> None:
    """End in one of the ways in which a command may."""
    if how == "code":
        sys.exit(3)
    if how == "words":
        sys.exit("what went wrong")
    if how == "crash":
        raise LookupError(how)
    if how == "late":
        atexit.register(print, "and then what was to be done at the end")
        threading.Thread(target=_later).start()
    if how == "unread":
        os.close(sys.stdout.fileno())
    if how in ("SIGINT", "SIGTERM", "SIGKILL"):
        os.kill(os.getpid(), signal.Signals[how])
        signal.pause()


if __name__ == "__main__":
    json.dump(seen(), sys.stdout)
    print()  # noqa: T201 - for the test
    end(sys.argv[1])
