"""Where secrets come from, and what is said when they do not."""

import copy
import pickle
from pathlib import Path

import pytest

from agent.settings import MASK, Secret, SecretError
from agent.settings.secret import MAX_SECRET, read_secret_file


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        pytest.param(b"hunter2", "hunter2", id="bare"),
        pytest.param(b"hunter2\n", "hunter2", id="line break"),
        pytest.param(b"hunter2\r\n", "hunter2", id="line break of Windows"),
        pytest.param(b" hunter2 \n", " hunter2 ", id="spaces are part of it"),
        pytest.param(b"a\nb\n", "a\nb", id="several lines"),
        pytest.param("pässwörd".encode(), "pässwörd", id="UTF-8"),
    ],
)
def test_a_secret_is_the_content_without_its_last_line_break(
    tmp_path: Path, content: bytes, secret: str
) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert Secret.from_file(path).reveal() == secret


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "does not exist", id="missing"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b" \n", "is empty", id="blank"),
        pytest.param(b"hunter2\xff", "is not UTF-8 text", id="no text"),
        pytest.param(b"x" * (1 << 20), "is larger than 64 KiB; that is no secret", id="1 MB"),
    ],
)
def test_a_secret_that_cannot_be_read_says_why(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SecretError) as caught:
        read_secret_file(path)
    assert str(caught.value) == message
    assert caught.value.__context__ is None or content is None


def test_a_folder_and_a_broken_link_are_named(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="is a folder"):
        read_secret_file(tmp_path)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(SecretError, match="cannot be read: Too many levels"):
        read_secret_file(loop)


def test_the_largest_secret_is_read(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"x" * MAX_SECRET)
    assert len(Secret.from_file(path).reveal()) == MAX_SECRET


def test_a_variable_is_read_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret.from_environment("MAILFLOW_TEST_SECRET")
    monkeypatch.delenv("MAILFLOW_TEST_SECRET", raising=False)
    with pytest.raises(SecretError, match="is not set"):
        secret.reveal()
    monkeypatch.setenv("MAILFLOW_TEST_SECRET", " ")
    with pytest.raises(SecretError, match="is empty"):
        secret.reveal()
    monkeypatch.setenv("MAILFLOW_TEST_SECRET", "hunter2")
    assert secret.reveal() == "hunter2"


def test_a_secret_has_no_readable_form(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("hunter2", encoding="utf-8")
    secret = Secret.from_file(path)
    assert [str(secret), repr(secret), f"{secret}"] == [MASK, f"Secret({MASK})", MASK]
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            take(secret)


def test_secrets_are_equal_when_they_are_kept_at_the_same_place(tmp_path: Path) -> None:
    one, same = Secret.from_file(tmp_path / "a"), Secret.from_file(tmp_path / "a")
    assert one == same
    assert len({one, same, Secret.from_file(tmp_path / "b")}) == 2
    assert one != str(one)


def test_only_files_can_be_readable_by_all(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    secret = Secret.from_file(path)
    assert not secret.readable_by_all
    path.write_text("x", encoding="utf-8")
    path.chmod(0o604)
    assert secret.readable_by_all
    path.chmod(0o640)
    assert not secret.readable_by_all
    assert not Secret.from_environment("PATH").readable_by_all
