"""Whom a policy means at one moment, and what else paging needs to know of a team."""

from tocsin.store.paging.ahead import Spell, spells
from tocsin.store.paging.context import TeamContext
from tocsin.store.paging.lookup import team_context, team_contexts
from tocsin.store.paging.planning import (
    asks_who_is_next,
    escalation_plan,
    goes_round,
    knows,
    next_on_duty,
    targets,
    turns_taken,
)

__all__ = [
    "Spell",
    "TeamContext",
    "asks_who_is_next",
    "escalation_plan",
    "goes_round",
    "knows",
    "next_on_duty",
    "spells",
    "targets",
    "team_context",
    "team_contexts",
    "turns_taken",
]
