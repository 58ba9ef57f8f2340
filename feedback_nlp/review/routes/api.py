"""The programming interface: the same data and acts as JSON, for bearer tokens and for the page's own session.

Comments come with personal data covered, as everywhere on the page.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from feedback_nlp.core.columns import LANGS, SENTIMENTS
from feedback_nlp.lang.pack import CODES
from feedback_nlp.review.faults import Refused
from feedback_nlp.review.filters import Filter, read_filter
from feedback_nlp.review.identity import Analyst, Viewer
from feedback_nlp.review.listing import Entry, find_topic, list_topics, rows_of
from feedback_nlp.review.marking import Shown, show_comment
from feedback_nlp.review.routes.acts import reverse
from feedback_nlp.review.routes.exports import Colour, Picture, map_picture
from feedback_nlp.review.site import site_of
from feedback_nlp.review.words import open_words_in
from feedback_nlp.store.decisions import Decision

router = APIRouter(prefix="/api", tags=["review"])

MOST = 500
_HIGHEST = 2**31 - 1

TopicId = Annotated[int, Path(ge=-1, le=_HIGHEST)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Offset = Annotated[int, Query(ge=0, le=_HIGHEST)]
Act = Literal[
    "rename", "merge", "split", "move", "lock", "unlock", "hide", "show", "note", "wrong_driver", "correct_driver",
    "correct_evidence", "correct_sentiment", "confirm", "assign",
]  # fmt: skip


class Fault(BaseModel):
    """What went wrong."""

    error: str
    """In words."""
    newer: dict[str, Any] | None = None
    """For a conflict, the decision that someone else took meanwhile."""


FAULTS: dict[int | str, dict[str, Any]] = {
    code: {"model": Fault} for code in (400, 401, 403, 404, 409, 413, 414, 421, 422, 503)
}


class Wanted(BaseModel):
    """Which comments count; see the filter of the page."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[str, Field(max_length=200)] = ""
    lang: Literal["", "ar", "fa", "en", "other", "und"] = ""
    sentiment: Literal["", "negative", "neutral", "positive", "mixed"] = ""
    mark: Literal["", "policy-", "employee-", "policy+", "employee+"] = ""
    subtopic: Annotated[str, Field(pattern=r"^[0-9]{0,9}$")] = ""
    since: str = ""
    until: str = ""
    branch: str = ""
    product: str = ""
    channel: str = ""
    employee: str = ""

    def as_filter(self) -> Filter:
        """Return the filter.

        :raises ConfigError: for a date that is none.
        """
        return read_filter(self.model_dump())


class TopicWanted(Wanted):
    """Which topics to list."""

    sort: Literal["size", "name", "negative", "policy", "employee", "praise", "rising"] = "size"
    ui: Literal["en", "ar", "fa"] = "en"
    hidden: bool = False
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100
    offset: Annotated[int, Field(ge=0, le=_HIGHEST)] = 0


class CommentWanted(Wanted):
    """Which comments to list."""

    topic: Annotated[int | None, Field(ge=-1, le=_HIGHEST)] = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100
    offset: Annotated[int, Field(ge=0, le=_HIGHEST)] = 0


class MapWanted(Wanted):
    """What to draw."""

    colour: Colour = "topic"
    box: Annotated[str, Field(max_length=120)] = ""
    """The part of the map: left,top,right,bottom; the whole one lies within 0 to 1."""
    ui: Literal["en", "ar", "fa"] = "en"


class DecisionWanted(BaseModel):
    """An act; see the documentation of the decision layer for what each needs."""

    model_config = ConfigDict(extra="forbid")

    act: Act
    topic_id: Annotated[int, Field(ge=-1, le=_HIGHEST)] | None = None
    comment_id: Annotated[str, Field(max_length=1024)] | None = None
    comment_ids: Annotated[list[Annotated[str, Field(max_length=1024)]], Field(max_length=200_000)] = []
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    expected: Annotated[int, Field(ge=0, le=_HIGHEST)] | None = None


class ReversalWanted(BaseModel):
    """An act to undo or redo; None takes the user's latest."""

    model_config = ConfigDict(extra="forbid")

    decision: Annotated[int, Field(ge=1, le=_HIGHEST)] | None = None
    expected: Annotated[int, Field(ge=0, le=_HIGHEST)] | None = None


def _topic(entry: Entry) -> dict[str, Any]:
    counts, topic = entry.counts, entry.topic
    return {
        "topic_id": entry.id,
        "names": {lang: entry.name(lang) for lang in CODES},
        "keywords": {lang: list(topic.get(f"keywords_{lang}") or ()) for lang in CODES},
        "parent_id": topic.get("parent_id"),
        "status": topic.get("status"),
        "locked": bool(topic.get("locked")),
        "hidden": bool(topic.get("hidden")),
        "comments": counts.comments,
        "share": counts.share,
        "sentiments": dict(zip(SENTIMENTS, counts.sentiments, strict=True)),
        "langs": dict(zip(LANGS, counts.langs, strict=True)),
        "complaints": {"policy": counts.policy, "employee": counts.employee, "both": counts.both},
        "praise": counts.praise,
        "trend": list(counts.trend),
        "first_seen": topic.get("first_seen"),
        "growth": topic.get("growth"),
        "lineage": list(topic.get("lineage") or ()),
        "subtopics": list(topic.get("subtopics") or ()),
    }


def _comment(shown: Shown) -> dict[str, Any]:
    row = shown.row
    names = ["comment_id", "source", "lang", "lang_script", "topic_id", "topics_also", "subtopic_id"]
    names += ["sentiment", "root_cause"]
    drivers = [{key: each[key] for key in ("driver", "cause", "sign", "start", "end")} for each in shown.drivers]
    return {
        **{name: row[name] for name in names},
        "text": shown.plain,
        "created_at": row["created_at"].isoformat() if row["created_at"] else None,
        "drivers": drivers,
    }


