"""Does each rule about a record's terms fire where it should, and only there?"""

import pytest

from agent.domain import spf_rules as rules
from agent.domain.finding import Rule
from proof import Proves, fires, named, quiet
from servers.spf_case import Case

CASES = [
    (fires, rules.PLUS_ALL, "plus", Case("v=spf1 +all")),
    (fires, rules.PLUS_ALL, "bare", Case("v=spf1 all")),
    (quiet, rules.PLUS_ALL, "soft fail", Case("v=spf1 ~all")),
    (
        quiet,
        rules.PLUS_ALL,
        "in an include",
        Case("v=spf1 include:x.com -all", "x.com TXT v=spf1 +all"),
    ),
    (
        fires,
        rules.PLUS_ALL,
        "behind a redirect",
        Case("v=spf1 redirect=x.com", "x.com TXT v=spf1 +all"),
    ),
    (fires, rules.NEUTRAL_ALL, "neutral", Case("v=spf1 ?all")),
    (quiet, rules.NEUTRAL_ALL, "soft fail", Case("v=spf1 ?mx ~all")),
    (fires, rules.NO_ALL, "nothing at the end", Case("v=spf1 ip4:192.31.196.1")),
    (quiet, rules.NO_ALL, "redirect", Case("v=spf1 redirect=x.com")),
    (quiet, rules.NO_ALL, "any all", Case("v=spf1 ip4:192.31.196.1 ?all")),
    (fires, rules.AFTER_ALL, "a mechanism", Case("v=spf1 -all mx")),
    (quiet, rules.AFTER_ALL, "a modifier", Case("v=spf1 mx -all exp=x.example.com")),
    (fires, rules.REDIRECT_WITH_ALL, "both", Case("v=spf1 -all redirect=x.com")),
    (
        quiet,
        rules.REDIRECT_WITH_ALL,
        "all behind it",
        Case("v=spf1 redirect=x.com", "x.com TXT v=spf1 -all"),
    ),
    (fires, rules.PTR, "ptr", Case("v=spf1 ptr -all")),
    (fires, rules.PTR, "ptr of a name", Case("v=spf1 ptr:x.com -all")),
    (quiet, rules.PTR, "a host of that name", Case("v=spf1 a:ptr.example.com -all")),
    (fires, rules.MACRO_P, "p", Case("v=spf1 exists:%{p}.x.com -all")),
    (quiet, rules.MACRO_P, "another macro", Case("v=spf1 exists:p.%{i}.x.com -all")),
    (fires, rules.WIDE_RANGE, "a /15", Case("v=spf1 ip4:64.0.0.0/15 -all")),
    (quiet, rules.WIDE_RANGE, "a /16", Case("v=spf1 ip4:64.0.0.0/16 -all")),
    (fires, rules.WIDE_RANGE, "a /31 of IPv6", Case("v=spf1 ip6:2a00::/31 -all")),
    (quiet, rules.WIDE_RANGE, "a /32 of IPv6", Case("v=spf1 ip6:2a00::/32 -all")),
    (fires, rules.WIDE_RANGE, "around exchanges", Case("v=spf1 mx/15 -all")),
    (quiet, rules.WIDE_RANGE, "less around them", Case("v=spf1 mx/16//32 -all")),
    (quiet, rules.WIDE_RANGE, "refused", Case("v=spf1 -ip4:64.0.0.0/8 ~all")),
    (quiet, rules.WIDE_RANGE, "everybody", Case("v=spf1 ip4:0.0.0.0/0 -all")),
    (fires, rules.WHOLE_INTERNET, "zero", Case("v=spf1 ip4:1.2.3.4/0 -all")),
    (fires, rules.WHOLE_INTERNET, "zero of a", Case("v=spf1 a//0 -all")),
    (quiet, rules.WHOLE_INTERNET, "one half", Case("v=spf1 ip4:0.0.0.0/1 -all")),
    (quiet, rules.WHOLE_INTERNET, "refusing everybody", Case("v=spf1 -ip4:0.0.0.0/0 ~all")),
    (fires, rules.SPECIAL_RANGE, "private", Case("v=spf1 ip4:10.0.0.0/24 -all")),
    (quiet, rules.SPECIAL_RANGE, "before private", Case("v=spf1 ip4:9.255.255.0/24 -all")),
    (quiet, rules.SPECIAL_RANGE, "after private", Case("v=spf1 ip4:11.0.0.0/24 -all")),
    (fires, rules.SPECIAL_RANGE, "multicast", Case("v=spf1 ip6:ff00::/16 -all")),
    (fires, rules.REDUNDANT_RANGE, "inside", Case("v=spf1 ip4:1.2.3.0/24 ip4:1.2.3.4 -all")),
    (fires, rules.REDUNDANT_RANGE, "equal", Case("v=spf1 ip6:2a00::1 ip6:2a00::1 -all")),
    (
        quiet,
        rules.REDUNDANT_RANGE,
        "side by side",
        Case("v=spf1 ip4:1.2.3.0/25 ip4:1.2.3.128/25 -all"),
    ),
    (quiet, rules.REDUNDANT_RANGE, "an exception", Case("v=spf1 -ip4:1.2.3.4 ip4:1.2.3.0/24 -all")),
    (fires, rules.HOST_BITS, "a /24", Case("v=spf1 ip4:1.2.3.4/24 -all")),
    (quiet, rules.HOST_BITS, "a /30", Case("v=spf1 ip4:1.2.3.4/30 -all")),
    (fires, rules.TYPO_MODIFIER, "equals", Case("v=spf1 ip4=1.2.3.4 -all")),
    (fires, rules.TYPO_MODIFIER, "version again", Case("v=spf1 v=spf1 -all")),
    (quiet, rules.TYPO_MODIFIER, "colon", Case("v=spf1 ip4:1.2.3.4 -all")),
    (quiet, rules.TYPO_MODIFIER, "RFC 6652", Case("v=spf1 ra=postmaster rp=100 rr=all -all")),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_the_rule_is_told_from_what_is_near(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())
