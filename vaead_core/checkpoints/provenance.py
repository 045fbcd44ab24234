"""Where a checkpoint comes from, as its checkpoint.json says: network, training, subjects, companions. Checked once, here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_type_hints

from vaead_core.checkpoints.entries import (
    check_can_be_shown,
    count,
    entry,
    finite,
    number,
    setting,
    table,
    tables,
    text,
    text_or_none,
    tuple_of,
)  # fmt: skip
from vaead_core.scans.image_quality import MEASURES
from vaead_core.scans.preprocessing import Preprocessor

SUBSETS = ("train", "validation", "test")


@dataclass(frozen=True)
class Training:
    """images: slices, patches or fashion. data: its cohort's name, None where none was given. settings: all that it was told,
    as `training.config.TrainingConfig` takes it. split_seed: what chose the subjects of each subset."""  # fmt: skip

    images: str
    data: str | None
    epochs: int
    seed: int
    split_seed: int
    settings: dict[str, Any]

    @staticmethod
    def read(said: dict[str, Any]) -> Training:
        """Of the settings. Once, the seed of the training chose the subjects too. Raises ValueError."""
        seed = entry(said, "training.seed", count)
        split_seed = entry(said, "training.split_seed", count, seed)
        images, data = entry(said, "training.images", text), entry(said, "training.data", text_or_none)
        return Training(images, data, entry(said, "training.epochs", count), seed, split_seed, said)


@dataclass(frozen=True)
class Source:
    """Whom it was trained, validated and tested on. subjects, ages: by subset, in years, None where unknown; {} where no subject
    is known. skipped: scans that could not be read. quality: MEASURES of image quality → the values of training and validation
    scans, rising and so of nobody; {} in older checkpoints."""  # fmt: skip

    description: str
    skipped: int
    subjects: dict[str, tuple[str, ...]]
    ages: dict[str, tuple[float | None, ...]]
    quality: dict[str, tuple[float, ...]]

    @staticmethod
    def read(said: dict[str, Any]) -> Source:
        """Raises ValueError."""
        given = entry(said, "data.ages", table, {})
        subjects = {name: entry(said, f"data.{name}", tuple_of(text)) for name in SUBSETS if name in said}
        ages = {name: entry(given, f"data.ages.{name}", tuple_of(_age)) for name in SUBSETS if name in given}
        for name, known in ages.items():
            if len(known) != len(subjects.get(name, ())):
                raise ValueError(f"data.ages.{name} has {len(known)} entries for {len(subjects.get(name, ()))} subjects")
        quality = read_quality(said, "data.quality")
        return Source(entry(said, "data.description", text), entry(said, "data.skipped", count, 0), subjects, ages, quality)

    def to_dict(self) -> dict[str, Any]:
        """As checkpoint.json holds it."""
        ages = {"ages": {name: list(known) for name, known in self.ages.items()}} if self.ages else {}
        people = {name: list(known) for name, known in self.subjects.items()}
        quality = {"quality": {name: list(values) for name, values in self.quality.items()}} if self.quality else {}
        return {"description": self.description, "skipped": self.skipped} | people | ages | quality


@dataclass(frozen=True)
class ReconstructionError:
    """Mean squared error in the brain: of decoding μ, of the healthy mean image, and their ratio."""

    mse: float
    atlas_mse: float
    ratio: float

    @staticmethod
    def read(said: dict[str, Any], name: str) -> ReconstructionError:
        """Raises ValueError."""
        return ReconstructionError(*(entry(said, f"{name}.{one}", number) for one in ("mse", "atlas_mse", "ratio")))


@dataclass(frozen=True)
class Companion:
    """How a network beside the VAE was trained. history: of its epochs, as CSV."""

    settings: dict[str, Any]
    history: str

    @staticmethod
    def read(said: dict[str, Any], name: str) -> Companion:
        """Raises ValueError."""
        settings = {key: value for key, value in said.items() if key != "history"}
        return Companion(settings, entry(said, f"{name}.history", text))


@dataclass(frozen=True)
class Provenance:
    """architecture: what `models.build` takes, its name first. notes: what was tried, None where only the card says it.
    reconstruction: by subset. companions: by their names in COMPANIONS. versions: of vaead, Python and packages."""  # fmt: skip

    architecture: dict[str, Any]
    training: Training
    source: Source
    notes: str | None
    reconstruction: dict[str, ReconstructionError]
    companions: dict[str, Companion]
    versions: dict[str, str]

    @staticmethod
    def read(said: Mapping[str, Any]) -> Provenance:
        """Of a description. Raises ValueError, which names the first entry that is missing or of a wrong kind, also among those
        that are shown and not read."""
        check_can_be_shown(said)
        architecture = entry(said, "architecture", table)
        entry(architecture, "architecture.name", text)
        errors = tables(said, "reconstruction")
        companions = tables(said, "companions" if "companions" in said else "further")  # as they were called once
        return Provenance(
            architecture,
            Training.read(entry(said, "training", table)),
            Source.read(entry(said, "data", table)),
            entry(said, "notes", text_or_none, None),
            {name: ReconstructionError.read(one, f"reconstruction.{name}") for name, one in errors.items()},
            {name: Companion.read(one, f"companions.{name}") for name, one in companions.items()},
            {name: str(version) for name, version in entry(said, "versions", table, {}).items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """As checkpoint.json holds it."""
        return {
            "architecture": self.architecture,
            "training": self.training.settings,
            "data": self.source.to_dict(),
            "notes": self.notes,
            "reconstruction": {name: asdict(one) for name, one in self.reconstruction.items()},
            "companions": {name: one.settings | {"history": one.history} for name, one in self.companions.items()},
            "versions": self.versions,
        }


_KINDS = get_type_hints(Preprocessor)


def read_preprocessor(said: Mapping[str, Any]) -> Preprocessor | None:
    """How scans become the images of a description's network; None for pictures that are not brains. Raises ValueError."""
    settings = entry(said, "preprocessor", lambda value: value if value is None else table(value))
    if settings is None:
        return None
    if unknown := sorted(settings.keys() - {field.name for field in fields(Preprocessor)}):
        raise ValueError(f"preprocessor.{unknown[0]} is none of its settings")
    return Preprocessor(**{name: entry(settings, f"preprocessor.{name}", setting(_KINDS[name])) for name in settings})


def read_stride(said: Mapping[str, Any]) -> int | None:
    """Pixels from patch to patch; None where the network sees whole slices. Raises ValueError."""
    stride = entry(said, "stride", lambda value: value if value is None else count(value))
    if stride == 0:
        raise ValueError("stride must be 1 or more")
    return stride


def read_quality(said: Mapping[str, Any], path: str) -> dict[str, tuple[float, ...]]:
    """MEASURES of image quality → values of scans, at least one; {} where the entry is missing. Raises ValueError."""
    told = entry(said, path, table, {})
    quality = {one: entry(told, f"{path}.{one}", tuple_of(finite)) for one in told if one in MEASURES}
    if not all(quality.values()):
        raise ValueError(f"{path} has a measure without values")
    return quality


def _age(value: Any) -> float | None:
    return value if value is None else finite(value)
