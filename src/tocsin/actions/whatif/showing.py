"""How plans and their comparison look to programs: the API, reports, `tocsin plan --json`."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from tocsin.core.coverage import Comparison, Coverage, Finding, Share, TeamCoverage, told
from tocsin.core.notation import utc_text

Object = dict[str, object]

_HOUR = timedelta(hours=1)


def comparison_object(found: Comparison) -> Object:
    """The object that previews and `tocsin plan --json` answer."""
    plan = found.plan
    before = found.coverage_before
    return {
        "time_zone": plan.zone,
        "differences": [
            {
                "tier": one.tier,
                "from": utc_text(one.from_),
                "to": utc_text(one.to),
                "before": list(one.before),
                "after": list(one.after),
                "paged_by": list(plan.paged_by.get(one.tier, ())),
            }
            for one in found.differences
        ],
        "coverage": {
            "before": None if before is None else coverage_object(before),
            "after": coverage_object(found.coverage_after),
        },
        "fairness": list(_fairness(found)),
        "findings": [
            _finding(one, plan.zone) | {"new": one in found.new} for one in found.findings
        ],
        "gone": [_finding(one, plan.zone) for one in found.gone],
    }


def coverage_object(found: TeamCoverage) -> Object:
    """How a team is covered: as a whole, in each tier, in each schedule."""
    return {
        "team": _coverage(found.team),
        "tiers": [{"tier": tier, **_coverage(one)} for tier, one in found.tiers.items()],
        "schedules": [
            {"schedule": place.schedule, "tier": place.tier, **_coverage(one)}
            for place, one in found.schedules.items()
        ],
    }


def share_object(share: Share) -> dict[str, float]:
    """What one person does, in hours and in how many."""
    return {
        "hours": _hours(share.on_duty),
        "night_hours": _hours(share.at_night),
        "weekend_hours": _hours(share.on_weekends),
        "holiday_hours": _hours(share.on_holidays),
        "shifts": share.shifts,
        "nights": share.nights,
        "weekends": share.weekends,
        "holidays": share.holidays,
    }


def _fairness(found: Comparison) -> Iterable[Object]:
    before: Mapping[str, Share] = {one.user: one for one in found.shares_before or ()}
    for share in found.shares_after:
        was = before.get(share.user)
        yield {
            "user": share.user,
            "before": None if was is None else share_object(was),
            "after": share_object(share),
        }


def _coverage(one: Coverage) -> Object:
    return {
        "score": one.score,
        "covered_hours": _hours(one.covered),
        "hours": _hours(one.asked),
        "gaps": [_span(begin, end) for begin, end in one.gaps],
    }


def _finding(one: Finding, zone: str) -> Object:
    return {
        "kind": one.kind.value,
        "user": one.user,
        "tier": one.tier,
        "schedules": list(one.schedules),
        **_span(one.from_, one.to),
        "text": told(one, zone),
    }


def _span(from_: datetime, to: datetime) -> Object:
    return {"from": utc_text(from_), "to": utc_text(to)}


def _hours(length: timedelta) -> float:
    """To a hundredth of an hour."""
    return round(length / _HOUR, 2)
