"""What can be wrong with the reputation of a domain and its addresses?

Declarations only; :mod:`agent.domain.reputation_lint` says when they are broken. On a list by which
receivers refuse, mail is lost now: critical. On any other it costs trust: a warning. A list that
does not answer says nothing about anybody: unknown.
"""

from agent.domain.finding import Rule, Severity

_ANSWERS = "RFC 5782 section 2.1"
_TESTS = "RFC 5782 section 5"

REFUSED = Rule(
    code="reputation-refused",
    severity=Severity.CRITICAL,
    summary="An address that sends the domain's mail is on a blocklist by which receivers refuse",
    remedy="Find what was sent from the address and stop it: a broken account, an infected machine,"
    " a form on a web site. Then ask the list to take the address off; the finding has what it"
    " writes. Meanwhile send by another address that SPF covers.",
    reference=_ANSWERS,
)
DOMAIN_REFUSED = Rule(
    code="reputation-domain-refused",
    severity=Severity.CRITICAL,
    summary="The domain itself is on a blocklist by which receivers refuse",
    remedy="Find who abuses the domain's name or its web site and stop it, then ask the list to"
    " take the domain off. Another sending address does not help.",
    reference="RFC 5782 section 3",
)
LISTED = Rule(
    code="reputation-listed",
    severity=Severity.WARNING,
    summary="An address that sends the domain's mail is on a blocklist",
    remedy="Some receivers count it against the mail. Find what was sent from the address and stop"
    " it, then ask the list to take it off, or wait until its entry ends.",
    reference=_ANSWERS,
)
DOMAIN_LISTED = Rule(
    code="reputation-domain-listed",
    severity=Severity.WARNING,
    summary="The domain itself is on a blocklist",
    remedy="Some receivers count it against mail that names the domain. See on the list's page why,"
    " and ask it to take the domain off.",
    reference="RFC 5782 section 3",
)
REFUSES_US = Rule(
    code="reputation-list-refuses",
    severity=Severity.UNKNOWN,
    summary="A blocklist refuses to answer here, so that nothing is known from it",
    remedy="Ask by a resolver of your own that asks the list itself, not by a public one. Where the"
    " list wants customers to register, give the key in `key_file`, or remove the list.",
    reference=_ANSWERS,
)
SILENT = Rule(
    code="reputation-list-silent",
    severity=Severity.UNKNOWN,
    summary="A blocklist does not answer here, so that nothing is known from it",
    remedy="See whether the list wants resolvers to be registered, whether its zone is spelt right,"
    " and whether it still exists. Remove it from `lists` if it is gone.",
    reference=_TESTS,
)
BROKEN = Rule(
    code="reputation-list-broken",
    severity=Severity.UNKNOWN,
    summary="What answers for a blocklist is not the list, or lists everything",
    remedy="Remove a list that was closed. If other lists show the same, the resolver makes up"
    " answers for names that do not exist: use one that does not.",
    reference=_TESTS,
)
NOT_ASKED = Rule(
    code="reputation-list-not-asked",
    severity=Severity.UNKNOWN,
    summary="A blocklist is not asked, because its key cannot be used",
    remedy="See that the file or variable with the key can be read by this agent and holds the key"
    " alone.",
    reference="docs/blocklists.md",
)

RULES: tuple[Rule, ...] = tuple(value for value in tuple(globals().values()) if type(value) is Rule)
"""Every rule above, in its order."""
