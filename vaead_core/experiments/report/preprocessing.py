"""What the report says of steps of preprocessing and of networks that did not ship, on the subjects that choose."""

from __future__ import annotations

import pandas as pd

from vaead_core.experiments.ablations import UNSHIPPED
from vaead_core.experiments.records import ALL
from vaead_core.experiments.report.shift import EVERY, RATE
from vaead_core.experiments.report.tables import Number, Tables, by_dataset, label, select
from vaead_core.experiments.report.wording import markdown_table
from vaead_core.experiments.scanner_changes import AS_IT_IS

MAPS = ("smoothed_residual", "voxel_atlas", "dark_asymmetry")  # of a network, of none, of one hemisphere against the other
BESIDE = ("segmenter", "denoised_residual", "voxel_atlas")  # with which a map that no shipped model has is compared
JUDGED = ("normalised_residual", "gaussian_mm=4")  # the map by which networks are compared in the report
HEAD = (
    "network", "map", "marked at home, %", "marked there, %", "on the scan's own scale, %", "painted at home", "painted there",
)  # fmt: skip


def reading(tables: Tables) -> str:
    """Tables of what each step is worth at home and on a scanner never seen, and of maps that did not ship; "" of none."""
    return "\n\n".join(one for one in (_steps(tables), _toys(tables), _unshipped(tables)) if one)


def _steps(tables: Tables) -> str:
    shifted = tables.get("shift-validation")
    if shifted is None:
        return ""
    away = shifted.loc[shifted["foreign"], "site"].iloc[0]
    lines = []
    for network in dict.fromkeys(shifted["checkpoint"]):
        for scorer in MAPS:
            mine = shifted[(shifted["checkpoint"] == network) & (shifted["scorer"] == scorer)]
            marked = (_marked(mine, *which) for which in ((False, "healthy"), (True, "healthy"), (True, "scan")))
            lines.append([network, label(scorer), *marked, *(_found(mine, foreign) for foreign in (False, True))])
    lesions = shifted[(shifted["measure"] == "ap") & (shifted["change"] == EVERY)]
    return "\n\n".join([
        f"**Steps of preprocessing**, one change of the base at a time, each with a network trained so, at equal budgets (width "
        f"16, the steps of 20 epochs). Home: the validation subjects of the training site; there: {away}, which no network saw. "
        f"Marked: the median over people of a healthy brain's share above the threshold of "
        f"{100 * RATE:.0f} %. Painted: AP over four kinds of lesion (chance {lesions['chance'].mean():.4f}).",
        markdown_table(HEAD, lines),
    ])  # fmt: skip


def _toys(tables: Tables) -> str:
    rows = tables.get("ablations-validation")
    mine = None if rows is None else select(rows, "segmentation", *JUDGED, combination=ALL)
    if mine is None or mine.empty:
        return ""
    said = f"**The same networks on toys and painted lesions** of the training site's validation subjects, by {label(*JUDGED)}."
    groups = {name: mine[mine["checkpoint"] == name] for name in dict.fromkeys(mine["checkpoint"])}
    return f"{said}\n\n{by_dataset('network', groups)}"


def _marked(rows: pd.DataFrame, foreign: bool, scale: str) -> str:
    mine = rows[(rows["measure"] == "marked") & (rows["threshold"] == RATE) & (rows["scale"] == scale)]
    mine = mine[(mine["foreign"] == foreign) & (mine["change"] == AS_IT_IS)]
    return f"{100 * mine['median'].iloc[0]:.1f}"


def _found(rows: pd.DataFrame, foreign: bool) -> str:
    mine = rows[(rows["measure"] == "ap") & (rows["change"] == EVERY) & (rows["scale"] == "healthy")]
    one = mine[mine["foreign"] == foreign].iloc[0]
    return str(Number(one["mean"], one["low"], one["high"], one["chance"]))


def _unshipped(tables: Tables) -> str:
    rows, beside = tables.get("ablations-validation"), tables.get("painted-validation")
    if rows is None or beside is None:
        return ""
    names = [name for name, _ in UNSHIPPED if name in set(rows["scorer"])]
    if not names:
        return ""
    painted = rows[rows["dataset"].isin(beside["dataset"])]
    maps = dict.fromkeys(names, painted) | dict.fromkeys(BESIDE, beside)
    groups = {label(name): select(table, "segmentation", name, combination=ALL) for name, table in maps.items()}
    said = "**Maps whose networks did not ship**, painted lesions of the validation subjects, beside maps that did."
    return f"{said}\n\n{by_dataset('map', groups)}"
