"""The only cached functions of the app. Keys are content digests; a scan stays in memory as long as a session has it open."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

from pages.shared.server import memory, queue, sessions
from pages.shared.server.cache import cached, forget_all, kept, quickly_cached
from pages.shared.viewer import Layer, Voxel
from vaead_core import scorers
from vaead_core.checkpoints import search
from vaead_core.checkpoints.checkpoint import DESCRIPTION, Checkpoint
from vaead_core.checkpoints.site import Site, site_bytes
from vaead_core.cohorts.samples import Sample, load_sample
from vaead_core.computing.apart import Apart
from vaead_core.errors import CheckpointError, refusing
from vaead_core.figures.rarity import Rarity
from vaead_core.measures.components import Cluster
from vaead_core.measures.components import clusters as find_clusters
from vaead_core.measures.precision_recall import PrecisionRecall
from vaead_core.pipeline import scoring
from vaead_core.pipeline.scoring import PreparedScan, Scale, Scored
from vaead_core.scans.dicom_series import worth_choosing
from vaead_core.scans.masks import labels_in
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.reading import read_scan, series_in
from vaead_core.scans.registration.quality import HEALTHY_SIMILARITIES
from vaead_core.scans.truth import read_truth
from vaead_core.scans.volume import Array, Volume
from vaead_core.scorers.units import units_help


def checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint of `folder`, read once for each version of its description. Raises CheckpointError."""
    try:
        stamp = hashlib.blake2b((folder / DESCRIPTION).read_bytes()).hexdigest()
    except OSError:
        stamp = ""  # and then it cannot be loaded, which has its own sentence
    return _opened(str(folder), stamp)


def site(file: Path, checkpoint: Checkpoint) -> Site:
    """A site's calibration of a checkpoint, read once for each content. Raises CheckpointError."""
    with refusing(CheckpointError(f"{file.name} is no longer there; choose other thresholds."), OSError):
        content = site_bytes(file)
    return _site(hashlib.blake2b(content).hexdigest(), checkpoint, file.name, content)


@cached
def _site(digest: str, checkpoint: Checkpoint, name: str, _content: bytes) -> Site:
    return Site.read(_content, checkpoint, name)


@cached
def _opened(folder: str, stamp: str) -> Checkpoint:
    """The networks of a session's own run apart, and no longer than it lasts."""
    if search.vouched_for(Path(folder)):
        return Checkpoint.load(folder)
    apart = Apart(Path(folder).name, queue.listen)
    found = Checkpoint.load(folder, apart.graph)
    sessions.at_end(weakref.finalize(found, apart.close))
    return found


def forget(scan_digest: str) -> None:
    """Drops all that was made of a scan."""
    forget_all(scan_digest)
    for one in kept(_opened):
        one.model.forget()


@cached
def sample(name: str) -> Sample:
    """A sample scan by name, with its truth."""
    return load_sample(name)


@cached
def uploaded(digest: str, name: str, series: str, _content: bytes, _scratch: Path | None) -> Volume:
    """An uploaded file as a scan; `digest` is that of its bytes. series: UID of one in a .zip, which is unpacked in `scratch`."""
    memory.refuse_to_read(_content, name)
    return read_scan(_content, name, series, _scratch)


@cached
def series_of(digest: str, name: str, _content: bytes, _scratch: Path) -> tuple[tuple[str, str], ...]:
    """UID of each DICOM series in a .zip, and what it is called."""
    memory.refuse_to_read(_content, name)
    return tuple((one.uid, str(one)) for one in worth_choosing(series_in(_content, name, _scratch)))


@cached
def labels_of(digest: str, name: str, _content: bytes) -> tuple[int, ...]:
    """Those of an uploaded label map from which some may be chosen. Raises ScanError."""
    memory.refuse_to_read(_content, name)
    return labels_in(_content, name)


@cached
def uploaded_truth(
    scan_digest: str, digest: str, name: str, labels: tuple[int, ...], _scan: Volume, _content: bytes
) -> OpenTruth:
    """An uploaded mask as the truth of a scan; labels: those that count, () for all. Raises ScanError."""
    memory.refuse_to_read(_content, name)
    found = read_truth(_content, _scan, name, labels)
    return OpenTruth((digest, labels), found.marked, found.notes)


@cached
def _prepared(scan_digest: str, name: str, checkpoint: Checkpoint, _scan: Volume) -> PreparedScan:
    """name: of the scan, as the same content is another's file too, whose name is not theirs to see."""
    memory.refuse_to_score(_scan.data.size, _scan.name)
    return scoring.prepare(_scan, checkpoint)


