"""What calls about alerts take, field by field; an unknown field is refused."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from tocsin.core.kinds import Mode, Severity, Status

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Comment = Annotated[str, StringConstraints(max_length=4000)]


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("it lies outside the years 1 to 9999 of UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its offset, as UTC; one that UTC's calendar does not have is refused."""


class Tier(StrEnum):
    """The tiers of duty. The API always answers text (`"1"`), also where the file has a number."""

    FIRST = "1"
    SECOND = "2"
    THIRD = "3"
    MANAGER = "manager"


def _as_text(value: object) -> object:
    number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if number else value


AnyTier = Annotated[Tier, BeforeValidator(_as_text)]
"""A tier as text or, as the configuration file writes it, as a number."""


class Classification(StrEnum):
    """How an alert turned out: Microsoft's words, in the spelling of Graph or of Sentinel."""

    TRUE_POSITIVE = "truePositive"
    FALSE_POSITIVE = "falsePositive"
    EXPECTED = "informationalExpectedActivity"
    BENIGN_POSITIVE = "benignPositive"
    UNKNOWN = "unknown"
    UNDETERMINED = "undetermined"


def _in_our_case(value: object) -> object:
    spelled = {word.value.lower(): word for word in Classification}
    return spelled.get(value.lower(), value) if isinstance(value, str) else value


AnyClassification = Annotated[Classification, BeforeValidator(_in_our_case)]
"""A classification, in upper or lower case."""


class Strict(BaseModel):
    """Refuses fields that it does not know."""

    model_config = ConfigDict(extra="forbid")


class AlertQuery(Strict):
    """Which alerts to list. `status` and `severity` may be given several times."""

    team: Name | None = None
    status: list[Status] = Field(default_factory=list[Status], max_length=10)
    severity: list[Severity] = Field(default_factory=list[Severity], max_length=10)
    source: Name | None = None
    integration: Name | None = None
    external_id: Name | None = None
    q: Name | None = None
    since: Moment | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = None


class NewAlert(Strict):
    """An alert raised by hand, for one team or for several."""

    team: Name | None = None
    teams: list[Name] | None = Field(None, min_length=1, max_length=50)
    title: Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
    text: Annotated[str, StringConstraints(max_length=20_000)] = ""
    severity: Severity = Severity.HIGH
    category: Name | None = None
    external_id: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    mode: Mode | None = None
    details: dict[str, Any] = Field(default_factory=dict[str, Any], max_length=200)


class Answer(Strict):
    """What goes with an answer; which fields an answer uses is said where it is described."""

    comment: Comment | None = None
    classification: AnyClassification | None = None
    user: Name | None = None
    team: Name | None = None
    until: Moment | None = None
    restart: bool | None = None


class Bulk(Strict):
    """Several alerts to answer at once."""

    ids: list[Name] = Field(min_length=1, max_length=500)
    comment: Comment | None = None
    classification: AnyClassification | None = None
