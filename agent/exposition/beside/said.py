"""What is one thing that another program says of a domain, and what do we say in its place?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """One class of exceptions, or the warnings of one function, of the other program.

    ``place`` is the class, or the module and the function. ``about`` says in our words what it is
    said of. ``rules`` are the codes of ours that say it, the first the nearest; ``why`` says what
    they leave out, or why there is none. ``sites`` is from how many lines of the function it comes.
    """

    place: str
    about: str
    rules: tuple[str, ...] = ()
    why: str = ""
    sites: int = 1

    @property
    def is_class(self) -> bool:
        """Whether it is a class of exceptions and not a function that warns."""
        return "." not in self.place


def by(place: str, about: str, rules: str, why: str = "", sites: int = 1) -> Said:
    """Return what rules of ours say too: their codes, with blanks between them."""
    return Said(place, about, tuple(rules.split()), why, sites)


def none(place: str, about: str, why: str, sites: int = 1) -> Said:
    """Return what no rule of ours says, and why not."""
    return Said(place, about, (), why, sites)
