"""Random draws that a resumed training repeats."""

import numpy as np
from torch import Generator


def generator(*seeds: int) -> Generator:
    """A generator of its own for each tuple of seeds, such as (seed, epoch, step)."""
    return Generator().manual_seed(int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0] >> 1))
