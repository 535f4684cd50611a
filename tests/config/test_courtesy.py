"""Is an operator told of an interval at which the servers of others turn this machine away?"""

from pathlib import Path

from agent.config import load
from agent.probes.base import discover

FILE = """\
checks:
  refusal: {interval: 10s}
  spf: {interval: 1s}
tenants:
  - name: contoso
    domains:
      - name: contoso.com
        checks:
          exchange:
            interval: 59s
      - name: fabrikam.com
        checks:
          exchange: {interval: 1m}
          refusal: off
  - name: fabrikam
    connectors:
      import: [fabrikam.json]
      overrides:
        - name: out
          checks: {connector: {interval: 5s}}
"""


def test_an_interval_that_is_too_short_for_others_is_noted_with_line_and_default(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(FILE, encoding="utf-8")
    notes = [
        (note.line, note.path, note.message.partition(" is often")[0], note.message.split()[-1])
        for note in load(path, exports=False).warnings
    ]
    assert notes == [
        (2, "checks.refusal.interval", "every 10s", "6h"),
        (10, "tenants[contoso].domains[contoso.com].checks.exchange.interval", "every 59s", "30m"),
        (20, "tenants[fabrikam].connectors.overrides[out].checks.connector.interval",
         "every 5s", "5m"),
    ]  # fmt: skip


def test_the_default_of_every_check_is_polite() -> None:
    for probe in discover():
        assert probe.settings().interval >= probe.polite, probe.kind
