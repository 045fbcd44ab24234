"""What is to be said beside the maps of a scan: what it lacks, and where it lies outside of what healthy scans showed."""

from __future__ import annotations

from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.measures.aggregates import DEFAULT
from vaead_core.pipeline.scoring import PreparedScan, Scored
from vaead_core.scans.image_quality import outside


def cautions(prepared: PreparedScan, scored: list[Scored], checkpoint: Checkpoint) -> list[str]:
    """Plain sentences. That every score exceeds those of healthy scans is always said, with what else sets the scan apart; else
    what sets it apart is said where thresholds are those of the healthy scans as they are, which it then moves.
    """
    found = list(prepared.brain.warnings)
    site = scored[0].site if scored else None
    beyond = bool(scored) and all(one.scan_percentiles[DEFAULT] == 100 for one in scored)
    if not (beyond or site or any(one.maps is not None and one.scale == "healthy" for one in scored)):
        return found
    known = healthy_quality(scored, checkpoint)
    unlike = "; ".join(outside(prepared.quality, known)) if known else ""
    whose = f"the {site.scans} healthy scans of {site.name}" if site else "the healthy scans of the training site"
    if beyond:
        said = f"those of all {site.scans} healthy scans of {site.name}" if site else "those of all healthy validation scans"
        found.append(f"Every score of this scan exceeds {said}. {_cause(unlike, whose, bool(known))}")
    elif unlike:
        found.append(f"This scan is unlike {whose}: {unlike}. Their thresholds may not hold for it.")
    return found


def healthy_quality(scored: list[Scored], checkpoint: Checkpoint) -> dict[str, tuple[float, ...]]:
    """The image quality of the healthy scans that a scan is compared with, a site's or the checkpoint's; {} where not known."""
    site = scored[0].site if scored else None
    return site.quality if site else checkpoint.provenance.source.quality


def _cause(unlike: str, whose: str, known: bool) -> str:
    if unlike:
        return f"That can be a lesion, and it can be that this scan is unlike {whose}: {unlike}."
    if known:
        return f"It lies on the atlas as {whose} do and has their contrast and noise, so it is rather its anatomy, or a lesion."
    return (
        "That can be a lesion, and it can be another scanner, contrast or skull-stripping; compare with a healthy scan from the "
        "same source."
    )
