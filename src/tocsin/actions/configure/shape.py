"""A configuration as one tree, or as the objects that it is made of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from tocsin.actions.configure.faults import Path
from tocsin.core.notation import listing, mapping
from tocsin.store.configuration import Key, Kind, override_name

_OF_TEAM: Mapping[str, Kind] = {
    "schedules": Kind.SCHEDULE,
    "escalation_policies": Kind.POLICY,
    "categories": Kind.CATEGORY,
    "integrations": Kind.INTEGRATION,
    "connectors": Kind.CONNECTOR,
}
SWAP = "swap"
_WATCHDOG = "watchdog"
_WINDOWS = "maintenance_windows"
_TOP = ("webhooks",)
_BLOCK_OF = {kind: block for block, kind in _OF_TEAM.items()}


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a tree: what it is called, what it says, where it stands."""

    key: Key
    body: Mapping[str, object]
    position: int
    path: Path


def split(tree: Mapping[str, object]) -> dict[Key, Item]:
    """The objects of a tree that has no faults, those that others stand on first."""
    found: list[Item] = []
    for name, user in _named(tree.get("users")):
        found += _user(name, user)
    for name, team in _named(tree.get("teams")):
        found += _team(name, team)
    settings = mapping(tree.get("settings"))
    if mapping(settings.get(_WATCHDOG)):
        key = Key(Kind.SETTING, (_WATCHDOG,))
        found.append(Item(key, mapping(settings[_WATCHDOG]), 0, ("settings", _WATCHDOG)))
    for name, body in _named(settings.get("channels")):
        key = Key(Kind.SETTING, ("channels", name))
        found.append(Item(key, body, 0, ("settings", "channels", name)))
    for name, body in _named(tree.get(_WINDOWS)):
        found.append(Item(Key(Kind.MAINTENANCE, (name,)), body, 0, (_WINDOWS, name)))
    for block in _TOP:
        for name, body in _named(tree.get(block)):
            found.append(Item(Key(Kind.STORED, (block, name)), body, 0, (block, name)))
    items = {item.key: item for item in found}
    return dict(sorted(items.items(), key=lambda pair: pair[0].order))


def join(
    objects: Iterable[tuple[Key, Mapping[str, object], int]],
) -> tuple[dict[str, object], dict[Key, Path]]:
    """The tree of these objects in the configuration file's format, and where each stands in it.

    An object whose owner is missing is left out. Secrets become references.
    """
    tree: dict[str, object] = {"version": 1}
    paths: dict[Key, Path] = {}
    ordered = sorted(objects, key=lambda entry: (_depth(entry[0]), entry[2], _rank(entry[0])))
    for key, body, _ in ordered:
        path = _place(key, tree)
        if path is None:
            continue
        value = dict(mapping(outward(body)))
        if key.kind is Kind.OVERRIDE:
            value.pop(SWAP, None)  # a mark of operations, not a word of the file
        paths[key] = _put(tree, path, value)
    return tree, paths


def outward(value: object) -> object:
    """A body without what is only known inside: the hashes beside stored secrets."""
    if isinstance(value, dict):
        inner = cast("dict[str, object]", value)
        hidden = {"hash"} if set(inner) == {"stored", "hash"} else frozenset[str]()
        return {key: outward(item) for key, item in inner.items() if key not in hidden}
    if isinstance(value, list):
        return [outward(item) for item in cast("list[object]", value)]
    return value


def blocks_of(kind: Kind) -> frozenset[str]:
    """The keys of a block in the file under which objects of other kinds stand."""
    match kind:
        case Kind.USER:
            return frozenset(_USER_BLOCKS)
        case Kind.TEAM:
            return frozenset(_OF_TEAM)
        case Kind.SCHEDULE:
            return frozenset(("overrides",))
        case _:
            return frozenset()


