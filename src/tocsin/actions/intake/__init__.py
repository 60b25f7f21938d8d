"""An event arrives."""

from tocsin.actions.intake.accepting import Accepted, accept
from tocsin.actions.intake.direct import take_in
from tocsin.actions.intake.flushing import Intake, Overloaded, Unstored
from tocsin.actions.intake.posted import Posted
from tocsin.actions.intake.seeding import Seed, seed_of

__all__ = [
    "Accepted",
    "Intake",
    "Overloaded",
    "Posted",
    "Seed",
    "Unstored",
    "accept",
    "seed_of",
    "take_in",
]
