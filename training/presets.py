"""Starting points, each a TrainingConfig whose every field can be overridden on the command line."""

from pathlib import Path

from training.config import Architecture, Augmentation, Loss, TrainingConfig

DEFAULT = "quick"
_FULL = Architecture(image_size=224, width=64)
_HALF = Architecture(width=32)
_PATCH = Loss(beta=0.002, entropy_weight=0.1)
EVEN = {"bias": "n4", "contrast": "tissues"}  # what travels to other scanners, by `evaluate shift`

_LITERAL = {  # the thesis says nothing of beta: 1 is the evidence bound of a squared error
    "loss": Loss(beta=1.0, background_weight=1.0, entropy_weight=0.1, entropy_temperature=1.0),
    "augmentation": Augmentation(flip=False, rotation_degrees=0, scale=0, shift_pixels=0, elastic_pixels=0, gamma=0, bias=0),
}


def _preset(name: str, **settings) -> TrainingConfig:
    return TrainingConfig(preset=name, out=Path("checkpoints") / f"my-{name}", **settings)


PRESETS: dict[str, tuple[str, TrainingConfig]] = {
    config.preset: (description, config)
    for description, config in (
        (
            "Ten minutes on two cores: a small model of the synthetic cohort.",
            _preset(
                "quick", architecture=Architecture(width=16), epochs=40, learning_rate=5e-4, schedule="cosine",
            ),
        ),
        (
            "The thesis's Fashion-MNIST experiment: simple VAE on 4,900 t-shirts.",
            _preset(
                "fashion-tshirt", images="fashion", architecture=Architecture(name="simple_vae", image_size=32, latent_size=16),
                loss=Loss(beta=1.0, background_weight=1, entropy_weight=0), epochs=50, precision="32-true",
                augmentation=_LITERAL["augmentation"],
            ),
        ),
        (
            "Axial slices at 2 mm, half width: for machines without an accelerator.",
            _preset(
                "brain-slices-2mm", architecture=_HALF, epochs=90, batch_size=32, learning_rate=7e-4, schedule="cosine",
                augmentation=Augmentation(coarse_noise=0.5), **EVEN,
            ),
        ),
        (
            "32 × 32 patches at 2 mm, half width.",
            _preset(
                "brain-patches-2mm", images="patches", loss=_PATCH, epochs=40, learning_rate=1e-3, schedule="cosine",
                architecture=Architecture(image_size=32, latent_size=64, width=32, stem="uas"),
            ),
        ),
        (
            "224 × 224 slices at 1 mm, full ResNet-18: `brain-slices-2mm` for machines with an accelerator.",
            _preset("brain-slices-1mm", spacing_mm=1, architecture=_FULL, epochs=100, **EVEN),
        ),
        (
            "32 × 32 patches at 1 mm, full ResNet-18.",
            _preset(
                "brain-patches-1mm", images="patches", spacing_mm=1, loss=_PATCH, epochs=100, learning_rate=5e-5,
                architecture=Architecture(image_size=32, latent_size=64, width=64),
            ),
        ),
        (
            "The thesis's own slices, literally: 224 × 224 at 1 mm, full ResNet-18, no augmentation but fresh noise outside.",
            _preset("thesis-slices-1mm", spacing_mm=1, architecture=_FULL, epochs=100, averaged=False, **_LITERAL),
        ),
        (
            "The thesis's own patches, literally: 32 × 32 at 1 mm, full ResNet-18.",
            _preset(
                "thesis-patches-1mm", images="patches", spacing_mm=1, epochs=100, learning_rate=5e-5, averaged=False,
                architecture=Architecture(image_size=32, latent_size=64, width=64), **_LITERAL,
            ),
        ),
    )
}  # fmt: skip
