"""Painted lesions in one subject: how well each map finds them, in the whole brain, beside chance and the two baselines."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from vaead_core import scorers
from vaead_core.anomalies import lesions
from vaead_core.anomalies.lesions import PaintedCase
from vaead_core.checkpoints.search import opened
from vaead_core.experiments.records import Measurement
from vaead_core.experiments.subjects import judging, prepared_brain
from vaead_core.experiments.toy_scans import Choice, described, is_default, score_map
from vaead_core.measures.metrics import detection, dice
from vaead_core.pipeline.scoring import PreparedScan, score
from vaead_core.scans.volume import Brain

CHANGES = (-0.3, -0.2, -0.1, -0.05, 0.1, 0.2, 0.3)  # of the tissue's own intensity
KINDS = {  # kind → its combinations, each a name and settings
    **{
        kind: {f"{abs(change):.0%} {'darker' if change < 0 else 'brighter'}": {"change": change} for change in CHANGES}
        for kind in ("white_matter", "cortical", "mass")
    },
    "atrophy": {f"{width} mm wider": {"widening_mm": float(width)} for width in (2, 4)},
}


@dataclass(frozen=True)
class PaintedPart:
    """One kind in one subject through one checkpoint. maps: (scorer, settings), as in ToyPart."""

    checkpoint: str
    source: str
    subject: str
    kind: str
    seed: int
    maps: tuple[Choice, ...]

    def measure(self) -> list[Measurement]:
        """Every map on every combination, on the scan's own scale; a combination's lesions lie elsewhere in each subject."""
        checkpoint = judging(self.checkpoint, self.source, self.subject)
        healthy = prepared_brain(self.source, self.subject, self.checkpoint)
        if checkpoint.preprocessor is None:
            raise ValueError("lesions are painted in scans")
        found = []
        for name in KINDS[self.kind]:
            case = paint(self.kind, name, healthy, self.subject, self.seed)
            slices = checkpoint.preprocessor.to_slices(case.brain)
            truth = checkpoint.preprocessor.slice_grid.on_slices(case.truth, slices)[slices.mask]
            for choice in self.maps:
                if is_default(choice):
                    shown = score(PreparedScan(case.brain, slices), checkpoint, choice[0])
                    values = shown.abnormality[slices.mask]
                    dice_at_5 = dice(values > shown.thresholds[0.05], truth)
                else:
                    values, dice_at_5 = score_map(checkpoint, choice, slices)[slices.mask], np.nan
                one = detection(values, truth)
                found.append(
                    Measurement(
                        "segmentation", choice[0], described(choice[1]), True, self.kind, name, self.subject,
                        checkpoint.name, self.seed, one.ap, one.auroc, one.prevalence, one.ap, one.best_dice, dice_at_5,
                    )
                )  # fmt: skip
        return found


def paint(kind: str, combination: str, brain: Brain, subject: str, seed: int) -> PaintedCase:
    """One combination of KINDS in a subject's brain; where it lies follows from all four."""
    place = zlib.crc32(f"{kind} {combination} {subject}".encode())
    return lesions.build(kind, **KINDS[kind][combination]).paint(brain, np.random.default_rng([seed, place]))


def every_map(checkpoint: str) -> tuple[Choice, ...]:
    """Each map scorer that the checkpoint can have, as it is calibrated."""
    return tuple((name, ()) for name in scorers.map_scorers(opened(checkpoint).model))
