"""`python -m benchmarks.scaling [--record]`: processor minutes and memory a subject at 1 and 2 mm, and what cohorts cost.

Each stage runs in a process of its own, on one thread, at two numbers of subjects: the differences are a subject's share.
Processor time counts, so that other jobs on the machine matter little. --record writes the tables of docs/scaling.md.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch

import models
from benchmarks.seconds import processor
from models.export import export_onnx
from training import processes
from training.config import TrainingConfig
from training.data import Subset, TrainingData
from training.devices import native_precision
from training.presets import PRESETS
from training.publish import reference_every
from training.run import fit
from vaead_core.checkpoints.calibration import calibrate, training_reference
from vaead_core.cohorts.preparation import Ready, prepare
from vaead_core.cohorts.synthetic import synthetic_brain, synthetic_cohort
from vaead_core.inference.model import Model
from vaead_core.inference.vae import OnnxVAE
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.slice_grid import SliceGrid
from vaead_core.scans.volume import Slices, Volume

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "scaling.md"
BEGIN, END = "<!-- written by benchmarks.scaling -->", "<!-- end of what benchmarks.scaling writes -->"
STAGES = {"prepare": (1, 3), "train": (1, 3), "latents": (1, 3), "score": (2, 4)}  # stage → two numbers of subjects
COHORTS = (800, 10_000, 100_000)
EPOCHS, TRAINED, HELD_OUT = 100, 0.7, 0.2
WORDS = {
    "prepare": "preparing", "train": "an epoch's share of training", "latents": "latents and healthy reference, when publishing",
    "score": "every scorer, when calibrating or evaluating",
}  # fmt: skip


def main(record: bool) -> None:
    """Measures every stage at both spacings, prints the tables, and writes them with `record`."""
    found = {mm: {stage: _share(stage, mm) for stage in STAGES} | {"slices": _slices_bytes(mm)} for mm in (2, 1)}
    text = _tables(found)
    print(text)
    if record:
        head, rest = DOCUMENT.read_text().split(BEGIN)
        DOCUMENT.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


def _tables(found: dict[int, dict]) -> str:
    """A subject's costs as measured, and those of cohorts as they follow."""
    rows = [("", *(f"{mm} mm" for mm in found)), ("---",) * (1 + len(found))]
    rows += [
        (f"{WORDS[stage]}: processor seconds", *(f"{one[stage]['seconds']:.1f}" for one in found.values())) for stage in STAGES
    ]
    rows += [
        ("slices, in memory: MB", *(f"{one['slices'] / 1e6:.1f}" for one in found.values())),
        ("a training subject while publishing: MB more", *(f"{one['latents']['bytes'] / 1e6:.0f}" for one in found.values())),
        ("a validation subject while publishing: MB more", *(f"{one['score']['bytes'] / 1e6:.0f}" for one in found.values())),
        ("a process that prepares: GB at most", *(f"{one['prepare']['least'] / 1e9:.1f}" for one in found.values())),
        (
            "a process that trains, without its cohort: GB at most",
            *(f"{one['train']['peak'] / 1e9:.1f}" for one in found.values()),
        ),
        ("weights, each step's message: MB", *(f"{_weights_bytes(mm) / 1e6:.0f}" for mm in found)),
    ]
    head = ("subjects", "spacing", "preparing", f"{EPOCHS} epochs", "publishing", "training holds", "publishing holds")
    cohorts = [head, ("---",) * len(head)]
    for count in COHORTS:
        for mm, one in found.items():
            parts = {"latents": TRAINED * count, "score": HELD_OUT * count}
            hours = [
                count * one["prepare"]["seconds"] / 3600, EPOCHS * TRAINED * count * one["train"]["seconds"] / 3600,
                sum(people * one[stage]["seconds"] for stage, people in parts.items()) / 3600,
            ]  # fmt: skip
            held = 2 * count * one["slices"]
            more = count * one["slices"] + sum(people * one[stage]["bytes"] for stage, people in parts.items())
            cells = [f"{hour:,.1f} h" if hour < 100 else f"{hour:,.0f} h" for hour in hours]
            cohorts.append((f"{count:,}", f"{mm} mm", *cells, f"{held / 1e9:,.0f} GB", f"{more / 1e9:,.0f} GB"))
    line = f"Measured on {processor()}, {native_precision()}."
    return "\n\n".join([line, *("\n".join(f"| {' | '.join(row)} |" for row in table) for table in (rows, cohorts))])


def _weights_bytes(spacing_mm: int) -> int:
    network = models.build(_preset(spacing_mm).architecture.to_dict())
    return sum(4 * value.numel() for value in network.parameters())


def measure(stage: str, spacing_mm: int, subjects: int) -> dict[str, float]:
    """Processor seconds of a stage on some subjects, and the process's peak memory in bytes, in this very process."""
    brains = _brains(spacing_mm, 1 if stage != "prepare" else subjects)
    one = None if stage == "prepare" else _slices(brains, spacing_mm)
    work = {"prepare": _prepare, "train": _train, "latents": _latents, "score": _score}[stage](brains, one, spacing_mm, subjects)
    Path("/proc/self/clear_refs").write_text("5")  # the peak of what follows, not of what led here
    start = time.process_time()
    work()
    return {"seconds": time.process_time() - start, "peak": _peak(), "slices": len(one or ())}


