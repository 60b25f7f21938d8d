"""How `tocsin who` tells of a night, read as a whole."""

from collections.abc import Generator
from contextlib import contextmanager
from itertools import pairwise
from zoneinfo import ZoneInfo

from inline_snapshot import snapshot
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.nights.golden import (
    ADA,
    DUTY,
    NO_SHIFTS,
    START,
    at,
    method,
    minutes,
    policy,
    rule,
    rules,
    shift,
    step,
    window,
)
from tests.nights.night import Night, night
from tocsin.actions.foresee import Ending, Kind, Question, foresee
from tocsin.cli.foretold import told
from tocsin.core.kinds import Severity


async def read(n: Night, golden: Question, *, every: bool = False) -> list[str]:
    found = await foresee(n.world, golden)
    return list(told(found, ZoneInfo(found.time_zone), every=every))


async def test_a_shift_changes_while_the_step_waits(database: str) -> None:
    setup = (
        NO_SHIFTS,
        shift("mara", "2026-11-24 00:00Z", "2026-11-24 02:59:10Z"),
        shift("jonas", "2026-11-24 02:59:10Z", "2026-11-24 12:00Z"),
        policy(step(DUTY), step(ADA, wait="5m")),
        *rules("jonas", rule("phone", every="1m")),
    )
    async with night(database, START, setup) as n:
        assert await read(n, Question(team=1, at=START)) == snapshot(
            [
                "soc: an alert of severity high at Tue 2026-11-24 03:58 CET",
                "urgent, follows policy default while nobody answers:",
                "03:58:00  raised",
                "03:58:00  round 1, step 1: mara; waits 2m",
                "03:58:00    mara by phone (webhook), again every 30s, 2 times until 03:59:00",
                "03:59:10  left duty: mara",
                "03:59:10  came on duty: jonas",
                "03:59:10    jonas by phone (webhook), again every 1m until somebody answers",
                "03:59:30    mara is paged no more by phone: relieved by jonas",
                "04:00:00  round 1, step 2: ada; waits 5m",
                "04:00:00    ada by phone (webhook)",
                "04:05:00  nobody answered; told: ada",
                "04:05:00    ada by phone (webhook)",
                "and so on after 1d, until somebody answers: jonas by phone every 1m",
            ]
        )
        shown = await read(n, Question(team=1, at=START), every=True)
        assert shown[4:9] == snapshot(
            [
                "03:58:00    mara by phone (webhook)",
                "03:58:30    mara by phone (webhook), again (2)",
                "03:59:00    mara by phone (webhook), again (3)",
                "03:59:10  left duty: mara",
                "03:59:10  came on duty: jonas",
            ]
        )


async def test_what_fails_what_is_passed_over_and_nobody_on_duty(database: str) -> None:
    setup = (
        NO_SHIFTS,
        policy(
            step(DUTY, if_nobody="hold", hold_for="4m"),
            step(ADA, when={"severity": "critical"}),
            step({"user": "mara"}, {"webhook": "gone"}, {"user": "jonas"}, wait="6m"),
        ),
        method("mara", "sms", 11),
        *rules("mara", rule("phone"), rule("sms", "5m")),
        "DELETE FROM contact_method WHERE user_id = 2",
    )
    async with night(database, START, setup) as n:
        question = Question(team=1, at=START, failing=frozenset({"phone"}))
        assert await read(n, question) == snapshot(
            [
                "soc: an alert of severity high at Tue 2026-11-24 03:58 CET",
                "urgent, follows policy default while nobody answers:",
                "03:58:00  raised",
                "03:58:00  round 1, step 1: nobody on duty; waits for somebody until 04:02:00",
                "04:02:00  round 1, step 2: passed over, severity high",
                "04:02:00  round 1, step 3: mara, not reached: jonas; waits 6m",
                "04:02:00    webhook gone fails: there is no webhook 'gone'",
                "04:02:00    mara by phone (webhook) fails: assumed to fail",
                "04:02:00    mara by sms (webhook)",
                "04:08:00  nobody answered; told: ada",
                "04:08:00    ada by phone (webhook) fails: assumed to fail",
            ]
        )


async def test_the_night_in_which_two_o_clock_comes_twice(database: str) -> None:
    start = at("2026-10-25T00:55:00")
    setup = (
        NO_SHIFTS,
        shift("mara", "2026-10-24", "2026-10-26"),
        policy(step(DUTY, wait="10m"), step(ADA, wait="1h", when={"from": "02:00", "to": "03:00"})),
        *rules("mara", rule("phone", every="4m")),
    )
    async with night(database, start, setup) as n:
        assert await read(n, Question(team=1, at=start)) == snapshot(
            [
                "soc: an alert of severity high at Sun 2026-10-25 02:55 CEST",
                "urgent, follows policy default while nobody answers:",
                "02:55:00 CEST  raised",
                "02:55:00 CEST  round 1, step 1: mara; waits 10m",
                "02:55:00 CEST    mara by phone (webhook), again every 4m until somebody answers",
                "02:05:00 CET  round 1, step 2: ada; waits 1h",
                "02:05:00 CET    ada by phone (webhook)",
                "03:05:00 CET  nobody answered; told: ada",
                "03:05:00 CET    ada by phone (webhook)",
                "and so on after 1d, until somebody answers: mara by phone every 4m",
            ]
        )


async def test_what_pages_nobody_says_why(database: str) -> None:
    setup = (window("disks", "2026-11-24T03:00", "2026-11-24T04:01"), policy(step(ADA)))
    async with night(database, START, setup) as n:
        assert await read(n, Question(team=1, at=START)) == snapshot(
            [
                "soc: an alert of severity high at Tue 2026-11-24 03:58 CET",
                "urgent, follows policy default while nobody answers:",
                "03:58:00  raised, suppressed: maintenance disks: new disks, until 04:01:00",
                "04:01:00  suppression ended",
                "04:01:00  round 1, step 1: ada; waits 2m",
                "04:01:00    ada by phone (webhook)",
                "04:03:00  nobody answered; told: ada",
                "04:03:00    ada by phone (webhook)",
            ]
        )
        info = Question(team=1, at=START, severity=Severity.INFO)
        assert await read(n, info) == snapshot(
            [
                "soc: an alert of severity info at Tue 2026-11-24 03:58 CET",
                "is only recorded; nobody is paged.",
                "03:58:00  raised, suppressed: maintenance disks: new disks, until 04:01:00",
                "04:01:00  suppression ended",
            ]
        )


async def test_a_day_takes_a_few_dozen_queries_at_most(database: str) -> None:
    since = [START + minutes(60 * hour) for hour in range(25)]
    hours = [
        shift("mara" if begin.hour % 2 else "jonas", str(begin), str(end))
        for begin, end in pairwise(since)
    ]
    again = policy(step(ADA, wait="1m"), step(DUTY, wait="1m"), repeat=9)
    async with night(database, START, (NO_SHIFTS, again, *hours)) as n:
        with counted() as sent:
            found = await foresee(n.world, Question(team=1, at=START))
        came = [line.at for line in found.lines if line.kind is Kind.CAME_ON_DUTY]
        assert len(came) == 23
        assert found.ending is Ending.HOURS
        assert len(sent) < 24
        assert not [sql for sql in sent if not sql.lstrip().startswith(("SELECT", "SET", "WITH"))]


@contextmanager
def counted() -> Generator[list[str]]:
    """Every statement that is sent to a database meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)
