"""Whom an entry of a calendar means."""

import re
from collections.abc import Mapping

from tocsin.core.calendarfile.model import Entry

EVERYTHING = "*"
_BETWEEN = re.compile(r"[,;/&\n]|\band\b|\bund\b")
_ROLE = re.compile(r"^[^:]{1,40}:\s+")  # `On call: mara`


class People:
    """Finds users by their names and addresses of mail, in any case.

    `users` maps each name to its address; `called` maps what calendars say to names, and goes
    first. Its word `*` stands for entries that name nobody.
    """

    def __init__(self, users: Mapping[str, str | None], called: Mapping[str, str]) -> None:
        self._known = {mail.casefold(): name for name, mail in users.items() if mail}
        self._known |= {name.casefold(): name for name in users}
        self._known |= {word.casefold(): name for word, name in called.items() if name in users}
        self._else = called.get(EVERYTHING)

    def of(self, entry: Entry) -> tuple[str, ...]:
        """The users that an entry means, nobody twice; empty when nobody here is called so.

        The first that names anybody counts: the summary as a whole, what the entry says of its
        people, the summary cut at commas and the like.
        """
        pieces = _BETWEEN.split(_ROLE.sub("", entry.summary, count=1))
        for words in ((entry.summary,), entry.people, pieces):
            found = [self._known.get(word.strip().casefold()) for word in words]
            known = dict.fromkeys(name for name in found if name is not None)
            if known:
                return tuple(known)
        return () if self._else is None else (self._else,)
