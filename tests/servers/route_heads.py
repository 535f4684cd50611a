"""Heads of synthetic messages as they arrive, and the entry that belongs to them.

Three ways: to a Postfix that hands on to Dovecot, to a mailbox of Exchange Online, and through a
filter to one (:data:`servers.heads.FILTERED`). Each is whole, so that a test breaks one thing.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from agent.domain import ledger
from agent.domain.entry import Entry, Place, Witness
from agent.domain.estate import Estate
from agent.domain.owners import Owners
from agent.domain.reading import Reading, read_message

SENT = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TENANT = "84df9e7f-e9f6-40af-b435-aaaaaaaaaaaa"

POSTFIX = b"""\
Return-Path: <probe@contoso.com>
Delivered-To: kim@fabrikam.com
Received: from mx.fabrikam.com
\tby store.fabrikam.com with LMTP
\tid CBf4Hl6k9mkNXwEA4Q8aXA
\t(envelope-from <probe@contoso.com>)
\tfor <kim@fabrikam.com>; Mon, 23 Nov 2026 12:00:08 +0000
Authentication-Results: mx.fabrikam.com;
\tdkim=pass (2048-bit key; unprotected) header.d=contoso.com header.i=@contoso.com
\t header.a=rsa-sha256 header.s=s1 header.b=Qk1OP2aR;
\tdmarc=pass (policy=reject) header.from=contoso.com;
\tspf=pass (mx.fabrikam.com: domain of probe@contoso.com designates 192.0.2.25 as permitted
\t sender) smtp.mailfrom=probe@contoso.com smtp.helo=relay.contoso.com
Received: from relay.contoso.com (relay.contoso.com [192.0.2.25])
\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
\t key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)
\t(No client certificate requested)
\tby mx.fabrikam.com (Postfix) with ESMTPS id 4dFz1P0QJ8z2xQ5
\tfor <kim@fabrikam.com>; Mon, 23 Nov 2026 12:00:07 +0000 (UTC)
Received: from agent.contoso.com (agent.contoso.com [192.0.2.7])
\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
\t key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256)
\t(No client certificate requested)
\tby relay.contoso.com (Postfix) with ESMTPSA id 4dFz1N6Zk2z9sXY
\tfor <kim@fabrikam.com>; Mon, 23 Nov 2026 12:00:01 +0000 (UTC)
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=contoso.com; s=s1;
\th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;
\tb=Qk1OP2aR
Date: Mon, 23 Nov 2026 12:00:00 +0000
From: probe@contoso.com
To: kim@fabrikam.com
Subject: probe
Message-ID: <probe-7@contoso.com>

""".replace(b"\n", b"\r\n")

EXCHANGE = b"""\
Received: from DB9PR04MB9675.eurprd04.prod.outlook.com (2603:10a6:10:306::17)
 by AS8PR04MB8561.eurprd04.prod.outlook.com with HTTPS; Mon, 23 Nov 2026
 12:00:09 +0000
