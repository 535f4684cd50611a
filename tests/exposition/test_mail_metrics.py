"""Mailboxes and credentials are measured by their names in the configuration."""

from dataclasses import replace
from datetime import timedelta

from agent.adapters.mailbox import PickupError, Room, Trouble
from agent.adapters.pickup import PickupState
from agent.adapters.token_trouble import NoToken, TokenTrouble
from agent.adapters.tokens import CredentialStatus
from agent.domain.peer_text import PeerText
from agent.exposition.mail_metrics import MAIL_SIGNALS, read
from agent.exposition.own_metrics import OwnMetrics
from agent.exposition.text_format import Format
from servers.standings import NOON

HOME = "graph probe@contoso.com"
UNUSED = CredentialStatus("probe", None, None, None, None)


def lines(*shown: PickupState | CredentialStatus) -> set[str]:
    """Return what a scrape shows of places and credentials."""
    places = [each for each in shown if isinstance(each, PickupState)]
    credentials = [each for each in shown if isinstance(each, CredentialStatus)]
    own = OwnMetrics()
    own.watch(read(lambda: places, lambda: credentials))
    text = own.render(Format.TEXT).decode()
    names = tuple(signal.name for signal in MAIL_SIGNALS)
    return {line for line in text.splitlines() if line.startswith(names)}


def test_a_place_that_was_never_looked_into_has_counters_at_zero() -> None:
    label = f'{{place="{HOME}"}}'
    assert lines(PickupState(HOME)) == {
        f"mailflow_pickup_looks_total{label} 0.0",
        f"mailflow_pickup_removed_total{label} 0.0",
        f"mailflow_pickup_would_remove_total{label} 0.0",
    }


def test_a_place_is_measured_by_what_was_found_there() -> None:
    state = PickupState(HOME, opened=True, looked_at=NOON, looks=4, removed=3, would_remove=2)
    state.errors["timeout"] += 1
    state.letters.update({"message": 5, "stranger": 7})
    state.room = Room(1024, 2048)
    label = f'{{place="{HOME}"}}'
    assert lines(state) == {
        f"mailflow_pickup_last_look_timestamp_seconds{label} 1.7954352e+09",
        f"mailflow_pickup_looks_total{label} 4.0",
        f"mailflow_pickup_removed_total{label} 3.0",
        f"mailflow_pickup_would_remove_total{label} 2.0",
        f'mailflow_pickup_errors_total{{place="{HOME}",reason="timeout"}} 1.0',
        f'mailflow_pickup_letters_total{{kind="message",place="{HOME}"}} 5.0',
        f'mailflow_pickup_letters_total{{kind="stranger",place="{HOME}"}} 7.0',
        f"mailflow_mailbox_used_bytes{label} 1024.0",
        f"mailflow_mailbox_limit_bytes{label} 2048.0",
    }


def test_a_credential_that_is_not_used_yet_has_nothing_to_show() -> None:
    assert lines(UNUSED) == set()


def test_a_credential_shows_when_it_ends_and_why_it_fails() -> None:
    why = NoToken(TokenTrouble.EXPIRED_SECRET, PeerText("AADSTS7000222"))
    status = replace(
        UNUSED,
        expires_at=NOON,
        secret_expires_at=NOON + timedelta(days=9),
        failure=why,
        failed_at=NOON,
    )
    shown = lines(status)
    assert {line.partition("{")[0] for line in shown} == {
        "mailflow_credential_token_expiry_timestamp_seconds",
        "mailflow_credential_secret_expiry_timestamp_seconds",
        "mailflow_credential_failing",
    }
    assert 'mailflow_credential_failing{credential="probe",reason="expired-secret"} 1.0' in shown


def test_no_words_of_a_peer_are_in_a_label() -> None:
    state = PickupState(HOME, trouble=PickupError(Trouble.PROTOCOL, "canary"))
    why = NoToken(TokenTrouble.REFUSED, PeerText("canary"))
    assert not [line for line in lines(state, replace(UNUSED, failure=why)) if "canary" in line]
