"""The benchmark page's cached functions: what is best for what, curves on a sample, ranked images, one's own results."""

import json
from pathlib import Path

import pandas as pd

from pages.shared.cached import recorded
from pages.shared.cached.scans import OpenScan
from pages.shared.server import sessions
from pages.shared.server.cache import cached
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.cohorts.fashion_mnist import FashionMNIST, load_fashion_mnist
from vaead_core.experiments import fashion, records
from vaead_core.experiments.catalogue import EXPERIMENTS
from vaead_core.experiments.report.sample_curves import SampleCurves, sample_curves
from vaead_core.experiments.report.winners import QUESTIONS, Winner
from vaead_core.experiments.report.winners import winners as find_winners


def names() -> list[str]:
    """The recorded tables, those of the catalogue first and in its order."""
    order = list(EXPERIMENTS)
    return sorted(
        records.recorded(recorded.folder()), key=lambda name: (order.index(name) if name in order else len(order), name)
    )


def winners(where: Path, at: int) -> list[Winner]:
    """Of a question of QUESTIONS, by its place there; its two tables are recorded."""
    names = QUESTIONS[at].tables
    return _winners(at, tuple(recorded.digest(where, name) for name in names), [recorded.table(where, name) for name in names])


@cached
def _winners(at: int, digests: tuple[str, ...], _tables: list[pd.DataFrame]) -> list[Winner]:
    return find_winners(QUESTIONS[at], *_tables)


def seconds(where: Path, name: str) -> dict[str, float]:
    """By scorer or detector: seconds of one 2 mm scan, as recorded; empty for a table of pictures."""
    path = where / "seconds.json"
    return json.loads(path.read_text())["seconds"] if path.is_file() and name != "fashion" else {}


@cached
def curves(scan: OpenScan, dataset: str, combination: str, methods: tuple[str, ...]) -> SampleCurves:
    """Precision and recall of maps on a sample scan with a toy."""
    return sample_curves(dataset, combination, scan.prepared, scan.checkpoint, methods)


@cached
def fashion_mnist() -> FashionMNIST:
    """The 70,000 images, from files that are here."""
    return load_fashion_mnist()


@cached
def ranked(checkpoint: Checkpoint, other: str, name: str) -> fashion.Ranked:
    """Test t-shirts and one other class, by score."""
    return fashion.ranked(checkpoint, fashion_mnist(), other, name)


def own_folder() -> Path:
    """Where this session's own experiments lie, as long as it lasts."""
    return sessions.folder("own_results")
