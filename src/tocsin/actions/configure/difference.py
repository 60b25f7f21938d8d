"""What has to change so that the stored configuration says what a file says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tocsin.actions.configure.faults import Fault
from tocsin.actions.configure.shape import Item
from tocsin.store.configuration import Held, Key, Kind


class Act(StrEnum):
    """What is done to one object. An adopted one stays as it is and belongs to the file."""

    CREATE = "create"
    CHANGE = "change"
    ADOPT = "adopt"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Change:
    """One object that is written: as it is held, and as it is wanted."""

    act: Act
    key: Key
    held: Held | None
    wanted: Item | None
    note: str = ""


@dataclass(slots=True)
class Difference:
    """Changes in the order in which they can be made, and what stands in their way."""

    changes: list[Change] = field(default_factory=list[Change])
    kept: list[Held] = field(default_factory=list[Held])
    conflicts: list[Fault] = field(default_factory=list[Fault])


def difference(
    items: Mapping[Key, Item], held: Mapping[Key, Held], *, removes: bool, overwrite: bool
) -> Difference:
    """Compare a file's objects with what is held.

    `removes`: the file may remove what an earlier one made. `overwrite`: edits made here since
    are put back instead of standing in the way.
    """
    result = Difference()
    matched: set[Key] = set()
    for item in items.values():
        former = held.get(item.key) or _moved(item, held, matched)
        if former is not None:
            matched.add(former.key)
        _compare(item, former, result, overwrite=overwrite)
    for former in reversed(list(held.values())):
        if former.key in matched:
            continue
        if former.file_body is None:
            if not former.key.kind.is_operation:
                result.kept.append(former)
        elif removes:
            if former.edited and not overwrite:
                what = f"{changed_here(former)}, and no longer in the file: give --overwrite"
                result.conflicts.append(Fault((str(former.key),), what))
            result.changes.append(Change(Act.REMOVE, former.key, former, None))
    result.kept.reverse()
    return result


def changed_here(held: Held) -> str:
    """`changed here by ada at 2026-11-02 09:00 UTC`."""
    at = held.changed_at.strftime("%Y-%m-%d %H:%M UTC") if held.changed_at else "some time"
    return f"changed here by {held.changed_by or 'somebody'} at {at}"


def _compare(item: Item, former: Held | None, result: Difference, *, overwrite: bool) -> None:
    key = item.key
    if former is None:
        result.changes.append(Change(Act.CREATE, key, None, item))
        return
    if item.body == former.body:
        shifted = former.position != item.position and _ordered(key)
        if former.file_body != item.body or shifted:
            moved = former.file_body == item.body
            act, note = (Act.CHANGE, "order") if moved else (Act.ADOPT, "")
            result.changes.append(Change(act, key, former, item, note))
        return
    note = _differing(former.body, item.body)
    if former.file_body is None:
        note = f"{note}; made here, it belongs to the file from now on"
    elif former.edited:
        note = f"{note}; {changed_here(former)}"
        if not overwrite:
            what = f"{changed_here(former)}: give --overwrite to put it back, or take it over"
            result.conflicts.append(Fault(item.path, what))
    result.changes.append(Change(Act.CHANGE, key, former, item, note))


def _moved(item: Item, held: Mapping[Key, Held], matched: set[Key]) -> Held | None:
    """An override has no name: one that was edited here into what the file says is the same."""
    if item.key.kind is not Kind.OVERRIDE:
        return None
    for former in held.values():
        same = former.key.kind is Kind.OVERRIDE and former.key.names[:2] == item.key.names[:2]
        if same and former.edited and former.body == item.body and former.key not in matched:
            return former
    return None


def _ordered(key: Key) -> bool:
    return key.kind in {Kind.SCHEDULE, Kind.CATEGORY, Kind.OVERRIDE}


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> str:
    keys = sorted(key for key in {**before, **after} if before.get(key) != after.get(key))
    return ", ".join(keys)