@dataclass(frozen=True)
class OpenScan:
    """A scan as a checkpoint sees it. scan_digest: of its content. scale: on which its maps are read.

    site: with whose healthy scans they are compared, None for the checkpoint's.
    """

    scan_digest: str
    checkpoint: Checkpoint
    prepared: PreparedScan
    scale: Scale
    site: Site | None = None

    @property
    def digest(self) -> tuple[str, ...]:
        """What the cache knows it by."""
        return self.scan_digest, self.checkpoint.digest, self.scale, self.site.digest if self.site else ""

    @property
    def volume(self) -> Volume:
        """The scan as it was read."""
        return self.prepared.brain.scan

    @property
    def preprocessor(self) -> Preprocessor:
        """The checkpoint's, without which no scan is opened."""
        if self.checkpoint.preprocessor is None:
            raise ValueError("only a model of brain scans opens a scan")
        return self.checkpoint.preprocessor

    @property
    def lies(self) -> str:
        """How well it lies on the atlas, in a sentence."""
        low, high = HEALTHY_SIMILARITIES
        similarity = self.prepared.brain.transform.similarity
        return f"Similarity to the atlas {similarity:.2f}, of healthy brains {low:.2f} to {high:.2f}."

    def row_at(self, voxel: Voxel) -> int:
        """The slice that holds a voxel of the scan."""
        return self.preprocessor.slice_grid.row_at(voxel, self.prepared.slices, self.prepared.brain)

    def voxel_in(self, row: int, voxel: Voxel) -> Voxel:
        """The voxel of the scan that lies in slice `row`, above or below `voxel`."""
        return self.preprocessor.slice_grid.voxel_in(row, voxel, self.prepared.slices, self.prepared.brain)


def open_scan(
    scan_digest: str, scan: Volume, checkpoint: Checkpoint, scale: Scale = "scan", site: Site | None = None
) -> OpenScan:
    """The scan on the checkpoint's atlas grid. Raises InputError when it cannot be brought there."""
    return OpenScan(scan_digest, checkpoint, _prepared(scan_digest, scan.name, checkpoint, scan), scale, site)


@dataclass(frozen=True)
class OpenTruth:
    """Where a scan's lesion is. digest: of the file, with the labels that count. marked: (I, J, K) bool on the scan's RAS+ grid.

    notes: how the file was read, in plain sentences.
    """

    digest: Hashable
    marked: Array
    notes: tuple[str, ...] = ()


@cached
def scored(scan: OpenScan, name: str) -> Scored:
    """One scorer on a scan."""
    return scoring.score(scan.prepared, scan.checkpoint, name, scan.scale, scan.site)


@quickly_cached
def native(scan: OpenScan, name: str) -> Array:
    """One scorer's map on the scan's own RAS+ grid."""
    return scoring.native_map(scan.prepared, scan.checkpoint, scored(scan, name).map_values)


@quickly_cached
def sliced_truth(scan: OpenScan, truth: OpenTruth) -> Array:
    """(n,) bool: the truth in the brain's pixels of the slices."""
    return scan.preprocessor.truth_to_slices(truth.marked, scan.prepared.brain)[scan.prepared.slices.mask]


@quickly_cached
def against_truth(scan: OpenScan, truth: OpenTruth, name: str) -> PrecisionRecall:
    """Precision and recall of one scorer's map on the scan's own grid, over the brain; the truth marks a part of it."""
    brain = scan.volume.mask
    return PrecisionRecall.of(scorers.abnormality(name, native(scan, name))[brain], truth.marked[brain])


@quickly_cached
def clusters(scan: OpenScan, name: str, threshold: float) -> list[Cluster]:
    """The largest clusters of one scorer's native map above a threshold."""
    return find_clusters(scorers.abnormality(name, native(scan, name)), threshold, scan.volume.affine)


@quickly_cached
def scan_layer(digest: Hashable, what: str, _values: Array) -> Layer:
    """A volume of the scan itself for the viewer: "Scan" or "Truth"."""
    return Layer.of(_values, what)


@quickly_cached
def reconstruction_layer(scan: OpenScan) -> Layer:
    """What the network redraws, for the viewer."""
    return Layer.of(scoring.reconstruction(scan.prepared, scan.checkpoint), "Reconstruction")


@quickly_cached
def map_layer(scan: OpenScan, name: str) -> Layer:
    """One scorer's map on the scan's own grid, for the viewer."""
    return shown_map(scan, name, native(scan, name))


def shown_map(scan: OpenScan, name: str, values: Array) -> Layer:
    """(I, J, K) values of one scorer as the viewer shows them on every page: with title, unit and its rarity scale."""
    scorer, healthy = scorers.SCORERS[name], scored(scan, name).healthy
    return Layer.of(
        values, scorer.title, scorer.unit, signed=scorer.signed, about=f"{scorers.help_text(name)} {units_help([scorer.unit])}",
        rarity=Rarity.of(healthy).levels,
    )  # fmt: skip
