"""The cmdlets that are shown are known by their names and parameters."""

from agent.domain.knowledge.cmdlets import CMDLETS


def test_cmdlets_have_a_verb_and_parameters_without_a_dash() -> None:
    assert "Get-InboundConnector" in CMDLETS
    for name, parameters in CMDLETS.items():
        verb, _, noun = name.partition("-")
        assert verb.isalpha()
        assert noun.isalnum()
        assert not any(each.startswith("-") for each in parameters)
