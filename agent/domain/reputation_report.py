"""What does a check of the reputation measure and show?"""

from agent.domain.fact import Fact, Table, Text
from agent.domain.finding import Measurement, Signal
from agent.domain.knowledge.blocklists import Lists
from agent.domain.reputation_survey import Consulted, Survey, shown

LISTED = Signal(
    name="mailflow_reputation_listed",
    help="The domain's own sending addresses, and the domain, as far as they are on the list.",
    labels=("list",),
)
ANSWERS = Signal(
    name="mailflow_reputation_list_answers",
    help="Whether the list answers here, by its own entries for tests: 1 or 0.",
    labels=("list",),
)
ADDRESSES = Signal(
    name="mailflow_reputation_addresses",
    help="The domain's own sending addresses that are looked for in the lists.",
)
SIGNALS = (LISTED, ANSWERS, ADDRESSES)
_ROWS = 100


def measure(found: Survey) -> tuple[Measurement, ...]:
    """Return what is measured: of a list that does not answer, no number of listings."""
    values = [ADDRESSES.at(len(found.own.addresses))]
    for one in [each for each in found.consulted if each.health]:
        is_good = all(health.is_good for _, health in one.health)
        values.append(ANSWERS.at(int(is_good), one.asked.name))
        if is_good:
            values.append(LISTED.at(len(one.listed), one.asked.name))
    return tuple(values)


def draw_facts(found: Survey) -> dict[str, Fact]:
    """Return what is shown: the lists, what is on them, and what was not looked at."""
    facts: dict[str, Fact] = {}
    if listed := _listed(found):
        heads = ("entry", "list", "codes", "what the list writes")
        facts["listed"] = Table(heads, tuple(listed[:_ROWS]))
    columns = ("list", "zone", "of", "refuses", "answers", "looked for", "listed")
    rows = tuple(_row(one) for one in found.consulted)
    facts["lists"] = Table(columns, rows)
    addresses = ", ".join(map(str, found.own.addresses)) or "none of the domain's own is known"
    facts["addresses"] = Text(addresses)
    if found.own.remarks:
        facts["not looked at"] = Table(("sender", "why"), found.own.remarks)
    return facts


def _listed(found: Survey) -> list[tuple[str, ...]]:
    return [
        (
            shown(each.entry),
            one.asked.name,
            "; ".join(each.verdict.said),
            each.verdict.reason or "-",
        )
        for one in found.consulted
        for each in one.listed
    ]


def _row(one: Consulted) -> tuple[str, ...]:
    asked = one.asked
    # The zone as it is published: the key before it is a secret.
    zone = f"(key).{asked.zone}" if asked.key else asked.zone
    return (
        asked.name,
        zone,
        ", ".join(asked.of),
        "yes" if asked.refuses else "no",
        "; ".join(_answers(one)) or "nothing to ask it for",
        str(len(one.told)),
        str(len(one.listed)),
    )


def _answers(one: Consulted) -> list[str]:
    def say(kind: Lists) -> str:
        return f"{kind}: " if len(one.health) > 1 else ""

    return [
        f"{say(kind)}{'yes' if health.is_good else health.detail}" for kind, health in one.health
    ]
