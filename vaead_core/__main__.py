"""`vaead score SCAN...`: maps and scores of scans; `vaead BIDS_DIR OUT participant|group`: a study; `synthetic`: one to try;
`calibrate`: a site; `limits`: what was missed; `evaluate`, `report`: experiments; `app`, `train`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np

from vaead_core import scorers
from vaead_core.checkpoints import search
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.site import LEAST, MOST, Site, named_site
from vaead_core.computing.checkout import checkout
from vaead_core.computing.onnx_graph import on_device
from vaead_core.computing.whole_file import write_whole
from vaead_core.errors import InputError, exit_status
from vaead_core.measures.metrics import detection
from vaead_core.pipeline import calibrate_command, scoring
from vaead_core.pipeline.limits import command as limits
from vaead_core.pipeline.record import scores_record
from vaead_core.scans.bias import bias_corrected
from vaead_core.scans.heads import with_brain, with_mask
from vaead_core.scans.names import names_apart
from vaead_core.scans.nifti import map_to_nifti
from vaead_core.scans.reading import read_scan
from vaead_core.scans.truth import read_truth
from vaead_core.scans.volume import Volume
from vaead_core.study import synthetic_study

IN_REPOSITORY = {  # what they run, and their help
    "app": (("streamlit", "run", "app.py"), "the dashboard in a browser; its options are those of `streamlit run`"),
    "train": (("training.run",), "a VAE on healthy brains; its options are those of `python -m training.run`"),
}
COMMANDS = ("evaluate", "report", "score", "limits", "calibrate", "synthetic")  # another first word is the folder of a study


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 2 with one sentence on stderr for each scan that could not be scored."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in IN_REPOSITORY:
        return _run_in_repository(*arguments)
    if arguments and arguments[0] not in (*COMMANDS, "-h", "--help"):
        from vaead_core.study.command import study  # loads joblib

        return study(arguments)
    options = _parser().parse_args(arguments)
    return options.run(options)


def score(options: argparse.Namespace) -> int:
    """Scores every scan; a bad one does not stop the rest."""
    opened: list[tuple[Checkpoint, Site | None]] = []
    if status := exit_status(lambda: opened.append(_begin(options)), options.out, "no scan was scored"):
        return status
    none = [None] * len(options.scans)
    parts = zip(options.scans, names_apart(options.scans), options.mask or none, options.truth or none, strict=True)
    return max(
        exit_status(partial(_score_one, *part, *opened[0], options), options.out, f"{part[0].name} lacks maps or scores")
        for part in parts
    )


def _begin(options: argparse.Namespace) -> tuple[Checkpoint, Site | None]:
    """The checkpoint and the site, once scorers, truths and folder are as they must be."""
    folder = search.named(options.checkpoint)
    with on_device(options.device):
        checkpoint = Checkpoint.load(folder)
    site = Site.read(named_site(options.site, folder), checkpoint) if options.site else None
    if site and options.n4:
        raise InputError(
            "A site's scans are calibrated with the bias of their receiver; choose the site or the correction.",
            "the same without --n4",
        )
    if options.n4 and checkpoint.preprocessor and checkpoint.preprocessor.bias == "n4":
        raise InputError(f"{checkpoint.name} takes the bias field out of every scan itself.", "the same without --n4")
    for name in options.scorers or ():
        scorers.build(name)
    for masks in filter(None, (options.mask, options.truth)):
        if len(masks) != len(options.scans):
            raise InputError(f"{len(masks)} masks for {len(options.scans)} scans were given; give one a scan, in their order.")
    options.out.mkdir(parents=True, exist_ok=True)
    return checkpoint, site


def _parser() -> argparse.ArgumentParser:
    said = "Of a whole BIDS dataset: vaead BIDS_DIR OUT participant|group [OPTION...]; vaead BIDS_DIR --help says more."
    parser = argparse.ArgumentParser("vaead", description="Research use only, not for diagnosis.", epilog=said)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_evaluate(commands.add_parser("evaluate", help="an experiment of the thesis or beyond, recorded as a table"))
    _add_report(commands.add_parser("report", help="the recorded tables as a page with figures, beside the thesis's numbers"))
    command = commands.add_parser(
        "score", help="anomaly maps and scores of scans: NIfTI files, folders or .zip of a DICOM series"
    )
    command.set_defaults(run=score)
    command.add_argument("scans", nargs="+", type=Path, metavar="SCAN")
    said = f"its folder or name; default: {search.DEFAULT}"
    command.add_argument("--checkpoint", type=Path, default=search.shipped(), help=said)
    names = ", ".join(sorted(scorers.SCORERS))
    command.add_argument("--scorers", nargs="+", metavar="NAME", help=f"default: all that the checkpoint has of {names}")
    command.add_argument("--out", type=Path, default=Path("out"))
    command.add_argument("--truth", nargs="+", type=Path, metavar="MASK", help="lesions, one a scan: prints AP beside prevalence")
    command.add_argument("--labels", nargs="+", type=int, default=[], help="those of --truth that count; default: all")
    command.add_argument(
        "--series", default="", metavar="NUMBER", help="or UID, where a folder or .zip holds several DICOM series"
    )
    brain = command.add_mutually_exclusive_group()
    said = "extract the brain first, or refuse whole heads; default: it is extracted from whole heads"
    brain.add_argument("--strip", action=argparse.BooleanOptionalAction, help=said)
    brain.add_argument("--mask", nargs="+", type=Path, metavar="MASK", help="brains, one a scan, instead of extracting them")
    said = "compare maps on the scan's own scale, or on healthy brains'; default: scan, with --site healthy"
    command.add_argument("--scale", choices=("scan", "healthy"), help=said)
    said = "what `calibrate` wrote, or its name: thresholds and percentiles from healthy scans of that site"
    command.add_argument("--site", type=Path, metavar="FILE", help=said)
    _add_device(command)
    command.add_argument("--n4", action="store_true", help="take out the bias field, after the brain was found")
    limits.add_options(commands.add_parser("limits", help="what maps of a scan would have missed in it"))
    said = f"thresholds and percentiles of a checkpoint from {LEAST} to {MOST} healthy scans of your own scanner"
    calibrate_command.add_options(commands.add_parser("calibrate", help=said))
    said = "a small BIDS dataset of synthetic brains, patients with a painted lesion among them, to try a study on"
    synthetic_study.add_options(commands.add_parser("synthetic", help=said))
    for name, (_, said) in IN_REPOSITORY.items():
        commands.add_parser(name, help=said)
    return parser


def _run_in_repository(name: str, *arguments: str) -> int:
    """Its exit status. The app reads its settings from where it is run; a training's files lie where its user is."""
    repository = checkout()
    if repository is None:
        print(f"vaead {name} needs the repository, of which this is the package alone; run it there.", file=sys.stderr)
        return 2
    module = IN_REPOSITORY[name][0]
    path = os.pathsep.join(filter(None, (str(repository), os.environ.get("PYTHONPATH"))))
    where = repository if name == "app" else None
    return subprocess.call([sys.executable, "-m", *module, *arguments], cwd=where, env=os.environ | {"PYTHONPATH": path})


