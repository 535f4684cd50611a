"""Where what one owner has ends."""

import pytest

from agent.domain.public_suffix import owned_parents, zone_of


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        pytest.param("a.b.contoso.co.uk", "contoso.co.uk", id="two labels are shared"),
        pytest.param("co.uk", "", id="shared itself"),
        pytest.param("com", "", id="a top-level domain"),
        pytest.param("contoso.com", "contoso.com", id="the domain itself"),
        pytest.param("gw.provider.example", "provider.example", id="a top that the list lacks"),
        pytest.param("x.contoso.onmicrosoft.com", "contoso.onmicrosoft.com", id="of Microsoft"),
        pytest.param("onmicrosoft.com", "", id="shared by all tenants"),
        pytest.param("c.partner.onmschina.cn", "c.partner.onmschina.cn", id="the longer of two"),
        pytest.param("", "", id="nothing"),
        pytest.param("a..b", "", id="no name"),
    ],
)
def test_zones(name: str, zone: str) -> None:
    assert zone_of(name) == zone


def test_parents_stop_before_what_strangers_share() -> None:
    assert list(owned_parents("a.b.contoso.co.uk")) == ["b.contoso.co.uk", "contoso.co.uk"]
    assert list(owned_parents("contoso.co.uk")) == []
    assert list(owned_parents("co.uk")) == []
