"""Which alert makes no noise while another one fires?

What the agent's parts and servers hide stands in the template; which rule of a subject explains
which other is declared once, in :mod:`agent.domain.priority`, and rendered from there. A cause that
only opens a ticket hides no page: somebody has to be woken by one of the two.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.domain.finding import Rule
from agent.domain.priority import EXPLAINS, EXPLAINS_ALL
from agent.exposition.alerting.alert import SEVERITIES
from agent.exposition.alerting.rules import of_rule

PATH = "deploy/alertmanager.yml"
_TEMPLATE = Path(__file__).parent / "alertmanager.yml"
_PLACE = "@EXPLAINED@\n"
_EQUAL = "    equal: [job, tenant, subject]"


def render(rules: Iterable[Rule]) -> str:
    """Return the configuration of Alertmanager for *rules* that have alerts of their own."""
    lines = [*_wide(), *_narrow({rule.code: rule for rule in rules})]
    return _TEMPLATE.read_text(encoding="utf-8").replace(_PLACE, "\n".join(lines) + "\n")


def hidden_by(code: str, rules: dict[str, Rule]) -> tuple[str, ...]:
    """Return the rules whose alerts one of *rules* hides: those it explains, none of them louder.

    What tells nobody needs not be hidden.
    """
    if code not in rules:
        return ()
    loudness = _loudness(rules[code])
    return tuple(
        sorted(
            below
            for below in EXPLAINS[code]
            if below in rules and 0 < _loudness(rules[below]) <= loudness
        )
    )


def _loudness(rule: Rule) -> int:
    """Return how much noise the alert of a rule makes; 0 for none."""
    return len(SEVERITIES) - 1 - SEVERITIES.index(of_rule(rule).severity)


def _wide() -> Iterator[str]:
    """Write what hides all else about its subject."""
    for code in sorted(EXPLAINS_ALL):
        yield f"""  - source_matchers: ['rule="{code}"', 'subject!=""']"""
        yield (f"""    target_matchers: ['component="domain"', 'rule!~"{code}|"', 'subject!=""']""")
        yield _EQUAL


def _narrow(rules: dict[str, Rule]) -> Iterator[str]:
    """Write what hides single rules: those that hide the same are one rule of Alertmanager's."""
    causes: dict[tuple[str, ...], list[str]] = {}
    for code in sorted(EXPLAINS):
        hidden = hidden_by(code, rules)
        if hidden:
            causes.setdefault(hidden, []).append(code)
    for hidden, codes in sorted(causes.items(), key=lambda item: item[1]):
        yield f"""  - source_matchers: ['rule=~"{"|".join(codes)}"', 'subject!=""']"""
        yield f"""    target_matchers: ['rule=~"{"|".join(hidden)}"', 'subject!=""']"""
        yield _EQUAL
