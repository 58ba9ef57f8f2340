"""The faults: each takes a fresh place, does its worst, recovers as a user would, and tells what stands."""

import functools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fault_child import Outcome, Points, die, in_child, start
from fault_night import Bench, Place, Row, Wanted, examine, example_rows, wanted, write_dump

from feedback_nlp import erasure

SEED = 20261128
GONE = "FB-0040"
NIGHT = datetime(2026, 11, 28, tzinfo=UTC)


@dataclass(frozen=True)
class Result:
    """What became of a case.

    :param survived: it ended in a clear error or in a run with the undisturbed run's bytes, and the recovery had them.
    :param lost: comments missing at the end; likewise ``doubled``.
    :param detail: what happened.
    """

    name: str
    database: str
    survived: bool
    lost: int
    doubled: int
    detail: str


@dataclass(frozen=True)
class Counted:
    """How many points each act passes, undisturbed, on one database."""

    first: int
    second: int
    erase: int


@dataclass(frozen=True)
class Scene:
    """What all cases share.

    :param first: the first night's dump; ``second`` the next one's: rows gone, changed, moved and new.
    :param points: points that each act passes, by database.
    :param seconds: what the first night takes.
    :param want_first: what the first comes to; likewise ``want_second``, and ``want_left`` without an erased comment.
    """

    bench: Bench
    first: Path
    second: Path
    want_first: Wanted
    want_second: Wanted
    want_left: Wanted
    points: dict[str, Counted]
    seconds: float

    def place(self, database: str, **changes: Any) -> Any:
        """Give a fresh place; see :meth:`Bench.place`."""
        return self.bench.place(database, **changes)


def later_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the next night's rows: every ninth gone, some changed, some of another branch, twenty new."""
    kept = [row for place, row in enumerate(rows[:90]) if place % 9 != 4]
    changed = [
        (a, f"{b}!" if i % 11 == 3 else b, c, "moved" if i % 7 == 1 else d) for i, (a, b, c, d) in enumerate(kept)
    ]
    return [*changed, *rows[90:]]


def open_scene(bench: Bench) -> Scene:
    """Run what all cases are compared with."""
    rows = example_rows()
    second_rows = later_rows(rows)
    first = write_dump(bench.folder / "one" / "night.csv", rows[:90])
    second = write_dump(bench.folder / "two" / "night.csv", second_rows)
    left = write_dump(bench.folder / "left" / "night.csv", [row for row in second_rows if row[0] != GONE])
    with bench.place("sqlite") as place:
        want_first = wanted(place, first)
    with bench.place("sqlite") as place:
        # The second time: the first one also had to read programs from the disk.
        began = time.monotonic()
        want_second = wanted(place, second)
        seconds = time.monotonic() - began
    with bench.place("sqlite") as place:
        want_left = wanted(place, left)
    points = {database: _count(bench, database, first, second) for database in bench.databases}
    return Scene(bench, first, second, want_first, want_second, want_left, points, seconds)


def _count(bench: Bench, database: str, first: Path, second: Path) -> Counted:
    with bench.place(database) as place:
        one = place.night(first, Points(place.folder))
        two = place.night(second, Points(place.folder))
        erased = in_child(functools.partial(erase, place), Points(place.folder))
    return Counted(one.points, two.points, erased.points)


def erase(place: Place) -> dict[str, int]:
    """Erase one comment."""
    [statement] = erasure.delete([GONE], place.config(), place.out, at=NIGHT)
    return statement.rows


def visible(place: Place) -> int:
    """Return how many comments a reader sees, 0 where nothing is published."""
    with place.store() as store:
        return 0 if store.current_run() is None else store.comments(columns=["comment_id"]).num_rows


def judged(
    name: str, place: Place, want: Wanted, faulty: Outcome, dump: Path, *, seen: Sequence[int] | None = None
) -> Result:
    """Recover by running the night again, and judge.

    :param faulty: what became of the disturbed run.
    :param seen: what a reader may see between the fault and the recovery; None does not look.
    """
    detail = f"{faulty.kind} {faulty.message}".strip()
    if faulty.kind in ("crash", "hung"):
        return Result(name, place.database, False, 0, 0, f"no clear end: {detail}")
    if seen is not None:
        looked = in_child(functools.partial(visible, place))
        if looked.kind != "finished" or looked.value not in seen:
            return Result(
                name, place.database, False, 0, 0, f"a reader saw {looked.value}, may see {seen}: {looked.message}"
            )
    again = place.night(dump)
    if again.kind != "finished":
        return Result(name, place.database, False, 0, 0, f"{detail}; then {again.kind}: {again.message}")
    state = examine(place, want)
    whole = not state.fault and not state.lost and not state.doubled
    return Result(name, place.database, whole, state.lost, state.doubled, f"{detail}; {state.fault or 'same bytes'}")


