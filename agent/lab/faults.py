"""What can be broken in the lab's world, by name, and what should be seen of it?

A fault replaces records, silences name servers, or changes how a mail server behaves. Faults add
up; mending one brings back what was there before it.
"""

from collections.abc import Callable

from agent.lab.fault import Behaviour, Fault
from agent.lab.record_faults import RECORD_FAULTS
from agent.lab.world import NAME_SERVERS, SMART_HOST, SOA, WORLD, Zone, read_zone

__all__ = ["BY_NAME", "FAULTS", "Behaviour", "Fault", "World"]

FAULTS = (
    *RECORD_FAULTS,
    Fault(
        "nameserver-lame",
        "the second name server of contoso.com knows nothing of it",
        "nameservers of contoso.com: warning, lame",
        refused_by_second=("contoso.com",),
    ),
    Fault(
        "nameservers-disagree",
        "the second name server of contoso.com has kept the zone from before the move",
        "nameservers of contoso.com: critical once it lasts, mail goes elsewhere; an older serial",
        at_second=f"contoso.com SOA {SOA.format(serial=6)}\n"
        "contoso.com MX 10 mx1.filter.example\n"
        f"contoso.com TXT v=spf1 ip4:{SMART_HOST} -all",
    ),
    Fault(
        "delegation-changed",
        "somebody delegates contoso.com to other name servers",
        "nameservers of contoso.com: critical, the delegation has changed",
        zone="contoso.com NS ns1.stranger.example\ncontoso.com NS ns2.stranger.example\n"
        f"ns1.stranger.example A {NAME_SERVERS[0]}\nns2.stranger.example A {NAME_SERVERS[1]}",
    ),
    Fault(
        "dns-failing",
        "the name servers of contoso.com answer SERVFAIL",
        "spf and mx of contoso.com: unknown, not critical",
        failing=("contoso.com",),
    ),
    Fault(
        "dns-silent",
        "the resolver answers nothing",
        "everything that needs DNS: unknown; one dependency down",
        silent=True,
    ),
    Fault(
        "dns-captive",
        "the gate of a guest network answers in the resolver's place: one address for every name",
        "everything that needs DNS: unknown; one dependency down",
        captive=True,
    ),
    Fault(
        "scheduler-stalled",
        "the agent's own scheduler stands still, and its page still answers",
        "no check runs any more; the heartbeat of the scheduler stops",
        stalled=True,
    ),
    *(
        Fault(f"smarthost-{name}", behaviour.value, shows, behaviour=behaviour)
        for name, behaviour, shows in (
            ("down", Behaviour.DOWN, "connector and route: critical, refused (450 4.4.316)"),
            ("stalls", Behaviour.STALLS, "connector and route: critical, no greeting in time"),
            ("no-starttls", Behaviour.NO_STARTTLS, "connector: critical, TLS is demanded"),
            ("expired", Behaviour.EXPIRED_CERTIFICATE, "connector: critical, certificate"),
            ("wrong-name", Behaviour.WRONG_NAME, "connector: critical, certificate name"),
            ("refuses", Behaviour.REFUSES_RECIPIENT, "connector and route: critical, refused"),
            ("greylists", Behaviour.GREYLISTS, "connector: warning, temporary refusal"),
        )
    ),
    *(
        Fault(name, behaviour.value, shows, behaviour=behaviour)
        for name, behaviour, shows in (
            ("filter-down", Behaviour.FILTER_DOWN, "exchange of fabrikam.com: warning, one fails"),
            (
                "filter-in-the-clear",
                Behaviour.FILTER_IN_THE_CLEAR,
                "exchange of fabrikam.com: warning, no STARTTLS",
            ),
            ("filter-bypassed", Behaviour.BYPASSED, "refusal of fabrikam.com: critical"),
            (
                "exchange-forgets-connector",
                Behaviour.FORGETS_CONNECTOR,
                "inbound from-datacentre: critical, 5.7.64",
            ),
            ("exchange-throttles", Behaviour.THROTTLES, "inbound: unknown, 4.7.500"),
            ("exchange-bans-address", Behaviour.BANS_ADDRESS, "inbound: unknown, 5.7.606"),
            (
                "exchange-open-relay",
                Behaviour.OPEN_RELAY,
                "refusal of fabrikam.com: critical, it relays",
            ),
        )
    ),
    *(
        Fault(f"mail-{name}", behaviour.value, shows, behaviour=behaviour)
        for name, behaviour, shows in (
            ("dropped", Behaviour.DROPS, "route: the message is lost"),
            ("delayed", Behaviour.DELAYS, "route: the message is late"),
            ("doubled", Behaviour.DOUBLES, "route: a duplicate arrives"),
            ("bounced", Behaviour.BOUNCES, "route: it comes back with a report, 5.1.10"),
            ("looped", Behaviour.LOOPS, "route: it comes back with a report, 5.4.14"),
            ("junked", Behaviour.JUNKS, "internet-to-mailbox: it lies in Junk"),
            ("held", Behaviour.HOLDS, "internet-to-mailbox: late, and the filter had it"),
            ("past-filter", Behaviour.SKIPS_FILTER, "internet-to-mailbox: critical, not filtered"),
        )
    ),
    Fault(
        "provider-certificate-shared",
        Behaviour.SHARES_CERTIFICATE.value,
        "internet-to-mailbox: critical, it loops (5.4.14); the export of relecloud says why",
        behaviour=Behaviour.SHARES_CERTIFICATE,
    ),
)
BY_NAME = {fault.name: fault for fault in FAULTS}


