"""The notifications that an alert has, as the ones of its imagined hours begin with."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tocsin.actions.foresee.imagined import REACHED, Imagined, Outbox
from tocsin.core.effects import Purpose
from tocsin.core.kinds import Urgency
from tocsin.core.notification import PAGES, Promise, State
from tocsin.core.storm import Traffic
from tocsin.store.db import Row
from tocsin.store.outbox import repeat_every_of

_MINUTE = timedelta(minutes=1)


def outbox_of(rows: Iterable[Row], now: datetime) -> Outbox:
    """What is kept of an alert; a message that a worker has in hand just now is due now."""
    outbox = Outbox()
    for row in rows:
        one = _imagined(row, now)
        outbox.put(one)
        method = one.promise.method
        if method is not None and one.sent_at is not None and now - one.sent_at < _MINUTE:
            page = one.promise.purpose in PAGES
            recent = outbox.traffic.get(method, Traffic()).recent
            outbox.traffic[method] = Traffic((*recent, (one.sent_at, page)))
    return outbox


def _imagined(row: Row, now: datetime) -> Imagined:
    state = State(row["state"])
    if state is State.LEASED:
        state = State.PLANNED
    return Imagined(
        promise=Promise(
            user=row["user_id"],
            method=row["method_id"],
            purpose=Purpose(row["purpose"]),
            episode=row["episode"],
            planned_at=row["planned_at"],
        ),
        urgency=Urgency(row["urgency"]),
        round=row["round"],
        step=row["step"],
        due_at=row["due_at"],
        next_try_at=now if row["state"] == State.LEASED else row["next_try_at"] or row["due_at"],
        webhook=row["webhook"],
        attempt=row["attempt"],
        repeat_every=repeat_every_of(row),
        state=state,
        sent_at=row["sent_at"] if state in REACHED else None,
    )
