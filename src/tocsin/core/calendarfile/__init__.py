"""Calendar files: iCalendar text ⇄ shifts, time off and holidays."""

from tocsin.core.calendarfile.model import CalendarError, Entry, Reading
from tocsin.core.calendarfile.people import People
from tocsin.core.calendarfile.reading import local_days, read
from tocsin.core.calendarfile.writing import write

__all__ = ["CalendarError", "Entry", "People", "Reading", "local_days", "read", "write"]
