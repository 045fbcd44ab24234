"""`python -m benchmarks.reconstruction --data FOLDER`: brain error of a model and of PCA over that of the mean image.

All on the test subjects of the checkpoint's own split; PCA is fitted on its training subjects.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

from training.config import TrainingConfig
from training.data import load_data
from training.publish import reconstruction_error
from vaead_core.checkpoints.checkpoint import Checkpoint


def main(checkpoint: Checkpoint, data: str) -> None:
    """Prints the ratio of the model, of PCA with as many components, and of PCA-256."""
    settings = checkpoint.provenance.training.settings | {"data": data}
    parts = load_data(TrainingConfig.model_validate(settings))
    for name in ("validation", "test"):
        held_out = getattr(parts, name).slices
        found = reconstruction_error(checkpoint.model, held_out, checkpoint.model.reference["intensity"].mean_of(held_out))
        print(f"{name}: {checkpoint.name} MSE {found.mse:.5f}, mean image {found.atlas_mse:.5f}, ratio {found.ratio:.3f}")
        for components in (checkpoint.model.vae.latent_size, 256):
            print(f"{name}: PCA-{components} ratio {pca_error(parts.train.slices, held_out, components) / found.atlas_mse:.3f}")


def pca_error(train, held_out, components: int) -> float:
    """Brain-only mean squared error of PCA on slices with background 0."""
    flat = (train.pixels * train.mask).reshape(len(train), -1)
    model = PCA(components, svd_solver="randomized", random_state=0).fit(flat)
    back = model.inverse_transform(model.transform((held_out.pixels * held_out.mask).reshape(len(held_out), -1)))
    error = (back.reshape(held_out.pixels.shape) - held_out.pixels)[held_out.mask]
    return float(np.square(error).mean())


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.reconstruction")
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoints/brain-slices-2mm"))
    parser.add_argument("--data", required=True)
    options = parser.parse_args()
    main(Checkpoint.load(options.checkpoint), options.data)
