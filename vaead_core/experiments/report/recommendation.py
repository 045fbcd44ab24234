"""Which method to use for what: of each kind of anomaly the map that validation subjects choose, and what it reaches on test."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from vaead_core import scorers
from vaead_core.experiments.records import ALL, of_maps
from vaead_core.experiments.report.tables import Tables, label, number, select

ATLAS, EQUALISED = "voxel_atlas", "histogram_equalised"
USEFUL = 0.1  # an AP below which a map shows a reader more false than true places at any threshold worth using

HEAD = """## Which method to use

Maps are **chosen on validation subjects**, each measured against a healthy reference of the others, and measured on test
subjects; both baselines stand beside them, since a map that does not beat them has shown nothing. Patients choose nothing: their
line shows the map that painted lesions choose.

| anomaly | map | AP | voxel atlas | equalised intensity | chance |
|---|---|---|---|---|---|
"""


def advice(tables: Tables, facts: list[str]) -> str:
    """A table of what to use, and what fails; "" where nothing was chosen. facts: sentences about the patients."""
    lines = [*_chosen_lines(tables, "slices"), *_chosen_lines(tables, "painted"), *_patient_lines(tables)]
    if not lines:
        return ""
    return HEAD + "\n".join(lines) + "\n\n" + "\n".join(f"- {sentence}" for sentence in (*_reading(tables), *facts))


def best_map(rows: pd.DataFrame, dataset: str | None = None) -> tuple[str, str]:
    """(scorer, settings) of the masked map with the highest mAP on a dataset, or on the mean of all."""
    mine = rows[(rows["task"] == "segmentation") & (rows["combination"] == ALL) & rows["masked"]]
    mine = mine if dataset is None else mine[mine["dataset"] == dataset]
    return mine.groupby(["scorer", "detector_settings"])["ap"].mean().idxmax()


def _chosen_lines(tables: Tables, experiment: str) -> Iterator[str]:
    choosing, rows = tables.get(f"{experiment}-validation"), tables.get(experiment)
    if choosing is None or rows is None:
        return
    for dataset in dict.fromkeys(rows["dataset"]):
        scorer, settings = best_map(choosing, dataset)
        mine = rows[(rows["dataset"] == dataset) & (rows["combination"] == ALL)]
        kind = "toys" if experiment == "slices" else "painted"
        yield _line(f"{kind}: {dataset.replace('_', ' ')}", mine, scorer, settings)


def _patient_lines(tables: Tables) -> Iterator[str]:
    choosing, rows = tables.get("painted-validation"), tables.get("lesions")
    if choosing is None or rows is None:
        return
    scorer, settings = best_map(choosing)
    for case, mine in rows[rows["combination"] == ALL].groupby("dataset"):
        yield _line(f"patient: {case}", mine, scorer, settings)


def _line(what: str, rows: pd.DataFrame, scorer: str, settings: str) -> str:
    compared = ((scorer, settings), (ATLAS, ""), (EQUALISED, ""))
    found = [number(select(rows, "segmentation", name, using)) for name, using in compared]
    chance = next((f"{one.chance:.4f}" for one in found if one), "–")
    cells = ("–" if one is None else str(one) for one in found)
    return f"| {what} | {label(scorer, settings)} | {' | '.join(cells)} | {chance} |"


def _reading(tables: Tables) -> Iterator[str]:
    if "painted" in tables:
        rows = select_all(tables["painted"])
        means = rows.groupby("scorer")["ap"].mean().sort_values(ascending=False)
        listed = ", ".join(f"{label(name)} {value:.3f}" for name, value in means.head(4).items())
        yield f"Over the four painted kinds of the test subjects the highest are {listed}; voxel atlas {means[ATLAS]:.3f}."
        worse = [label(name) for name in means.index if means[name] < means.get(EQUALISED, 0)]
        yield (
            f"Of {len(means)} maps {(means > means[ATLAS]).sum()} beat the voxel atlas there; "
            f"{', '.join(worse) if worse else 'none'} {'fall' if len(worse) > 1 else 'falls'} below equalised intensity."
        )
        faint = tables["painted"]
        faint = faint[(faint["combination"] == "5% darker") & (faint["task"] == "segmentation")]
        if len(faint):
            best = faint.groupby("dataset")["ap"].max()
            listed = ", ".join(f"{kind.replace('_', ' ')} {value:.3f}" for kind, value in best.items())
            yield (
                f"Of lesions 5 % darker than their tissue the best of all maps reaches {listed}: such a change lies within what "
                "healthy people differ by at a place."
            )
    if "lesions" in tables:
        for case, mine in select_all(tables["lesions"]).groupby("dataset"):
            best = mine.loc[mine["ap"].idxmax()]
            verdict = "finds it" if best["ap"] >= USEFUL else "finds nothing one could use"
            yield (
                f"{case}: the highest of {len(mine)} maps is {label(best['scorer'])} {best['ap']:.4f} (chance "
                f"{best['prevalence']:.4f}), which {verdict}."
            )


def select_all(rows: pd.DataFrame) -> pd.DataFrame:
    """Maps as they are calibrated, over all combinations."""
    found = of_maps(rows)
    return found[found["scorer"].isin(scorers.map_scorers())]
