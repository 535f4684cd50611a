"""What is wrong with the places at which a domain's DKIM keys are published?

One function for each question, over what :mod:`agent.domain.dkim_survey` found. A selector that did
not answer is no selector without a key: then nothing is said that depends on it.
"""

from collections.abc import Iterator

from agent.domain import dkim_rules as rules
from agent.domain import dkim_rules_keys as key_rules
from agent.domain.dkim_lint_keys import lint_keys, shown
from agent.domain.dkim_record import parse
from agent.domain.dkim_selectors import Intent
from agent.domain.dkim_survey import Selector, Survey
from agent.domain.dkim_terms import Verdict
from agent.domain.finding import Finding, bounded
from agent.domain.knowledge.dkim_targets import Target, first_target, read_target
from agent.domain.lookup import Answer
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.public_suffix import zone_of
from agent.domain.tenancy.objects import MICROSOFT_DOMAINS
from agent.domain.tenancy.powershell import command


def lint(survey: Survey, intent: Intent) -> tuple[Finding, ...]:
    """Return what is wrong with the domain's keys and with where they stand."""
    found = [*_takeover(survey), *_wildcard(survey)]
    if intent.is_parked:
        found += _parked(survey)
    elif intent.sends:
        found += [*_at_microsoft(survey, intent), *_in_use(survey), *_unknown(survey)]
        found += [*_same(survey), *_ed25519_only(survey)]
    found += (each for one in survey.selectors for each in lint_keys(one, survey.domain))
    return bounded(found)


def _takeover(survey: Survey) -> Iterator[Finding]:
    for one in survey.selectors:
        if _is_open(one, survey):
            zone = PeerText(zone_of(one.aliases[-1]))
            detail = f"{one.name} is an alias for {_end(one)}, and {zone} does not exist."
            yield rules.TAKEOVER.found(detail, *_steps(one))


def _is_open(one: Selector, survey: Survey) -> bool:
    return bool(one.aliases) and zone_of(one.aliases[-1]) in survey.unregistered


def _end(one: Selector) -> PeerText:
    return PeerText(one.aliases[-1])


def _steps(one: Selector) -> tuple[str, ...]:
    """Return the steps of the alias, one a line."""
    return tuple(f"CNAME {PeerText(name)}" for name in one.aliases[:10])


def _wildcard(survey: Survey) -> Iterator[Finding]:
    """Tell of an answer for any name; a revoked key there is what a parked domain should have."""
    texts = [text for text in survey.wildcard if parse(text).verdict is not Verdict.REVOKED]
    if texts:
        what = "a key" if any(b"p=" in text for text in texts) else "text that is no key"
        detail = f"An invented selector of {survey.domain} has an answer: {what}."
        yield rules.WILDCARD.found(detail, *(shown(parse(text)) for text in texts))


def _parked(survey: Survey) -> Iterator[Finding]:
    for one in survey.usable:
        fix = f'*._domainkey.{survey.domain}. 3600 IN TXT "v=DKIM1; p="'
        yield rules.PARKED.found(f"{one.name} has a key.", *_steps(one), fix=fix)


def _at_microsoft(survey: Survey, intent: Intent) -> Iterator[Finding]:
    """Judge the two aliases that Exchange Online asks for."""
    ours = [one for one in survey.selectors if one.wanted.is_expected and one.wanted.is_microsofts]
    if not ours:
        return
    if all(one.is_blank for one in ours):
        yield from _nothing(survey, ours, intent)
        return
    known = [target for one in ours if (target := first_target(one.aliases)) is not None]
    right: list[Selector] = []
    for one in ours:
        wrong = list(_alias(one, ours, survey)) if one.aliases else []
        yield from (each for each in wrong if each is not None)
        if one.aliases and not wrong:
            right.append(one)
        elif one.is_blank and one.wanted.selector in survey.misplaced:
            yield _misplaced(one, survey)
        elif one.is_blank:
            fix = _cname(one, _target(one, known)) or _show(survey.domain)
            yield rules.CNAME_MISSING.found(f"{one.name} does not exist.", fix=fix)
        elif not one.aliases and one.verdict.is_usable:
            fix = _cname(one, _target(one, known)) or _show(survey.domain)
            detail = f"{one.name} is a TXT record, not an alias."
            yield rules.CNAME_COPIED.found(detail, fix=fix)
    yield from _keyless(ours, right, survey)


