"""How is the agent itself?

The lag of its loop, reloads, log lines and the like are counted where they happen; what the runtime
and the resolver count themselves is read when a scrape comes. These few series go through the
official client library, on a registry of their own. A collector that raises loses its own series,
never the scrape.
"""

import logging
import platform
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from agent.domain.finding import Distribution, Measurement, Signal
from agent.exposition import own_signals as own
from agent.exposition.text_format import Format, go_float

LEVELS = ("debug", "info", "warning", "error", "critical")
_log = logging.getLogger(__name__)
# All that a broken collector may raise short of Exception, which only the runner may catch.
_FAULTS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)

Readings = Callable[[], Iterable[Measurement]]


class _Guarded(Collector):
    """A collector whose failure costs its own series only."""

    def __init__(self, collector: Collector, failed: Callable[[], None]) -> None:
        self._collector = collector
        self._failed = failed

    def collect(self) -> Iterable[Metric]:
        try:
            return list(self._collector.collect())
        except _FAULTS:
            self._failed()
            _log.exception("collector failed", extra={"of": type(self._collector).__name__})
            return []


class _Watched(Collector):
    """Families made from measurements that are read when a scrape comes."""

    def __init__(self, read: Readings) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        made: dict[str, Metric] = {}
        for measurement in self._read():
            name = measurement.signal.name
            if name not in made:
                made[name] = _family(measurement.signal)
            _add(made[name], measurement)
        return made.values()


class OwnMetrics:
    """The agent's own series; every method is cheap enough for the hot path."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._counters = {
            signal.name: Counter(signal.name, signal.help, signal.labels, registry=self._registry)
            for signal in own.DIRECT
            if signal.kind == "counter"
        }
        self._gauges = {
            signal.name: Gauge(signal.name, signal.help, signal.labels, registry=self._registry)
            for signal in own.DIRECT
            if signal.kind == "gauge"
        }
        self._histograms = {
            signal.name: Histogram(
                signal.name, signal.help, buckets=signal.buckets, registry=self._registry
            )
            for signal in own.DIRECT
            if signal.kind == "histogram"
        }
        self._begin()

    def _begin(self) -> None:
        for level in LEVELS:
            self._counters[own.LOG_MESSAGES.name].labels(level)
        info = self._gauges[own.BUILD_INFO.name]
        info.labels(version("mailflow-agent"), platform.python_version()).set(1)
        # These register themselves wherever they are told to: not where they would go unguarded.
        elsewhere = CollectorRegistry()
        for collector in (
            ProcessCollector(registry=None),
            PlatformCollector(registry=elsewhere),
            GCCollector(registry=elsewhere),
        ):
            self._registry.register(_Guarded(collector, self.collector_failed))

    def watch(self, read: Readings) -> None:
        """Have *read* called at each scrape, and show the measurements that it returns."""
        self._registry.register(_Guarded(_Watched(read), self.collector_failed))

    def lagged(self, lag: timedelta) -> None:
        """Note how late the event loop was."""
        self._histograms[own.LOOP_LAG.name].observe(lag.total_seconds())

    def started_late(self, lateness: timedelta) -> None:
        """Note how long after its time a run started."""
        self._histograms[own.LATENESS.name].observe(lateness.total_seconds())

    def reloaded(self, at: datetime, *, successful: bool) -> None:
        """Note an attempt to load the configuration."""
        self._gauges[own.RELOAD_SUCCESSFUL.name].set(successful)
        if successful:
            self._gauges[own.RELOAD_SUCCESS.name].set(at.timestamp())

    def logged(self, level: str) -> None:
        """Count a log message; *level* is one of ``LEVELS``."""
        self._counters[own.LOG_MESSAGES.name].labels(level).inc()

    def collector_failed(self) -> None:
        """Count a collector, or a measurement, that had to be left out."""
        self._counters[own.COLLECTOR_ERRORS.name].inc()

    def render(self, into: Format) -> bytes:
        """Return these series, with the end that the format demands."""
        if into is Format.OPENMETRICS:
            return bytes(openmetrics.generate_latest(self._registry))  # type: ignore[no-untyped-call]
        return generate_latest(self._registry)


def _family(signal: Signal) -> Metric:
    if signal.kind == "counter":
        return CounterMetricFamily(signal.name, signal.help, labels=signal.labels)
    if signal.kind == "histogram":
        return HistogramMetricFamily(signal.name, signal.help, labels=signal.labels)
    return GaugeMetricFamily(signal.name, signal.help, labels=signal.labels)


def _add(family: Metric, measurement: Measurement) -> None:
    """Add one value to the family of its signal."""
    value = measurement.value
    if isinstance(family, HistogramMetricFamily) and isinstance(value, Distribution):
        bounds = [*map(go_float, measurement.signal.buckets), "+Inf"]
        buckets = list(zip(bounds, value.counts, strict=True))
        family.add_metric(measurement.labels, buckets=buckets, sum_value=value.sum)
    elif isinstance(family, CounterMetricFamily | GaugeMetricFamily) and not isinstance(
        value, Distribution
    ):
        family.add_metric(measurement.labels, value)
