"""A cohort as arrays: preprocessed once, split by subject, background filled at every step."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from training import stages
from training.config import TrainingConfig
from training.gathered import Gathered, gathering
from vaead_core.cohorts import Cohort, Subject, fashion_mnist, open_cohort
from vaead_core.cohorts.preparation import prepare
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
        chosen = _spread(people, count)
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
    where = config.out.resolve().parent
    with closing(gathering(len(cohort.subjects), preprocessor.slice_grid, config.devices, where)) as gathered:
        prepared, skipped = _prepare(cohort, preprocessor, config, gathered)
        split = split_subjects(tuple(one.subject for one in prepared), config.split_seed)
        known = {one.subject.id: one for one in prepared}
        trained = [split.train[one] for one in _spread(len(split.train), config.training_subjects)]
        train, validation, test = (
            _subset([known[subject.id] for subject in subjects], gathered) for subjects in (trained, split.validation, split.test)
        )
    return TrainingData(train, validation, test, cohort.description, tuple(skipped))


def _spread(people: int, count: int | None) -> np.ndarray:
    """(count,) indices of some of the people, spread over their list; of all for None, or where there are no more."""
    return np.linspace(0, people - 1, people if count is None else min(count, people)).astype(int)


@dataclass(frozen=True)
class _Prepared:
    """scan: its number in what is gathered. images: how many of it there are. quality: as `image_quality` gives it."""

    subject: Subject
    scan: int
    images: int
    quality: dict[str, float]


def _prepare(
    cohort: Cohort, preprocessor: Preprocessor, config: TrainingConfig, gathered: Gathered
) -> tuple[list[_Prepared], list[str]]:
    """Who could be prepared, with slices in `gathered`, and a sentence for each of the others."""
    prepared, skipped, extracted = list[_Prepared](), [], []
    ready = prepare(cohort.subjects, preprocessor, config.jobs, config.dask)
    for number, (subject, found) in enumerate(track(ready, f"Preparing {cohort.name}", len(cohort.subjects)), 1):
        stages.begin(f"preparing scans, {number} of {len(cohort.subjects)}")
        if isinstance(found, str):
            skipped.append(found)
            continue
        gathered.add(found.slices)
        prepared.append(_Prepared(subject, len(prepared), len(found.slices), found.quality))
        if found.extracted:
            extracted.append(subject.id)
    if extracted:
        print(f"The brain of {len(extracted)} of {len(cohort.subjects)} scans was extracted first: {', '.join(extracted)}.")
    if skipped:
        print(f"{len(skipped)} of {len(cohort.subjects)} scans are left out:", *skipped, sep="\n  ")
    if not prepared:
        raise CohortError(f"None of the {len(cohort.subjects)} scans of {cohort.name} could be read; first: {skipped[0]}")
    return prepared, skipped


def _subset(people: Sequence[_Prepared], gathered: Gathered) -> Subset:
    index = np.repeat(np.arange(len(people)), [one.images for one in people])
    names, ages = tuple(one.subject.id for one in people), tuple(one.subject.age for one in people)
    slices = gathered.together([one.scan for one in people])
    return Subset(slices, index, names, ages, tuple(one.quality for one in people))


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
