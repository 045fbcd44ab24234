"""The checkpoint folder: what a trained model is, checked file by file when it is opened. Nothing is unpickled."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vaead_core.checkpoints.calibration import Calibration, ScorerCalibration
from vaead_core.checkpoints.provenance import Provenance
from vaead_core.checkpoints.replace import replace_folder
from vaead_core.computing.onnx_graph import OnnxGraph
from vaead_core.errors import CheckpointError, refusing
from vaead_core.inference.model import Memory, Model
from vaead_core.inference.reference import PlaceStatistics, Reference
from vaead_core.inference.vae import COMPANIONS, GRAPHS, OnnxVAE
from vaead_core.measures.aggregates import AGGREGATES
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Array

FORMAT_VERSION = 2
FILES = (*GRAPHS, "latents.npz", "calibration.npz", "history.csv", "README.md")
COMPANION_FILES = {name: f"{name}.onnx" for name in COMPANIONS}  # of networks that a checkpoint may hold too
DESCRIPTION = "checkpoint.json"
LITTER = re.compile(r"(.*/)?(\.DS_Store|\._[^/]*|Thumbs\.db|desktop\.ini)")  # what systems leave in folders they showed
_TEXTS = ("history.csv", "README.md")
STEPS = 32  # of the stored reference in a median healthy deviation: far finer than it is known from a few brains


@dataclass(frozen=True)
class Latents:
    """mean: (N, L) float16 posterior means of healthy training images. position, subject: (N,) int."""

    mean: Array
    position: Array
    subject: Array


@dataclass(frozen=True)
class Checkpoint:
    """A trained model and its healthy reference. preprocessor: None for pictures that are not brains.

    card, history: its README.md and history.csv. digest: of the folder that it was read from.
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
    def load(folder: Path | str) -> Checkpoint:
        """Reads and checks a folder written by `save`. Raises CheckpointError with one plain sentence."""
        folder = Path(folder)
        description, contents = checked_files(folder)
        try:
            provenance = Provenance.read(description)
        except ValueError as error:
            raise CheckpointError(f"{DESCRIPTION} of {folder.name} is damaged ({error}); copy the checkpoint again.") from error
        unreadable = CheckpointError(f"The checkpoint {folder.name} cannot be read; train or copy it again.")
        with refusing(unreadable):  # the parts come from many libraries, each with its own exceptions
            with np.load(io.BytesIO(contents["calibration.npz"]), allow_pickle=False) as arrays:
                reference, calibration, memory = _unpack(dict(arrays))
            with np.load(io.BytesIO(contents["latents.npz"]), allow_pickle=False) as arrays:
                latents = Latents(arrays["mean"], arrays["position"], arrays["subject"])
            encoder, decoder = (contents[name] for name in GRAPHS)
            vae = OnnxVAE(encoder, decoder)
            settings = description["preprocessor"]
            preprocessor = Preprocessor(**settings) if settings else None
            companions = {name: OnnxGraph(contents[file]) for name, file in COMPANION_FILES.items() if file in contents}
            healthy = {name: found.pixels for name, found in calibration.items() if len(found.pixels)}
            model = Model(vae, reference, description["stride"], companions, healthy, memory)
            card, history = contents["README.md"].decode(), contents["history.csv"].decode()
        return Checkpoint(
            folder.name, model, preprocessor, calibration, latents, provenance, card, history, description["digest"]
        )

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
        for name in (*GRAPHS, *companions):
            shutil.copyfile(graphs / name, folder / name)
        arrays = _pack(model.reference, self.calibration, model.memory)
        _save(folder / "calibration.npz", arrays)
        _save(folder / "latents.npz", asdict(self.latents))
        (folder / "README.md").write_text(self.card, encoding="utf-8", newline="\n")
        (folder / "history.csv").write_text(self.history, encoding="utf-8", newline="\n")
        whole = {
            "format_version": FORMAT_VERSION, **self.provenance.to_dict(), "stride": model.stride,
            "preprocessor": asdict(self.preprocessor) if self.preprocessor else None,
            "files": {name: _sha256((folder / name).read_bytes()) for name in (*FILES, *companions)},
        }  # fmt: skip
        (folder / DESCRIPTION).write_text(json.dumps(whole, indent=1) + "\n", newline="\n")


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
            f"{folder.name} has checkpoint format {version}, this vaead reads {FORMAT_VERSION}; use the vaead that wrote it."
        )
    with refusing(CheckpointError(f"{folder.name} is no longer there; copy the checkpoint again."), OSError):
        present = {file.name for file in folder.iterdir() if not LITTER.fullmatch(file.name)}
    foreign = present - {*FILES, *COMPANION_FILES.values(), DESCRIPTION}
    if foreign:
        raise CheckpointError(
            f"{folder.name} holds {sorted(foreign)[0]}, which no checkpoint has (pickles are never loaded); remove it."
        )
    contents = {}
    for name in (*FILES, *(name for name in COMPANION_FILES.values() if name in present or name in hashes)):
        with refusing(CheckpointError(f"{folder.name} lacks {name}; copy the checkpoint again."), OSError):
            content = (folder / name).read_bytes()
        contents[name] = _as_written(content) if name in _TEXTS else content
        if _sha256(contents[name]) != hashes.get(name):
            raise CheckpointError(f"{name} of {folder.name} was altered (checksum differs); copy the checkpoint again.")
        if name.endswith(".npz") and not zipfile.is_zipfile(io.BytesIO(contents[name])):
            raise CheckpointError(f"{name} of {folder.name} is not a NumPy archive; pickles are never loaded.")
    return {**description, "digest": _sha256(text)}, contents


