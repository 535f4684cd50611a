"""What does an export of a tenant say, and what is wrong with the tenant by it?"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Final

import click

from agent.adapters.export_files import ExportError, ExportReading, read_tenant
from agent.adapters.plans import Resolves
from agent.adapters.tenancies import Known, Tenancies
from agent.cli.draw import Pen, draw_fact, draw_outcome, draw_verdict, join
from agent.cli.exits import Exit, exit_for
from agent.cli.resolvers import Server, option, resolving
from agent.cli.sight import doubts
from agent.cli.toolbox_of_tenants import probes_of_tenants, toolbox_of_tenants
from agent.cli.wrong_export import WrongExport
from agent.domain.fact import Fact, Table
from agent.domain.finding import Finding, Outcome, Severity
from agent.domain.lookup import Query, Reply, Silence, Unanswered
from agent.domain.tenancy.objects import Export
from agent.exposition.as_json import outcome_as_json
from agent.probes.base import DNS_UNANSWERED, Check
from agent.probes.export import age_in_words
from agent.runtime.board import Run
from agent.runtime.dependencies import Dependencies
from agent.runtime.lane import Limits
from agent.runtime.runner import Runner
from agent.settings import TenantSubject
from agent.settings.tenancy import label_of, tenancy_of

KINDS: Final = {
    "inbound": "inbound connectors",
    "outbound": "outbound connectors",
    "domains": "accepted domains",
    "rules": "mail flow rules",
    "dkim": "DKIM configurations",
}
NOT_JUDGED: Final = (
    "Not judged without DNS: whether mail may come in past the filter that MX records name, loops"
    " through other hosts, and whose servers a certificate or an address stands for."
)
_ANY_AGE = timedelta(days=36_500)  # no job stands behind files that are looked at once
_FIRST = "export"  # whose facts are the tally
_UNNAMED = "tenant"


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--check", "checks", is_flag=True, help="Say what is wrong with the tenant, too.")
@click.option(
    "--name", default="", help="What to call the tenant. Default: the prefix of its initial domain."
)
@click.option("--offline", is_flag=True, help="Ask no DNS: judge by the export alone.")
@option
@click.option("--brief", is_flag=True, help="Findings only: no tables and pictures.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
def command(  # noqa: PLR0913 - an option each
    *,
    files: tuple[str, ...],
    checks: bool,
    name: str,
    offline: bool,
    servers: tuple[Server, ...],
    brief: bool,
    as_json: bool,
) -> int:
    """Read what Exchange Online exports of one tenant; with --check, find its faults.

    FILE is what deploy/export-tenant.ps1 wrote, or the output of Get-InboundConnector,
    Get-OutboundConnector, Get-AcceptedDomain, Get-TransportRule, Get-DkimSigningConfig,
    Get-OrganizationConfig or Get-TransportConfig piped to ConvertTo-Json: a file, a folder, or a
    pattern. What the files do not hold is not judged.

    \b
      mailflow-agent import --check contoso.json
      mailflow-agent import export/contoso-*.json

    With --check the findings come in order of danger, each with the PowerShell line that mends it,
    and the exit code is that of a monitoring plugin. Without it, the lines to put into the
    configuration are printed, so that the agent watches the tenant from then on.
    """  # noqa: D301 - the backspace keeps click from joining the lines
    try:
        reading = read_tenant(files)
    except ExportError as error:
        return _refuse(error, as_json=as_json)
    tenant = label_of(name) if name else name_of(reading.export, files)
    subject = TenantSubject(name=tenant or _UNNAMED, imports=files, max_age=_ANY_AGE)
    outcomes = asyncio.run(_judge(subject, reading, servers, offline=offline)) if checks else {}
    if as_json:
        click.echo(json.dumps(_as_json(subject, reading, outcomes), indent=2))
    else:
        pen = Pen.of_terminal(colour=sys.stdout.isatty())
        text = _told(subject, reading, pen)
        if checks:
            text = chain(
                _opening(subject, reading, outcomes, pen),
                _found(outcomes, pen, brief=brief),
                _closing(outcomes, pen, offline=offline),
            )
        click.echo(join(text), nl=False)
    return exit_for(_worst(outcomes))


def _refuse(error: ExportError, *, as_json: bool) -> int:
    """Show all mistakes of files that are no export."""
    if not as_json:
        raise WrongExport(error) from None
    click.echo(json.dumps({"mistakes": [_remark(each) for each in error.mistakes]}, indent=2))
    return Exit.CONFIG


def name_of(export: Export, files: tuple[str, ...]) -> str:
    """Return what to call a tenant: after its initial domain, or else after the file."""
    initial = (each.name for each in export.domains or () if each.is_initial)
    named = next(initial, "").partition(".")[0] or Path(files[0]).stem
    return label_of(named)


async def _judge(
    subject: TenantSubject, reading: ExportReading, servers: tuple[Server, ...], *, offline: bool
) -> dict[str, Outcome]:
    """Run every check that there is of a tenant as a whole; return the outcomes by kind."""
    tenancies = Tenancies()
    remarks = tuple(map(str, reading.remarks))
    tenancies.tell(
        subject.name, Known(tenancy=tenancy_of(subject, reading.export), remarks=remarks)
    )
    done: dict[str, Outcome] = {}

    def publish(run: Run) -> None:
        done[run.check.probe.kind] = _without_silence(run.outcome) if offline else run.outcome

    domains = tuple(each.name for each in reading.export.domains or ())
    async with _answering(servers, domains, offline=offline) as resolver:
        tools = toolbox_of_tenants(resolver, tenancies)
        checks = tuple(
            Check(subject.name, subject, probe, probe.settings()) for probe in probes_of_tenants()
        )
        runner = Runner(tools, publish, Dependencies(()), Limits(len(checks), len(checks)))
        await asyncio.gather(*map(runner.run, checks))
    return dict(sorted(done.items()))


@contextlib.asynccontextmanager
async def _answering(
    servers: tuple[Server, ...], domains: tuple[str, ...], *, offline: bool
) -> AsyncIterator[Resolves]:
    """Lend who answers questions of DNS: nobody, where none are to be asked or DNS is not seen."""
    if offline:
        yield _Silent()
        return
    async with resolving(servers) as resolver:
        doubt = await doubts(resolver, domains)
        yield _Silent() if doubt.tell(domains) else resolver


def _without_silence(outcome: Outcome) -> Outcome:
    """Leave out that DNS did not answer, where it was not asked."""
    found = tuple(each for each in outcome.findings if each.rule is not DNS_UNANSWERED)
    return outcome if found == outcome.findings else replace(outcome, findings=found, failure="")


class _Silent:
    """Answers nothing, so that nothing is taken for absent."""

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return (Unanswered(Silence.UNREACHABLE, "nobody was asked"),) * len(queries)


def _worst(outcomes: dict[str, Outcome]) -> Severity:
    return max((each.severity for each in outcomes.values()), default=Severity.OK)


def _opening(
    subject: TenantSubject, reading: ExportReading, outcomes: dict[str, Outcome], pen: Pen
) -> Iterator[str]:
    """Draw the verdict, and how old what it stands on is."""
    yield draw_verdict(_worst(outcomes), pen.paint(subject.name, None, bold=True), pen)
    yield f"  {_as_of(reading.export, datetime.now(UTC))}"


def _found(outcomes: dict[str, Outcome], pen: Pen, *, brief: bool) -> Iterator[str]:
    """Draw all findings in order of danger, then what the checks show beside them."""
    facts: dict[str, Fact] = {}
    for kind in () if brief else sorted(outcomes, key=lambda kind: (kind != _FIRST, kind)):
        facts |= {title: fact for title, fact in outcomes[kind].facts.items() if _says(fact)}
    yield from draw_outcome(Outcome(_findings(outcomes), facts=facts), pen)
    yield ""


def _says(fact: Fact) -> bool:
    """Tell whether a fact is more than the head of an empty table."""
    return not isinstance(fact, Table) or bool(fact.rows)


def _closing(outcomes: dict[str, Outcome], pen: Pen, *, offline: bool) -> Iterator[str]:
    """Draw how many findings there are, and what nobody looked for."""
    found = _findings(outcomes)
    counts = {severity: 0 for severity in sorted(Severity, reverse=True) if severity}
    for each in found:
        counts[each.severity] += 1
    said = ", ".join(f"{count} {severity.word}" for severity, count in counts.items() if count)
    many = "" if len(found) == 1 else "s"
    fine = "Nothing is wrong by the export alone." if offline else "Nothing is wrong."
    yield f"{len(found)} finding{many}: {said}" if found else fine
    if offline:
        yield from pen.wrap(NOT_JUDGED, "", "")


def _findings(outcomes: dict[str, Outcome]) -> tuple[Finding, ...]:
    return tuple(each for outcome in outcomes.values() for each in outcome.findings)


def _as_of(export: Export, now: datetime) -> str:
    """Say how old the export is: what is looked at once may be of any age."""
    at = export.exported_at
    if at is None:
        return "nobody knows when it was exported"
    age = now - at
    since = f"{age_in_words(age)} ago" if age >= timedelta(minutes=1) else "just now"
    return f"as of {at:%Y-%m-%d %H:%M} UTC, {since}"


def _told(subject: TenantSubject, reading: ExportReading, pen: Pen) -> Iterator[str]:
    """Draw what the files hold, what of it is not understood, and what to configure."""
    yield pen.paint(subject.name, None, bold=True)
    rows = tuple((title, str(count)) for title, count in _tally(reading.export).items())
    yield from (f"  {line}" for line in draw_fact(Table(("what", "how many"), rows), pen))
    for remark in reading.remarks:
        yield from pen.wrap(str(remark), "  ? ", "    ")
    yield ""
    yield "# See what is wrong with it: the same command with --check. Have it watched:"
    yield configuration(subject, reading.export).removesuffix("\n")


def _tally(export: Export) -> dict[str, str]:
    """Return how many objects there are of each kind, and when they were exported."""
    found = {}
    for kind, title in KINDS.items():
        things = getattr(export, kind)
        found[title] = "not in the files" if things is None else str(len(things))
    found["organisation"] = "in the files" if export.organisation else "not in the files"
    at = export.exported_at
    return found | ({"exported": f"{at:%Y-%m-%d %H:%M} UTC"} if at else {})


def configuration(subject: TenantSubject, export: Export) -> str:
    """Return the lines of the configuration that import the tenant, with absolute paths.

    Texts are written as JSON has them, which YAML reads.
    """
    paths = [json.dumps(str(Path(each).absolute())) for each in subject.imports]
    what = paths[0] if len(paths) == 1 else f"[{', '.join(paths)}]"
    tenant_id = export.organisation.tenant_id if export.organisation else ""
    lines = ["tenants:", f"  - name: {json.dumps(subject.name)}"]
    lines += [f"    tenant_id: {tenant_id}"] if tenant_id else []
    lines += ["    connectors:", f"      import: {what}"]
    return join(lines)


def _remark(remark: Any) -> dict[str, str]:
    return {
        "file": remark.file,
        "path": remark.path,
        "what": remark.what,
        "right": remark.right,
    }


def _by_danger(outcomes: dict[str, Outcome]) -> Iterator[tuple[str, Outcome]]:
    """Yield the outcomes with the gravest first, each with its gravest findings first."""
    for kind, outcome in sorted(outcomes.items(), key=lambda each: (-each[1].severity, each[0])):
        found = tuple(sorted(outcome.findings, key=lambda finding: -finding.severity))
        yield kind, replace(outcome, findings=found)


def _as_json(
    subject: TenantSubject, reading: ExportReading, outcomes: dict[str, Outcome]
) -> dict[str, Any]:
    export = reading.export
    at = export.exported_at
    counts = {kind: getattr(export, kind) for kind in KINDS}
    return {
        "tenant": subject.name,
        "severity": _worst(outcomes).word if outcomes else None,
        "exported": at.isoformat() if at else None,
        "objects": {kind: None if found is None else len(found) for kind, found in counts.items()},
        "remarks": [_remark(each) for each in reading.remarks],
        "configuration": configuration(subject, export),
        "checks": {kind: outcome_as_json(each) for kind, each in _by_danger(outcomes)},
    }