Received: from DUZPR01CA0015.eurprd01.prod.exchangelabs.com
 (2603:10a6:10:3c3::7) by DB9PR04MB9675.eurprd04.prod.outlook.com
 (2603:10a6:10:306::17) with Microsoft SMTP Server (version=TLS1_2,
 cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.9343.10; Mon, 23 Nov
 2026 12:00:08 +0000
Received: from DB1PEPF000509F7.eurprd02.prod.outlook.com
 (2603:10a6:10:3c3:cafe::5a) by DUZPR01CA0015.outlook.office365.com
 (2603:10a6:10:3c3::7) with Microsoft SMTP Server (version=TLS1_3,
 cipher=TLS_AES_256_GCM_SHA384) id 15.20.9343.10 via Frontend Transport; Mon,
 23 Nov 2026 12:00:08 +0000
Authentication-Results: spf=pass (sender IP is 192.0.2.25)
 smtp.mailfrom=contoso.com; dkim=pass (signature was verified)
 header.d=contoso.com;dmarc=pass action=none
 header.from=contoso.com;compauth=pass reason=100
Received-SPF: Pass (protection.outlook.com: domain of contoso.com designates
 192.0.2.25 as permitted sender) receiver=protection.outlook.com;
 client-ip=192.0.2.25; helo=relay.contoso.com; pr=C
Received: from relay.contoso.com (192.0.2.25) by
 DB1PEPF000509F7.mail.protection.outlook.com (10.167.242.153) with Microsoft
 SMTP Server (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 15.20.9343.9
 via Frontend Transport; Mon, 23 Nov 2026 12:00:07 +0000
Received: from agent.contoso.com (agent.contoso.com [192.0.2.7])
\tby relay.contoso.com (Postfix) with ESMTPSA id 4dFz1N6Zk2z9sXY
\tfor <kim@fabrikam.com>; Mon, 23 Nov 2026 12:00:01 +0000 (UTC)
Date: Mon, 23 Nov 2026 12:00:00 +0000
From: probe@contoso.com
To: kim@fabrikam.com
Subject: probe
Message-ID: <probe-7@contoso.com>
X-MS-Exchange-Organization-AuthAs: Anonymous
X-MS-Exchange-Organization-MessageDirectionality: Incoming
X-Forefront-Antispam-Report: CIP:192.0.2.25;CTRY:DE;LANG:en;SCL:1;SRV:;IPV:NLI;SFV:NSPM;
 H:relay.contoso.com;PTR:relay.contoso.com;CAT:NONE;SFS:(13230040);DIR:INB;
X-MS-Exchange-CrossTenant-Id: 84df9e7f-e9f6-40af-b435-aaaaaaaaaaaa
X-MS-Exchange-CrossTenant-OriginalAttributedTenantConnectingIp:
 TenantId=84df9e7f-e9f6-40af-b435-aaaaaaaaaaaa;Ip=[192.0.2.25];Helo=[relay.contoso.com]
X-MS-Exchange-CrossTenant-FromEntityHeader: Internet

""".replace(b"\n", b"\r\n")

OWNERS = Owners(us=Estate.read(["*.contoso.com", "*.fabrikam.com", "192.0.2.0/24"]))


def read(head: bytes, owners: Owners = OWNERS) -> Reading:
    """Read a head as the owner of both ends does."""
    return read_message(head, owners)


PLANNED = Entry(
    nonce="n7",
    route="contoso/out",
    sequence=7,
    within=60 * SECOND,
    lost_after=900 * SECOND,
    planned_at=SENT,
    home="imap kim",
    origin="imap probe",
    is_kept=True,
)
SENDING = ledger.sending(PLANNED, SENT)
ACCEPTED = ledger.accepted(SENDING, SENT + SECOND, "250 2.0.0 Ok: queued as 4dFz1N6Zk2z9sXY")


def arrive(
    seconds: float = 10, *, place: Place = Place.INBOX, folder: str = "inbox", nonce: str = "n7"
) -> Entry:
    """Return a message that was seen in the mailbox so long after it was sent."""
    duration = timedelta(seconds=seconds)
    return ledger.arrived(
        replace(ACCEPTED, nonce=nonce),
        SENT + duration,
        duration=duration,
        place=place,
        folder=folder,
        detail=f"in {folder}",
        witness=Witness.MAILBOX,
    )


def without(head: bytes, name: bytes) -> bytes:
    """Return a head without the fields of that name."""
    fields = head.replace(b"\r\n ", b"\0 ").replace(b"\r\n\t", b"\0\t").split(b"\r\n")
    kept = (field for field in fields if not field.lower().startswith(name.lower() + b":"))
    return b"\r\n".join(kept).replace(b"\0", b"\r\n")


def changed(head: bytes, old: bytes, new: bytes) -> bytes:
    """Return a head with *old*, which is in it, replaced."""
    assert old in head, old
    return head.replace(old, new)
