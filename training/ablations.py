"""`python -m training.ablations --data FOLDER --out FOLDER [NAME ...]`: one change at a time, each with the same budget.

Budget: slices at width 16 take the steps of 20 epochs of all training brains, patches at width 32 those of 40 (each a ninth of
a slice). A finished variant is not trained again; a killed one goes on. The models are for `python -m vaead_core evaluate
choice`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from training.config import Augmentation, TrainingConfig
from training.data import Subset, TrainingData, load_data
from training.presets import EVEN, PRESETS
from training.run import train
from vaead_core.checkpoints.checkpoint import DESCRIPTION
from vaead_core.errors import exit_status

SLICES = PRESETS["brain-slices-2mm"][1].model_copy(
    update={
        "epochs": 20, "augmentation": Augmentation(), "bias": "kept", "contrast": "z",
        "architecture": PRESETS["brain-slices-2mm"][1].architecture.model_copy(update={"width": 16}),
    }
)  # fmt: skip
PATCHES = PRESETS["brain-patches-2mm"][1]
AMPLITUDES = ("rotation_degrees", "scale", "shift_pixels", "elastic_pixels", "gamma", "bias")
PEOPLE = 26  # whom the shipped model is trained on: fewer of them are seen as many times in all
SCANNERS = {"gamma": 0.15, "bias": 0.1, "curve": 0.3, "blur_pixels": 0.4, "noise": 0.03}  # images as of other scanners
VARIANTS: dict[str, TrainingConfig] = {}


def _variant(name: str, base: TrainingConfig, **changes) -> None:
    """Registers `base` with some fields changed; a dict changes fields of a nested setting."""
    nested = {key: getattr(base, key).model_copy(update=value) for key, value in changes.items() if isinstance(value, dict)}
    VARIANTS[name] = base.model_copy(update=changes | nested)


_variant("base", SLICES)
_variant("background-black", SLICES, background="black")
_variant("background-mean", SLICES, background="mean")
_variant("entropy-off", SLICES, loss={"entropy_weight": 0.0})
_variant("beta-0.002", SLICES, loss={"beta": 0.002})
_variant("beta-0.1", SLICES, loss={"beta": 0.1})
_variant("beta-0.5", SLICES, loss={"beta": 0.5})
_variant("beta-2", SLICES, loss={"beta": 2.0})
_variant("noise-0.3", SLICES, augmentation={"coarse_noise": 0.3})
_variant("noise-0.6", SLICES, augmentation={"coarse_noise": 0.6})
_variant("noise-0.6-beta-0.5", SLICES, augmentation={"coarse_noise": 0.6}, loss={"beta": 0.5})
_variant("size-constraint", SLICES, loss={"entropy_weight": 0.0, "size_weight": 10.0})
_variant("stem-uas", SLICES, architecture={"stem": "uas"})
_variant("width-32", SLICES, architecture={"width": 32})
_variant("entropy-1", SLICES, loss={"entropy_weight": 1.0})
_variant("temperature-1", SLICES, loss={"entropy_temperature": 1.0})
_variant("latent-32", SLICES, architecture={"latent_size": 32})
_variant("latent-512", SLICES, architecture={"latent_size": 512})
_variant("subjects-5", SLICES, training_subjects=5, epochs=20 * PEOPLE // 5)
_variant("subjects-10", SLICES, training_subjects=10, epochs=20 * PEOPLE // 10)
_variant("subjects-20", SLICES, training_subjects=20, epochs=20 * PEOPLE // 20)
_variant("no-augmentation", SLICES, augmentation=dict.fromkeys(AMPLITUDES, 0.0) | {"flip": False})
_variant("sampled", SLICES, averaged=False)
_variant("n4", SLICES, bias="n4")
_variant("tissues", SLICES, contrast="tissues")
_variant("n4-tissues", SLICES, **EVEN)
_variant("scanners", SLICES, augmentation=SCANNERS, **EVEN)
_variant("one-site", SLICES, **EVEN)
_variant("other-site", SLICES, epochs=20 * PEOPLE // 34, **EVEN)
_variant("two-sites", SLICES, epochs=20 * PEOPLE // 60, **EVEN)
_variant("svdd", SLICES, loss={"svdd_weight": 0.2})
_variant("spatial", SLICES, architecture={"name": "spatial_vae", "stem": "uas", "latent_size": 576})
_variant("seed-1", SLICES, seed=1)
_variant("seed-2", SLICES, seed=2)
_variant("patches-base", PATCHES)
_variant("patches-noise-0.15", PATCHES, augmentation={"coarse_noise": 0.15})
_variant("patches-beta-0.02", PATCHES, loss={"beta": 0.02})
_variant("patches-stem-resnet", PATCHES, architecture={"stem": "resnet"})


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 2 with one sentence on stderr."""
    parser = argparse.ArgumentParser("python -m training.ablations", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: all of {', '.join(VARIANTS)}")
    parser.add_argument("--data", required=True, help="folder of skull-stripped scans of healthy people")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint folders")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in VARIANTS]
    if unknown:
        print(f"There is no variant {unknown[0]}; choose among {', '.join(VARIANTS)}.", file=sys.stderr)
        return 2
    names = options.names or list(VARIANTS)
    return exit_status(lambda: train_variants(names, options.data, options.out), options.out, "finished variants are kept")


def train_variants(names: list[str], data: str, out: Path) -> None:
    """Each variant that `out` does not hold yet, one after the other; those of one preparation share the scans it gave."""
    prepared: dict[tuple, TrainingData] = {}
    for name in names:
        if not (out / name / DESCRIPTION).is_file():
            config = VARIANTS[name].model_copy(update={"data": data, "out": out / name})
            how = {field: getattr(config, field) for field in ("averaged", "bias", "contrast")}
            key = tuple(how.values())
            if key not in prepared:
                prepared = {key: load_data(SLICES.model_copy(update={"data": data, **how}))}
            print(f"{name}: {config.epochs} epochs")
            train(config, with_background(prepared[key].trained_on(config.training_subjects), config))


def with_background(data: TrainingData, config: TrainingConfig) -> TrainingData:
    """`data` with what lies outside the brain filled as `config` says: the registered scans are shared."""
    preprocessor = config.preprocessor

    def filled(part: Subset) -> Subset:
        slices = part.slices
        return replace(
            part, slices=replace(slices, pixels=preprocessor.fill_background(slices.pixels, slices.mask, slices.position))
        )

    return replace(data, train=filled(data.train), validation=filled(data.validation), test=filled(data.test))


if __name__ == "__main__":
    sys.exit(main())
