"""Names of a domain's own sending addresses: each rule firing and keeping quiet."""

from dataclasses import dataclass
from ipaddress import ip_address

import pytest

from agent.domain import reverse_rules as rules
from agent.domain.finding import Finding, Rule
from agent.domain.lookup import Answer, Reply, Silence, Unanswered, replay
from agent.domain.reverse_lint import lint, silences
from agent.domain.reverse_survey import MAX_ADDRESSES, Survey, survey
from proof import Proves, fires, named, quiet
from servers.spf_zone import zone_of

D = "contoso.com"
MX = f"mx.{D}"
FOUR, SIX = "192.31.196.10", "2a00:1450:4001:80b::25"
RANGE = "192.31.196.8/30"
RANGE6 = "2a00:1450:4001:80b::24/126"
SILENT = Unanswered(Silence.TIMEOUT)


def back(address: str) -> str:
    return ip_address(address).reverse_pointer


def ptr(address: str, *names: str) -> str:
    return "".join(f"{back(address)} PTR {name}\n" for name in names)


def there(address: str, *names: str) -> str:
    """Name an address, and lead every name back to it."""
    kind = "AAAA" if ":" in address else "A"
    return ptr(address, *names) + "".join(f"{name} {kind} {address}\n" for name in names)


@dataclass(frozen=True)
class Case:
    """Records, the configured senders, the topology, and replies in the place of records."""

    records: str = ""
    senders: tuple[str, ...] = (FOUR,)
    topology: str = "hybrid"
    replies: tuple[tuple[str, str], ...] = ()

    def survey(self) -> Survey:
        zone: dict[tuple[str, str], Reply] = zone_of(self.records) if self.records else {}
        zone.update(dict.fromkeys(self.replies, SILENT))
        return replay(survey(D, self.topology, self.senders), zone)

    def findings(self) -> tuple[Finding, ...]:
        return lint(self.survey())


def exchange(address: str, host: str = MX) -> str:
    kind = "AAAA" if ":" in address else "A"
    return f"{D} MX 0 {host}\n{host} {kind} {address}\n"


IN_SPF = f"{D} TXT v=spf1 mx -all\n"
GENERIC = "static.10.isp.example"
OTHER = there("192.31.196.9", MX)

