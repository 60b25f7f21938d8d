"""What goes out now and what waits when many alerts page one contact method."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.storm import (
    CALM,
    MOST,
    PER_MINUTE,
    STORM,
    WINDOWS,
    Traffic,
    Verdict,
    Waiting,
    news,
    over,
    pages,
)

NIGHT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HIGH, CRITICAL = 3, 4


def at(seconds: float) -> datetime:
    return NIGHT + timedelta(seconds=seconds)


LATEST = datetime.max.replace(tzinfo=UTC)
"""Due at the moment of the judgement."""


def page(
    number: int, *, rank: int = HIGH, first: bool = True, due: datetime | None = None
) -> Waiting:
    return Waiting(alert=UUID(int=number), rank=rank, first=first, since=due or LATEST)


def judged(
    traffic: Traffic, seconds: float, *waiting: Waiting, per_minute: int = PER_MINUTE
) -> Verdict:
    due = [replace(one, since=min(one.since, at(seconds))) for one in waiting]
    return pages(traffic, due, 1, per_minute, at(seconds))


def test_a_page_alone_goes_at_once() -> None:
    verdict = judged(Traffic(), 0, page(1))
    assert (verdict.goes, verdict.waits) == ((0,), ())


def test_pages_of_several_alerts_that_are_due_together_go_together() -> None:
    verdict = judged(Traffic(), 0, page(1), page(2), page(3))
    assert (verdict.goes, verdict.waits) == ((0, 1, 2), ())


def test_another_alert_waits_a_second_after_the_first() -> None:
    first = judged(Traffic(), 0, page(1)).after
    verdict = judged(first, 0.4, page(2))
    assert (verdict.goes, verdict.waits, verdict.until) == ((), (0,), at(1))
    assert not verdict.throttled
    assert verdict.after == first, "who waits changes nothing for the others"
    assert judged(first, 1, page(2)).goes == (0,)


def test_nobody_waits_for_a_second_window() -> None:
    """Two claims share the pages that waited: the second one's do not wait a window again."""
    first = judged(Traffic(), 0, page(1)).after
    assert judged(first, 0.5, page(2), page(3)).until == at(1)
    second = judged(first, 1, page(2, due=at(0.5))).after
    other = judged(second, 1.1, page(3, due=at(0.5)), page(4))
    assert (other.goes, other.waits, other.until) == ((0,), (1,), at(3))
    assert other.after.storm is not None
    assert other.after.storm.until == at(3), "the window stays as it is"


def test_the_window_grows_while_new_alerts_come_and_is_back_after_a_calm_minute() -> None:
    traffic, now, waits = Traffic(), 0.0, list[float]()
    for number in range(9):
        verdict = judged(traffic, now, page(number))
        assert verdict.goes == (0,)
        traffic = verdict.after
        held = judged(traffic, now, page(100 + number))
        assert held.until is not None
        waits.append((held.until - at(now)).total_seconds())
        now += waits[-1]
    assert waits == [1, 2, 4, 8, 15, 30, 30, 30, 30]
    calm = judged(traffic, now + 60, page(50)).after
    assert judged(calm, now + 60, page(51)).until == at(now + 61)


def test_repetitions_of_a_single_alert_are_never_delayed() -> None:
    traffic = Traffic()
    for attempt in range(40):
        verdict = judged(traffic, attempt * 0.1, page(1, first=attempt == 0), per_minute=1000)
        assert verdict.goes == (0,)
        traffic = verdict.after


def test_repetitions_do_not_make_others_wait_for_longer() -> None:
    traffic = judged(Traffic(), 0, page(1)).after
    repeated = judged(traffic, 0.9, page(1, first=False)).after
    assert judged(repeated, 0.95, page(2)).until == at(1)


