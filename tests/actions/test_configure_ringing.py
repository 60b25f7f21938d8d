"""Notification rules that never ring, or never in time: what plan, apply, API and doctor say."""

from collections.abc import Mapping
from copy import deepcopy
from time import perf_counter
from typing import Any

import pytest

from tests.actions.configured import SMALL, world_on
from tocsin.actions.configure import Editor, apply, create, plan, read, show, show_all, update
from tocsin.actions.configure.ringing import ringing
from tocsin.actions.examine import Grade, Setting, examine
from tocsin.core.notation import texts
from tocsin.store.configuration import Kind

ROOT = Editor("root", admin=True)
LATE = SMALL.replace("{after: 2m, via: mail}", "{after: 30m, via: mail}")
TOLD = (
    "users.mara.notification_rules.urgent[1]: rule 2 of mara for urgent alerts (after 30m) never"
    " rings before the steps that page mara time out: the last is step 1 of soc/default, over 5m"
    " after mara is paged; it rings later, if the alert is still open"
)


def tree(**team: object) -> dict[str, Any]:
    """Mara with a rule after 10 minutes, in the team soc; `team` changes or adds its blocks."""
    rules = [{"via": "phone"}, {"after": "10m", "via": "mail"}]
    methods = {"phone": {"channel": "webhook"}, "mail": {"channel": "email"}}
    soc = {
        "members": ["mara"],
        "schedules": {"primary": {"tier": 1, "rotations": [{"participants": ["mara"]}]}},
        "escalation_policies": {"default": {"steps": [step({"duty": 1})]}},
    }
    return {
        "users": {
            "mara": {"contact_methods": methods, "notification_rules": {"urgent": rules}},
            "ada": {},
            "root": {"role": "admin", "contact_methods": {"phone": {"channel": "webhook"}}},
        },
        "teams": {"soc": soc | team},
    }


def step(target: Mapping[str, object], wait: str = "5m") -> dict[str, object]:
    return {"notify": [target], "wait": wait}


def lines(found: Mapping[str, object]) -> list[str]:
    return [note.told() for note in ringing(found)]


def test_person_urgency_rule_policy_and_step_are_named() -> None:
    (line,) = lines(tree())
    assert line == TOLD.replace("30m", "10m")


@pytest.mark.parametrize(
    ("mara", "members", "root", "said"),
    [
        ({}, ["mara"], {}, True),
        ({"role": "team_admin"}, ["mara"], {}, False),
        ({}, [{"user": "mara", "role": "team_admin"}], {}, False),
        ({"role": "team_admin"}, [{"user": "mara", "role": "user"}], {}, True),
        ({"role": "team_admin"}, ["ada"], {}, True),
        ({"role": "team_admin", "active": False}, ["mara"], {}, True),
        ({}, ["mara"], {"role": "admin", "contact_methods": {"p": {"enabled": False}}}, True),
        ({}, ["mara"], {"role": "admin", "contact_methods": {"p": {}}}, False),
    ],
)
def test_a_team_in_which_nobody_is_told_at_the_end_is_named(
    mara: Mapping[str, object], members: list[object], root: Mapping[str, object], said: bool
) -> None:
    made = tree(members=members)
    made["users"]["mara"] = {"contact_methods": {"phone": {}}, **mara}
    made["users"]["root"] = root
    expected = "teams.soc: nobody is told when nobody answers: no team admin or admin has"
    assert [line.startswith(expected) for line in lines(made)] == [True] * said


def warned(shown: Mapping[str, object]) -> tuple[str, ...]:
    return texts(shown["warnings"])


PARTICIPANTS = {"rotations": [{"participants": [["ada", "mara"]]}]}


@pytest.mark.parametrize(
    "schedule",
    [
        PARTICIPANTS,
        {"overrides": [{"user": "mara"}]},
        {"temporary": [{"shifts": [{"user": "mara"}]}]},
        {"events": [{"users": ["mara"]}]},
    ],
)
def test_whoever_a_schedule_may_put_on_duty_is_paged_by_its_tier(
    schedule: Mapping[str, object],
) -> None:
    manager = {"escalation_policies": {"default": {"steps": [step({"duty": "manager"})]}}}
    assert lines(tree(**manager)) == []
    schedules = {"schedules": {"boss": {"tier": "manager", **schedule}}}
    assert len(lines(tree(**manager, **schedules))) == 1


@pytest.mark.parametrize("target", [{"user": "mara"}, {"team": "soc"}, {"duty": "1"}])
def test_a_step_with_time_for_the_rule_keeps_it_alive(target: Mapping[str, object]) -> None:
    short, long = step(target), step(target, "11m")
    assert len(lines(tree(escalation_policies={"default": {"steps": [short]}}))) == 1
    assert lines(tree(escalation_policies={"default": {"steps": [long]}})) == []
    both = {"default": {"steps": [short]}, "patient": {"steps": [long]}}
    assert lines(tree(escalation_policies=both)) == []


def test_the_steps_of_another_policy_that_is_named_count() -> None:
    found = tree(escalation_policies={"default": {"steps": [step({"policy": "noc/default"})]}})
    found["teams"]["noc"] = {
        "members": ["mara"],
        "escalation_policies": {"default": {"steps": [step({"team": "noc"}, "4m")] * 2}},
    }
    (line,) = lines(found)
    assert "step 2 of soc/default, over 8m" in line
    found["teams"]["noc"]["escalation_policies"]["default"]["steps"].append(
        step({"user": "mara"}, "4m")
    )
    assert lines(found) == []


