"""Alert rules and Alertmanager's configuration, with all times shortened, as tests need them.

One transformation each, and nothing else is changed: the expressions, labels, matchers and texts
are those that are shipped.

* A rule file: each ``for`` and ``keep_firing_for``, each range (``[15m]``), each ``offset`` and
  each age in seconds (``time() - X > 60``) is divided by RULES_SPEED, to no less than a second, six
  for a range, so that ``rate`` has two samples, and eight for an age, since what is scraped is
  seconds old; what is absent must be so for twelve.
  Factors and multiples of a check's interval stay: the agent exports it, and that of a test's
  configuration is short. Days until a certificate ends stay, too.
* Alertmanager's: ``group_wait``, ``group_interval`` and ``repeat_interval`` are divided by
  NOTICES_SPEED, and the receivers' addresses become the test's.
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml

RULES_SPEED = 20
NOTICES_SPEED = 120
_KNOWS_NONE = 12  # seconds: for some seven Prometheus knows of no target when it starts
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_RANGE = re.compile(r"\[(\d+[smhd])\]")
_OFFSET = re.compile(r"\boffset (\d+[smhd])\b")
_AGE = re.compile(r"(time\(\)(?:[^<>=]|=~|!=|=\")*?[<>] )(\d+)(?![\d.]* \*)\b")


def seconds(duration: str) -> float:
    """Return the seconds of a duration of Prometheus with one unit."""
    match = re.fullmatch(r"(\d+)(ms|s|m|h|d)", duration)
    assert match, duration
    return int(match[1]) * _SECONDS[match[2]]


def shorter(duration: str, speed: int, least: float = 1) -> str:
    """Return a duration divided by *speed*, but not less than so many seconds."""
    return f"{max(least, round(seconds(duration) / speed)):g}s"


def rules(text: str) -> str:
    """Return a rule file with its times shortened."""
    content = yaml.safe_load(text)
    for group in content["groups"]:
        group.pop("interval", None)
        for rule in group["rules"]:
            for key in rule.keys() & {"for", "keep_firing_for"}:
                is_early = key == "for" and "absent(" in rule["expr"]
                least = _KNOWS_NONE if is_early else 1
                rule[key] = shorter(rule[key], RULES_SPEED, least)
            rule["expr"] = _expression(rule["expr"])
    return yaml.safe_dump(content, sort_keys=False, width=1000)


def _expression(text: str) -> str:
    text = _RANGE.sub(lambda match: f"[{shorter(match[1], RULES_SPEED, least=6)}]", text)
    text = _OFFSET.sub(lambda match: f"offset {shorter(match[1], RULES_SPEED)}", text)
    return _AGE.sub(lambda match: f"{match[1]}{max(8, round(int(match[2]) / RULES_SPEED))}", text)


def alertmanager(text: str, receivers: Mapping[str, str]) -> str:
    """Return a configuration of Alertmanager with its times shortened, for other *receivers*.

    Those are addresses, by the name of the receiver.
    """
    content = yaml.safe_load(text)
    for receiver in content["receivers"]:
        for hook in receiver.get("webhook_configs", ()):
            hook["url"] = receivers[receiver["name"]]
    _shorten(content["route"])
    return yaml.safe_dump(content, sort_keys=False)


def _shorten(route: dict[str, Any]) -> None:
    for name in ("group_wait", "group_interval", "repeat_interval"):
        if name in route:
            least = 0 if seconds(route[name]) == 0 else 1
            route[name] = shorter(route[name], NOTICES_SPEED, least)
    for below in route.get("routes", ()):
        _shorten(below)
