"""What stands beside the images: their JSON files, in BIDS's own fields and in ours, and the table of clusters."""

from __future__ import annotations

from typing import Any

from vaead_core import scorers
from vaead_core.pipeline.findings import VERDICTS
from vaead_core.pipeline.scoring import Scored
from vaead_core.study.dataset import StudyScan

MASK = {"Description": "Voxels of the map above its threshold.", "Type": "ROI"}
BRAIN = {"Description": "The brain as networks found it in the whole head; check its outline.", "Type": "Brain"}
TRANSFORM = {
    "Description": "Affine transform as ITK has it: by it an image of the scan is resampled onto the SRI24 atlas. "
    "Points it takes from the atlas to the scan, LPS, in mm."
}
_MM = {"Units": "mm"}
CLUSTERS: dict[str, Any] = {
    "Description": "Connected parts of the mask, by falling volume; voxels that share a face are one. What is not numbered is 0.",
    "volume_ml": {"Description": "Its volume.", "Units": "mL"},
    "peak": {"Description": "The highest value of the map in it; of a signed map, without its sign."},
    "peak_x": {"Description": "Where that lies in the scan's world, to the right.", **_MM},
    "peak_y": {"Description": "The same, to the front.", **_MM},
    "peak_z": {"Description": "The same, upwards.", **_MM},
    "atlas_x": {"Description": "Where that lies in SRI24's world, to the right.", **_MM},
    "atlas_y": {"Description": "The same, to the front.", **_MM},
    "atlas_z": {"Description": "The same, upwards.", **_MM},
    "region": {"Description": "Side and tissue there, by SRI24's labels."},
}
JUDGED = {
    "verdict": {"Description": "What a reader says of it.", "Levels": {one: one for one in VERDICTS}},
    "comment": {"Description": "A reader's comment on it."},
}


def common(scan: StudyScan, scores: dict[str, Any], command: str) -> dict[str, Any]:
    """What every file of a scan says. scores: as of `scores_record`."""
    raw = f"bids:raw:{scan.inside}"
    return {
        "Sources": [raw],
        "SpatialReference": raw,
        "BrainFoundBy": scores["brain_found_by"],
        "Cautions": scores["warnings"],
        "Checkpoint": scores["checkpoint"],
        "Versions": scores["versions"],
        "CommandLine": command,
        "Use": "Research use only, not for diagnosis.",
    }


def map_description(name: str) -> str:
    """What a map shows."""
    kind = scorers.SCORERS[name]
    signed = "Far from 0" if kind.signed else "Higher"
    return f"{kind.title}, on the scan's own grid, 0 outside the brain. {signed} is more abnormal; it is no probability."


def of_map(one: Scored, threshold: float, rate: float | None, scores: dict[str, Any]) -> dict[str, Any]:
    """What the files of one map say. rate: by which its threshold was set, None for a reader. scores: its own, of
    `scores_record`."""
    above = one.healthy.rate(threshold) if rate is None else rate
    return {
        "Scorer": one.name,
        "Units": scores["unit"],
        "Threshold": threshold,
        "ThresholdHealthyPercentile": round(100 * (1 - above), 6),
        "ComparedWith": one.compared_with,
        "ScanScores": scores["scan"],
        "ScanPercentiles": scores["scan_percentile"],
    }
