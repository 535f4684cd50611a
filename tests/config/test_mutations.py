"""Whatever is done to a good file, it is read or explained, and never a traceback."""

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.config import ConfigError, build, load
from agent.config.model import Probes

GOOD = """\
agent: {vantage: frankfurt, state: ./var, external_url: "https://mailflow.example.com/"}
resolvers: [system, 192.0.2.53, "[2001:db8::53]:5353"]
checks:
  spf: {interval: 10s}
  mta-sts: off
tenants:
  - name: contoso
    domains:
      - name: contoso.com
        senders: [exchange-online, 192.0.2.0/28, 2001:db8::1]
        not_senders: [198.51.100.7]
        checks: {spf: {warn_at_lookups: 8}, mta-sts: {}}
      - name: fabrikam.com
      - name: adatum.com
        checks: {spf: off}
      - name: litwareinc.com
    connectors:
      - {name: to-datacentre, smart_hosts: [mail.contoso.com]}
    routes:
      - name: in
        send:
          smtp: {host: mail.contoso.com, tls: verified}
          mail_from: probe@contoso.com
          rcpt_to: in@monitor.contoso.com
"""

PIECES = st.sampled_from(
    [b"\t", b"\n", b" ", b":", b"-", b"[", b"}", b"'", b'"', b"&a ", b"*a", b"!", b"%", b"\x00",
     b"\xff", b"\xef\xbb\xbf", b"<<: ", b"no", b"022", b"~", b"{}", b"[]", b"0s", b"${X}", b"name",
     b"off", b"1e9", "\u202e".encode(), b"\r", b"---\n", b"#"]
)  # fmt: skip


@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), PIECES), min_size=1, max_size=5
    )
)
@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_file_is_read_or_explained(
    edits: list[tuple[int, int, bytes]], probes: Probes, tmp_path: Path
) -> None:
    raw = GOOD.encode()
    for at, length, piece in edits:
        raw = raw[:at] + piece + raw[at + length :]
    path = tmp_path / "config.yaml"
    path.write_bytes(raw)
    lines: list[str] = []
    try:
        load(path, probes=probes)
    except ConfigError as error:
        lines = [str(problem) for problem in error.problems]
        assert lines
    assert all(line.isprintable() for line in lines)


@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["agent", "tenants", "name", "domains", "routes", "send", "smtp", "checks", "spf",
                 "credentials", "kind", "connectors", "expect", "limits", "resolvers", "x"]
            ),
            inner,
            max_size=4,
        ),
        max_leaves=12,
    )
)  # fmt: skip
# No deadline: the first mistake of all pays for the guide to the file.
@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_data_is_taken_or_explained(data: Any, probes: Probes) -> None:
    for section in ("agent", "tenants", "credentials", "checks", "resolvers", "sink"):
        lines: list[str] = []
        try:
            build({section: data}, probes=probes)
        except ConfigError as error:
            lines = [str(problem) for problem in error.problems]
        assert all(line.isprintable() for line in lines)
