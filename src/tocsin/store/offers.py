"""Swaps and requests for cover: offers of shifts, and what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tocsin.store.db import Connection, Row, rows, run


class Kind(StrEnum):
    """Offered to one person for one of theirs, or to everybody for nothing."""

    SWAP = "swap"
    COVER = "cover"


class State(StrEnum):
    """Where an offer is in its life; only an open one can be answered."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Stint:
    """A person's duty in a schedule (by row) over [from_, to)."""

    schedule: int
    from_: datetime
    to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOffer:
    """An offer to be made. `taker` and `back` are a swap's: who takes it, and gives what for it."""

    team: int
    kind: Kind
    user: int
    stint: Stint
    taker: int | None = None
    back: Stint | None = None
    comment: str | None = None

    @property
    def begins(self) -> datetime:
        """When the earlier of its shifts begins."""
        return min(one.from_ for one in (self.stint, self.back) if one is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A stored offer, with the names of what it is about; what is gone has the name `?`."""

    new: NewOffer
    id: int
    team_name: str
    user_name: str
    schedule_name: str
    taker_name: str | None
    back_name: str | None
    state: State
    made_by: str
    made_at: datetime
    answered_by: str | None
    answered_at: datetime | None

    def state_at(self, now: datetime) -> State:
        """The state as people see it: what nobody answered in time has expired."""
        over = self.state is State.OPEN and self.new.begins <= now
        return State.EXPIRED if over else self.state


async def add(connection: Connection, new: NewOffer, by: str, now: datetime) -> int:
    """Store an open offer; answers its row."""
    back = new.back
    (row,) = await rows(
        connection,
        "INSERT INTO shift_offer (team_id, kind, schedule_id, user_id, during, taker_id,"
        " back_schedule_id, back_during, comment, made_by, made_at, begins_at)"
        " VALUES ($1, $2, $3, $4, tstzrange($5, $6), $7, $8,"
        " CASE WHEN $8::int IS NOT NULL THEN tstzrange($9, $10) END, $11, $12, $13, $14)"
        " RETURNING id",
        new.team,
        new.kind.value,
        new.stint.schedule,
        new.user,
        new.stint.from_,
        new.stint.to,
        new.taker,
        back and back.schedule,
        back and back.from_,
        back and back.to,
        new.comment,
        by,
        now,
        new.begins,
    )
    return int(row["id"])


async def overlapping(connection: Connection, new: NewOffer) -> bool:
    """Whether an open offer of the same shift, or of a part of it, is there already."""
    found = await rows(
        connection,
        "SELECT 1 FROM shift_offer WHERE team_id = $1 AND state = 'open' AND kind = $2"
        " AND schedule_id = $3 AND user_id = $4 AND during && tstzrange($5, $6)"
        " AND taker_id IS NOT DISTINCT FROM $7 LIMIT 1",
        new.team,
        new.kind.value,
        new.stint.schedule,
        new.user,
        new.stint.from_,
        new.stint.to,
        new.taker,
    )
    return bool(found)


async def find(connection: Connection, team: int, row: int) -> Offer | None:
    """An offer by its row."""
    found = await rows(connection, f"{_OFFERS} WHERE o.team_id = $1 AND o.id = $2", team, row)
    return _offer(found[0]) if found else None


async def claim(connection: Connection, team: int, row: int) -> Offer | None:
    """The same, locked until we commit, so that it neither expires nor is answered meanwhile."""
    locked = await rows(
        connection,
        "SELECT 1 FROM shift_offer WHERE team_id = $1 AND id = $2 FOR NO KEY UPDATE",
        team,
        row,
    )
    return await find(connection, team, row) if locked else None


async def listed(
    connection: Connection, teams: Sequence[int], kind: Kind, state: State | None, now: datetime
) -> list[Offer]:
    """The newest 200 offers of teams, in this state as people see it at `now` (None: in any)."""
    found = await rows(
        connection,
        f"{_OFFERS} WHERE o.team_id = ANY($1::int[]) AND o.kind = $2 AND ($3::text IS NULL OR $3 ="
        " CASE WHEN o.state = 'open' AND o.begins_at <= $4 THEN 'expired' ELSE o.state END)"
        " ORDER BY o.made_at DESC, o.id DESC LIMIT 200",
        list(teams),
        kind.value,
        state and state.value,
        now,
    )
    return [_offer(row) for row in found]


async def settle(
    connection: Connection, offer: Offer, state: State, taker: int | None, by: str, now: datetime
) -> None:
    """Write the answer to an offer that is claimed and open."""
    await run(
        connection,
        "UPDATE shift_offer SET state = $3, taker_id = $4, answered_by = $5, answered_at = $6"
        " WHERE team_id = $1 AND id = $2 AND state = 'open'",
        offer.new.team,
        offer.id,
        state.value,
        taker,
        by,
        now,
    )


async def expired(connection: Connection, now: datetime, limit: int) -> list[Offer]:
    """Offers whose shift begins unanswered; each is handed out once, as expired."""
    found = await rows(
        connection,
        "WITH due AS (SELECT team_id, id FROM shift_offer WHERE state = 'open' AND begins_at <= $1"
        " ORDER BY begins_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)"
        " UPDATE shift_offer o SET state = 'expired', answered_at = $1 FROM due"
        " WHERE o.team_id = due.team_id AND o.id = due.id RETURNING o.team_id, o.id",
        now,
        limit,
    )
    offers = [await find(connection, row["team_id"], row["id"]) for row in found]
    return [offer for offer in offers if offer is not None]


_OFFERS = """
SELECT o.*, lower(o.during) AS from_at, upper(o.during) AS to_at,
  lower(o.back_during) AS back_from, upper(o.back_during) AS back_to,
  t.name AS team_name, coalesce(u.name, '?') AS user_name, coalesce(s.name, '?') AS schedule_name,
  k.name AS taker_name, b.name AS back_name
FROM shift_offer o JOIN team t ON t.id = o.team_id
LEFT JOIN app_user u ON u.id = o.user_id
LEFT JOIN app_user k ON k.id = o.taker_id
LEFT JOIN schedule s ON s.team_id = o.team_id AND s.id = o.schedule_id
LEFT JOIN schedule b ON b.team_id = o.team_id AND b.id = o.back_schedule_id
"""


def _offer(row: Row) -> Offer:
    return Offer(
        new=_new(row),
        id=row["id"],
        state=State(row["state"]),
        **{name: row[name] for name in _PLAIN},
    )


_PLAIN = (
    "team_name", "user_name", "schedule_name", "taker_name", "back_name", "made_by", "made_at",
    "answered_by", "answered_at",
)  # fmt: skip


def _new(row: Mapping[str, Any]) -> NewOffer:
    back = None
    if row["back_schedule_id"] is not None:
        back = Stint(row["back_schedule_id"], row["back_from"], row["back_to"])
    return NewOffer(
        team=row["team_id"],
        kind=Kind(row["kind"]),
        user=row["user_id"],
        stint=Stint(row["schedule_id"], row["from_at"], row["to_at"]),
        taker=row["taker_id"],
        back=back,
        comment=row["comment"],
    )
