"""Does a runbook help whoever opens it, and does every line of it work?"""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import click
import promql_parser
import pytest
from click.testing import CliRunner

from agent.cli.main import cli
from agent.domain.finding import Severity
from agent.domain.knowledge.cmdlets import CMDLETS
from agent.exposition import alerts
from agent.exposition.runbooks import SECTIONS, Runbook, Shelf, rendered
from agent.exposition.runbooks.as_data import as_data
from agent.exposition.runbooks.markup import Block, Items, Listing, Paragraph, Span, parse, spans
from agent.exposition.runbooks.parts import names, read
from agent.probes.base import discover
from servers.standings import DANGLING, SPF

ROOT = Path(__file__).parents[2]
PROBES = discover()
SHELF = Shelf(PROBES)
BOOKS = [book for name in SHELF.names if (book := SHELF.find(name))]
KINDS = {probe.kind for probe in PROBES}
IN_FULL = {"spf", "mx", "exchange", "connector", "inbound", "route", "loop", "attribution", "self"}
IN_FULL |= {"registration", "reputation", "nameservers"}
PROGRAMS = frozenset(
    {"amtool", "curl", "dig", "ip", "journalctl", "mailflow-agent", "nc", "openssl", "ping"}
    | {"systemctl", "whois", "cat", "chown", "df", "ls", "od", "top"}
)
# What a reader writes for a gap; a gap that is not listed here is one nobody can fill.
FILLED = {
    "<address>": "192.0.2.1",
    "<agent>": "127.0.0.1:16245",
    "<certificate-name>": "mail.contoso.com",
    "<connector>": "to-datacentre",
    "<domain>": "contoso.com",
    "<endpoint>": "contoso-com.mail.protection.outlook.com",
    "<host>": "mail.contoso.com",
    "<host-name>": "relay.contoso.com",
    "<included-domain>": "spf.contoso.com",
    "<recipient>": "user@contoso.com",
    "<route>": "internet-to-mailbox",
    "<sender>": "info@contoso.com",
    "<tenant>": "contoso",
    "/etc/mailflow-agent/config.yaml": str(ROOT / "config.example.yaml"),
    "<export>": str(ROOT / "agent/lab/exports/contoso.json"),
    "<file>": str(ROOT / "README.md"),
}


def listings(book: Runbook) -> Iterator[Listing]:
    for blocks in book.sections.values():
        yield from (block for block in blocks if isinstance(block, Listing))


def lines(language: str) -> dict[str, str]:
    """Return every line of a language, with a runbook that has it."""
    return {
        line: book.name
        for book in BOOKS
        for listing in listings(book)
        if listing.language == language
        for line in listing.lines
    }


def words(block: Block) -> tuple[str, ...]:
    """Return what a block says in sentences."""
    if isinstance(block, Paragraph):
        return (block.text,)
    return block.items if isinstance(block, Items) else ()


def texts(book: Runbook) -> Iterator[str]:
    for blocks in book.sections.values():
        for block in blocks:
            yield from words(block)


def test_the_committed_pages_are_a_fresh_rendering() -> None:
    pages = rendered(PROBES)
    stale = [path for path, text in pages.items() if (ROOT / path).read_text() != text]
    assert not stale, "run make generate"
    present = {str(path.relative_to(ROOT)) for path in (ROOT / "docs/runbooks").glob("*.md")}
    assert present == set(pages)


def test_every_rule_and_alert_has_a_runbook_with_all_its_sections() -> None:
    rules = {rule.code for probe in PROBES for rule in probe.all_rules}
    assert rules | {alert.runbook for alert in alerts.standing()} == set(SHELF.names)
    empty = [
        f"{book.name}: {section}"
        for book in BOOKS
        for section in SECTIONS
        if not book.sections[section]
    ]
    assert not empty
    assert all(tuple(book.sections) == SECTIONS for book in BOOKS)


def test_each_part_belongs_to_something_and_what_is_grave_has_one() -> None:
    assert names() <= {*SHELF.names, *KINDS, "probe", "alert"}
    assert names() >= KINDS
    grave = {
        rule.code
        for probe in PROBES
        if probe.kind in IN_FULL
        for rule in probe.rules
        if rule.severity is Severity.CRITICAL
    }
    assert grave | {alert.runbook for alert in alerts.standing()} <= names()


