"""The schedule cases of other engines, read as our schedules."""

import json
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any  # JSON of unknown depth; each function takes out what it names
from zoneinfo import ZoneInfo

from tocsin.core.schedule import (
    Combine,
    DailyWindow,
    Day,
    FixedShift,
    Override,
    Restriction,
    Rotation,
    Schedule,
    Temporary,
    Unit,
    WeeklyWindow,
)

FOLDER = Path(__file__).parents[3] / "shared" / "oracles" / "schedules"

OURS = {
    "gap": "gap_end",
    "fold": "first",
    "window_close_fold": "first",
    "hour_unit": "wall",
    "month_end": "clamp_from_anchor",
    "turn_index": "nominal",
    "before_handoff": "grid",
}
NOT_OURS = {"time_interval_parse": "the spelling of another product's configuration"}


@dataclass(frozen=True, slots=True)
class Case:
    """One case as it stands in its file; `body` has what its kind needs."""

    id: str
    kind: str
    body: dict[str, Any]

    @property
    def expected(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.body["expected"]
        return answer

    @property
    def not_applicable(self) -> str | None:
        """Why this case says nothing about the semantics declared here, or None."""
        if self.kind in NOT_OURS:
            return NOT_OURS[self.kind]
        for name in self.body["sensitive_to"]:
            if name != "turns" and self.body["convention"][name] != OURS[name]:
                return f"another convention for `{name}`"
        return None


def cases() -> list[Case]:
    """Every case of every file, in the order of the files' names."""
    found: list[Case] = []
    for file in sorted(FOLDER.glob("*.json")):
        content: dict[str, Any] = json.loads(file.read_text("utf-8"))
        assert content["format"] == "schedule-oracle/1", f"{file.name} has a format unknown here"
        found += [Case(body["id"], body["kind"], body) for body in content["cases"]]
    return found


def moment(text: str) -> datetime:
    """An instant in UTC when the text ends in Z, else wall time."""
    return datetime.fromisoformat(text)


def schedule(data: dict[str, Any]) -> Schedule:
    """The data's layers as rotations; where the first layer wins, it comes last with us."""
    rotations: list[Rotation] = []
    for number, layer in enumerate(data["layers"]):
        zone: str = layer.get("zone", data["zone"])
        if "shifts" in layer:
            rotations += [_single(shift, f"layer {number}") for shift in layer["shifts"]]
        else:
            rotations.append(_rotation(layer, f"layer {number}", zone))
    everybody = data["combine"] == "all"
    return Schedule(
        name="oracle",
        tier="1",
        time_zone=data["zone"],
        rotations=tuple(rotations if everybody else reversed(rotations)),
        overrides=_overrides(data),
        combine=Combine.EVERYBODY if everybody else Combine.LAST_WINS,
        temporary=temporary(data.get("temporary", [])),
    )


def temporary(data: list[dict[str, Any]]) -> tuple[Temporary, ...]:
    """The data's temporary schedules."""
    return tuple(
        Temporary(moment(entry["from"]), moment(entry["to"]), tuple(map(_fixed, entry["shifts"])))
        for entry in data
    )


def _fixed(shift: dict[str, Any]) -> FixedShift:
    return FixedShift(shift["user"], moment(shift["from"]), moment(shift["to"]))


def rotation_alone(data: dict[str, Any]) -> Schedule:
    """A schedule that only tells hand-offs: one rotation without beginning."""
    layer = {"participants": ["A", "B"], "start": None, "windows": [], "rotation": data["rotation"]}
    rotation = _rotation(layer, "hand-offs", data["zone"])
    return Schedule("oracle", "1", data["zone"], (rotation,))


def _rotation(layer: dict[str, Any], name: str, zone: str) -> Rotation:
    people: list[str] = layer["participants"]
    turning: dict[str, Any] | None = layer["rotation"]
    start = moment(layer["start"]) if layer["start"] is not None else None
    restrictions = tuple(_restriction(window) for window in layer["windows"])
    if turning is None:  # the first participant always: one turn longer than the calendar
        return Rotation(
            name=name,
            participants=((people[0],),),
            start=start or moment("1990-01-01"),
            unit=Unit.YEAR,
            every=9_999,
            time_zone=zone,
            restrictions=restrictions,
        )
    unit, every = Unit(turning["unit"]), int(turning["every"])
    handoff = moment(turning["handoff"])
    if "rotation_zone" in layer:
        handoff = _in_zone(handoff, layer["rotation_zone"], zone)
    if start is None:  # the rotation runs both ways: begin whole rounds before the hand-off
        start = _earlier(handoff, unit, every * max(len(people), 1) * 300)
    return Rotation(
        name=name,
        participants=tuple((person,) for person in people),
        start=start,
        unit=unit,
        every=every,
        handoff=handoff,
        time_zone=zone,
        restrictions=restrictions,
        skip_closed_periods=turning.get("turns") == "covered_periods",
    )


def _earlier(wall: datetime, unit: Unit, periods: int) -> datetime:
    """That many periods before, or a multiple of them; `periods` is a multiple of twelve."""
    match unit:
        case Unit.HOUR | Unit.DAY:
            return wall - timedelta(days=periods)
        case Unit.WEEK:
            return wall - timedelta(weeks=periods)
        case Unit.MONTH | Unit.YEAR:
            return wall.replace(year=wall.year - periods // 12)


def _in_zone(wall: datetime, spoken_in: str, zone: str) -> datetime:
    """The same hand-off in the layer's zone; right while neither zone changes its offset."""
    return wall.replace(tzinfo=ZoneInfo(spoken_in)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _single(shift: dict[str, Any], name: str) -> Rotation:
    """A fixed shift: one person's turn with a beginning and an end."""
    return Rotation(
        name=name,
        participants=((shift["user"],),),
        start=moment(shift["from"]).replace(tzinfo=None),
        unit=Unit.YEAR,
        every=9_999,
        active_until=moment(shift["to"]),
        time_zone="UTC",
    )


def _restriction(window: dict[str, Any]) -> Restriction:
    if "days" in window:
        days = tuple(Day(day) for day in window["days"])
        return DailyWindow(days, _clock(window["from"]), _clock(window["to"]))
    from_day, to_day = Day(window["from_day"]), Day(window["to_day"])
    if window["to"] == "24:00":
        to_day = list(Day)[(to_day.number + 1) % 7]
    return WeeklyWindow(from_day, _clock(window["from"]), to_day, _clock(window["to"]))


def _clock(text: str) -> time:
    return time() if text == "24:00" else time.fromisoformat(text)


def _overrides(data: dict[str, Any]) -> tuple[Override, ...]:
    """Those meant for this schedule; those that name it come before those for all."""
    here = [entry for entry in data.get("overrides", []) if _scope(entry) in (None, _scope(data))]
    here.sort(key=lambda entry: _scope(entry) is None)
    return tuple(
        Override(
            from_=moment(entry["from"]),
            to=moment(entry["to"]),
            user=entry["add"],
            replaces=entry["remove"],
            extra=entry["remove"] is None,
        )
        for entry in here
    )


def _scope(data: dict[str, Any]) -> str | None:
    scope: str | None = data.get("scope")
    return scope
