"""What `vaead limits` writes of a scan."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from vaead_core.anomalies import lesions
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.measures.found_lesions import OVERLAP, SMALLEST_ML
from vaead_core.pipeline.cautions import cautions
from vaead_core.pipeline.limits.lesion_scans import APART_MM, EDGES_ML, LOOKS, MIRROR_MM
from vaead_core.pipeline.limits.measuring import ThresholdedMap
from vaead_core.pipeline.limits.table import SHARES, Limits
from vaead_core.pipeline.record import made_by, registration_record, site_record
from vaead_core.pipeline.scoring import PreparedScan


def limits_record(
    prepared: PreparedScan,
    maps: Sequence[ThresholdedMap],
    limits: Sequence[Limits],
    checkpoint: Checkpoint,
    seed: int,
) -> dict[str, Any]:
    """What `<scan>_limits.json` holds: settings and versions, the table of each map, and every lesion with its place."""
    scored = [one.scored for one in maps]
    return {
        **made_by(checkpoint),
        "site": site_record(scored),
        "brain_found_by": prepared.brain.scan.brain_by,
        "warnings": cautions(prepared, scored, checkpoint),
        "registration": registration_record(prepared.brain.transform),
        "seed": seed,
        "rules": {
            "found_from_share_of_newly_marked_voxels": OVERLAP,
            "smallest_component_ml": SMALLEST_ML,
            "sizes_ml": list(EDGES_ML),
            "apart_mm": APART_MM,
            "from_mirror_image_mm": MIRROR_MM,
        },
        "scorers": {one.scorer: _method(one) | {"scale": read.scored.scale} for one, read in zip(limits, maps, strict=True)},
        "lesions": _lesions(limits),
    }


def record_text(record: dict[str, Any]) -> str:
    """As it stands in its file."""
    return json.dumps(record, indent=1) + "\n"


def _method(limits: Limits) -> dict[str, Any]:
    return {
        "threshold": limits.threshold,
        "rate": limits.rate,
        "false_components": limits.false_components,
        "sentence": limits.sentence(),
        "table": [
            {
                "look": one.look, "size": one.size, "count": one.count, "found": one.found, "marked_before": one.marked_before,
                "sensitivity": round(one.sensitivity, 4) if one.count else None,
                "interval": [round(one.low, 4), round(one.high, 4)],
            }
            for one in limits.cells
        ],
        "size_found_ml": {look: {f"{share:g}": _size(limits, look, share) for share in SHARES} for look in LOOKS},
    }  # fmt: skip


def _size(limits: Limits, look: str, share: float) -> dict[str, Any]:
    curve = limits.curve(look)
    size = curve.size_ml(share) if curve else None
    return {"ml": None if size is None else round(size, 4), "said": limits.size_said(look, share)}


def _lesions(limits: Sequence[Limits]) -> list[dict[str, Any]]:
    """Every lesion, and which of the maps found it."""
    rows = []
    for outcomes in zip(*(one.outcomes for one in limits), strict=True):
        one, found = outcomes[0].lesion, [known.scorer for known, outcome in zip(limits, outcomes, strict=True) if outcome.found]
        said = {"kind": lesions.LESIONS[one.kind].title, "look": one.look, "volume_ml": round(one.volume_ml, 4)}
        rows.append(said | {"centre_on_atlas_grid": np.array(one.centre).tolist(), "found_by": found})
    return rows
