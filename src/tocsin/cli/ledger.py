"""Holds the ledger against what should have been sent, and names every broken promise."""

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from tocsin.actions.verify import Found
from tocsin.actions.verify import verify as verified
from tocsin.actions.world import World
from tocsin.cli.running import fail, tell, with_world
from tocsin.core.localtime import instant
from tocsin.core.notation import duration, moment
from tocsin.core.verifying import Grade

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

_USUAL = timedelta(days=7)
_TOLD_EVERY = 1000
"""Alerts between two lines of progress."""


@app.callback()
def group() -> None:
    """The ledger of what was sent."""


@app.command()
def verify(
    since: Annotated[
        str | None,
        typer.Option(
            help="Alerts changed since then: 2026-11-24T03:00Z (UTC where no offset is given), or"
            " for how long: 12h. Default 7d. Open alerts are always looked at."
        ),
    ] = None,
) -> None:
    """Recompute what should have been sent; exit 1 when a promise was broken."""

    async def work(world: World) -> int:
        begin = _since(since, world.clock.now())
        alerts = notifications = unjudged = 0
        grades: list[Grade] = []
        async for batch in verified(world, begin):
            for found in batch.found:
                print(line(found))
                grades.append(found.broken.grade)
            if alerts // _TOLD_EVERY != (alerts + batch.alerts) // _TOLD_EVERY:
                tell(f"{alerts + batch.alerts} alerts looked at")
            alerts += batch.alerts
            notifications += batch.notifications
            unjudged += batch.unjudged
        if unjudged:
            print(f"{unjudged} not judged: the clock was set back while they were open")
        broken, late = grades.count(Grade.BROKEN), grades.count(Grade.LATE)
        print(
            f"{alerts} alerts with {notifications} notifications since {begin:%Y-%m-%d %H:%M} UTC:"
            f" {broken or 'no'} broken {'promise' if broken == 1 else 'promises'}, {late} kept late"
        )
        return 1 if broken else 0

    with_world(work)


def line(found: Found) -> str:
    """One finding as people read it, its time in the team's zone."""
    one = found.broken
    due = one.due.astimezone(ZoneInfo(found.time_zone))
    mark = "late: " if one.grade is Grade.LATE else ""
    return (
        f"{mark}{found.team} #{found.number}: {one.what},"
        f" due {due:%a %Y-%m-%d %H:%M:%S %Z}, {one.how}"
    )


def _since(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now - _USUAL
    try:
        return now - duration(text)
    except ValueError:
        pass
    try:
        return instant(moment(text), "UTC")
    except ValueError as fault:
        fail(f"--since: {fault}, nor a duration such as 12h")
