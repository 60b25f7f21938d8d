"""Any order of alarms, answers, duty changes and crashes against the real database (I2 to I5)."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.databases import Databases
from tests.machine.turmoil import Nights

FEW = settings(
    max_examples=12,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    phases=(Phase.generate,),  # a shorter story of the same fault takes minutes: the long form
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
MANY = settings(
    FEW,
    max_examples=int(os.environ.get("EXAMPLES", "150")),
    stateful_step_count=60,
    derandomize=False,
    phases=(Phase.reuse, Phase.generate, Phase.shrink),
    print_blob=True,
)


def machine(databases: Databases) -> type[Nights]:
    """The machine, each time in a database of its own."""

    class Here(Nights):
        def __init__(self) -> None:
            super().__init__(databases)

    return Here


@pytest.mark.timeout(400)
def test_no_order_of_events_breaks_a_promise(databases: Databases) -> None:
    run_state_machine_as_test(machine(databases), settings=FEW)


@pytest.mark.long
@pytest.mark.timeout(0)
def test_no_order_of_events_breaks_a_promise_in_many_nights(databases: Databases) -> None:
    run_state_machine_as_test(machine(databases), settings=MANY)
