"""Files made to hurt: refused in less than a second, and in less than 50 MiB."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import json, resource, sys, time
from pathlib import Path
from agent.config import ConfigError, load
# More than this and the child dies, whatever the measured growth says.
resource.setrlimit(resource.RLIMIT_DATA, (512 << 20, 512 << 20))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
load(Path(sys.argv[1]), probes=())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.process_time()
try:
    load(Path(sys.argv[2]), probes=())
    lines = []
except ConfigError as error:
    lines = str(error).splitlines()
took = time.process_time() - began
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"seconds": took, "kib": grown, "lines": lines[:3]}))
"""


def _bomb() -> str:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    return "l0: &l0 [lol, lol, lol]\n" + levels


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(_bomb(), "aliases stand for more than", id="alias bomb"),
        pytest.param("[" * 5000, "levels deep", id="5,000 brackets"),
        pytest.param("{a: " * 5000, "levels deep", id="5,000 braces"),
        pytest.param("- " * 5000, "levels deep", id="5,000 dashes"),
        pytest.param(
            "".join(" " * n + "a:\n" for n in range(5000)), "levels deep", id="5,000 indents"
        ),
        pytest.param("a: 1\n" * (50 << 18), "is larger than 16 MiB", id="50 MB"),
        pytest.param("\0" * (15 << 20), "control character", id="15 MiB of NUL"),
    ],
)
def test_a_file_made_to_hurt_is_refused_at_once(tmp_path: Path, content: str, message: str) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("agent: {vantage: here}\n", encoding="utf-8")
    bad.write_text(content, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", CHILD, good, bad],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    seen = json.loads(done.stdout)
    assert message in seen["lines"][0]
    assert seen["seconds"] < 1
    assert seen["kib"] < 50 * 1024
