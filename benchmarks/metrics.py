"""`python -m benchmarks.metrics`: average precision of a whole toy benchmark against scikit-learn, same run.

Random maps of the size of a 2 mm slice's brain stand for one subject of the four toy datasets: 47 cases of 25 slices. The
second figure scores the same maps against 20 truths each, as size × intensity tables of one map do.
"""

import time

import numpy as np
from sklearn.metrics import average_precision_score

from vaead_core.measures.metrics import Ranking

PIXELS, SLICES, CASES, TRUTHS = 4500, 25, 47, 20


def main() -> None:
    """Prints seconds, their ratio and the largest difference of the two."""
    rng = np.random.default_rng(0)
    maps = rng.gamma(2, 1, (SLICES * CASES, PIXELS)).astype(np.float32)
    for truths in (1, TRUTHS):
        kept = maps if truths == 1 else maps[: SLICES * 2]
        truth = rng.random((len(kept), truths, PIXELS)) < rng.choice([0.007, 0.02, 0.05, 0.08], (len(kept), truths, 1))
        ours, our_seconds = _timed(lambda kept=kept, truth=truth: _ranked(kept, truth))
        theirs, their_seconds = _timed(lambda kept=kept, truth=truth: _scikit_learn(kept, truth))
        print(
            f"{len(kept)} maps x {truths} truths: ours {our_seconds:.2f} s, scikit-learn {their_seconds:.2f} s, "
            f"{their_seconds / our_seconds:.1f} times faster; largest difference {np.abs(ours - theirs).max():.1e}"
        )


def _ranked(maps: np.ndarray, truth: np.ndarray) -> np.ndarray:
    rankings = map(Ranking, maps)
    return np.array([[ranking.detection(one).ap for one in some] for ranking, some in zip(rankings, truth, strict=True)])


def _scikit_learn(maps: np.ndarray, truth: np.ndarray) -> np.ndarray:
    pairs = zip(maps, truth, strict=True)
    return np.array([[average_precision_score(one, values) for one in some] for values, some in pairs])


def _timed(work):
    start = time.perf_counter()
    return work(), time.perf_counter() - start


if __name__ == "__main__":
    main()
