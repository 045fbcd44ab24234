"""The two real cases of the development data: how well each map finds the lesion, beside chance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vaead_core import scorers
from vaead_core.checkpoints.search import opened
from vaead_core.cohorts.locations import find_data
from vaead_core.errors import CohortError
from vaead_core.experiments.records import Measurement
from vaead_core.measures.metrics import detection, dice
from vaead_core.pipeline import scoring
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.truth import read_truth

CASES = {"MS": "ms_patient07", "glioma": "glioma_tcga_du_7294"}


@dataclass(frozen=True)
class LesionPart:
    """One patient through one checkpoint, on the scan's own grid, over the brain, by the map scorers named."""

    checkpoint: str
    case: str
    folder: str
    scorers: tuple[str, ...]

    def measure(self) -> list[Measurement]:
        """Every map on the scan."""
        checkpoint = opened(self.checkpoint)
        scan = read_nifti(Path(self.folder) / "t1.nii.gz")
        brain = scan.mask
        truth = read_truth(Path(self.folder) / "lesion.nii.gz", scan).marked[brain]
        ready = scoring.prepare(scan, checkpoint)
        found = []
        for name in self.scorers:
            result = scoring.score(ready, checkpoint, name)
            if result.maps is None:
                raise ValueError(f"{name} is registered as a map scorer and gave no map")
            values = scorers.abnormality(name, scoring.native_map(ready, checkpoint, result.maps))[brain]
            one, dice_at_5 = detection(values, truth), dice(values > result.thresholds[0.05], truth)
            numbers = {"pooled_ap": one.ap, "best_dice": one.best_dice, "dice_at_5": dice_at_5}
            found.append(
                Measurement(
                    "segmentation", name, "", True, self.case, "all voxels", self.case, checkpoint.name, 0,
                    one.ap, one.auroc, one.prevalence, **numbers,
                )
            )  # fmt: skip
        return found


def lesion_folder(case: str) -> str:
    """The folder of a case. Raises CohortError where the development data is not found."""
    folder = find_data("lesions")
    if folder is None:
        raise CohortError("The two lesion cases are development data; set VAEAD_DATA to the folder that holds lesions/.")
    return str(folder / CASES[case])
