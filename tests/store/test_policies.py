"""Definitions of escalation policies become values, and survive being copied to an alert."""

from datetime import time, timedelta

import pytest

from tests.store.scene import NOW, scene
from tocsin.core.escalation import (
    Condition,
    IfNobody,
    OnDuty,
    OneUser,
    Pick,
    Policy,
    Unsupported,
    Webhook,
    WholeTeam,
)
from tocsin.core.kinds import Severity
from tocsin.core.schedule import Day
from tocsin.store import plans
from tocsin.store.db import Database, run
from tocsin.store.paging import escalation_plan, team_context
from tocsin.store.policies import DEEPEST, MOST_STEPS, Names, policy_of

Steps = list[dict[str, object]]


def names(**policies: Steps) -> Names:
    """Policies `soc/a` and `noc/b` are written `soc_a` and `noc_b`."""
    found = {
        (team, policy): {"steps": steps}
        for (team, _, policy), steps in (
            (name.partition("_"), steps) for name, steps in policies.items()
        )
    }
    return Names(users={"mara": 1}, teams={"soc": 1, "noc": 2}, policies=found, home="soc")


def step(*notify: dict[str, object], wait: str = "2m", **rest: object) -> dict[str, object]:
    return {"notify": list(notify), "wait": wait, **rest}


def read(*steps: dict[str, object], **policies: Steps) -> Policy:
    return policy_of({"steps": list(steps)}, names(**policies), "default")


def test_every_key_of_a_step_is_read() -> None:
    when: dict[str, object] = {
        "severity": ["high", "critical"],
        "days": ["sat"],
        "from": "22:00",
        "to": "06:00",
        "clock": "responder",
        "holiday": False,
        "older_than": "5m",
    }
    (found,) = read(
        step(
            {"duty": 1},
            {"webhook": "siem"},
            when=when,
            if_nobody="hold",
            hold_for="1h",
            pick="round_robin",
        )
    ).steps
    assert found.notify == (OnDuty("1"), Webhook("siem"))
    assert found.if_nobody is IfNobody.HOLD
    assert found.hold_for == timedelta(hours=1)
    assert found.pick is Pick.ROUND_ROBIN
    assert found.when == (
        Condition(
            severities=(Severity.HIGH, Severity.CRITICAL),
            days=(Day.SAT,),
            from_=time(22),
            to=time(6),
            responder_clock=True,
            holiday=False,
            older_than=timedelta(minutes=5),
        ),
    )


async def test_a_copy_says_all_that_the_policy_says(database: str) -> None:
    policy = read(
        step({"duty": "manager"}, if_nobody="hold", hold_for="7m", pick="next"),
        step({"policy": "noc/b"}, {"user": "mara"}, when={"severity": "low", "from": "09:00"}),
        step({"user": "gone"}, {"team": "noc"}, when={"holiday": True, "older_than": "1h"}),
        noc_b=[step({"duty": 2}, when={"days": ["mon"]}), step({"webhook": "https://siem"})],
    )
    async with scene(database) as db, db.transaction() as connection:
        await plans.keep(connection, 1, [policy])
        key = (1, plans.digest(policy))
        assert (await plans.load(connection, [key]))[key] == policy


def test_another_policy_stands_in_place_with_the_duty_of_its_team() -> None:
    found = read(
        step({"policy": "noc/b"}, wait="10m", when={"severity": "high"}),
        step({"team": "soc"}),
        noc_b=[step({"duty": 1}), step({"duty": 2}, wait="3m", when={"holiday": True})],
    )
    assert [one.notify for one in found.steps] == [
        (OnDuty("1", 2),),
        (OnDuty("2", 2),),
        (WholeTeam(1),),
    ]
    assert [one.wait for one in found.steps[:2]] == [timedelta(minutes=2), timedelta(minutes=8)]
    high, holiday = Condition(severities=(Severity.HIGH,)), Condition(holiday=True)
    assert [one.when for one in found.steps] == [(high,), (high, holiday), ()]


def test_who_stands_beside_a_policy_is_paged_with_its_first_step() -> None:
    (first,) = read(
        step({"user": "mara"}, {"policy": "noc/b"}, wait="1m"),
        noc_b=[step({"duty": 1}, wait="4m", if_nobody="hold")],
    ).steps
    assert first.notify == (OneUser(1), OnDuty("1", 2))
    assert (first.wait, first.if_nobody) == (timedelta(minutes=4), IfNobody.HOLD)


def test_who_stands_beside_a_policy_is_not_one_of_those_who_take_turns() -> None:
    own, first = read(
        step({"user": "mara"}, {"policy": "noc/b"}, wait="1m", if_nobody="continue"),
        noc_b=[step({"duty": 1}, wait="4m", pick="round_robin", if_nobody="hold")],
    ).steps
    assert (own.notify, own.wait, own.pick) == ((OneUser(1),), timedelta(), Pick.ALL)
    assert own.if_nobody is IfNobody.SKIP  # the other policy's people are not kept waiting
    assert (first.wait, first.pick) == (timedelta(minutes=4), Pick.ROUND_ROBIN)


@pytest.mark.parametrize(
    ("policies", "why"),
    [
        ({}, "policy noc/b"),
        ({"noc_b": [step({"policy": "soc/default"})]}, "soc/default, which leads back to itself"),
        ({"noc_b": [step({"policy": "noc/b"})]}, "noc/b, which leads back to itself"),
    ],
)
def test_a_policy_that_is_gone_or_leads_back_pages_nobody_and_ends(
    policies: dict[str, Steps], why: str
) -> None:
    found = read(step({"policy": "noc/b"}), step({"user": "mara"}), **policies)
    assert len(found.steps) == 2
    (target,) = found.steps[0].notify
    assert isinstance(target, Unsupported)
    assert why in target.described


def test_policies_that_multiply_each_other_stay_within_bounds() -> None:
    many: dict[str, Steps] = {
        f"noc_p{number}": [step({"policy": f"noc/p{number + 1}"})] * 100
        for number in range(DEEPEST + 5)
    }
    found = policy_of({"steps": [step({"policy": "noc/p0"})]}, names(**many))
    assert len(found.steps) == MOST_STEPS


async def test_another_teams_policy_means_its_people_on_duty(database: str) -> None:
    async with scene(database) as db:
        await _noc(db)
        async with db.transaction() as connection:
            found = await team_context(connection, 1, NOW)
        policy = found.policies["default"]
        assert policy.steps[0].notify == (OnDuty("1", 9),)
        plan = escalation_plan(found, policy)
        assert [person.name for person in plan.people_of(policy.steps[0])] == ["jonas"]
        assert found.on_duty["1"][0].name == "mara"  # their own duty is not mixed up with it


async def _noc(db: Database) -> None:
    """A second team, with jonas on duty and a policy that the first team's names."""
    async with db.transaction() as connection:
        for sql in _NOC.split(";"):
            await run(connection, sql)


_NOC = """
INSERT INTO team (id, name, time_zone) VALUES (9, 'noc', 'UTC');
INSERT INTO escalation_policy (team_id, name, body)
VALUES (9, 'b', '{"steps": [{"notify": [{"duty": 1}], "wait": "1m"}]}');
UPDATE escalation_policy
SET body = '{"steps": [{"notify": [{"policy": "noc/b"}], "wait": "1m"}]}' WHERE team_id = 1;
INSERT INTO punch (team_id, user_id, tier, during, by_name)
SELECT 9, id, '1', '[2026-01-01,)', 'jonas' FROM app_user WHERE name = 'jonas'
"""
