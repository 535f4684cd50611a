"""What can be asked of the API?

Each operation with its path, its parameters and the shape of the answer. The server's paths, the
checks of parameters and the description in OpenAPI follow from these.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from agent.exposition import api_shapes as shapes

V1 = "/api/v1"
PER_PAGE, MOST_PER_PAGE, MOST_PAGES = 100, 500, 100_000
STATES = ("critical", "unknown", "stale", "warning", "pending", "ok", "trouble")
_LONGEST = 253  # characters of a text to search for
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an address: a text, one of ``words``, or a number up to ``most``."""

    name: str
    about: str
    words: tuple[str, ...] = ()
    most: int = 0
    default: int = 0

    def mistake(self, value: str) -> str:
        """Say what is wrong with *value*, and what would be right; nothing where it is right."""
        if self.words and value not in self.words:
            near = get_close_matches(value[:64], self.words, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            return f"is not one of: {', '.join(self.words)}{meant}"
        if self.most and not (_NUMBER.fullmatch(value) and 1 <= int(value) <= self.most):
            return f"is not a whole number from 1 to {self.most}"
        return "" if len(value) <= _LONGEST else f"has more than {_LONGEST} characters"

    @property
    def schema(self) -> dict[str, object]:
        """The parameter in JSON Schema."""
        if self.words:
            return {"type": "string", "enum": list(self.words)}
        if self.most:
            schema = {"type": "integer", "minimum": 1, "maximum": self.most}
            return schema | {"default": self.default}
        return {"type": "string", "maxLength": _LONGEST}


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to ask for. ``shape`` is None for the description itself."""

    name: str
    path: str
    about: str
    shape: type | None
    parameters: tuple[Parameter, ...] = ()
    is_of_one: bool = False  # and is not found where there is no such thing

    @property
    def places(self) -> list[str]:
        """The names of what stands in the path."""
        return re.findall(r"{(\w+)}", self.path)

    def mistakes(self, given: Sequence[tuple[str, str]]) -> list[shapes.Mistake]:
        """Return what is wrong with the parameters that were *given*."""
        known = {each.name: each for each in self.parameters}
        seen: set[str] = set()
        found: list[shapes.Mistake] = []
        for name, value in given:
            detail = known[name].mistake(value) if name in known else self._unknown(known)
            detail = "is given twice" if name in seen else detail
            seen.add(name)
            if detail:
                found.append({"parameter": name[:64], "detail": detail})
        return found

    def _unknown(self, known: dict[str, Parameter]) -> str:
        return f"is unknown; there is: {', '.join(known)}" if known else "is unknown; there is none"


TENANT = Parameter("tenant", "The tenant, exactly.")
TEXT = Parameter("q", "Part of the subject's name; case does not count.")
STATE = Parameter("state", "The state; trouble is all but ok.", words=STATES)
KIND = Parameter("kind", "The kind of subject, such as domain.")
PROBE = Parameter("probe", "The kind of check, such as spf.")
RULE = Parameter("rule", "The code of a rule that the last run found.")
PAGE = Parameter("page", "The page, from 1.", most=MOST_PAGES, default=1)
SIZE = Parameter("per_page", "How many on a page.", most=MOST_PER_PAGE, default=PER_PAGE)
LIMIT = Parameter("limit", "How many at most.", most=MOST_PER_PAGE, default=PER_PAGE)
_PAGED = (PAGE, SIZE)

OPERATIONS = (
    Operation("status", f"{V1}/status", "Every check, in one answer.", shapes.Status),
    Operation("agent", f"{V1}/agent", "The agent itself.", shapes.Agent),
    Operation(
        "subjects",
        f"{V1}/subjects",
        "Subjects, tenants with trouble first.",
        shapes.Subjects,
        (TEXT, TENANT, STATE, KIND, *_PAGED),
    ),
    Operation(
        "subject",
        f"{V1}/subjects/{{tenant}}/{{kind}}/{{subject}}",
        "One subject, with all that was found.",
        shapes.Subject,
        is_of_one=True,
    ),
    Operation(
        "checks",
        f"{V1}/checks",
        "Checks, with their findings.",
        shapes.Checks,
        (TEXT, TENANT, STATE, KIND, PROBE, RULE, *_PAGED),
    ),
    Operation(
        "check",
        f"{V1}/checks/{{tenant}}/{{kind}}/{{subject}}/{{probe}}",
        "One check, with its last run.",
        shapes.CheckWithRun,
        is_of_one=True,
    ),
    Operation(
        "changes",
        f"{V1}/changes",
        "The latest changes of severity.",
        shapes.Changes,
        (TEXT, TENANT, LIMIT),
    ),
    Operation("rules", f"{V1}/rules", "All rules.", shapes.Rules),
    Operation("rule", f"{V1}/rules/{{rule}}", "One rule.", shapes.RuleWithChecks, is_of_one=True),
    Operation(
        "routes",
        f"{V1}/routes",
        "Routes, tenants with trouble first.",
        shapes.Routes,
        (TEXT, TENANT, STATE, *_PAGED),
    ),
    Operation(
        "route",
        f"{V1}/routes/{{tenant}}/{{route}}",
        "One route, with its last messages.",
        shapes.Route,
        is_of_one=True,
    ),
    Operation("openapi", f"{V1}/openapi.json", "This description.", None),
)
