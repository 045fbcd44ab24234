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
from typing import get_args

import numpy as np
from pydantic import ValidationError

import models
from models.export import export_onnx, load_from_onnx
from models.vae import VAE
from training import model_card
from training.config import Device, TrainingConfig
from training.data import TrainingData, load_data
from training.devices import graphs_on
from vaead_core import __version__
from vaead_core.checkpoints.calibration import calibrate, memories
from vaead_core.checkpoints.checkpoint import COMPANION_FILES, Checkpoint, Latents
from vaead_core.checkpoints.provenance import SUBSETS, Companion, Provenance, ReconstructionError, Source, Training
from vaead_core.cohorts.locations import find_data
from vaead_core.computing.onnx_graph import OnnxGraph, Opener
from vaead_core.errors import CheckpointError, CohortError, exit_status
from vaead_core.inference.model import Memory, Model
from vaead_core.inference.vae import OnnxVAE
from vaead_core.scans.image_quality import of_scans
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import SCORERS

PATCH_STRIDE = 16
REFERENCE_MM = 2  # between places of the healthy reference: finer, it is noise of few brains, and eight times as large
WHOLE = "what was there before is whole"


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 2 with one sentence on stderr."""
    parser = argparse.ArgumentParser("python -m training.publish", description="Writes checkpoints again, without training.")
    parser.add_argument("checkpoints", nargs="+", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--data", help="the scans they were trained on; default: found by the name that the checkpoint holds")
    parser.add_argument("--notes", help="for the model card: what was tried, why these settings; default: the notes it has")
    parser.add_argument(
        "--with-scans", action="store_true", help="also what patch novelty keeps, which is the training scans: never give it away"
    )
    parser.add_argument(
        "--device", choices=get_args(Device), default="auto", help="default: CUDA where it and an ONNX Runtime for it are"
    )
    options = parser.parse_args(arguments)
    for folder in options.checkpoints:
        work = partial(republish, folder.resolve(), options.data, options.notes, scans=options.with_scans, device=options.device)
        if status := exit_status(work, folder, WHOLE):
            return status
    return 0


Companions = dict[str, tuple[bytes, Companion]]  # by name in vae.COMPANIONS: its graph, how it was trained


def republish(
    folder: Path,
    data: str | None = None,
    notes: str | None = None,
    companions: Companions | None = None,
    cohort: TrainingData | None = None,
    scans: bool = False,
    device: Device = "auto",
) -> None:
    """The checkpoint of `folder` written again: its weights, history and companion networks; new graphs, calibration and card.

    data: as in TrainingConfig; None: what the checkpoint was trained on. notes: None keeps those it has.
    companions: networks that it gets, beside those it has. cohort: what `load_data` gives, for whoever has it already.
    scans: it also keeps its training scans, for the scorers that need them; those that it keeps, it goes on keeping.
    device: where latents, healthy reference and calibration are computed.
    Raises InputError when the scans are not at hand or are split into other subjects than the checkpoint was trained on.
    """
    open_graph = graphs_on(device)
    old = Checkpoint.load(folder)
    config = stored_config(old, folder, data, notes)
    network = models.build(config.architecture.to_dict())
    load_from_onnx(network, folder)
    cohort = cohort or load_data(config)
    for name, known in old.provenance.source.subjects.items():
        if known and set(known) != set(getattr(cohort, name).names):
            raise CohortError(
                f"{old.name} was trained with other {name} subjects than {config.data} gives; give its own scans by --data."
            )
    kept = {name: ((folder / COMPANION_FILES[name]).read_bytes(), how) for name, how in old.provenance.companions.items()}
    publish(config, network, cohort, old.history, kept | (companions or {}), scans or _keeps_scans(old.model.memory), open_graph)


def _keeps_scans(memory: Mapping[str, Memory]) -> bool:
    return any(kind.needs.keeps_scans and kind.needs.memory in memory for kind in SCORERS.values())


def stored_config(old: Checkpoint, folder: Path, data: str | None, notes: str | None) -> TrainingConfig:
    """The settings that a checkpoint was trained with, its scans found here. data, notes: as in `republish`."""
    stored = old.provenance.training
    name = data or stored.data
    if name and not name.startswith("synthetic") and not Path(name).is_dir():
        found = find_data(name)
        if found is None:
            raise CohortError(f"{old.name} was trained on {name}, which is not at hand; give its folder by --data.")
        name = str(found)
    if notes is None:
        notes = model_card.notes_of(old.card) if old.provenance.notes is None else old.provenance.notes
    try:
        return TrainingConfig(**stored.settings | {"data": name, "out": folder, "split_seed": stored.split_seed, "notes": notes})
    except ValidationError as error:
        setting = ".".join(str(key) for key in error.errors()[0]["loc"])
        raise CheckpointError(f"{old.name} has the setting {setting}, which this vaead does not know; train it again.") from error


def publish(
    config: TrainingConfig,
    network: VAE,
    data: TrainingData,
    history: str,
    companions: Companions | None = None,
    scans: bool = False,
    open_graph: Opener = OnnxGraph,
) -> None:
    """Writes the checkpoint folder `config.out` from the weights in `network`, with the graphs of `companions` beside it.

    scans: as in `republish`. open_graph: where its graphs run for latents, healthy reference and calibration.
    """
    companions = companions or {}
    preprocessor = None if config.images == "fashion" else config.preprocessor
    depth = preprocessor.slice_grid.depth if preprocessor else 1
    stride = PATCH_STRIDE if config.images == "patches" else None
    with tempfile.TemporaryDirectory() as folder:
        graphs = Path(folder)
        export_onnx(network, graphs)
        for name, (graph, _) in companions.items():
            (graphs / COMPANION_FILES[name]).write_bytes(graph)
        networks = {name: open_graph(graph) for name, (graph, _) in companions.items()}
        model = Model(OnnxVAE.read(graphs, open_graph), stride=stride, companions=networks)
        memory = memories(model, data.train.slices, depth, scans)
        if scans and not _keeps_scans(memory):
            raise CheckpointError(f"No scorer of {config.out.name} uses the training scans themselves; leave --with-scans away.")
        model = Model(model.vae, stride=stride, companions=networks, memory=memory)
        train, held_out = data.train.slices, data.validation.slices
        every = reference_every(preprocessor.spacing_mm) if preprocessor else 1
        reference, calibration = calibrate(model, train, held_out, data.validation.subject, depth, every)
        latents = Latents(
            model.latents(train).astype(np.float16), train.position.astype(np.int16), data.train.subject.astype(np.int16)
        )
        errors = {
            name: reconstruction_error(model, held.slices, reference["intensity"].mean_of(held.slices))
            for name, held in (("validation", data.validation), ("test", data.test))
        }
        provenance = _provenance(config, data, errors, {name: how for name, (_, how) in companions.items()})
        card = model_card.written(config, data, provenance, history, _keeps_scans(memory))
        known = model.with_reference(reference)
        Checkpoint(config.out.name, known, preprocessor, calibration, latents, provenance, card, history).save(config.out, graphs)


def reference_every(spacing_mm: int) -> int:
    """How many slices, rows and columns lie from one place of the healthy reference to the next."""
    return max(1, round(REFERENCE_MM / spacing_mm))


def reconstruction_error(model: Model, slices: Slices, mean_image: Array) -> ReconstructionError:
    """Of `slices`, against the healthy mean image at the place of each, (N, H, W)."""
    own = float(((model.map(slices, lambda view: view.reconstruction) - slices.pixels)[slices.mask] ** 2).mean())
    atlas = float(((mean_image - slices.pixels)[slices.mask] ** 2).mean())
    return ReconstructionError(own, atlas, own / atlas)


def _provenance(
    config: TrainingConfig, data: TrainingData, errors: dict[str, ReconstructionError], companions: dict[str, Companion]
) -> Provenance:
    packages = ("torch", "lightning-fabric", "onnx", "onnxruntime", "numpy", "scipy", "SimpleITK")
    versions = {"vaead": __version__, "python": platform.python_version()} | {name: version(name) for name in packages}
    settings = config.identity() | {"data": None if config.data is None else Path(config.data).name}
    subsets = {name: getattr(data, name) for name in SUBSETS} if config.images != "fashion" else {}
    names, ages = ({name: getattr(found, of) for name, found in subsets.items()} for of in ("names", "ages"))
    healthy = [one for known in (data.train, data.validation) for one in known.quality]
    source = Source(data.description, len(data.skipped), names, ages, of_scans(healthy))
    training = Training.read(settings)
    return Provenance(config.architecture.to_dict(), training, source, config.notes, errors, companions, versions)


if __name__ == "__main__":
    sys.exit(main())