@pytest.mark.parametrize("block", ["policy", "categories", "routing"])
def test_emergency_mode_pages_every_member_on_every_step(block: str) -> None:
    steps = [step({"duty": 1}), step({"user": "ada"}, "6m")]
    found = tree(escalation_policies={"default": {"steps": steps}})
    assert len(lines(found)) == 1
    emergency = {"mode": "emergency"}
    team = found["teams"]["soc"]
    if block == "policy":
        team["escalation_policies"]["default"] |= emergency
    else:
        team[block] = {"fire": emergency} if block == "categories" else [emergency]
    assert lines(found) == []


def test_a_rule_whose_contact_method_is_switched_off_is_named_alone() -> None:
    found = tree()
    found["users"]["mara"]["contact_methods"]["mail"]["enabled"] = False
    (line,) = lines(found)
    assert line == (
        "users.mara.notification_rules.urgent[1]: rule 2 of mara for urgent alerts never rings:"
        " the contact method mail is switched off"
    )
    found["users"]["mara"]["active"] = False
    assert lines(found) == []


def test_a_step_that_waits_for_nothing_is_named_where_it_cuts_rules_off() -> None:
    steps = [step({"duty": 1}, "0s"), step({"user": "ada"}, "0s"), step({"duty": 1}, "20m")]
    found = tree(escalation_policies={"default": {"steps": steps}})
    (line,) = lines(found)
    assert line.startswith("teams.soc.escalation_policies.default.steps[0]: waits 0s: the next")
    others = deepcopy(found)
    others["users"]["mara"]["notification_rules"]["urgent"].pop()
    assert lines(others) == []


def test_a_thousand_people_are_looked_at_in_no_time() -> None:
    found = tree()
    mara = found["users"]["mara"]
    names = [f"u{number}" for number in range(1000)]
    found["users"] = dict.fromkeys(names, mara) | {"root": found["users"]["root"]}
    found["teams"] = {
        f"t{number}": {
            **found["teams"]["soc"],
            "members": names,
            "escalation_policies": {"default": {"steps": [step({"team": f"t{number}"})] * 3}},
        }
        for number in range(20)
    }
    started = perf_counter()
    assert lines(found) == []
    assert perf_counter() - started < 2


async def test_plan_and_apply_warn_and_go_on(database: str) -> None:
    async with world_on(database) as world:
        assert (await plan(world, read(SMALL))).warnings == ()
        assert (await plan(world, read(LATE))).warnings == (TOLD,)
        assert (await apply(world, read(LATE))).warnings == (TOLD,)


async def test_a_policy_made_here_counts_for_the_people_of_the_file(database: str) -> None:
    body = {"team": "soc", "name": "patient", "steps": [step({"user": "mara"}, "1h")]}
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        await create(world, Kind.POLICY, body, ROOT)
        assert (await plan(world, read(LATE))).warnings == ()


async def test_whoever_writes_a_rule_is_told_that_it_never_rings_in_time(database: str) -> None:
    body = {"user": "mara", "urgency": "normal", "after": "10m", "via": "mail"}
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        made = await create(world, Kind.RULE, body, ROOT)
        (line,) = warned(made)
        assert "rule 1 of mara for normal alerts (after 10m) never rings" in line
        rule = str(made["id"])
        assert warned(await show(world, Kind.RULE, rule)) == (line,)
        changed = await update(world, Kind.RULE, rule, {"after": "1m"}, ROOT)
        assert warned(changed) == ()
        assert warned(await show(world, Kind.RULE, rule)) == ()


async def test_whoever_shortens_a_step_is_told_whose_rules_it_cuts_off(database: str) -> None:
    steps = [step({"duty": 1}, "1m")]
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        changed = await update(world, Kind.POLICY, "default", {"steps": steps}, ROOT)
        (line,) = warned(changed)
        assert line.startswith("users.mara.notification_rules.urgent[1]: rule 2 of mara")
        again = await update(world, Kind.POLICY, "default", {"steps": steps}, ROOT)
        assert warned(again) == ()  # nothing that this edit changed


async def test_nobody_is_told_the_names_of_teams_that_they_do_not_see(database: str) -> None:
    async with world_on(database) as world:
        await apply(world, read(LATE))
        mara = Editor("mara", sees=lambda _team: False)
        _, rule = await show_all(world, Kind.RULE, viewer=mara)
        (line,) = warned(rule)
        assert "soc" not in line
        assert "step 1 of a policy of another team, over 5m" in line
        ada = Editor("ada", sees=lambda _team: False)
        steps = [step({"duty": 1}, "1m")]
        changed = await update(world, Kind.POLICY, "default", {"steps": steps}, ada)
        assert not any("mara" in line for line in warned(changed))


async def test_the_doctor_names_each(database: str) -> None:
    setting = Setting(key_file="key", public_url=True)
    async with world_on(database) as world:
        await apply(world, read(SMALL))
        (well,) = [one for one in await examine(world, setting) if one.what == "notification rules"]
        assert well.grade is Grade.OK
        await apply(world, read(LATE))
        (late,) = [one for one in await examine(world, setting) if one.what == "notification rules"]
    assert (late.grade, late.detail) == (Grade.WARNING, TOLD)
    assert "`after`" in late.hint
