"""An event arrives."""

from tocsin.actions.intake.accepting import Accepted, Posted, accept
from tocsin.actions.intake.flushing import Intake, Overloaded, Unstored

__all__ = ["Accepted", "Intake", "Overloaded", "Posted", "Unstored", "accept"]
