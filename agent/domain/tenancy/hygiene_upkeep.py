"""Are connectors looked after: validated, tested to the end, and removed when done with?"""

from collections.abc import Iterator
from datetime import timedelta

from agent.domain.finding import Finding
from agent.domain.tenancy import hygiene_rules as rules
from agent.domain.tenancy.hygiene_needs import relied_on
from agent.domain.tenancy.hygiene_view import View, called, removal, switch_on
from agent.domain.tenancy.objects import Outbound, identity_of
from agent.domain.tenancy.powershell import command

# To note a validation changes the connector, and the time of a validation carries no zone.
_SLACK = timedelta(days=1)


def upkeep(view: View) -> Iterator[Finding]:
    """Yield connectors that somebody should see to; those that are needed but off are others'."""
    needed = relied_on(view)
    export = view.export
    # What needs a connector is among these; one that no file holds may be it.
    are_known = None not in (export.inbound, export.outbound, export.domains, export.rules)
    for connector in view.connectors:
        if are_known and connector.enabled is False and connector not in needed:
            since = connector.changed_at
            if since is not None and view.now - since > view.wishes.disabled_for:
                yield rules.LEFTOVER.found(
                    f"{called(connector)} has been off since {since:%Y-%m-%d} at the latest.",
                    fix=removal(connector),
                )
    for outbound in view.outbound:
        if outbound.is_on:
            yield from _validation(outbound, view)
        elif outbound.enabled is not False and outbound not in needed:
            yield rules.TEST_MODE.found(
                f"{called(outbound)} is in test mode.", fix=switch_on(outbound)
            )


def _validation(connector: Outbound, view: View) -> Iterator[Finding]:
    """Yield the one thing that matters most about the last validation."""
    at, changed_at = connector.last_validated_at, connector.changed_at
    again = _validate(connector)
    if connector.is_validated is False:
        last = f"; the last try is of {at:%Y-%m-%d}" if at is not None else ""
        yield rules.NEVER_VALIDATED.found(f"{called(connector)} is not validated{last}.", fix=again)
    elif at is None:
        return
    elif changed_at is not None and changed_at - at > _SLACK:
        yield rules.CHANGED_SINCE.found(
            f"{called(connector)} was validated on {at:%Y-%m-%d} and changed on"
            f" {changed_at:%Y-%m-%d}.",
            fix=again,
        )
    elif view.now - at > view.wishes.max_validation_age:
        yield rules.VALIDATED_LONG_AGO.found(
            f"{called(connector)} was validated on {at:%Y-%m-%d}.", fix=again
        )


def _validate(connector: Outbound) -> str:
    """Write the line that validates; none where no address behind the connector is known."""
    if not connector.validation_recipients:
        return ""
    recipients = tuple(sorted(connector.validation_recipients))
    return command("Validate-OutboundConnector", identity_of(connector), Recipients=recipients)