def _pack(reference: Reference, calibration: Calibration, memory: Mapping[str, Memory]) -> dict[str, Array]:
    arrays = {f"memory/{name}/{key}": array.astype(np.float16) for name, kept in memory.items() for key, array in kept.items()}
    for quantity, places in reference.places.items():
        step = float(np.median(places.deviation)) / STEPS
        arrays[f"reference/{quantity}/step"] = np.array(step, np.float32)
        for name in ("mean", "deviation"):
            arrays[f"reference/{quantity}/{name}"] = _in_steps(getattr(places, name), step)
    scaled = {name: found.scaled for name, found in calibration.items() if found.scaled}
    for kind, known, precision in (("scorer", calibration, np.float32), ("scaled", scaled, np.float16)):
        for name, found in known.items():
            arrays[f"{kind}/{name}/pixels"] = found.pixels.astype(precision)
            for level in ("images", "scans"):
                for aggregate in AGGREGATES:
                    arrays[f"{kind}/{name}/{level}/{aggregate}"] = getattr(found, level)[aggregate].astype(precision)
    return arrays


def _save(path: Path, arrays: Mapping[str, Array]) -> None:
    """As np.savez_compressed, a fiftieth smaller."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=8) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)


def _in_steps(values: Array, step: float) -> Array:
    """Whole steps, differenced along rows and then along columns, in the fewest bits that hold them all, which zips better."""
    steps = np.rint(values / step).astype(np.int32)
    differences = np.diff(np.diff(steps, axis=-1, prepend=np.int32(0)), axis=-2, prepend=np.int32(0))
    return differences.astype(np.min_scalar_type(-1 - np.abs(differences).max()))


def _unpack(arrays: dict[str, Array]) -> tuple[Reference, Calibration, dict[str, Memory]]:
    def stored(quantity: str, name: str) -> Array:
        values = arrays[f"reference/{quantity}/{name}"]
        steps = np.cumsum(np.cumsum(values, axis=-2, dtype=np.int32), axis=-1, dtype=np.int32)
        return steps.astype(np.float32) * arrays[f"reference/{quantity}/step"]

    def names(kind: str) -> list[str]:
        return sorted({key.split("/")[1] for key in arrays if key.startswith(f"{kind}/")})

    def calibrated(kind: str, name: str) -> ScorerCalibration:
        def held(what: str) -> Array:
            array = arrays[f"{kind}/{name}/{what}"]
            return array.astype(np.float32) if array.dtype == np.float16 else array

        images, scans = ({a: held(f"{level}/{a}") for a in AGGREGATES} for level in ("images", "scans"))
        return ScorerCalibration(held("pixels"), images, scans)

    places = {name: PlaceStatistics(stored(name, "mean"), stored(name, "deviation")) for name in names("reference")}
    plain, scaled = ({name: calibrated(kind, name) for name in names(kind)} for kind in ("scorer", "scaled"))
    calibration = {name: replace(found, scaled=scaled.get(name)) for name, found in plain.items()}
    memory: dict[str, Memory] = {}
    for key in (key for key in arrays if key.startswith("memory/")):
        _, name, part = key.split("/")
        memory.setdefault(name, {})[part] = arrays[key].astype(np.float32)
    return Reference(places), calibration, memory


def _as_written(text: bytes) -> bytes:
    """A text with the ends of lines that `save` writes, whatever a system made of them on the way."""
    return text.replace(b"\r\n", b"\n")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
