"""By which words does a name show that a provider gave it to a whole range of addresses?

Receivers look for them to tell servers from desktops and leased machines that nobody cares for.
Source: reverse names that access and hosting providers hand out, and the patterns that mail servers
and filters publish for them; state of November 2026.
"""

WORDS = frozenset(
    {
        *("dynamic", "dyn", "dynip", "dynamicip", "dhcp", "pool", "pools", "static", "staticip"),
        *("dial", "dialin", "dialup", "ppp", "pppoe", "dsl", "adsl", "vdsl", "xdsl", "sdsl"),
        *("cable", "cablemodem", "catv", "hfc", "broadband", "ftth", "fttb", "fttx", "wimax"),
        *("cust", "customer", "customers", "clients", "subscriber", "residential", "unassigned"),
        *("unused", "unknown", "reverse", "rdns", "ptr", "generic", "vps", "dedicated"),
    }
)
"""Words that stand between dots, hyphens or digits of such a name, in lower case."""
