"""Wall-clock times across zones and daylight saving, resolved to instants.

A wall-clock time is a naive `datetime`; an instant is an aware one in UTC. The mapping never
runs backwards: a time that the clock skips stands for the end of the gap, a time that the clock
shows twice for its first showing. So the order of wall times is the order of their instants,
and two different wall times may be one instant.

Zones are those of the IANA database as `whenever` finds it: the system's, else the `tzdata`
package's.
"""

from datetime import UTC, datetime

from whenever import Instant, PlainDateTime, TimeZoneNotFoundError

_COPIES = ("posix/", "right/")  # folders on some systems; the clocks of `right/` run leap seconds
_NO_PLACES = frozenset({"factory", "localtime", "posixrules"})


class UnknownZone(ValueError):  # noqa: N818  (the name says what is wrong)
    """The name is no zone of the IANA time zone database."""


def check_zone(zone: str) -> None:
    """Raises `UnknownZone` unless `zone` is an IANA name (in any case), as `Europe/Berlin`."""
    lower = zone.lower()
    if lower in _NO_PLACES or lower.startswith(_COPIES):
        raise _unknown(zone)
    wall_clock(datetime(2000, 1, 1, tzinfo=UTC), zone)


def resolve(wall: datetime, zone: str) -> datetime:
    """The instant (UTC) at which clocks of the zone first show `wall` or a later time.

    A skipped 02:30 is the jump itself, not 03:30; a repeated 02:30 is the first one.

    >>> resolve(datetime(2026, 3, 8, 2, 30), "America/New_York").isoformat()
    '2026-03-08T07:00:00+00:00'

    Raises `UnknownZone`, and `ValueError` when `wall` carries an offset.
    """
    plain = PlainDateTime(wall)
    try:
        # its stub names a PEP 661 sentinel, which pyright cannot read yet
        earlier = plain.assume_tz(zone, disambiguation="earlier")  # pyright: ignore[reportUnknownMemberType]  # PEP 661
    except TimeZoneNotFoundError as fault:
        raise _unknown(zone) from fault
    if earlier.to_plain() != plain:  # skipped; `earlier` counts back from before the jump
        jump = earlier.next_transition()
        assert jump is not None, "a gap has a jump after it"
        earlier = jump
    return earlier.to_instant().to_stdlib()


def instant(moment: datetime, zone: str) -> datetime:
    """The instant (UTC) of a time that may carry an offset; without one it is wall time."""
    return resolve(moment, zone) if moment.tzinfo is None else moment.astimezone(UTC)


def wall_clock(at: datetime, zone: str) -> datetime:
    """What a clock of the zone shows at the instant `at`, naive. Raises `UnknownZone`."""
    try:
        # the sentinel again
        there = Instant(at).to_tz(zone)  # pyright: ignore[reportUnknownMemberType]  # PEP 661
    except TimeZoneNotFoundError as fault:
        raise _unknown(zone) from fault
    return there.to_plain().to_stdlib()


def _unknown(zone: str) -> UnknownZone:
    return UnknownZone(f"{zone[:60]!r} is not a time zone; use an IANA name such as Europe/Berlin")
