"""Where a checkpoint comes from, as its checkpoint.json says: network, training, subjects, companions. Checked once, here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from vaead_core.scans.image_quality import MEASURES

SUBSETS = ("train", "validation", "test")

T = TypeVar("T")


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
        seed = _value(said, "training.seed", _count)
        split_seed = _value(said, "training.split_seed", _count, seed)
        images, data = _value(said, "training.images", _text), _value(said, "training.data", _text_or_none)
        return Training(images, data, _value(said, "training.epochs", _count), seed, split_seed, said)


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
        given = _value(said, "data.ages", _table, {})
        subjects = {name: _value(said, f"data.{name}", _tuple_of(_text)) for name in SUBSETS if name in said}
        ages = {name: _value(given, f"data.ages.{name}", _tuple_of(_age)) for name in SUBSETS if name in given}
        for name, known in ages.items():
            if len(known) != len(subjects.get(name, ())):
                raise ValueError(f"data.ages.{name} has {len(known)} entries for {len(subjects.get(name, ()))} subjects")
        quality = read_quality(said, "data.quality")
        return Source(_value(said, "data.description", _text), _value(said, "data.skipped", _count, 0), subjects, ages, quality)

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
        return ReconstructionError(*(_value(said, f"{name}.{one}", _number) for one in ("mse", "atlas_mse", "ratio")))


@dataclass(frozen=True)
class Companion:
    """How a network beside the VAE was trained. history: of its epochs, as CSV."""

    settings: dict[str, Any]
    history: str

    @staticmethod
    def read(said: dict[str, Any], name: str) -> Companion:
        """Raises ValueError."""
        settings = {key: value for key, value in said.items() if key != "history"}
        return Companion(settings, _value(said, f"{name}.history", _text))


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
        """Of a description. Raises ValueError, which names the first entry that is missing or of a wrong kind."""
        architecture = _value(said, "architecture", _table)
        _value(architecture, "architecture.name", _text)
        errors = _tables(said, "reconstruction")
        companions = _tables(said, "companions" if "companions" in said else "further")  # as they were called once
        return Provenance(
            architecture,
            Training.read(_value(said, "training", _table)),
            Source.read(_value(said, "data", _table)),
            _value(said, "notes", _text_or_none, None),
            {name: ReconstructionError.read(one, f"reconstruction.{name}") for name, one in errors.items()},
            {name: Companion.read(one, f"companions.{name}") for name, one in companions.items()},
            {name: str(version) for name, version in _value(said, "versions", _table, {}).items()},
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


def read_quality(said: Mapping[str, Any], path: str) -> dict[str, tuple[float, ...]]:
    """MEASURES of image quality → values of scans, at least one; {} where the entry is missing. Raises ValueError."""
    told = _value(said, path, _table, {})
    quality = {one: _value(told, f"{path}.{one}", _tuple_of(_finite)) for one in told if one in MEASURES}
    if not all(quality.values()):
        raise ValueError(f"{path} has a measure without values")
    return quality


_NEEDED = object()


def _value(said: Mapping[str, Any], path: str, check: Callable[[Any], T], default: Any = _NEEDED) -> T:
    """The entry that `path` ends in, checked; `default` where it is missing. Raises ValueError."""
    name = path.rsplit(".", 1)[-1]
    value = said.get(name, default)
    if value is _NEEDED:
        raise ValueError(f"it lacks {path}")
    try:
        return check(value)
    except TypeError as error:
        raise ValueError(f"{path} must be {error}") from error


def _tables(said: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    found = _value(said, name, _table, {})
    return {key: _value(found, f"{name}.{key}", _table) for key in found}


def _kind(value: Any, kinds: tuple[type, ...], meant: str) -> Any:
    if type(value) not in kinds:  # True is no number here
        raise TypeError(meant)
    return value


def _text(value: Any) -> str:
    return str(_kind(value, (str,), "text"))


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _count(value: Any) -> int:
    if _kind(value, (int,), "a whole number") < 0:
        raise TypeError("0 or more")
    return int(value)


def _number(value: Any) -> float:
    return float(_kind(value, (int, float), "a number"))


def _finite(value: Any) -> float:
    if not math.isfinite(_number(value)):
        raise TypeError("a finite number")
    return float(value)


def _age(value: Any) -> float | None:
    return value if value is None else _finite(value)


def _table(value: Any) -> dict[str, Any]:
    return dict(_kind(value, (dict,), "a table of names and values"))


def _tuple_of(check: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda value: tuple(check(one) for one in _kind(value, (list, tuple), "a list"))
