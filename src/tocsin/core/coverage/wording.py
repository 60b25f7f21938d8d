"""Findings in words, with times on the clock of the team."""

from datetime import datetime, timedelta
from typing import assert_never

from tocsin.core.coverage.findings import Finding, Kind
from tocsin.core.localtime import wall_clock
from tocsin.core.notation import duration_text


def told(finding: Finding, zone: str) -> str:
    """One sentence, without a full stop."""
    when = f"from {_clock(finding.from_, zone)} to {_clock(finding.to, zone)}"
    where = " and ".join(finding.schedules)
    match finding.kind:
        case Kind.GAP:
            return f"nobody is on duty in {_tier(finding.tier)} {when}"
        case Kind.EMPTY_SHIFT:
            return f"{where} has an empty shift {when} ({finding.why})"
        case Kind.SHORT_REST:
            rest = duration_text(finding.length or timedelta())
            return f"{finding.user} has {rest} of rest between two shifts {when}"
        case Kind.NIGHTS_IN_A_ROW:
            return f"{finding.user} has {finding.nights} nights in a row {when}"
        case Kind.CLOCK_CHANGE:
            change = finding.length or timedelta()
            than = "longer" if change > timedelta() else "shorter"
            by = duration_text(abs(change))
            return f"the shift of {finding.user} in {where} {when} is {by} {than}: clocks change"
        case Kind.TWO_PLACES:
            return f"{finding.user} is on duty in {where} at once {when}"
        case Kind.TIME_OFF:
            return f"{finding.user} has time off and is on duty in {where} {when}"
        case _:
            assert_never(finding.kind)


def _clock(at: datetime, zone: str) -> str:
    return f"{wall_clock(at, zone):%Y-%m-%d %H:%M}"


def _tier(tier: str | None) -> str:
    return f"tier {tier}" if tier != "manager" else "tier manager"
