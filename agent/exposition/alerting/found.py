"""What is found, by all who look?

The findings of all agents in recorded series, which the alerts on findings stand on. The first
leaves out what another agent, running the same check, has just seen to be well: a fault that only
one of two sees is not yet somebody's night. The second keeps what was found last while nobody can
tell, and for a short time while nobody has a verdict: neither a resolver that is down nor the
restart of an agent mends anything, and an alert that went away would say so. The third adds where
it is: the server that takes the mail and the place where it is picked up, so that one cause can
silence what follows from it.
"""

from agent.exposition.alerting.alert import Record

AGREED = "check:mailflow_finding:max"
HELD = "held:mailflow_finding:max"
LOCATED = "located:mailflow_finding:max"
# For which a route's gauges stand. While nobody sends, the time since a delivery grows for no fault
# of the route: that must not reach what its alert waits for.
RESTART = "3m"
HOLD = "10m"  # for which a finding stands without a verdict: a restart, of the machine too

_ALL = "without (instance, pod)"
CHECK = "job, tenant, subject, probe"
_SEVERITY = f"min {_ALL} (mailflow_check_severity)"
_VERDICT = f"max {_ALL} (mailflow_check_severity)"
_HEARD = f"max {_ALL} (last_over_time(mailflow_check_severity[{HOLD}]))"
_OF_CHECK = "ignoring (rule, severity)"


def found(rule: str, runs: int = 2) -> str:
    """Return the expression for a finding of *rule* in so many runs in a row, or more."""
    return f'{LOCATED}{{rule="{rule}"}} >= {runs}'


def _unless_well(severities: str, well: str) -> str:
    """Leave out what an agent that runs the same check sees to be *well*."""
    return (
        f"max {_ALL} (mailflow_finding{{{severities}}})"
        f" unless ignoring (rule, severity) {_SEVERITY} {well}"
    )


def changing(runs: int) -> str:
    """Return the expression for checks so many of whose runs were critical, each time otherwise.

    Their rules are none that is found in two runs in a row. Single messages of a route fail in many
    ways, and are judged over many.
    """
    return (
        f'max {_ALL} (mailflow_check_critical_runs{{probe!="route"}}) >= {runs}'
        f" unless on ({CHECK}) {HELD} >= 2"
        f" unless on ({CHECK}) {_SEVERITY} < 3"
    )


def held(gauge: str, window: str = RESTART) -> str:
    """Return the expression for a *gauge* that outlives a restart, by its last value."""
    return f"last_over_time({gauge}[{window}])"


def one_of_each(info: str) -> str:
    """Return one series of *info* for each check; two agents may not be reloaded at once."""
    return f"topk by ({CHECK}) (1, max {_ALL} ({info}))"


def known_of_each(info: str, window: str = RESTART) -> str:
    """Return the same, with what *info* said last of each check that it is silent about."""
    return f"{one_of_each(info)} or on ({CHECK}) {one_of_each(held(info, window))}"


def _joined(labels: str, info: str) -> str:
    return f"({HELD} * on ({CHECK}) group_left ({labels}) ({known_of_each(info, HOLD)}))"


_OR = f" or on ({CHECK}, rule) "
_BY_MX = f'label_replace({HELD}{{probe=~"exchange|mx"}}, "server", "mx:$1", "subject", "(.+)")'

RECORDS = (
    Record(
        AGREED,
        # A fault that is proven, or a verdict that is missing, is outweighed by a verdict that is
        # good enough; a warning only by one that is without fault.
        _unless_well('severity!="warning"', "< 2")
        + " or "
        + _unless_well('severity="warning"', "== 0"),
    ),
    Record(
        HELD,
        # What stood at the evaluation before, so that what had ended does not come back.
        f"{AGREED}"
        f" or ({HELD} unless {_OF_CHECK} {_VERDICT} and {_OF_CHECK} {_HEARD})"
        f' or ({HELD}{{severity!="unknown"}} and {_OF_CHECK} {_SEVERITY} == 2)',
    ),
    Record(
        LOCATED,
        _OR.join(
            (
                _joined("server, place", "mailflow_route_info"),
                _joined("server", "mailflow_connector_info"),
                _BY_MX,
                HELD,
            )
        ),
    ),
)
