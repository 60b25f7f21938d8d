"""The way through the steps and rounds of a policy."""

from dataclasses import replace

import pytest

from tests.core.stories import (
    ADA,
    DUTY,
    EVERYBODY,
    JONAS,
    MANAGER,
    MARA,
    MINUTE,
    POLICY,
    PRIMARY,
    plan,
)
from tocsin.core.escalation import FIRST, Policy, Position, Step, Unsupported, distinct, following


def test_every_step_of_every_round_follows() -> None:
    position: Position | None = FIRST
    walked: list[tuple[int, int]] = []
    while position is not None:
        walked.append((position.round, position.step))
        position = following(position, POLICY)
    assert walked == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]


@pytest.mark.parametrize(
    ("policy", "position", "expected"),
    [
        (Policy(()), Position(0, 0), None),
        (Policy((), repeat=3), Position(0, 0), None),
        (replace(POLICY, repeat=0), Position(0, 2), None),
        (replace(POLICY, repeat=0), Position(0, 1), Position(0, 2)),
        (POLICY, Position(1, 2), None),
        (POLICY, Position(0, 9), Position(1, 0)),
    ],
)
def test_the_last_step_of_the_last_round_is_followed_by_nothing(
    policy: Policy, position: Position, expected: Position | None
) -> None:
    assert following(position, policy) == expected


def test_a_step_means_each_person_once_in_the_order_of_its_targets() -> None:
    step = Step((MANAGER, EVERYBODY, PRIMARY, Unsupported("webhook")), MINUTE)
    assert plan(duty=DUTY).people_of(step) == (ADA, MARA, JONAS)
    assert distinct([MARA, ADA, MARA]) == (MARA, ADA)
