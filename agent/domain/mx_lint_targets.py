"""What is wrong with the hosts that a domain's MX records name?

The first half looks at any host; the second knows Exchange Online's endpoints and filters.
"""

from collections.abc import Callable, Iterator

from agent.domain import mx_rules as rules
from agent.domain.finding import Finding
from agent.domain.knowledge.addresses import special_use
from agent.domain.knowledge.clouds import CLASSIC_SUFFIX, CLOUDS, DNSSEC_SUFFIX
from agent.domain.mx import (
    Survey,
    Target,
    can_be_host,
    is_host_name,
    literal,
    matches,
    matches_any,
)
from agent.domain.peer_text import PeerText

_LONGEST_NAME = 300
_MAX_SUFFIX = 4  # characters that Microsoft may add to a token: 0i, 01b, ...
_CUT_TOKEN = 20  # characters from which on a token may be a shortened domain
_MIN_LABELS = 2  # of a domain that can be somebody's


def lint(survey: Survey) -> Iterator[Finding]:
    """Look at each host, then at all of them together."""
    for target in survey.targets:
        for check in (_lint_name, _lint_addresses):
            yield from check(target)
    if survey.implicit:
        yield from _lint_addresses(survey.implicit)
    yield from _lint_reach(survey)
    yield from _lint_same(survey.targets)


def _lint_name(target: Target) -> Iterator[Finding]:
    exchange, name = target.exchange, _name(target)
    if literal(exchange) is not None:
        yield rules.LITERAL.found(f"`{name}` is an address.")
    elif not can_be_host(exchange):
        yield rules.NOT_A_HOST_NAME.found(f"`{name}` is no host name.")
    elif not is_host_name(exchange):
        yield rules.UNDERSCORE.found(f"{name} has an underscore.")
    elif "." not in exchange:
        yield rules.SINGLE_LABEL.found(f"`{name}` has no domain.")


def _lint_addresses(target: Target) -> Iterator[Finding]:
    name = _name(target)
    if target.aliases:
        way = " -> ".join(PeerText(alias, _LONGEST_NAME) for alias in target.aliases[:8])
        yield rules.ALIAS.found(f"{name} is an alias: {way}.")
    if target.silence:
        yield rules.TARGET_UNANSWERED.found(f"{name}: {target.silence}.")
    elif target.followed and not target.exists:
        yield rules.DANGLING.found(f"DNS says that {name} does not exist.")
    elif target.has_no_address:
        yield rules.NO_ADDRESS.found(f"{name} has neither A nor AAAA.")
    special = [(address, special_use(address)) for address in target.addresses]
    shown = tuple(f"{address} is {use}" for address, use in special if use)
    if shown:
        yield rules.SPECIAL_ADDRESS.found(f"{name} has {len(shown)} such.", *shown[:10])


def _lint_reach(survey: Survey) -> Iterator[Finding]:
    routes = survey.routes
    # What could not be learnt, or was too much to ask for, may be the address that is missed.
    if any(one.silence or (can_be_host(one.exchange) and not one.followed) for one in routes):
        return
    followed = [target for target in routes if target.followed]
    addresses = {address for target in followed for address in target.addresses}
    if routes and not addresses:
        hosts = ", ".join(_name(target) for target in routes[:5])
        yield rules.NONE_REACHABLE.found(f"Without an address: {hosts}.")
    elif addresses and all(address.version == 6 for address in addresses):  # noqa: PLR2004 - IPv6
        yield rules.IPV6_ONLY.found(f"Only IPv6: {', '.join(map(str, sorted(addresses)[:5]))}.")


def _lint_same(targets: tuple[Target, ...]) -> Iterator[Finding]:
    seen: dict[frozenset[object], Target] = {}
    for target in targets:
        # Providers publish several names for one pool of machines, and know what they do.
        if target.owner or not target.addresses or target.silence:
            continue
        first = seen.setdefault(frozenset(target.addresses), target)
        if first is not target:
            addresses = ", ".join(map(str, target.addresses[:5]))
            yield rules.SAME_ADDRESSES.found(
                f"{_name(first)} and {_name(target)} both have {addresses}."
            )


def lint_microsoft(
    survey: Survey, exchanges: tuple[str, ...], *, allowed: bool, patterns: tuple[str, ...]
) -> Iterator[Finding]:
    """Look at Microsoft's endpoints among the targets.

    *exchanges* are the operator's own patterns, *patterns* those in effect; *allowed* says whether
    the topology lets Exchange Online be in MX.
    """
    microsoft = [one for one in survey.targets if _has_owner(one, CLOUDS.__contains__)]
    for target in survey.targets:
        yield from _lint_closed(target)
    for target in microsoft:
        listed = any("*" not in one and matches(one, target.exchange) for one in exchanges)
        if not listed and not _owns(target.exchange.partition(".")[0], survey.domain):
            yield rules.FOREIGN_TOKEN.found(f"{_name(target)} does not look like {survey.domain}.")
    yield from _lint_several(microsoft)
    filtered = any(one.owner and one.owner.role == "filter" for one in survey.targets)
    for target in microsoft:
        if not matches_any(patterns, target.exchange) and (not allowed or filtered):
            yield rules.FILTER_BYPASS.found(f"{_name(target)} is in MX.")


def _lint_closed(target: Target) -> Iterator[Finding]:
    if _has_owner(target, "legacy".__eq__):
        yield rules.LEGACY.found(f"{_name(target)} is no exchange any more.")
    for cloud in CLOUDS.values():
        if cloud.retired and _has_owner(target, cloud.name.__eq__):
            yield rules.RETIRED_CLOUD.found(
                f"{_name(target)}: {cloud.title} was closed in {cloud.retired}."
            )


def _lint_several(microsoft: list[Target]) -> Iterator[Finding]:
    classic = [one for one in microsoft if one.exchange.endswith(f".{CLASSIC_SUFFIX}")]
    secured = [one for one in microsoft if one.exchange.endswith(f".{DNSSEC_SUFFIX}")]
    hosts = ", ".join(_name(target) for target in microsoft[:5])
    if classic and secured:
        yield rules.BOTH_ENDPOINTS.found(f"In MX: {hosts}.")
    elif len(microsoft) > 1:
        yield rules.SEVERAL_ENDPOINTS.found(f"In MX: {hosts}.")


def _has_owner(target: Target, wanted: Callable[[str], bool]) -> bool:
    return target.owner is not None and wanted(target.owner.name)


def _owns(token: str, domain: str) -> bool:
    """Tell whether a token may have been made for *domain* or for a domain above it.

    Microsoft turns dots into dashes, drops dashes that were there, may add a few characters, and
    shortens what is long.
    """
    token = token.replace("-", "")
    labels = domain.removesuffix(".onmicrosoft.com").split(".")
    least = min(_MIN_LABELS, len(labels))
    for start in range(len(labels) - least + 1):
        own = "".join(labels[start:]).replace("-", "")
        added = len(token) - len(own)
        if token.startswith(own) and added <= _MAX_SUFFIX:
            return True
        if len(token) >= _CUT_TOKEN and own.startswith(token[:_CUT_TOKEN]):
            return True
    return False


def _name(target: Target) -> PeerText:
    return PeerText(target.exchange, _LONGEST_NAME)
