"""From trained weights to a checkpoint folder: ONNX graphs, calibration, healthy latents, model card.

`python -m training.publish CHECKPOINT... [--data FOLDER]` writes checkpoints again from their own weights, without
training: for scorers that did not exist yet, or a changed graph.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from torch import nn

import models
from models.export import export_onnx, load_from_onnx
from training import model_card
from training.config import TrainingConfig
from training.data import TrainingData, load_data
from vaead_core import __version__
from vaead_core.checkpoints import checkpoint
from vaead_core.checkpoints.calibration import calibrate, memories
from vaead_core.checkpoints.checkpoint import FURTHER_FILES, Checkpoint
from vaead_core.cohorts.locations import find_data
from vaead_core.errors import CheckpointError, CohortError, exit_status
from vaead_core.inference.model import Memory, Model
from vaead_core.inference.onnx_graph import OnnxGraph
from vaead_core.inference.vae import OnnxVAE
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import SCORERS

PATCH_STRIDE = 16
WHOLE = "what was there before is whole"
PARTS = ("train", "validation", "test")


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 2 with one sentence on stderr."""
    parser = argparse.ArgumentParser("python -m training.publish", description="Writes checkpoints again, without training.")
    parser.add_argument("checkpoints", nargs="+", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--data", help="the scans they were trained on; default: found by the name that the checkpoint holds")
    parser.add_argument("--notes", help="for the model card: what was tried, why these settings; default: the notes it has")
    parser.add_argument(
        "--with-scans", action="store_true", help="also what patch novelty keeps, which is the training scans: never give it away"
    )
    options = parser.parse_args(arguments)
    for folder in options.checkpoints:
        work = partial(republish, folder.resolve(), options.data, options.notes, scans=options.with_scans)
        if status := exit_status(work, folder, WHOLE):
            return status
    return 0


Further = dict[str, tuple[bytes, dict]]  # name in vae.FURTHER → graph, settings with "history" as CSV


def republish(
    folder: Path,
    data: str | None = None,
    notes: str | None = None,
    further: Further | None = None,
    cohort: TrainingData | None = None,
    scans: bool = False,
) -> None:
    """The checkpoint of `folder` written again: its weights, history and further networks; new graphs, calibration and card.

    data: as in TrainingConfig; None: what the checkpoint was trained on. notes: None keeps those it has.
    further: networks that it gets, beside those it has. cohort: what `load_data` gives, for whoever has it already.
    scans: it also keeps its training scans, for the scorers that need them; those that it keeps, it goes on keeping.
    Raises InputError when the scans are not at hand or are split into other subjects than the checkpoint was trained on.
    """
    old = Checkpoint.load(folder)
    config = stored_config(old, folder, data, notes)
    network = models.build(config.architecture.to_dict())
    load_from_onnx(network, folder)
    cohort = cohort or load_data(config)
    for part in PARTS:
        known = old.description["data"].get(part)
        if known and set(known) != set(getattr(cohort, part).names):
            raise CohortError(
                f"{old.name} was trained with other {part} subjects than {config.data} gives; give its own scans by --data."
            )
    known = old.description.get("further", {})
    kept = {name: ((folder / FURTHER_FILES[name]).read_bytes(), settings) for name, settings in known.items()}
    publish(config, network, cohort, old.history, kept | (further or {}), scans or _keeps_scans(old.model.memory))


def _keeps_scans(memory: Mapping[str, Memory]) -> bool:
    return any(kind.needs.keeps_scans and kind.needs.memory in memory for kind in SCORERS.values())


def stored_config(old: Checkpoint, folder: Path, data: str | None, notes: str | None) -> TrainingConfig:
    """The settings that a checkpoint was trained with, its scans found here. data, notes: as in `republish`."""
    stored = old.description["training"]
    name = data or stored["data"]
    if name and not name.startswith("synthetic") and not Path(name).is_dir():
        found = find_data(name)
        if found is None:
            raise CohortError(f"{old.name} was trained on {name}, which is not at hand; give its folder by --data.")
        name = str(found)
    if notes is None:
        notes = old.description.get("notes", model_card.notes_of(old.card))
    try:
        return TrainingConfig(**stored | {"data": name, "out": folder, "split_seed": old.split_seed, "notes": notes})
    except ValidationError as error:
        setting = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise CheckpointError(f"{old.name} has the setting {setting}, which this vaead does not know; train it again.") from error


def publish(
    config: TrainingConfig,
    network: nn.Module,
    data: TrainingData,
    history: str,
    further: Further | None = None,
    scans: bool = False,
) -> None:
    """Writes the checkpoint folder `config.out` from the weights in `network`, with the graphs of `further` beside it.

    scans: as in `republish`.
    """
    further = further or {}
    preprocessor = None if config.images == "fashion" else Preprocessor(config.spacing_mm, config.background)
    depth = preprocessor.grid.shape[2] if preprocessor else 1
    stride = PATCH_STRIDE if config.images == "patches" else None
    with tempfile.TemporaryDirectory() as folder:
        graphs = Path(folder)
        export_onnx(network, graphs)
        for name, (graph, _) in further.items():
            (graphs / FURTHER_FILES[name]).write_bytes(graph)
        networks = {name: OnnxGraph(graph) for name, (graph, _) in further.items()}
        model = Model(OnnxVAE.read(graphs), stride=stride, further=networks)
        memory = memories(model, data.train.slices, depth, scans)
        if scans and not _keeps_scans(memory):
            raise CheckpointError(f"No scorer of {config.out.name} uses the training scans themselves; leave --with-scans away.")
        model = Model(model.vae, stride=stride, further=networks, memory=memory)
        train, held_out = data.train.slices, data.validation.slices
        reference, calibration = calibrate(model, train, held_out, data.validation.subject, depth)
        latents = checkpoint.Latents(
            model.latents(train).astype(np.float16), train.position.astype(np.int16), data.train.subject.astype(np.int16)
        )
        errors = {
            part: reconstruction_ratio(model, getattr(data, part).slices, reference["intensity"].mean)
            for part in ("validation", "test")
        }
        described = {name: settings for name, (_, settings) in further.items()}
        card = model_card.written(config, data, errors, history, described, _keeps_scans(memory))
        checkpoint.save(
            config.out, graphs=graphs, stride=stride, preprocessor=preprocessor, reference=reference,
            calibration=calibration, memory=memory,
            latents=latents, history=history, card=card, description=_description(config, data, errors, described),
        )  # fmt: skip


def reconstruction_ratio(model: Model, slices: Slices, mean_image: Array) -> dict[str, float]:
    """Brain-only mean squared error of decoding μ, of the healthy mean image, and their ratio."""
    own = float(((model.map(slices, lambda view: view.reconstruction) - slices.pixels)[slices.mask] ** 2).mean())
    atlas = float(((mean_image[slices.position] - slices.pixels)[slices.mask] ** 2).mean())
    return {"mse": own, "atlas_mse": atlas, "ratio": own / atlas}


def _description(config: TrainingConfig, data: TrainingData, errors: dict, further: dict[str, dict]) -> dict:
    packages = ("torch", "lightning", "onnx", "onnxruntime", "numpy", "scipy", "SimpleITK")
    people = _people(data) if config.images != "fashion" else {}
    return {
        "architecture": config.architecture.to_dict(),
        "training": config.identity() | {"data": None if config.data is None else Path(config.data).name},
        "data": {"description": data.description, "skipped": len(data.skipped)} | people,
        "notes": config.notes,
        "reconstruction": errors,
        "further": further,
        "versions": {"vaead": __version__, "python": platform.python_version()} | {name: version(name) for name in packages},
    }


def _people(data: TrainingData) -> dict:
    """The subjects of each part, and their ages in years, None where unknown."""
    parts = {part: getattr(data, part) for part in PARTS}
    ages = {part: list(found.ages) for part, found in parts.items()}
    return {part: list(found.names) for part, found in parts.items()} | {"ages": ages}


if __name__ == "__main__":
    sys.exit(main())
