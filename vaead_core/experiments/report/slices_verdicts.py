"""What the tables of slices and patches say about the thesis's claims."""

from __future__ import annotations

import pandas as pd

from vaead_core import detectors
from vaead_core.experiments.records import ALL
from vaead_core.experiments.report.tables import (
    ATLAS,
    RECONSTRUCTION,
    Tables,
    chosen_detector,
    label,
    mean_ap,
    needed,
    number,
    over_toys,
    select,
)
from vaead_core.experiments.report.thesis import CLAIMS, TOYS
from vaead_core.experiments.report.wording import above, bullets, listed, verdict, versus


def slices(tables: Tables) -> str:
    """The thesis's claims about slices, one by one, and what works best."""
    rows = tables["slices"]
    maps = {score: over_toys(rows, score) for score in ("residual", "activation", "normalised_residual", ATLAS)}
    best = [f"{toy}: {_best_map(rows, toy)}" for toy in TOYS]
    return bullets(
        f"**Which map to use.** {'; '.join(best)}.",
        f"Activation maps beat residuals in every set (thesis): **{verdict(above(maps['activation'], maps['residual']))}**: "
        f"{versus(maps['activation'], maps['residual'])}. Its model never saw coarse noise, which costs "
        f"the activation map most: see the models under entropy. Unmasked rows are in the table above.",
        f"Dividing the residual by what is usual at its place is worth more than the choice of map: "
        f"{versus(maps['normalised_residual'], maps['residual'])}.",
        f"The voxel atlas, which has no network, beats the plain residual in "
        f"{sum(maps[ATLAS][t] > maps['residual'][t] for t in TOYS)} of 4 sets and the normalised one in "
        f"{sum(maps[ATLAS][t] > maps['normalised_residual'][t] for t in TOYS)}: these toys are cylinders of one intensity, "
        f"extreme for their place, which is what an atlas sees. A method that does not beat it has shown nothing.",
        _detectors(tables, "slices"),
        _grey(rows),
        _position(rows),
        _aggregates(rows),
    )  # fmt: skip


def literal(tables: Tables) -> str:
    """What the thesis's claims come to on a network that was trained as its own."""
    rows = tables["thesis"]
    unmasked, masked = (
        {score: over_toys(rows, score, masked=inside) for score in ("residual", "activation")} for inside in (False, True)
    )
    said = [
        f"Activation maps beat residuals in every set (thesis): "
        f"**{verdict(above(unmasked['activation'], unmasked['residual']))}**, not masked, as the thesis has it: "
        f"{versus(unmasked['activation'], unmasked['residual'])}. In the brain alone: "
        f"{versus(masked['activation'], masked['residual'])}.",
        f"As high as the thesis's activation map, not masked: {_reached(unmasked['activation'])}.",
        f"The voxel atlas, which has no network: {versus(over_toys(rows, ATLAS), masked['activation'])} of the activation map.",
    ]
    if "slices" in tables:
        ours = over_toys(tables["slices"], "activation", masked=False)
        said.append(
            f"The same map, not masked, of `brain-slices-2mm`, which learnt to take coarse noise out: "
            f"{versus(ours, unmasked['activation'])} literally. The two differ in more than that (site, contrast, spacing, "
            f"epochs); the models under entropy differ in one thing at a time."
        )
    if "thesis-validation" in tables:
        said.append(_detectors(tables, "thesis"))
    return bullets(*said)


def _detectors(tables: Tables, experiment: str) -> str:
    """Outlier detectors against reconstruction."""
    rows = tables[experiment]
    pairs = {toy: chosen_detector(tables, experiment, toy) for toy in TOYS}
    detector = {toy: mean_ap(rows, "detection", *pairs[toy], dataset=toy).ap for toy in TOYS}
    error = {toy: mean_ap(rows, "detection", RECONSTRUCTION, "", dataset=toy).ap for toy in TOYS}
    wins = [toy for toy in TOYS if detector[toy] > error[toy]]
    return (
        f"Outlier detectors beat reconstruction in all sets but tumours (thesis): **{verdict(set(wins) == set(TOYS[:3]))}**. "
        f"Ours, chosen on validation, win in {listed(wins)}: {versus(detector, error)}."
    )


def _reached(ours: dict[str, float]) -> str:
    theirs = {c.dataset: c.value for c in CLAIMS if (c.experiment, c.score, c.masked) == ("slices", "activation", False)}
    return f"in {listed([toy for toy in TOYS if ours[toy] >= theirs[toy]])}: {versus(ours, theirs)}"


def patches(tables: Tables) -> str:
    """Patches against slices."""
    rows = tables["patches"]
    maps = {score: over_toys(rows, score) for score in ("patch_error", "residual", "activation", "normalised_residual")}
    said = [
        f"{label(score)}: {', '.join(f'{toy} {value:.3f}' for toy, value in values.items())}." for score, values in maps.items()
    ]
    if "slices" in tables:
        whole = over_toys(tables["slices"], "residual")
        below = [toy for toy in TOYS if maps["residual"][toy] < whole[toy]]
        holds = verdict(set(below) == set(TOYS[:3]))
        said.append(
            f"Patches segment worse than slices, tumours aside (thesis): **{holds}**; the residual is lower in "
            f"{listed(below)}: {versus(maps['residual'], whole)}."
        )
    return bullets(*said)


def _grey(rows: pd.DataFrame) -> str:
    mine = (
        select(rows, "detection", RECONSTRUCTION, dataset="circles").query("combination != @ALL").set_index("combination")["ap"]
    )
    means = {name: mine[[c for c in mine.index if c.endswith(f"mm {name}")]].mean() for name in ("dark", "grey", "bright")}
    holds = means["grey"] < min(means["dark"], means["bright"])
    values = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
    return f"Reconstruction error fails on grey toys (thesis): **{verdict(holds)}**; circles against their twins: {values}."


def _position(rows: pd.DataFrame) -> str:
    mine = rows[(rows["task"] == "detection") & (rows["combination"] == ALL) & rows["scorer"].isin(detectors.DETECTORS)]
    means = mine.pivot_table(index="scorer", columns="detector_settings", values="ap")
    gain = (means["standardise=position"] - means["standardise=global"]).sort_values()
    most = gain.index[-1]
    return (
        f"Latents standardised by the slice's place in the atlas help {(gain > 0).sum()} of {len(gain)} detectors, by "
        f"{gain.mean():+.3f} in the mean over all sets; {label(most)} gains most, {gain[most]:+.3f} to "
        f"{means['standardise=position'][most]:.3f}."
    )


def _aggregates(rows: pd.DataFrame) -> str:
    mine = rows[
        (rows["task"] == "detection") & (rows["combination"] == ALL) & rows["detector_settings"].str.contains("aggregate")
    ]
    means = mine.groupby(["scorer", "detector_settings"])["ap"].mean().sort_values()
    scorer, settings = means.index[-1]
    return f"The best aggregate of a map as a slice's score is {label(scorer, settings)}: {means.iloc[-1]:.3f} over the sets."


def _best_map(rows: pd.DataFrame, toy: str) -> str:
    mine = rows[(rows["task"] == "segmentation") & (rows["combination"] == ALL) & (rows["dataset"] == toy)]
    best = mine.loc[mine["ap"].idxmax()]
    value = needed(number(mine.loc[[best.name]]))
    return f"{label(best['scorer'], best['detector_settings'], best['masked'])} {value} (chance {value.chance:.3f})"
