"""What is written of one scan, in the names of BIDS: maps, masks, clusters, the way to the atlas, and a record of all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from vaead_core import __version__, scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.site import Site
from vaead_core.measures.components import Cluster, labelled_clusters
from vaead_core.pipeline import scoring
from vaead_core.pipeline.findings import findings_tsv, placed
from vaead_core.pipeline.record import scores_record
from vaead_core.scans.geometry import AffineToAtlas
from vaead_core.scans.nifti import Said, map_to_nifti
from vaead_core.scans.transform_file import itk_text
from vaead_core.scans.volume import Array, Volume
from vaead_core.study import sidecars
from vaead_core.study.dataset import StudyScan
from vaead_core.study.names import as_label

MOST_CLUSTERS = 100  # of a map that are numbered; the mask holds all
SPACE = "T1w"  # the scan's own
ATLAS = "SRI24"

File = tuple[str, bytes | str]


def derivatives(
    scan: StudyScan, volume: Volume, checkpoint: Checkpoint, site: Site | None, names: tuple[str, ...], scale: scoring.Scale,
    rate: float, command: str, said: tuple[str, ...],
) -> Iterator[tuple[str, bytes | str | dict[str, Any]]]:  # fmt: skip
    """Each file's name and content; at the end the record, a dictionary. Raises InputError.

    volume: the scan, its brain known. names: of the scorers. said: sentences to be said beside the others.
    """
    prepared = scoring.prepare(volume, checkpoint)
    results = [scoring.score(prepared, checkpoint, name, scale, site) for name in names]
    scores = scores_record(prepared, results, checkpoint)
    scores["warnings"] = [*said, *scores["warnings"]]
    about = sidecars.common(scan, scores, command)
    found = {}
    for one in results:
        if one.maps is not None:
            native = scoring.native_map(prepared, checkpoint, one.maps)
            threshold = one.healthy.threshold(rate)
            values = scorers.abnormality(one.name, native)
            labels, clusters, count = labelled_clusters(values, threshold, volume.affine, MOST_CLUSTERS)
            marked = values > threshold
            found[one.name] = _found(marked, clusters, count, volume, threshold)
            told = about | sidecars.of_map(one, rate, scores["scorers"][one.name])
            yield from _map_files(scan, volume, one.name, native, told)
            yield from _mask_files(scan, volume, one.name, marked, told)
            yield from _cluster_files(scan, volume, one.name, labels, told, count)
            yield _name(scan, one.name, "dseg") + ".tsv", _table(clusters, prepared.brain.transform)
    if volume.brain_by == "networks":
        stem = scan.name.made("mask", space=SPACE, desc="brain").stem
        yield f"{stem}.nii.gz", map_to_nifti(volume.mask, volume, np.uint8, _said("label", "brain", "brain found by networks"))
        yield f"{stem}.json", _json(about | sidecars.BRAIN)
    stem = scan.name.transform_stem(SPACE, ATLAS)
    yield f"{stem}.txt", itk_text(prepared.brain.transform)
    yield f"{stem}.json", _json(about | sidecars.TRANSFORM)
    yield (
        "",
        {"command": command, "brain_volume_ml": round(float(volume.mask.sum()) * volume.voxel_ml, 3), "found": found, **scores},
    )


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


def _table(clusters: list[Cluster], to_atlas: AffineToAtlas) -> str:
    return findings_tsv([placed(one, to_atlas) for one in clusters], judged=False)


def _found(marked: Array, clusters: list[Cluster], count: int, volume: Volume, threshold: float) -> dict[str, Any]:
    return {
        "threshold": threshold,
        "volume_ml": round(float(marked.sum()) * volume.voxel_ml, 3),
        "clusters": count,
        "largest_cluster_ml": round(clusters[0].volume_ml, 3) if clusters else 0.0,
    }


def _name(scan: StudyScan, scorer: str, suffix: str) -> str:
    return scan.name.made(suffix, space=SPACE, desc=as_label(scorer)).stem


def _said(intent: str, called: str, what: str) -> Said:
    return Said(intent, called, f"vaead {__version__}: {what}")


def _json(told: dict[str, Any]) -> str:
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
