"""What `score` writes beside the maps of a scan: scores, percentiles, thresholds, how it lies, and what was used."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np

from vaead_core import __version__, scorers
from vaead_core.checkpoints.calibration import RATES
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.measures.aggregates import AGGREGATES, DEFAULT
from vaead_core.pipeline.cautions import cautions, healthy_quality
from vaead_core.pipeline.scoring import PreparedScan, Scored
from vaead_core.scans.geometry import Placement
from vaead_core.scans.registration.quality import HEALTHY_SIMILARITIES, LEAST_SIMILARITY


def scores_record(prepared: PreparedScan, scored: list[Scored], checkpoint: Checkpoint) -> dict[str, Any]:
    """What `<scan>_scores.json` holds: values, percentiles and thresholds a scorer, settings and versions."""
    return {
        **made_by(checkpoint),
        "aggregates": {"default": DEFAULT, "all": list(AGGREGATES)},
        "site": site_record(scored),
        "healthy_images": len(scored[0].healthy.images[DEFAULT]) if scored else 0,
        "healthy_scans": len(scored[0].healthy.scans[DEFAULT]) if scored else 0,
        "brain_found_by": prepared.brain.scan.brain_by,
        "warnings": cautions(prepared, scored, checkpoint),
        "registration": registration_record(prepared.brain.transform),
        "image_quality": prepared.quality,
        "image_quality_of_healthy_scans": {
            name: (min(values), max(values)) for name, values in healthy_quality(scored, checkpoint).items()
        },
        "slice_positions": prepared.slices.position.tolist(),
        "scorers": {
            s.name: {
                "unit": scorers.SCORERS[s.name].unit,
                "scale": s.scale,
                "scan": s.scan,
                "scan_percentile": s.scan_percentiles,
                "thresholds_by_healthy_false_positive_rate": {str(rate): value for rate, value in s.thresholds.items()},
                **_left_out(s),
                "slices": {kind: np.round(v.astype(float), 6).tolist() for kind, v in s.images.items()},
                "slice_percentiles": {kind: np.round(v, 2).tolist() for kind, v in s.image_percentiles.items()},
            }
            for s in scored
        },
    }


def made_by(checkpoint: Checkpoint) -> dict[str, Any]:
    """The checkpoint, and versions of what a result depends on."""
    return {
        "checkpoint": {"name": checkpoint.name, "digest": checkpoint.digest},
        "versions": {"vaead": __version__, "onnxruntime": version("onnxruntime"), "numpy": np.__version__},
    }


def site_record(scored: list[Scored]) -> dict[str, Any] | None:
    """Whose healthy scans thresholds and percentiles come from; None where they are the checkpoint's."""
    site = scored[0].site if scored else None
    return {"name": site.name, "scans": site.scans, "digest": site.digest} if site else None


def _left_out(one: Scored) -> dict[str, Any]:
    """How far a site's thresholds of a map hold for a scan of it that is not among them."""
    if one.site is None or one.maps is None:
        return {}
    shares = {rate: one.site.left_out_shares(one.name, one.scale, rate) for rate in RATES}
    named = {str(rate): dict(zip(("median", "least", "largest"), found, strict=True)) for rate, found in shares.items()}
    return {"marked_of_left_out_site_scans": named}


def registration_record(placement: Placement) -> dict[str, Any]:
    """How well the scan lies on the atlas."""
    return {
        "similarity": round(placement.similarity, 4),
        "healthy_similarities": list(HEALTHY_SIMILARITIES),
        "least_similarity": LEAST_SIMILARITY,
        "dice": round(placement.dice, 4),
        "covered_share": round(placement.covered_share, 4),
        "rotation_degrees": round(placement.rotation_degrees, 1),
        "rotation": placement.rotation_in_words,
        "scan_to_atlas": placement.matrix.tolist(),
    }
