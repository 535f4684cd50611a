"""Are the system's resolvers found?"""

from pathlib import Path

import pytest

from agent.adapters.resolv_conf import system_resolvers


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        pytest.param(
            "# c\nsearch x\nnameserver 192.0.2.1 # d\nnameserver  2001:db8::1\nnameserver\n",
            (("192.0.2.1", 53), ("2001:db8::1", 53)),
            id="two servers among other lines",
        ),
        pytest.param("options edns0\n", (("127.0.0.1", 53),), id="no server"),
    ],
)
def test_resolv_conf_is_read(
    text: str, servers: tuple[tuple[str, int], ...], tmp_path: Path
) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text(text)
    assert system_resolvers(path) == servers


def test_without_the_file_the_local_machine_is_asked(tmp_path: Path) -> None:
    assert system_resolvers(tmp_path / "missing") == (("127.0.0.1", 53),)
