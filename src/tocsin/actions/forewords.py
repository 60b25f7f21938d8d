"""What schedulers are told about times that are still to come."""

from datetime import datetime

from tocsin.core.dutywords import Said, moment, notice, span
from tocsin.core.uncovered import Hole
from tocsin.store.forewarning import Told
from tocsin.store.reachable import Coming


def gap(hole: Hole, team: str, seen_until: datetime) -> Said:
    """Nobody is on duty; a gap that reaches as far as anybody looked has no known end."""
    why = "somebody was taken off and nobody steps in" if hole.emptied else "nobody is planned"

    def line(zone: str) -> str:
        if hole.to >= seen_until:
            when = f"from {moment(hole.from_, zone)} on ({zone})"
        else:
            when = f"{span(hole.from_, hole.to, zone)} ({zone})"
        return f"Nobody is on duty in {team} ({_line(hole.tier)}) {when}: {why}."

    return notice(line)


def mended(one: Told, team: str) -> Said:
    """The gap is none any more."""
    return notice(
        lambda zone: (
            f"The gap in {team} ({_line(one.subject)}) from {moment(one.from_, zone)} ({zone})"
            " is mended."
        )
    )


def unreachable(one: Coming, team: str, why: str) -> Said:
    """Somebody who will be on duty has no contact method that works."""
    return notice(
        lambda zone: (
            f"{one.user} is on duty in {team} from {moment(one.since, zone)} ({zone})"
            " and cannot be reached."
        ),
        lambda _: why,
    )


def in_reach(one: Told, team: str) -> Said:
    """They have one now, or are not on duty then any more."""
    return notice(
        lambda zone: (
            f"{one.subject}, on duty in {team} from {moment(one.from_, zone)} ({zone}), can be"
            " reached again, or is not on duty then any more."
        )
    )


def _line(tier: str) -> str:
    return "manager" if tier == "manager" else f"tier {tier}"
