"""What does a configuration look like, with every option that there is?

Renders the example configuration from the declarations: descriptions become comments, options that
the example does not use stand there with their defaults, commented out. The example describes the
world of the lab, so that ``mailflow-agent run --lab`` has something to show.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from agent.config.model import OFF, file_model
from agent.config.schema import as_written
from agent.config.strict_yaml import write
from agent.probes.base import Probe
from agent.settings import write_duration

PATH: Final = "config.example.yaml"
SCHEMA_PATH: Final = "docs/config.schema.json"
WIDTH: Final = 100
INTERVAL: Final = timedelta(seconds=10)  # short, so that a newcomer sees something move

_HEAD: Final = f"""\
# yaml-language-server: $schema={SCHEMA_PATH}
# Rendered from the program; do not edit in place, copy it: cp {PATH} config.yaml
# It describes the world of the lab (`mailflow-agent run --lab`), with faults in it.
# A line that begins with # and no space is an option with its default.
"""

_CREDENTIALS: Final = """\
credentials:
  mailer:
    kind: password
    username: probe@contoso.com
    password_file: /run/secrets/mailer    # or password: ${MAILER_PASSWORD}
  graph:
    kind: entra-client-credentials        # or certificate, workload-identity
    tenant_id: contoso.onmicrosoft.com
    client_id: 00000000-0000-0000-0000-000000000000
    client_secret_file: /run/secrets/graph
  sender:
    kind: client-certificate
    certificate_file: /etc/ssl/mail.pem
    private_key_file: /run/secrets/mail.key
  signer:
    kind: dkim-key
    domain: contoso.com
    selector: probe
    private_key_file: /run/secrets/dkim.key
