"""The addresses in alerts are those of the configuration, or where the agent listens."""

import pytest

from agent.config.sections import AgentSection
from agent.exposition.link_metrics import read, tell
from agent.exposition.own_metrics import OwnMetrics
from agent.exposition.text_format import Format

LISTENING = "http://127.0.0.1:16245/"


@pytest.mark.parametrize(
    ("written", "listening", "page", "dashboards"),
    [
        ({}, LISTENING, "http://127.0.0.1:16245", ""),
        ({}, "https://mail.example:16245/", "https://mail.example:16245", ""),
        ({}, "http://0.0.0.0:16245/", "", ""),
        ({}, "https://[::]:16245/", "", ""),
        (
            {"external_url": "https://mailflow.example/", "grafana_url": "https://g.example/sub/"},
            "http://0.0.0.0:16245/",
            "https://mailflow.example",
            "https://g.example/sub",
        ),
    ],
)
def test_links_lead_to_what_is_configured(
    written: dict[str, str], listening: str, page: str, dashboards: str
) -> None:
    own = OwnMetrics()
    own.watch(read(lambda: (AgentSection.model_validate(written), listening)))
    line = f'mailflow_links_info{{dashboards="{dashboards}",page="{page}"}} 1.0\n'
    assert line in own.render(Format.TEXT).decode()


def test_that_no_link_leads_to_the_page_is_said(caplog: pytest.LogCaptureFixture) -> None:
    for listening in (LISTENING, "http://0.0.0.0:16245/"):
        tell(AgentSection(), listening)
    tell(AgentSection(external_url="https://mailflow.example"), "http://0.0.0.0:16245/")
    (message,) = caplog.messages
    assert "`agent.external_url` says where people reach it" in message
