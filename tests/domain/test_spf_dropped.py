"""Whom does a record let pass now, and not after a change; and which servers does it name?"""

import pytest

from agent.domain.lookup import replay
from agent.domain.own_senders import OwnSenders, own_senders
from agent.domain.spf_dropped import MAX_SAMPLES, Dropped, dropped, reach, results, samples
from agent.domain.spf_terms import Result
from servers.spf_zone import Zone, zone_of

D = "contoso.com"
MORE = """\
spf.crm.example TXT v=spf1 ip4:192.0.2.64/28 ip6:2001:db8:5::/64 ~all
spf.protection.outlook.com TXT v=spf1 ip4:40.92.0.0/15 -all
_spf.contoso.com TXT v=spf1 ip4:198.51.100.7 -ip4:198.51.100.8 include:spf.crm.example -all
loose.example TXT v=spf1 exists:%{i}.x.example -all
exact.example TXT v=spf1 ip4:192.0.2.20 -all
empty.example TXT v=spf1 -all
mail.contoso.com A 198.51.100.25
mail.contoso.com AAAA 2001:db8::25
contoso.com A 198.51.100.80
contoso.com MX 0 mail.contoso.com
contoso.com MX 5 contoso-com.mail.protection.outlook.com
contoso-com.mail.protection.outlook.com A 52.101.1.1"""
LONG = " ".join(f"include:i{n}.example" for n in range(12))


def world(record: str, silent: tuple[str, ...] = ()) -> Zone:
    longer = "\n".join(f"i{n}.example TXT v=spf1 ip4:203.0.113.{n} -all" for n in range(12))
    own = f"{D} TXT {record}\n" if record else ""
    return zone_of(f"{own}{MORE}\n{longer}", silent=silent)


def lost(old: str, new: str) -> tuple[Dropped, ...]:
    was, becomes = world(old), world(new)
    before, after = replay(reach(D), was), replay(reach(D), becomes)
    chosen = samples(before, after)
    addresses = tuple(dict.fromkeys(ip for each in chosen.values() for ip in each))
    said = (replay(results(D, addresses), each) for each in (was, becomes))
    return dropped(before, after, chosen, *said)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ip4:192.0.2.1 -all", "ip4:192.0.2.0/24 -all"),
        ("include:spf.crm.example -all", "ip4:192.0.2.64/28 ip6:2001:db8:5::/64 -all"),
        ("include:spf.crm.example -all", "ip4:192.0.2.64/29 ip4:192.0.2.72/29 ip6:2001:db8:5::/64"),
        ("redirect=spf.crm.example", "include:spf.crm.example -all"),
        ("a mx -all", "ip4:198.51.100.80 ip4:198.51.100.25 ip6:2001:db8::25 -all"),
        ("exists:%{i}.x.example -all", "EXISTS:%{i}.x.example ~all"),
        ("-ip4:192.0.2.1 -all", "-all"),
        ("ip4:0.0.0.0/1 +all", "-all"),  # lets everybody pass, and means nobody
        ("a:contoso-com.mail.protection.outlook.com -all", "ip4:52.101.1.1 -all"),
        ("mx:nowhere.example a:%{d} include:empty.example -all", "a -all"),
    ],
)
def test_another_way_to_write_it_is_no_loss(old: str, new: str) -> None:
    assert lost(f"v=spf1 {old}", f"v=spf1 {new}") == ()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("include:spf.crm.example -all", "-all", [("include:spf.crm.example", "fail", True)]),
        ("include:spf.crm.example -all", "~all", [("include:spf.crm.example", "softfail", True)]),
        (
            "include:spf.crm.example -all",
            "ip4:192.0.2.64/28 -all",
            [("include:spf.crm.example", "fail", False)],
        ),
        (
            "ip4:192.0.2.0/24 -all",
            "include:exact.example -all",
            [("ip4:192.0.2.0/24", "fail", False)],
        ),
        (
            "ip4:192.0.2.0/24 -all",
            (
                "ip4:192.0.2.0/25 ip4:192.0.2.129 ip4:192.0.2.132/30"
                " ip4:192.0.2.136/29 ip4:192.0.2.144/28 ip4:192.0.2.160/27 ip4:192.0.2.192/26 -all"
            ),
            [("ip4:192.0.2.0/24", "fail", False)],
        ),
        ("redirect=spf.crm.example", "-all", [("redirect=spf.crm.example", "fail", True)]),
        ("mx a -all", "a -all", [("mx", "fail", True)]),
        (
            "include:spf.protection.outlook.com -all",
            "-ip4:40.92.3.16/28 include:spf.protection.outlook.com -all",
            [("include:spf.protection.outlook.com", "fail", False)],
        ),
        (
            "ip4:192.0.2.1 -all",
            "?ip4:192.0.2.0/24 ip4:192.0.2.1",
            [("ip4:192.0.2.1", "neutral", True)],
        ),
        (
            "include:loose.example ptr -all",
            "-all",
            [("include:loose.example", None, True), ("ptr", None, True)],
        ),
        ("include:%{i}.x.example -all", "-all", [("include:%{i}.x.example", None, True)]),
        (
            f"ip4:192.0.2.1 {LONG} -all",
            "-all",
            [("ip4:192.0.2.1", "fail", True)]
            + [(f"include:i{n}.example", "fail", True) for n in range(12)],
        ),
        (
            "ip4:192.0.2.1 -all",
            f"{LONG} ip4:192.0.2.1 -all",
            [("ip4:192.0.2.1", "permerror", True)],
        ),
    ],
)
def test_what_is_dropped_is_named(
    old: str, new: str, found: list[tuple[str, str | None, bool]]
) -> None:
    seen = lost(f"v=spf1 {old}", f"v=spf1 {new}")
    assert [(one.term, one.becomes, one.is_whole) for one in seen] == found