Case = tuple[str, str, Callable[[Scene], Result]]


def kill_first(scene: Scene, database: str, name: str, at: int) -> Result:
    """Kill the first night before one of its points."""
    with scene.place(database) as place:
        faulty = place.night(scene.first, Points(place.folder, {at: die}))
        return judged(name, place, scene.want_first, faulty, scene.first, seen=(0, len(scene.want_first.ids)))


def kill_second(scene: Scene, database: str, name: str, at: int) -> Result:
    """Kill a night that takes over from the one before."""
    with scene.place(database) as place:
        place.night(scene.first)
        faulty = place.night(scene.second, Points(place.folder, {at: die}))
        seen = (len(scene.want_first.ids), len(scene.want_second.ids))
        return judged(name, place, scene.want_second, faulty, scene.second, seen=seen)


def kill_timed(scene: Scene, database: str, name: str, share: float) -> Result:
    """Kill the first night after a share of its time, wherever it is then."""
    with scene.place(database) as place:
        child = start(functools.partial(place.run, scene.first))
        time.sleep(share * scene.seconds)
        child.kill()
        seen = (0, len(scene.want_first.ids))
        return judged(name, place, scene.want_first, child.wait(), scene.first, seen=seen)


def kill_whole(scene: Scene, database: str, name: str, share: float) -> Result:
    """Kill a night of all stages with worker processes."""
    changes = {
        "run__threads": 2,
        "run__stages": ["langid", "normalise", "embed", "sentiment", "rootcause", "topics"],
        "topics__backend": {"kind": "kmeans"},
    }
    with scene.place(database, **changes) as place:
        want = wanted(place, scene.first)
    with scene.place(database, **changes) as place:
        faulty = place.night(scene.first, Points(place.folder, {max(1, int(share * want.points)): die}))
        return judged(name, place, want, faulty, scene.first, seen=(0, len(want.ids)))


def kill_delete(scene: Scene, database: str, name: str, at: int) -> Result:
    """Kill an erasure, bring it to its end, and read the dump that holds the comment once more."""
    with scene.place(database) as place:
        place.night(scene.second)
        faulty = in_child(functools.partial(erase, place), Points(place.folder, {at: die}))
        again = in_child(functools.partial(erase, place))
        if again.kind != "finished":
            return Result(name, database, False, 0, 0, f"{faulty.kind}, then {again.kind}: {again.message}")
        result = judged(name, place, scene.want_left, faulty, scene.second, seen=(len(scene.want_left.ids),))
        held = [path.name for path in place.out.rglob("*") if path.is_file() and erasure.holds(path, GONE)]
        held = [path for path in held if path not in ("store.db", "store.db-wal", "store.db-shm")]
        if held:
            return Result(name, database, False, 0, 0, f"still held by {held}")
        return result


def kills(scene: Scene, database: str) -> list[Case]:
    """Return the cases of killed runs."""
    rng = random.Random(SEED)
    cases: list[Case] = []

    def add(name: str, act: Callable[..., Result], value: float) -> None:
        cases.append((name, database, functools.partial(act, database=database, name=name, **{_last(act): value})))

    counted = scene.points[database]
    for at in sorted(rng.sample(range(1, counted.first), 25)):
        add(f"kill first night at point {at} of {counted.first}", kill_first, at)
    for at in sorted(rng.sample(range(1, counted.second), 14)):
        add(f"kill second night at point {at} of {counted.second}", kill_second, at)
    for share in sorted(rng.random() for _ in range(8)):
        add(f"kill first night after {share:.0%} of its time", kill_timed, share)
    for at in sorted(rng.sample(range(1, counted.erase), 10)):
        add(f"kill erasure at point {at} of {counted.erase}", kill_delete, at)
    for share in (0.35, 0.8):
        add(f"kill night of all stages at {share:.0%} of its points", kill_whole, share)
    return cases


def _last(act: Callable[..., Result]) -> str:
    return act.__code__.co_varnames[act.__code__.co_argcount - 1]
