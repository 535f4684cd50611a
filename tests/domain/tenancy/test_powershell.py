"""How is a line written that mends something, and nothing else?"""

import pytest

from agent.domain.tenancy.powershell import command, form_of, gaps, listed, quoted


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("From own servers", "'From own servers'"),
        ("O'Neill", "'O''Neill'"),
        ("a\u2019b", "'a\u2019\u2019b'"),
        ("$(Remove-Item x)", "'$(Remove-Item x)'"),
        ("", "''"),
    ],
)
def test_a_text_is_literal(text: str, written: str) -> None:
    assert quoted(text) == written


def test_a_call_is_written_as_it_is_typed() -> None:
    line = command(
        "Set-InboundConnector", "From own", Enabled=True, RequireTls=False, SenderIPAddresses=()
    )
    assert line == (
        "Set-InboundConnector -Identity 'From own' -Enabled $true -RequireTls $false"
        " -SenderIPAddresses $null"
    )
    assert command("Set-OrganizationConfig", Name=("a", "b")) == (
        "Set-OrganizationConfig -Name 'a','b'"
    )
    assert listed(()) == ""


def test_what_only_the_reader_knows_is_told_apart() -> None:
    assert gaps("Set-X -Name '<your filter>'") == [
        ("Set-X -Name '", False),
        ("<your filter>", True),
        ("'", False),
    ]
    assert gaps("Set-X") == [("Set-X", False)]


def test_what_is_published_is_told_from_what_is_typed() -> None:
    assert form_of("Set-InboundConnector -Identity 'a'") == "powershell"
    assert form_of("mailflow-agent check contoso.com") == "shell"
    assert form_of("contoso.com. 3600 IN MX 0 mail.contoso.com.") == "record"
    assert form_of("mode: enforce") == "record"
