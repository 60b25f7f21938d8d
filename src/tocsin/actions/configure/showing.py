"""Configured objects as the API shows them, and the bodies that it takes."""

from collections.abc import Callable, Mapping
from typing import assert_never, cast

from tocsin.actions.configure.faults import ConfigureError, Fault
from tocsin.actions.configure.shape import SWAP, blocks_of, outward
from tocsin.actions.shown import instant
from tocsin.core import ids
from tocsin.core.notation import listing, mapping
from tocsin.store.configuration import Held, Key, Kind, override_name

RESOURCES: Mapping[str, Kind] = {
    "teams": Kind.TEAM,
    "users": Kind.USER,
    "contact-methods": Kind.METHOD,
    "notification-rules": Kind.RULE,
    "schedules": Kind.SCHEDULE,
    "overrides": Kind.OVERRIDE,
    "escalation-policies": Kind.POLICY,
    "integrations": Kind.INTEGRATION,
    "categories": Kind.CATEGORY,
    "connectors": Kind.CONNECTOR,
    "maintenance-windows": Kind.MAINTENANCE,
}
"""What the API calls each kind."""


def public_id(held: Held) -> str:
    """The id by which an object is known outside."""
    return ids.encode((held.team or 0) if held.key.kind.of_team else 0, held.id)


def shown(held: Held) -> dict[str, object]:
    """An object with its id, its name and the names of what it belongs to.

    `name` is always the name in the file; what people are shown is `display_name`. `from_file`
    says whether it belongs to a file, `changed_by` and `changed_at` who edited it here last. A
    tier is always text (`"1"`), however the file writes it.
    """
    body = _tiers(held.key.kind, mapping(outward(held.body)), str)
    if held.key.kind is Kind.SCHEDULE:
        body.setdefault("tier", "1")
    if "name" in body:
        body["display_name"] = body.pop("name")
    return {
        "id": public_id(held),
        "name": _name(held),
        **owners(held.key),
        **body,
        "from_file": held.file_body is not None,
        "changed_by": held.changed_by,
        "changed_at": instant(held.changed_at),
    }


def owners(key: Key) -> dict[str, object]:
    """What an object belongs to, as keys of its body in the API."""
    match key.kind:
        case Kind.METHOD:
            return {"user": key.owner}
        case Kind.RULE:
            return {"user": key.owner, "urgency": key.names[1], "position": int(key.names[2])}
        case Kind.OVERRIDE:
            return {"team": key.owner, "schedule": key.names[1]}
        case Kind.SCHEDULE | Kind.POLICY | Kind.CATEGORY | Kind.INTEGRATION | Kind.CONNECTOR:
            return {"team": key.owner}
        case Kind.USER | Kind.TEAM | Kind.MAINTENANCE | Kind.SETTING | Kind.STORED:
            return {}
        case _:
            assert_never(key.kind)


FIXED: Mapping[Kind, tuple[str, ...]] = {
    Kind.METHOD: ("user", "name"),
    Kind.RULE: ("user", "urgency", "position"),
    Kind.OVERRIDE: ("team", "schedule"),
    Kind.USER: ("name",),
    Kind.TEAM: ("name",),
    Kind.MAINTENANCE: ("name",),
}
"""The keys of a body that say which object is meant; they cannot be changed."""


def fixed(kind: Kind) -> tuple[str, ...]:
    """The keys of a body in the API that name the object and its owners."""
    return FIXED.get(kind, ("team", "name"))


def taken(kind: Kind, body: Mapping[str, object]) -> dict[str, object]:
    """A body of the API as the file would say it, without what names the object.

    Raises `ConfigureError` where objects of other kinds stand in it: they have calls of their own;
    and for the mark of a swap, which only operations set.
    """
    nested = sorted(blocks_of(kind) & body.keys())
    if nested:
        raise ConfigureError(
            Fault((key,), "these are objects of their own: send each by its own call")
            for key in nested
        )
    if kind is Kind.OVERRIDE and SWAP in body:
        raise ConfigureError([Fault((SWAP,), "it is a swap when both people agreed on it")])
    left = {key: value for key, value in body.items() if key not in fixed(kind)}
    left = _tiers(kind, left, _as_in_file)
    if "display_name" in left:
        left["name"] = left.pop("display_name")
    return left


def _tiers(
    kind: Kind, body: Mapping[str, object], word: Callable[[object], object]
) -> dict[str, object]:
    """The body with each tier of duty in it as `word` writes it."""
    made = dict(body)
    if kind is Kind.SCHEDULE and made.get("tier") is not None:
        made["tier"] = word(made["tier"])
    if kind is Kind.POLICY and isinstance(made.get("steps"), list):
        made["steps"] = [_step(step, word) for step in listing(made["steps"])]
    return made


def _step(step: object, word: Callable[[object], object]) -> object:
    targets = mapping(step).get("notify")
    if not isinstance(targets, list):
        return step
    written = [
        {**mapping(target), "duty": word(mapping(target)["duty"])}
        if mapping(target).get("duty") is not None
        else target
        for target in listing(cast("object", targets))
    ]
    return {**mapping(step), "notify": written}


def _as_in_file(tier: object) -> object:
    """`1`, not `"1"`: so that an edit which changes nothing is none."""
    return int(tier) if isinstance(tier, str) and tier in {"1", "2", "3"} else tier


def _name(held: Held) -> str:
    names = held.key.names
    if held.key.kind is Kind.RULE:
        return f"{names[1]}/{int(names[2]) + 1}"
    return override_name(held.body) if held.key.kind is Kind.OVERRIDE else names[-1]
