"""What does the tenant that has a message do with it?

Mail flow rules come before the recipient's domain. That decides, by its type and by whether there
is such a mailbox, between delivery, a refusal, a connector and the recipient's MX.
"""

from dataclasses import replace

from agent.domain.fact import Mood
from agent.domain.tenancy.choice import (
    Chosen,
    Routed,
    applies,
    centralised,
    choose,
    is_guarded,
    is_open,
    routing_of,
)
from agent.domain.tenancy.hosts import is_endpoint
from agent.domain.tenancy.journey_values import By, Cause, End, Leg, Message, Move, State, Step
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.objects import AcceptedDomain, Outbound
from agent.domain.tenancy.outside import at, by_mx, mood_of
from agent.domain.tenancy.ways import Ways

UNKNOWN_AT_EDGE = "550 5.4.1 Recipient address rejected: Access denied"
UNKNOWN_WITHIN = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found"


def in_tenant(state: State, message: Message, ways: Ways) -> Move:
    """Decide on a message that a tenant has."""
    tenancy = ways.landscape[state.name]
    export = tenancy.export
    domain = message.rcpt_domain
    if export.domains is None:
        return _open(state, message, f"the accepted domains of tenant {tenancy.name}")
    accepted = export.accepted(domain)
    if _is_nobody(message) and accepted is not None and accepted.domain_type == "authoritative":
        return _refused(state, accepted)
    for routed in routing_of(export, message):
        if applies(routed, message, export, trusted=state.trusted, stamped=state.stamped):
            return _by_rule(routed, state, message, ways)
    if accepted is None:
        return _outward(state, message, ways)
    if message.rcpt_class in ("unknown", "remote"):
        return _relayed(accepted, state, message, ways)
    return _home(state, message, ways)


def _is_nobody(message: Message) -> bool:
    """Tell whether the tenant of the recipient's domain has no such mailbox."""
    return message.rcpt_class == "unknown"


def _step(state: State, action: str, why: str, by: By, cause: Cause | None = None) -> Step:
    return Step(
        place=f"tenant {state.name}",
        action=action,
        why=why,
        by=by,
        spot="tenant",
        name=state.name,
        cause=cause,
    )


def _domain(state: State, message: Message) -> By:
    return By("accepted domain", message.rcpt_domain, state.name)


def _open(state: State, message: Message, what: str) -> Move:
    """End where the export does not say how it goes on."""
    why = "the export does not say more"
    step = _step(state, "does something that is not known", why, _domain(state, message))
    return replace(step, mood="unknown"), End("unknown", text=what)


def _refused(state: State, accepted: AcceptedDomain) -> Move:
    reply = UNKNOWN_WITHIN if state.trusted else UNKNOWN_AT_EDGE
    why = f"{accepted.name} is authoritative and has no such recipient"
    by = By("accepted domain", accepted.name, state.name)
    step = replace(_step(state, "refuses it", why, by), mood="bad")
    return step, End("refused", f"tenant {state.name}", reply)


def _by_rule(routed: Routed, state: State, message: Message, ways: Ways) -> Move:
    """Send a message by the connector that a rule names."""
    rule, connector = routed.rule, routed.connector
    if not connector.is_on:
        return _halted(routed, state)
    why = f'mail flow rule "{rule.name}" routes it'
    if is_open(rule):
        why += ", for messages that meet its other conditions"
    by = By("mail flow rule", rule.name, state.name)
    before = replace(state, stamped=state.stamped | {connector.name})
    cause = None if is_guarded(rule) else Cause.RULE
    return _leave(connector, before, message, ways, step=_step(state, "", why, by, cause))


def _halted(routed: Routed, state: State) -> Move:
    """End at a rule whose connector is off: nobody has written what happens then."""
    rule, connector = routed.rule, routed.connector
    why = f'mail flow rule "{rule.name}" routes it by "{connector.name}", which is switched off'
    by = By("mail flow rule", rule.name, state.name)
    step = _step(state, "does something that is not documented", why, by)
    text = f'what becomes of mail for "{connector.name}", which is switched off'
    return replace(step, mood="unknown"), End("unknown", text=text)


def _home(state: State, message: Message, ways: Ways) -> Move:
    """Deliver to a mailbox; with centralised mail transport own servers see it before."""
    connector = centralised(ways.landscape[state.name].export)
    if connector is not None and not state.trusted:
        why = f'centralised mail transport sends it by "{connector.name}" first'
        by = By("outbound connector", connector.name, state.name)
        return _leave(connector, state, message, ways, step=_step(state, "", why, by, Cause.CMT))
    why = (
        f"{message.rcpt_domain} is its accepted domain, and that there is such a mailbox is assumed"
    )
    step = _step(state, "delivers it to a mailbox", why, _domain(state, message))
    return replace(step, mood="good"), End("delivered", state.name)


