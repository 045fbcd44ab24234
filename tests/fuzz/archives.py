"""Checkpoints that somebody sends: archives with damage, paths, links and pickles, signed again by whoever changed them."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import onnx

from tests.fuzz import graphs
from tests.fuzz.mutations import MARKUP, mutated, number
from tests.support.descriptions import BAD, older, written
from vaead_core.checkpoints.archive import check, unpack
from vaead_core.checkpoints.checkpoint import COMPANION_FILES, DESCRIPTION, FILES, checksum
from vaead_core.checkpoints.interchange import METADATA
from vaead_core.checkpoints.onnx_properties import without_properties
from vaead_core.checkpoints.protobuf import written as field
from vaead_core.checkpoints.summary import facts, read_history
from vaead_core.measures.aggregates import DEFAULT
from vaead_core.pipeline import scoring
from vaead_core.pipeline.latent_space import colours
from vaead_core.pipeline.record import scores_record
from vaead_core.pipeline.scoring import PreparedScan

Files = dict[str, bytes]
KINDS = (
    *("archive bytes", "directory bytes", "entries", "file bytes", "file bytes", "graph", "arrays", "settings", "settings"),
    *("history", "told"),
)
NAMES = (
    "", "/", "..", "../README.md", "/tmp/README.md", "a/../../README.md", "..\\README.md", "C:\\x.npz", "m/model.pkl", "\0",
    "README.md/", ".bashrc", "m/__init__.py", "con", "<img src=x onerror=alert(1)>.md", "[x](javascript:alert(1))",
    "README.md ", "é" * 300,
)  # fmt: skip


def archive(files: Files, rng: np.random.Generator) -> bytes:
    """One damaged or hostile upload made of a good checkpoint's files."""
    match rng.choice(KINDS):
        case "archive bytes":
            return mutated(zipped(files), rng)
        case "directory bytes":
            whole = zipped(files)
            return whole[:-900] + mutated(whole[-900:], rng)
        case "entries":
            return zipped(files | {str(rng.choice(NAMES)): rng.bytes(30)}, int(rng.choice([0o644, 0o120777, 0o060666])))
        case kind:
            return zipped(altered(files, rng, kind))


def altered(files: Files, rng: np.random.Generator, kind: str | None = None) -> Files:
    """The files of a checkpoint of which some are changed; seven times in eight with checksums that fit them."""
    files, name = dict(files), str(rng.choice(sorted({*files} - {DESCRIPTION})))
    description = json.loads(files[DESCRIPTION])
    match kind or rng.choice(KINDS[3:]):
        case "file bytes":
            files[name] = mutated(files[name], rng)
        case "graph":
            name = str(rng.choice([name for name in files if name.endswith(".onnx")]))
            files[name] = graphs.graph_file(onnx.load_from_string(files[name]).graph.SerializeToString(), rng)
        case "arrays":
            name = str(rng.choice(["latents.npz", "calibration.npz"]))
            files[name] = _arrays(files[name], rng)
        case "settings":
            files = older(files) if rng.random() < 3 / 4 else files
            _change(description, rng)
        case "told" if rng.random() < 1 / 2 and METADATA in files:
            files[METADATA] = mutated(files[METADATA], rng)
        case "told":
            props = field(14, mutated(field(1, b"vaead.spacing_mm") + field(2, b"2"), rng))
            files["decoder.onnx"] = without_properties(files["decoder.onnx"]) + mutated(props, rng)
        case "history":
            files["history.csv"] = mutated(files["history.csv"], rng)
    if rng.random() < 7 / 8 and isinstance(description, dict):
        described = {*files} - {DESCRIPTION}
        description["files"] = {name: checksum(name, files[name]) for name in described}
    return files | {DESCRIPTION: written(description)}


def take(content: bytes, into: Path, prepared: PreparedScan) -> bool:
    """Unpacks an upload below `into` and scores a scan with it.

    Raises CheckpointError; AssertionError when a refused one leaves something behind.
    """
    try:
        folder = unpack(content, "mine.zip", into)
    except Exception:
        assert list(into.iterdir()) == []
        raise
    assert folder.parent == into
    held = {path.name for path in folder.iterdir()}
    assert {DESCRIPTION, *FILES} <= held <= {DESCRIPTION, METADATA, *FILES, *COMPANION_FILES.values()}
    return _used(folder, prepared)


def open_folder(files: Files, into: Path, prepared: PreparedScan) -> bool:
    """Opens a folder with these files and scores a scan with it. Raises CheckpointError."""
    for name, content in files.items():
        (into / name).write_bytes(content)
    return _used(into, prepared)


def _used(folder: Path, prepared: PreparedScan) -> bool:
    """What the pages do with a checkpoint that was taken: facts, curves, a scan's scores among healthy ones."""
    checkpoint = check(folder)
    facts(folder)
    read_history(checkpoint.history)
    colours(checkpoint)
    if checkpoint.preprocessor is not None and checkpoint.preprocessor.slice_grid.image_size == prepared.slices.pixels.shape[1]:
        results = [scoring.score(prepared, checkpoint, name) for name in ("residual", "voxel_atlas")]
        assert all(0 <= one.scan_percentiles[DEFAULT] <= 100 for one in results)
        scores_record(prepared, results, checkpoint)
    return True


def zipped(files: Files, mode: int = 0o644) -> bytes:
    """The files in a .zip, the same bytes each time. mode: of each."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packing:
        for name, data in files.items():
            entry = zipfile.ZipInfo("placeholder")
            entry.filename, entry.external_attr = name, mode << 16
            packing.writestr(entry, data)
    return content.getvalue()


def _arrays(content: bytes, rng: np.random.Generator) -> bytes:
    """The archive of arrays with one replaced: another shape, another kind, values that are not finite, a pickle, damage."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        held = dict(arrays)
    name = str(rng.choice(list(held)))
    match rng.choice(("shape", "kind", "values", "none", "pickle", "bytes")):
        case "shape":
            held[name] = np.zeros(rng.integers(0, 5, int(rng.integers(4))), np.float32)
        case "kind":
            held[name] = np.full(held[name].shape, "text")
        case "values":
            held[name] = np.full(held[name].shape, number(rng, np.dtype(np.float32)))
        case "none":
            del held[name]
        case "pickle":
            return pickle.dumps(held)
        case "bytes":
            return mutated(content, rng)
    found = io.BytesIO()
    np.savez(found, **held)
    if rng.random() < 0.2:
        with zipfile.ZipFile(found, "a") as packing:
            packing.writestr("evil.npy", mutated(pickle.dumps([1]), rng))
    return found.getvalue()


def _change(description: dict, rng: np.random.Generator) -> None:
    """Replaces one value of a description, at any depth."""
    at = description
    while True:
        key = str(rng.choice(list(at)))
        if not isinstance(at[key], dict) or not at[key] or rng.random() < 0.2:
            break
        at = at[key]
    values = (*BAD.values(), 0, 1, 2, 1e300, "noise", MARKUP.decode(), 2**70)
    at[key] = values[int(rng.integers(len(values)))]
