"""What is written of one scan, in the names of BIDS: maps, masks, clusters, the way to the atlas, a picture, a record of all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vaead_core import __version__, scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.figures.mosaic import mosaic_row, mosaic_webp
from vaead_core.figures.scan import ShownMap
from vaead_core.measures.components import labelled_clusters
from vaead_core.pipeline.findings import Finding, Verdict, findings_tsv, placed
from vaead_core.pipeline.limits.record import record_text
from vaead_core.pipeline.limits.table import SPOKEN_OF
from vaead_core.pipeline.record import scores_record
from vaead_core.pipeline.scoring import PreparedScan, Scored, native_map
from vaead_core.scans.nifti import Said, map_to_nifti
from vaead_core.scans.transform_file import itk_text
from vaead_core.scans.volume import Array, Volume
from vaead_core.study import sidecars
from vaead_core.study.dataset import StudyScan
from vaead_core.study.names import as_label

MOST_CLUSTERS = 100  # of a map that are numbered; the mask holds all
LISTED_CLUSTERS = 5  # of a map that the record holds and the page shows
SPACE = "T1w"  # the scan's own
ATLAS = "SRI24"

File = tuple[str, bytes | str]
Voxel = tuple[int, int, int]


@dataclass(frozen=True)
class Reader:
    """What somebody who looked at the maps adds. thresholds: by scorer, those that he moved. verdict: of a scorer's cluster
    whose peak lies at a voxel."""

    thresholds: dict[str, float] = field(default_factory=dict)
    verdict: Callable[[str, Voxel], Verdict] = lambda scorer, voxel: Verdict()

    def moved(self) -> tuple[str, ...]:
        """That thresholds are his, in a sentence."""
        titles = ", ".join(scorers.SCORERS[name].title for name in self.thresholds)
        return (f"Whoever looked at the maps moved the threshold of {titles}.",) if titles else ()


def derivatives(
    scan: StudyScan, prepared: PreparedScan, results: list[Scored], checkpoint: Checkpoint, rate: float, command: str,
    said: tuple[str, ...] = (), reader: Reader = Reader(), limits: dict[str, Any] | None = None,
) -> Iterator[tuple[str, bytes | str | dict[str, Any]]]:  # fmt: skip
    """Each file's place in the folder of results and its content; at the end the record, a dictionary. Raises InputError.

    rate: the share of healthy voxels above a threshold that no reader moved. said: sentences to be said beside the others.
    limits: the record of the maps' detection limits, where they were measured.
    """
    volume = prepared.brain.scan
    scores = scores_record(prepared, results, checkpoint)
    scores["warnings"] = [*said, *reader.moved(), *scores["warnings"]]
    about = sidecars.common(scan, scores, command)
    found, pictures, folder = {}, [mosaic_row(volume)], scan.name.folder
    for one in results:
        if one.maps is not None:
            native = native_map(prepared, checkpoint, one.maps)
            threshold = reader.thresholds.get(one.name, one.healthy.threshold(rate))
            moved = one.name in reader.thresholds
            values = scorers.abnormality(one.name, native)
            labels, clusters, count = labelled_clusters(values, threshold, volume.affine, MOST_CLUSTERS)
            marked = values > threshold
            shown = ShownMap.of(one, values, threshold)
            findings = [placed(each, prepared.brain.transform, reader.verdict(one.name, each.voxel)) for each in clusters]
            judged = any(finding.verdict != Verdict() for finding in findings)
            found[one.name] = _found(marked, findings, count, volume, shown) | ({"threshold_moved": True} if moved else {})
            pictures.append(mosaic_row(volume, shown, clusters[0].voxel[2] if clusters else None))
            told = about | sidecars.of_map(one, threshold, None if moved else rate, scores["scorers"][one.name])
            yield from _map_files(scan, volume, one.name, native, told)
            yield from _mask_files(scan, volume, one.name, marked, told)
            yield from _cluster_files(scan, volume, one.name, labels, told | (sidecars.JUDGED if judged else {}), count)
            yield _name(scan, one.name, "dseg") + ".tsv", findings_tsv(findings, judged)
    if volume.brain_by == "networks":
        stem = scan.name.made("mask", space=SPACE, desc="brain").stem
        said_of_it = _said("label", "brain", "brain found by networks")
        yield f"{folder}/{stem}.nii.gz", map_to_nifti(volume.mask, volume, np.uint8, said_of_it)
        yield f"{folder}/{stem}.json", _json(about | sidecars.BRAIN)
    stem = scan.name.transform_stem(SPACE, ATLAS)
    yield f"{folder}/{stem}.txt", itk_text(prepared.brain.transform)
    yield f"{folder}/{stem}.json", _json(about | sidecars.TRANSFORM)
    yield scan.name.picture, mosaic_webp(pictures)
    if limits:
        yield f"{folder}/{scan.name.limits}", record_text(limits)
    record = {"command": command, "brain_volume_ml": round(float(volume.mask.sum()) * volume.voxel_ml, 3), "found": found}
    if limits:
        record["detection_limits"] = {name: _in_short(limits["scorers"][name]) for name in limits["scorers"]}
    yield "", record | {"compared_with": {one.name: one.compared_with for one in results}} | scores


def _map_files(scan: StudyScan, volume: Volume, name: str, native: Array, told: dict[str, Any]) -> Iterator[File]:
    stem = _name(scan, name, "statmap")
    yield f"{stem}.nii.gz", map_to_nifti(native, volume, np.float32, _said("estimate", "anomaly map", name))
    yield f"{stem}.json", _json(told | {"Description": sidecars.map_description(name), "SkullStripped": True})


def _mask_files(scan: StudyScan, volume: Volume, name: str, marked: Array, told: dict[str, Any]) -> Iterator[File]:
    stem = _name(scan, name, "mask")
    yield (
        f"{stem}.nii.gz",
        map_to_nifti(marked, volume, np.uint8, _said("label", "above threshold", f"{name} above its threshold")),
    )
    yield f"{stem}.json", _json(told | sidecars.MASK)


def _cluster_files(scan: StudyScan, volume: Volume, name: str, labels: Array, told: dict[str, Any], count: int) -> Iterator[File]:
    stem = _name(scan, name, "dseg")
    yield f"{stem}.nii.gz", map_to_nifti(labels, volume, np.uint8, _said("label", "clusters", f"{name} above its threshold"))
    yield f"{stem}.json", _json(told | sidecars.CLUSTERS | {"Clusters": count, "NumberedClusters": min(count, MOST_CLUSTERS)})


def _found(marked: Array, findings: list[Finding], count: int, volume: Volume, shown: ShownMap) -> dict[str, Any]:
    return {
        "threshold": shown.threshold,
        "full_colour": shown.full,
        "volume_ml": round(float(marked.sum()) * volume.voxel_ml, 3),
        "clusters": count,
        "largest_cluster_ml": round(findings[0].cluster.volume_ml, 3) if findings else 0.0,
        "largest_clusters": [
            {
                "volume_ml": round(one.cluster.volume_ml, 4),
                "peak": one.cluster.peak,
                "peak_mm": [round(mm, 2) for mm in one.cluster.peak_mm],
                "atlas_mm": [round(mm, 2) for mm in one.atlas_mm],
                "region": one.region,
            }
            for one in findings[:LISTED_CLUSTERS]
        ],
    }


def _in_short(method: dict[str, Any]) -> dict[str, Any]:
    """What a table has of one map's detection limits, of its record."""
    cells = [cell for cell in method["table"] if cell["look"] == SPOKEN_OF]
    sizes = method["size_found_ml"][SPOKEN_OF]
    return {
        "look": SPOKEN_OF,
        "painted": sum(cell["count"] for cell in cells),
        "found": sum(cell["found"] for cell in cells),
        "size_found_ml": {share: one["ml"] for share, one in sizes.items()},
        "sentence": method["sentence"],
    }


def _name(scan: StudyScan, scorer: str, suffix: str) -> str:
    return f"{scan.name.folder}/{scan.name.made(suffix, space=SPACE, desc=as_label(scorer)).stem}"


def _said(intent: str, called: str, what: str) -> Said:
    return Said(intent, called, f"vaead {__version__}: {what}")


def _json(told: dict[str, Any]) -> str:
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
