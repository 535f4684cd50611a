"""What is it that checks look at?"""

from typing import ClassVar, Self

from agent.settings.fields import Settings


class Subject(Settings):
    """What a check looks at. ``kind`` is the word for it, and its section in the file."""

    kind: ClassVar[str]

    name: str

    def within(self, domains: tuple[str, ...]) -> Self:
        """Return the subject as a tenant with these *domains* has it."""
        del domains
        return self
