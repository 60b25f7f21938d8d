"""Fetches a calendar from its address: what it holds now, or that it is as before."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from yarl import URL

from tocsin.core.calendarfile import CalendarError
from tocsin.egress import AnswerTooLargeError
from tocsin.ports import Egress, EgressError, Response

MOST_BYTES: Final = 5 << 20
WITHIN: Final = timedelta(seconds=30)
_MOST_REDIRECTS: Final = 4
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What an address answered, with the words by which it knows this version again."""

    content: bytes
    etag: str | None
    modified: str | None


def address_of(text: str) -> str:
    """The address that is fetched, `webcal` being another word for https. Raises `ValueError`."""
    fault = ValueError("give the address of an iCalendar file: https://...")
    if any(char <= " " or char == "\x7f" for char in text.strip()):
        raise fault
    try:
        address = URL(text.strip())
    except ValueError:
        raise fault from None
    if address.scheme in {"webcal", "webcals"}:
        address = address.with_scheme("https")
    if address.scheme not in {"http", "https"} or not address.host:
        raise fault
    return str(address)


def host_of(address: str) -> str:
    """What of an address may be shown: the rest is often a secret."""
    return URL(address).host or ""


async def fetch(
    egress: Egress,
    address: str,
    *,
    etag: str | None = None,
    modified: str | None = None,
    within: timedelta = WITHIN,
) -> Fetched | None:
    """What the address holds; None when it says that nothing changed since `etag`, `modified`.

    Redirects are followed a few times, each to an address that the guard permits, all together
    `within` a time. Raises `CalendarError`, whose words name hosts and never the address, which may
    be a secret.
    """
    headers = {"Accept": "text/calendar, */*;q=0.1"}
    headers |= {"If-None-Match": etag} if etag else {}
    headers |= {"If-Modified-Since": modified} if modified else {}
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await _followed(egress, URL(address), headers)
    except TimeoutError:
        seconds = round(within.total_seconds())
        raise CalendarError(f"{URL(address).host} gave no answer in time: {seconds} s") from None


async def _followed(egress: Egress, target: URL, headers: dict[str, str]) -> Fetched | None:
    for _ in range(_MOST_REDIRECTS + 1):
        answer = await _asked(egress, target, headers)
        if answer.status not in _REDIRECTS:
            return _fetched(answer, target)
        target = _redirected(answer, target)
    raise CalendarError(
        f"it is redirected more than {_MOST_REDIRECTS} times, by {target.host} last"
    )


async def _asked(egress: Egress, target: URL, headers: dict[str, str]) -> Response:
    try:
        return await egress.request("GET", str(target), headers=headers, within=WITHIN)
    except AnswerTooLargeError:
        raise CalendarError(
            f"it is larger than {MOST_BYTES >> 20} MB, which is the most that is read; "
            "shorten it, or name one that holds only what is needed here"
        ) from None
    except EgressError as fault:
        raise CalendarError(str(fault)) from fault


def _fetched(answer: Response, target: URL) -> Fetched | None:
    if answer.status == 304:
        return None
    if answer.status != 200:
        hint = "; is the address still shared?" if answer.status in {401, 403, 404, 410} else ""
        raise CalendarError(f"{target.host} answered with the status {answer.status}{hint}")
    return Fetched(
        content=answer.content,
        etag=answer.headers.get("etag"),
        modified=answer.headers.get("last-modified"),
    )


def _redirected(answer: Response, target: URL) -> URL:
    try:
        onwards = target.join(URL(answer.headers.get("location", "")))
    except ValueError:
        onwards = URL()
    if onwards.scheme not in {"http", "https"} or not onwards.host:
        raise CalendarError(f"{target.host} redirects to what is no http or https address")
    if target.scheme == "https" and onwards.scheme == "http":
        raise CalendarError(f"{target.host} redirects to {onwards.host} without encryption")
    return onwards
