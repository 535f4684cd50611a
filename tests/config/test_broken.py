"""Every broken file of the corpus, with the lines that its author is shown."""

from pathlib import Path

import pytest

from agent.config import ConfigError, load
from agent.config.model import Probes

CORPUS = Path(__file__).parent / "broken"
FILES = sorted(CORPUS.glob("*.yaml"))


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILFLOW_TEST_NOT_SET", raising=False)


def lines_for(path: Path, probes: Probes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, probes=probes)
    return str(caught.value).replace(str(path), "FILE").splitlines()


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in FILES])
def test_a_broken_file_is_explained_line_by_line(path: Path, probes: Probes) -> None:
    lines = lines_for(path, probes)
    assert lines == path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    assert not any("hunter2" in line for line in lines)


def test_the_corpus_is_large_and_every_file_of_it_has_its_lines() -> None:
    assert len(FILES) >= 60
    assert {path.stem for path in FILES} == {path.stem for path in CORPUS.glob("*.txt")}


def test_twenty_mistakes_are_twenty_lines(probes: Probes) -> None:
    (path,) = CORPUS.glob("*-twenty-mistakes.yaml")
    assert len(lines_for(path, probes)) == 20
