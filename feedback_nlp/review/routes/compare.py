"""Two nights side by side."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from feedback_nlp.review.comparing import Comparison, compare
from feedback_nlp.review.identity import Viewer
from feedback_nlp.review.rendering import page
from feedback_nlp.review.site import Site, site_of

router = APIRouter(include_in_schema=False)

_RUNS = 60


def runs_of(site: Site) -> list[tuple[str, str]]:
    """Return the finished runs, the newest first: id and the time of their end."""
    frame = site.store.runs()
    return list(zip(frame["run_id"][:_RUNS], frame["finished_at"][:_RUNS], strict=True))


@router.get("/compare")
def show_comparison(request: Request, me: Viewer, before: str = "", after: str = "") -> HTMLResponse:
    """Compare two runs: those asked for, else the current one with the newest other."""
    site = site_of(request)
    runs = runs_of(site)
    current = site.hub.refresh().corpus.run_id
    later = after or current
    older = [run for run, _ in runs[[run for run, _ in runs].index(later) + 1 :]] if later in dict(runs) else []
    earlier = before or next(iter(older or [run for run, _ in runs if run != later]), "")
    found: Comparison | None = None
    if earlier and earlier != later:
        first, second = site.hub.of_run(earlier), site.hub.of_run(later)
        found = site.hub.cache.get(("compare", first.key, second.key), lambda: compare(first, second))
    return page(request, "compare.html.j2", me, runs=runs, before=earlier, after=later, found=found)
