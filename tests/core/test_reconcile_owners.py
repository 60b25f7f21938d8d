"""Accounts with several names, stamps that are too coarse, and closes that were taken back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.test_reconcile import (
    ACK,
    ACTIVE,
    CLOSE,
    CLOSED,
    JONAS,
    MARA,
    NEW,
    RULES,
    T0,
    intent,
    remote,
)
from tocsin.core.reconcile import (
    Comment,
    IntentKind,
    News,
    NewsKind,
    Remote,
    Wanted,
    news,
    seen_after,
    wanted,
)

MARA_ID = "8d2c6b1e-object-id"
REOPEN = intent(IntentKind.REOPENED, comment="by mistake")


def owned(names: tuple[str, ...], minute: int = 0) -> Remote:
    return replace(remote(ACTIVE, names[0], minute=minute), owner_names=names)


def test_an_owner_written_by_one_name_and_read_by_another_is_no_news() -> None:
    seen = seen_after(remote(NEW), None)
    echo = owned((MARA, MARA_ID), minute=1)
    for mine in (
        seen_after(remote(NEW), seen, Wanted(status=ACTIVE, owner=MARA_ID.upper())),
        seen_after(echo, seen, Wanted(status=ACTIVE, owner=MARA_ID)),
    ):
        assert news(echo, mine) == ()
        assert news(owned((JONAS,), minute=2), mine) == (News(NewsKind.OWNER_CHANGED, JONAS),)


def test_a_renamed_owner_is_the_same_owner() -> None:
    seen = seen_after(owned((MARA, MARA_ID)), None)
    assert news(owned(("mara.new@example.org", MARA_ID), minute=1), seen) == ()


def test_an_owner_who_is_there_by_another_name_is_not_written_again() -> None:
    taking = intent(IntentKind.ACKNOWLEDGED, owner=MARA_ID)
    assert wanted(owned((MARA, MARA_ID)), (taking,), RULES).owner is None
    assert wanted(owned((JONAS,)), (taking,), RULES).owner == MARA_ID


@pytest.mark.parametrize("before", [remote(NEW), remote(ACTIVE, JONAS)])
def test_a_read_from_before_our_write_is_no_news_where_stamps_are_coarse(before: Remote) -> None:
    """A list that was made before our write, with the stamp that our write got too."""
    seen = seen_after(before, None)
    wrote = Wanted(status=ACTIVE, owner=MARA)
    seen = seen_after(remote(ACTIVE, MARA), seen, wrote)
    assert news(before, seen) == ()
    assert seen_after(before, seen) == seen
    later = replace(remote(CLOSED, MARA), modified_at=T0 + timedelta(seconds=1))
    assert news(later, seen) == (News(NewsKind.CLOSED, MARA),)


def test_what_was_asked_for_before_it_was_reopened_is_asked_for_no_more() -> None:
    asked = wanted(remote(NEW), (ACK, CLOSE, REOPEN), RULES)
    assert replace(asked, comments=()) == Wanted()
    assert asked.comments[-1] == Comment(
        id="e-reopened", text="Reopened in Tocsin by Mara Ilves: by mistake"
    )
    assert len(asked.comments) == 3


def test_what_is_asked_for_after_it_was_reopened_is_asked_for() -> None:
    assert wanted(remote(NEW), (CLOSE, REOPEN, ACK), RULES).status is ACTIVE
    assert wanted(remote(NEW), (ACK, REOPEN, CLOSE), RULES).status is CLOSED
    assert wanted(remote(NEW), (ACK, REOPEN, CLOSE), RULES).owner is None


def test_an_object_that_is_closed_there_stays_closed_when_it_is_reopened_here() -> None:
    assert wanted(remote(CLOSED), (REOPEN,), RULES).status is None
