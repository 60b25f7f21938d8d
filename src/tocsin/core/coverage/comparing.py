"""One plan held against another: who is on duty, how fair it is, what to watch out for."""

from dataclasses import dataclass

from tocsin.core.coverage.differing import Differing, difference
from tocsin.core.coverage.fairness import Share, shares
from tocsin.core.coverage.findings import DEFAULT, Finding, Limits, findings
from tocsin.core.coverage.model import TeamPlan
from tocsin.core.coverage.scores import TeamCoverage, team_coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a change of a team's schedules alters; without `before` all of it is new.

    `findings` are those of the plan after the change, `new` those that were not there before it,
    `gone` those that are there no more. Shares have the same people on both sides, by name.
    """

    plan: TeamPlan
    differences: tuple[Differing, ...]
    coverage_before: TeamCoverage | None
    coverage_after: TeamCoverage
    shares_before: tuple[Share, ...] | None
    shares_after: tuple[Share, ...]
    findings: tuple[Finding, ...]
    new: frozenset[Finding]
    gone: tuple[Finding, ...]


def compared(before: TeamPlan | None, after: TeamPlan, limits: Limits = DEFAULT) -> Comparison:
    """What becomes different from `before` to `after`, both over the same time."""
    stints = () if before is None else tuple(before.stints())
    planned = tuple(after.stints())
    people = {stint.user for stint in (*stints, *planned)}
    was = () if before is None else findings(before, limits)
    found = findings(after, limits)
    there, here = frozenset(was), frozenset(found)
    return Comparison(
        plan=after,
        differences=difference(stints, planned),
        coverage_before=None if before is None else _covered(before),
        coverage_after=_covered(after),
        shares_before=None if before is None else _shared(before, people),
        shares_after=_shared(after, people),
        findings=found,
        new=here - there,
        gone=tuple(one for one in was if one not in here),
    )


def _covered(plan: TeamPlan) -> TeamCoverage:
    return team_coverage(plan.stints(), plan.places, plan.from_, plan.to)


def _shared(plan: TeamPlan, people: set[str]) -> tuple[Share, ...]:
    return shares(plan.stints(), people, (plan.from_, plan.to), plan.zone, plan.holidays)
