"""`python -m vaead_core report`: results/README.md and its figures, from the recorded tables."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from vaead_core.checkpoints.search import shipped
from vaead_core.computing.whole_file import write_whole
from vaead_core.errors import InputError, exit_status
from vaead_core.experiments import lesion_facts, records
from vaead_core.experiments.catalogue import EXPERIMENTS
from vaead_core.experiments.report.examples import MAPS, draw_examples
from vaead_core.experiments.report.figures import Picture, draw
from vaead_core.experiments.report.recommendation import advice
from vaead_core.experiments.report.tables import Tables
from vaead_core.experiments.report.thesis import CLAIMS
from vaead_core.experiments.report.thesis_comparison import Beside, beside
from vaead_core.experiments.report.verdicts import reading


def report(options: argparse.Namespace) -> int:
    """Exit status: 0, or 2 with one sentence on stderr."""
    return exit_status(lambda: write_report(options.results, options.data), options.results, "the tables are as they were")


def write_report(folder: Path, data: str | None = None) -> None:
    """Writes README.md and figures/ beside the tables. Raises InputError when none is recorded.

    Example maps need the brains; where these are not found, that is said and the figures stay as they are.
    """
    names = [name for experiment in EXPERIMENTS for name in (experiment, f"{experiment}-validation")]
    tables = {name: rows for name in names if (rows := records.read(folder, name)) is not None}
    if not tables:
        raise InputError(f"{folder} holds no recorded experiment; run: python -m vaead_core evaluate fashion")
    about = {name: records.about_of(folder, name) for name in tables}
    parts = [_head(about), advice(tables, lesion_facts.sentences(folder) if "lesions" in tables else []), _beside_thesis(tables)]
    for name, experiment in EXPERIMENTS.items():
        if name in tables:
            pictures = draw(name, tables, folder / "figures") + _examples(name, data, folder / "figures")
            said = reading(name, tables)
            shown = "\n\n".join(f"![{one.caption}](figures/{one.name})\n\n*{one.caption}*" for one in pictures)
            parts.append(f"## {name}: {experiment.question}\n\n{said}\n\n{shown}")
    parts.append(DIFFERENCES)
    write_whole(folder / "README.md", "\n\n".join(part.strip() for part in parts if part) + "\n")
    print(folder / "README.md")


def _examples(name: str, data: str | None, folder: Path) -> list[Picture]:
    if name not in MAPS:
        return []
    picture = Picture(
        f"{name}_examples.png",
        f"One toy of each dataset in a test brain of IXI (CC BY-SA 3.0); black: the healthy median or less; full colour: "
        f"one in a thousand healthy pixels exceeds it (thesis, Fig. {9 if name == 'slices' else 11}).",
    )
    try:
        draw_examples(name, str(shipped(EXPERIMENTS[name].defaults[0])), data, folder / picture.name)
    except InputError as error:
        print(f"{picture.name} was left as it is: {error}", file=sys.stderr)
    return [picture] if (folder / picture.name).is_file() else []


def _head(about: dict[str, Any]) -> str:
    def models(one: dict[str, Any]) -> str:
        return ", ".join(one["checkpoints"]) if len(one["checkpoints"]) < 4 else f"{len(one['checkpoints'])} models"

    rows = [f"| {name} | `{one['command']}` | {models(one)} | {one['seconds']:.0f} s |" for name, one in about.items()]
    remarks = [f"`{name}`: {one['remark']}" for name, one in about.items() if "remark" in one]
    return "\n\n".join([HEAD + "\n".join(rows), *remarks])


def _beside_thesis(tables: Tables) -> str:
    return BESIDE + "\n".join(_line(beside(claim, tables)) for claim in CLAIMS if claim.experiment in tables)


def _line(one: Beside) -> str:
    """One line of the table: the thesis's number, ours, its chance level."""
    bold = "**" if one.ours.ap >= one.claim.value else ""
    cells = (
        f"{one.claim.experiment}, {one.claim.task}",
        one.name,
        one.data,
        f"{one.claim.value:.3f}",
        f"{bold}{one.ours}{bold}",
        f"{one.ours.chance:.3f}",
        *(("–", "–") if one.literal is None else (str(one.literal), f"{one.literal.chance:.3f}")),
        one.note,
    )
    return f"| {' | '.join(cells)} |"


HEAD = """# Recorded experiments

Written by `python -m vaead_core report` from the tables in this folder. AP is average precision, Σ (Rₙ − Rₙ₋₁) Pₙ; mAP its
mean over a dataset's combinations. **Chance** is the prevalence, the AP of a score that knows nothing. Brackets hold a 95 %
bootstrap interval over the four test subjects (over images for Fashion-MNIST; of several training seeds, the widest).
Segmentation: AP per slice over brain pixels, mean over the slices that hold the toy, over subjects, over combinations.
Detection: each slice with a toy against its own clean twin, so that chance is exactly 0.5 and a slice's place in the brain
cannot look like skill.

Each command repeats its table byte for byte on one kind of processor. Another kind's convolutions round differently, which
moves few numbers, and those of detectors that rank in the third digit at most. Models named `ablations/…` do not ship;
`python -m training.ablations` trains them, at slightly other weights on another kind of processor.

| table | command | models | measured in |
|---|---|---|---|
"""

BESIDE = """## The thesis's numbers beside ours

Theirs: 800 brains of MOOD at 1 mm, the best detector picked on the test set. Ours: IXI at 2 mm, four test brains; the detector
**chosen on validation** (subjects; for Fashion-MNIST deformed t-shirts), the one best on test named beside it. Bold: ours is
at least theirs. Chance levels differ between the two wherever the toys' sizes do, so compare orders, not digits.

"Literally": the network of `thesis-slices`, trained as the thesis's (its loss, rates and batch, 224 × 224 at 1 mm, no
augmentation and no coarse noise) but half as wide and for 16 epochs, on another site's brains (`ds002748`), and measured on
that site's own test subjects.

| experiment | score | data | thesis | ours | chance | literally | chance | |
|---|---|---|---|---|---|---|---|---|
"""

DIFFERENCES = """## What differs from the thesis

- Data: 38 brains of IXI (26 train, 8 validate, 4 test) at 2 mm, not 800 of MOOD at 1 mm; half the network's width.
  With MOOD's download, `python -m training.run thesis-slices-1mm --data FOLDER` and the commands above repeat the thesis.
- Training: coarse noise on the input, which the network is to remove (Kascenas et al. 2022); errors of background pixels
  weigh a tenth, because noise cannot be redrawn.
- Toys: the thesis gives no radii or intensities; ours are 5, 10, 15 and 20 mm and −1, −0.5, 0, 0.5, 1 on the scale where the
  brain's mean is 0 and ±1 are three deviations. They lie wholly inside the brain, 50 mm of slices long.
- Maps count in the brain unless "not masked" is written: the noise background cannot be redrawn, so an unmasked residual is
  full of false positives. The thesis did not mask.
- Detection compares a slice with its own clean twin. The thesis seems to compare with other slices (`detection_rest`
  in the tables): there the slice's place alone can look like skill.
- Patch maps are the mean, not the sum, of the covering windows. A patch of 32 pixels spans 64 mm at 2 mm and the coarse map
  has steps of 32 mm, twice the thesis's: the patch reconstruction error is blunter than theirs by as much.
- Its text counts 16 detectors, its Table I 17: all 17 are here. Covariance and MCD are the same estimate and rank alike.
"""
