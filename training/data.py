"""A cohort as arrays: preprocessed once, split by subject, background filled at every step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from training.config import TrainingConfig
from vaead_core.cohorts import Cohort, Subject, fashion_mnist, open_cohort
from vaead_core.cohorts.preparation import Ready, prepare
from vaead_core.cohorts.splits import split_subjects
from vaead_core.errors import CohortError
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Slices


@dataclass(frozen=True)
class Subset:
    """Images of some subjects. subject: (N,) index into names; pixels carry the fixed inference background.

    quality: of each scan, as `image_quality` gives it; () of pictures.
    """

    slices: Slices
    subject: np.ndarray
    names: tuple[str, ...]
    ages: tuple[float | None, ...]
    quality: tuple[dict[str, float], ...] = ()


@dataclass(frozen=True)
class TrainingData:
    """Three subsets of a cohort, by subject, and what the model card says of it. skipped: one sentence a file left out."""

    train: Subset
    validation: Subset
    test: Subset
    description: str
    skipped: tuple[str, ...] = ()

    def trained_on(self, count: int | None) -> TrainingData:
        """The same with `count` of the training subjects, spread over their list; with all for None."""
        people = len(self.train.names)
        if count is None or count >= people:
            return self
        chosen = np.linspace(0, people - 1, count).astype(int)
        rows = np.isin(self.train.subject, chosen)
        subject = np.searchsorted(chosen, self.train.subject[rows])
        told = (tuple(held[one] for one in chosen) for held in (self.train.names, self.train.ages, self.train.quality))
        return replace(self, train=Subset(self.train.slices[rows], subject, *told))


def load_data(config: TrainingConfig) -> TrainingData:
    """The cohort of `config`, preprocessed. Raises InputError when it cannot be used."""
    if config.images == "fashion":
        return _fashion(config.split_seed)
    cohort = open_cohort(config.data)
    preprocessor = config.preprocessor
    prepared, skipped = _prepare(cohort, preprocessor, config)
    split = split_subjects(tuple(subject for subject, _ in prepared), config.split_seed)
    ready = {subject.id: one for subject, one in prepared}
    train, validation, test = (_subset(subjects, ready) for subjects in (split.train, split.validation, split.test))
    return TrainingData(train, validation, test, cohort.description, tuple(skipped)).trained_on(config.training_subjects)


def _prepare(cohort: Cohort, preprocessor: Preprocessor, config: TrainingConfig) -> tuple[list[tuple[Subject, Ready]], list[str]]:
    prepared, skipped, extracted = [], [], []
    ready = prepare(cohort.subjects, preprocessor, config.jobs, config.dask)
    for subject, found in track(ready, f"Preparing {cohort.name}", len(cohort.subjects)):
        if isinstance(found, str):
            skipped.append(found)
            continue
        prepared.append((subject, found))
        if found.extracted:
            extracted.append(subject.id)
    if extracted:
        print(f"The brain of {len(extracted)} of {len(cohort.subjects)} scans was extracted first: {', '.join(extracted)}.")
    if skipped:
        print(f"{len(skipped)} of {len(cohort.subjects)} scans are left out:", *skipped, sep="\n  ")
    if not prepared:
        raise CohortError(f"None of the {len(cohort.subjects)} scans of {cohort.name} could be read; first: {skipped[0]}")
    return prepared, skipped


def _subset(subjects: tuple[Subject, ...], ready: dict[str, Ready]) -> Subset:
    images = [ready[subject.id].slices for subject in subjects]
    index = np.repeat(np.arange(len(subjects)), [len(one) for one in images])
    names, ages = tuple(s.id for s in subjects), tuple(s.age for s in subjects)
    return Subset(Slices.concatenate(images), index, names, ages, tuple(ready[name].quality for name in names))


def _fashion(seed: int) -> TrainingData:
    data = fashion_mnist.load_fashion_mnist()
    subsets = []
    for rows in fashion_mnist.tshirt_split(data.labels, seed):
        images = fashion_mnist.to_slices(data.images[rows])
        names = tuple(f"t-shirt {row}" for row in rows)
        subsets.append(Subset(images, np.arange(len(rows)), names, (None,) * len(rows)))
    train, validation, test = subsets
    return TrainingData(
        train, validation, test, "4,900 / 1,400 / 700 t-shirts of Fashion-MNIST for training, validation and test"
    )


def to_tensors(slices: Slices) -> tuple[Tensor, Tensor]:
    """pixels (N, 1, H, W) float32 and mask (N, 1, H, W) bool."""
    return torch.from_numpy(slices.pixels)[:, None], torch.from_numpy(slices.mask)[:, None]
