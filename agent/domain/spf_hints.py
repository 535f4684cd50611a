"""What did the author of a wrong SPF term mean?

A syntax error is found by the parser; here it is guessed what would be right, from the mistakes
that are published most.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

_TYPOGRAPHIC = re.compile(r"[^\x21-\x7e]")
_PREFIXED = re.compile(r"[-+~?]?(ipv4|ipv6|ip|ip4|ip6)[:=](.+)", re.IGNORECASE)
_MECHANISM_IP = re.compile(r"[-+~?]?(?:a|mx|include):(.+)", re.IGNORECASE)


def hint_for(term: str) -> str:
    """Say what to write instead of *term*, where that can be guessed; empty where not."""
    for guess in _GUESSES:
        hint = guess(term)
        if hint:
            return hint
    return ""


def _is_address(text: str, kind: type[IPv4Address] | type[IPv6Address]) -> bool:
    try:
        kind(text.partition("/")[0])
    except AddressValueError:
        return False
    return True


def _odd_characters(term: str) -> str:
    if _TYPOGRAPHIC.search(term):
        return (
            "Retype it: it holds a character that only looks right, such as a typographic dash or"
            " quote, a no-break space or a tab, as text copied from a document does."
        )
    return ""


def _quotes(term: str) -> str:
    if '"' in term or "'" in term:
        return "Remove the quotation marks; they belong to zone files, not to the record."
    return ""


def _lists(term: str) -> str:
    if "," in term or ";" in term:
        return "Separate terms by spaces, and give every address its own `ip4:` or `ip6:`."
    return ""


def _families(term: str) -> str:
    match = _PREFIXED.fullmatch(term)
    if match is None:
        return ""
    for name, kind in (("ip4", IPv4Address), ("ip6", IPv6Address)):
        if _is_address(match[2], kind):
            return "" if match[1].lower() == name else f"Write `{name}:{match[2]}`."
    return "Write a numeric address after it; for a name use `a:`."


def _addresses(term: str) -> str:
    bare = term.lstrip("-+~?")
    match = _MECHANISM_IP.fullmatch(term)
    text = match[1] if match else bare
    for name, kind in (("ip4", IPv4Address), ("ip6", IPv6Address)):
        if _is_address(text, kind):
            return f"Write `{name}:{text}`."
    return ""


def _words(term: str) -> str:
    lowered = term.lower()
    for start, hint in _STARTS.items():
        if lowered.startswith(start):
            return hint
    if lowered.lstrip("-+~?").startswith("all"):
        return "Write `-all` or `~all` with nothing after it."
    return ""


def _qualifiers(term: str) -> str:
    if not term.strip("-+~?"):
        return "A qualifier stands directly before its mechanism, without a space: `-all`."
    if term[0] in "-+~?" and term[1] in "-+~?":
        return "Write one qualifier only."
    if term[0] in "-+~?" and "=" in term:
        return "Modifiers such as `redirect=` have no qualifier."
    return ""


def _slashes(term: str) -> str:
    if term.count("/") > 1 and "//" not in term:
        return "An IPv6 prefix length has two slashes: `a/24//64`."
    if "/" in term:
        return "A prefix length is digits only, without a sign or leading zeros: `/24`."
    return ""


def _names(term: str) -> str:
    if term[:1] != "%" and "." in term and ":" not in term:
        return f"Write `a:{term}` for its addresses, or `include:{term}` for its SPF record."
    return ""


_STARTS = {
    "redirect:": "It is a modifier: write `redirect=` with an equals sign.",
    "exp:": "It is a modifier: write `exp=` with an equals sign.",
    "includes:": "Write `include:`.",
    "exist:": "Write `exists:`.",
}
_GUESSES = (
    _odd_characters,
    _quotes,
    _lists,
    _qualifiers,
    _families,
    _addresses,
    _words,
    _slashes,
    _names,
)
