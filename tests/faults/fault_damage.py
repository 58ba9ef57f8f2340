"""Faults of disks and files: no room, inputs that change, damaged models, parts and databases, bombs."""

import functools
import gzip
import io
import os
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from fault_cases import SEED, Case, Result, Scene, judged
from fault_child import Outcome, Points, die, in_child
from fault_night import Place, Wanted, examine, example_rows, small_disk, take_off, write_dump

from feedback_nlp.core.modelfolder import resolve_model
from feedback_nlp.ingest import inputs, lines

KB = 1024
LONG_LINE = 2 << 30
MOST_MEGABYTES = 700


def _plan(database: str, cases: list[tuple[str, Callable[..., Result], dict[str, Any]]]) -> list[Case]:
    return [
        (name, database, functools.partial(act, database=database, name=name, **options))
        for name, act, options in cases
    ]


# Disks


def full_disk(scene: Scene, database: str, name: str, free: int) -> Result:
    """Run on a disk with a few KB left, make room, run again."""
    with scene.place(database) as place:
        disk = place.folder / "disk"
        if not small_disk(disk, 48):
            return _file_too_large(scene, place, name, free)
        try:
            if database == "postgresql":
                return _full_server(scene, place, name, disk, free)
            place.url = f"sqlite:///{disk}/store.db"
            (place.folder / "out").rmdir()
            (place.folder / "out").symlink_to(disk)
            return _with_ballast(scene, place, name, disk, free)
        finally:
            take_off(disk)


def _with_ballast(scene: Scene, place: Place, name: str, disk: Path, free: int) -> Result:
    ballast = disk / "ballast"
    with ballast.open("wb") as stream:
        # A tmpfs counts whole pages only.
        room = os.statvfs(disk)
        stream.write(b"\0" * max(0, room.f_bavail * room.f_frsize - free * KB))
    faulty = place.night(scene.first)
    ballast.unlink()
    return judged(name, place, scene.want_first, faulty, scene.first)


def _full_server(scene: Scene, place: Place, name: str, disk: Path, free: int) -> Result:
    cluster = scene.bench.need_cluster()
    space = f"small_{os.getpid()}_{free}"
    where = disk / "space"
    where.mkdir()
    shutil.chown(where, "postgres")
    place.folder.chmod(0o755)
    place.folder.parent.chmod(0o755)
    cluster.sql(f"CREATE TABLESPACE {space} LOCATION '{where}'")
    database = cluster.new_database(space)
    place.url = cluster.url(database)
    try:
        in_child(lambda: place.store().close())
        cluster.sql("CHECKPOINT")
        return _with_ballast(scene, place, name, disk, free)
    finally:
        cluster.drop(database)
        cluster.sql(f"DROP TABLESPACE {space}")


def _file_too_large(scene: Scene, place: Place, name: str, free: int) -> Result:
    """Where no disk may be mounted: refuse files beyond a size."""
    faulty = place.night(scene.first, largest_file=free * KB)
    return judged(f"{name} (as a limit of file size)", place, scene.want_first, faulty, scene.first)


# Inputs that change while they are read


