"""The scans that the app opens without an upload: real brains, with their truth where there is one. README.md: licences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vaead_core.cohorts import SAMPLES as CARRIED
from vaead_core.cohorts import Cohort, Subject
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.truth import read_truth
from vaead_core.scans.volume import Array, Volume

FOLDER = Path(__file__).parent
PAINTED = "ixi_603_painted"


@dataclass(frozen=True)
class SampleFile:
    """scan: name of its file. truth: whether a mask lies beside it. subject: its name in the cohort that it comes from.

    about: whose it is and what it shows, for the reader.
    """

    scan: str
    truth: bool
    subject: str
    about: str

    @property
    def scan_file(self) -> str:
        return f"{self.scan}.nii.gz"

    @property
    def truth_file(self) -> str:
        return f"{self.scan}_lesion.nii.gz"


_IXI = "IXI study, CC BY-SA 3.0. No map was trained on it."
SAMPLES = {
    "healthy brain A": SampleFile("ixi_012", False, "IXI012-HH-1211_T1_brain", f"A healthy adult of 39, IXI012, {_IXI}"),
    "healthy brain B": SampleFile("ixi_603", False, "IXI603-HH-2701_T1_brain", f"A healthy adult of 66, IXI603, {_IXI}"),
    "healthy brain B with a painted lesion": SampleFile(
        PAINTED, True, "", f"A healthy adult of 66 with one lesion painted in, IXI603, {_IXI}"
    ),
    "MS patient": SampleFile(
        "ms_patient07", True, "",
        "Multiple sclerosis, patient 07 of Lesjak et al. 2017, CC BY; lesions by consensus of experts. Another scanner.",
    ),
    "glioma patient": SampleFile(
        "glioma_du_7294", True, "",
        "Low-grade glioma TCGA-DU-7294, TCGA-LGG, CC BY 3.0; tumour by vote of five algorithms. Another scanner.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A scan for the app. truth: (I, J, K) bool on the scan's grid, or None for a healthy one. about: one or two sentences."""

    scan: Volume
    truth: Array | None
    about: str


def load_sample(name: str) -> Sample:
    """One of SAMPLES.

    >>> sample = load_sample("MS patient")
    >>> sample.scan.data.max().item(), sample.truth.shape == sample.scan.data.shape
    (255.0, True)
    """
    kept = SAMPLES[name]
    scan = read_nifti(FOLDER / kept.scan_file, name)
    scan = replace(scan, brain=scan.mask)  # stripped already
    return Sample(scan, read_truth(FOLDER / kept.truth_file, scan).marked if kept.truth else None, kept.about)


def healthy_samples() -> Cohort:
    """The healthy brains among the samples, under their names in IXI: test subjects of the shipped models."""
    kept = [sample for sample in SAMPLES.values() if sample.subject]
    subjects = (Subject(one.subject, one.subject, None, partial(read_nifti, FOLDER / one.scan_file)) for one in kept)
    return Cohort(CARRIED, f"{len(kept)} healthy scans of IXI that vaead carries", tuple(subjects))
