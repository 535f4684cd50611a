"""Does `generate` bring what is rendered up to date, and tell what is stale?"""

from pathlib import Path

import pytest

from agent.exposition.generated import rendered
from servers.program import mailflow_agent


@pytest.fixture
async def project(tmp_path: Path) -> Path:
    ended = await mailflow_agent("generate", "--root", str(tmp_path))
    count = len(rendered())
    assert (ended.code, ended.out) == (0, f"{count} files rendered, {count} of them changed\n")
    return tmp_path


async def test_what_was_just_rendered_is_not_stale(project: Path) -> None:
    ended = await mailflow_agent("generate", "--check", "--root", str(project))
    assert (ended.code, ended.out, ended.err) == (0, "", "")


async def test_stale_files_are_named_and_left_as_they_are(project: Path) -> None:
    page = project / "docs/checks/spf.md"
    page.write_text("edited")
    orphan = project / "docs/checks/gone.md"
    orphan.write_text("of a probe that is no more")
    ended = await mailflow_agent("generate", "--check", "--root", str(project))
    assert ended.code == 1
    assert ended.err.splitlines() == [
        "docs/checks/gone.md is stale; run: make generate",
        "docs/checks/spf.md is stale; run: make generate",
    ]
    assert page.read_text() == "edited"

    written = await mailflow_agent("generate", "--root", str(project))
    assert written.out.endswith(" files rendered, 2 of them changed\n")
    assert page.read_text() == rendered()["docs/checks/spf.md"]
    assert not orphan.exists()


async def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    ended = await mailflow_agent("generate", "--root", str(tmp_path / "nowhere"))
    assert ended.code == 64
    assert "does not exist" in ended.err
