"""A boundary around the healthy latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sklearn.svm import OneClassSVM

from vaead_core.detectors import Detector, register
from vaead_core.detectors.rows import as_scores, healthy_rows, query_rows
from vaead_core.scans.volume import Array


@dataclass(frozen=True)
class FittedBoundary:
    machine: OneClassSVM

    def score(self, rows: Array) -> Array:
        return as_scores(-self.machine.decision_function(query_rows(rows)))


@register("ocsvm")
@dataclass(frozen=True)
class OneClassSupportVectors(Detector):
    """Distance outside the smoothest boundary that leaves at most a share `nu` of the healthy latents outside, in the
    space of a Gaussian kernel exp(−|a − b|² / L) (one-class SVM; Schölkopf et al. 2001).

    nu: PyOD's own 0.5 takes half of the healthy latents for outliers. The same values as PyOD's for the same nu.
    """

    nu: float = 0.1
    title: ClassVar[str] = "OCSVM"

    def fit(self, rows: Array) -> FittedBoundary:
        machine = OneClassSVM(gamma="auto", nu=self.nu)
        machine.random_state = 0  # else it draws a seed, which it never uses, from NumPy's global state; PyOD does too
        return FittedBoundary(machine.fit(healthy_rows(rows, 2, self.title)))