def _user(name: str, user: Mapping[str, object]) -> Iterable[Item]:
    path: Path = ("users", name)
    yield Item(Key(Kind.USER, (name,)), _without(user, *_USER_BLOCKS), 0, path)
    for method, body in _named(user.get("contact_methods")):
        key = Key(Kind.METHOD, (name, method))
        yield Item(key, body, 0, (*path, "contact_methods", method))
    for urgency, rules in mapping(user.get("notification_rules")).items():
        for number, rule in enumerate(listing(rules)):
            key = Key(Kind.RULE, (name, urgency, str(number)))
            place = (*path, "notification_rules", urgency, number)
            yield Item(key, mapping(rule), number, place)


_USER_BLOCKS = ("contact_methods", "notification_rules")


def _team(name: str, team: Mapping[str, object]) -> Iterable[Item]:
    path: Path = ("teams", name)
    yield Item(Key(Kind.TEAM, (name,)), _without(team, *_OF_TEAM), 0, path)
    for block, kind in _OF_TEAM.items():
        for position, (other, body) in enumerate(_named(team.get(block))):
            place = (*path, block, other)
            own = _without(body, "overrides") if kind is Kind.SCHEDULE else body
            yield Item(Key(kind, (name, other)), own, position, place)
            if kind is Kind.SCHEDULE:
                yield from _overrides((name, other), listing(body.get("overrides")), place)


def _overrides(schedule: tuple[str, str], found: Iterable[object], path: Path) -> Iterable[Item]:
    counts: dict[str, int] = {}
    for number, override in enumerate(found):
        name = override_name(mapping(override))
        counts[name] = count = counts.get(name, 0) + 1
        unique = name if count == 1 else f"{name} #{count}"
        key = Key(Kind.OVERRIDE, (*schedule, unique))
        yield Item(key, mapping(override), number, (*path, "overrides", number))


def _place(key: Key, tree: Mapping[str, object]) -> Path | None:
    """Where an object goes; None where what it stands on is not in the tree."""
    match key.kind:
        case Kind.USER:
            return ("users", key.owner)
        case Kind.TEAM:
            return ("teams", key.owner)
        case Kind.METHOD:
            path: Path = ("users", key.owner, "contact_methods", key.names[1])
        case Kind.RULE:
            path = ("users", key.owner, "notification_rules", key.names[1], -1)
        case Kind.OVERRIDE:
            path = ("teams", key.owner, "schedules", key.names[1], "overrides", -1)
        case Kind.MAINTENANCE:
            return (_WINDOWS, key.owner)
        case Kind.SETTING:
            return ("settings", *key.names)
        case Kind.STORED:
            return key.names
        case _:
            path = ("teams", key.owner, _BLOCK_OF[key.kind], key.names[1])
    parent = path[:4] if key.kind is Kind.OVERRIDE else path[:2]
    return path if _has(tree, parent) else None


def _has(tree: Mapping[str, object], path: Path) -> bool:
    value: object = tree
    for part in path:
        if part not in mapping(value):
            return False
        value = mapping(value)[str(part)]
    return True


def _put(tree: dict[str, object], path: Path, value: dict[str, object]) -> Path:
    """Put a value into the tree; -1 at the end of the path appends it to a list."""
    block = tree
    for part in path[: -2 if path[-1] == -1 else -1]:
        block = cast("dict[str, object]", block.setdefault(str(part), {}))
    if path[-1] == -1:
        items = cast("list[object]", block.setdefault(str(path[-2]), []))
        items.append(value)
        return (*path[:-1], len(items) - 1)
    block[str(path[-1])] = value
    return path


def _depth(key: Key) -> int:
    return {Kind.USER: 0, Kind.TEAM: 0, Kind.OVERRIDE: 2}.get(key.kind, 1)


def _rank(key: Key) -> tuple[int, tuple[str, ...]]:
    """Lists keep the order in which they come."""
    return key.order if key.kind is not Kind.OVERRIDE else (key.order[0], ())


def _named(value: object) -> list[tuple[str, Mapping[str, object]]]:
    return [(name, mapping(body)) for name, body in mapping(value).items()]


def _without(body: Mapping[str, object], *keys: str) -> dict[str, object]:
    return {key: value for key, value in body.items() if key not in keys}
