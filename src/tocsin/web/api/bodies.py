"""What calls about alerts take, field by field; an unknown field is refused."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from tocsin.core.kinds import Mode, Severity, Status

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Comment = Annotated[str, StringConstraints(max_length=4000)]


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
    since: AwareDatetime | None = None
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
    classification: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    user: Name | None = None
    team: Name | None = None
    until: AwareDatetime | None = None


class Bulk(Strict):
    """Several alerts to answer at once."""

    ids: list[Name] = Field(min_length=1, max_length=500)
    comment: Comment | None = None
    classification: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
