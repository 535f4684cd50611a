"""What does the agent say of its resolver, its mailboxes and its credentials?"""

from agent.exposition import dns_metrics as dns
from agent.exposition import mail_metrics as mail
from agent.exposition import own_signals as own
from agent.exposition.dashboards import links, promql, words
from agent.exposition.dashboards.model import Panel, Row
from agent.exposition.dashboards.own_panels import band, counts, lines, now
from agent.exposition.dashboards.promql import AGENT, PER, of
from agent.exposition.dashboards.words import DAY, GREEN, ORANGE, RED


def dependencies() -> Row:
    """Return the row about the resolver and whatever else checks depend on."""
    return Row("What does it depend on?", (*_up(), *_asked()), folded=True)


def _up() -> tuple[Panel, ...]:
    return (
        band(
            "Dependencies",
            "Red: checks that need it are not run in vain, and are unknown. Mend it first: one"
            " dependency down makes many subjects unknown.",
            own.DEPENDENCY_UP,
            "{{dependency}}",
            words.yes("up", "down"),
        ),
        band(
            "DNS servers",
            "Red: it left too many queries unanswered and is passed over. Ask it with `dig`"
            " from this machine, and see its log.",
            dns.UP,
            "{{server}}",
            words.yes("used", "passed over"),
        ),
    )


def _asked() -> tuple[Panel, ...]:
    trips = promql.rate((PER, "server"), of(dns.ROUND_TRIPS, AGENT))
    time = promql.rate((PER, "server"), of(dns.ROUND_TRIP_TIME, AGENT))
    return (
        lines(
            "Round trip to DNS servers",
            "The mean of the time between query and reply, and the last one. A step up is the"
            " network or a loaded resolver.",
            (f"{time} / {trips} >= 0", "{{server}} mean"),
            (now(dns.LAST_ROUND_TRIP), "{{server}} last"),
            unit="s",
        ),
        counts(
            "DNS queries and their failures",
            "Timeouts and failures are a resolver that is down or overloaded, or zones that"
            " are broken: the findings `dns-unanswered` name them.",
            (dns.QUERIES, "{{server}} {{transport}}"),
            (dns.TIMEOUTS, "{{server}} timed out"),
            (dns.FAILURES, "failed: {{reason}}"),
            (dns.IGNORED, "packets ignored"),
        ),
        counts(
            "How DNS questions were answered",
            "From the cache, by a query under way, or asked; and how many answers were as last"
            " time. Few hits: intervals are longer than the records live.",
            (dns.CACHE_HITS, "from the cache"),
            (dns.CACHE_MISSES, "asked"),
            (dns.COALESCED, "shared"),
            (dns.UNCHANGED, "unchanged"),
            (dns.READ, "read"),
        ),
        lines(
            "DNS queries under way, waiting, and cache",
            "Queries that wait for long: the resolver is slower than the checks ask.",
            (now(dns.IN_FLIGHT), "{{instance}} under way"),
            (now(dns.WAITING), "{{instance}} waiting"),
            (now(dns.ENTRIES), "{{instance}} answers in the cache"),
        ),
    )


def mailboxes() -> Row:
    """Return the row about where messages are picked up, and who the agent logs in as."""
    title = "Can it see the mailboxes, and log in?"
    return Row(title, (*_seen(), *_room(), *_logins()), folded=True)


def _seen() -> tuple[Panel, ...]:
    return (
        lines(
            "Since a place of pick-up was last seen whole",
            "A line that rises: nothing is known of the routes that end there. See the errors"
            " beside it, and `mailflow-agent doctor ROUTE`.",
            (promql.age(now(mail.LAST_LOOK)), "{{place}}"),
            unit="s",
            steps=((None, GREEN), (600, RED)),
        ),
        counts(
            "Looks into places of pick-up",
            "Looks, and those that failed, by reason. `doctor ROUTE` shows what the server says"
            " to the login.",
            (mail.LOOKS, "{{place}} looks"),
            (mail.ERRORS, "{{place}} failed: {{reason}}"),
        ),
        counts(
            "Letters found, and removed",
            "Test mail that is found and not removed piles up: see that `cleanup` is `delete`,"
            " and that the agent may delete. Strangers' letters are left alone.",
            (mail.LETTERS, "{{place}} {{kind}}"),
            (mail.REMOVED, "{{place}} removed"),
            (mail.WOULD_REMOVE, "{{place}} would be removed"),
        ),
    )


def _room() -> tuple[Panel, ...]:
    used = promql.highest(("place",), of(mail.USED, AGENT))
    limit = promql.highest(("place",), of(mail.LIMIT, AGENT))
    return (
        lines(
            "How full the mailboxes are",
            "Red from 90 %: soon test mail bounces, and says nothing of the route any more."
            " Empty it, or take it off litigation hold.",
            (f"{used} / {limit}", "{{place}}"),
            unit="percentunit",
            steps=((None, GREEN), (0.9, RED)),
            to=links.runbook("mailbox-fills-up"),
        ),
        lines(
            "Room in the mailboxes",
            "What the server says of use and limit; not all say it. Where use grows, something"
            " else than test mail comes in: see what lies there.",
            (used, "{{place}} used"),
            (limit, "{{place}} limit"),
            unit="bytes",
        ),
    )


def _logins() -> tuple[Panel, ...]:
    to = links.runbook("credential-expires")
    return (
        lines(
            "Secrets and certificates end in",
            "Red below 14 days: make a new one in Entra, and put it where the configuration"
            " reads it. No restart is needed.",
            (promql.left(now(mail.SECRET_EXPIRY)), "{{credential}}"),
            unit="s",
            steps=((None, RED), (14 * DAY, GREEN)),
            to=to,
        ),
        lines(
            "Tokens end in",
            "A new one is got five minutes before. At 0: the identity provider does not give"
            " one; see beside it why.",
            (promql.left(now(mail.TOKEN_EXPIRY)), "{{credential}}"),
            unit="s",
            steps=((None, RED), (1, ORANGE), (300, GREEN)),
            to=to,
        ),
        lines(
            "Credentials without a token, by reason",
            "1 while no token is got. The log has what the identity provider answered, with its"
            " AADSTS number.",
            (now(mail.FAILING), "{{credential}} {{reason}}"),
            steps=((None, GREEN), (1, RED)),
            to=to,
        ),
    )
