"""Heads of messages, as they look in a mailbox."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.domain.header_fields import Field, Fields, read_head

HEADERS = Path(__file__).parents[3] / "shared/data/headers/headers.jsonl"

# From a tenant's partner through its filter to a mailbox; the addresses are those of examples.
FILTERED = b"""\
Received: from AM9PR07MB7123.eurprd07.prod.outlook.com (2603:10a6:20b:2c9::12)
 by DB8PR07MB6290.eurprd07.prod.outlook.com with HTTPS; Tue, 3 Nov 2026 10:15:09 +0000
Received: from DU2PR04CA0012.eurprd04.prod.outlook.com (2603:10a6:10:3b::17) by
 AM9PR07MB7123.eurprd07.prod.outlook.com (2603:10a6:20b:2c9::12) with Microsoft
 SMTP Server (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 15.20.9115.11;
 Tue, 3 Nov 2026 10:15:08 +0000
Received: from DB5EUR02FT041.eop-EUR02.prod.protection.outlook.com
 (2603:10a6:10:3b:cafe::8b) by DU2PR04CA0012.outlook.office365.com
 (2603:10a6:10:3b::17) with Microsoft SMTP Server (version=TLS1_3,
 cipher=TLS_AES_256_GCM_SHA384) id 15.20.9115.11 via Frontend Transport; Tue,
 3 Nov 2026 10:15:10 +0000
Authentication-Results: spf=pass (sender IP is 205.220.168.10)
 smtp.mailfrom=fabrikam.com; dkim=pass (signature was verified)
 header.d=fabrikam.com;dmarc=pass action=none
 header.from=fabrikam.com;compauth=pass reason=100
Received-SPF: Pass (protection.outlook.com: domain of fabrikam.com designates
 205.220.168.10 as permitted sender) receiver=protection.outlook.com;
 client-ip=205.220.168.10; helo=mx0a-001.pphosted.com; pr=C
Received: from mx0a-001.pphosted.com (205.220.168.10) by
 DB5EUR02FT041.mail.protection.outlook.com (10.13.59.13) with Microsoft SMTP
 Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id
 15.20.9115.11 via Frontend Transport; Tue, 3 Nov 2026 10:15:07 +0000
Received: from pps.filterd (m0001.ppops.net [127.0.0.1])
 by mx0a-001.pphosted.com (8.18.1.2/8.18.1.2) with ESMTP id 5A3A1b2c012345
 for <kim@contoso.com>; Tue, 3 Nov 2026 10:15:05 GMT
Received: from mail.fabrikam.com (mail.fabrikam.com [192.0.2.25])
 by mx0a-001.pphosted.com (PPS) with ESMTPS id 4abcde1234-1
 (version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NOT)
 for <kim@contoso.com>; Tue, 03 Nov 2026 10:14:20 +0000 (GMT)
Received: from client.fabrikam.com (unknown [198.51.100.7])
 by mail.fabrikam.com (Postfix) with ESMTPA id 4VzRlY2BnYz22WHV
 for <kim@contoso.com>; Tue,  3 Nov 2026 11:14:18 +0100 (CET)
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=fabrikam.com; s=s1;
 h=from:to:subject:date; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;
 b=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
Date: Tue, 3 Nov 2026 11:14:17 +0100
From: Toni <toni@fabrikam.com>
To: kim@contoso.com
Subject: The offer
Message-ID: <20261103101417.4711@fabrikam.com>
X-MS-Exchange-Organization-Network-Message-Id: 3c423d85-ab3e-47f2-b612-08d5c0856466
X-EOPAttributedMessage: 0
X-EOPTenantAttributedMessage: 84df9e7f-e9f6-40af-b435-aaaaaaaaaaaa:0
X-MS-Exchange-Organization-MessageDirectionality: Incoming
X-MS-Exchange-Organization-AuthSource: DB5EUR02FT041.eop-EUR02.prod.protection.outlook.com
X-MS-Exchange-Organization-AuthAs: Anonymous
X-MS-Office365-Filtering-Correlation-Id: 3c423d85-ab3e-47f2-b612-08d5c0856466
X-MS-Exchange-Organization-SCL: 1
X-Microsoft-Antispam: BCL:0;ARA:13230040|8096899003;
X-Forefront-Antispam-Report: CIP:205.220.168.10;CTRY:US;LANG:en;SCL:1;SRV:;IPV:NLI;SFV:NSPM;
 H:mx0a-001.pphosted.com;PTR:mx0a-001.pphosted.com;CAT:NONE;SFS:(13230040);DIR:INB;
X-MS-Exchange-CrossTenant-OriginalArrivalTime: 03 Nov 2026 10:15:07.0330 (UTC)
X-MS-Exchange-CrossTenant-Id: 84df9e7f-e9f6-40af-b435-aaaaaaaaaaaa
X-MS-Exchange-CrossTenant-FromEntityHeader: Internet
X-MS-Exchange-Transport-EndToEndLatency: 00:00:01.9502816
X-Microsoft-Antispam-Mailbox-Delivery: ucf:0;jmr:0;auth:0;dest:I;ENG:(910001);

The body.
""".replace(b"\n", b"\r\n")


@dataclass(frozen=True, slots=True)
class Sample:
    """A field out of a real message, and the file it is from."""

    file: str
    name: str
    value: str


def samples() -> Iterator[Sample]:
    """Yield the real fields of the collection, as our own reader reads them."""
    for line in HEADERS.read_text().splitlines():
        entry = json.loads(line)
        for field in read_head(entry["raw"].encode()):
            yield Sample(entry["file"], field.name, field.value)


def fields(*pairs: tuple[str, str]) -> Fields:
    """Return a header with these fields, the newest first."""
    return Fields(Field(name.lower(), value) for name, value in pairs)