def _nothing(survey: Survey, ours: list[Selector], intent: Intent) -> Iterator[Finding]:
    """Say that no selector of Exchange Online is published, and which to publish."""
    moved = [one for one in ours if one.wanted.selector in survey.misplaced]
    if moved:
        for one in moved:
            yield _misplaced(one, survey)
        return
    names = " and ".join(one.name for one in ours)
    verb = "do not exist" if len(ours) > 1 else "does not exist"
    fix, *lines = _setup(survey.domain, ours, intent)
    above = [
        f"{name} has a key at the domain above, which may sign for it" for name in survey.above
    ]
    if intent.config is not None and intent.config.enabled is False:
        above.append("the tenant's export says that signing is off")
    yield rules.MISSING.found(f"{names} {verb}.", *above, *lines, fix=fix)


def _setup(domain: str, ours: list[Selector], intent: Intent) -> Iterator[str]:
    """Say what to do first, and then all of it in its order, a line each."""
    sign = command("Set-DkimSigningConfig", domain, Enabled=True)
    config = intent.config
    records = [line for one in ours if (line := _cname(one, one.wanted.target))]
    steps = [f"publish {line}" for line in records]
    if not records:
        names = " and ".join(one.name for one in ours)
        steps = [_show(domain), f"publish the CNAME records of {names} that it shows"]
    first = records[0] if records else _show(domain)
    if config is None:
        first = command("New-DkimSigningConfig", DomainName=domain, Enabled=False)
        steps.insert(0, f"{first} (not needed where the next line shows the domain)")
    if config is None or not config.enabled:
        steps.append(f"{sign} (when both records can be looked up)")
    yield first
    yield from (f"step {number}: {step}" for number, step in enumerate(steps, 1))


def _show(domain: str) -> str:
    """Write the call that shows the names which the two selectors are to be aliases for."""
    show = command("Get-DkimSigningConfig", domain)
    return f"{show} | Format-List Selector1CNAME,Selector2CNAME"


def _misplaced(one: Selector, survey: Survey) -> Finding:
    where = PeerText(survey.misplaced[one.wanted.selector])
    return rules.MISPLACED.found(f"The key stands at {where} and belongs at {one.name}.")


def _target(one: Selector, known: list[Target]) -> str:
    """Return what the export says, or what follows from the alias of the other selector."""
    if one.wanted.target or not known:
        return one.wanted.target
    return known[0].of(one.wanted.selector)


def _cname(one: Selector, target: str) -> str:
    return f"{one.name}. 3600 IN CNAME {PeerText(target, MAX_NAME)}." if target else ""


def _alias(one: Selector, ours: list[Selector], survey: Survey) -> Iterator[Finding | None]:
    """Judge one alias; None stands for what is wrong with it and told by another finding."""
    target, wish = first_target(one.aliases), one.wanted.target
    is_fitting = (
        target is not None
        and target.selector == one.wanted.selector
        and target.is_for(survey.domain)
    )
    if wish in one.aliases or (is_fitting and (not wish or one.verdict.is_usable)):
        return
    others = [other for other in ours if other is not one]
    is_same = target is not None and any(first_target(other.aliases) == target for other in others)
    if _is_open(one, survey) or is_same:
        yield None
        return
    said = f"{one.name} is an alias for {PeerText(one.aliases[0])}"
    if wish:
        detail = f"{said}, and the tenant's export says {PeerText(wish)}."
        yield rules.CNAME_WRONG.found(detail, *_steps(one), fix=_cname(one, wish))
    elif target is None:
        doubled = read_target(one.aliases[0].removesuffix(f".{survey.domain}"))
        fix = _show(survey.domain) if doubled is None else _cname(one, doubled.of(doubled.selector))
        why = "to which the DNS host has added the domain" if doubled else "no name of Microsoft's"
        yield rules.CNAME_WRONG.found(f"{said}, {why}.", *_steps(one), fix=fix)
    elif target.selector != one.wanted.selector:
        fix = _cname(one, target.of(one.wanted.selector))
        yield rules.CNAME_WRONG.found(f"{said}, which is that of {target.selector}.", fix=fix)
    else:
        token = PeerText(target.token)
        detail = f"{said}: `{token}` is no token of {survey.domain}."
        yield rules.CNAME_FOREIGN.found(detail, fix=_show(survey.domain))


