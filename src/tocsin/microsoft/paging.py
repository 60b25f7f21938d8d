"""Lists that come a page at a time."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import structlog

from tocsin.core.reconcile import Remote
from tocsin.microsoft.client import Answer, Call, Client, Errand
from tocsin.microsoft.faults import temporary
from tocsin.microsoft.fields import Record, records, text

_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger()


async def pages(client: Client, first: Call, errand: Errand) -> AsyncIterator[Answer]:
    """Each page behind `first`, its link to the next followed as it is, on the same host only.

    Raises `CallError`; whoever has not seen the end must not take the list for complete.
    """
    call, followed = first, {first.url}
    while True:
        answer = await client.send(call, errand)
        if not isinstance(answer.body.get("value"), list):
            said = text(answer.body, "message") or "no list"
            raise temporary(
                call.asked, f"Microsoft answered {said} where a list was due; it is read again"
            )
        yield answer
        link = text(answer.body, "nextLink", "@odata.nextLink")
        if not link:
            return
        if link in followed:
            raise temporary(call.asked, "the link to the next page leads back; it is read again")
        followed.add(link)
        call = replace(call, url=link)


def parsed(
    answer: Answer, parse: Callable[[Record], Remote | None], what: str
) -> tuple[Remote, ...]:
    """The objects of one page; one that cannot be read is logged, the others go on."""
    found: list[Remote] = []
    for raw in records(answer.body.get("value")):
        remote = parse(raw)
        if remote is None:
            _log.warning(
                "microsoft_object_skipped",
                reason=f"{what} without an id",
                id=text(raw, "id", "name") or None,
                request_id=answer.request_id,
            )
        else:
            found.append(remote)
    return tuple(found)
