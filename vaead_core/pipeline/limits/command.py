"""`vaead limits SCAN`: what maps of a scan would have missed in it."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vaead_core import scorers
from vaead_core.checkpoints import search
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.site import Site, named_site
from vaead_core.computing.whole_file import write_whole
from vaead_core.errors import exit_status
from vaead_core.pipeline import scoring
from vaead_core.scans.heads import with_brain, with_mask
from vaead_core.scans.names import stem
from vaead_core.scans.reading import read_scan

if TYPE_CHECKING:
    from vaead_core.pipeline.limits.measuring import Progress

PREFERRED = ("logistic_fusion", "smoothed_residual")


def add_options(command: argparse.ArgumentParser) -> None:
    """Those of `vaead limits`, and what it runs."""
    command.add_argument("scan", type=Path, metavar="SCAN", help="a NIfTI file, a folder or a .zip of a DICOM series")
    said = f"its folder or name; default: {search.DEFAULT}"
    command.add_argument("--checkpoint", type=Path, default=search.shipped(), help=said)
    said = f"map scorers; default: {PREFERRED[0]}, or {PREFERRED[1]} where a checkpoint lacks it"
    command.add_argument("--scorers", nargs="+", metavar="NAME", help=said)
    said = "share of healthy voxels above the threshold, 0.001 to 0.5; default: 0.05"
    command.add_argument("--rate", type=float, default=0.05, help=said)
    said = "compare maps on the scan's own scale, or on healthy brains'; default: scan, with --site healthy"
    command.add_argument("--scale", choices=("scan", "healthy"), help=said)
    said = "what `calibrate` wrote, or its name: thresholds from healthy scans of that site"
    command.add_argument("--site", type=Path, metavar="FILE", help=said)
    command.add_argument("--mask", type=Path, metavar="MASK", help="of the brain, instead of extracting it")
    command.add_argument("--seed", type=int, default=0, help="another one paints other lesions at other places")
    command.add_argument("--out", type=Path, default=Path("out"), metavar="FOLDER")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    return exit_status(partial(_limits, options), options.out, "no limits were written")


def _limits(options: argparse.Namespace) -> None:
    from vaead_core.pipeline.limits.measuring import ThresholdedMap, check, detection_limits  # loads what paints lesions
    from vaead_core.pipeline.limits.record import limits_record, record_text
    from vaead_core.pipeline.limits.table import lines

    folder = search.named(options.checkpoint)
    checkpoint = Checkpoint.load(folder)
    site = Site.read(named_site(options.site, folder), checkpoint) if options.site else None
    names = list(dict.fromkeys(options.scorers or _default(checkpoint)))
    check(checkpoint, names, options.rate, options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    read = read_scan(options.scan)
    scan = with_mask(read, options.mask) if options.mask else with_brain(read)
    prepared = scoring.prepare(scan, checkpoint)
    scale: scoring.Scale = options.scale or ("healthy" if site else "scan")
    maps = [ThresholdedMap.at(scoring.score(prepared, checkpoint, name, scale, site), options.rate) for name in names]
    limits = detection_limits(prepared, checkpoint, maps, _tell, options.seed)
    record = limits_record(prepared, maps, limits, checkpoint, options.seed)
    out = options.out / f"{stem(options.scan.name)}_limits.json"
    write_whole(out, record_text(record))
    for one in limits:
        print("", *lines(one), sep="\n")
    print("", *(f"{options.scan.name}: {said}" for said in record["warnings"]), out, sep="\n")


def _default(checkpoint: Checkpoint) -> list[str]:
    """The method that is trusted first, of those that the checkpoint is calibrated for."""
    known = [*PREFERRED, *scorers.map_scorers(checkpoint.model)]
    return [next((name for name in known if name in checkpoint.calibration), PREFERRED[0])]


def _tell(progress: Progress) -> None:
    print(f"{progress.done} of {progress.total} lesions", flush=True)
