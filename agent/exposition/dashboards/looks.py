"""How is each signal of a probe shown, and what is to be done when it is red?

A signal that is not named here has a panel all the same: its unit follows from its name, and its
text from its declaration. So a new probe is on the dashboard of its subjects from its first day.
"""

import enum
from dataclasses import dataclass

from agent.domain.finding import Signal
from agent.exposition.dashboards import words
from agent.exposition.dashboards.model import Shape, Steps, Words
from agent.exposition.dashboards.words import DAY, GREEN, ORANGE, RED

_ADVICE = "Open the page of the subject: the finding says what is wrong and what to type."


class Reading(enum.Enum):
    """What of the value is shown."""

    VALUE = "the value"
    AGE = "how long ago the time is"
    LEFT = "how long it is until the time"


@dataclass(frozen=True, slots=True)
class Look:
    """How a signal is shown; ``advice`` follows the signal's own explanation."""

    title: str
    advice: str = _ADVICE
    shape: Shape = Shape.LINES
    reading: Reading = Reading.VALUE
    unit: str = "short"
    steps: Steps = words.PLAIN
    words: Words = ()
    stacked: bool = False
    limits: bool = False


_SEE = "The finding on the page of the subject has the session, line by line."
_ENDS = "Renew it in time, and put the whole chain on every host that shows it."
_CHANGED = "A change that nobody planned: compare with the record in the page's facts."


def _yes(title: str, advice: str, word: str = "yes", otherwise: str = "no") -> Look:
    return Look(title, advice, Shape.STAT, words=words.yes(word, otherwise), steps=_ONE)


def _number(title: str, advice: str, steps: Steps = words.PLAIN, unit: str = "short") -> Look:
    return Look(title, advice, Shape.STAT, unit=unit, steps=steps)


def _left(title: str, advice: str, steps: Steps = words.TIME_LEFT) -> Look:
    return Look(title, advice, Shape.STAT, Reading.LEFT, "s", steps)


def _age(title: str, advice: str, steps: Steps = words.PLAIN) -> Look:
    return Look(title, advice, Shape.STAT, Reading.AGE, "s", steps)