def test_a_shell_line_calls_what_there_is() -> None:
    """Every program is one that we name, and the real command line takes each line of ours."""
    given = lines("sh")
    wrong = {line: why for line in given if (why := wrong_in_shell(line))}
    assert not wrong
    assert sum("mailflow-agent " in line for line in given) > 20
    assert "--resolvers" in wrong_in_shell("mailflow-agent check <domain> --resolvers x")
    assert wrong_in_shell("mailflow-agent chek <domain>")
    assert wrong_in_shell("mailflow-agent check <nobody-knows-what>")


def wrong_in_shell(line: str) -> str:
    for gap, value in FILLED.items():
        line = line.replace(gap, value)
    for call in line.split(" | "):
        words = shlex.split(call.split(" > ")[0].replace("</dev/null", ""))
        if words[0] not in PROGRAMS:
            return f"{words[0]} is no program that we name"
        if words[0] == "mailflow-agent" and words[1:] != ["--version"]:
            if re.search(r"<[^<>]+>", call):
                return "a gap that FILLED does not fill"
            return refusal_of(cli, words[1:])
    return ""


def refusal_of(command: click.Command, words: list[str]) -> str:
    """Have *command* read *words* without doing anything; return why it cannot."""
    while isinstance(command, click.Group):
        name, *words = words
        below = command.get_command(click.Context(command), name)
        if below is None:
            return f"there is no {name}"
        command = below
    try:
        with command.make_context(command.name, words):
            return ""
    except click.UsageError as error:
        return error.format_message()


def test_a_powershell_line_calls_cmdlets_with_parameters_that_they_have() -> None:
    given = lines("powershell")
    wrong = {line: why for line in given if (why := wrong_in_powershell(line))}
    assert not wrong
    assert len(given) > 60
    assert wrong_in_powershell("Get-InboundConnektor")
    assert wrong_in_powershell("Set-InboundConnector -Identitty 'x'")


def wrong_in_powershell(line: str) -> str:
    for call in line.split(" | "):
        name, _, rest = call.partition(" ")
        if name == "./deploy/export-tenant.ps1":
            continue
        outside = re.sub(r"'[^']*'", "", rest)
        given = set(re.findall(r"(?<=\s)-([A-Z]\w+)", f" {outside}"))
        if name not in CMDLETS:
            return f"{name} is no cmdlet"
        if given - CMDLETS[name]:
            return f"{name} has no {given - CMDLETS[name]}"
    return "" if line.count("'") % 2 == 0 else "a quote is open"


def test_an_expression_can_be_read() -> None:
    for line in lines("promql"):
        promql_parser.parse(line)


def test_cmdlets_named_in_sentences_exist() -> None:
    pattern = re.compile(r"`((?:Get|Set|New|Remove|Enable|Disable|Validate|Search)-[A-Z]\w+)")
    named = {name for book in BOOKS for text in texts(book) for name in pattern.findall(text)}
    assert named <= CMDLETS.keys()


def test_a_line_that_can_stop_mail_says_so_before() -> None:
    """What refuses, switches off or removes stands behind words that tell what it does."""
    stops = re.compile(r"-Enabled \$false|Remove-|Disable-|-Restrict\w+ \$true|-Reject\w+ \$true")
    tells = re.compile(r"refuse|from then on|bounce|stranger|past|without|once|default way")
    silent = [
        f"{book.name}: {block.text}"
        for book in BOOKS
        for before, block in pairwise(book.sections["Mitigation"])
        if isinstance(block, Listing) and stops.search(block.text)
        if isinstance(before, Listing) or not tells.search(" ".join(words(before)))
    ]
    assert not silent


def test_links_lead_to_runbooks() -> None:
    found = [
        span.target
        for book in BOOKS
        for text in texts(book)
        for span in spans(text)
        if span.sort == "link"
    ]
    assert len(found) > 30
    assert {target for target in found if "://" not in target} <= set(SHELF.names)


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("spf-missing", "spf-missing"),
        ("MailflowSpfMissing", "spf-missing"),
        ("MailflowRouteDown", "route-down"),
        ("route-down", "route-down"),
        ("cannot-tell", "cannot-tell"),
    ],
)
def test_a_runbook_is_found_by_rule_by_page_and_by_alert(name: str, page: str) -> None:
    book = SHELF.find(name)
    assert book is not None
    assert book.name == page


def test_every_alert_leads_to_a_runbook_that_names_it() -> None:
    told = [alerts.of_rule(rule) for rule in alerts.alerting(PROBES)]
    for alert in (*told, *alerts.standing()):
        book = SHELF.find(alert.name)
        assert book is not None
        assert book.name == alert.runbook
        assert alert.name in book.alerts


