# ruff: noqa: E501 - tables of data
"""Pictures as the routing of real tenants would give them."""

from dataclasses import replace
from itertools import cycle, islice

from agent.domain.fact import Diagram, Mood, Road, Station
from agent.domain.finding import Outcome, Rule, Severity
from agent.exposition.pages import render, view
from agent.exposition.pages.subject import SubjectPage
from agent.exposition.pages.view import Situation
from agent.runtime.board import Board
from servers.standings import NOON, SPF, check, publish

MENDS = Rule(
    "spf-goes-round",
    Severity.CRITICAL,
    "Mail of a customer would go round in a circle",
    "Give the provider's own mail a certificate domain of its own.",
    "https://learn.microsoft.com/exchange/mail-flow-best-practices",
)
FIX = "Set-InboundConnector -Identity 'From filter' -TlsSenderCertificateName 'own.filter.example'"

PARTNERS = (
    "woodgrovebank.com", "tailspintoys.com", "litware-inc.example", "adventure-works.example", "proseware.example",
    "northwindtraders.com", "alpineskihouse.example", "margiestravel.example", "wingtiptoys.example", "fourthcoffee.example",
    "lucernepublishing.example", "relecloud.example", "vanarsdelltd.example", "munsonspicklesandpreservesfarm.example",
    "bestforyouorganics.example", "cohovineyardandwinery.example", "graphicdesigninstitute.example", "humongousinsurance.example",
    "consolidatedmessenger.example", "treyresearch.example",
)  # fmt: skip

HUB = Station(
    "contoso", "Exchange Online", "exchange", "tenant contoso, 6 accepted domains", column=2
)
FRONT = (
    Station("internet", "Internet", "internet", "any sender", column=0),
    Station("mx1", "mx1.eu.filter.example", "gateway", "MX 10, 198.51.100.25", "good", column=1),
    Station("mx2", "mx2.eu.filter.example", "gateway", "MX 20, 198.51.100.26", column=1),
    Station("datacentre", "mail.contoso.com", "server", "on premises, 203.0.113.25", column=1),
    Station("eop", "contoso-com.mail.protection.outlook.com", "refused", "restricted to the filter's certificate", column=1),
    HUB,
)  # fmt: skip
FRONT_ROADS = (
    Road("internet", "mx1", "MX 10 of contoso.com"),
    Road("internet", "mx2", "MX 20 of contoso.com"),
    Road("internet", "eop", "directly, past the filter", "good"),
    Road("mx1", "contoso", "From filter (partner, *.filter.example)", "good"),
    Road("mx2", "contoso", "From filter (partner, *.filter.example)", "good"),
    Road("datacentre", "contoso", "From datacentre (on-premises)", "warning"),
)


def tenant(connectors: int) -> Diagram:
    """Return the routing of a tenant with so many outbound connectors to partners."""
    moods: tuple[Mood, ...] = ("plain", "plain", "good", "plain", "warning", "plain", "unknown")
    stations = [
        *FRONT,
        Station("mailboxes", "Mailboxes of contoso.com", "mailbox", "412 recipients", column=3),
        Station("signatures", "signatures.addon.example", "service", "adds a signature and sends it back", column=3),
    ]  # fmt: skip
    roads = [
        *FRONT_ROADS,
        Road("contoso", "mailboxes", "known recipients"),
        Road("contoso", "signatures", "To signatures, rule Add signature"),
        Road("signatures", "contoso", "From signatures (on-premises)"),
        Road("contoso", "datacentre", "To datacentre, internal relay of lab.contoso.com", "bad"),
    ]
    for number, mood in enumerate(islice(cycle(moods), connectors)):
        turn, index = divmod(number, len(PARTNERS))
        partner = PARTNERS[index]
        stations.append(
            Station(
                f"p{number}",
                f"smtp{turn + 1}.{partner}",
                "server",
                "port 25, domain validation" if mood != "unknown" else "did not answer",
                mood if mood != "good" else "plain",
                3,
            )
        )
        roads.append(Road("contoso", f"p{number}", f"To {partner.split('.')[0]} {turn + 1}", mood))
    return Diagram(tuple(stations), tuple(roads))


def loop() -> Diagram:
    """Return the loop of a provider that is itself a customer."""
    return Diagram(
        (
            Station("internet", "Internet", "internet", column=0),
            Station("mx", "mx.filter.example", "gateway", "filters for 41 tenants", column=1),
            Station("contoso", "Exchange Online", "exchange", "tenant contoso", column=2),
            Station(
                "provider",
                "Exchange Online",
                "exchange",
                "tenant filter (the provider's own)",
                "bad",
                column=2,
            ),
            Station(
                "out", "relay.filter.example", "gateway", "certificate *.filter.example", column=3
            ),
            Station("mailbox", "Mailbox", "mailbox", "user@contoso.com", column=3),
        ),
        (
            Road("internet", "mx", "MX 10 of contoso.com"),
            Road("mx", "contoso", "From filter (partner)", "good"),
            Road("mx", "provider", "claimed by the certificate *.filter.example", "bad"),
            Road("provider", "out", "All mail out (on-premises)", "bad"),
            Road("out", "mx", "MX 10 of contoso.com, again", "bad"),
            Road("contoso", "mailbox", "known recipients", "good"),
        ),
    )


def two_tenants() -> Diagram:
    """Return two tenants that share a filter, a datacentre and some partners."""
    stations = [
        Station("internet", "Internet", "internet", column=0),
        *(Station(f"mx{n}", f"mx{n}.filter.example", "gateway", f"MX {n}0", column=1) for n in (1, 2)),
        Station("dc", "mail.contoso.com", "server", "on premises", column=1),
        *(Station(t, "Exchange Online", "exchange", f"tenant {t}", column=2) for t in ("contoso", "fabrikam")),
        *(Station(f"p{n}", f"smtp.{PARTNERS[n]}", "server", "port 25", column=3) for n in range(12)),
        Station("lost", "NDR 5.7.64", "refused", "TenantAttribution; Relay Access Denied", "bad", column=3),
    ]  # fmt: skip
    roads = [
        *(Road("internet", f"mx{n}", f"MX {n}0") for n in (1, 2)),
        *(Road(f"mx{n}", t, f"From filter ({t})") for n in (1, 2) for t in ("contoso", "fabrikam")),
        Road("dc", "contoso", "From datacentre", "warning"),
        Road("contoso", "fabrikam", "To fabrikam (partner)"),
        *(Road("contoso", f"p{n}", f"To partner {n}") for n in range(7)),
        *(Road("fabrikam", f"p{n}", f"Out {n}") for n in range(5, 12)),
        Road("dc", "lost", "bounces of external senders", "bad"),
        Road("internet", "p0"),
    ]
    return Diagram(tuple(stations), tuple(roads))


def page(diagram: Diagram) -> bytes:
    """Return the page of a subject whose check shows the diagram."""
    board, looked = Board(), check("contoso", SPF, "contoso.com")
    board.keep([looked], NOON)
    finding = replace(MENDS.found("mx.filter.example relays mail of both."), fix=FIX)
    publish(board, looked, Outcome(findings=(finding,), facts={"Where mail goes": diagram}), NOON)
    (subject,) = view.subjects(board.runs(), NOON)
    return render.subject(SubjectPage(NOON, subject), Situation("frankfurt", "0", NOON))
