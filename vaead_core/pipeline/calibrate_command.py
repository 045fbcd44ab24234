"""`vaead calibrate CHECKPOINT`: thresholds and percentiles of a checkpoint for the scanner of healthy scans."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from vaead_core.checkpoints import search
from vaead_core.checkpoints.site import site_file
from vaead_core.errors import InputError, exit_status


def add_options(command: argparse.ArgumentParser) -> None:
    """Those of `vaead calibrate`, and what it runs."""
    command.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="its folder or name")
    command.add_argument("--healthy", required=True, metavar="FOLDER", help="T1 scans of healthy people, all of one scanner")
    command.add_argument("--name", default="site", help="of the scanner, as pages and reports show it; default: site")
    command.add_argument("--out", type=Path, metavar="FILE", help="default: CHECKPOINT.NAME.site.npz beside the checkpoint")
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="processes on this machine")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    folder = search.named(options.checkpoint)

    def work() -> None:
        from vaead_core.pipeline.site_calibration import calibrate_site  # loads joblib

        out = site_file(folder, options.name) if options.out is None else options.out
        if not out.parent.is_dir() or out.is_dir():
            raise InputError(f"{out} cannot be written: it must name a file in a folder that exists.")
        site = calibrate_site(folder, options.healthy, options.name, options.jobs, partial(print, flush=True))
        site.write(out)
        print("Marked of a left-out scan at the 5 % threshold of the others, least to largest (median):")
        for name, scale in sorted(site.left_out):
            median, low, high = (100 * share for share in site.left_out_shares(name, scale, 0.05))
            print(f"{name:24}{scale:8}{low:5.1f} to {high:4.1f} % ({median:.1f})")
        print(f"{out}: {site.scans} healthy scans of {site.name}")

    return exit_status(work, options.out or folder, "the site was not calibrated")