def test_a_wrong_name_is_told_with_near_ones() -> None:
    assert SHELF.find("spf-mising") is None
    assert "spf-missing" in SHELF.near("spf-mising")
    assert "MailflowRouteDown" in SHELF.near("mailflowroutedwn")
    assert SHELF.near("\x00" * 10_000) == ()


def test_what_is_particular_comes_first_and_no_listing_comes_twice() -> None:
    for book in BOOKS:
        typed = [listing.text for listing in listings(book)]
        assert len(typed) == len(set(typed)), book.name
    many = SHELF.find("spf-too-many-lookups")
    assert many is not None
    first, *rest = many.sections["Diagnosis"]
    assert isinstance(first, Paragraph)
    assert "finding names the dearest" in first.text
    assert rest[0] == Listing("sh", "mailflow-agent check <domain>")


def test_a_part_is_read_into_blocks() -> None:
    text = (
        "## Impact\n\nTwo\nlines with `code <x>` and [a link](spf-missing).\n\n- one\n  more\n"
        "- two\n\n1. first\n2. second\n\n```sh\ndig a\n\ndig b\n```\n## Diagnosis: warning\n\nx\n"
    )
    held = read(text)
    assert held["Impact"] == (
        Paragraph("Two lines with `code <x>` and [a link](spf-missing)."),
        Items(("one more", "two")),
        Items(("first", "second"), ordered=True),
        Listing("sh", "dig a\n\ndig b"),
    )
    assert held["Diagnosis: warning"] == (Paragraph("x"),)
    assert spans("a `b` [c](d)e") == [
        Span("a "),
        Span("b", "code"),
        Span(" "),
        Span("c", "link", "d"),
        Span("e"),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("stray\n## Impact\n", "before the first section"),
        ("## Impacts\n\nx\n", "no section"),
        ("## Impact\n\nx\n## Impact\n\ny\n", "twice"),
        ("## Impact: grave\n\nx\n", "no section"),
        ("## Impact\n\n```bash\nx\n```\n", "not in 'bash'"),
        ("## Impact\n\n```sh\nx\n", "does not end"),
    ],
)
def test_a_part_with_a_mistake_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read(text)


def test_prose_cannot_become_markup_in_the_repository() -> None:
    (block,) = parse("Serve it at <domain>.")
    assert isinstance(block, Paragraph)
    page = next(text for path, text in rendered(PROBES).items() if "sts-unfetched" in path)
    assert "mta-sts.&lt;domain>" in page


def test_a_runbook_is_data_for_programs() -> None:
    data = as_data(next(book for book in BOOKS if book.name == "route-down"))
    assert data["alerts"] == ["MailflowRouteDown"]
    assert list(data["sections"]) == [section.lower() for section in SECTIONS]
    assert any("listing" in block for block in data["sections"]["diagnosis"])
    assert any("list" in block for block in data["sections"]["diagnosis"])


@pytest.mark.parametrize("name", ["MailflowRouteDown", "route-down"])
def test_explain_prints_the_same_on_a_terminal(name: str) -> None:
    printed = CliRunner().invoke(cli, ["explain", name])
    assert printed.exit_code == 0
    at = [printed.stdout.index(f"\n{section}\n") for section in SECTIONS]
    assert at == sorted(at)
    assert "      mailflow-agent doctor <route>" in printed.stdout


def test_explain_writes_json() -> None:
    for name, key in (
        ("spf-missing", "sections"),
        ("spf", "rules"),
        ("MailflowWatchdog", "alerts"),
    ):
        printed = CliRunner().invoke(cli, ["explain", name, "--json"])
        assert key in json.loads(printed.stdout)
    every = json.loads(CliRunner().invoke(cli, ["explain", "--json"]).stdout)
    assert {"name", "severity", "summary"} == set(every[0])
    missed = CliRunner().invoke(cli, ["explain", "MailflowRoutDown"])
    assert missed.exit_code != 0
    assert "did you mean MailflowRouteDown" in missed.output


def test_a_rule_of_a_foreign_probe_has_a_runbook_all_the_same() -> None:
    foreign = replace(SPF, kind="weather", rules=(DANGLING,))
    book = Shelf([foreign]).find("mx-dangling")
    assert book is not None
    assert all(book.sections.values())
