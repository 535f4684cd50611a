"""Which blocklists can be named, and on which terms?

The page of the manual about them, rendered from the table that the check itself uses.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from agent.domain.knowledge.blocklists import BLOCKLISTS, REFUSALS, Blocklist

PATH: Final = "docs/blocklists.md"
_ABOUT = """\
<!-- Rendered from the declarations: change those, then run make generate. -->
# Blocklists

The check [reputation](checks/reputation.md) looks for a domain, and for the addresses among its
`senders`, in the DNS blocklists that you name. None is asked by default: each has terms of use, and
some answer customers only. The table has those that are well known and still answer; its last
column says what their answers and terms were compared with. Read the terms before you name one.

```yaml
checks:
  reputation:
    lists:
      - {list: spamcop}
      - {zone: bl.example.com, of: [ipv4, ipv6], refuses: true}
```

An entry on a list that `refuses` is critical, because mail is refused by it now; on another it is a
warning. Two runs in a row have to find it before anybody is told.

A customer's key goes into `key_file` (or `key: ${VARIABLE}`), never into `zone`. It is put before
the zone of the list when it is asked, and shown nowhere: not on pages, in metrics, logs or errors.

Ask by a resolver of your own that asks the lists itself. Most lists refuse the large public
resolvers, and some answer nothing at all then, which looks like "not listed". So every list is
asked for its own entries for tests first (RFC 5782 section 5): 127.0.0.2, ::FFFF:7F00:2 or `test`
must be listed, 127.0.0.1, ::FFFF:7F00:1 or `invalid` must not. A list that fails is unknown, and is
not asked for yours. Answers are kept for as long as their time to live allows.
"""


def rendered() -> Mapping[str, str]:
    """Return the page by its path."""
    return {PATH: "\n".join(_lines()) + "\n"}


def _lines() -> Iterator[str]:
    yield _ABOUT
    yield "| list | | zone | of | refuses | key | terms | compared with |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for each in BLOCKLISTS.values():
        yield _row(each)
    yield ""
    yield "## Answers"
    for each in BLOCKLISTS.values():
        yield from _answers(each)
    yield from ("", "### Refusals, of any list", "", "| answer | |", "| --- | --- |")
    yield from (f"| {code} | {text} |" for code, text in REFUSALS.items())
    yield "| another of 127.255.255.0/24 | the list refuses, for a reason of its own |"
    yield ""
    yield "An answer that is not in 127.0.0.0/8 is none of a list: its zone was sold, or the"
    yield "resolver makes up answers. A code that is not in these tables is shown as a number."


def _row(each: Blocklist) -> str:
    key = f"`KEY.{each.keyed_zone}`" if each.keyed_zone else ""
    cells = (
        f"`{each.name}`",
        f"[{each.title}]({each.page})",
        f"`{each.zone}`",
        ", ".join(each.of),
        "yes" if each.refuses else "no",
        key,
        each.terms,
        each.checked,
    )
    return f"| {' | '.join(cells)} |"


def _answers(each: Blocklist) -> Iterator[str]:
    yield from ("", f"### {each.title}", "", "| answer | |", "| --- | --- |")
    told = [*each.codes.items(), *((f"bit {bit}", text) for bit, text in each.bits.items())]
    for code, meaning in told:
        yield f"| {code} | {meaning.text}{'' if meaning.refuses else '; not meant to refuse by'} |"
    yield from (f"| {code} | refusal: {text} |" for code, text in each.refusals.items())
