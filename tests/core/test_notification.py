"""The life of one notification."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.stories import (
    EVA,
    HOUR,
    MARA,
    MINUTE,
    NIGHT,
    SECOND,
    acknowledged,
    after,
    at,
    by,
    closed,
    opened,
)
from tocsin.core.alert import Alert, Paged
from tocsin.core.changes import Acknowledged, Reopened, RespondersAdded, Suppressed
from tocsin.core.effects import Purpose
from tocsin.core.kinds import Mode, Urgency
from tocsin.core.notification import (
    NOTICE_USEFUL_FOR,
    UPDATE_USEFUL_FOR,
    Promise,
    QuietHours,
    State,
    held_until,
    repeat_at,
    reported,
    retry_at,
    still_wanted,
)
from tocsin.core.schedule import DailyWindow, Day

STATES = st.sampled_from(State)
TWO: dict[str, object] = {"mode": Mode.MULTI, "acknowledgements_required": 2}


def test_reports_in_any_order_come_to_the_same_end() -> None:
    reports = (State.SENT, State.DELIVERED, State.SEEN, State.ANSWERED)
    for order in permutations(reports):
        state = State.LEASED
        for report in order:
            state = reported(state, report)
        assert state is State.ANSWERED


@pytest.mark.parametrize(
    ("state", "report", "expected"),
    [
        (State.PLANNED, State.LEASED, State.LEASED),
        (State.LEASED, State.FAILED, State.LEASED),  # whoever sends it says how that ended
        (State.PLANNED, State.FAILED, State.PLANNED),  # it will be tried again
        (State.CANCELLED, State.FAILED, State.FAILED),
        (State.FAILED, State.DELIVERED, State.DELIVERED),  # the provider was wrong before
        (State.CANCELLED, State.SENT, State.SENT),  # it had left already
        (State.SENT, State.CANCELLED, State.SENT),
        (State.DELIVERED, State.FAILED, State.DELIVERED),
        (State.ANSWERED, State.SEEN, State.ANSWERED),
    ],
)
def test_the_higher_rank_wins(state: State, report: State, expected: State) -> None:
    assert reported(state, report) is expected


@given(STATES, STATES)
def test_a_repeated_report_changes_nothing(state: State, report: State) -> None:
    once = reported(state, report)
    assert reported(once, report) is once
    assert once in {state, report}


def promise(purpose: Purpose, user: int = MARA.id, episode: int = 1) -> Promise:
    """A message to Mara's phone, planned when the alert was raised."""
    return Promise(user=user, method=11, purpose=purpose, episode=episode, planned_at=NIGHT)


ESCALATION = promise(Purpose.ESCALATION)
RESPONDER = promise(Purpose.RESPONDER, user=EVA.id)
REOPENED = after(closed(), (3, Reopened(by(MARA))))
ASKED = after(acknowledged(), (2, RespondersAdded(by(MARA), (EVA,))))
WANTED: dict[str, tuple[Promise, Alert, str | None]] = {
    "open": (ESCALATION, opened(), None),
    "acknowledged": (ESCALATION, acknowledged(), "acknowledged meanwhile"),
    "closed": (ESCALATION, closed(), "closed meanwhile"),
    "suppressed": (
        ESCALATION,
        after(opened(), (1, Suppressed("maintenance"))),
        "suppressed: maintenance",
    ),
    "open again": (ESCALATION, REOPENED, "a newer escalation replaced it"),
    "of the new episode": (replace(ESCALATION, episode=2), REOPENED, None),
    "answered by this person": (
        ESCALATION,
        after(opened(**TWO), (1, Acknowledged(by(MARA)))),
        "acknowledged by this person",
    ),
    "asked": (RESPONDER, ASKED, None),
    "asked and answered": (
        RESPONDER,
        after(ASKED, (3, Acknowledged(by(EVA)))),
        "answered meanwhile",
    ),
    "asked and closed": (RESPONDER, closed(), "closed meanwhile"),
    "update": (promise(Purpose.UPDATE), acknowledged(), None),
    "update of a closed one": (promise(Purpose.UPDATE), closed(), "closed meanwhile"),
    "somebody owns it": (promise(Purpose.ACKNOWLEDGED), acknowledged(), None),
    "nobody owns it any more": (promise(Purpose.ACKNOWLEDGED), REOPENED, "open meanwhile"),
    "still on it?": (promise(Purpose.STILL_ON_IT), acknowledged(), None),
    "nobody is on it": (promise(Purpose.STILL_ON_IT), REOPENED, "open meanwhile"),
    "take it over?": (replace(promise(Purpose.OFFERED), user=2), acknowledged(), None),
    "taken over": (promise(Purpose.OFFERED), acknowledged(), "taken over meanwhile"),
    "nobody has it": (promise(Purpose.OFFERED), REOPENED, "open meanwhile"),
    "it is over": (promise(Purpose.RESOLVED), closed(), None),
    "it is not over": (promise(Purpose.RESOLVED), REOPENED, "reopened meanwhile"),
}