def _relayed(accepted: AcceptedDomain, state: State, message: Message, ways: Ways) -> Move:
    """Send a message on whose recipient is not here: by a connector, else by MX."""
    export = ways.landscape[state.name].export
    domain = message.rcpt_domain
    is_remote = message.rcpt_class == "remote"
    if accepted.domain_type is None and not is_remote:
        return _open(state, message, f"of which type the accepted domain {accepted.name} is")
    if export.outbound is None:
        return _open(state, message, f"the outbound connectors of tenant {state.name}")
    chosen = choose(export, domain)
    nobody = f"{domain} is a relay domain and has no such mailbox here"
    if is_remote:
        nobody = "the mailbox is on other servers"
    if chosen is not None:
        by = By("outbound connector", chosen.connector.name, state.name)
        step = _chosen(chosen, state, nobody, by)
        return _leave(chosen.connector, state, message, ways, step=step)
    why = f"{nobody}, and no outbound connector is for it, so that its MX counts"
    return _along_mx(state, message, ways, step=_step(state, "", why, _domain(state, message)))


def _outward(state: State, message: Message, ways: Ways) -> Move:
    """Send out a message for somebody else: by a connector, else by MX."""
    export = ways.landscape[state.name].export
    domain = message.rcpt_domain
    if export.outbound is None:
        return _open(state, message, f"the outbound connectors of tenant {state.name}")
    chosen = choose(export, domain)
    central = centralised(export)
    foreign = f"{domain} is no accepted domain of tenant {state.name}"
    if central is not None and chosen is None:
        return _without_way_out(central, state, foreign)
    if chosen is not None:
        by = By("outbound connector", chosen.connector.name, state.name)
        step = _chosen(chosen, state, foreign, by)
        return _leave(chosen.connector, state, message, ways, step=step)
    why = f"{foreign}, and no outbound connector is for it, so that its MX counts"
    by = By("MX", domain)
    return _along_mx(state, message, ways, step=_step(state, "", why, by))


def _chosen(chosen: Chosen, state: State, start: str, by: By) -> Step:
    """Say which connector is used, and which others may be as well."""
    name = chosen.connector.name
    if not chosen.rivals:
        return _step(state, "", f'{start}; "{name}" is used because {chosen.why}', by)
    names = ", ".join(f'"{each}"' for each in (name, *chosen.rivals))
    doubt = f"one of {names} is used, and which one is not documented"
    why = f'{start}; {doubt}, so that this follows "{name}"'
    return replace(_step(state, "", why, by), doubt=doubt)


def _without_way_out(central: Outbound, state: State, foreign: str) -> Move:
    """Say that mail must go by own servers and no connector takes it there: it comes back."""
    why = (
        f"{foreign}, and centralised mail transport asks for own servers,"
        f' but "{central.name}" is not for such recipients'
    )
    by = By("outbound connector", central.name, state.name)
    return _step(state, "finds no way out and takes it again", why, by, Cause.CMT), state


def _leave(connector: Outbound, state: State, message: Message, ways: Ways, *, step: Step) -> Move:
    """Send a message by a connector, to its smart host or by MX."""
    hosts = tuple(each.lower() for each in connector.smart_hosts)
    if connector.use_mx_record or (connector.use_mx_record is None and not hosts):
        step = replace(step, why=f"{step.why}, and routes by MX")
        return _along_mx(state, message, ways, step=step)
    if not hosts:
        step = replace(step, action="cannot send it", mood="bad")
        return step, End("unknown", text=f'which smart host "{connector.name}" means: it has none')
    # Mail is spread over all smart hosts: what one of them does happens to a part of it.
    host = next((each for each in hosts if is_endpoint(each, ways.addresses(each))), hosts[0])
    tenancy = ways.landscape[state.name]
    then = at(ways.smart_host(connector, tenancy, host), state)
    if isinstance(then, State):
        then = _with_leg(then, connector, tenancy, ways)
        if then.spot == "exchange":
            step = replace(step, cause=step.cause or Cause.SMART_HOST)
    return replace(step, action=f"sends it to {host}", mood=_mood(step, then)), then


def _mood(step: Step, then: State | End) -> Mood:
    mood = mood_of(then)
    return "unknown" if step.doubt and mood == "plain" else mood


def _with_leg(then: State, connector: Outbound, tenancy: Tenancy, ways: Ways) -> State:
    """Add how it came there: from the tenant, and by which connector a service sends it back."""
    back = ways.returning(connector, tenancy, then.name) if then.spot == "service" else None
    leg: Leg = "central" if connector.route_all_messages_via_on_premises else "outward"
    return replace(then, leg=leg, back=back.name if back is not None else "")


def _along_mx(state: State, message: Message, ways: Ways, *, step: Step) -> Move:
    """Send a message to the MX of its recipient."""
    mail, then = by_mx(message, ways, state)
    cause = step.cause or Cause.DNS_ROUTING
    action = f"sends it to {mail.host}" if mail.host else "sends it by MX"
    return replace(step, action=action, mood=_mood(step, then), cause=cause), then
