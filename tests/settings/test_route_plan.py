"""Routes that hand over to the same server say so in the same words."""

from typing import Any

import pytest

from agent.settings import RouteSubject
from agent.settings.route_plan import handed_to

ENDS = {"mail_from": "a@contoso.com", "rcpt_to": "b@Fabrikam.com"}


@pytest.mark.parametrize(
    ("way", "server"),
    [
        ({"smtp": {"host": "relay.contoso.com"}}, "relay.contoso.com:25"),
        ({"smtp": {"host": "2001:db8::1", "port": 587}}, "[2001:db8::1]:587"),
        ({"mx": {}}, "mx:fabrikam.com"),
        ({"graph": {"credential": "entra", "mailbox": "a@contoso.com"}}, "graph"),
    ],
)
def test_a_server_is_named_by_what_is_configured(way: dict[str, Any], server: str) -> None:
    route = RouteSubject.model_validate({"name": "r", "send": {**ENDS, **way}})
    assert handed_to(route) == server
