"""Is every tenant of the gallery judged as its case says, and is the healthy left in peace?"""

import re
from pathlib import Path

import pytest
from gallery import FOLDERS, Case, hang, read_case, words_of

from agent.domain.finding import Finding
from agent.domain.tenancy import attribution_lint, hygiene, loops
from agent.domain.tenancy.objects import Export
from proof import fires

RULES = {each.code for each in (*hygiene.RULES, *attribution_lint.RULES, *loops.RULES)}
# What no export shows: the stamps of messages that arrived, a loop that nothing explains, and what
# is said in place of more while DNS is silent.
UNSEEN = {"attribution-foreign-stamp", "loop-predicted", "hygiene-unrestricted"}
# What is said of the same fault where less is known of it.
LESS = {
    "attribution-claims-others-mail": "attribution-domain-parent-only",
    "attribution-partner-connector-missing": "attribution-provider-certificate",
    "hygiene-enhanced-filtering-under-cmt": "hygiene-enhanced-filtering-without-filter",
    "hygiene-not-locked-down": "hygiene-unrestricted",
    "hygiene-scl-rule-conflict": "hygiene-scl-rule-blanket",
}


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hang(tmp_path_factory.mktemp("gallery"))


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest, gallery: Path) -> Path:
    return gallery / str(request.param)


@pytest.fixture
def case(folder: Path) -> Case:
    return read_case(folder)


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return sorted(each.rule.code for each in findings)


def test_each_tenant_has_exactly_its_findings(case: Case) -> None:
    findings = case.findings()
    for each in case.sitters:
        name = each.tenancy.name
        assert codes(findings[name]) == sorted(each.expected), (name, findings[name])
        for finding in findings[name]:
            fires(finding.rule, findings[name])


def test_what_fits_may_be_declared_and_changes_nothing(case: Case) -> None:
    assert case.declared().findings() == case.findings()


def test_the_order_of_files_and_tenants_is_no_matter(folder: Path, case: Case) -> None:
    other = read_case(folder, backwards=True)
    findings, turned = case.findings(), other.findings()
    assert {name: set(each) for name, each in turned.items()} == {
        name: set(each) for name, each in findings.items()
    }
    assert {name: codes(each) for name, each in turned.items()} == {
        name: codes(each) for name, each in findings.items()
    }


@pytest.mark.parametrize(
    "kind", ["inbound", "outbound", "domains", "rules", "dkim", "records", "organisation"]
)
def test_what_no_file_holds_is_no_fault(case: Case, kind: str) -> None:
    expected = {each.tenancy.name: set(each.expected) for each in case.sitters}
    for name, findings in case.without(kind).findings().items():
        allowed = expected[name] | {LESS[code] for code in expected[name] & set(LESS)}
        assert set(codes(findings)) <= allowed


def test_what_dns_does_not_tell_is_no_fault(case: Case) -> None:
    expected = {each.tenancy.name: set(each.expected) for each in case.sitters}
    for name, findings in case.in_silence().findings().items():
        allowed = expected[name] | {LESS[code] for code in expected[name] & set(LESS)}
        assert set(codes(findings)) <= allowed


def test_each_finding_names_what_it_is_about(case: Case) -> None:
    findings = case.findings()
    exports = [each.tenancy.export for each in case.sitters]
    named = {name for export in exports for name in _names(export)} | set(findings)
    named |= {"RejectDirectSend"}
    for finding in (each for found in findings.values() for each in found):
        assert any(name in finding.detail for name in named), finding.detail
        assert "\n" not in f"{finding.detail}{finding.fix}"


def _names(export: Export) -> set[str]:
    names = [each.name for each in export.inbound or ()]
    names += [each.name for each in export.outbound or ()]
    names += [each.name for each in export.rules or ()]
    return {*names, *export.domain_names}


def test_every_line_that_mends_is_about_an_object_of_the_tenant(case: Case) -> None:
    findings = case.findings()
    for each in case.sitters:
        known = _names(each.tenancy.export)
        for fix in filter(None, (finding.fix for finding in findings[each.tenancy.name])):
            match = re.search(r"-Identity (?:'([^']+)'|(\S+))", fix)
            if match is not None:
                assert (match[1] or match[2]) in known, fix


def test_every_file_is_read_and_understood(folder: Path, case: Case) -> None:
    words = {each["name"]: each for each in words_of(folder)["tenants"]}
    used = {Path(file) for each in case.sitters for file in each.files}
    assert used | {folder / "case.yaml"} == {each for each in folder.rglob("*") if each.is_file()}
    for each in case.sitters:
        remarks = words[each.tenancy.name].get("remarks", [])
        assert len(each.remarks) == len(remarks), each.remarks
        for part, remark in zip(remarks, each.remarks, strict=True):
            assert part in str(remark)


def test_each_case_says_what_it_shows_and_where_that_is_written(case: Case) -> None:
    assert case.about.endswith(".")
    assert case.page.startswith(
        ("https://learn.microsoft.com/", "https://techcommunity.microsoft.com/")
    )


def test_every_rule_is_broken_somewhere_in_the_gallery() -> None:
    broken = {
        code
        for name in FOLDERS
        for tenant in words_of(_original(name))["tenants"]
        for code in tenant["expected"]
    }
    assert RULES - broken == UNSEEN


def _original(name: str) -> Path:
    return Path(__file__).parent / "tenants" / name


def test_the_gallery_begins_with_the_article_and_is_large_enough() -> None:
    first = read_case(_original(FOLDERS[0]))
    assert "provider" in first.about.lower()
    assert len(FOLDERS) >= 25
    assert len([name for name in FOLDERS if not any(_expected(name))]) >= 13


def _expected(name: str) -> list[list[str]]:
    return [tenant["expected"] for tenant in words_of(_original(name))["tenants"]]
