"""How a change of who is on duty reads on a terminal, and as JSON for programs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from tocsin.actions.configure import Line, Report
from tocsin.actions.whatif import comparison_object, share_object
from tocsin.core.coverage import Comparison, Coverage, Finding, Kind, Share, told
from tocsin.core.localtime import wall_clock
from tocsin.core.notation import utc_text
from tocsin.store.shifts import OnDuty

_MOST = 20
"""So many lines of one sort are shown."""


class FailOn(StrEnum):
    """What makes a plan fail: everything that was found, gaps alone, or only what is new."""

    GAPS = "gaps"
    WARNINGS = "warnings"
    NEW_GAPS = "new-gaps"
    NEW_WARNINGS = "new-warnings"


def reasons_to_fail(compared: Mapping[str, Comparison], fail_on: Iterable[FailOn]) -> list[str]:
    """One line for each team and each `fail_on` of which something was found there."""
    lines: list[str] = []
    for sort in fail_on:
        for team, found in compared.items():
            count = sum(_meant(sort, one, found) for one in found.findings)
            if count:
                lines.append(f"--fail-on {sort}: {count} in {team}")
    return lines


def _meant(sort: FailOn, one: Finding, found: Comparison) -> bool:
    if sort in {FailOn.NEW_GAPS, FailOn.NEW_WARNINGS} and one not in found.new:
        return False
    return one.kind is Kind.GAP or sort in {FailOn.WARNINGS, FailOn.NEW_WARNINGS}


def difference_lines(team: str, found: Comparison) -> Iterator[str]:
    """What becomes different in a team, times on its clock; nothing where nothing does.

    Time off is left to the warnings of the report, which name it already.
    """
    new, gone = (
        [one for one in sort if one.kind is not Kind.TIME_OFF]
        for sort in ((one for one in found.findings if one in found.new), found.gone)
    )
    if not (found.differences or new or gone):
        return
    plan = found.plan
    span = f"{_clock(plan.from_, plan.zone)} to {_clock(plan.to, plan.zone)}"
    yield f"duty of {team} from {span} ({plan.zone}):"
    rows = [
        f"  {_tier(one.tier)}, {_clock(one.from_, plan.zone)} to {_clock(one.to, plan.zone)}:"
        f" {_people(one.before)} -> {_people(one.after)}"
        for one in found.differences
    ]
    yield from _some(rows)
    for tier in dict.fromkeys(one.tier for one in found.differences):
        steps = ", ".join(plan.paged_by.get(tier, ())) or "no policy of the team"
        yield f"  {_tier(tier)} is paged by {steps}"
    if found.differences:
        yield from _coverage_lines(found)
        yield from _fairness_lines(found)
    yield from _some([f"  new: {told(one, plan.zone)}" for one in new])
    yield from _some([f"  no more: {told(one, plan.zone)}" for one in gone])


def as_object(report: Report) -> dict[str, object]:
    """The report of a plan for programs."""
    return {
        "at": utc_text(report.at),
        "changes": report.changes,
        "created": _lines(report.created),
        "changed": _lines(report.changed),
        "removed": _lines(report.removed),
        "adopted": _lines(report.adopted),
        "kept": _lines(report.kept),
        "warnings": list(report.warnings),
        "refused": [str(fault) for fault in report.refused],
        "duty": {"before": _duty(report.duty_before), "after": _duty(report.duty_after)},
        "teams": {team: comparison_object(one) for team, one in report.compared.items()},
    }


def _coverage_lines(found: Comparison) -> Iterator[str]:
    before: Mapping[str, Coverage] = {}
    if found.coverage_before is not None:
        before = found.coverage_before.tiers
    after = found.coverage_after.tiers
    for tier in sorted({*before, *after}):
        yield f"  coverage of {_tier(tier)}: {_part(before.get(tier))} -> {_part(after.get(tier))}"


def _fairness_lines(found: Comparison) -> Iterator[str]:
    before = {one.user: one for one in found.shares_before or ()}
    rows = [
        f"  {one.user}: {_share(before.get(one.user))} -> {_share(one)}"
        for one in found.shares_after
        if before.get(one.user) != one
    ]
    yield from _some(rows)


def _share(share: Share | None) -> str:
    if share is None:
        return "nothing"
    hours = share_object(share)["hours"]
    counted = (
        (share.nights, "night"),
        (share.weekends, "weekend"),
        (share.holidays, "holiday"),
    )
    words = (f"{count} {word}{'' if count == 1 else 's'}" for count, word in counted)
    return f"{hours:g} h, {', '.join(words)}"


def _part(one: Coverage | None) -> str:
    """In percent, cut off and not rounded: 100 % has no gap."""
    return "none" if one is None else f"{int(one.score * 10_000) / 100:g} %"


def _some(rows: Sequence[str]) -> Iterator[str]:
    yield from rows[:_MOST]
    if len(rows) > _MOST:
        yield f"  and {len(rows) - _MOST} more like these (--json has all)"


def _lines(lines: Iterable[Line]) -> list[dict[str, str]]:
    return [{"what": line.what, "note": line.note} for line in lines]


def _duty(duties: Iterable[OnDuty]) -> list[dict[str, object]]:
    return [
        {
            "team": one.team_name,
            "tier": one.tier,
            "user": one.user_name,
            "until": None if one.until is None else utc_text(one.until),
            "why": one.why,
        }
        for one in duties
    ]


def _clock(at: datetime, zone: str) -> str:
    return f"{wall_clock(at, zone):%Y-%m-%d %H:%M}"


def _people(names: Sequence[str]) -> str:
    return ", ".join(names) or "nobody"


def _tier(tier: str) -> str:
    return f"tier {tier}" if tier.isdigit() else tier