def test_what_does_not_pass_now_either_is_told_as_that() -> None:
    seen = lost(f"v=spf1 {LONG} -all", "v=spf1 -all")
    assert [one.was for one in seen] == [Result.PASS] * 10 + [Result.PERMERROR] * 2


def test_the_provider_behind_an_include_is_known() -> None:
    (seen,) = lost("v=spf1 include:spf.protection.outlook.com -all", "v=spf1 -all")
    assert seen.profile == "exchange-online"
    assert [str(ip) for ip in seen.addresses] == ["40.92.0.0", "40.93.255.255"]


def test_records_that_let_the_same_pass_in_another_way_are_not_equal() -> None:
    one, other = "v=spf1 ip4:192.0.2.1 -all", "v=spf1 -ip4:0.0.0.0/0 ip4:192.0.2.1 -all"
    assert replay(reach(D), world(one)) == replay(reach(D), world(one))
    assert replay(reach(D), world(one)) != replay(reach(D), world(other))
    assert [each.becomes for each in lost(one, other)] == [Result.FAIL]


def test_silence_is_no_record_without_terms() -> None:
    assert replay(reach(D), world("v=spf1 -all", silent=(D,))).is_silent
    assert not replay(reach(D), world("v=spf1 -all")).is_silent


def test_a_record_without_end_is_sampled() -> None:
    many = " ".join(f"ip4:10.{n // 250}.{n % 250}.0/30" for n in range(700))
    found = samples(*[replay(reach(D), world(f"v=spf1 {many} -all"))] * 2)
    assert sum(map(len, found.values())) <= MAX_SAMPLES
    deep = zone_of(f"{D} TXT v=spf1 include:big.example -all\nbig.example TXT v=spf1 {many} -all")
    (points,) = samples(*[replay(reach(D), deep)] * 2).values()
    assert MAX_SAMPLES // 2 < len(points) <= MAX_SAMPLES


@pytest.mark.parametrize("left_out", [0, 21, 39])
def test_a_network_that_flattening_leaves_out_is_found_among_many(left_out: int) -> None:
    networks = [f"ip4:10.{n}.7.0/24" for n in range(40)]
    own = " ".join(f"ip4:192.0.2.{n}" for n in range(14))
    big = f"big.example TXT v=spf1 {' '.join(networks)} -all"
    gone = networks.pop(left_out)
    was = zone_of(f"{D} TXT v=spf1 {own} include:big.example -all\n{big}")
    becomes = zone_of(f"{D} TXT v=spf1 {own} {' '.join(networks)} -all\n{big}")
    chosen = samples(replay(reach(D), was), replay(reach(D), becomes))
    assert gone.removeprefix("ip4:").removesuffix("/24") in map(str, chosen["include:big.example"])


def test_a_term_that_is_dropped_is_found_behind_many_that_stay() -> None:
    many = " ".join(f"ip4:10.{n // 250}.{n % 250}.0/30" for n in range(300))
    was = replay(reach(D), zone_of(f"{D} TXT v=spf1 {many} ip4:192.0.2.1 -all"))
    becomes = replay(reach(D), zone_of(f"{D} TXT v=spf1 {many} -all"))
    assert "ip4:192.0.2.1" in samples(was, becomes)


@pytest.mark.parametrize(
    ("record", "senders"),
    [
        (
            "ip4:192.0.2.1 ip4:192.0.2.8/29 ip4:192.0.2.18/29 -all",
            ("192.0.2.1", "192.0.2.8/29", "192.0.2.18"),
        ),
        ("ip4:192.0.2.0/28 ip4:40.92.0.0/15 ip6:2001:db8::/48 -all", ()),
        ("ip6:2001:db8::/64 ip6:2001:db8:1::25/64 -all", ("2001:db8::/64", "2001:db8:1::25")),
        ("mx -all", ("198.51.100.25", "2001:db8::25")),  # Microsoft's exchange sends nothing
        ("a a:mail.contoso.com/28//128 -all", ("198.51.100.80", "2001:db8::25")),
        ("include:_spf.contoso.com -all", ("198.51.100.7",)),
        ("redirect=spf.crm.example", ()),
        ("include:spf.crm.example ~ip4:192.0.2.1 exists:%{i}.x.example ptr a:%{i}.x.example", ()),
    ],
)
def test_servers_of_its_own_are_those_that_its_record_means(
    record: str, senders: tuple[str, ...]
) -> None:
    assert replay(own_senders(D), world(f"v=spf1 {record}")) == OwnSenders(senders)


def test_no_more_than_a_few_servers_are_looked_at() -> None:
    many = " ".join(f"ip4:192.0.2.{n}" for n in range(14))
    found = replay(own_senders(D), world(f"v=spf1 {many} -all"))
    assert (len(found.senders), found.more) == (10, 4)
    both = OwnSenders(("192.0.2.200",)) | found
    assert (both.senders[0], len(both.senders), both.more) == ("192.0.2.200", 10, 5)
