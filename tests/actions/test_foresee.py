"""What is foreseen where no golden night leads: messages in the air, chains that end, bounds."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.nights.golden import START, do
from tests.nights.night import night
from tests.store.scene import NOW, an_alert
from tocsin.actions.foresee import Ending, Kind, Question, foresee, foresee_alert
from tocsin.actions.foresee.imagined import Outbox
from tocsin.actions.intake import Posted
from tocsin.cli.foretold import told
from tocsin.core.effects import Notify, Purpose
from tocsin.core.event import Event
from tocsin.core.kinds import Urgency
from tocsin.core.notification import State
from tocsin.store.uuids import uuid7

EVERY = timedelta(seconds=30)
IN_HAND = (
    "UPDATE notification SET state = 'leased', lease_until = now() + interval '1m',"
    " next_try_at = next_try_at + interval '45s'"
)


def page(at: datetime, every: timedelta | None = EVERY) -> Notify:
    return Notify(1, 1, at, Purpose.ESCALATION, Urgency.URGENT, every)


def test_a_message_in_the_air_is_not_repeated_beside_a_newer_one() -> None:
    outbox, alert = Outbox(), an_alert()
    outbox.save(alert, [page(NOW)], NOW)
    (old,) = outbox.due(NOW)
    later = NOW + timedelta(seconds=1)
    outbox.save(alert, [page(later)], later)
    outbox.settle(old, State.SENT, later)
    outbox.repeat(old, alert, later + EVERY, later)
    assert [one.due_at for one in outbox.waiting] == [later]


def test_a_repetition_ends_with_the_alert_and_with_its_episode() -> None:
    for ended in (
        replace(an_alert(), episode=2),
        replace(an_alert(), suppressed="maintenance"),
    ):
        outbox = Outbox()
        outbox.save(an_alert(), [page(NOW)], NOW)
        (one,) = outbox.due(NOW)
        outbox.settle(one, State.SENT, NOW)
        outbox.repeat(one, ended, NOW + EVERY, NOW)
        assert outbox.waiting == []


async def test_what_a_worker_has_in_hand_goes_out_now(database: str) -> None:
    async with night(database, START) as n:
        said = (Event(title="Pump down", external_id="night"),)
        await n.intake.accept(Posted(team=1, name="plant", inlet="signl4", said=said))
        await do(n, [IN_HAND])
        alert = await n.alert("night")
        found = await foresee_alert(n.world, 1, alert.id)
    assert found is not None
    pages = [line.at for line in found.lines if line.kind is Kind.PAGE]
    assert pages[:2] == [START, START + EVERY]


async def test_an_alert_that_is_not_there_has_no_future(database: str) -> None:
    async with night(database, START) as n:
        assert await foresee_alert(n.world, 1, uuid7(START)) is None


async def test_a_team_that_repeats_for_ever_is_told_up_to_a_bound(database: str) -> None:
    async with night(database, START) as n:
        found = await foresee(n.world, Question(team=1, at=START))
    assert (len(found.lines), found.ending) == (2000, Ending.LINES)
    assert [(one.person, one.every) for one in found.repeating] == [("mara", EVERY)]
    assert found.until < START + timedelta(hours=24)


async def test_what_is_assumed_to_fail_and_is_not_there_is_named(database: str) -> None:
    async with night(database, START) as n:
        asked = Question(team=1, at=START, failing=frozenset({"phone", "webhook", "smss"}))
        found = await foresee(n.world, asked)
    (warning,) = found.warnings
    assert "'smss'" in warning
    assert "nothing is assumed to fail by it" in warning


async def test_an_end_on_another_day_is_told_with_its_day(database: str) -> None:
    async with night(database, START) as n:
        found = await foresee(n.world, Question(team=1, at=START))
    line = replace(found.lines[0], until=START + timedelta(days=1))
    said = list(told(replace(found, lines=(replace(line, kind=Kind.HELD),)), ZoneInfo("UTC")))
    assert f"until {START + timedelta(days=1):%a %Y-%m-%d %H:%M}" in said[2]
