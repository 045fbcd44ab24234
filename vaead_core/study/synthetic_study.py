"""`vaead synthetic BIDS_DIR`: a small study to try things on. Patients have a painted lesion, controls none."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from vaead_core.anomalies import lesions
from vaead_core.anomalies.lesions.in_scan import painted
from vaead_core.cohorts.synthetic import synthetic_cohort
from vaead_core.computing.whole_file import write_whole
from vaead_core.errors import InputError, exit_status
from vaead_core.scans.nifti import map_to_nifti
from vaead_core.study.description import BIDS_VERSION, FILE
from vaead_core.study.names import BidsName

MOST = 999
LESION = lesions.build("mass", change=-0.6, radius_mm=18.0)
TRUTH = "derivatives/truth"
_COLUMNS = {
    "age": {"Description": "Age of the brain that was made", "Units": "year"},
    "group": {"Description": "Who has a painted lesion", "Levels": {"control": "nobody", "patient": "one dark mass"}},
}


@dataclass(frozen=True)
class Participant:
    """One row of participants.tsv."""

    label: str
    age: float
    group: str

    @property
    def scan(self) -> BidsName:
        """The name of the T1 scan."""
        return BidsName((("sub", self.label),), "T1w")


def write_study(folder: Path, controls: int, patients: int, seed: int = 0) -> Iterator[Participant]:
    """Each participant once the scan is written: a BIDS dataset, with masks of the lesions in its TRUTH.

    The same counts and seed give the same bytes. Raises InputError where the folder holds something already, and OSError.
    """
    for name, count in (("--controls", controls), ("--patients", patients)):
        if not 0 <= count <= MOST:
            raise InputError(f"{name} takes a number from 0 to {MOST}; found {count}.")
    if controls + patients == 0:
        raise InputError("A study needs someone; give --controls or --patients.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already and not empty; name a new folder.")
    people = []
    for index, subject in enumerate(synthetic_cohort(controls + patients, seed).subjects):
        one = Participant(f"{index + 1:03d}", subject.age or 0, "control" if index < controls else "patient")
        scan = subject.read()
        if one.group == "patient":
            scan, truth = painted(scan, LESION, np.random.default_rng([seed, index]))
            mask = one.scan.made("mask", space="T1w", label="lesion")
            _write(folder / TRUTH / mask.folder / f"{mask.stem}.nii.gz", map_to_nifti(truth, scan, np.uint8))
        _write(folder / one.scan.folder / f"{one.scan.stem}.nii.gz", map_to_nifti(scan.data, scan))
        people.append(one)
        yield one
    rows = ["participant_id\tage\tgroup", *(f"sub-{one.label}\t{one.age}\t{one.group}" for one in people)]
    _write(folder / "participants.tsv", "\n".join(rows) + "\n")
    _write(folder / "participants.json", json.dumps(_COLUMNS, indent=1) + "\n")
    _write(folder / FILE, _description(f"{len(people)} synthetic brains made from SRI24", "raw"))
    if patients:
        _write(folder / TRUTH / FILE, _description("Lesions painted in synthetic brains", "derivative"))


def add_options(command: argparse.ArgumentParser) -> None:
    """Those of `vaead synthetic`, and what it runs."""
    command.add_argument("folder", type=Path, metavar="BIDS_DIR", help="a new folder")
    command.add_argument("--controls", type=int, default=5, metavar="N", help="brains without a lesion; default: 5")
    command.add_argument("--patients", type=int, default=5, metavar="N", help="brains with one; default: 5")
    command.add_argument("--seed", type=int, default=0, help="another one gives other brains")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    return exit_status(partial(_make, options), options.folder, "begin again in a new folder")


def _make(options: argparse.Namespace) -> None:
    count = options.controls + options.patients
    for at, one in enumerate(write_study(options.folder, options.controls, options.patients, options.seed), 1):
        print(f"{at} of {count}: sub-{one.label}, {one.group}", flush=True)
    print(f"{options.folder}: a BIDS dataset. {TRUTH} in it holds the lesions' masks, which no command reads by itself.")


def _write(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)


def _description(name: str, kind: str) -> str:
    said = {"Name": name, "BIDSVersion": BIDS_VERSION, "DatasetType": kind, "License": "CC BY-SA 3.0"}
    maker = {"GeneratedBy": [{"Name": "vaead synthetic"}]} if kind == "derivative" else {}
    return json.dumps(said | maker, indent=1) + "\n"
