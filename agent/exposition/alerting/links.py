"""Where does the person who is called find out more?

One rule file serves every installation, so the addresses of the page and of the dashboards are no
part of it: the agent exports them (``mailflow_links_info``), and the annotations ask for them when
an alert fires: an agent that has the subject, else any that answers, else what any has told within
the last day, because it may be the agent that is gone. Without an answer the runbook is named by
its path in the project.
"""

from collections.abc import Mapping
from functools import cache

from agent.exposition.alerting.alert import Alert
from agent.probes.base import discover

RUNBOOKS = "docs/runbooks"
_BY_COMPONENT = {
    "domain": "mailflow-domain",
    "connector": "mailflow-connector",
    "route": "mailflow-route",
    "tenant": "mailflow-tenant",
    "agent": "mailflow-agent",
    "dns": "mailflow-agent",
    "uplink": "mailflow-agent",
    "identity": "mailflow-agent",
    "mailbox": "mailflow-agent",
}
_OVERVIEW = "mailflow-overview"
DASHBOARDS = frozenset({_OVERVIEW, *_BY_COMPONENT.values()})
_SUBJECT = "$labels.subject"


def urls(alert: Alert) -> Mapping[str, str]:
    """Return the annotations of an alert that are links, as templates."""
    page = _of_check() if alert.subject_kind else _anywhere("page")
    path = _path(alert) if alert.subject_kind else "/"
    otherwise = f"{{{{ else }}}}{RUNBOOKS}/{alert.runbook}.md"
    return {
        "runbook_url": _with(page, "page", f"/rules/{alert.runbook}", otherwise),
        "dashboard_url": _with(_anywhere("dashboards"), "dashboards", _dashboard(alert)),
        "page_url": _with(page, "page", path),
    }


def _with(question: str, label: str, path: str, otherwise: str = "") -> str:
    answer = f"{{{{ . | first | label `{label}` }}}}{path}"
    return f"{{{{ with {question} | query }}}}{answer}{otherwise}{{{{ end }}}}"


def _anywhere(label: str) -> str:
    """Ask for the address that any agent tells, or told within the day."""
    links = f"mailflow_links_info{{{label}!=''}}"
    return f"`{links} or on () last_over_time({links}[1d])`"


def _of_check() -> str:
    """Ask for the page of an agent that runs the check, or else of any."""
    links = "mailflow_links_info{page!=''}"
    return (
        f"printf `{links} and on (job, instance)"
        " mailflow_check_interval_seconds{tenant=%q,subject=%q}"
        f" or on () last_over_time({links}[1d])` $labels.tenant {_SUBJECT}"
    )


def _dashboard(alert: Alert) -> str:
    kind = alert.subject_kind
    uid = _OVERVIEW if kind == "any" else _BY_COMPONENT.get(alert.component, _OVERVIEW)
    if kind in _BY_COMPONENT and kind != "agent":
        return (
            f"/d/{uid}?var-tenant={{{{ $labels.tenant | urlquery }}}}"
            f"&var-subject={{{{ {_SUBJECT} | urlquery }}}}"
        )
    return f"/d/{uid}"


def _path(alert: Alert) -> str:
    """Return the path of the subject's page."""
    kind = _kind_by_probe() if alert.subject_kind == "any" else alert.subject_kind
    # In a path a space is not written as a plus sign.
    return (
        f"/subjects/{{{{ $labels.tenant | urlquery }}}}/{kind}"
        f"/{{{{ {_SUBJECT} | urlquery | reReplaceAll `[+]` `%20` }}}}"
    )


@cache
def _kind_by_probe() -> str:
    """Write a template that makes the kind of a subject out of the label ``probe``."""
    probes: dict[str, list[str]] = {}
    for kind, subject in subject_kinds().items():
        probes.setdefault(subject, []).append(kind)
    branches = [
        f"if eq $labels.probe {' '.join(f'`{kind}`' for kind in kinds)} }}}}{subject}{{{{ "
        for subject, kinds in probes.items()
    ]
    return "{{ " + "else ".join(branches) + "end }}"


@cache
def subject_kinds() -> Mapping[str, str]:
    """Return what each kind of probe looks at, by the kind of the probe."""
    return {probe.kind: probe.subject.kind for probe in discover()}