@pytest.mark.parametrize(("promised", "alert", "why_not"), WANTED.values(), ids=WANTED)
def test_a_message_goes_out_only_while_it_is_wanted(
    promised: Promise, alert: Alert, why_not: str | None
) -> None:
    assert still_wanted(promised, alert, at(5)) == why_not


def test_a_notice_is_about_no_alert_and_grows_old_in_a_day() -> None:
    notice = promise(Purpose.NOTICE)
    assert still_wanted(notice, None, NIGHT + NOTICE_USEFUL_FOR) is None
    assert still_wanted(notice, None, NIGHT + NOTICE_USEFUL_FOR + SECOND) == "too old to be of use"
    assert still_wanted(ESCALATION, None, NIGHT) == "the alert or its team is gone"


EVENINGS = QuietHours((DailyWindow(tuple(Day), time(22), time(7)),), "Europe/Berlin", on_duty=True)


@pytest.mark.parametrize(
    ("purpose", "urgency", "on_duty", "held"),
    [
        (Purpose.ESCALATION, Urgency.URGENT, True, False),
        (Purpose.ESCALATION, Urgency.URGENT, False, True),
        (Purpose.ESCALATION, Urgency.NORMAL, True, True),
        (Purpose.RESPONDER, Urgency.NORMAL, False, False),
        (Purpose.RESOLVED, Urgency.URGENT, True, True),
        (Purpose.NOTICE, Urgency.NORMAL, True, True),
        (Purpose.NOTICE, Urgency.URGENT, True, False),
    ],
)
def test_quiet_hours_hold_until_they_end_on_the_persons_clock(
    purpose: Purpose, urgency: Urgency, *, on_duty: bool, held: bool
) -> None:
    quiet = replace(EVENINGS, on_duty=on_duty)
    night = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)  # half past midnight in Berlin
    ends = datetime(2026, 11, 25, 6, tzinfo=UTC)
    assert held_until(promise(purpose), urgency, quiet, night) == (ends if held else None)
    assert held_until(promise(purpose), urgency, quiet, ends) is None
    assert held_until(promise(purpose), urgency, replace(quiet, windows=()), night) is None


def test_news_grows_old_and_pages_never_do() -> None:
    late = NIGHT + UPDATE_USEFUL_FOR + SECOND
    assert still_wanted(promise(Purpose.RESOLVED), closed(), late) == "too old to be of use"
    assert still_wanted(promise(Purpose.UPDATE), acknowledged(), late) == "too old to be of use"
    assert still_wanted(ESCALATION, opened(), NIGHT + 48 * HOUR) is None
    assert still_wanted(RESPONDER, ASKED, NIGHT + 48 * HOUR) is None


@pytest.mark.parametrize("purpose", Purpose)
def test_only_pages_are_repeated(purpose: Purpose) -> None:
    repeats = purpose in {Purpose.ESCALATION, Purpose.RESPONDER}
    assert repeat_at(30 * SECOND, purpose, at(1)) == (at(1.5) if repeats else None)
    assert repeat_at(None, purpose, at(1)) is None


@pytest.mark.parametrize(
    ("attempts", "retry_after", "seconds"),
    [
        (1, None, 2),
        (2, None, 5),
        (6, None, 60),
        (8, None, 300),
        (1000, None, 300),
        (1, 7 * SECOND, 7),
        (6, 7 * SECOND, 60),
        (1, 24 * HOUR, 600),
        (1, timedelta(0), 2),
    ],
)
def test_a_page_is_tried_again_and_again(
    attempts: int, retry_after: timedelta | None, seconds: int
) -> None:
    assert retry_at(attempts, retry_after, NIGHT) == NIGHT + seconds * SECOND


@given(st.integers(1, 50), st.none() | st.timedeltas(timedelta(0), 48 * HOUR))
def test_no_retry_is_further_away_than_ten_minutes(
    attempts: int, retry_after: timedelta | None
) -> None:
    assert NIGHT < retry_at(attempts, retry_after, NIGHT) <= NIGHT + 10 * MINUTE


def test_quiet_hours_hold_nobody_who_is_needed_by_hand_or_by_everybody() -> None:
    quiet = QuietHours((DailyWindow(tuple(Day), time(), time()),), "UTC", on_duty=False)
    now = datetime(2026, 11, 24, 3, tzinfo=UTC)
    page = promise(Purpose.ESCALATION)
    alert = opened()
    assert held_until(page, Urgency.URGENT, quiet, now, alert) is not None
    by_hand = replace(alert, paged=(Paged(page.user or 0, 1, now, by_hand=True),))
    assert held_until(page, Urgency.URGENT, quiet, now, by_hand) is None
    everybody = replace(alert, mode=Mode.EMERGENCY)
    assert held_until(page, Urgency.URGENT, quiet, now, everybody) is None
    assert held_until(promise(Purpose.STILL_ON_IT), Urgency.NORMAL, quiet, now, alert) is None