class World:
    """The lab's records and behaviours, with the faults that are switched on."""

    def __init__(self, text: str = WORLD) -> None:
        self._base = read_zone(text)
        self._broken: dict[str, Fault] = {}
        self._zone: Zone = self._base
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have *listener* called whenever a fault is switched on or off."""
        self._listeners.append(listener)

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of the faults that are on, in the order they were switched on."""
        return tuple(self._broken)

    def break_(self, name: str) -> None:
        """Switch a fault on; raise KeyError for a name that is none."""
        self._broken[name] = BY_NAME[name]
        self._rebuild()

    def mend(self, name: str | None = None) -> None:
        """Switch a fault off, or all; raise KeyError for a name that is none."""
        if name is None:
            self._broken.clear()
        elif name in BY_NAME:
            self._broken.pop(name, None)
        else:
            raise KeyError(name)
        self._rebuild()

    def behaves(self, behaviour: Behaviour) -> bool:
        """Tell whether a mail server of the lab behaves so now."""
        return any(fault.behaviour is behaviour for fault in self._broken.values())

    @property
    def zone(self) -> Zone:
        """The records as they are now."""
        return self._zone

    @property
    def second_zone(self) -> Zone:
        """The records as the second name server has them."""
        zone = dict(self._zone)
        for fault in self._broken.values():
            zone.update(read_zone(fault.at_second))
        return zone

    def second_refuses(self, name: str) -> bool:
        """Tell whether the second name server does not answer for *name*."""
        return any(
            name == domain or name.endswith("." + domain)
            for fault in self._broken.values()
            for domain in fault.refused_by_second
        )

    @property
    def is_silent(self) -> bool:
        """True while the resolver says nothing at all."""
        return any(fault.silent for fault in self._broken.values())

    @property
    def is_captive(self) -> bool:
        """True while a gate answers in the resolver's place."""
        return any(fault.captive for fault in self._broken.values())

    @property
    def is_stalled(self) -> bool:
        """True while the agent's scheduler is held up."""
        return any(fault.stalled for fault in self._broken.values())

    def is_failing(self, name: str) -> bool:
        """Tell whether the name servers of *name* answer SERVFAIL now."""
        return any(
            name == domain or name.endswith("." + domain)
            for fault in self._broken.values()
            for domain in fault.failing
        )

    def _rebuild(self) -> None:
        self._zone = dict(self._base)
        for fault in self._broken.values():
            self._zone.update(read_zone(fault.zone))
            for key in fault.gone:
                self._zone.pop(key, None)
        for listener in self._listeners:
            listener()