def _keyless(ours: list[Selector], right: list[Selector], survey: Survey) -> Iterator[Finding]:
    """Say that neither alias leads to a key. The one that does not sign now may have none."""
    if any(one.verdict not in {Verdict.MISSING, Verdict.REVOKED} for one in ours) or not right:
        return
    names = " and ".join(f"{one.name}" for one in right)
    # Only who has a configuration was told the names of the aliases, so there is one to turn on.
    call = command("Set-DkimSigningConfig", survey.domain, Enabled=True)
    lines = (f"{one.wanted.selector}: {line}" for one in right for line in _steps(one))
    verb = "lead" if len(right) > 1 else "leads"
    detail = f"{names} {verb} to no key: Microsoft publishes it when signing is turned on."
    yield rules.KEY_MISSING.found(detail, *lines, fix=call)


def _in_use(survey: Survey) -> Iterator[Finding]:
    """Judge the selectors that the operator names, and those of a tenant's initial domain."""
    mine = [one for one in survey.selectors if one.wanted.is_expected]
    mine = [one for one in mine if not one.wanted.is_microsofts]
    if survey.domain.endswith(MICROSOFT_DOMAINS) and any(one.verdict.is_usable for one in mine):
        return  # only one of two signs
    for one in mine:
        if one.verdict is Verdict.REVOKED:
            yield key_rules.REVOKED.found(f"{one.name} says that its key is no longer valid.")
        elif one.verdict is not Verdict.MISSING or _is_open(one, survey):
            continue
        elif one.wanted.selector in survey.misplaced:
            yield _misplaced(one, survey)
        else:
            yield _key_missing(one)


def _key_missing(one: Selector) -> Finding:
    if one.aliases:
        detail = f"{one.name} is an alias for {_end(one)}, where there is no key."
    elif one.others:
        detail = f"{one.name} has a TXT record that is no key."
    else:
        is_there = isinstance(one.reply, Answer) and one.reply.name_exists
        detail = f"{one.name} {'has no TXT record' if is_there else 'does not exist'}."
    return rules.KEY_MISSING.found(detail, *_steps(one), *(PeerText(each) for each in one.others))


def _unknown(survey: Survey) -> Iterator[Finding]:
    """Say that nobody knows where to look; a silence may hide the key."""
    if any(one.wanted.is_expected or one.silence is not None for one in survey.selectors):
        return
    if survey.usable:
        return
    tried = ", ".join(one.wanted.selector for one in survey.selectors)
    detail = f"None of these has a key: {tried}."
    yield rules.SELECTORS_UNKNOWN.found(detail)


def _same(survey: Survey) -> Iterator[Finding]:
    first: dict[str, Selector] = {}
    for one in survey.selectors:
        for mark in _marks(one):
            other = first.setdefault(mark, one)
            if other is not one:
                names = f"{other.name} and {one.name}"
                lines = (
                    f"{each.wanted.selector}: {line}"
                    for each in (other, one)
                    for line in _steps(each)
                )
                yield rules.SAME_KEY.found(f"{names} lead to the same key.", *lines)
                break


def _marks(one: Selector) -> Iterator[str]:
    if one.aliases:
        yield one.aliases[-1]
    record = one.record
    if record is not None and record.key is not None and not one.is_wild:
        yield record.key.fingerprint


def _ed25519_only(survey: Survey) -> Iterator[Finding]:
    if any(one.silence is not None for one in survey.selectors):
        return
    keys = [one.record.key for one in survey.usable if one.record is not None]
    if keys and all(key is not None and key.type == "ed25519" for key in keys):
        names = ", ".join(one.name for one in survey.usable)
        yield key_rules.ED25519_ONLY.found(f"No key but of Ed25519: {names}.")
