"""How is a metric written down?

The two text formats that every Prometheus reads: the classic one (0.0.4) and OpenMetrics 1.0. Lines
of samples are the same in both; headings and the end differ. What is written here equals, byte for
byte, what the official client library writes for the same values, and a test holds it to that.
"""

import enum
import math
from collections.abc import Mapping

from agent.domain.finding import Distribution


class Format(enum.Enum):
    """A text format, and the content type that announces it."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    @property
    def end(self) -> bytes:
        """What the last line has to be."""
        return b"# EOF\n" if self is Format.OPENMETRICS else b""


def negotiate(accept: str) -> Format:
    """Return the format that an ``Accept`` header prefers, by its q-values.

    OpenMetrics is offered as version 1.0.0 only: 2.0 names families differently, and a scraper that
    asks for it must not be told that it got it. With nothing acceptable the classic format goes
    out, as every exporter does.
    """
    best, best_weight = Format.TEXT, 0.0
    for entry in accept.split(","):
        media, *rest = (part.strip() for part in entry.split(";"))
        parameters = dict(part.lower().split("=", 1) for part in rest if "=" in part)
        offered = _offered(media.lower(), parameters.get("version", ""))
        weight = _weight(parameters.get("q", "1"))
        if offered is not None and weight > best_weight:
            best, best_weight = offered, weight
    return best


def _offered(media: str, version: str) -> Format | None:
    if media == "application/openmetrics-text" and version in ("", "1.0.0"):
        return Format.OPENMETRICS
    return Format.TEXT if media in ("text/plain", "text/*", "*/*") else None


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0


def go_float(value: float) -> str:
    """Write a number as Go does, in as far as scrapers see a difference.

    Exponents begin at a million; infinities and not-a-number have Go's names.
    """
    if math.isfinite(value):
        text = repr(float(value))
        dot = text.find(".")
        if value > 0 and dot > 6:  # noqa: PLR2004 - digits before the point
            mantissa = f"{text[0]}.{text[1:dot]}{text[dot + 1 :]}".rstrip("0.")
            return f"{mantissa}e+{dot - 1:02d}"
        return text
    if math.isnan(value):
        return "NaN"
    return "+Inf" if value > 0 else "-Inf"


def labelled(labels: Mapping[str, str]) -> str:
    """Write the labels of a series, ready for its name to precede and its value to follow."""
    if not labels:
        return " "
    pairs = ",".join(f'{key}="{_escape(value)}"' for key, value in sorted(labels.items()))
    return f"{{{pairs}}} "


def histogram(
    name: str, labels: Mapping[str, str], buckets: tuple[float, ...], held: Distribution
) -> str:
    """Write all lines of one histogram; ``held`` has a count for each bucket and for +Inf."""
    written = labelled(labels)
    lines = [
        f"{name}_bucket{labelled({**labels, 'le': go_float(bound)})}{go_float(count)}"
        for bound, count in zip((*(held.bounds or buckets), math.inf), held.counts, strict=True)
    ]
    lines.append(f"{name}_count{written}{go_float(held.counts[-1])}")
    lines.append(f"{name}_sum{written}{go_float(held.sum)}")
    return "\n".join(lines) + "\n"


def heading(name: str, kind: str, explanation: str, into: Format) -> bytes:
    """Write the HELP and TYPE lines of a family; a counter's *name* ends in ``_total``."""
    explanation = explanation.replace("\\", r"\\").replace("\n", r"\n")
    if into is Format.OPENMETRICS:
        explanation = explanation.replace('"', r"\"")
        if kind == "counter":
            name = name.removesuffix("_total")  # OpenMetrics 1.0 names the family, not the sample
    return f"# HELP {name} {explanation}\n# TYPE {name} {kind}\n".encode()


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
