"""What schedules are worth: how much they cover, how fair they are, what a change alters."""

from tocsin.core.coverage.comparing import Comparison, compared
from tocsin.core.coverage.differing import Differing, difference
from tocsin.core.coverage.fairness import COUNTS_FROM, NIGHT_FROM, NIGHT_TO, Share, shares
from tocsin.core.coverage.findings import Finding, Kind, Limits, findings
from tocsin.core.coverage.model import Place, Stint, TeamPlan, team_plan, timeline_of
from tocsin.core.coverage.scores import Coverage, TeamCoverage, scored, team_coverage
from tocsin.core.coverage.wording import told

__all__ = [
    "COUNTS_FROM",
    "NIGHT_FROM",
    "NIGHT_TO",
    "Comparison",
    "Coverage",
    "Differing",
    "Finding",
    "Kind",
    "Limits",
    "Place",
    "Share",
    "Stint",
    "TeamCoverage",
    "TeamPlan",
    "compared",
    "difference",
    "findings",
    "scored",
    "shares",
    "team_coverage",
    "team_plan",
    "timeline_of",
    "told",
]
