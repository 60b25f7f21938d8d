"""Golden nights: what is foreseen of a night is what happens in it, line by line."""

import pytest

from tests.nights.golden import Golden, Mark, do, foretold, happened, mark
from tests.nights.golden_table import NIGHTS
from tests.nights.night import Night, night
from tocsin.actions.foresee import Foreseen, Question, foresee, foresee_alert
from tocsin.actions.intake import Posted
from tocsin.actions.reply import AlertRef, change
from tocsin.core.changes import Change
from tocsin.core.event import Event


@pytest.mark.parametrize("golden", NIGHTS, ids=lambda golden: golden.name)
async def test_a_night_happens_as_it_was_foreseen(database: str, golden: Golden) -> None:
    async with night(database, golden.start, golden.setup) as n:
        n.dead |= golden.dead
        foreseen = await foresee(n.world, _question(golden))
        await _raise(n, golden)
        since, told = Mark(), list[str]()
        for act in golden.acts:
            until = golden.start + act.after
            await n.hurry(until)
            told += await _agreed(n, foreseen, since)
            await _act(n, act.sql, act.asks)
            since = await mark(n)
            foreseen = await _foreseen_anew(n, golden)
            await n.settle()
        await n.hurry(golden.start + golden.lasts)
        told += await _agreed(n, foreseen, since)
    missing = [line for line in golden.shows if line not in told]
    assert not missing, "\n".join(["not among:", *told])


async def _agreed(n: Night, foreseen: Foreseen, since: Mark) -> list[str]:
    """What happened since; it is what was foreseen."""
    real = await happened(n, since)
    assert foretold(foreseen, n.clock.now()) == real
    return real


async def _raise(n: Night, golden: Golden) -> None:
    event = Event(
        title=golden.title, severity=golden.severity, category=golden.category, external_id="night"
    )
    await n.intake.accept(Posted(team=1, name="plant", inlet="signl4", said=(event,)))
    await n.settle()


async def _act(n: Night, sql: str | None, asks: Change | None) -> None:
    if sql is not None:
        await do(n, [sql])
    if asks is not None:
        answer = await change(n.world, AlertRef(1, (await n.alert("night")).id), asks)
        assert answer is not None


async def _foreseen_anew(n: Night, golden: Golden) -> Foreseen:
    alert = await n.alert("night")
    found = await foresee_alert(n.world, 1, alert.id, golden.failing)
    assert found is not None
    return found


def _question(golden: Golden) -> Question:
    return Question(
        team=1,
        at=golden.start,
        severity=golden.severity,
        category=golden.category,
        title=golden.title,
        failing=golden.failing,
    )
