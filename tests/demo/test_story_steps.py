"""What is told of a step that comes true, fails or is late."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tocsin.demo.steps import Sight, Teller, clock_time
from tocsin.testing.clock import MovableClock

START = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
FOUND = Sight("Tocsin", "an alert", "alert #1", holds=True)
MISSING = Sight("phone", "rings", "did not ring", holds=False)


async def _told(*looks: Sequence[Sight], takes: timedelta = timedelta(0)) -> tuple[bool, list[str]]:
    """A step of 20 s whose looks show this in turn, the last one for ever; each takes its time."""
    clock, lines, coming = MovableClock(START), list[str](), list(looks)

    async def look() -> Sequence[Sight]:
        await clock.sleep(takes)
        return coming.pop(0) if len(coming) > 1 else coming[0]

    step = asyncio.create_task(Teller(clock, lines.append).step("It rings", look))
    while not step.done():
        await clock.move(timedelta(seconds=1))
        await asyncio.sleep(0)
    return step.result(), lines


async def test_a_step_comes_true_when_every_end_shows_it() -> None:
    true, lines = await _told([MISSING, FOUND], [FOUND, FOUND])
    assert true
    assert lines[0].endswith(" ✓ It rings")
    assert [line.split() for line in lines[1:]] == [["Tocsin", "alert", "#1"]] * 2


async def test_a_step_that_fails_at_one_end_tells_what_was_expected_and_seen() -> None:
    true, lines = await _told([FOUND, MISSING])
    assert not true
    assert lines[0].endswith(" ✗ It rings (not within 20 s)")
    assert lines[1].split() == ["Tocsin", "alert", "#1"]
    assert lines[2].split() == ["✗", "phone", "expected:", "rings"]
    assert lines[3].split() == ["seen:", "did", "not", "ring"]


async def test_a_step_that_comes_true_too_late_has_failed() -> None:
    true, lines = await _told([FOUND], takes=timedelta(seconds=30))
    assert not true
    assert "✗" in lines[0]


async def test_each_step_has_its_time() -> None:
    _, lines = await _told([FOUND])
    assert lines[0].split()[0] == clock_time(START)
