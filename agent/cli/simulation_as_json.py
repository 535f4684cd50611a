"""How does what a planned change would do look to a program?"""

from typing import Any

from agent.cli.draw_priority import items_as_json
from agent.cli.draw_simulation import Simulation
from agent.cli.looking import Looked
from agent.domain.peer_text import PeerText
from agent.domain.simulation import Fate, Loss
from agent.exposition.as_json import finding_as_json


def as_json(found: Simulation) -> dict[str, Any]:
    """Return the answer as plain data."""
    difference = found.difference
    return {
        "domain": found.domain,
        "severity": found.severity.word,
        "notice": found.standard.notice,
        "is_handover": found.standard.is_handover,
        "topology": {
            "meant": found.meant,
            "held_against": found.standard.expected.topology,
            "if_meant": found.standard.way_out,
        },
        "doubts": list(found.doubts),
        "changes": [
            {
                "name": change.query.name,
                "type": change.query.type,
                "before": list(change.before),
                "after": list(change.after),
            }
            for change in found.changes
        ],
        "senders": [_sender(one) for one in found.fates],
        "more_addresses": found.more,
        "no_longer_pass": [_loss(one) for one in found.losses],
        "comes": [finding_as_json(one) for one in difference.comes],
        "goes": [finding_as_json(one) for one in difference.goes],
        "stays": [finding_as_json(one) for one in difference.stays],
        "differs": [
            {"before": finding_as_json(one.before), "after": finding_as_json(one.after)}
            for one in difference.altered
        ],
        "before": _state(found.before),
        "after": _state(found.after),
    }


def _sender(one: Fate) -> dict[str, Any]:
    sides = {"before": (one.before, one.was), "after": (one.after, one.becomes)}
    told = {
        side: {
            "spf": row.spf_aligned.chance.value,
            "dkim": row.dkim.chance.value,
            "dmarc": row.dmarc.value,
            "mail": fate,
        }
        for side, (row, fate) in sides.items()
    }
    return {"sender": one.sender, "is_lost": one.is_lost, **told}


def _loss(one: Loss) -> dict[str, Any]:
    dropped = one.dropped
    return {
        "term": PeerText(dropped.term),
        "is_whole": dropped.is_whole,
        "samples": [str(address) for address in dropped.addresses],
        "spf_before": dropped.was.value,
        "spf_after": dropped.becomes.value if dropped.becomes is not None else "unknown",
        "mail": one.becomes,
        "is_lost": one.is_lost,
    }


def _state(looked: Looked) -> dict[str, Any]:
    return {
        "severity": looked.severity.word,
        "looks_like": {"topology": looked.guess.topology, "title": looked.guess.title},
        "left_out": list(looked.left_out),
        "findings": items_as_json(looked.items),
    }
