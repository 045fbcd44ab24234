"""The only cached functions of the app. Keys are content digests; a scan stays in memory as long as a session has it open."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from pages.shared.server import memory
from pages.shared.server.cache import cached, forget_all, kept
from pages.shared.viewer import Layer
from pages.shared.viewer.layer import TOP_RARITY
from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import DESCRIPTION, Checkpoint
from vaead_core.cohorts.synthetic import Sample, load_sample
from vaead_core.measures.components import Cluster
from vaead_core.measures.components import clusters as find_clusters
from vaead_core.pipeline import scoring
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.volume import Volume


def checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint of `folder`, read once for each version of its description. Raises CheckpointError."""
    try:
        stamp = hashlib.blake2b((folder / DESCRIPTION).read_bytes()).hexdigest()
    except OSError:
        stamp = ""  # and then it cannot be loaded, which has its own sentence
    return _opened(str(folder), stamp)


@cached
def _opened(folder: str, stamp: str) -> Checkpoint:
    return Checkpoint.load(folder)


def forget(scan_key: str) -> None:
    """Drops all that was made of a scan."""
    forget_all(scan_key)
    for one in kept(_opened):
        one.model.forget()


@cached
def sample(name: str) -> Sample:
    """A sample scan by name, with its truth."""
    return load_sample(name)


@cached
def uploaded(digest: str, name: str, _content: bytes) -> Volume:
    """An uploaded file as a scan; `digest` is that of its bytes."""
    memory.refuse_to_read(_content, name)
    return read_nifti(_content, name)


@cached
def prepared(scan_key: str, checkpoint_digest: str, _scan: Volume, _checkpoint: Checkpoint) -> scoring.PreparedScan:
    """The scan on the checkpoint's atlas grid."""
    memory.refuse_to_score(_scan.data.size, _scan.name)
    return scoring.prepare(_scan, _checkpoint)


@cached
def scored(
    scan_key: str, checkpoint_digest: str, name: str, _prepared: scoring.PreparedScan, _checkpoint: Checkpoint
) -> scoring.Scored:
    """One scorer on a prepared scan."""
    return scoring.score(_prepared, _checkpoint, name)


@cached
def scan_layer(scan_key: str, what: str, _values: np.ndarray) -> Layer:
    """A volume of the scan itself for the viewer: "Scan" or "Truth"."""
    return Layer.of(_values, what)


@cached
def sliced_truth(
    scan_key: str, checkpoint_digest: str, _truth: np.ndarray, _prepared: scoring.PreparedScan, _checkpoint: Checkpoint
) -> np.ndarray:
    """(n,) bool: the truth of a sample in the brain's pixels of the prepared slices."""
    return _checkpoint.preprocessor.truth_to_slices(_truth, _prepared.brain)[_prepared.slices.mask]


@cached
def reconstruction_layer(
    scan_key: str, checkpoint_digest: str, _prepared: scoring.PreparedScan, _checkpoint: Checkpoint
) -> Layer:
    """What the network redraws, for the viewer."""
    return Layer.of(scoring.reconstruction(_prepared, _checkpoint), "Reconstruction")


@cached
def native(
    scan_key: str, checkpoint_digest: str, name: str,
    _prepared: scoring.PreparedScan, _checkpoint: Checkpoint, _scored: scoring.Scored,
) -> np.ndarray:  # fmt: skip
    """One scorer's map on the scan's own RAS+ grid."""
    return scoring.native_map(_prepared, _checkpoint, _scored.maps)


@cached
def clusters(
    scan_key: str, checkpoint_digest: str, name: str, threshold: float, _native: np.ndarray, _affine: np.ndarray
) -> list[Cluster]:
    """The largest clusters of one scorer's native map above a threshold."""
    return find_clusters(scorers.abnormality(name, _native), threshold, _affine)


@cached
def map_layer(
    scan_key: str, checkpoint_digest: str, name: str,
    _prepared: scoring.PreparedScan, _checkpoint: Checkpoint, _scored: scoring.Scored,
) -> Layer:  # fmt: skip
    """One scorer's map on the scan's own grid, for the viewer, with its rarity scale."""
    scorer, healthy = scorers.SCORERS[name], _checkpoint.calibration[name]
    return Layer.of(
        native(scan_key, checkpoint_digest, name, _prepared, _checkpoint, _scored), scorer.title, scorer.unit,
        signed=scorer.signed, about=scorers.help_text(name),
        rarity=np.array([healthy.threshold(10.0**-rarity) for rarity in np.linspace(0, TOP_RARITY, 301)]),
    )  # fmt: skip