CASES = [
    (fires, rules.MISSING, "a sender", Case()),
    (fires, rules.MISSING, "an exchange", Case(exchange(FOUR), ())),
    (fires, rules.MISSING, "an exchange that may not send", Case(exchange(SIX), ())),
    (fires, rules.MISSING, "a network", Case(senders=(RANGE,))),
    (fires, rules.MISSING, "a sample over IPv6", Case(senders=("2a00:1450:4001::/64",))),
    (quiet, rules.MISSING, "named", Case(there(FOUR, MX))),
    (quiet, rules.MISSING, "silence", Case(replies=((back(FOUR), "PTR"),))),
    (quiet, rules.MISSING, "one of a network", Case(there(FOUR, MX), (RANGE,))),
    (
        quiet,
        rules.MISSING,
        "one of a network silent",
        Case(senders=(RANGE,), replies=((back(FOUR), "PTR"),)),
    ),
    (quiet, rules.MISSING, "providers", Case(senders=("exchange-online", "mailjet"))),
    (quiet, rules.MISSING, "private", Case(senders=("10.0.0.0/8", "2001:db8::1"))),
    (quiet, rules.MISSING, "a private exchange", Case(exchange("10.0.0.1"), ())),
    (
        quiet,
        rules.MISSING,
        "Microsoft's exchange",
        Case(exchange(FOUR, "contoso-com.mail.protection.outlook.com"), ()),
    ),
    (quiet, rules.MISSING, "a filter's", Case(exchange(FOUR, "mx1.spamhero.com"), ())),
    (
        quiet,
        rules.MISSING,
        "somebody's exchange",
        Case(exchange(FOUR, "mx.example"), (), "third-party-filter"),
    ),
    (fires, rules.MISSING, "own servers elsewhere", Case(exchange(FOUR, "mx.example"), ())),
    (fires, rules.MISSING, "own name", Case(exchange(FOUR), (), "exchange-online")),
    (fires, rules.MISSING_IPV6, "a sender", Case(senders=(SIX,))),
    (fires, rules.MISSING_IPV6, "an exchange in SPF", Case(exchange(SIX) + IN_SPF, ())),
    (fires, rules.MISSING_IPV6, "a whole network", Case(senders=(RANGE6,))),
    (quiet, rules.MISSING_IPV6, "named", Case(there(SIX, MX), (SIX,))),
    (quiet, rules.MISSING_IPV6, "IPv4", Case()),
    (quiet, rules.MISSING_IPV6, "an exchange without SPF", Case(exchange(SIX), ())),
    (
        quiet,
        rules.MISSING_IPV6,
        "SPF silent",
        Case(exchange(SIX), (), replies=((D, "TXT"),)),
    ),
    (quiet, rules.MISSING_IPV6, "a sample", Case(senders=("2a00:1450:4001::/64",))),
    (fires, rules.UNCONFIRMED, "nowhere", Case(ptr(FOUR, MX))),
    (fires, rules.UNCONFIRMED, "elsewhere", Case(ptr(FOUR, MX) + f"{MX} A 192.31.196.99\n")),
    (fires, rules.UNCONFIRMED, "a network", Case(ptr(FOUR, MX), (RANGE,))),
    (quiet, rules.UNCONFIRMED, "confirmed", Case(there(FOUR, MX))),
    (quiet, rules.UNCONFIRMED, "silence", Case(ptr(FOUR, MX), replies=((MX, "A"),))),
    (quiet, rules.UNCONFIRMED, "one of a network", Case(ptr(FOUR, MX) + OTHER, (RANGE,))),
    (fires, rules.GENERIC, "a word", Case(there(FOUR, GENERIC))),
    (fires, rules.GENERIC, "a network", Case(there(FOUR, GENERIC), (RANGE,))),
    (quiet, rules.GENERIC, "its own", Case(there(FOUR, MX))),
    (quiet, rules.GENERIC, "a better one, too", Case(there(FOUR, MX, GENERIC))),
    (quiet, rules.GENERIC, "the others of a network", Case(there(FOUR, GENERIC) + OTHER, (RANGE,))),
    (fires, rules.SEVERAL, "one astray", Case(there(FOUR, MX) + ptr(FOUR, "old.contoso.com"))),
    (quiet, rules.SEVERAL, "both lead back", Case(there(FOUR, MX, "b.contoso.com"))),
    (
        quiet,
        rules.SEVERAL,
        "one silent",
        Case(there(FOUR, MX) + ptr(FOUR, "b.example"), replies=(("b.example", "A"),)),
    ),
    (fires, rules.IMPROPER, "underscore", Case(there(FOUR, "my_mx.contoso.com"))),
    (fires, rules.IMPROPER, "no dot", Case(ptr(FOUR, "localhost"))),
    (quiet, rules.IMPROPER, "proper", Case(there(FOUR, MX.upper()))),
    (quiet, rules.IMPROPER, "in a network", Case(there(FOUR, "my_mx.contoso.com"), (RANGE,))),
    (quiet, rules.ALIAS, "none", Case(there(FOUR, MX))),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_rule(proves: Proves, rule: Rule, case: Case) -> None:
    found = case.findings()
    assert all(each.detail.endswith(".") for each in found)
    proves(rule, found)


def test_a_name_that_is_an_alias() -> None:
    zone: dict[tuple[str, str], Reply] = {
        (back(FOUR), "PTR"): Answer((MX,)),
        (MX, "A"): Answer((ip_address(FOUR),), aliases=("real.contoso.com",)),
    }
    found = lint(replay(survey(D, "hybrid", (FOUR,)), zone))
    detail = f"{FOUR} has the name {MX}, an alias."
    assert [fires(rules.ALIAS, found).detail] == [each.detail for each in found] == [detail]


def test_what_is_wrong_comes_with_the_record_to_publish() -> None:
    missing = fires(rules.MISSING, Case(exchange(FOUR), ()).findings())
    assert missing.detail == f"{FOUR} ({MX}) has no PTR record."
    assert missing.fix == f"{back(FOUR)}. 3600 IN PTR {MX}."
    assert fires(rules.MISSING, Case().findings()).fix == ""
    astray = fires(rules.UNCONFIRMED, Case(ptr(FOUR, MX)).findings())
    assert astray.detail == f"{FOUR} has the name {MX}, which does not lead back to it."
    assert astray.fix == f"{MX}. 3600 IN A {FOUR}"
    six = fires(rules.UNCONFIRMED, Case(ptr(SIX, MX), (SIX,)).findings())
    assert six.fix == f"{MX}. 3600 IN AAAA {SIX}"
    other = fires(rules.UNCONFIRMED, Case(ptr(FOUR, "a.example")).findings())
    assert other.fix == ""
    many = Case(ptr(FOUR, *(f"{letter}.example" for letter in "abcd")))
    detail = fires(rules.UNCONFIRMED, many.findings()).detail
    assert "a.example, b.example, c.example and others" in detail
    generic = fires(rules.GENERIC, Case(there(FOUR, GENERIC)).findings())
    assert generic.detail == f"{FOUR} has the name {GENERIC}: it has the word `static`."


def test_a_network_is_judged_as_one_and_says_how_much_was_asked() -> None:
    whole = fires(rules.MISSING, Case(senders=(RANGE,)).findings())
    assert whole.detail == f"None has a PTR record: all 4 addresses of {RANGE} were asked."
    large = fires(rules.MISSING, Case(senders=("192.31.0.0/16",)).findings())
    asked = f"a sample of {MAX_ADDRESSES} addresses of 192.31.0.0/16"
    assert large.detail == f"None has a PTR record: {asked} were asked."
    generic = fires(rules.GENERIC, Case(there(FOUR, GENERIC), (RANGE,)).findings())
    assert generic.evidence == (f"{FOUR}: {GENERIC}",)


def test_never_more_addresses_are_asked_for_than_a_run_may() -> None:
    senders = (*(f"192.31.{at}.0/24" for at in range(70)), FOUR)
    found = Case(exchange(FOUR), senders).survey()
    assert sum(len(source.named) for source in found.sources) == MAX_ADDRESSES
    two = Case(senders=("192.31.0.0/24", "192.52.193.0/24", "2a00:1450::/32")).survey()
    assert [len(source.named) for source in two.sources] == [21, 21, 21]
    assert len({one.address for source in two.sources for one in source.named}) == 63


def test_an_address_that_is_both_sender_and_exchange_is_looked_at_once() -> None:
    found = Case(exchange(FOUR)).survey()
    assert [source.title for source in found.sources] == [FOUR]


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (Case(there(FOUR, MX), replies=((D, "MX"),)), ((f"MX of {D}", "timeout"),)),
        (
            Case(f"{D} MX 0 {MX}\n", (), replies=((MX, "A"), (MX, "AAAA"))),
            ((f"addresses of {MX}", "timeout"),),
        ),
        (Case(replies=((back(FOUR), "PTR"),)), ((f"names of {FOUR}", "timeout"),)),
        (Case(ptr(FOUR, MX), replies=((MX, "A"),)), ((f"names of {FOUR}", "timeout"),)),
        (Case(there(FOUR, MX), (RANGE,), replies=((back("192.31.196.9"), "PTR"),)), ()),
        (Case(there(FOUR, MX)), ()),
    ],
)
def test_silence_is_told_and_accuses_nobody(case: Case, said: tuple[tuple[str, str], ...]) -> None:
    assert silences(case.survey()) == said
    assert case.findings() == ()
