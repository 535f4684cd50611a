from collections.abc import Iterator
from datetime import timedelta

from agent.adapters.ledger import LedgerStats
from agent.adapters.resolver_stats import ResolverStats, ServerStats
from agent.adapters.store import StoreStats
from agent.domain.finding import Distribution, Measurement, Signal
from agent.exposition import dns_metrics, runtime_metrics, state_metrics
from agent.exposition.own_metrics import OwnMetrics
from agent.exposition.text_format import Format
from agent.runtime.dependencies import Dependencies, Heartbeats
from agent.runtime.lane import Skip, Tally
from servers.standings import NOON, SENT, TIME, HandClock


def test_what_happens_in_the_agent_is_counted() -> None:
    own = OwnMetrics()
    own.lagged(timedelta(milliseconds=3))
    own.started_late(timedelta(seconds=2))
    own.reloaded(NOON, successful=True)
    own.reloaded(NOON, successful=False)
    own.logged("error")
    lines = own.render(Format.TEXT).decode().splitlines()
    assert 'mailflow_event_loop_lag_seconds_bucket{le="0.005"} 1.0' in lines
    assert "mailflow_scheduler_lateness_seconds_sum 2.0" in lines
    assert "mailflow_config_last_reload_successful 0.0" in lines
    assert "mailflow_config_last_reload_success_timestamp_seconds 1.7954352e+09" in lines
    assert 'mailflow_log_messages_total{level="error"} 1.0' in lines
    assert 'mailflow_log_messages_total{level="debug"} 0.0' in lines
    assert "mailflow_collector_errors_total 0.0" in lines
    assert not [line for line in lines if "_created" in line]
    assert [line for line in lines if line.startswith("process_cpu_seconds_total ")]


def test_a_collector_that_raises_loses_its_own_series_and_not_the_scrape() -> None:
    own = OwnMetrics()

    def broken() -> Iterator[Measurement]:
        yield Signal("mailflow_broken", "Broken.").at(1)
        message = "no more"
        raise OSError(message)

    own.watch(broken)
    own.watch(lambda: iter((Signal("mailflow_whole", "Whole.").at(1),)))
    text = own.render(Format.OPENMETRICS).decode()
    assert "mailflow_broken" not in text
    assert "mailflow_whole 1.0\n" in text
    assert text.endswith("# EOF\n")
    assert "mailflow_collector_errors_total 1.0\n" in own.render(Format.OPENMETRICS).decode()


def test_watched_counters_and_histograms_keep_their_kind() -> None:
    own = OwnMetrics()
    held = Measurement(TIME, Distribution((1, 2, 2, 2), 4.0))
    own.watch(lambda: iter((SENT.at(3), held)))
    text = own.render(Format.TEXT).decode()
    assert "# TYPE mailflow_route_messages_total counter\nmailflow_route_messages_total 3.0" in text
    assert 'mailflow_route_delivery_duration_seconds_bucket{le="10.0"} 2.0' in text


def test_the_resolver_is_read_when_a_scrape_comes() -> None:
    stats = ResolverStats(servers=(ServerStats("127.0.0.1:53"),))
    own = OwnMetrics()
    own.watch(dns_metrics.read(lambda: stats))
    stats.servers[0].udp_queries = 4
    stats.cache_hits = 2
    text = own.render(Format.TEXT).decode()
    assert 'mailflow_dns_queries_total{server="127.0.0.1:53",transport="udp"} 4.0' in text
    assert "mailflow_dns_cache_hits_total 2.0" in text
    assert 'mailflow_dns_failures_total{reason="timeout"} 0.0' in text
    declared = {signal.name for signal in dns_metrics.DNS_SIGNALS}
    assert declared == {m.signal.name for m in dns_metrics.read(lambda: stats)()}


def test_the_store_and_the_ledger_are_read_when_a_scrape_comes() -> None:
    store, ledger = StoreStats(), LedgerStats()
    own = OwnMetrics()
    own.watch(state_metrics.read(store, ledger))
    assert "mailflow_store_degraded 0.0" in own.render(Format.TEXT).decode().splitlines()
    store.degraded = 'disk full, says "a peer"'
    store.write_errors, store.dropped, store.moved_aside, store.pending = 4, 3, 2, 1
    ledger.forged = 5
    text = own.render(Format.TEXT).decode()
    assert {
        "mailflow_store_degraded 1.0",
        "mailflow_store_write_errors_total 4.0",
        "mailflow_store_changes_dropped_total 3.0",
        "mailflow_store_moved_aside_total 2.0",
        "mailflow_store_changes_pending 1.0",
        'mailflow_ledger_tokens_ignored_total{reason="forged"} 5.0',
        'mailflow_ledger_tokens_ignored_total{reason="foreign"} 0.0',
    } <= set(text.splitlines())
    assert "disk full" not in text
    declared = {signal.name for signal in state_metrics.STATE_SIGNALS}
    assert declared == {m.signal.name for m in state_metrics.read(store, ledger)()}


class Busy:
    """Stands for a runner, as far as its counters are read."""

    running = 2
    waiting = 1

    def __init__(self) -> None:
        self.tallies = {"spf": Tally(runs=3, failures={"timeout": 1})}


def test_the_runtime_is_read_when_a_scrape_comes() -> None:
    dependencies = Dependencies()
    dependencies.note("resolver", "It is silent.")
    heartbeats = Heartbeats(HandClock())
    heartbeats.expect("ticks", 5.0)
    own = OwnMetrics()
    own.watch(runtime_metrics.read(Busy(), dependencies, heartbeats))  # type: ignore[arg-type]
    lines = own.render(Format.TEXT).decode().splitlines()
    assert 'mailflow_runs_total{probe="spf"} 3.0' in lines
    assert 'mailflow_run_failures_total{probe="spf",reason="timeout"} 1.0' in lines
    assert f'mailflow_runs_skipped_total{{probe="spf",reason="{Skip.OVERLAP}"}} 0.0' in lines
    assert 'mailflow_dependency_up{dependency="resolver"} 0.0' in lines
    assert 'mailflow_heartbeat_timestamp_seconds{task="ticks"} 1.7954352e+09' in lines
    assert "mailflow_runs_in_progress 2.0" in lines
