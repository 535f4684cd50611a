"""Which tenant does Exchange Online take a message for?

On-premises connectors are asked first, by certificate before address, and they may claim what is
meant for another tenant. The decision itself is :mod:`agent.domain.attribution`.
"""

from dataclasses import replace
from ipaddress import IPv6Address

from agent.domain.attribution import Arrival, Attribution, Verdict
from agent.domain.tenancy.journey_values import By, Cause, End, Message, Move, State, Step
from agent.domain.tenancy.ways import CLASSIC, Ways

EXCHANGE = "Exchange Online"
_NOWHERE = IPv6Address("::")  # an address that no connector names
_WORDS = {
    Verdict.RELAY_DENIED: "neither the certificate's domain nor the sender's is accepted",
    Verdict.RESTRICTED: "what the host shows is not what the connector restricts its senders to",
    Verdict.DIRECT_SEND: "RejectDirectSend is on, and no connector vouches for an own sender",
}


def at_edge(state: State, message: Message, ways: Ways) -> Move:
    """Attribute a message that was handed to Exchange Online."""
    if state.tenant:
        why = "it comes from its own servers; which connector takes it is not known"
        step = _step(state, f"takes it for tenant {state.tenant}", why, _recipient(message))
        return step, _within(state, state.tenant, trusted=True)
    owner = ways.owner(message.rcpt_domain)
    found = _attributed(state, message, ways)
    if found.tenant is None:
        return _unclaimed(state, message, ways)
    name, by = found.tenant.name, _by(found, message)
    if found.verdict in (Verdict.DELIVERED, Verdict.RELAYED):
        step = _step(state, f"takes it for tenant {name}", _why(found, state, message), by)
        if owner is not None and owner.name != name:
            step = replace(step, cause=Cause.ATTRIBUTION, mood="warning")
        is_own = found.connector is not None and found.connector.connector_type == "on-premises"
        return step, _within(state, name, trusted=is_own)
    step = _step(state, f"refuses it for tenant {name}", _WORDS[found.verdict], by)
    end = End("refused", f"{EXCHANGE} for tenant {name}", found.verdict.value)
    return replace(step, mood="bad"), end


def _unclaimed(state: State, message: Message, ways: Ways) -> Move:
    """Say what happens to a message with which no tenant that is known here has to do."""
    domain, by = message.rcpt_domain, _recipient(message)
    nobody = f"no tenant that is known here takes mail for {domain}"
    if _is_of_microsoft(state, message, ways):
        return _step(state, "takes it", nobody, by), End("left", f"{EXCHANGE}, {state.name}")
    if _is_strange(message, ways):
        why = f"no connector claims it, {nobody}, and its MX does not lead here"
        step = replace(_step(state, "refuses it", why, by), mood="bad")
        return step, End("refused", f"{EXCHANGE}, {state.name}", Verdict.RELAY_DENIED.value)
    step = _step(state, "takes or refuses it", f"no connector claims it, and {nobody}", by)
    text = f"whether any tenant accepts {domain}; where none does, {Verdict.RELAY_DENIED.value}"
    return replace(step, mood="unknown"), End("unknown", text=text)


def _is_of_microsoft(state: State, message: Message, ways: Ways) -> bool:
    """Tell whether mail for the recipient is sent to Exchange Online anyway."""
    domain = message.rcpt_domain
    host = ways.mail(domain).host
    is_named = state.name == f"{domain.replace('.', '-')}{CLASSIC}"
    return is_named or (bool(host) and ways.exchange(host, domain).kind == "exchange")


def _is_strange(message: Message, ways: Ways) -> bool:
    """Tell whether DNS knows the recipient's domain, and leads its mail past any known filter.

    Behind a filter there may be a tenant that nobody has told us of.
    """
    mail = ways.mail(message.rcpt_domain)
    if not mail.host:
        return mail.lack != "unknown"
    return ways.exchange(mail.host, message.rcpt_domain).kind == "stranger"


def _attributed(state: State, message: Message, ways: Ways) -> Attribution:
    arrival = Arrival(
        certificate_names=state.shown,
        address=state.address or _NOWHERE,
        mail_from=f"@{message.sender_domain}",
        rcpt_to=f"@{message.rcpt_domain}",
    )
    is_addressed = state.address is not None
    return ways.attribution(arrival, message.rcpt_domain, is_addressed=is_addressed)


def _within(state: State, name: str, *, trusted: bool) -> State:
    return State(spot="tenant", name=name, trusted=trusted, stamped=state.stamped)


def _recipient(message: Message) -> By:
    return By("accepted domain", message.rcpt_domain)


def _by(found: Attribution, message: Message) -> By:
    """Return what decides: the connector, else the accepted domain."""
    owner = found.tenant.name if found.tenant is not None else ""
    if found.connector is not None:
        return By("inbound connector", found.connector.name, owner)
    return By("accepted domain", message.rcpt_domain, owner)


def _why(found: Attribution, state: State, message: Message) -> str:
    connector = found.connector
    if connector is None:
        return f"{message.rcpt_domain} is its accepted domain, and no connector claims it"
    if connector.connector_type == "partner":
        return f'{message.rcpt_domain} is its accepted domain; "{connector.name}" lets it in'
    by_certificate = connector.shows_certificate(state.shown)
    names = ", ".join(state.shown)
    what = f"the certificate {names}" if by_certificate else f"the address {state.address}"
    step = f", decided by the {found.step}" if found.step is not None else ""
    return f'its on-premises connector "{connector.name}" claims {what}{step}'


def _step(state: State, action: str, why: str, by: By) -> Step:
    return Step(
        place=f"{EXCHANGE}, {state.name}",
        action=action,
        why=why,
        by=by,
        spot="exchange",
        name=state.name,
    )
