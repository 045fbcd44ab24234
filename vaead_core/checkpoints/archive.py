"""A checkpoint as one .zip: packed for a download, and unpacked from an upload that nobody vouches for."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vaead_core.checkpoints.checkpoint import COMPANION_FILES, DESCRIPTION, LITTER, Checkpoint, checked_files, unrelated
from vaead_core.checkpoints.consistency import is_consistent
from vaead_core.checkpoints.interchange import CARD, METADATA
from vaead_core.checkpoints.summary import facts, read_history
from vaead_core.checkpoints.untrusted import check_arrays, check_calibration, check_graph, open_zip
from vaead_core.computing.apart import Apart
from vaead_core.computing.archives import content_of
from vaead_core.errors import CheckpointError, quoted, refusing
from vaead_core.inference.vae import GRAPHS
from vaead_core.scans.slice_grid import SliceGrid

MB = 1 << 20
ARCHIVE_BYTES, ENTRIES = 200 * MB, 64
MOST_BYTES = dict.fromkeys((*GRAPHS, *COMPANION_FILES.values()), 120 * MB) | {
    "latents.npz": 60 * MB, "calibration.npz": 120 * MB, "history.csv": MB, CARD: MB // 4, DESCRIPTION: MB // 4,
    METADATA: MB // 4,
}  # fmt: skip
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_DATE = (2020, 1, 1, 0, 0, 0)  # the same checkpoint packs to the same bytes


def packed(folder: Path) -> bytes:
    """The checkpoint of `folder` as a .zip, checked file by file. Raises CheckpointError."""
    _, contents = checked_files(folder)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:  # weights and arrays do not get smaller
        for name, held in {DESCRIPTION: (folder / DESCRIPTION).read_bytes(), **contents}.items():
            archive.writestr(zipfile.ZipInfo(f"{folder.name}/{name}", _DATE), held)
    return content.getvalue()


def unpack(content: bytes, name: str, into: Path, room: Callable[[int], None] = lambda needed: None) -> Path:
    """The folder below `into` of the checkpoint in the archive `content`, once all of it is checked and has been run.

    name: of the uploaded file; the folder has the archive's own name, else that, and a number where it is taken. room: raises
    where so many bytes of memory are not to be had. Raises CheckpointError with one plain sentence; then nothing stays behind.
    """
    if len(content) > ARCHIVE_BYTES:
        raise CheckpointError(f"A checkpoint's archive may have {ARCHIVE_BYTES // MB} MB; this one has {len(content) // MB}.")
    archive = open_zip(content, "The upload", ENTRIES, sum(MOST_BYTES.values()))
    inner, entries = _entries(archive)
    stem = inner or re.sub(r"[^A-Za-z0-9_-]+", "-", Path(name).stem)[:60].strip("-_")
    stem = stem if NAME.fullmatch(stem) else "upload"
    with tempfile.TemporaryDirectory(dir=into, prefix=".") as scratch:
        folder = Path(scratch) / stem
        folder.mkdir()
        for file, entry in entries.items():
            (folder / file).write_bytes(content_of(archive, entry, MOST_BYTES[file], f"{file} in the upload", CheckpointError))
        check(folder, room)
        target = free_name(into, stem)
        shutil.move(folder, target)
    return target


def free_name(folder: Path, name: str) -> Path:
    """A path in `folder` that is not there yet: `name`, else `name-2` and so on."""
    numbered = (folder / (name if number == 1 else f"{name}-{number}") for number in range(1, 1000))
    return next(path for path in numbered if not path.exists())


def check(folder: Path, room: Callable[[int], None] = lambda needed: None) -> Checkpoint:
    """The checkpoint of `folder`, opened only after its arrays and graphs were looked at, and run once, in a process of its own.

    room: as of `unpack`. Raises CheckpointError.
    """
    description, contents = checked_files(folder)
    for file, content in contents.items():
        if file.endswith(".npz"):
            shapes = check_arrays(content, file)
            if file == "calibration.npz":
                room(check_calibration(shapes, file, _places(description)))
        if file.endswith(".onnx"):
            check_graph(content, file)
    checkpoint = Checkpoint.load(folder, Apart(folder.name).graph)
    not_running = CheckpointError(f"The network of {folder.name} does not run; copy the checkpoint again.")
    with refusing(not_running):  # whatever ONNX Runtime and a missing setting raise
        together = is_consistent(checkpoint)
    if not together:
        raise CheckpointError(unrelated(folder.name))
    facts(folder)  # what pages read of it besides
    read_history(checkpoint.history)
    return checkpoint


def _places(description: dict[str, Any]) -> int:
    """Pixels of all slices of the finest grid that a network of this description can see."""
    settings = description.get("preprocessor")
    grid = SliceGrid(1 if isinstance(settings, dict) and settings.get("spacing_mm") == 1 else 2)
    return grid.depth * grid.image_size**2


def _entries(archive: zipfile.ZipFile) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """The folder that all files lie in ("" for none), and the entry of each file's name."""
    found: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    for entry in archive.infolist():
        if entry.is_dir() or entry.filename.startswith("__MACOSX/") or LITTER.fullmatch(entry.filename):
            continue
        folder, _, file = entry.filename.rpartition("/")
        if file not in MOST_BYTES or (folder and not NAME.fullmatch(folder)):
            raise CheckpointError(f"The upload holds {quoted(entry.filename)}, which no checkpoint has; nothing was unpacked.")
        if file in found:
            raise CheckpointError(f"The upload holds {file} twice; pack one checkpoint alone.")
        if entry.file_size > MOST_BYTES[file]:
            raise CheckpointError(f"{file} unpacks to {entry.file_size / MB:.0f} MB; at most {MOST_BYTES[file] / MB:g} are read.")
        found[file] = entry
        folders.add(folder)
    if DESCRIPTION not in found:
        raise CheckpointError(f"The upload has no {DESCRIPTION}, so it is not a checkpoint; pack a checkpoint's folder.")
    if len(folders) > 1:
        raise CheckpointError("The upload holds files in several folders; pack one checkpoint alone.")
    return folders.pop(), found
