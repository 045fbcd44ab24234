"""What detectors do with their rows: copy, count, sample; and the float32 scores they give back."""

import numpy as np

from vaead_core.errors import InputError
from vaead_core.scans.volume import Array


def healthy_rows(rows: Array, least: int, title: str) -> Array:
    """(N, L) float64 copy. Raises InputError below `least` rows, ValueError unless finite and two-dimensional."""
    copy = query_rows(rows)
    if len(copy) < least:
        raise InputError(
            f"{title} needs at least {least} healthy latents of {copy.shape[1]} numbers; there are {len(copy)}. "
            "Use more subjects, a wider window, fewer components or another detector."
        )
    return copy


def query_rows(rows: Array) -> Array:
    """(M, L) float64 copy. Raises ValueError unless finite and two-dimensional."""
    copy = np.array(rows, np.float64)
    if copy.ndim != 2 or not np.isfinite(copy).all():
        raise ValueError(f"latents must be finite and of shape (N, L), got shape {copy.shape}")
    return copy


def sampled(rows: Array, most: int, seed: int) -> Array:
    """`rows`, or `most` of them drawn without replacement, in their order."""
    if len(rows) <= most:
        return rows
    return rows[np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))]


def as_scores(values: Array) -> Array:
    """float32, values beyond its range at its limits. Raises ValueError for NaN."""
    if np.isnan(values).any():
        raise ValueError("a detector gave a score that is not a number")
    limit = np.finfo(np.float32).max
    return np.clip(values, -limit, limit).astype(np.float32)
