"""The image as a container: by podman, or where none can run, as a process in a chroot."""

import os
import shlex
import signal
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Protocol

IMAGE = os.environ.get("MAILFLOW_IMAGE", "")
_STORE = shlex.split(os.environ.get("MAILFLOW_STORE", ""))
_RUNTIME = ("--runtime", "runc", "--cgroup-manager", "cgroupfs")
LOCKED_DOWN = (
    *("--pull", "never", "--read-only", "--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges", "--pids-limit", "64"),
    # The defaults are above what an enclosed root may ask for.
    *("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"),
)
_VOLUME = "mailflow-state"
_STATE = "/var/lib/mailflow-agent"
_CONFIG = "/etc/mailflow-agent/config.yaml"
_PORT = 16245


class RefusedError(Exception):
    """The engine did not do it; the text is what it said."""


def tool(program: str, *arguments: str, timeout: float = 180) -> str:
    """Run podman or buildah over the test's store, and return what it writes."""
    runtime = _RUNTIME if program == "podman" else ()
    ended = subprocess.run(
        [program, *_STORE, *runtime, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    if ended.returncode:
        message = f"{program} {arguments[0]}: {ended.stderr.strip()[-2000:]}"
        raise RefusedError(message)
    return ended.stdout


class Container(Protocol):
    """An agent with its lab, of the image, that runs."""

    pid: int
    url: str
    state: Path

    def began(self) -> datetime: ...
    def run(self, *command: str) -> str: ...
    def is_healthy(self) -> bool: ...
    def terminate(self) -> int: ...
    def log(self) -> str: ...


class Podman:
    """A container, locked down."""

    def __init__(self, config: Path, *extra: str) -> None:
        publish = f"127.0.0.1::{_PORT}"
        mounts = ("--volume", f"{_VOLUME}:{_STATE}", "--volume", f"{config}:{_CONFIG}:ro")
        # Nothing that runs needs a shell: it gets an empty file for one.
        shell = ("--volume", "/dev/null:/usr/bin/dash:ro")
        flags = (*LOCKED_DOWN, *mounts, *shell, "--publish", publish, *extra)
        self._id = tool("podman", "run", "--detach", *flags, IMAGE, "run", "--lab").strip()
        self.url = f"http://{tool('podman', 'port', self._id, str(_PORT)).strip()}"
        self.pid = int(self._ask("{{.State.Pid}}"))
        where = tool("podman", "volume", "inspect", _VOLUME, "--format", "{{.Mountpoint}}")
        self.state = Path(where.strip())

    def _ask(self, template: str) -> str:
        return tool("podman", "container", "inspect", self._id, "--format", template).strip()

    def began(self) -> datetime:
        """Return when the engine had started its process."""
        text = self._ask('{{.State.StartedAt.Format "2006-01-02T15:04:05.000000Z07:00"}}')
        return datetime.fromisoformat(text)

    def run(self, *command: str) -> str:
        """Run a command inside; raises RefusedError where it fails."""
        return tool("podman", "exec", self._id, *command)

    def is_healthy(self) -> bool:
        """Have the image's HEALTHCHECK made."""
        try:
            tool("podman", "healthcheck", "run", self._id)
        except RefusedError:
            return False
        return True

    def terminate(self) -> int:
        """Send what `docker stop` sends, and return the code that the process ends with."""
        tool("podman", "kill", "--signal", "TERM", self._id)
        return int(tool("podman", "wait", self._id))

    def log(self) -> str:
        """Return what it wrote."""
        ended = subprocess.run(
            ["podman", *_STORE, *_RUNTIME, "logs", self._id],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        return ended.stdout


class Chroot:
    """The image's files and user without any isolation."""

    def __init__(self, config: Path, port: int, state: Path) -> None:
        self.state = state
        self.url = f"http://127.0.0.1:{port}"
        self._began = datetime.now().astimezone()
        self._id = tool("buildah", "from", "--pull-never", IMAGE).strip()
        self._enter = (
            *("buildah", *_STORE, "run", "--isolation", "chroot"),
            *("--env", f"MAILFLOW_AGENT_LISTEN=127.0.0.1:{port}"),
            # Over a volume of the image none can be mounted here.
            *("--env", "MAILFLOW_AGENT_STATE=/state", "--volume", f"{state}:/state"),
            *("--volume", f"{config}:{_CONFIG}:ro"),
            *(self._id, "--", "mailflow-agent"),
        )
        self._log = state.parent / "chroot.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([*self._enter, "run", "--lab"], stderr=log)
        self.pid = self._process.pid

    def began(self) -> datetime:
        """Return when its start was asked for."""
        return self._began

    def run(self, *command: str) -> str:
        """Run the program inside."""
        assert command[0] == "mailflow-agent"
        return subprocess.run(
            [*self._enter, *command[1:]], capture_output=True, text=True, check=True
        ).stdout

    def is_healthy(self) -> bool:
        """Do what the image's HEALTHCHECK does."""
        return "healthy" in self.run("mailflow-agent", "healthcheck")

    def terminate(self) -> int:
        """Tell the agent itself, which is a grandchild, to stop."""
        os.kill(_innermost(self.pid), signal.SIGTERM)
        return self._process.wait(60)

    def log(self) -> str:
        """Return what it wrote."""
        return self._log.read_text(encoding="utf-8")


def _innermost(pid: int) -> int:
    """Follow the only child there is, whichever thread of its parent started it."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    children = " ".join(each.read_text(encoding="ascii") for each in threads).split()
    return _innermost(int(children[0])) if children else pid
