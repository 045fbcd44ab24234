"""`python -m benchmarks.detectors [CHECKPOINT]`: seconds to fit and score the 17 latent detectors, and PyOD's own defaults."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pyod.models.abod import ABOD
from pyod.models.cblof import CBLOF
from pyod.models.ecod import ECOD
from pyod.models.gmm import GMM
from pyod.models.hbos import HBOS
from pyod.models.iforest import IForest
from pyod.models.inne import INNE
from pyod.models.kde import KDE
from pyod.models.knn import KNN
from pyod.models.loda import LODA
from pyod.models.lof import LOF
from pyod.models.lscp import LSCP
from pyod.models.mcd import MCD
from pyod.models.ocsvm import OCSVM
from pyod.models.sampling import Sampling
from sklearn.covariance import EllipticEnvelope
from threadpoolctl import threadpool_limits

from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.detectors import DETECTORS
from vaead_core.detectors.latent_detector import fit_latent_detector

SCORED = 1000
PLAIN: dict[str, Callable] = {  # as their documentation calls them, on all rows; LMDD's time grows by the square: left out
    "abod": lambda: ABOD(n_neighbors=5, method="fast"),
    "cblof": lambda: CBLOF(n_clusters=10, random_state=0),
    "covariance": lambda: EllipticEnvelope(random_state=0),
    "ecod": ECOD,
    "gmm": lambda: GMM(n_components=4, random_state=0),
    "hbos": HBOS,
    "iforest": lambda: IForest(random_state=0),
    "inne": lambda: INNE(random_state=0),
    "kde": KDE,
    "knn": KNN,
    "loda": lambda: LODA(random_state=0),
    "lof": LOF,
    "lscp": lambda: LSCP([LOF(k) for k in (10, 20, 30, 40, 50)], n_bins=5, random_state=0),
    "mcd": lambda: MCD(random_state=0),
    "ocsvm": lambda: OCSVM(nu=0.1),
    "sampling": lambda: Sampling(random_state=0),
}


def main(folder: Path) -> None:
    """Prints a line a detector, first call in the process (compilation included), one thread; then the totals."""
    healthy = Checkpoint.load(folder).latents
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(healthy.mean), SCORED)
    query = healthy.mean[drawn] + rng.normal(0, 0.3, (SCORED, healthy.mean.shape[1])).astype(np.float32)
    place = healthy.position[drawn]
    rows = healthy.mean.astype(float)
    scale = rows.mean(0), rows.std(0)
    rows, plain_query = (rows - scale[0]) / scale[1], (query - scale[0]) / scale[1]
    totals = np.zeros(3)
    for name, kind in sorted(DETECTORS.items()):
        start = time.perf_counter()
        detector = fit_latent_detector(name, healthy.mean, healthy.position)
        fitted = time.perf_counter()
        detector.score(query, place)
        ours = np.array([fitted - start, time.perf_counter() - fitted])
        line = f"{kind.title:10} fit {ours[0]:6.2f} s  score {ours[1]:6.2f} s"
        if name in PLAIN:
            plain = seconds_of(PLAIN[name](), rows, plain_query)
            line += f"  plain {plain:6.2f} s  ours / plain {ours.sum() / plain:.2f}"
            totals += [*ours, plain]
        else:
            totals += [*ours, 0]
        print(line, flush=True)
    print(f"{len(DETECTORS)} detectors, {len(rows)} x {rows.shape[1]} healthy latents, {SCORED} scored, one thread:")
    fit, score, plain = totals
    print(f"fit {fit:.1f} s, score {score:.1f} s, together {fit + score:.1f} s; plain, without LMDD, {plain:.1f} s")


def seconds_of(model, rows: np.ndarray, query: np.ndarray) -> float:
    """Fit and decision function of a PyOD or scikit-learn model, one thread."""
    start = time.perf_counter()
    with threadpool_limits(1):
        model.fit(rows)
        model.decision_function(query)
    return time.perf_counter() - start


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "checkpoints/brain-slices-2mm"))
