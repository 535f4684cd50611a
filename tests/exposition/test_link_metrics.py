"""The addresses in alerts are those of the configuration, or where the agent listens."""

import pytest

from agent.config.sections import AgentSection
from agent.exposition.link_metrics import read
from agent.exposition.own_metrics import OwnMetrics
from agent.exposition.text_format import Format

LISTENING = "http://127.0.0.1:16245/"


@pytest.mark.parametrize(
    ("written", "page", "dashboards"),
    [
        ({}, "http://127.0.0.1:16245", ""),
        (
            {"external_url": "https://mailflow.example/", "grafana_url": "https://g.example/sub/"},
            "https://mailflow.example",
            "https://g.example/sub",
        ),
    ],
)
def test_links_lead_to_what_is_configured(
    written: dict[str, str], page: str, dashboards: str
) -> None:
    own = OwnMetrics()
    own.watch(read(lambda: (AgentSection.model_validate(written), LISTENING)))
    line = f'mailflow_links_info{{dashboards="{dashboards}",page="{page}"}} 1.0\n'
    assert line in own.render(Format.TEXT).decode()
