"""What paging knows of a team: people, duty, and whom each target of a policy means."""

from datetime import timedelta

from tests.store.scene import NOW, later, scene
from tocsin.core.escalation import OnDuty, OneUser, Policy, Step, WholeTeam
from tocsin.store.db import Database, run
from tocsin.store.paging import TeamContext, escalation_plan, team_context


async def context(database: Database, **after: float) -> TeamContext:
    async with database.transaction() as connection:
        return await team_context(connection, 1, later(**after))


async def change(database: Database, sql: str, *args: object) -> None:
    async with database.transaction() as connection:
        await run(connection, sql, *args)


async def test_members_admins_and_duty_are_people_with_methods_and_rules(database: str) -> None:
    async with scene(database) as db:
        found = await context(db)
        assert [person.name for person in found.members] == ["mara", "jonas", "ada"]
        assert [person.name for person in found.admins] == ["ada"]
        assert {tier: [p.name for p in people] for tier, people in found.on_duty.items()} == {
            "1": ["mara"]
        }
        assert found.members[0].methods[0].name == "phone"


async def test_duty_ends_at_the_instant_at_which_a_shift_ends(database: str) -> None:
    async with scene(database) as db:
        assert (await context(db, hours=20.99)).on_duty
        assert (await context(db, hours=21)).on_duty == {}


async def test_somebody_punched_in_is_on_duty_beside_the_shift(database: str) -> None:
    async with scene(database) as db:
        await change(
            db,
            "INSERT INTO punch (team_id, user_id, tier, during, by_name)"
            " VALUES (1, 2, '1', tstzrange($1, NULL), 'jonas')",
            NOW,
        )
        assert [p.name for p in (await context(db)).on_duty["1"]] == ["mara", "jonas"]


async def test_a_deactivated_person_or_disabled_method_is_passed_over(database: str) -> None:
    async with scene(database) as db:
        await change(db, "UPDATE app_user SET active = false WHERE name = 'mara'")
        await change(db, "UPDATE contact_method SET disabled = 'bounced' WHERE user_id = 2")
        found = await context(db)
        assert [person.name for person in found.members] == ["jonas", "ada"]
        assert found.on_duty == {}
        assert found.members[0].methods == ()


async def test_another_team_as_target_means_its_members(database: str) -> None:
    async with scene(database) as db:
        await change(
            db, "INSERT INTO app_user (id, name, role) VALUES (4, 'lea', 'user'), (5, 'x', 'user')"
        )
        await change(db, "INSERT INTO team (id, name, time_zone) VALUES (2, 'noc', 'UTC')")
        await change(db, "INSERT INTO membership (user_id, team_id) VALUES (4, 2)")
        await change(
            db,
            "UPDATE escalation_policy SET body = $1::text::jsonb",
            '{"steps": [{"wait": "1m", "notify":'
            ' [{"team": "noc"}, {"user": "jonas"}, {"duty": 1}]}]}',
        )
        found = await context(db)
        plan = escalation_plan(found, found.policies["default"])
        people = {target: [p.name for p in plan.people[target]] for target in plan.people}
        assert people == {WholeTeam(2): ["lea"], OneUser(2): ["jonas"], OnDuty("1"): ["mara"]}
        assert [person.name for person in found.members] == ["mara", "jonas", "ada"]


async def test_a_team_that_does_not_exist_is_empty(database: str) -> None:
    async with scene(database) as db, db.transaction() as connection:
        found = await team_context(connection, 99, NOW)
        assert (found.members, found.policies, found.on_duty) == ((), {}, {})


async def test_a_person_whom_only_a_copied_policy_names_is_found_for_it(database: str) -> None:
    async with scene(database) as db:
        await change(db, "INSERT INTO app_user (id, name, role) VALUES (4, 'lea', 'user')")
        assert 4 not in (await context(db)).people
        async with db.transaction() as connection:
            found = await team_context(connection, 1, NOW, [OneUser(4), WholeTeam(9)])
        copied = Policy(steps=(Step((OneUser(4),), timedelta(minutes=1)),))
        plan = escalation_plan(found, copied)
        assert [person.name for person in plan.people[OneUser(4)]] == ["lea"]


async def test_somebody_who_may_only_look_is_not_waited_for_in_an_emergency(database: str) -> None:
    async with scene(database) as db:
        await change(db, "UPDATE membership SET role = 'viewer' WHERE user_id = 2")
        found = await context(db)
        assert [person.name for person in found.everyone] == ["mara", "ada"]
