"""What does the manual say of each check and each metric?

Rendered from the probes: the docstring of the module is the introduction, settings, rules and
signals are tables. Nothing in these pages is written twice.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from agent.domain.finding import Signal
from agent.exposition.check_signals import CHECK_LABELS, CHECK_SIGNALS
from agent.exposition.dns_metrics import DNS_SIGNALS
from agent.exposition.http_metrics import HTTP_SIGNALS
from agent.exposition.mail_metrics import MAIL_SIGNALS
from agent.exposition.own_signals import OWN_SIGNALS
from agent.exposition.state_metrics import STATE_SIGNALS
from agent.probes.base import Probe
from agent.settings import CheckSettings, write_duration

HEAD = "<!-- Rendered from the declarations: change those, then run make generate. -->\n"


def rendered(probes: Iterable[Probe[Any, Any]]) -> Mapping[str, str]:
    """Return the pages of the reference by path."""
    probes = tuple(probes)
    pages = {f"docs/checks/{probe.kind}.md": of_probe(probe) for probe in probes}
    return pages | {"docs/metrics.md": of_metrics(probes)}


def of_probe(probe: Probe[Any, Any]) -> str:
    """Return the page of one kind of check."""
    module = inspect.getmodule(probe.run)
    about = inspect.cleandoc((module.__doc__ if module else None) or probe.kind)
    lines = [HEAD, f"# {probe.kind}", "", about, ""]
    lines += [f"It looks at a {probe.subject.kind}."]
    if probe.depends_on:
        lines += ["", f"It is not run while {' or '.join(probe.depends_on)} is down."]
    lines += ["", "## Settings", "", *_settings(probe.settings)]
    if probe.example:
        lines += ["", "```yaml", probe.example.strip("\n"), "```"]
    if probe.signals:
        lines += ["", "## Metrics", "", *_signals(probe.signals)]
    lines += ["", "## Rules", "", "| rule | severity | |", "| --- | --- | --- |"]
    lines += [
        f"| [{rule.code}](../runbooks/{rule.code}.md) | {rule.severity.word} |"
        f" {cell(rule.summary)} |"
        for rule in probe.all_rules
    ]
    for rule in probe.rules:
        lines += ["", f"### {rule.code}", "", f"{rule.summary}.", "", rule.remedy]
        lines += ["", f"Reference: {rule.reference}."]
    return "\n".join(lines) + "\n"


def of_metrics(probes: Iterable[Probe[Any, Any]]) -> str:
    """Return the page that lists every metric."""
    lines = [HEAD, "# Metrics", ""]
    lines += [
        "Every metric about a check has the labels "
        + ", ".join(f"`{label}`" for label in CHECK_LABELS)
        + " beside those named here.",
        "No label holds anything that a peer sent, and no sample has a timestamp.",
        "",
        "## Of every check",
        "",
        *_signals(CHECK_SIGNALS),
    ]
    for probe in probes:
        if probe.signals:
            lines += [
                "",
                f"## Of [{probe.kind}](checks/{probe.kind}.md)",
                "",
                *_signals(probe.signals),
            ]
    lines += ["", "## Of the agent itself", "", "Without the labels of a check.", ""]
    lines += _signals((*OWN_SIGNALS, *STATE_SIGNALS, *MAIL_SIGNALS, *DNS_SIGNALS, *HTTP_SIGNALS))
    lines += ["", "The usual `process_`, `python_info` and `python_gc_` series are there as well."]
    return "\n".join(lines) + "\n"


def _settings(settings: type[CheckSettings]) -> Iterator[str]:
    yield "| setting | default | |"
    yield "| --- | --- | --- |"
    for name, field in settings.model_fields.items():
        default = "required" if field.is_required() else f"`{_default(field.get_default())}`"
        yield f"| `{name}` | {default} | {cell(field.description or '')} |"


def _default(value: object) -> str:
    if isinstance(value, timedelta):
        return write_duration(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_default, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def _signals(signals: Iterable[Signal]) -> Iterator[str]:
    yield "| metric | kind | labels | |"
    yield "| --- | --- | --- | --- |"
    for signal in signals:
        labels = ", ".join(f"`{label}`" for label in signal.labels)
        yield f"| `{signal.name}` | {signal.kind} | {labels} | {cell(signal.help)} |"


def cell(text: str) -> str:
    """Return *text* as it may stand in a cell of a table."""
    return text.replace("|", r"\|").replace("\n", " ")
