"""Claims on work that another process takes over when they run out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.ports import Clock

PAGE_LEASE = timedelta(seconds=30)
"""Pages held by a worker that died go out again after this long."""

SYNC_LEASE = timedelta(seconds=120)
"""Reading or writing a source, page by page; a holder that is still alive renews."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as its holder sees it: measured by the database, counted down by our clock."""

    number: int
    until: datetime
    clock: Clock

    def remaining(self) -> timedelta:
        """Time left before somebody else may claim the work."""
        return self.until - self.clock.now()


def held(number: int, database_now: datetime, lease_until: datetime, clock: Clock) -> Held:
    """The lease that a claim just made, with the database's clock translated to ours."""
    return Held(number, clock.now() + (lease_until - database_now), clock)
