"""A change of shift: what the incoming are told, what leavers' alerts come to."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.actions.ringing import House, Rings, house
from tests.store.scene import NOW, an_alert, later
from tocsin.actions import linked
from tocsin.actions.handover import change_shifts
from tocsin.actions.linked import Opened, Verb
from tocsin.actions.links import PAGE
from tocsin.core.alert import Alert, Answered
from tocsin.core.kinds import Status, Via
from tocsin.ports import MessageKind
from tocsin.store import alerts

CHANGE = later(hours=1)
MARA, JONAS, ADA = 1, 2, 3


def owned(number: int = 1, owner: int = MARA, **fields: object) -> Alert:
    """An alert that Mara acknowledged at `NOW`."""
    fields = {"answers": (Answered("mara", owner, NOW, Via.API),), **fields}
    return an_alert(number, status=Status.ACKNOWLEDGED, owner=owner, **fields)


@pytest.fixture
async def night(database: str) -> AsyncIterator[House]:
    """Mara is on duty until `CHANGE`, Jonas from then on."""
    async with house(database) as made:
        await made.sql("UPDATE shift SET during = tstzrange(lower(during), $1)", CHANGE)
        await on_duty(made, JONAS, hours=1)
        yield made


async def on_duty(made: House, user: int, tier: str = "1", *, hours: float) -> None:
    await made.sql(
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why)"
        " VALUES (1, 1, $1, $2, tstzrange($3, $3::timestamptz + interval '12 hours'), 'rotation')",
        tier,
        user,
        later(hours=hours),
    )


async def after(made: House, **by: float) -> None:
    """Time passes, then the worker looks at the shifts and delivers."""
    await made.clock.move(timedelta(**by))
    await change_shifts(made.world)
    await made.deliver()


def rang() -> list[tuple[str, str, str]]:
    """Whom the messages reached, of which kind, with what line."""
    found = [(m.user, m.kind.value, m.subject) for m, _ in Rings.rang]
    Rings.rang.clear()
    return found


async def test_whoever_comes_is_told_once_what_stands_open_the_worst_first(night: House) -> None:
    await night.save(an_alert(3))
    await night.save(owned(4, owner=ADA))
    await night.save(owned(5, owner=ADA, snoozed_until=later(hours=9)))
    await night.save(an_alert(6, status=Status.CLOSED))
    await night.save(an_alert(7, suppressed="maintenance"))
    await after(night, minutes=59)
    assert rang() == []
    await after(night, minutes=1)
    ((message, _),) = Rings.rang
    assert message.kind is MessageKind.NOTICE
    assert message.alert is None
    assert "reply" not in message.links
    assert message.body.splitlines() == [
        "You are on duty in soc (tier 1): 1 open, 1 acknowledged, 1 snoozed",
        "",
        "#3 HIGH Pump down · open",
        "#4 HIGH Pump down · acknowledged by ada",
        "#5 HIGH Pump down · snoozed until Tue 24 Nov 13:00 by ada",
    ]
    Rings.rang.clear()
    for _ in range(5):
        await after(night, seconds=30)
    assert rang() == []


async def test_a_leavers_alerts_are_offered_in_one_message_and_taken_with_one_tap(
    night: House,
) -> None:
    first, second = await night.save(owned(1)), await night.save(owned(2))
    await after(night, hours=1)
    told = {
        kind: (message, user)
        for message, _ in Rings.rang
        for kind, user in [(message.kind, message.user)]
    }
    offer, user = told[MessageKind.UPDATE]
    assert user == "jonas"
    assert offer.subject == "2 alerts to take over, worst: HIGH #1 Pump down"
    assert {entry["number"] for entry in offer.alerts} == {1, 2}
    assert await owners(night) == [MARA, MARA]  # theirs until somebody accepts
    secret = offer.links["page"].rpartition("/")[2]
    opened = await linked.open_link(night.world, PAGE, secret)
    assert isinstance(opened, Opened)
    assert opened.offered
    await linked.act(night.world, opened, Verb.ACKNOWLEDGE, None, Via.PAGE)
    assert await owners(night) == [JONAS, JONAS]
    lines = await night.rows("SELECT kind, by_name FROM timeline ORDER BY id")
    said = [(row["kind"], row["by_name"]) for row in lines]
    assert said[:2] == [("offered", "Tocsin")] * 2
    assert said[-2:] == [("taken_over", "jonas")] * 2
    Rings.rang.clear()
    await after(night, minutes=20)
    assert [kind for _, kind, _ in rang() if kind == "notice"] == []
    assert {first.id, second.id} == {
        row["alert_id"] for row in await night.rows("SELECT alert_id FROM left_alert")
    }


async def test_who_leaves_tier_by_tier_is_followed_by_those_of_every_tier(night: House) -> None:
    await night.sql(
        "INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why)"
        " VALUES (1, 1, '2', 1, tstzrange($1, $2), 'rotation')",
        NOW - timedelta(hours=1),
        later(hours=2),
    )
    await on_duty(night, ADA, "2", hours=2)
    await night.save(owned())
    await after(night, minutes=61)
    rang()
    await after(night, minutes=60)
    assert sorted(user for user, kind, _ in rang() if kind == "update") == ["ada", "jonas"]


async def test_what_nobody_takes_over_in_time_is_told_to_the_manager_once(night: House) -> None:
    await on_duty(night, ADA, "manager", hours=0)
    await night.save(owned(1))
    await night.save(owned(2))
    await after(night, hours=1)
    rang()
    await after(night, minutes=14)
    assert rang() == []
    await after(night, minutes=1, seconds=1)
    ((user, kind, subject),) = rang()
    assert (user, kind) == ("ada", "notice")
    assert subject == (
        "2 alerts in soc not taken over from mara."
        " mara went off duty at Tue 24 Nov 05:00 (Europe/Berlin)."
    )
    for _ in range(3):
        await after(night, minutes=10)
    assert rang() == []
    assert await owners(night) == [MARA, MARA]


async def test_without_a_manager_on_duty_the_admins_of_the_team_are_told(night: House) -> None:
    await night.sql("DELETE FROM shift WHERE user_id = 2")  # nobody follows
    await night.save(owned())
    await after(night, hours=1)
    assert rang() == []
    await after(night, minutes=15)
    assert [(user, kind) for user, kind, _ in rang()] == [("ada", "notice")]


async def test_who_goes_on_or_takes_an_alert_afterwards_keeps_it(night: House) -> None:
    await night.save(owned(1, answers=(Answered("mara", MARA, later(minutes=70), Via.API),)))
    await night.clock.move(timedelta(minutes=80))
    await change_shifts(night.world)
    await night.deliver()
    assert "update" not in {kind for _, kind, _ in rang()}
    await night.save(owned(2, owner=JONAS, answers=(Answered("jonas", JONAS, NOW, Via.API),)))
    await on_duty(night, JONAS, hours=13)  # the next turn is theirs as well
    await after(night, hours=12)
    await after(night, minutes=30)
    assert rang() == []


async def test_a_team_may_switch_it_off_or_wait_longer(night: House) -> None:
    body = '{"hand_over": {"enabled": false}}'
    await night.sql("UPDATE team SET body = $1::jsonb", body)
    await night.save(owned())
    await after(night, hours=1)
    assert rang() == []
    await night.sql("""UPDATE team SET body = '{"hand_over": {"accept_within": "40m"}}'""")
    await after(night, seconds=10)
    assert sorted(kind for _, kind, _ in rang()) == ["notice", "update"]
    await after(night, minutes=39)
    assert rang() == []
    await after(night, minutes=2)
    assert [user for user, _, _ in rang()] == ["ada"]


async def test_of_several_processes_one_tells(night: House) -> None:
    await night.save(owned())
    await night.clock.move(timedelta(hours=1))
    await asyncio.gather(*(change_shifts(night.world) for _ in range(4)))
    planned = await night.rows("SELECT purpose, count(*) FROM notification GROUP BY 1 ORDER BY 1")
    assert [(row["purpose"], row["count"]) for row in planned] == [("notice", 1), ("offered", 1)]


async def test_of_two_who_look_at_the_same_moment_one_offers(night: House) -> None:
    await night.save(owned())
    await night.clock.move(timedelta(hours=1))
    for statement in _SLOW:
        await night.sql(statement)
    first = asyncio.create_task(change_shifts(night.world))
    await asyncio.sleep(0.3)
    await night.clock.move(timedelta(seconds=10))
    await asyncio.gather(first, change_shifts(night.world))
    planned = await night.rows("SELECT purpose, count(*) FROM notification GROUP BY 1 ORDER BY 1")
    assert [(row["purpose"], row["count"]) for row in planned] == [("notice", 1), ("offered", 1)]
    lines = await night.rows("SELECT count(*) FROM timeline WHERE kind = 'offered'")
    assert lines[0]["count"] == 1


_SLOW = (
    (
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(0.6); RETURN NEW; END $$"
    ),
    "CREATE TRIGGER slow BEFORE INSERT ON left_alert FOR EACH ROW EXECUTE FUNCTION slow()",
)


async def test_many_who_begin_at_once_are_told_once_each_some_at_a_time(night: House) -> None:
    for statement in CROWD:
        await night.sql(statement)
    await night.sql("UPDATE shift SET during = tstzrange($1, NULL) WHERE user_id > 100", CHANGE)
    await night.save(an_alert(3))
    await night.clock.move(timedelta(hours=1))
    await asyncio.gather(change_shifts(night.world), change_shifts(night.world))
    found = await night.rows("SELECT count(*), count(DISTINCT user_id) AS people FROM notification")
    assert (found[0]["count"], found[0]["people"]) == (121, 121), "Jonas and the crowd"
    written = await night.rows("SELECT count(*) FROM told GROUP BY xmin ORDER BY 1")
    assert [row["count"] for row in written] == [21, 50, 50]


CROWD = (
    """
    INSERT INTO app_user (id, name, role)
    SELECT n, 'u' || n, 'user' FROM generate_series(101, 220) n
    """,
    """
    INSERT INTO membership (user_id, team_id, position)
    SELECT n, 1, n FROM generate_series(101, 220) n
    """,
    """
    INSERT INTO contact_method (id, user_id, name, channel, address)
    SELECT n, n, 'phone', 'rings', 'u' || n FROM generate_series(101, 220) n
    """,
    """
    INSERT INTO shift (team_id, schedule_id, tier, user_id, during, why)
    SELECT 1, 1, '1', n, '[2026-11-24T12:00Z,2026-11-24T20:00Z)', 'rotation'
    FROM generate_series(101, 220) n
    """,
)


async def test_what_leavers_own_is_offered_even_while_nobody_can_be_welcomed(night: House) -> None:
    await night.save(owned())
    await night.clock.move(timedelta(hours=1))
    await night.sql("ALTER TABLE told ADD CONSTRAINT none CHECK (false) NOT VALID")
    with pytest.raises(Exception, match="none"):
        await change_shifts(night.world)
    planned = await night.rows("SELECT purpose FROM notification")
    assert [row["purpose"] for row in planned] == ["offered"]


async def test_without_a_leader_of_the_team_the_admins_of_the_installation_are_told(
    night: House,
) -> None:
    await night.sql("DELETE FROM shift WHERE user_id = 2")
    await night.sql("UPDATE app_user SET role = 'admin' WHERE id = 3")
    await night.sql("DELETE FROM membership WHERE user_id = 3")
    await night.save(owned())
    await after(night, hours=1)
    await after(night, minutes=15)
    assert [(user, kind) for user, kind, _ in rang()] == [("ada", "notice")]


async def test_a_crash_between_loses_nothing_and_repeats_nothing(night: House) -> None:
    await night.save(owned())
    await night.clock.move(timedelta(hours=1))
    for statement in _BROKEN:
        await night.sql(statement)
    with pytest.raises(Exception, match="no offers today"):
        await change_shifts(night.world)
    await night.sql("DROP TRIGGER broken ON left_alert")
    await after(night, seconds=10)
    assert sorted(kind for _, kind, _ in rang()) == ["notice", "update"]


_BROKEN = (
    (
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'no offers today'; END $$"
    ),
    "CREATE TRIGGER broken BEFORE INSERT ON left_alert EXECUTE FUNCTION broken()",
)


async def owners(made: House) -> list[int | None]:
    found = await made.rows("SELECT team_id, id FROM alert ORDER BY number")
    async with made.world.database.transaction() as connection:
        known = await alerts.get_many(connection, [(row["team_id"], row["id"]) for row in found])
    return [known[row["id"]].owner for row in found]