def _add_evaluate(command: argparse.ArgumentParser) -> None:
    command.add_argument("experiment", metavar="EXPERIMENT", help="fashion, slices, lesions ...: a wrong name lists them all")
    command.add_argument("--checkpoint", nargs="+", type=Path, default=[], help="checkpoint folders, or a folder of them")
    command.add_argument("--data", help="the cohort that the checkpoint was trained on; default: the development data")
    command.add_argument("--subjects", choices=("test", "validation"), default="test", help="validation is for choosing")
    command.add_argument("--seed", type=int, default=0, help="of the toys' places and outlines")
    command.add_argument("--toys", nargs="+", default=[], metavar="NAME", help="only these toy datasets: circles, tumour ...")
    command.add_argument("--scores", nargs="+", default=[], metavar="NAME", help="only these scorers and outlier detectors")
    command.add_argument("--add", action="store_true", help="with --scores: into the recorded table, whose other rows stay")
    command.add_argument("--most-subjects", type=int, metavar="N", help="only the first N subjects")
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="processes on this machine")
    command.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler whose workers run the parts")
    _add_device(command)
    command.add_argument("--out", type=Path, default=Path("results"))
    command.set_defaults(run=_evaluate)


def _add_device(command: argparse.ArgumentParser) -> None:
    said = "where networks compute; cuda needs onnxruntime-gpu, and gives the same values to rounding; default: cpu"
    command.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help=said)


def _evaluate(options: argparse.Namespace) -> int:
    from vaead_core.experiments.evaluation import evaluate  # loads detectors and tables: 1.5 s that `score` need not wait

    return evaluate(options)


def _add_report(command: argparse.ArgumentParser) -> None:
    command.add_argument("--results", type=Path, default=Path("results"), help="folder of the recorded tables")
    command.add_argument("--data", help="the cohort whose test brains are shown as examples; default: the development data")
    command.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    from vaead_core.experiments.report.page import report  # loads matplotlib

    return report(options)


def _score_one(
    path: Path, name: str, mask: Path | None, truth_file: Path | None, checkpoint: Checkpoint, site: Site | None,
    options: argparse.Namespace,
) -> None:  # fmt: skip
    """name: of its files in the folder of results. mask: of its brain."""
    read = read_scan(path, series=options.series)
    scan = with_mask(read, mask) if mask else with_brain(read, options.strip)
    scan = bias_corrected(scan) if options.n4 else scan
    truth = read_truth(truth_file, scan, labels=options.labels) if truth_file else None
    prepared = scoring.prepare(scan, checkpoint)
    scored: list[scoring.Scored] = []
    scale: scoring.Scale = options.scale or ("healthy" if site else "scan")
    for scorer in options.scorers or list(scorers.scorers_of(checkpoint.model)):
        result = scoring.score(prepared, checkpoint, scorer, scale, site)
        scored.append(result)
        if result.maps is None:
            continue
        native = scoring.native_map(prepared, checkpoint, result.maps)
        write_whole(options.out / f"{name}_{scorer}.nii.gz", map_to_nifti(native, scan))
        if truth is not None:
            _print_detection(scorer, native, truth.marked, scan.mask)
    _write_outline(scan, options.out / f"{name}_brain.nii.gz")
    record = scores_record(prepared, scored, checkpoint)
    write_whole(options.out / f"{name}_scores.json", json.dumps(record, indent=1) + "\n")
    for said in (*record["warnings"], *(truth.notes if truth else ())):
        print(f"{path.name}: {said}")


def _write_outline(scan: Volume, path: Path) -> None:
    """The brain's mask where networks found it, for its owner to check, correct and give."""
    if scan.brain_by == "networks":
        write_whole(path, map_to_nifti(scan.mask.astype(np.float32), scan))


def _print_detection(name: str, native: np.ndarray, truth: np.ndarray, brain: np.ndarray) -> None:
    if not truth.any():
        print(f"{name:24} AP undefined  prevalence 0.0000")
        return
    found = detection(scorers.abnormality(name, native)[brain], truth[brain])
    print(f"{name:24} AP {found.ap:.4f}  prevalence {found.prevalence:.4f}  AUROC {found.auroc:.3f}")


if __name__ == "__main__":
    sys.exit(main())
