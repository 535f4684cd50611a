# ruff: noqa: INP001 - a script of one file
"""Who gets the alerts? Writes each notice of Alertmanager's webhook as a few lines.

usage: receiver.py PORT
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGEST = 1 << 20  # octets of a notice


class Receiver(BaseHTTPRequestHandler):
    """Takes what Alertmanager posts, at any path."""

    timeout = 10.0  # seconds, for whoever says nothing

    def do_POST(self) -> None:
        """Write the alerts of one notice."""
        try:
            size = int(self.headers.get("Content-Length", ""))
            notice = json.loads(self.rfile.read(min(size, LARGEST)))
            lines = [told(alert) for alert in notice["alerts"]]
        except (ValueError, KeyError, TypeError, AttributeError):
            self.send_error(400)
            return
        heading = f"{self.path.strip('/') or 'notice'}: {notice.get('status', '')}"
        sys.stdout.write("\n".join((printable(heading), *lines, "")))
        sys.stdout.flush()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing of requests: the notices are the log."""


def told(alert: dict[str, Any]) -> str:
    """Return one alert as lines."""
    labels, annotations = alert["labels"], alert["annotations"]
    about = "/".join(labels[key] for key in ("tenant", "subject", "probe") if key in labels)
    keys = ("summary", "description", "page_url", "runbook_url", "dashboard_url")
    said = [annotations[key] for key in keys if annotations.get(key)]
    since = f", since {alert['startsAt']}" if alert.get("startsAt") else ""
    first = f"  {alert['status']} {labels.get('severity', '')} {labels['alertname']} {about}{since}"
    return "\n".join(map(printable, (first, *(f"    {text}" for text in said))))


def printable(text: str) -> str:
    """Return *text* without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(sys.argv[1])), Receiver).serve_forever()
