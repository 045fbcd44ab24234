"""The checkpoint folder: what a trained model is, checked file by file when it is opened. Nothing is unpickled."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vaead_core.checkpoints.arrays import packed, save_arrays, unpacked
from vaead_core.checkpoints.calibration import Calibration
from vaead_core.checkpoints.interchange import CARD, METADATA, below_head, check_metadata, plain_graph, stamped, write_beside
from vaead_core.checkpoints.provenance import Provenance, read_preprocessor, read_stride
from vaead_core.checkpoints.replace import replace_folder
from vaead_core.computing.onnx_graph import OnnxGraph, Opener
from vaead_core.errors import CheckpointError, quoted, refusing
from vaead_core.inference.model import Model
from vaead_core.inference.vae import COMPANIONS, GRAPHS, OnnxVAE
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Array

FORMAT_VERSION = 2
FILES = (*GRAPHS, "latents.npz", "calibration.npz", "history.csv", CARD)
COMPANION_FILES = {name: f"{name}.onnx" for name in COMPANIONS}  # of networks that a checkpoint may hold too
DESCRIPTION = "checkpoint.json"
LITTER = re.compile(r"(.*/)?(\.DS_Store|\._[^/]*|Thumbs\.db|desktop\.ini)")  # what systems leave in folders they showed
_TEXTS = ("history.csv", CARD)


@dataclass(frozen=True)
class Latents:
    """mean: (N, L) float16 posterior means of healthy training images. position, subject: (N,) int."""

    mean: Array
    position: Array
    subject: Array


@dataclass(frozen=True)
class Checkpoint:
    """A trained model and its healthy reference. preprocessor: None for pictures that are not brains.

    card, history: its README.md, without its head, and history.csv. digest: of the folder that it was read from.
    """

    name: str
    model: Model
    preprocessor: Preprocessor | None
    calibration: Calibration
    latents: Latents
    provenance: Provenance
    card: str
    history: str
    digest: str = ""

    @staticmethod
    def load(folder: Path | str, open_graph: Opener = OnnxGraph) -> Checkpoint:
        """Reads and checks a folder written by `save`. Raises CheckpointError with one plain sentence.

        open_graph: for one that nobody vouches for, `Apart.graph`, by which its networks run in a process of their own.
        """
        folder = Path(folder)
        description, contents = checked_files(folder)
        provenance, preprocessor, stride = _described(description, folder.name)
        if METADATA in contents:
            check_metadata(contents[METADATA], description, folder.name)
        graphs = {file: plain_graph(one, file, description, folder.name) for file, one in contents.items() if _is_graph(file)}
        unreadable = CheckpointError(f"The checkpoint {folder.name} cannot be read; train or copy it again.")
        with refusing(unreadable):  # the parts come from many libraries, each with its own exceptions
            with np.load(io.BytesIO(contents["calibration.npz"]), allow_pickle=False) as arrays:
                reference, calibration, memory = unpacked(dict(arrays))
            with np.load(io.BytesIO(contents["latents.npz"]), allow_pickle=False) as arrays:
                latents = Latents(arrays["mean"], arrays["position"], arrays["subject"])
            encoder, decoder = (graphs[name] for name in GRAPHS)
            vae = OnnxVAE(encoder, decoder, open_graph)
            companions = {name: open_graph(graphs[file]) for name, file in COMPANION_FILES.items() if file in graphs}
            healthy = {name: found.pixels for name, found in calibration.items() if len(found.pixels)}
            model = Model(vae, reference, stride, companions, healthy, memory)
            card, history = below_head(contents[CARD]).decode(), contents["history.csv"].decode()
        found = Checkpoint(
            folder.name, model, preprocessor, calibration, latents, provenance, card, history, description["digest"]
        )
        with refusing(unreadable):
            together = _is_of_one_training(found)
        if not together:
            raise CheckpointError(unrelated(folder.name))
        return found

    def save(self, folder: Path, graphs: Path) -> None:
        """Writes a checkpoint folder; an older one of that name stays whole until the new one is complete. Raises OSError.

        graphs: a folder with the two GRAPHS and a COMPANION_FILE for each of the model's companions.
        """
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            self._write(partial, graphs)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        replace_folder(partial, folder)

    def _write(self, folder: Path, graphs: Path) -> None:
        model, companions = self.model, [COMPANION_FILES[name] for name in self.model.companions]
        said = {
            "format_version": FORMAT_VERSION, **self.provenance.to_dict(), "stride": model.stride,
            "preprocessor": asdict(self.preprocessor) if self.preprocessor else None,
        }  # fmt: skip
        for name in (*GRAPHS, *companions):
            (folder / name).write_bytes(stamped((graphs / name).read_bytes(), said, self.name))
        arrays = packed(model.reference, self.calibration, model.memory)
        save_arrays(folder / "calibration.npz", arrays)
        save_arrays(folder / "latents.npz", asdict(self.latents))
        (folder / "history.csv").write_text(self.history, encoding="utf-8", newline="\n")
        write_beside(folder, said, self.card, self.name)
        files = {name: checksum(name, (folder / name).read_bytes()) for name in (*FILES, *companions)}
        (folder / DESCRIPTION).write_text(json.dumps({**said, "files": files}, indent=1) + "\n", newline="\n")


def describe(folder: Path) -> None:
    """Makes metadata.json and the card's head anew from the description of a checkpoint, whose digest and other files stay.

    Raises CheckpointError, and OSError.
    """
    description, contents = checked_files(folder)
    _described(description, folder.name)
    with refusing(CheckpointError(f"{CARD} of {folder.name} is no text; copy the checkpoint again."), ValueError):
        card = below_head(contents[CARD]).decode()
    write_beside(folder, description, card, folder.name)


def _described(description: dict[str, Any], name: str) -> tuple[Provenance, Preprocessor | None, int | None]:
    """Where it comes from, how scans become its images, and its stride. Raises CheckpointError."""
    try:
        return Provenance.read(description), read_preprocessor(description), read_stride(description)
    except ValueError as error:
        raise CheckpointError(f"{DESCRIPTION} of {name} is damaged ({error}); copy the checkpoint again.") from error


def unrelated(name: str) -> str:
    """What is said of a checkpoint whose parts are not of one training."""
    return f"Network, arrays and settings of {name} do not belong together; copy the checkpoint again."


def _is_of_one_training(found: Checkpoint) -> bool:
    """Whether slices have the size that the network takes, and its latents' people are those that are named."""
    size, stride, people = found.model.vae.image_size, found.model.stride, found.provenance.source.subjects.get("train")
    side = size if found.preprocessor is None else found.preprocessor.slice_grid.image_size
    fits = side == size if stride is None else stride <= size <= side
    return fits and (not people or 0 <= int(found.latents.subject.max(initial=0)) < len(people))


