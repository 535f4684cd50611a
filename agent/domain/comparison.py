"""What of all that is wrong goes, comes and stays with a change?"""

from collections.abc import Iterable
from dataclasses import dataclass

from agent.domain.finding import Finding, Rule


@dataclass(frozen=True, slots=True)
class Altered:
    """A finding whose rule stays broken, in another way than before."""

    before: Finding
    after: Finding


@dataclass(frozen=True, slots=True)
class Difference:
    """Findings by what becomes of them."""

    goes: tuple[Finding, ...] = ()
    comes: tuple[Finding, ...] = ()
    stays: tuple[Finding, ...] = ()
    altered: tuple[Altered, ...] = ()


def compare(before: Iterable[Finding], after: Iterable[Finding]) -> Difference:
    """Compare two lists of findings, in the order in which they stand there.

    A finding is the same where rule and detail are. Where a rule is broken before and after, in
    different words, its findings are put together in pairs.
    """
    old, new = list(dict.fromkeys(before)), list(dict.fromkeys(after))
    known, wanted = set(map(_key, old)), set(map(_key, new))
    goes = [one for one in old if _key(one) not in wanted]
    comes = [one for one in new if _key(one) not in known]
    altered = []
    for finding in tuple(comes):
        partner = next((one for one in goes if one.rule == finding.rule), None)
        if partner is not None:
            goes.remove(partner)
            comes.remove(finding)
            altered.append(Altered(partner, finding))
    stays = tuple(one for one in new if _key(one) in known)
    return Difference(tuple(goes), tuple(comes), stays, tuple(altered))


def _key(finding: Finding) -> tuple[Rule, str]:
    return finding.rule, finding.detail
