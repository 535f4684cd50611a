"""How do the places do where messages are picked up, and the credentials that lead there?

Turns what is kept of each mailbox and credential into measurements when a scrape comes. Their names
are those of the configuration.
"""

from collections.abc import Callable, Iterable, Iterator

from agent.adapters.excuses import Excuses
from agent.adapters.pickup import PickupState
from agent.adapters.tokens import CredentialStatus
from agent.domain.finding import Measurement, Signal

LAST_LOOK = Signal(
    "mailflow_pickup_last_look_timestamp_seconds",
    "When all that lay in a place of pick-up was last seen.",
    labels=("place",),
)
LOOKS = Signal(
    "mailflow_pickup_looks_total", "Whole looks into a place.", labels=("place",), kind="counter"
)
ERRORS = Signal(
    "mailflow_pickup_errors_total",
    "Looks that failed, by reason; nothing is known of the routes that end there meanwhile.",
    labels=("place", "reason"),
    kind="counter",
)
LETTERS = Signal(
    "mailflow_pickup_letters_total",
    "Letters found in a place, by what they are; those of strangers are left alone.",
    labels=("place", "kind"),
    kind="counter",
)
REMOVED = Signal(
    "mailflow_pickup_removed_total",
    "Letters with a genuine token of ours that were deleted.",
    labels=("place",),
    kind="counter",
)
WOULD_REMOVE = Signal(
    "mailflow_pickup_would_remove_total",
    "Letters that would have been deleted, where `cleanup` is `dry-run`.",
    labels=("place",),
    kind="counter",
)
USED = Signal(
    "mailflow_mailbox_used_bytes",
    "How much a mailbox holds, where its server says so.",
    labels=("place",),
)
LIMIT = Signal(
    "mailflow_mailbox_limit_bytes",
    "How much a mailbox may hold, where its server says so.",
    labels=("place",),
)
TOKEN_EXPIRY = Signal(
    "mailflow_credential_token_expiry_timestamp_seconds",
    "When the token ends that a credential has now; a new one is got five minutes before.",
    labels=("credential",),
)
SECRET_EXPIRY = Signal(
    "mailflow_credential_secret_expiry_timestamp_seconds",
    "When the client secret or certificate of a credential ends, where that is known.",
    labels=("credential",),
)
FAILING = Signal(
    "mailflow_credential_failing",
    "1 while no token is got with a credential, by why.",
    labels=("credential", "reason"),
)
MAILBOX_RUNS = Signal(
    "mailflow_self_mailbox_failing_runs",
    "Runs of the self check in a row that found a place closed for a reason of its own; absent"
    " while it is open, or something else that is down explains it.",
    labels=("place", "reason"),
)
CREDENTIAL_RUNS = Signal(
    "mailflow_self_credential_refused_runs",
    "Runs of the self check in a row that found a credential refused by the identity provider;"
    " absent while it is taken.",
    labels=("credential", "reason"),
)

MAIL_SIGNALS = (
    LAST_LOOK,
    LOOKS,
    ERRORS,
    LETTERS,
    REMOVED,
    WOULD_REMOVE,
    USED,
    LIMIT,
    TOKEN_EXPIRY,
    SECRET_EXPIRY,
    FAILING,
    MAILBOX_RUNS,
    CREDENTIAL_RUNS,
)
_TOLD = {"mailbox": MAILBOX_RUNS, "credential": CREDENTIAL_RUNS}


def read(
    places: Callable[[], Iterable[PickupState]],
    credentials: Callable[[], Iterable[CredentialStatus]],
    excuses: Excuses | None = None,
) -> Callable[[], Iterator[Measurement]]:
    """Return what reads places and credentials, for ``OwnMetrics.watch``.

    *excuses* know which of them the self check blames.
    """

    def measure() -> Iterator[Measurement]:
        for place in places():
            yield from _of_place(place)
        for credential in credentials():
            yield from _of_credential(credential)
        if excuses is not None:
            yield from _of_runs(excuses)

    return measure


def _of_runs(excuses: Excuses) -> Iterator[Measurement]:
    for name, (reason, runs) in excuses.told.items():
        kind, _, which = name.partition(" ")
        yield _TOLD[kind].at(runs, which, reason)


def _of_place(state: PickupState) -> Iterator[Measurement]:
    home = state.home
    if state.looked_at is not None:
        yield LAST_LOOK.at(state.looked_at.timestamp(), home)
    yield LOOKS.at(state.looks, home)
    yield REMOVED.at(state.removed, home)
    yield WOULD_REMOVE.at(state.would_remove, home)
    for reason, count in state.errors.items():
        yield ERRORS.at(count, home, reason)
    for kind, count in state.letters.items():
        yield LETTERS.at(count, home, kind)
    if state.room.used is not None:
        yield USED.at(state.room.used, home)
    if state.room.limit is not None:
        yield LIMIT.at(state.room.limit, home)


def _of_credential(status: CredentialStatus) -> Iterator[Measurement]:
    if status.expires_at is not None:
        yield TOKEN_EXPIRY.at(status.expires_at.timestamp(), status.name)
    if status.secret_expires_at is not None:
        yield SECRET_EXPIRY.at(status.secret_expires_at.timestamp(), status.name)
    if status.failure is not None:
        yield FAILING.at(1, status.name, status.failure.trouble.value)