class _Shrinking(io.RawIOBase):
    """A stream whose file is cut while it is read."""

    def __init__(self, stream: BinaryIO, path: Path, left: list[int]) -> None:
        self._stream = stream
        self._path = path
        self._left = left

    def read(self, size: int = -1) -> bytes:
        self._left[0] -= 1
        if self._left[0] == 0:
            os.truncate(self._path, self._path.stat().st_size // 2)
        return self._stream.read(size)


def truncated_input(scene: Scene, database: str, name: str, suffix: str, after: int) -> Result:
    """Cut the input while it is read, bring it back, run again."""
    with scene.place(database) as place:
        dump = _in_format(place.folder / f"night{suffix}")
        want = _want(scene, dump)
        whole = dump.read_bytes()
        stamp = dump.stat()
        left = [after]

        @contextmanager
        def opened(self: inputs.InputFile) -> Iterator[Any]:
            with plain(self) as stream:
                yield _Shrinking(stream, self.path, left)

        plain = inputs.InputFile.open

        def work() -> Any:
            lines._BLOCK = 2048
            inputs.InputFile.open = opened
            return place.run(dump)

        cut = {after: lambda: os.truncate(dump, len(whole) // 2)} if suffix in (".parquet", ".xlsx") else {}
        faulty = in_child(work, Points(dump, cut))
        changed = dump.read_bytes() != whole
        dump.write_bytes(whole)
        os.utime(dump, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        if changed and faulty.kind == "finished":
            return Result(name, database, False, 0, 0, "half an input passed for all of it")
        return judged(name, place, want, faulty, dump)


def _in_format(path: Path) -> Path:
    rows = example_rows()[:90]
    if path.suffix == ".gz":
        plain = write_dump(path.with_suffix(""), rows)
        path.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
        plain.unlink()
        return path
    if path.suffix == ".xlsx":
        import xlsxwriter

        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            for place, row in enumerate([("comment_id", "text", "created_at", "branch"), *rows]):
                sheet.write_row(place, 0, row)
        return path
    return write_dump(path, rows)


def _want(scene: Scene, dump: Path) -> Wanted:
    from fault_night import wanted

    with scene.place("sqlite") as place:
        return wanted(place, dump)


# Damaged files of ours


def _damage(path: Path, how: str, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if how == "gone":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "flipped byte":
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
    else:
        first, last = (int(float(share) * len(content)) for share in how.split("-"))
        content[first : max(first + 1, last)] = rng.randbytes(max(1, last - first))
        path.write_bytes(content)


def damaged_model(scene: Scene, database: str, name: str, how: str, file: str) -> Result:
    """Damage a file of the model, bring it back, run again."""
    with scene.place(database) as place:
        model = place.folder / "model"
        shutil.copytree(resolve_model("langid"), model)
        place.changes["langid__backend"] = {"kind": "shipped", "model": str(model)}
        path = next(found for found in sorted(model.glob(file)) if how == "gone" or found.name != "README.md")
        whole = path.read_bytes()
        _damage(path, how, random.Random(f"{SEED}{name}"))
        faulty = place.night(scene.first)
        if faulty.code != 5:
            return Result(name, database, False, 0, 0, f"no word of the model: {faulty}")
        path.write_bytes(whole)
        return judged(name, place, scene.want_first, faulty, scene.first)


def damaged_part(scene: Scene, database: str, name: str, how: str, *, earlier: bool) -> Result:
    """Damage a part file of a killed run, or of the night before, and run again."""
    with scene.place(database) as place:
        if earlier:
            faulty = place.night(scene.first)
        else:
            faulty = place.night(scene.first, Points(place.folder, {int(scene.points[database].first * 0.6): die}))
        parts = sorted(place.out.glob("*/parts/*/part-*"))
        if not parts:
            return Result(name, database, False, 0, 0, "there was no part to damage")
        rng = random.Random(f"{SEED}{name}")
        _damage(rng.choice(parts), how, rng)
        want, dump = (scene.want_second, scene.second) if earlier else (scene.want_first, scene.first)
        return judged(name, place, want, faulty, dump)


def damaged_store(scene: Scene, database: str, name: str, how: str, file: str) -> Result:
    """Damage the SQLite file of a killed second night; where the error says so, move it away, and run again."""
    with scene.place(database) as place:
        place.night(scene.first)
        place.night(scene.second, Points(place.folder, {int(scene.points[database].second * 0.8): die}))
        path = place.out / file
        if not path.is_file() or not path.stat().st_size:
            return Result(name, database, False, 0, 0, f"no {file} to damage")
        _damage(path, how, random.Random(f"{SEED}{name}"))
        faulty = place.night(scene.second)
        if faulty.kind == "finished":
            state = examine(place, scene.want_second)
            whole = not state.fault and not state.lost and not state.doubled
            if whole:
                return Result(name, database, True, 0, 0, "finished with the same bytes")
            faulty = Outcome("error", message=f"finished, but {state.fault}")
            if not state.fault.startswith("cannot be read: ") or "damaged" not in state.fault:
                return Result(name, database, False, state.lost, state.doubled, faulty.message)
        elif (
            "damaged" not in faulty.message and "disk" not in faulty.message and "another program" not in faulty.message
        ):
            return Result(name, database, False, 0, 0, f"no clear word: {faulty.kind} {faulty.message}")
        for end in ("", "-wal", "-shm"):
            (place.out / f"store.db{end}").unlink(missing_ok=True)
        return judged(name, place, scene.want_second, faulty, scene.second)


def damaged_result(scene: Scene, database: str, name: str, how: str, file: str) -> Result:
    """Damage a table of a finished run; the same run must not pass for whole; computed anew it is."""
    with scene.place(database) as place:
        done = place.night(scene.first)
        path = place.out / done.value["run_id"] / file
        _damage(path, how, random.Random(f"{SEED}{name}"))
        faulty = place.night(scene.first)
        if faulty.kind != "error" or "--no-resume" not in faulty.message:
            return Result(name, database, False, 0, 0, f"a damaged {file} was not noticed: {faulty}")
        again = in_child(functools.partial(_anew, place, scene.first))
        state = examine(place, scene.want_first)
        whole = again.kind == "finished" and not (state.fault or state.lost or state.doubled)
        return Result(
            name, database, whole, state.lost, state.doubled, f"{faulty.message}; then {again.kind} {state.fault}"
        )


def _anew(place: Place, dump: Path) -> None:
    from feedback_nlp import nightly

    nightly.run([dump], place.config(), place.out, resume=False)


# Bombs


def bomb(
    scene: Scene, database: str, name: str, make: Callable[[Path, int], Path], size: int, *, refused: bool
) -> Result:
    """Feed a file that unpacks or stretches beyond all measure; memory stays small, what is good is kept."""
    with scene.place(database, ingest__max_workbook_mb=64) as place:
        dump = make(place.folder, size)
        before = in_child(lambda: None).megabytes
        faulty = place.night(dump)
        used = faulty.megabytes - before
        detail = f"{faulty.kind} {faulty.message or faulty.value} with {used:.0f} MB more"
        if used > MOST_MEGABYTES or (faulty.kind == "error") != refused or faulty.kind not in ("error", "finished"):
            return Result(name, database, False, 0, 0, detail)
        if refused:
            return judged(name, place, scene.want_first, faulty, scene.first)
        lost = 2 - faulty.value["counts"]["comments"]
        return Result(name, database, lost == 0, max(lost, 0), max(-lost, 0), detail)


def sparse_line(folder: Path, size: int) -> Path:
    """Make a CSV with one line that is a hole of the file's."""
    path = folder / "long.csv"
    with path.open("wb") as stream:
        stream.write(b"comment_id,text\n1,great staff\n2,")
        stream.truncate(size)
        stream.seek(size)
        stream.write(b"\n3,rude staff\n")
    return path


def packed_line(folder: Path, size: int) -> Path:
    """Make a gzipped CSV with one long line."""
    path = folder / "long.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(b"comment_id,text\n1,great staff\n2,")
        block = b"a" * (1 << 20)
        for _ in range(size >> 20):
            stream.write(block)
        stream.write(b"\n3,rude staff\n")
    return path


def long_json(folder: Path, size: int) -> Path:
    """Make JSON lines with one long line."""
    path = folder / "long.jsonl"
    with path.open("wb") as stream:
        stream.write(b'{"comment_id":"1","text":"great staff"}\n{"comment_id":"2","text":"')
        block = b"a" * (1 << 20)
        for _ in range(size >> 20):
            stream.write(block)
        stream.write(b'"}\n{"comment_id":"3","text":"rude staff"}\n')
    return path


def zip_bomb(folder: Path, size: int) -> Path:
    """Make a workbook whose texts unpack to a given size."""
    path = _in_format(folder / "bomb.xlsx")
    block = b"\0" * (1 << 20)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/bomb.xml", "w", force_zip64=True) as stream,
    ):
        for _ in range(size >> 20):
            stream.write(block)
    return path


def lying_bomb(folder: Path, size: int) -> Path:
    """Make such a workbook that tells of a small size."""
    path = zip_bomb(folder, size)
    content = bytearray(path.read_bytes())
    told = size.to_bytes(4, "little")
    while (at := content.find(told)) >= 0:
        content[at : at + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(content)
    return path


def damages(scene: Scene, database: str) -> list[Case]:
    """Return the cases of disks and files."""
    frees = (24, 48, 96, 160, 240, 320, 420, 520, 640) if database == "sqlite" else (8, 16, 32, 48, 64, 80, 96)
    cases: list[tuple[str, Callable[..., Result], dict[str, Any]]] = [
        (f"disk full with {free} KB left", full_disk, {"free": free}) for free in frees
    ]
    formats = {".csv": (2, 8, 14), ".jsonl": (3, 9, 20), ".csv.gz": (2, 6, 14), ".parquet": (2, 3), ".xlsx": (2, 3)}
    if database == "sqlite":
        cases += [
            (f"{suffix} cut at read {after}", truncated_input, {"suffix": suffix, "after": after})
            for suffix, places in formats.items()
            for after in places
        ]
        cases += _only_sqlite()
    for how in ("flipped byte", "cut", "empty", "gone"):
        cases.append((f"part of a killed run: {how}", damaged_part, {"how": how, "earlier": False}))
        cases.append((f"part of the night before: {how}", damaged_part, {"how": how, "earlier": True}))
    for how, file in (("flipped byte", "*.safetensors"), ("cut", "*.safetensors"), ("gone", "*.safetensors")):
        cases.append((f"model file: {how}", damaged_model, {"how": how, "file": file}))
    cases.append(
        ("comments.parquet: flipped byte", damaged_result, {"how": "flipped byte", "file": "comments.parquet"})
    )
    cases.append(("topics.parquet: gone", damaged_result, {"how": "gone", "file": "topics.parquet"}))
    return _plan(database, cases)


def _only_sqlite() -> list[tuple[str, Callable[..., Result], dict[str, Any]]]:
    cases: list[tuple[str, Callable[..., Result], dict[str, Any]]] = []
    ranges = ("0-0.0002", "0.0002-0.004", "0.01-0.02", "0.1-0.2", "0.3-0.4", "0.5-0.6", "0.7-0.8", "0.9-1.0", "0-1")
    for how in (*ranges, "cut", "empty", "flipped byte"):
        cases.append((f"store.db: {how}", damaged_store, {"how": how, "file": "store.db"}))
    for how in ("0-0.0001", "0.2-0.3", "0.6-0.9", "cut"):
        cases.append((f"store.db-wal: {how}", damaged_store, {"how": how, "file": "store.db-wal"}))
    mega = 1 << 20
    cases += [
        ("sparse CSV line of 2 GB", bomb, {"make": sparse_line, "size": LONG_LINE, "refused": False}),
        ("gzipped CSV line of 512 MB", bomb, {"make": packed_line, "size": 512 * mega, "refused": False}),
        ("JSON line of 256 MB", bomb, {"make": long_json, "size": 256 * mega, "refused": False}),
        ("workbook that unpacks to 512 MB", bomb, {"make": zip_bomb, "size": 512 * mega, "refused": True}),
        ("workbook that lies about 512 MB", bomb, {"make": lying_bomb, "size": 512 * mega, "refused": True}),
        ("CSV line of 64 MB", bomb, {"make": sparse_line, "size": 64 * mega, "refused": False}),
    ]
    return cases
