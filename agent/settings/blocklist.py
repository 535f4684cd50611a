"""Which blocklist does an operator mean, and on which terms is it asked?

Either a well-known one by its name, or any other by its zone. A customer's key is a secret.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, WithJsonSchema, model_validator
from pydantic.functional_validators import BeforeValidator

from agent.domain.blocklist import Asked, is_key
from agent.domain.knowledge.blocklists import BLOCKLISTS, KEYED_SUFFIXES, Blocklist
from agent.domain.names import DomainName
from agent.settings.fields import Settings
from agent.settings.secret import Secret, SecretError
from agent.settings.secret_fields import SecretFile, SecretVariable

_NAMES = tuple(BLOCKLISTS)


def _known(value: Any) -> str:
    if value not in _NAMES:
        message = f"is no list that is known here; known are {', '.join(_NAMES)}"
        raise ValueError(message)
    return str(value)


def _zone(value: Any) -> str:
    try:
        return DomainName.parse(value).ascii
    except (ValueError, AttributeError):
        message = "is not a domain name"  # and no more: a key may stand in it by mistake
    raise ValueError(message)


ListName = Annotated[
    str,
    BeforeValidator(_known),
    WithJsonSchema({"type": "string", "enum": list(_NAMES)}),
]

ZoneName = Annotated[str, BeforeValidator(_zone)]


class UnusableError(Exception):
    """The key of a list cannot be used; the message says why and never what."""


class BlocklistSettings(Settings):
    """A DNS blocklist to look into."""

    list: ListName | None = Field(
        default=None, description="Name of a well-known list; see docs/blocklists.md."
    )
    zone: ZoneName | None = Field(default=None, description="Zone of another list.")
    of: tuple[Literal["ipv4", "ipv6", "domain"], ...] = Field(
        default=(),
        description="What it has entries of; by default what is known of it, or `ipv4`.",
    )
    refuses: bool | None = Field(
        default=None,
        description="Whether receivers that matter to you refuse mail by it, which makes an entry"
        " critical; by default what is known of it, or false.",
    )
    key: SecretVariable | None = Field(
        default=None, description="`${VARIABLE}` that holds the key of a customer."
    )
    key_file: SecretFile | None = Field(
        default=None,
        description="File that holds the key of a customer; relative to this file.",
    )

    @property
    def known(self) -> Blocklist:
        """What is known of the list."""
        if self.list is not None:
            return BLOCKLISTS[self.list]
        zone = self.zone or ""
        return Blocklist(zone, zone, zone, ("ipv4",))

    def reveal(self) -> str:
        """Read the key, in lower case; empty where there is none. Raises UnusableError."""
        secret: Secret | None = self.key_file if self.key is None else self.key
        if secret is None:
            return ""
        try:
            key = secret.reveal().strip()
        except SecretError as error:
            message = f"its key {error}"
            raise UnusableError(message) from None
        if not is_key(key):
            message = "its key is no label of a domain name"
            raise UnusableError(message)
        return key.lower()

    def asked(self, key: str) -> Asked:
        """Return the list as it is asked with *key*, which may be empty."""
        known = self.known
        zone = known.keyed_zone if key and known.keyed_zone else known.zone
        refuses = known.refuses if self.refuses is None else self.refuses
        return Asked(known, zone, refuses, self.of or known.of, key)

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, data: Any) -> Any:
        if isinstance(data, str):
            # Anything else may be a zone with a key in it, and is not said again.
            wanted = f"{{list: {data}}}" if data in _NAMES else "{list: NAME} or {zone: ZONE}"
            message = f"is no mapping; write {wanted}"
            raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueError only
        return data

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        own = next((each.name for each in BLOCKLISTS.values() if each.zone == self.zone), "")
        lacking = [each for each in self.of if self.list and each not in self.known.of]
        wrong = {
            f"has the zone of a list that is known here; write list: {own}": bool(own),
            f"wants entries of {', '.join(lacking)}, and {self.list} has none: it has entries of"
            f" {', '.join(self.known.of)}": bool(lacking),
            "needs exactly one of list and zone": (self.list is None) is (self.zone is None),
            "needs only one of key_file and key": None not in (self.key, self.key_file),
            "has a zone for customers; write its list by name, and the key in key_file": (
                self.zone or ""
            ).endswith(KEYED_SUFFIXES),
        }
        if mistakes := [message for message, is_so in wrong.items() if is_so]:
            raise ValueError("; ".join(mistakes))
        has_key = self.key is not None or self.key_file is not None
        if has_key and self.list is not None and not self.known.keyed_zone:
            message = f"has a key, and none is known to be taken by {self.list}"
            raise ValueError(message)
        return self
