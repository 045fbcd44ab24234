"""What the report and the Benchmark page say of brains of scanners that a model never saw."""

from __future__ import annotations

import pandas as pd

from vaead_core.experiments.report.tables import Tables, label
from vaead_core.experiments.report.wording import markdown_table
from vaead_core.experiments.scanner_changes import AS_IT_IS

RATE = 0.05
ALLOWED = (0.03, 0.07, 0.09)  # median from and to, and 90 % of subjects: marked of a healthy brain at RATE
EVERY = "every lesion"


def by_method(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a scorer, site and change at RATE: what is marked, median and 90th percentile over subjects, on both scales;
    and the AP of painted lesions beside chance where it was measured. The least marked foreign brains come first."""
    marked = rows[(rows["measure"] == "marked") & (rows["threshold"] == RATE)].assign(method=lambda one: one["scorer"].map(label))
    index = ["method", "site", "change"]
    found = marked.pivot_table(index=index, columns="scale", values=["median", "p90"], sort=False)
    table = pd.DataFrame({
        "People": marked.groupby(index)["subject_count"].first(),
        "Marked, %": 100 * found["median", "scan"],
        "9 of 10 below, %": 100 * found["p90", "scan"],
        "Healthy brains' scale: marked, %": 100 * found["median", "healthy"],
        "9 of 10 below, % ": 100 * found["p90", "healthy"],
    })  # fmt: skip
    lesions = rows[(rows["measure"] == "ap") & (rows["change"] == EVERY) & (rows["scale"] == "scan")]
    known = lesions.assign(method=lesions["scorer"].map(label), change=AS_IT_IS).set_index(index)
    table["AP of painted lesions"], table["Chance"] = known["mean"], known["chance"]
    return table.reset_index().rename(columns={"method": "Method", "site": "Scanner", "change": "Change"})


def reading(tables: Tables) -> str:
    """Whether a threshold of 5 % travels, by which maps, and what is found there; and the whole table."""
    rows = tables["shift"]
    table = by_method(rows)
    foreign = table[table["Scanner"].isin(rows.loc[rows["foreign"], "site"])]
    low, high, most = (100 * share for share in ALLOWED)
    keep = foreign[foreign["Marked, %"].between(low, high) & (foreign["9 of 10 below, %"] <= most)]
    said = [
        f"**Of healthy brains of a scanner that the model never saw, the threshold that should mark 5 % marks "
        f"{foreign['Marked, %'].min():.1f} to {foreign['Marked, %'].max():.1f} % (median over people) on the scan's own scale, "
        f"and {foreign.iloc[:, 6].min():.1f} to {foreign.iloc[:, 6].max():.1f} % on the healthy brains'.**",
        f"Within {low:.0f} to {high:.0f} %, and for nine people of ten at most {most:.0f} %: "
        f"{', '.join(keep['Method']) or 'none'}.",
    ]
    return "\n".join(f"- {one}" for one in said) + "\n\n" + _markdown(table)


def _markdown(table: pd.DataFrame) -> str:
    return markdown_table(list(table.columns), ([_cell(value) for value in row] for row in table.itertuples(index=False)))


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return "" if pd.isna(value) else f"{value:.1f}" if value >= 1 else f"{value:.3f}"
