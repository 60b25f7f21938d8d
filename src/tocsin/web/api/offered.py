"""How swaps and requests for cover look to callers of the API."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from tocsin.actions.shown import instant
from tocsin.core import ids
from tocsin.store.offers import Offer, State

Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class Stretch(BaseModel):
    """A shift, or a part of one."""

    model_config = ConfigDict(populate_by_name=True)

    schedule: str
    from_: Time = Field(alias="from")
    to: Time


class Offered(Stretch):
    """What swaps and requests for cover have in common; the shift is that of `user`."""

    id: str
    team: str
    team_id: str
    user: str
    user_id: str
    comment: str | None
    state: State
    expires_at: Annotated[Time, Field(description="When the earlier of its shifts begins.")]
    made_by: str
    made_at: Time
    answered_by: str | None
    answered_at: Time | None


class Swap(Offered):
    """A shift that is offered `with` somebody for theirs, which is `back`."""

    with_: str = Field(alias="with")
    back: Stretch


class Cover(Offered):
    """A shift that anybody of the team may take who is free then."""

    taken_by: str | None


class Swaps(BaseModel):
    """Swaps, newest first."""

    items: list[Swap]
    next: None = None


class Covers(BaseModel):
    """Requests for cover, newest first."""

    items: list[Cover]
    next: None = None


def swap(offer: Offer, now: datetime) -> Swap:
    """A swap as its team sees it at `now`."""
    back = offer.new.back
    assert back is not None, "a swap has two sides"
    theirs = {
        "schedule": offer.back_name or "?",
        "from": instant(back.from_),
        "to": instant(back.to),
    }
    fields = _common(offer, now) | {"with": offer.taker_name or "?", "back": theirs}
    return Swap.model_validate(fields)


def cover(offer: Offer, now: datetime) -> Cover:
    """A request for cover as its team sees it at `now`."""
    return Cover.model_validate(_common(offer, now) | {"taken_by": offer.taker_name})


def _common(offer: Offer, now: datetime) -> dict[str, object]:
    new = offer.new
    return {
        "id": ids.encode(new.team, offer.id),
        "team": offer.team_name,
        "team_id": ids.encode(0, new.team),
        "user": offer.user_name,
        "user_id": ids.encode(0, new.user),
        "schedule": offer.schedule_name,
        "from": instant(new.stint.from_),
        "to": instant(new.stint.to),
        "comment": new.comment,
        "state": offer.state_at(now),
        "expires_at": instant(new.begins),
        "made_by": offer.made_by,
        "made_at": instant(offer.made_at),
        "answered_by": offer.answered_by,
        "answered_at": instant(offer.answered_at),
    }