"""

_REMARK: Final = "#"  # the key under which an example subject holds what is to be said of it

_DOMAINS: Final = (
    {
        _REMARK: "All well: mailboxes in Exchange Online, one relay in the data centre.",
        "name": "contoso.com",
        "senders": ["exchange-online", "192.31.196.25"],
        "not_senders": ["192.31.196.200"],
        "dkim_selectors": ["selector1", "selector2"],
    },
    {
        _REMARK: "All well, behind a third-party filter.",
        "name": "fabrikam.com",
        "topology": "third-party-filter",
        "exchanges": ["*.filter.example"],
        "checks": {
            "refusal": {
                "endpoint": "fabrikam-com.mail.protection.outlook.com",
                "recipient": "postmaster@fabrikam.com",
                "reject_direct_send": True,
                "interval": "10s",
            }
        },
    },
    {
        _REMARK: "All well: some mailboxes in Exchange Online, some at home.",
        "name": "litwareinc.com",
        "topology": "hybrid",
        "exchanges": ["*.mail.protection.outlook.com"],
        "senders": ["exchange-online", "192.31.196.40"],
    },
    {
        _REMARK: "All well: parked, neither sends nor receives.",
        "name": "fourthcoffee.com",
        "topology": "parked",
    },
    {_REMARK: "Broken: the SPF record takes too many lookups.", "name": "adatum.com"},
    {_REMARK: "Broken: a second SPF record stands beside the first.", "name": "wingtiptoys.com"},
    {_REMARK: "Broken: the MX names a host that is gone.", "name": "tailspintoys.com"},
    {
        _REMARK: "Broken: SPF lets the whole world send.",
        "name": "northwindtraders.com",
        "senders": ["exchange-online", "192.31.196.50"],
    },
)

_CONNECTORS: Final = (
    {
        "name": "to-datacentre",
        "smart_hosts": ["mail.contoso.com"],
        "tls_settings": "domain-validation",
        "tls_domain": "mail.contoso.com",
        "validation_recipients": ["postmaster@contoso.com"],
        "recipient_domains": ["contoso.com"],
        "helo": "contoso.com",
        "mail_from": "probe@contoso.com",
    },
    {
        _REMARK: "With `credential: sender` it would show the certificate of the sending server;"
        " in the lab the agent has its address.",
        "name": "from-datacentre",
        "direction": "inbound",
        "endpoint": "contoso-com.mail.protection.outlook.com",
        "sender_ip_addresses": ["192.31.196.25"],
        "recipient": "postmaster@contoso.com",
        "mail_from": "probe@contoso.com",
        "relays": True,
        "checks": {"inbound": {"at_sender": True, "interval": "10s"}},
    },
)

_ROUTES: Final = (
    {
        "name": "datacentre-to-mailbox",
        "send": {
            "smtp": {"host": "mail.contoso.com", "port": 25, "tls": "required"},
            "mail_from": "probe@contoso.com",
            "rcpt_to": "probe@monitor.contoso.com",
        },
        "receive": {"sink": {}},
        "returns": {"sink": {}},
        "expect": {"within": "30s", "lost_after": "2m"},
    },
    {
        _REMARK: "As the internet sends: to the filter that the MX names, and on to the mailbox.",
        "name": "internet-to-mailbox",
        "send": {
            "mx": {"tls": "required"},
            "mail_from": "visitor@contoso.com",
            "rcpt_to": "probe@fabrikam.com",
        },
        "receive": {"maildir": {"path": "state/lab-mailbox"}, "poll": "1s"},
        "returns": {"sink": {}},
        "expect": {
            "within": "15s",
            "lost_after": "1m",
            "spf": "pass",
            "dmarc": "pass",
            "tls": "every-hop",
            "through": ["*.filter.example"],
            "max_hops": 6,
            "attributed_to": "7f3c9d52-0a41-4c8e-9b1d-2f6e0c5a7b10",
        },
    },
)

_SECTIONS: Final[Mapping[str, Any]] = {
    "agent": {"vantage": "lab", "listen": "127.0.0.1:16245"},
    "resolvers": ["system"],
    "sink": {"hostname": "sink.monitor.contoso.com"},
    "budget": {
        "messages_per_route_per_minute": 12,
        "messages_per_minute": 24,
        "messages_per_day": 20_000,
    },
    "tenants": [
        {"name": "contoso", "domains": _DOMAINS, "connectors": _CONNECTORS, "routes": _ROUTES}
    ],
}


def render(probes: Iterable[Probe[Any, Any]]) -> str:
    """Return the example configuration for *probes*."""
    probes = tuple(probes)
    model = file_model(probes)
    given = {**_SECTIONS, "checks": {probe.kind: _short(probe) for probe in probes}}
    blocks = [_HEAD]
    for key, field in model.model_fields.items():
        if key == "credentials":
            text = _comment(field.description, 0) + textwrap.indent(_CREDENTIALS, "# ").splitlines()
        elif key == "resolvers":
            text = [*_comment(field.description, 0), f"resolvers: {_flow(given[key])}"]
        else:
            text = [*_comment(field.description, 0), *_option(key, field, given[key], 0)]
        blocks.append("\n".join(text) + "\n")
    return "\n".join(blocks)


def _short(probe: Probe[Any, Any]) -> dict[str, str]:
    """Return a short interval for the lab, or none where the probe does not take it."""
    try:
        probe.settings(interval=INTERVAL)
    except ValueError:
        return {"interval": as_written(probe.settings().interval)}
    return {"interval": write_duration(INTERVAL)}


def _option(key: str, field: Any, value: Any, depth: int) -> list[str]:
    """Write one option with its value, and what stands below it."""
    indent = "  " * depth
    if isinstance(value, Mapping):
        below = list(_mapping(_model(field.annotation), value, depth + 1))
        # Empty with all options commented out would be read as null.
        empty = all(line.lstrip().startswith("#") for line in below)
        return [f"{indent}{key}: {{}}"] if empty else [f"{indent}{key}:", *below]
    if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        lines = [f"{indent}{key}:"]
        for number, item in enumerate(value):
            lines += _item(_model(field.annotation), item, depth + 1, first=number == 0)
        return lines
    return [f"{indent}{key}: {_flow(value)}"]


def _item(model: Any, item: Mapping[str, Any], depth: int, *, first: bool) -> list[str]:
    """Write an item of a list of mappings; only the *first* one shows what else there is."""
    given = {key: value for key, value in item.items() if key != _REMARK}
    lines = list(_mapping(model, given, depth + 1, terse=not first))
    begin = next(n for n, line in enumerate(lines) if not line.lstrip().startswith("#"))
    body = lines[begin:]
    body[0] = "  " * depth + "- " + body[0].lstrip()
    return [*_comment(item.get(_REMARK), depth), *_outdented(lines[:begin], depth), *body]


def _outdented(comments: list[str], depth: int) -> list[str]:
    """Move comments that stand before the dash of an item to the dash."""
    return ["  " * depth + line.lstrip() for line in comments]


def _mapping(
    model: Any, given: Mapping[str, Any], depth: int, *, terse: bool = False
) -> Iterator[str]:
    """Write the options of *model*: those *given*, and unless *terse* the others commented out."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in given:
            if not terse:
                yield from _comment(field.description, depth)
            yield from _option(key, field, given[key], depth)
        elif not terse and not field.is_required():
            yield from _comment(field.description, depth)
            yield from _commented(key, field, depth)


def _commented(key: str, field: Any, depth: int) -> Iterator[str]:
    """Write an option that is not used: commented out, with its default."""
    default = field.get_default(call_default_factory=True)
    if key == "checks":
        yield f"{'  ' * depth}#checks: {{}}"
    elif hasattr(type(default), "model_fields"):
        below = {
            inner.alias or name: as_written(getattr(default, name))
            for name, inner in type(default).model_fields.items()
        }
        line = f"{'  ' * depth}#{key}: {_flow(below)}"
        if len(line) <= WIDTH:
            yield line
        else:
            yield f"{'  ' * depth}#{key}:"
            inner = "  " * (depth + 1)
            yield from (f"{inner}#{name}:{_default(each)}" for name, each in below.items())
    else:
        yield f"{'  ' * depth}#{key}:{_default(default)}"


def _default(value: Any) -> str:
    return "" if value is None else f" {_flow(as_written(value))}"


def _flow(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
    return OFF if value == OFF else write(value).removesuffix("...\n").strip()


def _model(annotation: Any) -> Any:
    """Return the model that an annotation is about: of a section, of an item, of a switch."""
    if hasattr(annotation, "model_fields"):
        return annotation
    return next(
        (found for inner in getattr(annotation, "__args__", ()) if (found := _model(inner))), None
    )


def _comment(text: str | None, depth: int) -> list[str]:
    """Write *text* as lines of comment."""
    if not text:
        return []
    indent = "  " * depth + "# "
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