def find_checkpoints(folder: Path) -> list[Path]:
    """The checkpoint folders directly inside `folder`, by name."""
    return sorted(path.parent for path in folder.glob(f"*/{DESCRIPTION}") if path.parent.suffix not in (".partial", ".old"))


def checked_files(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Its description, with the digest of that, and the content of each of its files as the description's checksums say.

    Raises CheckpointError.
    """
    path = folder / DESCRIPTION
    with refusing(CheckpointError(f"{folder.name or folder} is not a checkpoint folder: it has no {DESCRIPTION}."), OSError):
        text = _as_written(path.read_bytes())
    try:
        description = json.loads(text)
        version, hashes = description["format_version"], dict(description["files"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{DESCRIPTION} of {folder.name} is damaged; copy the checkpoint again.") from error
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"{folder.name} has checkpoint format {quoted(version, 20)}, this vaead reads {FORMAT_VERSION}; "
            "use the vaead that wrote it."
        )
    with refusing(CheckpointError(f"{folder.name} is no longer there; copy the checkpoint again."), OSError):
        present = {file.name for file in folder.iterdir() if not LITTER.fullmatch(file.name)}
    foreign = present - {*FILES, *COMPANION_FILES.values(), DESCRIPTION, METADATA}
    if foreign:
        raise CheckpointError(
            f"{folder.name} holds {quoted(sorted(foreign)[0])}, which no checkpoint has (pickles are never loaded); remove it."
        )
    contents = {}
    for name in (*FILES, *(name for name in COMPANION_FILES.values() if name in present or name in hashes)):
        with refusing(CheckpointError(f"{folder.name} lacks {name}; copy the checkpoint again."), OSError):
            content = (folder / name).read_bytes()
        contents[name] = _as_written(content) if name in _TEXTS else content
        if checksum(name, contents[name]) != hashes.get(name):
            raise CheckpointError(f"{name} of {folder.name} was altered (checksum differs); copy the checkpoint again.")
        if name.endswith(".npz") and not zipfile.is_zipfile(io.BytesIO(contents[name])):
            raise CheckpointError(f"{name} of {folder.name} is not a NumPy archive; pickles are never loaded.")
    if METADATA in present:
        with refusing(CheckpointError(f"{folder.name} lacks {METADATA}; copy the checkpoint again."), OSError):
            contents[METADATA] = (folder / METADATA).read_bytes()
    return {**description, "digest": _sha256(text)}, contents


def checksum(name: str, content: bytes) -> str:
    """SHA-256 of a file; of a card that of what is below its head, which follows from the description that has the sum."""
    return _sha256(below_head(content) if name == CARD else content)


def _is_graph(file: str) -> bool:
    return file.endswith(".onnx")


def _as_written(text: bytes) -> bytes:
    """A text with the ends of lines that `save` writes, whatever a system made of them on the way."""
    return text.replace(b"\r\n", b"\n")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
