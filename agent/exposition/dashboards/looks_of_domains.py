"""How is each signal about a domain's records and exchanges shown?"""

from collections.abc import Mapping

from agent.exposition.dashboards import words
from agent.exposition.dashboards.look import (
    ADVICE,
    CHANGED,
    ENDS,
    SEE,
    Look,
    age,
    left,
    number,
    yes,
)
from agent.exposition.dashboards.model import Shape, Steps
from agent.exposition.dashboards.words import DAY, GREEN, ORANGE, RED

_TTL: Steps = ((None, ORANGE), (300, GREEN), (2 * DAY + 1, ORANGE))
DOMAINS: Mapping[str, Look] = {
    "mailflow_exchange_reachable": yes(
        "An exchange takes mail",
        "Red: nobody can deliver to the domain from here. " + SEE,
    ),
    "mailflow_exchange_addresses": Look(
        "Addresses of the exchanges by result",
        "`refused` and `unreached` addresses are tried by senders too, and cost them time. " + SEE,
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
    "mailflow_exchange_certificate_expiry_timestamp_seconds": left(
        "Exchanges' certificate ends in", ENDS
    ),
    "mailflow_mx_exchanges": number(
        "Hosts in MX", "Red: the domain names no exchange.", ((None, RED), (1, GREEN))
    ),
    "mailflow_mx_exchanges_with_address": number(
        "With an address",
        "Fewer than named: one of them dangles, and whoever owns its name can take the mail.",
        ((None, RED), (1, GREEN)),
    ),
    "mailflow_mx_exchanges_expected": number(
        "Expected hosts in MX",
        "Red: the mail goes elsewhere. Put the right hosts back, or name them in `exchanges`.",
        ((None, RED), (1, GREEN)),
    ),
    "mailflow_mx_expected_preference": number(
        "Their preference",
        "Where an unexpected host has a lower one, it gets the mail first.",
    ),
    "mailflow_mx_addresses": Look(
        "Addresses in MX by family", "None at all: nobody can deliver. " + CHANGED, stacked=True
    ),
    "mailflow_mx_record_ttl_seconds": number(
        "TTL of MX",
        "Orange: too short costs lookups, too long makes a change slow. Set an hour.",
        _TTL,
        "s",
    ),
    "mailflow_mx_record_changed_timestamp_seconds": age("MX unchanged for", CHANGED),
    "mailflow_refusal_shut": yes(
        "What must be refused is refused",
        "Red: strangers get past the filter, or can relay. Restrict the connector, or switch"
        " RejectDirectSend on, as the finding says.",
        "shut",
        "open",
    ),
    "mailflow_spf_lookups": number(
        "DNS lookups of SPF",
        "Red: receivers stop at 10 and fail SPF. Take out includes that nobody uses.",
        ((None, GREEN), (9, ORANGE), (11, RED)),
    ),
    "mailflow_spf_sender_lookups": number(
        "DNS lookups of a sender",
        "Red: a sender of yours is found too late. Move its mechanism to the front.",
        ((None, GREEN), (9, ORANGE), (11, RED)),
    ),
    "mailflow_spf_void_lookups": number(
        "Void lookups of SPF",
        "Red: receivers stop at more than 2. Take out the terms that lead nowhere.",
        ((None, GREEN), (2, ORANGE), (3, RED)),
    ),
    "mailflow_spf_record_bytes": number(
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
    "mailflow_spf_strangers_passing": number(
        "Strangers that pass SPF",
        "Red: others can send in the domain's name. Narrow the term that lets them pass.",
        words.RED_FROM_ONE,
    ),
    "mailflow_spf_record_ttl_seconds": number(
        "TTL of the SPF record",
        "Orange: too short costs lookups, too long makes a change slow. Set an hour.",
        _TTL,
        "s",
    ),
    "mailflow_spf_record_changed_timestamp_seconds": age("SPF record unchanged for", CHANGED),
    "mailflow_dmarc_policy": Look(
        "DMARC policy",
        "Red: forgeries of the domain are delivered.",
        Shape.STAT,
        steps=((None, RED), (1, ORANGE), (2, GREEN)),
        words=(("0", "none", RED), ("1", "quarantine", ORANGE), ("2", "reject", GREEN)),
    ),
    "mailflow_dmarc_policy_ratio": number(
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
    "mailflow_dmarc_record_changed_timestamp_seconds": age("DMARC record unchanged for", CHANGED),
    "mailflow_mta_sts_mode": Look(
        "MTA-STS policy",
        "Orange: senders do not insist on TLS, and whoever sits between can read the mail.",
        Shape.STAT,
        steps=((None, ORANGE), (2, GREEN)),
        words=(("0", "none", ORANGE), ("1", "testing", ORANGE), ("2", "enforce", GREEN)),
    ),
    "mailflow_mta_sts_max_age_seconds": number(
        "Policy is kept for", "Short: a sender that comes seldom has forgotten it.", unit="s"
    ),
    "mailflow_mta_sts_certificate_expiry_timestamp_seconds": left("Certificate ends in", ENDS),
    "mailflow_mta_sts_exchanges_uncovered": number(
        "Hosts it leaves out",
        "Red: in mode enforce, senders that obey the policy keep the mail. Add the host to it.",
        words.RED_FROM_ONE,
    ),
    "mailflow_dkim_selectors": Look(
        "DKIM selectors by verdict", "By a `weak` one others can sign. " + ADVICE, stacked=True
    ),
    "mailflow_dkim_key_length": Look(
        "Bits of each DKIM key",
        "Below 1024 receivers ignore the signature; 2048 is what lasts. Ed25519 has 256.",
        unit="none",
    ),
    "mailflow_dkim_record_changed_timestamp_seconds": age("DKIM keys unchanged for", CHANGED),
    "mailflow_dane_domain_signed": Look(
        "DNSSEC vouches for MX",
        "No: DANE does nothing for the domain, even where its exchanges have records. Sign the"
        " zone, and have the registrar publish its DS record.",
        Shape.STAT,
        steps=((None, ORANGE), (1, GREEN)),
        words=(("0", "no", ORANGE), ("1", "yes", GREEN)),
    ),
    "mailflow_dane_exchanges": Look(
        "Exchanges by what DANE says of them",
        "`mismatching`: senders that obey DANE keep the mail. Publish a TLSA record for the"
        " certificate in use. " + ADVICE,
        stacked=True,
    ),
    "mailflow_dane_signature_expiry_timestamp_seconds": left(
        "Signature ends in",
        "Red: DNSSEC breaks, and the domain with it. See why the signer does not sign again.",
        ((None, RED), (DAY, ORANGE), (3 * DAY, GREEN)),
    ),
    "mailflow_nameservers_servers": number(
        "Name servers",
        "One: the domain is away when it is. Have a second in another network.",
        ((None, RED), (1, ORANGE), (2, GREEN)),
    ),
    "mailflow_nameservers_addresses_asked": number(
        "Addresses of name servers asked", "None: no name server has an address. " + ADVICE
    ),
    "mailflow_nameservers_addresses_authoritative": number(
        "That speak for the zone",
        "Red: none does. Fewer than asked: part of the lookups fail or take long. Take the bad ones"
        " out of the delegation, or mend them.",
        ((None, RED), (1, GREEN)),
    ),
    "mailflow_nameservers_serial_spread": number(
        "SOA serials apart by",
        "Not 0 for hours: a server has stopped to take the zone over, and gives old answers.",
        ((None, GREEN), (1, ORANGE)),
    ),
    "mailflow_nameservers_slowest_answer_seconds": Look(
        "Answer of the slowest name server",
        "Above a second, resolvers give up on it and lookups of SPF or MX fail now and then.",
        unit="s",
    ),
    "mailflow_nameservers_lowest_ttl_seconds": number(
        "Lowest TTL",
        "Orange: each short life is another chance for a lookup to fail. Set an hour.",
        ((None, ORANGE), (300, GREEN)),
        "s",
    ),
    "mailflow_nameservers_highest_ttl_seconds": number(
        "Highest TTL",
        "Orange: a mistake stays with senders for that long. Set a day at most.",
        ((None, GREEN), (7 * DAY + 1, ORANGE)),
        "s",
    ),
    "mailflow_nameservers_delegation_changed_timestamp_seconds": age(
        "Delegation unchanged for",
        "A change that nobody planned: lock the domain at the registrar, and ask who made it.",
    ),
    "mailflow_tls_rpt_destinations": number(
        "Destinations of TLS reports", "None: nobody hears of senders that TLS keeps out."
    ),
    "mailflow_autodiscover_records": Look(
        "Records for Outlook by what they are worth",
        "`wrong` or `dangling`: Outlook is sent elsewhere, or to whoever takes the name. " + ADVICE,
        stacked=True,
    ),
    "mailflow_registration_expiry_timestamp_seconds": left(
        "Registration of the domain ends in",
        "Red: without it the domain leaves DNS. Renew it with the registrar.",
        ((None, RED), (14 * DAY, ORANGE), (60 * DAY, GREEN)),
    ),
    "mailflow_registration_told_timestamp_seconds": age(
        "Told by the registry", "A registry is asked once a day. Much older: it does not answer."
    ),
    "mailflow_reputation_listed": number(
        "On a blocklist",
        "Red: receivers that ask the list refuse the mail, or count it against it. " + SEE,
        ((None, GREEN), (1, RED)),
    ),
    "mailflow_reputation_list_answers": yes(
        "A blocklist answers here",
        "Red: nothing is known from it. Ask by a resolver of your own, or register. " + SEE,
    ),
    "mailflow_reputation_addresses": number(
        "Addresses looked for in blocklists", "None: `senders` has no address of your own."
    ),
    "mailflow_reverse_addresses": Look(
        "Sending addresses by what their reverse name is worth",
        "`missing` or `unconfirmed`: large receivers refuse or junk their mail. Whoever lends the"
        " address sets its name.",
        stacked=True,
    ),
}
