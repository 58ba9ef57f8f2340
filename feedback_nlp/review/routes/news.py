"""Server-sent events: open pages hear of decisions and nights as they come."""

import json
import time
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from feedback_nlp.review.identity import Viewer
from feedback_nlp.review.site import site_of

router = APIRouter(include_in_schema=False)

LONGEST = 600.0
"""Seconds until the browser has to come again, so that who may no longer read is not told on and on."""


@router.get("/events")
async def events(request: Request, me: Viewer) -> StreamingResponse:
    """Stream what changes: ``data`` is a JSON object with version, run, new_run and acts."""
    news = site_of(request).news

    async def stream() -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        until = time.monotonic() + LONGEST
        async for message in news.listen():
            if time.monotonic() > until:
                return
            yield ": still here\n\n" if message is None else f"data: {json.dumps(message)}\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
