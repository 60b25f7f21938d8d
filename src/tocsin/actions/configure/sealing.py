"""Secrets of a configuration: entered, kept, copied; in bodies only their names stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tocsin.actions.configure.faults import Fault, Path
from tocsin.actions.configure.shape import Item
from tocsin.core.notation import mapping, optional_text
from tocsin.keys import Keys
from tocsin.store.configuration import Held, Key, Kind

_PLACES: Mapping[Kind, str] = {Kind.INTEGRATION: "secret", Kind.CONNECTOR: "credential"}
_TARGET = ("source", "tenant_id", "client_id", "cloud")
"""What a connector's stored secret is sent to."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A secret that was given just now."""

    text: str


@dataclass(frozen=True, slots=True)
class Copied:
    """The secret that is stored with another object."""

    held: Held


@dataclass(slots=True)
class Sealing:
    """What is to be sealed with which object, and what was wrong."""

    items: dict[Key, Item] = field(default_factory=dict[Key, Item])
    secrets: dict[Key, Entered | Copied] = field(default_factory=dict[Key, Entered | Copied])
    faults: list[Fault] = field(default_factory=list[Fault])


def sealed(items: Mapping[Key, Item], held: Mapping[Key, Held], keys: Keys) -> Sealing:
    """The items with hashes in the place of secrets."""
    result = Sealing()
    for key, item in items.items():
        match key.kind:
            case Kind.INTEGRATION | Kind.CONNECTOR:
                body = _with_hash(item, held, keys, result)
            case Kind.METHOD if "stored" in mapping(item.body.get("signing_key")):
                body = {name: value for name, value in item.body.items() if name != "signing_key"}
            case _:
                body = item.body
        result.items[key] = replace(item, body=body)
    return result


def stored_names(held: Mapping[Key, Held]) -> frozenset[str]:
    """The names by which `{stored: NAME}` can refer to what is kept here."""
    return frozenset(
        "/".join(key.names)
        for key, one in held.items()
        if (place := _PLACES.get(key.kind)) is not None and "hash" in mapping(one.body.get(place))
    ) | frozenset("/".join(key.names) for key, one in held.items() if signs_itself(key, one.body))


def signs_itself(key: Key, body: Mapping[str, object]) -> bool:
    """Whether a contact method has a signing key that is kept here."""
    return (
        key.kind is Kind.METHOD
        and body.get("channel") == "webhook"
        and not mapping(body.get("signing_key"))
    )


def duplicates(
    objects: Mapping[Key, Mapping[str, object]], paths: Mapping[Key, Path]
) -> list[Fault]:
    """Integrations that share a secret: a sender's address leads to one of them only."""
    first: dict[object, Key] = {}
    faults: list[Fault] = []
    for key, body in objects.items():
        hashed = mapping(body.get("secret")).get("hash")
        if key.kind is not Kind.INTEGRATION or hashed is None:
            continue
        other = first.setdefault(hashed, key)
        if other != key:
            what = f"integration {'/'.join(other.names)} has the same secret; take another"
            faults.append(Fault((*paths.get(key, key.names), "secret"), what))
    return faults


def target(body: Mapping[str, object]) -> tuple[object, ...]:
    """Where a connector's secret is sent to."""
    return tuple(body.get(key) for key in _TARGET)


def _with_hash(
    item: Item, held: Mapping[Key, Held], keys: Keys, result: Sealing
) -> Mapping[str, object]:
    place = _PLACES[item.key.kind]
    given = item.body.get(place)
    own = "/".join(item.key.names)
    text = given if isinstance(given, str) else optional_text(mapping(given).get("secret"))
    if text is not None:
        digest = keys.hash(text).hex()
        former = held.get(item.key)
        if former is None or mapping(former.body.get(place)).get("hash") != digest:
            result.secrets[item.key] = Entered(text)
        return {**item.body, place: {"stored": own, "hash": digest}}
    name = mapping(given).get("stored")
    if name is None:
        return item.body
    source = _named(str(name), item.key, held)
    if source is None:
        return item.body  # found fault with by the check of references
    if source.key != item.key:
        result.secrets[item.key] = Copied(source)
    if item.key.kind is Kind.CONNECTOR and target(source.body) != target(item.body):
        what = (
            "the stored secret belongs to another tenant or cloud: enter it again, {secret: TEXT}"
        )
        result.faults.append(Fault((*item.path, place), what))
    kept = mapping(source.body.get(place)).get("hash")
    return {**item.body, place: {"stored": own, "hash": kept}}


def _named(name: str, key: Key, held: Mapping[Key, Held]) -> Held | None:
    """Whose secret `{stored: NAME}` means at this object."""
    team, slash, other = name.partition("/")
    found = held.get(Key(key.kind, (team, other) if slash else (key.owner, team)))
    if found is None or "hash" not in mapping(found.body.get(_PLACES[key.kind])):
        return None
    return found
