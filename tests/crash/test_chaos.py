"""The short form of `make chaos`: the same driver, with a fixed seed and short pauses (I1, I4)."""

import sys

import pytest

from tests.crash.chaos import Plan, chaos
from tests.crash.phones import Phones

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the helpers read /proc")


@pytest.mark.timeout(300)  # it takes some 40 s; what is broken shows only after the drain
async def test_chaos_loses_no_event_and_no_page(phones: Phones) -> None:
    said: list[str] = []
    plan = Plan(kills=8, seed=20261124, longest=4, drain=150)
    outcome = await chaos(plan, phones, said.append)
    assert outcome.clean, "\n".join([*said, outcome.tally.verdict()])
    assert outcome.tally.alerts > 50
    assert outcome.tally.sent >= outcome.tally.alerts * 0.5
