"""How the simulated cloud writes moments."""

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """UTC with seven digits after the second, as the published samples show it."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond:06d}0Z"


def stamp_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


def read_stamp(text: str) -> datetime:
    """ValueError when the text is no moment or names no zone; microseconds are the finest part."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return moment.astimezone(UTC)
