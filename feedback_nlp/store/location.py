"""Where a SQLite file may stand: write-ahead logs need a disk of this machine."""

import re
from pathlib import Path

from feedback_nlp.core.errors import ConfigError

MOUNTS = Path("/proc/mounts")
NETWORK = (
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "fuse.ceph",
    "fuse.gcsfuse",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb2",
    "smb3",
    "smbfs",
)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def file_system(path: Path, mounts: Path = MOUNTS) -> str | None:
    """Return the type of the file system a path stands on, None where the system does not tell.

    :param mounts: the kernel's list of mounts; of two mounts on one folder the later counts.
    """
    if not mounts.is_file():
        return None
    found, kind = -1, None
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        parts = line.split(" ")
        point = Path(_unescaped(parts[1]))
        if (path == point or point in path.parents) and len(point.parts) >= found:
            found, kind = len(point.parts), parts[2]
    return kind


def prepare_file(file: Path, mounts: Path = MOUNTS) -> Path:
    """Make the folder of a SQLite file and check that the file may stand there.

    :returns: the absolute path, links followed.
    :raises ConfigError: on a network file system, or where nothing can be written.
    """
    path = file.expanduser().resolve()
    kind = file_system(path, mounts)
    if kind in NETWORK:
        raise ConfigError(
            f"{path} stands on a network file system ({kind}), where SQLite loses data. "
            "Put the store on a local disk, or use PostgreSQL: store.url = postgresql://…"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path.parent} cannot be made: {error.strerror}. Choose another store.url.") from error
    if path.is_dir():
        raise ConfigError(f"{path} is a folder. Give a file: sqlite:///{path}/store.db")
    return path
