"""What is typed to undo a change in Exchange Online?

One line of PowerShell, where one line does it. A value that the gate had to escape, and one that
no cmdlet takes, is not written: a line made for copying must do what it says.
"""

from collections.abc import Iterable
from typing import Any

from agent.domain.tenancy.drift_properties import (
    INBOUND,
    OUTBOUND,
    Kind,
    Property,
    Thing,
    in_exchanges_words,
    name_of,
)
from agent.domain.tenancy.objects import (
    AcceptedDomain,
    DkimConfig,
    Inbound,
    Outbound,
    TransportRule,
    identity_of,
)
from agent.domain.tenancy.powershell import command

_SETTERS: dict[Kind, str] = {
    "inbound connector": "Set-InboundConnector",
    "outbound connector": "Set-OutboundConnector",
    "accepted domain": "Set-AcceptedDomain",
    "mail flow rule": "Set-TransportRule",
    "DKIM configuration": "Set-DkimSigningConfig",
}
_ORGANISATION = {  # by the property: what is set for the organisation has more homes than one
    "RejectDirectSend": "Set-OrganizationConfig",
    "SmtpClientAuthenticationDisabled": "Set-TransportConfig",
    "MessageExpiration": "Set-TransportConfig",
}
_ESCAPE, _CUT = "\\x", "..."


def set_back(kind: Kind, before: Thing, after: Thing, changed: Iterable[Property]) -> str:
    """Return the line that gives *after* the values of *before*; nothing where none does.

    *changed* are the properties that are set together, with one that decides which cmdlet it is.
    """
    named = tuple(changed)
    if kind == "organisation":
        cmdlet, identity = _ORGANISATION.get(named[0].name, ""), ""
    elif named[0].name == "State":
        return _switch(after, is_on=bool(named[0].value_of(before)))
    else:
        cmdlet, identity = _SETTERS[kind], _identity(after)
    values = {
        each.parameter or each.name: _argument(each.value_of(before))
        for each in named
        if each.parameter is not None
    }
    if not cmdlet or not values or _is_escaped(identity, *values.values()):
        return ""
    return command(cmdlet, identity, **values)


def make_again(thing: Thing) -> str:
    """Return the line that makes a removed object again; nothing where no one line does."""
    if isinstance(thing, DkimConfig):
        is_on = thing.enabled is not False
        return command("New-DkimSigningConfig", DomainName=thing.domain, Enabled=is_on)
    if isinstance(thing, Inbound):
        return _connector("New-InboundConnector", thing, INBOUND) if thing.sender_domains else ""
    if isinstance(thing, Outbound):
        return _connector("New-OutboundConnector", thing, OUTBOUND)
    return ""


def switch_off(thing: Thing) -> str:
    """Return the line that takes an object that came out of use again, without removing it."""
    if isinstance(thing, TransportRule):
        return _switch(thing, is_on=False) if thing.is_on else ""
    if (
        not isinstance(thing, Inbound | Outbound)
        or not thing.is_on
        or _is_escaped(_identity(thing))
    ):
        return ""
    kind: Kind = "inbound connector" if isinstance(thing, Inbound) else "outbound connector"
    return command(_SETTERS[kind], _identity(thing), Enabled=False)


def _switch(rule: Thing, *, is_on: bool) -> str:
    identity = _identity(rule)
    verb = "Enable" if is_on else "Disable"
    return "" if _is_escaped(identity) else command(f"{verb}-TransportRule", identity)


def _connector(cmdlet: str, thing: Thing, properties: tuple[Property, ...]) -> str:
    values = {}
    for each in properties:
        value = each.value_of(thing)
        if each.parameter is not None and value not in (None, "", (), each.default):
            values[each.parameter or each.name] = _argument(value)
    return "" if _is_escaped(*values.values()) else command(cmdlet, "", **values)


def _identity(thing: Thing) -> str:
    if isinstance(thing, Inbound | Outbound | TransportRule):
        return identity_of(thing)
    return thing.name if isinstance(thing, AcceptedDomain) else name_of(thing)


def _argument(value: Any) -> str | bool | tuple[str, ...]:
    """Return a value as a cmdlet takes it: an empty tuple is $null."""
    if isinstance(value, bool | tuple):
        return value
    if value in (None, "", "none"):
        return ()
    return str(in_exchanges_words(value))


def _is_escaped(*values: str | bool | tuple[str, ...]) -> bool:
    texts = [text for value in values for text in (value if isinstance(value, tuple) else (value,))]
    return any(_is_no_original(text) for text in texts if isinstance(text, str))


def _is_no_original(text: str) -> bool:
    """Tell whether the gate has changed a text: octets escaped, or its end cut off."""
    return _ESCAPE in text or text.endswith(_CUT)
