"""Runs the night under faults and counts: ``make faults``.

``python tests/faults/fault_harness.py [--short] [--only PATTERN] [--verbose]``; on both databases where PostgreSQL's
server is installed, else on SQLite alone. Exit code 0 only when every case survived and no comment was lost or doubled.
"""

import argparse
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE.parents[1])]

from fault_cases import Case, Result, Scene, kills, open_scene  # noqa: E402
from fault_damage import damages  # noqa: E402
from fault_night import Bench, lighten  # noqa: E402
from fault_rivals import rivals  # noqa: E402
from postgresql_cluster import find_programs, running_cluster  # noqa: E402

SLOW = ("of all stages", "512 MB", "256 MB", "2 GB")


@contextmanager
def opened_scene(folder: Path) -> Iterator[Scene]:
    """Prepare what cases share, with a PostgreSQL server where there is one."""
    lighten(report=False)
    if find_programs() is None:
        yield open_scene(Bench(folder, None))
        return
    with running_cluster() as cluster:
        yield open_scene(Bench(folder, cluster))


def all_cases(scene: Scene) -> list[Case]:
    """Return every case."""
    return [
        case
        for database in scene.bench.databases
        for family in (kills, damages, rivals)
        for case in family(scene, database)
    ]


def short_cases(scene: Scene) -> list[Case]:
    """Return every ninth case that is quick, so that each family and database is among them."""
    return [case for case in all_cases(scene) if not any(word in case[0] for word in SLOW)][4::9]


def try_cases(scene: Scene, cases: Sequence[Case], *, verbose: bool = False) -> list[Result]:
    """Try cases one after another, telling each on stdout."""
    results = []
    for number, (name, database, act) in enumerate(cases, start=1):
        began = time.monotonic()
        try:
            result = act(scene)
        except (OSError, RuntimeError, KeyError, TypeError) as error:
            result = Result(name, database, False, 0, 0, f"the harness failed: {type(error).__name__}: {error}")
        results.append(result)
        if verbose or not result.survived:
            word = "ok  " if result.survived else "FAIL"
            tell(f"{word} {number}/{len(cases)} {database}: {name} [{time.monotonic() - began:.1f} s] {result.detail}")
    return results


def tell(words: str) -> None:
    """Write to stdout at once."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def summary(results: Sequence[Result]) -> str:
    """Return the account of all cases."""
    lines = []
    for database in sorted({result.database for result in results}):
        own = [result for result in results if result.database == database]
        lines.append(f"{database:<11} {len(own):>4} cases tried, {sum(result.survived for result in own):>4} survived")
    lost, doubled = sum(result.lost for result in results), sum(result.doubled for result in results)
    survived = sum(result.survived for result in results)
    lines.append(f"{'both' if len(lines) > 1 else 'all':<11} {len(results):>4} cases tried, {survived:>4} survived")
    lines.append(f"rows lost: {lost}, rows doubled: {doubled}")
    return "\n".join(lines)


def main() -> int:
    """Run the harness."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a ninth of the cases, the quick ones")
    parser.add_argument("--only", default="", help="cases whose database and name match this pattern")
    parser.add_argument("--verbose", action="store_true", help="tell every case, not only those that failed")
    options = parser.parse_args()
    # Asked to end, it still takes its server and its disks with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        Path(folder).chmod(0o755)
        with opened_scene(Path(folder)) as scene:
            cases = short_cases(scene) if options.short else all_cases(scene)
            cases = [case for case in cases if re.search(options.only, f"{case[1]}: {case[0]}")]
            results = try_cases(scene, cases, verbose=options.verbose)
    tell(summary(results))
    whole = all(result.survived and not result.lost and not result.doubled for result in results)
    return 0 if whole and results else 1


if __name__ == "__main__":
    sys.exit(main())
