"""What the tables say, in plain words: every number is looked up when the report is written, every verdict follows from it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from vaead_core.errors import InputError
from vaead_core.experiments.records import ALL
from vaead_core.experiments.report import ablations, readout, shift, site_calibration
from vaead_core.experiments.report.slices_verdicts import literal, patches, slices
from vaead_core.experiments.report.tables import (
    ATLAS,
    RECONSTRUCTION,
    Tables,
    best_detector,
    chosen_detector,
    label,
    mean_ap,
    number,
    over_toys,
    select,
)
from vaead_core.experiments.report.thesis import TOYS
from vaead_core.experiments.report.wording import bullets, verdict

WITHOUT_NETWORK = (ATLAS, "dark_voxel_atlas", "histogram_equalised", "asymmetry", "dark_asymmetry")


def fashion(tables: Tables) -> str:
    """Whether detectors beat reconstruction, and how even they are over classes."""
    rows = tables["fashion"]
    chosen, best = chosen_detector(tables, "fashion", ""), best_detector(rows, "balanced")
    by_class = {
        name: select(rows, "detection", *score, dataset="balanced")
        .query("combination != @ALL")
        .groupby("combination")["ap"]
        .mean()
        for name, score in (("reconstruction", (RECONSTRUCTION, "")), ("chosen", chosen))
    }
    mean = {
        name: mean_ap(rows, "detection", *score, dataset="balanced")
        for name, score in (("reconstruction", (RECONSTRUCTION, "")), ("chosen", chosen), ("best", best))
    }
    full = mean_ap(rows, "detection", RECONSTRUCTION, "", dataset="full")
    spread = {name: values.max() - values.min() for name, values in by_class.items()}
    seeds = select(rows, "detection", *chosen, dataset="balanced", combination=ALL)["ap"]
    return bullets(
        f"Reconstruction error reaches {mean['reconstruction']}, {label(*chosen)} (chosen on deformed t-shirts) "
        f"{mean['chosen']}; the best picked after the fact, {label(*best)}, {mean['best']}. Chance is 0.5.",
        f"The thesis's claim that detectors beat reconstruction **{verdict(mean['chosen'].ap > mean['reconstruction'].ap)}** by "
        f"{mean['chosen'].ap - mean['reconstruction'].ap:+.3f}; its claim that they are more even over classes "
        f"**{verdict(spread['chosen'] < spread['reconstruction'])}**: best and worst class differ by {spread['chosen']:.2f} "
        f"against {spread['reconstruction']:.2f}.",
        f"{_seeds(seeds)} read no more than two digits.",
        f"In the full protocol chance is {full.chance:.3f}, so that reconstruction's {full} says less than its size suggests.",
    )


def _seeds(ap: pd.Series) -> str:
    if len(ap) == 1:
        return "One training seed: how far another training lies from it is not measured here;"
    return f"Over {len(ap)} training seeds the chosen detector lies between {ap.min():.3f} and {ap.max():.3f}:"


def background(tables: Tables) -> str:
    """Who finds dark, grey and bright toys."""
    rows = select(tables["background"], "segmentation", "residual").query(
        "dataset in ('circles', 'random') and combination != @ALL"
    )
    rows = rows.assign(intensity=rows["combination"].str.split(" mm ").str[1], checkpoint=rows["checkpoint"].map(background_name))
    means = rows.pivot_table(index="checkpoint", columns="intensity", values="ap")
    said = [
        f"{name}: dark {row['dark']:.3f}, grey {row['grey']:.3f}, bright {row['bright']:.3f}." for name, row in means.iterrows()
    ]
    best = means["dark"].idxmax()
    return bullets(
        "Masked residual by intensity, mean over sizes of circles and random shapes, one model a background:", *said,
        f"A noise background is what finds dark anomalies (thesis): **{verdict(best == 'noise')}**; {best} finds them best. "
        f"Each is one training, so that a difference of a few hundredths may be its seed.",
        "Not masked, the noise background costs most: it cannot be redrawn and fills the residual with false positives (figure).",
    )  # fmt: skip


def background_name(checkpoint: str) -> str:
    """What an ablation's brains lie on."""
    return {"base": "noise", "background-black": "black", "background-mean": "mean"}.get(checkpoint, checkpoint)