def _prepare(brains, one, spacing_mm, subjects):
    return lambda: [isinstance(ready, Ready) for _, ready in prepare(brains, Preprocessor(spacing_mm))]


def _train(brains, one, spacing_mm, subjects):
    """As many steps of the preset at this spacing as there are subjects; validation takes 8 slices."""
    config, few = _preset(spacing_mm), _part(one[:8], 1)
    images = _part(one, -(-config.batch_size * subjects // len(one))).slices[: config.batch_size * subjects]
    data = TrainingData(Subset(images, np.zeros(len(images), int), ("one",), (None,)), few, few, "")
    return lambda: _fit(config, data)


def _fit(config: TrainingConfig, data: TrainingData) -> None:
    with tempfile.TemporaryDirectory() as folder:
        changes = {"epochs": 1, "precision": native_precision(), "out": Path(folder) / "model"}
        config, fabric = processes.launch(config.model_copy(update=changes))
        fit(fabric, config, data)


def _latents(brains, one, spacing_mm, subjects):
    """What publishing makes of the training subjects."""
    model, train = _model(spacing_mm), _part(one, subjects).slices
    return lambda: (training_reference(model, train, _depth(spacing_mm), reference_every(spacing_mm)), model.latents(train))


def _score(brains, one, spacing_mm, subjects):
    """What publishing makes of the validation subjects: every scorer on each, which is also what evaluating costs."""
    model, held_out = _model(spacing_mm), _part(one, subjects)
    return lambda: calibrate(model, one, held_out.slices, held_out.subject, _depth(spacing_mm), reference_every(spacing_mm))


def _model(spacing_mm: int) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        export_onnx(models.build(_preset(spacing_mm).architecture.to_dict()), Path(folder))
        return Model(OnnxVAE.read(Path(folder)))


def _preset(spacing_mm: int) -> TrainingConfig:
    return PRESETS[f"brain-slices-{spacing_mm}mm"][1]


def _depth(spacing_mm: int) -> int:
    return SliceGrid(spacing_mm).depth


def _brains(spacing_mm: int, count: int) -> list:
    """Synthetic subjects whose scans are made before anything is measured."""
    subjects = synthetic_cohort(count).subjects
    ages = [cast(float, subject.age) for subject in subjects]
    scans = [synthetic_brain(0, index, age, spacing_mm) for index, age in enumerate(ages)]
    return [replace(subject, read=_giving(scan)) for subject, scan in zip(subjects, scans, strict=True)]


def _giving(scan: Volume) -> Callable[[], Volume]:
    return lambda: scan


def _slices(brains: list, spacing_mm: int) -> Slices:
    found = prepare(brains, Preprocessor(_preset(spacing_mm).spacing_mm))
    return next(ready.slices for _, ready in found if isinstance(ready, Ready))


def _part(slices: Slices, subjects: int) -> Subset:
    """The slices of one subject, as often as there are subjects: other pixels would take the same time."""
    names = tuple(f"subject {index}" for index in range(subjects))
    moved = [replace(slices, pixels=slices.pixels + np.float32(1e-6 * index)) for index in range(subjects)]
    return Subset(Slices.concatenate(moved), np.repeat(np.arange(subjects), len(slices)), names, (None,) * subjects)


def _peak() -> int:
    """Bytes that this process held at most."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _apart(stage: str, spacing_mm: int, subjects: int) -> dict[str, float]:
    """`measure` in a process of its own, with one thread."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.scaling", stage, str(spacing_mm), str(subjects)]
    said = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = json.loads(said.splitlines()[-1])
    print(
        f"{stage} {spacing_mm} mm, {subjects} subjects: {found['seconds']:.1f} s, peak {found['peak'] / 1e9:.2f} GB", flush=True
    )
    return found


def _share(stage: str, spacing_mm: int) -> dict[str, float]:
    """seconds, bytes: of one further subject. least, peak: what the process with few, with many held at most, in bytes."""
    few, many = STAGES[stage]
    first, last = (_apart(stage, spacing_mm, count) for count in (few, many))
    seconds, size = ((last[key] - first[key]) / (many - few) for key in ("seconds", "peak"))
    if stage == "train":  # a step is a batch, and an epoch sees each slice once
        seconds *= first["slices"] / _preset(spacing_mm).batch_size
    return {"seconds": seconds, "bytes": size, "least": first["peak"], "peak": last["peak"]}


def _slices_bytes(spacing_mm: int) -> int:
    one = _slices(_brains(spacing_mm, 1), spacing_mm)
    return one.pixels.nbytes + one.mask.nbytes


if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) == 4:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
    else:
        main("--record" in sys.argv[1:])
