"""The current configuration as the text of a file."""

import re
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from tocsin.actions.configure.shape import join
from tocsin.actions.world import World
from tocsin.store.configuration import Held, Holdings, load

_ORDER = (
    "version", "users", "teams", "settings", "maintenance_windows", "webhooks", "name", "email",
    "time_zone", "role", "entra", "active", "tier", "members", "channel", "address", "source",
    "mode", "unit", "inlet", "secret", "user", "replaces", "extra", "contact_methods",
    "notification_rules", "schedules", "combine", "rotations", "overrides", "holidays",
    "time_off", "escalation_policies", "categories", "integrations", "connectors", "routing",
    "participants", "start", "every", "handoff", "restrictions", "days", "from_day", "from",
    "to_day", "to", "repeat", "acknowledge_timeout", "steps", "notify", "wait", "if_nobody",
    "after", "via", "repeat_every",
)  # fmt: skip
_PLACES = {key: place for place, key in enumerate(_ORDER)}
_NAMES = {
    "users", "teams", "contact_methods", "schedules", "escalation_policies", "categories",
    "integrations", "connectors", "channels", "maintenance_windows", "webhooks",
}  # fmt: skip
_WORD = r"[A-Za-z0-9_./@+-]"
_PLAIN = re.compile(rf"[A-Za-z/]{_WORD}*(?: {_WORD}+)*|(?:[0-9]+(?:ms|s|m|h|d|w))+")
_NO_TEXT = re.compile(r"(?:null|true|false|yes|no|on|off|y|n)", re.IGNORECASE)
_WIDTH = 96
_HEAD = "# Written by tocsin export. Secrets are references; {stored: NAME} keeps what is stored.\n"


async def export(world: World) -> str:
    """YAML that apply reads back without a change."""
    async with world.database.transaction() as connection:
        return text_of(tree_of(await load(connection)))


def tree_of(holdings: Holdings) -> dict[str, object]:
    """The configuration in the file's format; what was made by hand is no part of it."""
    tree, _ = join(
        (held.key, held.body, held.position)
        for held in holdings.objects.values()
        if not by_hand(held)
    )
    return tree


def by_hand(held: Held) -> bool:
    """Whether it is an operation, not configuration: an override or window made by UI or API."""
    return held.key.kind.is_operation and held.file_body is None


def text_of(tree: Mapping[str, object]) -> str:
    """A tree of plain values as YAML that any reader, of YAML 1.1 too, reads the same way."""
    return _HEAD + "\n".join(_block(tree, "", free=False)) + "\n"


def _block(tree: Mapping[str, object], indent: str, *, free: bool) -> list[str]:
    """The lines of a mapping; one whose keys are names keeps their order."""
    lines: list[str] = []
    pairs = tree.items() if free else sorted(tree.items(), key=lambda pair: _rank(pair[0]))
    for key, value in pairs:
        head = f"{indent}{_text(key)}:"
        flow = _flow(value)
        if _fits(value, key, head, flow):
            lines.append(f"{head} {flow}")
            continue
        lines.append(head)
        if isinstance(value, dict):
            inner = cast("dict[str, object]", value)
            lines += _block(inner, indent + "  ", free=key in _NAMES and not free)
        else:
            lines += _items(cast("list[object]", value), indent + "  ")
    return lines


def _items(values: Sequence[object], indent: str) -> list[str]:
    lines: list[str] = []
    for value in values:
        flow = _flow(value)
        if isinstance(value, dict) and value and len(flow) > _WIDTH - len(indent):
            inner = _block(cast("dict[str, object]", value), indent + "  ", free=False)
            inner[0] = f"{indent}- {inner[0].lstrip()}"
            lines += inner
        else:
            lines.append(f"{indent}- {flow}")
    return lines


def _fits(value: object, key: str, head: str, flow: str) -> bool:
    """Whether a value stands beside its key; a mapping or list where it is read better so."""
    if not isinstance(value, dict | list) or not value:
        return True
    if len(head) + len(flow) > _WIDTH:
        return False
    if isinstance(value, list):
        return not any(isinstance(item, dict) for item in cast("list[object]", value))
    if key == "notification_rules":
        return False
    inner = cast("dict[str, object]", value)
    nested = any(isinstance(item, dict) for item in inner.values())
    return key not in _NAMES and not nested and len(inner) <= 6


def _flow(value: object) -> str:
    if isinstance(value, dict):
        pairs = sorted(cast("dict[str, object]", value).items(), key=lambda pair: _rank(pair[0]))
        return "{" + ", ".join(f"{_text(key)}: {_flow(item)}" for key, item in pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in cast("list[object]", value)) + "]"
    if isinstance(value, str):
        return _text(value)
    return msgspec.json.encode(value).decode()  # numbers, true, false, null are JSON's in YAML too


def _text(text: str) -> str:
    """Plain where nothing but text can be meant, else in quotes."""
    if _PLAIN.fullmatch(text) and not _NO_TEXT.fullmatch(text):
        return text
    quoted = msgspec.json.encode(text).decode()
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)


def _rank(key: str) -> tuple[int, str]:
    return _PLACES.get(key, len(_PLACES)), key