def entropy(tables: Tables) -> str:
    """What the constraint, the stem and the stage do to activation maps."""
    rows = tables["entropy"].query("task == 'segmentation' and combination == @ALL")
    maps = rows[rows["scorer"].isin(("activation", "zscored_activation"))]
    stages = maps.assign(stage=maps["detector_settings"].str.extract(r"stage=(\d)", expand=False).fillna("1"))
    by_model = stages[stages["stage"] == "1"].pivot_table(index="checkpoint", columns="scorer", values="ap")
    by_stage = stages.groupby("stage")["ap"].mean()
    said = [
        f"{name}: {', '.join(f'{label(score)} {value:.3f}' for score, value in row.items())}."
        for name, row in by_model.iterrows()
    ]
    listed = ", ".join(f"stage {stage} {value:.3f}" for stage, value in by_stage.items())
    above = {name: _wins(rows[rows["checkpoint"] == name]) for name in by_model.index}
    return bullets(
        "First stage, mean over the four sets, one model a setting:", *said,
        f"Sets of 4 in which the activation map beats the same model's residual, as in the thesis: "
        f"{', '.join(f'{name} {count}' for name, count in above.items())}.",
        f"By stage, over all models and sets: {listed}.",
    )  # fmt: skip


def _wins(rows: pd.DataFrame) -> int:
    """In how many sets a model's activation map has a higher mAP than its residual."""
    return sum(over_toys(rows, "activation")[toy] > over_toys(rows, "residual")[toy] for toy in TOYS)


def painted(tables: Tables) -> str:
    """By kind: the map chosen on validation subjects beside the voxel atlas and chance."""
    rows, choosing = tables["painted"], tables.get("painted-validation")
    said = []
    for kind in dict.fromkeys(rows["dataset"]):
        atlas = number(select(rows, "segmentation", ATLAS, dataset=kind, combination=ALL))
        by, how = (rows, "best on test") if choosing is None else (choosing, "chosen on validation")
        mine = by[(by["dataset"] == kind) & (by["combination"] == ALL)]
        chosen = str(mine.loc[mine["ap"].idxmax(), "scorer"])
        ours = number(select(rows, "segmentation", chosen, dataset=kind, combination=ALL))
        if atlas and ours:
            said.append(
                f"{kind.replace('_', ' ')}: {label(chosen)} ({how}) {ours}, {ours.ap / atlas.ap:.1f} times the voxel atlas's "
                f"{atlas}; chance {ours.chance:.4f}."
            )
    return bullets(*said)


def lesions(tables: Tables) -> str:
    """Two patients."""
    rows, said = tables["lesions"], []
    rows = rows[rows["combination"] == ALL]
    for case, mine in rows.groupby("dataset"):
        order = mine.sort_values("ap", ascending=False)
        listed = ", ".join(f"{label(one.scorer)} {one.ap:.4f}" for one in order.head(3).itertuples())
        atlas = order[order["scorer"] == ATLAS]["ap"].iloc[0]
        chance = order["prevalence"].iloc[0]
        drawn = order[~order["scorer"].isin(WITHOUT_NETWORK)].iloc[0]
        said.append(
            f"{case}: chance {chance:.4f}, voxel atlas {atlas:.4f}; the three highest are {listed}; the highest that a network "
            f"makes is {label(drawn['scorer'])} {drawn['ap']:.4f}, {drawn['ap'] / chance:.1f} times chance."
        )
    return bullets(
        *said,
        "Two patients carry no interval; a value within a few times its chance level finds nothing one could use.",
    )


READINGS: dict[str, Callable[[Tables], str]] = {
    "fashion": fashion, "slices": slices, "thesis": literal, "patches": patches, "background": background, "entropy": entropy,
    "painted": painted, "readout": readout.reading, "shift": shift.reading, "ablations": ablations.reading, "lesions": lesions,
    "site_calibration": site_calibration.reading,
}  # fmt: skip


def reading(name: str, tables: Tables) -> str:
    """What the table of an experiment says; "" where nothing is read from it.

    Raises InputError where rows that it is read from are not recorded, as in tables of few scores or people.
    """
    if name not in READINGS:
        return ""
    try:
        return READINGS[name](tables)
    except (LookupError, ValueError) as error:
        said = f"The recorded tables lack rows that the text about {name} is made of; measure all scores of it again."
        raise InputError(said) from error