@router.get("/openapi.json", include_in_schema=False)
def describe(request: Request, me: Viewer) -> Mapping[str, Any]:
    """Describe the programming interface as OpenAPI."""
    return request.app.openapi()  # type: ignore[no-any-return]


@router.get("/me", responses=FAULTS)
def who_am_i(me: Viewer) -> Mapping[str, str]:
    """Tell whose token or session this is."""
    return {"name": me.user.name, "role": me.user.role, "via": me.via}


@router.get("/topics", responses=FAULTS)
def topics(request: Request, me: Viewer, wanted: Annotated[TopicWanted, Query()]) -> Mapping[str, Any]:
    """List topics with their figures among the comments that fulfil the conditions."""
    site = site_of(request)
    snapshot = site.hub.refresh()
    conditions = wanted.as_filter()
    listed = list_topics(
        site.hub,
        snapshot,
        conditions,
        sort=wanted.sort,
        lang=wanted.ui,
        hidden=wanted.hidden,
        readings=site.readings,
    )
    part = listed[wanted.offset : wanted.offset + wanted.limit]
    run_id, version = snapshot.key
    return {"run": run_id, "version": version, "found": len(listed), "topics": [_topic(entry) for entry in part]}


@router.get("/topics/{topic_id}", responses=FAULTS)
def topic(request: Request, me: Viewer, topic_id: TopicId) -> Mapping[str, Any]:
    """Return one topic and the number of the last decision on it."""
    site = site_of(request)
    entry = find_topic(site.hub, site.hub.refresh(), topic_id, Filter(), site.readings)
    if entry is None:
        raise Refused(404, "topic_unknown", topic=topic_id)
    return {**_topic(entry), "expected": site.store.last_decision(topic_id=topic_id)}


@router.get("/comments", responses=FAULTS)
def comments(request: Request, me: Viewer, wanted: Annotated[CommentWanted, Query()]) -> Mapping[str, Any]:
    """List comments that fulfil the conditions, the newest first."""
    site = site_of(request)
    snapshot = site.hub.refresh()
    rows = rows_of(site.hub, snapshot, wanted.topic, wanted.as_filter(), site.readings)
    part = snapshot.take(rows[wanted.offset : wanted.offset + wanted.limit])
    run_id, version = snapshot.key
    shown = [_comment(show_comment(row)) for row in part]
    return {"run": run_id, "version": version, "found": len(rows), "comments": shown}


@router.get(
    "/map.{form}",
    response_class=Response,
    responses={**FAULTS, 200: {"content": {"image/png": {}, "image/svg+xml": {}}}},
)
def draw_map(request: Request, me: Viewer, form: Picture, wanted: Annotated[MapWanted, Query()]) -> Response:
    """Draw the map of the comments that fulfil the conditions: points, names of topics, a legend."""
    ui, conditions = open_words_in(wanted.ui), wanted.as_filter()
    return map_picture(site_of(request), ui, conditions, colour=wanted.colour, box=wanted.box, form=form)


@router.get("/comment", responses=FAULTS)
def comment(
    request: Request, me: Viewer, comment_id: Annotated[str, Query(min_length=1, max_length=1024)]
) -> Mapping[str, Any]:
    """Return one comment and the number of the last decision on it."""
    site = site_of(request)
    snapshot = site.hub.refresh()
    row = snapshot.corpus.rows.get(comment_id)
    if row is None:
        raise Refused(404, "comment_unknown", comment=comment_id)
    shown = _comment(show_comment(snapshot.take([row])[0]))
    return {**shown, "expected": site.store.last_decision(comment_id=comment_id)}


@router.get("/decisions", responses=FAULTS)
def decisions(
    request: Request,
    me: Viewer,
    *,
    topic_id: Annotated[int | None, Query(ge=-1, le=_HIGHEST)] = None,
    comment_id: Annotated[str | None, Query(max_length=1024)] = None,
    after: Offset = 0,
    limit: Limit = 100,
) -> list[dict[str, Any]]:
    """List decisions in order: who, when, before and after."""
    found = site_of(request).store.history(topic_id=topic_id, comment_id=comment_id, after=after, limit=limit)
    return [each.as_dict() for each in found]


@router.post("/decisions", responses=FAULTS)
def decide(request: Request, me: Analyst, wanted: DecisionWanted) -> Mapping[str, Any]:
    """Carry out an act; ``decision`` is null where it would change nothing."""
    site = site_of(request)
    given = wanted.model_dump(exclude={"act", "after"})
    made = site.store.decide(wanted.act, author=me.user.name, after=wanted.after or {}, **given)
    return {"decision": _told(made), "version": site.hub.refresh().version}


@router.post("/undo", responses=FAULTS)
def undo(request: Request, me: Analyst, wanted: ReversalWanted) -> Mapping[str, Any]:
    """Take an act back."""
    site = site_of(request)
    made = reverse(site, "undo", wanted.decision, me.user.name, wanted.expected)
    return {"decision": _told(made), "version": site.hub.refresh().version}


@router.post("/redo", responses=FAULTS)
def redo(request: Request, me: Analyst, wanted: ReversalWanted) -> Mapping[str, Any]:
    """Let an undone act stand again."""
    site = site_of(request)
    made = reverse(site, "redo", wanted.decision, me.user.name, wanted.expected)
    return {"decision": _told(made), "version": site.hub.refresh().version}


def _told(made: Decision | None) -> dict[str, Any] | None:
    return None if made is None else made.as_dict()
