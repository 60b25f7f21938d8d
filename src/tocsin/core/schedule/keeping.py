"""An edit that keeps who is on duty: what was planned holds to the end of the running shifts."""

from dataclasses import replace
from datetime import datetime

from tocsin.core.schedule.model import Kept, KeptShift, Schedule
from tocsin.core.schedule.results import told
from tocsin.core.schedule.timeline import on_duty, shifts


def keep_current(before: Schedule, now: datetime) -> Kept | None:
    """What of the schedule before the edit holds from `now` on; None where nobody is on duty.

    It holds until the last of the shifts that run at `now` ends, by what was planned then.
    """
    running = on_duty(before, now)
    if not running:
        return None
    until = max(shift.to for shift in running)
    planned = shifts(replace(before, overrides=()), now, until).shifts
    return Kept(now, until, tuple(KeptShift(s.user, s.from_, s.to, told(s.why)) for s in planned))
