"""Which TLS does Exchange Online speak as a client? Data that Microsoft may change.

From Microsoft's technical reference on encryption, "TLS cipher suites supported by Office 365";
names are OpenSSL's. The suites of TLS 1.3 are all accepted.
"""

EXCHANGE_VERSIONS = ("TLSv1.2", "TLSv1.3")
EXCHANGE_CIPHERS = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-SHA384",
    "ECDHE-RSA-AES128-SHA256",
)
