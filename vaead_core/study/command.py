"""`vaead BIDS_DIR OUT participant|group`: a study's command line, as BIDS Apps have it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from vaead_core import scorers
from vaead_core.checkpoints import search
from vaead_core.checkpoints.calibration import RATES
from vaead_core.checkpoints.site import named_site
from vaead_core.errors import exit_status
from vaead_core.pipeline.scoring import Scale, healthy_values_of
from vaead_core.study import group_stage, participants_stage
from vaead_core.study.dataset import find_study
from vaead_core.study.work import Settings, opened_pair

PERCENTILES = {f"{100 * (1 - rate):g}": rate for rate in RATES}


def study(arguments: list[str]) -> int:
    """Exit status: 0, or 2 with one sentence on stderr, or one for each scan that has no maps."""
    if not arguments[0].startswith("-") and not Path(arguments[0]).exists():
        print(f"There is no command and no folder {arguments[0]}; vaead --help lists the commands.", file=sys.stderr)
        return 2
    options = parser().parse_args(arguments)
    failed: list[int] = []
    status = exit_status(lambda: failed.append(_run(options)), options.out, "finished scans are kept")
    return status or (2 if failed[0] else 0)


def _run(options: argparse.Namespace) -> int:
    """How many scans have no maps."""
    found = find_study(options.bids_dir, options.out, options.participant_label, options.session_label, options.derivatives)
    for sentence in found.summary():
        print(sentence, flush=True)
    if options.level == "group":
        group_stage.run(found, options.out)
        return 0
    return participants_stage.run(found, options.out, _settings(options), options.n_procs, options.dask)


def _settings(options: argparse.Namespace) -> Settings:
    """Raises InputError for what no scan could be scored with."""
    folder = search.named(options.checkpoint).resolve()
    checkpoint = search.opened(str(folder))
    names = tuple(options.scorers or (name for name in scorers.scorers_of(checkpoint.model) if name in checkpoint.calibration))
    for name in names:
        healthy_values_of(checkpoint, name)
    site = str(named_site(options.site, folder).resolve()) if options.site else None
    scale: Scale = options.scale or ("healthy" if site else "scan")
    settings = Settings(
        str(folder),
        names,
        scale,
        site,
        options.strip,
        PERCENTILES[options.percentile],
        _command(options, checkpoint.name),
        options.limits,
    )
    opened_pair(settings)
    return settings if options.work_dir is None else replace(settings, work=options.work_dir.resolve())


def _command(options: argparse.Namespace, checkpoint: str) -> str:
    """What was typed, as far as results depend on it, without places."""
    given = [f"--scorers {' '.join(options.scorers)}"] if options.scorers else []
    given += [f"--site {options.site.name}"] if options.site else []
    given += [f"--scale {options.scale}"] if options.scale else []
    given += ["--strip" if options.strip else "--no-strip"] if options.strip is not None else []
    given += ["--limits"] if options.limits else []
    return " ".join(
        ["vaead BIDS_DIR OUT participant", f"--checkpoint {checkpoint}", *given, f"--percentile {options.percentile}"]
    )


def parser() -> argparse.ArgumentParser:
    """Its options."""
    found = argparse.ArgumentParser(
        "vaead", description="Anomaly maps of a BIDS dataset. Research use only, not for diagnosis.", allow_abbrev=False
    )
    add = found.add_argument
    add("bids_dir", type=Path, metavar="BIDS_DIR", help="a dataset, with sub-*/[ses-*/]anat/*_T1w.nii.gz")
    add("out", type=Path, metavar="OUT", help="folder of the results, such as BIDS_DIR/derivatives/vaead")
    add("level", choices=("participant", "group"), help="scores the scans; or makes one table of what was scored")
    labels: dict[str, Any] = {"nargs": "+", "default": (), "metavar": "LABEL"}
    add("--participant-label", "--participant_label", help="only these, with or without sub-", **labels)
    add("--session-label", "--session_label", help="only these, with or without ses-", **labels)
    said = "folders that brain masks are taken from (*_desc-brain_mask.nii.gz); default: those of BIDS_DIR/derivatives"
    add("--derivatives", nargs="+", type=Path, metavar="FOLDER", help=said)
    add("--checkpoint", type=Path, default=search.shipped(), help=f"its folder or name; default: {search.DEFAULT}")
    add("--scorers", nargs="+", metavar="NAME", help="default: all that the checkpoint has")
    said = "of healthy voxels that lie below a map's threshold; default: 95"
    add("--percentile", choices=sorted(PERCENTILES), default="95", help=said)
    add(
        "--scale", choices=("scan", "healthy"), help="compare maps on each scan's own scale, or on healthy brains'; default: scan"
    )
    add("--site", type=Path, metavar="FILE", help="what `calibrate` wrote, or its name")
    said = "also measures what each map would miss in each scan, which takes half a minute or more a scan"
    add("--limits", action="store_true", help=said)
    add("--work-dir", "--work_dir", type=Path, metavar="FOLDER", help="keeps the brains that were extracted, for other options")
    said = "extract every brain, or refuse whole heads; default: it is extracted from whole heads without a mask"
    add("--strip", action=argparse.BooleanOptionalAction, help=said)
    add("--n-procs", "--n_procs", "--nprocs", type=int, default=1, metavar="N", help="processes on this machine")
    add("--dask", metavar="ADDRESS", help="a Dask scheduler whose workers take the scans; they must see the same folders")
    return found
