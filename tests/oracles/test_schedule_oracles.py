"""Cases of other engines against ours, as far as they speak of the declared semantics."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any  # expected answers as they stand in the JSON

import pytest

from tests.oracles.intervals import ACTIVE, active
from tests.oracles.schedule_data import (
    FOLDER,
    Case,
    cases,
    moment,
    rotation_alone,
    schedule,
    temporary,
)
from tocsin.core.localtime import resolve
from tocsin.core.schedule import (
    ByRotation,
    Rotation,
    Schedule,
    Shift,
    Temporary,
    Timeline,
    Unit,
    on_duty,
    shifts,
)

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no oracle data at {FOLDER}")

Span = tuple[datetime, datetime, str | None]
Spans = list[Span]
_FAR = timedelta(days=40)


def test_every_case_that_applies_to_our_conventions_passes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    everything = cases()
    left_out = Counter(reason for case in everything if (reason := case.not_applicable))
    wrong = [line for case in everything if not case.not_applicable for line in _faults(case)]
    with capsys.disabled():
        applied = len(everything) - left_out.total()
        print(f"\nschedule oracle: {applied} of {len(everything)} cases apply")  # noqa: T201  (the count is the point)
        for reason, count in left_out.most_common():
            print(f"  {count:4} not applicable: {reason}")  # noqa: T201  (the count is the point)
    assert not wrong, "\n".join(wrong)
    assert applied == 987


def _faults(case: Case) -> list[str]:
    got, want = _answer(case)
    return [] if got == want else [f"{case.id}: {got} instead of {want}"]


def _answer(case: Case) -> tuple[Any, Any]:
    """What we say and what the case expects, in the same form."""
    expected = case.expected
    match case.kind:
        case "wall_time":
            return resolve(moment(case.body["wall"]), case.body["zone"]), moment(expected["utc"])
        case "handoffs":
            return _handoffs(case), [moment(text) for text in expected["handoffs"]]
        case "handoffs_at":
            turning = rotation_alone(case.body["schedule"])
            return _ends(expected, lambda at: [_span(s) for s in on_duty(turning, at)])
        case "current_or_next_shift":
            plan = schedule(case.body["schedule"])
            return _ends(expected, lambda at: _per_person(shifts(plan, at - _FAR, at + _FAR)))
        case "schedule" if "probes" in expected:
            return _probes(case)
        case "schedule":
            return _schedule(case)
        case "time_interval":
            named = {ACTIVE: case.body["intervals"]}
            want = [[ACTIVE] if probe["active"] else [] for probe in expected["probes"]]
            return _intervals(case, named), want
        case "named_time_intervals":
            want = [sorted(probe["active"]) for probe in expected["probes"]]
            return _intervals(case, case.body["named"]), want
        case "temporary_edit":
            return _edited(case)
        case _:
            raise AssertionError(f"{case.id} is of a kind unknown here: {case.kind}")


def _handoffs(case: Case) -> list[datetime]:
    """Hand-offs from the last one at or before the window to the first one after it."""
    low, high = moment(case.body["window"]["from"]), moment(case.body["window"]["to"])
    around = shifts(rotation_alone(case.body["schedule"]), low - _FAR, high + _FAR).shifts
    handoffs = [shift.from_ for shift in around[1:]]  # the first one is clipped
    first = max(at for at in handoffs if at <= low)
    last = min(at for at in handoffs if at > high)
    return [at for at in handoffs if first <= at <= last]


def _ends(expected: dict[str, Any], spans_at: Callable[[datetime], Spans]) -> tuple[Any, Any]:
    """For each probe the ends that the case names, of the shift at that instant or the next."""
    got: list[tuple[datetime, ...]] = []
    want: list[tuple[datetime, ...]] = []
    for probe in expected["at"]:
        at = moment(probe["at"])
        from_, to, _ = next(span for span in spans_at(at) if span[1] > at)
        ends = {"shift_from": from_, "shift_to": to}
        got.append(tuple(ends[name] for name in ends if name in probe))
        want.append(tuple(moment(probe[name]) for name in ends if name in probe))
    return got, want


def _probes(case: Case) -> tuple[Any, Any]:
    plan = schedule(case.body["schedule"])
    probes: list[dict[str, Any]] = case.expected["probes"]
    got = [[shift.user for shift in on_duty(plan, moment(probe["at"]))] for probe in probes]
    return got, [[] if probe["user"] is None else [probe["user"]] for probe in probes]


def _schedule(case: Case) -> tuple[Any, Any]:
    low, high = moment(case.body["window"]["from"]), moment(case.body["window"]["to"])
    timeline = shifts(schedule(case.body["schedule"]), low, high)
    tiled = "segments" in case.expected
    want = case.expected["segments" if tiled else "shifts"]
    got = _tiles(timeline) if tiled else _per_person(timeline)
    spans = [(moment(span["from"]), moment(span["to"]), span["user"]) for span in want]
    return sorted(got, key=str), sorted(spans, key=str)  # the order of equal beginnings is free


def _intervals(case: Case, named: dict[str, Any]) -> list[list[str]]:
    """The names of the intervals that are active at each probe."""
    plans = {name: active(intervals) for name, intervals in named.items()}
    return [
        sorted(name for name, plan in plans.items() if on_duty(plan, moment(probe["at"])))
        for probe in case.expected["probes"]
    ]


def _edited(case: Case) -> tuple[Any, Any]:
    """Who is on duty by the list as it was, as far as the edit leaves it; and by the edited one.

    We have no such edits: a list is written anew. What remains is that both mean the same.
    """
    low, high = moment("1999-12-01T00:00:00Z"), moment("2000-02-01T00:00:00Z")
    at = [moment(text) for text in case.body["operation"]["at"]]
    match case.body["operation"]["op"]:
        case "trim_start":
            gone = [(low, at[0])]
        case "trim_end":
            gone = [(at[0], high)]
        case "delete_range":
            gone = [(at[0], at[1])]
        case _:
            gone = []
    edges = [low, *(edge for span in gone for edge in span), high]
    left = zip(edges[::2], edges[1::2], strict=True)
    before = temporary(case.body["input"])
    got = [Shift(USUAL, begin, end, _WHY) for begin, end in gone]
    got += [shift for span in left for shift in _beside_usual(before, *span).shifts]
    want = _beside_usual(temporary(case.expected["temporary"]), low, high)
    return _per_person(Timeline(tuple(got), ())), _per_person(want)


def _beside_usual(list_: tuple[Temporary, ...], from_: datetime, to: datetime) -> Timeline:
    rotation = Rotation(USUAL, ((USUAL,),), moment("1990-01-01"), Unit.YEAR, 9_999)
    return shifts(Schedule("oracle", "1", "UTC", (rotation,), temporary=list_), from_, to)


USUAL = "whoever is on duty otherwise"
_WHY = ByRotation(USUAL, 0)


def _tiles(timeline: Timeline) -> Spans:
    """Shifts and gaps in one row; those that touch and have the same person are one."""
    spans = [_span(shift) for shift in timeline.shifts]
    spans += [(gap.from_, gap.to, None) for gap in timeline.gaps]
    return _merged(sorted(spans, key=itemgetter(0)))


def _per_person(timeline: Timeline) -> Spans:
    """Each person's unbroken duty, whatever the reasons."""
    spans: Spans = []
    for user in {shift.user for shift in timeline.shifts}:
        own = sorted(_span(shift) for shift in timeline.shifts if shift.user == user)
        spans += _merged([span for span in own if span[0] < span[1]])
    return sorted(spans, key=itemgetter(0, 1))


def _merged(spans: Spans) -> Spans:
    merged: Spans = []
    for from_, to, user in spans:
        if merged and merged[-1][1:] == (from_, user):
            merged[-1] = (merged[-1][0], to, user)
        else:
            merged.append((from_, to, user))
    return merged


def _span(shift: Shift) -> Span:
    return shift.from_, shift.to, shift.user
