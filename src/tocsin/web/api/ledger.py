"""The call that shows the ledger of an alert's pages: due, sent, how late, reached, answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, WithJsonSchema
from pydantic.fields import FieldInfo

from tocsin.actions.shown import instant, plain
from tocsin.actions.world import PlugIns
from tocsin.core import ids
from tocsin.core.notification import State
from tocsin.store import alerts
from tocsin.store.db import Row
from tocsin.web.api.alerts import loaded
from tocsin.web.api.asking import ReadAlerts

router = APIRouter(tags=["alerts"])

_WEBHOOK = "webhook"
"""The channel of what a step posts to an outgoing webhook."""


def _said(words: str) -> FieldInfo:
    made: FieldInfo = Field(description=words)
    return made


Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})] | None


class LedgerLine(BaseModel):
    """What became of a notification at one moment; lines are never rewritten."""

    at: Time
    state: Annotated[str, _said("A state, or `retry`: it failed for now and is tried again.")]
    detail: Annotated[str | None, _said("The provider's words, or our reason.")]
    possible_duplicate: bool


class AnsweredBy(BaseModel):
    """Who answered through a link of the notification first, how and when."""

    user: str
    via: str
    action: Annotated[str, _said("What was asked for through the link, such as `acknowledge`.")]
    at: Time


class BundledInto(BaseModel):
    """The notification whose message carried this one, and the alert that one is about."""

    id: str
    alert: str | None
    number: int | None
    state: Annotated[str | None, _said("How far that message has come.")]


class Notification(BaseModel):
    """One message to one contact method, or one call of an outgoing webhook."""

    id: str
    user: Annotated[str | None, _said("Null for the call of an outgoing webhook.")]
    contact_method: str | None
    webhook: Annotated[str | None, _said("The outgoing webhook that a step calls.")]
    channel: str | None
    provider: Annotated[str | None, _said("The plug-in that carries the channel.")]
    purpose: str
    urgency: str
    round: int
    step: int
    attempt: Annotated[int, _said("1, then 2 for the first repetition.")]
    state: State
    planned_at: Time
    due_at: Time
    sent_at: Annotated[Time, _said("When the provider had accepted it.")]
    late_seconds: Annotated[float | None, _said("From `due_at` to `sent_at`; null until sent.")]
    delivered_at: Annotated[Time, _said("When the provider first reported it delivered.")]
    seen_at: Annotated[Time, _said("When a person was first reported to have seen it.")]
    next_try_at: Annotated[Time, _said("When it is handed over next; null when nothing is left.")]
    tries: int
    provider_id: Annotated[str | None, _said("The provider's name for it.")]
    detail: Annotated[str | None, _said("The provider's last words, or our reason.")]
    possible_duplicate: bool
    bundled_into: BundledInto | None
    answered_by: AnsweredBy | None
    history: list[LedgerLine]


class Notifications(BaseModel):
    """In the order in which they were due."""

    items: list[Notification]
    next: str | None = None


@router.get("/alerts/{alert_id}/notifications", summary="The ledger of its pages")
async def get_notifications(asking: ReadAlerts, alert_id: str) -> Notifications:
    """Every page in the order in which it was due, each with what became of it, line by line."""
    async with asking.world.database.transaction() as connection:
        alert = await loaded(connection, asking, alert_id)
        found = await alerts.notifications(connection, alert.team, alert.id)
        lines = await alerts.ledger(connection, alert.team, alert.id)
    history: dict[UUID, list[Row]] = {}
    for line in lines:
        history.setdefault(line["notification_id"], []).append(line)
    plug_ins = asking.world.plug_ins
    return Notifications(items=[_shown(row, history.get(row["id"], ()), plug_ins) for row in found])


def _shown(row: Row, history: Sequence[Row], plug_ins: PlugIns) -> Notification:
    channel = row["channel"] or (_WEBHOOK if row["webhook"] is not None else None)
    return Notification(
        id=ids.encode(row["team_id"], row["id"]),
        user=row["user_name"],
        contact_method=row["method_name"],
        webhook=row["webhook"],
        channel=channel,
        provider=channel if channel in plug_ins.channels else None,
        purpose=row["purpose"],
        urgency=row["urgency"],
        round=row["round"] + 1,
        step=row["step"] + 1,
        attempt=row["attempt"],
        state=State(row["state"]),
        planned_at=instant(row["planned_at"]),
        due_at=instant(row["due_at"]),
        sent_at=instant(row["sent_at"]),
        late_seconds=_late(row["due_at"], row["sent_at"]),
        delivered_at=_first(history, State.DELIVERED),
        seen_at=_first(history, State.SEEN),
        next_try_at=instant(row["next_try_at"]),
        tries=row["tries"],
        provider_id=row["provider_id"],
        detail=row["detail"],
        possible_duplicate=row["possible_duplicate"],
        bundled_into=_carrier(row),
        answered_by=_answer(plain(row["answer"])),
        history=[_line(line) for line in history],
    )


def _late(due: datetime, sent: datetime | None) -> float | None:
    """Never below zero: clocks of two processes differ a little."""
    return None if sent is None else max(0.0, round((sent - due).total_seconds(), 3))


def _first(history: Sequence[Row], state: State) -> str | None:
    """When the ledger first says `state`; reports may come twice and out of order."""
    return instant(min((line["at"] for line in history if line["state"] == state), default=None))


def _carrier(row: Row) -> BundledInto | None:
    if row["carrier_id"] is None:
        return None
    about = row["carrier_alert"]
    return BundledInto(
        id=ids.encode(row["team_id"], row["carrier_id"]),
        alert=None if about is None else ids.encode(row["team_id"], about),
        number=row["carrier_number"],
        state=row["carrier_state"],
    )


def _answer(answer: object) -> AnsweredBy | None:
    if not isinstance(answer, Mapping):
        return None
    return AnsweredBy.model_validate(answer)


def _line(line: Row) -> LedgerLine:
    return LedgerLine(
        at=instant(line["at"]),
        state=line["state"],
        detail=line["detail"],
        possible_duplicate=line["possible_duplicate"],
    )
