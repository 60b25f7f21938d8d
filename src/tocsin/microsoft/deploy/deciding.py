"""What is wanted held against what is there: make it, change it, keep it or leave it alone."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, cast

from tocsin.microsoft.deploy.model import Kind, Known, Wanted
from tocsin.microsoft.fields import Record, items, plain, record, records, strings, text

_ACCESS = "requiredResourceAccess"


class Verb(StrEnum):
    """What becomes of an object."""

    CREATE = "create"
    CHANGE = "change"
    KEEP = "keep"
    USE = "use"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`note` says why, where it is not plain. `found` is what is there."""

    verb: Verb
    wanted: Wanted
    note: str = ""
    found: Record | None = None


def decide(wanted: Wanted, mark: str, found: Record | None) -> Step:
    """What somebody else made is used where it fits, and never changed."""
    if found is None:
        return Step(verb=Verb.CREATE, wanted=wanted)
    if wanted.kind is Kind.GRANT:
        return Step(verb=Verb.KEEP, wanted=wanted, found=found)
    own = is_own(wanted, mark, found)
    if wanted.kind is Kind.APPLICATION and not own:
        note = "an application of this name was made by somebody else: choose another --name"
        return Step(verb=Verb.REFUSE, wanted=wanted, note=note, found=found)
    fault = difference(_without(wanted.body, () if own else wanted.mark), found)
    if not fault:
        verb = Verb.KEEP if own else Verb.USE
        note = "" if own else "somebody else made it: it is used, and stays when all is removed"
    elif own:
        verb, note = Verb.CHANGE, fault
    else:
        verb = Verb.REFUSE
        note = f"somebody else made it and it does not fit ({fault}): choose another name"
    return Step(verb=verb, wanted=wanted, note=note, found=found)


def is_own(wanted: Wanted, mark: str, found: Record) -> bool:
    """Whether this deployment made what was found."""
    value = at(found, wanted.mark)
    texts = [plain(item) for item in items(value)] or [plain(value)]
    return bool(wanted.mark) and any(text == mark or text.endswith(f", {mark}") for text in texts)


def difference(ours: object, theirs: object, name: str = "") -> str:
    """The first place where `theirs` lacks what `ours` says; what it has besides does not count.

    Azure gives names back in other cases, so texts are compared without it.
    """
    if isinstance(ours, dict):
        held = {key.casefold(): value for key, value in record(theirs).items()}
        for key, value in record(cast("object", ours)).items():
            where = f"{name}.{key}" if name else key
            if fault := difference(value, held.get(key.casefold()), where):
                return fault
        return ""
    if isinstance(ours, list):
        there = items(theirs)
        missing = any(
            all(difference(wish, item) for item in there) for wish in items(cast("object", ours))
        )
        return f"{name} differs" if missing else ""
    if isinstance(ours, str):
        same = isinstance(theirs, str) and ours.casefold() == theirs.casefold()
    else:
        same = ours == theirs
    return "" if same else f"{name or 'a value'} differs"


def learned(known: Known, wanted: Wanted, found: Record) -> Known:
    """The ids that an object carries, beside what is known."""
    new: dict[str, Any] = {name: plain(at(found, way)) for name, way in wanted.learns.items()}
    return replace(known, **new)


def merged(ours: Record, theirs: Record) -> dict[str, object]:
    """A registration as it is wanted, with the tags and permissions that it has besides."""
    tags = dict.fromkeys((*strings(ours.get("tags")), *strings(theirs.get("tags"))))
    access: dict[str, list[object]] = {}
    for entry in (*records(ours.get(_ACCESS)), *records(theirs.get(_ACCESS))):
        held = access.setdefault(text(entry, "resourceAppId"), [])
        held += [role for role in items(entry.get("resourceAccess")) if role not in held]
    joined = [{"resourceAppId": app, "resourceAccess": roles} for app, roles in access.items()]
    return {**ours, "tags": list(tags), _ACCESS: joined}


def at(found: Record, way: tuple[str, ...]) -> object:
    """What stands at the end of the way, or None."""
    value: object = found
    for name in way:
        value = record(value).get(name)
    return value


def _without(body: Record, way: tuple[str, ...]) -> Record:
    if not way:
        return body
    first, *rest = way
    kept = {key: value for key, value in body.items() if key != first}
    return {**kept, first: _without(record(body.get(first)), tuple(rest))} if rest else kept
