"""Metrics of the nightly runs for Prometheus, which logs in with a bearer token."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from feedback_nlp.operations import render_metrics
from feedback_nlp.review.identity import Viewer
from feedback_nlp.review.site import site_of

router = APIRouter(include_in_schema=False)

_RUNS = 50
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/metrics")
def show_metrics(request: Request, me: Viewer) -> Response:
    """Return the metrics of the newest run and of the newest finished one."""
    return Response(render_metrics(site_of(request).store.records(limit=_RUNS)), media_type=_TYPE)