def test_what_is_worse_than_all_told_goes_at_once_and_takes_the_others_along() -> None:
    traffic = judged(Traffic(), 0, page(1)).after
    verdict = judged(traffic, 0.2, page(2), page(3, rank=CRITICAL))
    assert verdict.goes == (0, 1)
    again = judged(verdict.after, 0.3, page(4, rank=CRITICAL))
    assert (again.goes, again.until) == ((), at(1)), "only once for each severity"


def test_what_exceeds_the_limit_waits_until_there_is_room() -> None:
    traffic = Traffic()
    for second in range(3):
        traffic = judged(traffic, second * 10, page(1), per_minute=3).after
    verdict = judged(traffic, 25, page(1), page(2), per_minute=3)
    assert (verdict.goes, verdict.until, verdict.throttled) == ((), at(60), True)
    assert judged(traffic, 60, page(1), page(2), per_minute=3).goes == (0, 1)


def test_news_never_use_up_the_room_of_pages() -> None:
    traffic = Traffic()
    for _ in range(2):
        traffic = news(traffic, 1, 2, NIGHT).after
    held = news(traffic, 3, 2, at(1))
    assert (held.goes, held.until, held.throttled) == ((), at(60), True)
    assert judged(traffic, 1, page(1), per_minute=2).goes == (0,)


def test_one_message_has_an_end_and_the_rest_waits_for_the_next() -> None:
    everything = [page(number) for number in range(MOST + 7)]
    verdict = judged(Traffic(), 0, *everything)
    assert (len(verdict.goes), len(verdict.waits), verdict.until) == (MOST, 7, at(1))


def test_a_storm_is_over_a_minute_after_the_last_new_alert() -> None:
    one = judged(Traffic(), 0, page(0)).after
    assert one.calm_at is None, "a single alert is no storm"
    storm = judged(one, 1, *(page(number) for number in range(1, STORM + 1))).after
    assert storm.calm_at == at(1) + CALM
    again = judged(storm, 31, *(page(number, first=False) for number in range(1, STORM + 1))).after
    assert again.calm_at == at(1) + CALM, "repetitions are no news"


def test_repetitions_after_a_storm_are_no_new_storm() -> None:
    storm = judged(Traffic(), 0, *(page(number) for number in range(STORM))).after
    later = judged(storm, 90, *(page(number, first=False) for number in range(STORM))).after
    assert later.calm_at is None


def test_the_end_of_a_storm_says_what_is_left() -> None:
    storm = judged(Traffic(), 0, *(page(number) for number in range(12))).after.storm
    assert storm is not None
    assert over(storm, 12, 3, 7) == (
        "The storm is over: 12 alerts in 1 minute",
        "The storm is over: 12 alerts in 1 minute; 3 open, 7 acknowledged, 2 closed.",
    )


@given(
    st.lists(
        st.tuples(st.floats(0, 20), st.integers(1, 6), st.integers(0, 4), st.booleans()),
        max_size=60,
    )
)
def test_no_page_is_lost_and_none_waits_for_longer_than_the_longest_window(
    coming: list[tuple[float, int, int, bool]],
) -> None:
    """Pages that come at any times: each goes within 30 s, where no limit is in the way."""
    traffic, now = Traffic(), 0.0
    queue: list[tuple[datetime, datetime, Waiting]] = []
    for gap, number, rank, first in coming:
        now += gap
        queue.append((at(now), at(now), page(number, rank=rank, first=first)))
    while queue:
        moment = min(due for due, _, _ in queue)
        ready = [item for item in queue if item[0] <= moment]
        queue = [item for item in queue if item[0] > moment]
        verdict = pages(traffic, [item[2] for item in ready], 1, 10_000, moment)
        assert sorted((*verdict.goes, *verdict.waits)) == list(range(len(ready)))
        for place in verdict.goes:
            assert moment - ready[place][1] <= WINDOWS[-1]
        if verdict.waits:
            assert verdict.until is not None
            assert verdict.until > moment
            queue += [(verdict.until, *ready[place][1:]) for place in verdict.waits]
        traffic = verdict.after