_ONE = words.RED_BELOW_ONE
_TTL: Steps = ((None, ORANGE), (300, GREEN), (2 * DAY + 1, ORANGE))
LOOKS = {
    "mailflow_exchange_reachable": _yes(
        "An exchange takes mail",
        "Red: nobody can deliver to the domain from here. " + _SEE,
    ),
    "mailflow_exchange_addresses": Look(
        "Addresses of the exchanges by result",
        "`refused` and `unreached` addresses are tried by senders too, and cost them time. " + _SEE,
        stacked=True,
    ),
    "mailflow_exchange_addresses_with_tls": Look(
        "Addresses that offer TLS",
        "Fewer than accepted: some mail comes in the clear. See STARTTLS of the others.",
    ),
    "mailflow_exchange_phase_duration_seconds": Look(
        "Time of a session with the exchanges, by phase",
        "A slow greeting is a loaded or suspicious server; a slow `connect` is the network.",
        unit="s",
        stacked=True,
    ),
    "mailflow_exchange_certificate_expiry_timestamp_seconds": _left(
        "Exchanges' certificate ends in", _ENDS
    ),
    "mailflow_mx_exchanges": _number(
        "Hosts in MX", "Red: the domain names no exchange.", ((None, RED), (1, GREEN))
    ),
    "mailflow_mx_exchanges_with_address": _number(
        "Hosts in MX with an address",
        "Fewer than named: one of them dangles, and whoever owns its name can take the mail.",
        ((None, RED), (1, GREEN)),
    ),
    "mailflow_mx_exchanges_expected": _number(
        "Expected hosts in MX",
        "Red: the mail goes elsewhere. Put the right hosts back, or name them in `exchanges`.",
        ((None, RED), (1, GREEN)),
    ),
    "mailflow_mx_expected_preference": _number(
        "Expected hosts' preference",
        "Where an unexpected host has a lower one, it gets the mail first.",
    ),
    "mailflow_mx_addresses": Look(
        "Addresses in MX by family", "None at all: nobody can deliver. " + _CHANGED, stacked=True
    ),
    "mailflow_mx_record_ttl_seconds": _number(
        "TTL of the MX records",
        "Orange: too short costs lookups, too long makes a change slow. Set an hour.",
        _TTL,
        "s",
    ),
    "mailflow_mx_record_changed_timestamp_seconds": _age("MX records unchanged for", _CHANGED),
    "mailflow_refusal_shut": _yes(
        "What must be refused is refused",
        "Red: strangers get past the filter, or can relay. Restrict the connector, or switch"
        " RejectDirectSend on, as the finding says.",
        "shut",
        "open",
    ),
    "mailflow_spf_lookups": _number(
        "DNS lookups of SPF",
        "Red: receivers stop at 10 and fail SPF. Take out includes that nobody uses.",
        ((None, GREEN), (9, ORANGE), (11, RED)),
    ),
    "mailflow_spf_sender_lookups": _number(
        "DNS lookups of a sender",
        "Red: a sender of yours is found too late. Move its mechanism to the front.",
        ((None, GREEN), (9, ORANGE), (11, RED)),
    ),
    "mailflow_spf_void_lookups": _number(
        "Void lookups of SPF",
        "Red: receivers stop at more than 2. Take out the terms that lead nowhere.",
        ((None, GREEN), (2, ORANGE), (3, RED)),
    ),
    "mailflow_spf_record_bytes": _number(
        "Length of the SPF record",
        "Orange: the answer may not fit into one packet. Shorten the record.",
        ((None, GREEN), (450, ORANGE)),
        "bytes",
    ),
    "mailflow_spf_senders": Look(
        "Configured senders by what SPF says",
        "`refused` is mail of yours that receivers reject: add the sender to the record.",
        stacked=True,
    ),
    "mailflow_spf_strangers_passing": _number(
        "Strangers that pass SPF",
        "Red: others can send in the domain's name. Narrow the term that lets them pass.",
        words.RED_FROM_ONE,
    ),
    "mailflow_spf_record_ttl_seconds": _number(
        "TTL of the SPF record",
        "Orange: too short costs lookups, too long makes a change slow. Set an hour.",
        _TTL,
        "s",
    ),
    "mailflow_spf_record_changed_timestamp_seconds": _age("SPF record unchanged for", _CHANGED),
    "mailflow_dmarc_policy": _number(
        "DMARC policy",
        "0 none, 1 quarantine, 2 reject. Red: forgeries of the domain are delivered.",
        ((None, RED), (1, ORANGE), (2, GREEN)),
    ),
    "mailflow_dmarc_policy_ratio": _number(
        "Part of the mail under the policy",
        "Orange: `pct` exempts some of it. Remove the tag when no sender of yours fails.",
        ((None, ORANGE), (1, GREEN)),
        "percentunit",
    ),
    "mailflow_dmarc_senders": Look(
        "Declared senders by what DMARC says",
        "`fail` is mail of yours that an enforced policy loses: authorise it in SPF, or sign it.",
        stacked=True,
    ),
    "mailflow_dmarc_record_changed_timestamp_seconds": _age("DMARC record unchanged for", _CHANGED),
    "mailflow_mta_sts_exchanges_uncovered": _number(
        "Exchanges that the MTA-STS policy leaves out",
        "Red: in mode enforce, senders that obey the policy keep the mail. Add the host to it.",
        words.RED_FROM_ONE,
    ),
    "mailflow_dkim_selectors": Look(
        "DKIM selectors by verdict", "By a `weak` one others can sign. " + _ADVICE, stacked=True
    ),
    "mailflow_dkim_record_changed_timestamp_seconds": _age("DKIM keys unchanged for", _CHANGED),
    "mailflow_connector_reachable": _yes(
        "The smart hosts take mail",
        "Red: mail by this connector queues in Exchange Online. " + _SEE,
    ),
    "mailflow_connector_addresses": Look(
        "Addresses of the smart hosts by result",
        "`refused` and `unreached` addresses delay every message that tries them first. " + _SEE,
        stacked=True,
    ),
    "mailflow_connector_phase_duration_seconds": Look(
        "Time of a session with the smart hosts, by phase",
        "A slow greeting is a loaded server; a slow `connect` is the network or a firewall.",
        unit="s",
        stacked=True,
    ),
    "mailflow_connector_certificate_expiry_timestamp_seconds": _left(
        "Smart hosts' certificate ends in", _ENDS
    ),
    "mailflow_inbound_accepted": _yes(
        "Exchange Online takes what it should",
        "Red: it no longer knows the connector, or no longer trusts the sender. " + _SEE,
        "accepted",
        "not accepted",
    ),
    "mailflow_inbound_certificate_expiry_timestamp_seconds": _left(
        "Sender's certificate ends in", _ENDS
    ),
    "mailflow_drift_changes": _number(
        "Changes of the tenant's configuration",
        "Orange: something was changed. The findings name each; ask who did it, and why.",
        words.WARN_FROM_ONE,
    ),
    "mailflow_export_timestamp_seconds": _age(
        "Age of the export",
        "Red: nothing about the tenant is proven any more. See why the export job does not run.",
        ((None, GREEN), (DAY, ORANGE), (26 * 3600, RED)),
    ),
    "mailflow_export_readable": _yes(
        "The export can be read",
        "Red: what is said of the tenant is of an older export. The finding names the file.",
    ),
    "mailflow_export_objects": Look(
        "Objects in the export",
        "A sudden fall is an export with too few rights, or somebody who deleted objects.",
    ),
    "mailflow_retirement_due_timestamp_seconds": _left(
        "Microsoft switches off in",
        "Red: less than 90 days, or over. Move off it; the finding names what to use.",
        ((None, RED), (90 * DAY, ORANGE), (365 * DAY, GREEN)),
    ),
    "mailflow_expiry_timestamp_seconds": _left(
        "Certificates, secrets and keys end in", "Renew it in time. The finding names which it is."
    ),
    "mailflow_connector_info": Look(
        "What it delivers to", "As configured: compare with `Get-OutboundConnector`.", Shape.TABLE
    ),
    "mailflow_route_last_sent_timestamp_seconds": _age(
        "Last message sent",
        "Longer ago than the interval: see the budget, and whether the agent's state is written.",
    ),
    "mailflow_route_info": Look(
        "From where to where", "As configured: these are the two ends to look at.", Shape.TABLE
    ),
    "mailflow_links_info": Look(
        "Where links lead",
        "Set `external_url` and `grafana_url` where they lead astray.",
        Shape.TABLE,
    ),
    "mailflow_web_config_last_reload_successful": _yes(
        "Web configuration",
        "Red: mend the file; the status page says what is wrong. Grey: there is none.",
        "in force",
        "wrong",
    ),
    "mailflow_web_config_last_reload_success_timestamp_seconds": _age(
        "Web configuration read", "Longer ago than you changed it: see whether the file is right."
    ),
    "mailflow_http_logins_failed_total": Look(
        "Logins that failed in an hour", "Many: somebody guesses. Shut the port to strangers."
    ),
    "mailflow_http_connections_open": Look(
        "Open connections", "At the limit: somebody holds connections. See from where they come."
    ),
    "mailflow_http_connections_turned_away_total": Look(
        "Connections turned away in an hour",
        "Any: all places were taken, perhaps Prometheus' own. Shut the port to strangers.",
    ),
    "mailflow_self_mailbox_failing_runs": Look(
        "Places of pick-up that are closed, in runs", "`mailflow-agent doctor ROUTE` says why."
    ),
    "mailflow_self_credential_refused_runs": Look(
        "Credentials that are refused, in runs",
        "Look its AADSTS number up in the log; make a new secret where it has ended.",
    ),
}


def look_of(signal: Signal) -> Look:
    """Return how to show a signal."""
    return LOOKS.get(signal.name) or _from_name(signal)


def _from_name(signal: Signal) -> Look:
    name = signal.name.removesuffix("_total")
    title = name.removeprefix("mailflow_").replace("_", " ").capitalize()
    if name.endswith("_timestamp_seconds"):
        title = title.removesuffix(" timestamp seconds")
        if "expiry" in name or "due" in name:
            return _left(f"{title} in", _ADVICE)
        return _age(f"{title} since", _ADVICE)
    if name.endswith("_info"):
        return Look(title.removesuffix(" info"), "It is as configured.", Shape.TABLE)
    units = {"_seconds": "s", "_bytes": "bytes", "_ratio": "percentunit"}
    unit = next((unit for ending, unit in units.items() if name.endswith(ending)), "short")
    return Look(title, unit=unit)
