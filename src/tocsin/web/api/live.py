"""The call that stays open: what happens to alerts, as it happens."""

from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from tocsin.core.access import Caller
from tocsin.web.api.asking import FollowLive

router = APIRouter(tags=["live"])


@router.get("/live", summary="Server-sent events", response_class=StreamingResponse)
async def live(asking: FollowLive, request: Request) -> StreamingResponse:
    """Timeline entries of the caller's teams; `Last-Event-ID` resumes.

    Events: `hello` (the place to resume from), `timeline`, `resync` (too much was missed, or that
    place is not known: load everything again). A comment every 15 s keeps the connection alive.
    """
    authorization = request.headers.get("authorization", "")

    async def still() -> Caller | None:
        return await asking.doors.callers.of(authorization)

    stream: AsyncGenerator[bytes] = asking.doors.live.stream(
        asking.caller, request.headers.get("last-event-id"), still
    )
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, headers=headers, media_type="text/event-stream")
