"""Sets of stretches of time."""

from datetime import UTC, datetime

from tocsin.core.spans import joined, left_of


def at(day: int) -> datetime:
    return datetime(2026, 11, day, tzinfo=UTC)


def test_what_is_left_of_a_time() -> None:
    taken = joined([(at(7), at(8)), (at(4), at(6)), (at(5), at(6)), (at(20), at(21))])
    assert left_of((at(5), at(9)), taken) == [(at(6), at(7)), (at(8), at(9))]
    assert left_of((at(5), at(9)), [(at(1), at(20))]) == []
    assert left_of((at(5), at(6)), []) == [(at(5), at(6))]
    assert left_of((at(5), at(6)), [(at(6), at(7)), (at(8), at(9))]) == [(at(5), at(6))]
