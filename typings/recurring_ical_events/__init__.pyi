from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from icalendar import Calendar, Event

class CalendarQuery:
    suppressed_errors: ClassVar[Sequence[type[Exception]]]
    def between(self, start: datetime, stop: datetime) -> list[Event]: ...

def of(a_calendar: Calendar, *, skip_bad_series: bool = ...) -> CalendarQuery: ...
