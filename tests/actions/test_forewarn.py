"""What schedulers are told ahead: gaps, empty shifts, people out of reach; what is mended."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.actions.ringing import House, Rings, house
from tocsin.actions.forewarn import forewarn
from tocsin.store.shifts import materialise

ROTATION = (
    '{"rotations": [{"participants": ["mara", "jonas"], "start": "2026-01-01T09:00",'
    ' "unit": "day", "name": "days"%s}]}'
)


@pytest.fixture
async def team(database: str) -> AsyncIterator[House]:
    """Mara and Jonas in turn, day by day; Ada leads the team."""
    async with house(database) as made:
        await made.sql("UPDATE schedule SET body = $1::jsonb", ROTATION % "")
        await changed(made)
        yield made


async def changed(made: House) -> None:
    async with made.world.database.transaction() as connection:
        await materialise(connection, 1, made.clock.now())


async def hole(made: House, user: str, from_: str, to: str) -> None:
    body = f'{{"replaces": "{user}", "from": "{from_}", "to": "{to}"}}'
    await made.sql(
        "INSERT INTO schedule_override (team_id, schedule_id, body) VALUES (1, 1, $1::jsonb)", body
    )
    await changed(made)


async def look(made: House, **by: float) -> list[tuple[str, str]]:
    """Whom the worker tells what when it looks that much later."""
    await made.clock.move(timedelta(**by))
    await forewarn(made.world)
    await made.deliver()
    said = [(message.user, message.text) for message, _ in Rings.rang]
    Rings.rang.clear()
    return said


async def on_25th(made: House) -> str:
    found = await made.rows(
        "SELECT u.name FROM shift s JOIN app_user u ON u.id = s.user_id"
        " WHERE s.during @> '2026-11-25T12:00Z'::timestamptz"
    )
    return str(found[0]["name"])


async def test_an_empty_shift_is_told_once_and_taken_back_when_it_is_mended(team: House) -> None:
    assert await look(team) == []
    who = await on_25th(team)
    await hole(team, who, "2026-11-25T12:00Z", "2026-11-25T14:00Z")
    assert await look(team, minutes=5) == [
        (
            "ada",
            (
                "Nobody is on duty in soc (tier 1) Wed 25 Nov 13:00 to 15:00 (Europe/Berlin):"
                " somebody was taken off and nobody steps in."
            ),
        )
    ]
    assert await look(team, minutes=5) == []
    await team.sql('UPDATE schedule_override SET body = body || \'{"to": "2026-11-25T15:00Z"}\'')
    await changed(team)
    assert await look(team, minutes=5) == []  # the same gap, longer
    await team.sql("DELETE FROM schedule_override")
    await changed(team)
    assert await look(team, minutes=5) == [
        ("ada", "The gap in soc (tier 1) from Wed 25 Nov 13:00 (Europe/Berlin) is mended.")
    ]
    assert await look(team, minutes=5) == []
    await hole(team, who, "2026-11-25T12:00Z", "2026-11-25T14:00Z")
    assert len(await look(team, minutes=5)) == 1  # it is there again


async def test_a_gap_that_runs_or_has_passed_is_no_news(team: House) -> None:
    await hole(team, await on_25th(team), "2026-11-25T12:00Z", "2026-11-25T14:00Z")
    assert len(await look(team)) == 1
    for _ in range(12):
        assert await look(team, hours=3) == []


async def test_a_rotation_that_ends_is_told_once_however_long_nobody_follows(team: House) -> None:
    body = ROTATION % ', "active_until": "2026-11-26T09:00"'
    await team.sql("UPDATE schedule SET body = $1::jsonb", body)
    await changed(team)
    assert await look(team) == []  # more than two days ahead
    ((user, text),) = await look(team, hours=12)
    assert user == "ada"
    assert text == (
        "Nobody is on duty in soc (tier 1) from Thu 26 Nov 09:00 on (Europe/Berlin):"
        " nobody is planned."
    )
    for _ in range(20):
        assert await look(team, hours=15) == []
    await team.sql("UPDATE schedule SET body = $1::jsonb", ROTATION % "")
    await changed(team)
    assert [text[-10:] for _, text in await look(team, minutes=5)] == ["is mended."]


async def test_hours_in_which_nobody_is_ever_planned_are_no_gap(team: House) -> None:
    office = ', "restrictions": [{"days": ["mon", "tue", "wed", "thu", "fri"],'
    office += ' "from": "08:00", "to": "18:00"}]'
    await team.sql("UPDATE schedule SET body = $1::jsonb", ROTATION % office)
    await changed(team)
    for _ in range(8):
        assert await look(team, hours=24) == []


async def test_somebody_punched_in_ahead_fills_the_gap(team: House) -> None:
    await hole(team, await on_25th(team), "2026-11-25T12:00Z", "2026-11-25T14:00Z")
    await team.sql(
        "INSERT INTO punch (team_id, user_id, tier, during, by_name)"
        " VALUES (1, 3, '1', '[2026-11-24,2026-11-27)', 'ada')"
    )
    assert await look(team) == []


async def test_who_cannot_be_reached_is_told_ahead_of_the_alert(team: House) -> None:
    who = await on_25th(team)
    await team.sql(
        "UPDATE contact_method c SET disabled = 'switched off' FROM app_user u"
        " WHERE u.id = c.user_id AND u.name = $1",
        who,
    )
    told = await look(team)
    assert ("ada", "cannot be reached") in {
        (user, text.split(" and ")[-1].split(".")[0]) for user, text in told
    }
    assert all("switch one on" in text for _, text in told)
    assert await look(team, minutes=5) == []
    await team.sql("UPDATE contact_method SET disabled = NULL")
    back = await look(team, minutes=5)
    assert len(back) == len(told)
    assert {text[-50:] for _, text in back} == {
        "be reached again, or is not on duty then any more."
    }


async def test_a_team_says_what_it_wants_to_know_and_how_far_ahead(team: House) -> None:
    await hole(team, await on_25th(team), "2026-11-25T12:00Z", "2026-11-25T14:00Z")
    await team.sql("""UPDATE team SET body = '{"notices": {"gaps": false}}'""")
    assert await look(team) == []
    await team.sql("""UPDATE team SET body = '{"notices": {"ahead": "6h"}}'""")
    assert await look(team, minutes=5) == []
    assert len(await look(team, hours=27)) == 1


async def test_without_schedulers_the_admins_are_told(team: House) -> None:
    await team.sql("UPDATE app_user SET role = 'user'")
    await team.sql("INSERT INTO app_user (id, name, role) VALUES (9, 'root', 'admin')")
    await team.sql(
        "INSERT INTO contact_method (id, user_id, name, channel, address)"
        " VALUES (9, 9, 'phone', 'rings', 'root')"
    )
    await hole(team, await on_25th(team), "2026-11-25T12:00Z", "2026-11-25T14:00Z")
    assert [user for user, _ in await look(team)] == ["root"]
