"""How are the dashboards' questions put to Prometheus?

Every selector names the job, and a count is 0 only while an agent is being scraped: with
``or vector(0)`` a dead agent would look like a healthy fleet. Agents that watch the same things
beside each other are put together, gauges by the worst, counters by the sum.
"""

from agent.domain.finding import Signal
from agent.exposition import own_signals as own

FLEET = 'job=~"$job"'
SUBJECTS = f'{FLEET},tenant=~"$tenant",subject=~"$subject"'
AGENT = f'{FLEET},instance=~"$instance"'
CHECK = ("tenant", "subject", "probe")
WHO = ("tenant", "subject")
PER = "instance"


def of(signal: Signal | str, scope: str = FLEET, *matchers: str, suffix: str = "") -> str:
    """Return the selector of a metric in a scope."""
    name = signal if isinstance(signal, str) else signal.name
    return f"{name}{suffix}{{{','.join((scope, *matchers))}}}"


def kinds(probes: tuple[str, ...]) -> str:
    """Return the matcher of some kinds of probes."""
    return f'probe=~"{"|".join(probes)}"'


def highest(by: tuple[str, ...], expr: str) -> str:
    """Return the highest of each group."""
    return f"max by ({', '.join(by)}) ({expr})"


def lowest(by: tuple[str, ...], expr: str) -> str:
    """Return the lowest of each group."""
    return f"min by ({', '.join(by)}) ({expr})"


def increase(by: tuple[str, ...], selector: str, window: str = "$__rate_interval") -> str:
    """Return by how much the counters of each group grew."""
    return f"sum by ({', '.join(by)}) (increase({selector}[{window}]))"


def rate(by: tuple[str, ...], selector: str) -> str:
    """Return how fast the counters of each group grow."""
    return f"sum by ({', '.join(by)}) (rate({selector}[$__rate_interval]))"


def quantile(share: float, by: tuple[str, ...], buckets: str, window: str = "") -> str:
    """Return a quantile of a histogram: of a window, or of each step where none is given.

    Of nothing it is no number, which would hide the other lines of a panel and its axis.
    """
    grouped = ("le", *by)
    inner = increase(grouped, buckets, window) if window else rate(grouped, buckets)
    return f"(histogram_quantile({share}, {inner}) >= 0)"


def alive(scope: str = FLEET) -> str:
    """Return 0 while an agent is scraped, and nothing otherwise.

    Only our own agents have this metric; ``up`` of all jobs would count other people's programs.
    """
    own_scope = AGENT if scope == AGENT else FLEET
    return f"0 * sum({of(own.BUILD_INFO, own_scope)})"


def or_zero(expr: str, scope: str = FLEET) -> str:
    """Return *expr*, which has no labels; where it is empty, 0 while an agent is scraped."""
    return f"{expr} or {alive(scope)}"


def or_none(expr: str, scope: str = FLEET, **labels: str) -> str:
    """Return *expr*; where it is empty, one row with *labels* while an agent is scraped."""
    row = alive(scope)
    for label, value in labels.items():
        row = f'label_replace({row}, "{label}", "{value}", "", "")'
    return f"{expr} or on () {row}"


def age(expr: str) -> str:
    """Return how long ago a time was."""
    return f"time() - {expr}"


def left(expr: str) -> str:
    """Return how long it is until a time."""
    return f"{expr} - time()"
