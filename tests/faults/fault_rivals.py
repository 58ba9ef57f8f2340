"""Faults of company: connections that drop, servers that restart, two runs at once, stale leases, clocks put back."""

import functools
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from fault_cases import SEED, Case, Result, Scene, judged
from fault_child import Points, in_child, pause, start
from fault_night import Place
from sqlalchemy import text

from feedback_nlp import nightly
from feedback_nlp.store.lease import STALE_SECONDS

END_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
DAY = 86_400
_LOCKED = "kept it locked"


def dropped(scene: Scene, database: str, name: str, at: int, times: int) -> Result:
    """Drop the run's connections to PostgreSQL at a point, and at the points after it."""
    with scene.place(database) as place:

        def drop() -> None:
            with psycopg.connect(place.url, autocommit=True) as connection:
                connection.execute(END_ALL)

        acts = {at + 3 * number: drop for number in range(times)}
        faulty = place.night(scene.first, Points(place.folder, acts))
        return judged(name, place, scene.want_first, faulty, scene.first, seen=(0, len(scene.want_first.ids)))


def restarted(scene: Scene, database: str, name: str, at: int) -> Result:
    """Let the server crash and come back at a point."""
    cluster = scene.bench.need_cluster()
    with scene.place(database) as place:

        def restart() -> None:
            cluster.stop()
            cluster.start()

        faulty = place.night(scene.first, Points(place.folder, {at: restart}))
        return judged(name, place, scene.want_first, faulty, scene.first, seen=(0, len(scene.want_first.ids)))


def gone_for_good(scene: Scene, database: str, name: str, at: int) -> Result:
    """Let the server crash and stay away until the run has given up."""
    cluster = scene.bench.need_cluster()
    with scene.place(database) as place:
        faulty = place.night(scene.first, Points(place.folder, {at: cluster.stop}))
        cluster.start()
        if faulty.kind != "error" or "does not answer" not in faulty.message:
            return Result(name, database, False, 0, 0, f"no clear word: {faulty}")
        return judged(name, place, scene.want_first, faulty, scene.first, seen=(0,))


def two_at_once(scene: Scene, database: str, name: str, at: int) -> Result:
    """Start a run beside one that stands still; it is turned away, and the first goes on undisturbed."""
    with scene.place(database) as place:
        first = start(functools.partial(place.run, scene.first), Points(place.folder, {at: pause}))
        stopped = first.wait_until_stopped()
        second = place.night(scene.second)
        if stopped:
            first.wake()
        faulty = first.wait()
        if not stopped or faulty.kind != "finished" or not (second.code == 75 or _LOCKED in second.message):
            return Result(name, database, False, 0, 0, f"stopped {stopped}, first {faulty}, second {second}")
        return judged(name, place, scene.want_first, faulty, scene.first, seen=(len(scene.want_first.ids),))


def taken_over(scene: Scene, database: str, name: str, at: int) -> Result:
    """Let a run stand still until its lease is stale, let another one take over, and wake it."""
    with scene.place(database) as place:
        first = start(functools.partial(place.run, scene.first), Points(place.folder, {at: pause}))
        stopped = first.wait_until_stopped()
        in_child(functools.partial(_lease, place, host="elsewhere", age=STALE_SECONDS + 60))
        second = place.night(scene.first)
        if stopped:
            first.wake()
        faulty = first.wait()
        # A run that stands still in the middle of a transaction holds SQLite's lock, and nobody can take over.
        locked = _LOCKED in second.message
        if not stopped or (second.kind != "finished" and not locked) or (faulty.kind == "finished") != locked:
            return Result(name, database, False, 0, 0, f"stopped {stopped}, first {faulty}, second {second}")
        return judged(name, place, scene.want_first, faulty, scene.first, seen=(len(scene.want_first.ids),))


def _lease(place: Place, *, host: str | None, age: int) -> None:
    """Make the lease one of another machine, with a last beat so many seconds ago; add it where there is none."""
    with place.store() as store, store._database.writing() as connection:
        beat = int(time.time()) - age
        connection.execute(text("DELETE FROM lease") if host is None else text("SELECT 1"))
        row = {"host": host, "beat": beat}
        changed = connection.execute(text("UPDATE lease SET host = :host, beat = :beat"), row)
        if not changed.rowcount:
            words = "INSERT INTO lease (slot, token, host, pid, born, beat) VALUES (1, 'x', :host, 1, 1, :beat)"
            connection.execute(text(words), row)


def other_machine(scene: Scene, database: str, name: str, age: int, *, alive: bool) -> Result:
    """Meet the lease of another machine, whose last beat was so many seconds ago; it ends before the next try."""
    with scene.place(database) as place:
        in_child(functools.partial(_lease, place, host="elsewhere", age=age))
        faulty = place.night(scene.first)
        if (faulty.code == 75) != alive:
            return Result(name, database, False, 0, 0, f"the lease was {'ignored' if alive else 'believed'}: {faulty}")
        in_child(functools.partial(_lease, place, host="elsewhere", age=STALE_SECONDS * 2))
        return judged(name, place, scene.want_first, faulty, scene.first)


class _EarlierClock(datetime):
    """A clock that was put back."""

    back = timedelta(0)

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.now(tz) - cls.back


def clock_back(scene: Scene, database: str, name: str, days: int) -> Result:
    """Run the second night with the clock put back: it is still the newer one, for readers and for pruning."""
    with scene.place(database) as place:
        place.night(scene.first)
        faulty = in_child(functools.partial(_run_earlier, place, scene.second, days))
        result = judged(name, place, scene.want_second, faulty, scene.second, seen=(len(scene.want_second.ids),))
        left = in_child(functools.partial(_pruned, place))
        if left.value != [faulty.value["run_id"]]:
            return Result(name, database, False, result.lost, result.doubled, f"pruning left {left}")
        return result


def _run_earlier(place: Place, dump: Path, days: int) -> dict[str, Any]:
    _EarlierClock.back = timedelta(days=days)
    nightly.datetime = _EarlierClock
    real = time.time
    time.time = lambda: real() - days * DAY
    return place.run(dump)


def _pruned(place: Place) -> list[str]:
    with place.store() as store:
        store.prune(1)
        return list(store.runs()["run_id"])


def rivals(scene: Scene, database: str) -> list[Case]:
    """Return the cases of company."""
    rng = random.Random(SEED + 1)
    points = scene.points[database].first
    cases: list[tuple[str, Callable[..., Result], dict[str, Any]]] = []
    if database == "postgresql":
        for times in (1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3):
            at = rng.randrange(1, points)
            cases.append((f"connection dropped {times} times from point {at}", dropped, {"at": at, "times": times}))
        for at in sorted(rng.sample(range(1, points), 3)):
            cases.append((f"server crashes and comes back at point {at}", restarted, {"at": at}))
        cases.append((f"server stays away from point {points // 2}", gone_for_good, {"at": points // 2}))
    for at in (points // 8, points // 2, points * 7 // 8):
        cases.append((f"two runs at once, from point {at}", two_at_once, {"at": at}))
        cases.append((f"taken over while it stood still at point {at}", taken_over, {"at": at}))
    for age, alive in ((0, True), (STALE_SECONDS - 30, True), (STALE_SECONDS + 5, False), (-2 * DAY, False)):
        cases.append((f"lease of another machine, {age} s old", other_machine, {"age": age, "alive": alive}))
    cases += [(f"clock put back {days} days", clock_back, {"days": days}) for days in (1, 400)]
    return [(name, database, functools.partial(act, database=database, name=name, **opts)) for name, act, opts in cases]
