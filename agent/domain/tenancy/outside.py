"""Where does a message go from a place that is not Exchange Online?

From the internet to the MX of its recipient; from a gateway to the tenant that it filters for; from
own servers and add-on services back into Exchange Online, or no further.
"""

from agent.domain.fact import Mood
from agent.domain.knowledge.filter_hosts import filter_title
from agent.domain.tenancy.journey_values import (
    By,
    End,
    Message,
    Move,
    State,
    Step,
)
from agent.domain.tenancy.places import Mail, Place
from agent.domain.tenancy.shown import Shown, by_connector, by_gateway, by_server
from agent.domain.tenancy.ways import Ways

_LACKS = {
    "null": "556 5.1.10 the recipient's domain takes no mail (null MX, RFC 7505)",
    "none": "the recipient's domain has neither an MX record nor an address (RFC 5321 section 5.1)",
}
LEGACY = "451 4.4.62 Mail sent to the wrong Office 365 region. ATTR35"


def by_mx(message: Message, ways: Ways, before: State) -> tuple[Mail, State | End]:
    """Return the host to which DNS leads the message, and where it is then."""
    domain = message.rcpt_domain
    mail = ways.mail(domain)
    if mail.lack == "unknown":
        if message.rcpt_class == "external":
            return mail, End("left", f"the MX of {domain}")
        return mail, End("unknown", text=f"the MX of {domain}, which DNS did not tell")
    if mail.lack:
        return mail, End("refused", _sender(before), _LACKS[mail.lack])
    return mail, at(ways.exchange(mail.host, domain), before)


def _sender(before: State) -> str:
    """Say who looks up MX, and so gives the message back."""
    if before.spot == "internet":
        return "the sender's own server"
    return f"tenant {before.name}" if before.spot == "tenant" else before.name


def at(place: Place, before: State) -> State | End:
    """Return where a message is that was sent to *place* from the state before."""
    match place.kind:
        case "exchange" | "gateway" | "server" | "service":
            return State(
                spot=place.kind, name=place.host, tenant=place.operator, stamped=before.stamped
            )
        case "legacy":
            return End("refused", place.host, LEGACY)
        case "stranger":
            return End("left", place.host)
    return End("unknown", text=f"what the smart host {place.host} does with the message")


def mood_of(then: State | End) -> Mood:
    """Return how a step looks after which the message is there."""
    if isinstance(then, End):
        if then.kind == "refused":
            return "bad"
        return "unknown" if then.kind == "unknown" else "plain"
    return "plain"


def from_internet(state: State, message: Message, ways: Ways) -> Move:
    """Follow the MX of the recipient."""
    return _along_mx("the internet", state, message, ways)


def _along_mx(place: str, state: State, message: Message, ways: Ways) -> Move:
    domain = message.rcpt_domain
    mail, then = by_mx(message, ways, state)
    step = Step(
        place=place,
        action=f"sends it to {mail.host}" if mail.host else f"looks for the MX of {domain}",
        why=f"that is where the MX of {domain} leads",
        by=By("MX", domain),
        mood=mood_of(then),
        spot=state.spot,
        name=state.name,
    )
    return step, then


def from_gateway(state: State, message: Message, ways: Ways) -> Move:
    """Deliver to the tenant that the gateway filters for; other mail goes by MX."""
    gateway = Place("gateway", state.name, state.tenant, filter_title(state.name))
    whose = f" of {gateway.whose}" if gateway.whose else ""
    place = f"{state.name}, a gateway{whose}"
    owner = ways.owner(message.rcpt_domain)
    if not ways.serves(gateway, message.rcpt_domain):
        return _along_mx(place, state, message, ways)
    if owner is None:
        return _filtered(state, place, message, "takes it"), End("left", state.name)
    if owner.topologies.get(message.rcpt_domain) == "on-premises":
        then: State | End = End("handed", f"of tenant {owner.name}")
        return _filtered(state, place, message, f"sends it to own servers of {owner.name}"), then
    shown = by_gateway(gateway, owner, message.sender_domain, ways)
    action = f"hands it to Exchange Online for {message.rcpt_domain}, showing {shown.words}"
    step = _filtered(state, place, message, action, shown.source)
    return step, _into_exchange(state, shown, f"the endpoint of tenant {owner.name}")


def _filtered(state: State, place: str, message: Message, action: str, source: str = "") -> Step:
    why = f"it filters mail for {message.rcpt_domain}"
    return Step(
        place=place,
        action=f"{action} ({source})" if source else action,
        why=why,
        by=By("MX", message.rcpt_domain),
        spot="gateway",
        name=state.name,
    )


def _into_exchange(state: State, shown: Shown, name: str) -> State:
    """Return the state of a message that is handed in by a host that shows something."""
    return State(
        spot="exchange",
        name=name,
        tenant=state.tenant if shown.is_open else "",
        shown=shown.names,
        address=shown.address,
        stamped=state.stamped,
    )


def from_server(state: State, message: Message, ways: Ways) -> Move:
    """Keep what is for own servers, and hand on what is not."""
    tenancy = ways.landscape[state.tenant]
    accepted = tenancy.export.accepted(message.rcpt_domain)
    is_all_own = tenancy.topologies.get(message.rcpt_domain) == "on-premises"
    is_for_cloud = accepted is not None and message.rcpt_class == "known" and not is_all_own
    # Mail that a connector or a rule sends to own servers is meant to stay there, but for the
    # round that centralised mail transport makes.
    if state.leg == "origin" or (is_for_cloud and state.leg != "outward"):
        shown = by_server(state.name, tenancy, ways)
        words = "" if shown.is_open else f", showing {shown.words}"
        kept = "the mailbox is not here" if is_for_cloud else "own servers send by Exchange Online"
        why = f"{kept}; {shown.source}" if shown.source else kept
        step = _kept(state, f"hands it to Exchange Online{words}", why)
        return step, _into_exchange(state, shown, f"the endpoint of tenant {tenancy.name}")
    if accepted is None:
        return _kept(state, "takes it", "own servers send it on"), End("handed", state.name)
    return _kept(state, "takes it", "it is meant for here"), End("handed", state.name)


def _kept(state: State, action: str, why: str) -> Step:
    return Step(
        place=f"{state.name}, own server of tenant {state.tenant}",
        action=action,
        why=why,
        by=By("server", state.name, state.tenant),
        spot="server",
        name=state.name,
    )


def from_service(state: State, message: Message, ways: Ways) -> Move:
    """Come back from an add-on service by the inbound connector that is for it."""
    del message
    tenancy = ways.landscape[state.tenant]
    connector = next(each for each in tenancy.export.inbound or () if each.name == state.back)
    shown = by_connector(connector)
    step = Step(
        place=f"{state.name}, an add-on service",
        action=f"hands it back to Exchange Online, showing {shown.words}",
        why=f'inbound connector "{connector.name}" is there for it',
        by=By("inbound connector", connector.name, tenancy.name),
        spot="service",
        name=state.name,
    )
    return step, _into_exchange(state, shown, f"the endpoint of tenant {tenancy.name}")
