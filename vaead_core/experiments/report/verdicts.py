"""What the tables say, in plain words: every number is looked up when the report is written, every verdict follows from it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from vaead_core import detectors
from vaead_core.experiments import ablations
from vaead_core.experiments.records import ALL
from vaead_core.experiments.report import readout
from vaead_core.experiments.report.tables import Number, Tables, best_detector, chosen_detector, label, number, select
from vaead_core.experiments.report.thesis import TOYS

ATLAS, RECONSTRUCTION = "voxel_atlas", "reconstruction_mse"
WITHOUT_NETWORK = (ATLAS, "histogram_equalised", "asymmetry", "dark_asymmetry")


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
        name: _mean(rows, "detection", *score, dataset="balanced")
        for name, score in (("reconstruction", (RECONSTRUCTION, "")), ("chosen", chosen), ("best", best))
    }
    full = _mean(rows, "detection", RECONSTRUCTION, "", dataset="full")
    spread = {name: values.max() - values.min() for name, values in by_class.items()}
    seeds = select(rows, "detection", *chosen, dataset="balanced", combination=ALL)["ap"]
    return _bullets(
        f"Reconstruction error reaches {mean['reconstruction']}, {label(*chosen)} (chosen on deformed t-shirts) "
        f"{mean['chosen']}; the best picked after the fact, {label(*best)}, {mean['best']}. Chance is 0.5.",
        f"The thesis's claim that detectors beat reconstruction **{_verdict(mean['chosen'].ap > mean['reconstruction'].ap)}** by "
        f"{mean['chosen'].ap - mean['reconstruction'].ap:+.3f}; its claim that they are more even over classes "
        f"**{_verdict(spread['chosen'] < spread['reconstruction'])}**: best and worst class differ by {spread['chosen']:.2f} "
        f"against {spread['reconstruction']:.2f}.",
        f"{_seeds(seeds)} read no more than two digits.",
        f"In the full protocol chance is {full.chance:.3f}, so that reconstruction's {full} says less than its size suggests.",
    )


def _seeds(ap: pd.Series) -> str:
    if len(ap) == 1:
        return "One training seed: how far another training lies from it is not measured here;"
    return f"Over {len(ap)} training seeds the chosen detector lies between {ap.min():.3f} and {ap.max():.3f}:"


def slices(tables: Tables) -> str:
    """The thesis's claims about slices, one by one, and what works best."""
    rows = tables["slices"]
    pairs = {toy: chosen_detector(tables, "slices", toy) for toy in TOYS}
    detector = {toy: _mean(rows, "detection", *pairs[toy], dataset=toy).ap for toy in TOYS}
    error = {toy: _mean(rows, "detection", RECONSTRUCTION, "", dataset=toy).ap for toy in TOYS}
    maps = {score: _over_toys(rows, score) for score in ("residual", "activation", "normalised_residual", ATLAS)}
    best = [f"{toy}: {_best_map(rows, toy)}" for toy in TOYS]
    wins = [toy for toy in TOYS if detector[toy] > error[toy]]
    return _bullets(
        f"**Which map to use.** {'; '.join(best)}.",
        f"Activation maps beat residuals in every set (thesis): **{_verdict(_above(maps['activation'], maps['residual']))}**: "
        f"{_versus(maps['activation'], maps['residual'])}. Its model never saw coarse noise, which costs "
        f"the activation map most: see the models under entropy. Unmasked rows are in the table above.",
        f"Dividing the residual by what is usual at its place is worth more than the choice of map: "
        f"{_versus(maps['normalised_residual'], maps['residual'])}.",
        f"The voxel atlas, which has no network, beats the plain residual in "
        f"{sum(maps[ATLAS][t] > maps['residual'][t] for t in TOYS)} of 4 sets and the normalised one in "
        f"{sum(maps[ATLAS][t] > maps['normalised_residual'][t] for t in TOYS)}: these toys are cylinders of one intensity, "
        f"extreme for their place, which is what an atlas sees. A method that does not beat it has shown nothing.",
        f"Outlier detectors beat reconstruction in all sets but tumours (thesis): **{_verdict(set(wins) == set(TOYS[:3]))}**. "
        f"Ours, chosen on validation, win in {_listed(wins)}: {_versus(detector, error)}.",
        _grey(rows),
        _position(rows),
        _aggregates(rows),
    )  # fmt: skip


def patches(tables: Tables) -> str:
    """Patches against slices."""
    rows = tables["patches"]
    maps = {score: _over_toys(rows, score) for score in ("patch_error", "residual", "activation", "normalised_residual")}
    said = [
        f"{label(score)}: {', '.join(f'{toy} {value:.3f}' for toy, value in values.items())}." for score, values in maps.items()
    ]
    if "slices" in tables:
        whole = _over_toys(tables["slices"], "residual")
        below = [toy for toy in TOYS if maps["residual"][toy] < whole[toy]]
        verdict = _verdict(set(below) == set(TOYS[:3]))
        said.append(
            f"Patches segment worse than slices, tumours aside (thesis): **{verdict}**; the residual is lower in "
            f"{_listed(below)}: {_versus(maps['residual'], whole)}."
        )
    return _bullets(*said)


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
    return _bullets(
        "Masked residual by intensity, mean over sizes of circles and random shapes, one model a background:", *said,
        f"A noise background is what finds dark anomalies (thesis): **{_verdict(best == 'noise')}**; {best} finds them best. "
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
    return _bullets(
        "First stage, mean over the four sets, one model a setting:", *said,
        f"Sets of 4 in which the activation map beats the same model's residual, as in the thesis: "
        f"{', '.join(f'{name} {count}' for name, count in above.items())}.",
        f"By stage, over all models and sets: {listed}.",
    )  # fmt: skip


def _wins(rows: pd.DataFrame) -> int:
    """In how many sets a model's activation map has a higher mAP than its residual."""
    return sum(_over_toys(rows, "activation")[toy] > _over_toys(rows, "residual")[toy] for toy in TOYS)


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
    return _bullets(*said)


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
    return _bullets(
        *said,
        "Two patients carry no interval; a value within a few times its chance level finds nothing one could use.",
    )


READINGS: dict[str, Callable[[Tables], str]] = {
    "fashion": fashion, "slices": slices, "patches": patches, "background": background, "entropy": entropy,
    "painted": painted, "readout": readout.reading, "ablations": ablations.reading, "lesions": lesions,
}  # fmt: skip


def _grey(rows: pd.DataFrame) -> str:
    mine = (
        select(rows, "detection", RECONSTRUCTION, dataset="circles").query("combination != @ALL").set_index("combination")["ap"]
    )
    means = {name: mine[[c for c in mine.index if c.endswith(f"mm {name}")]].mean() for name in ("dark", "grey", "bright")}
    holds = means["grey"] < min(means["dark"], means["bright"])
    listed = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
    return f"Reconstruction error fails on grey toys (thesis): **{_verdict(holds)}**; circles against their twins: {listed}."


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
    value = _needed(number(mine.loc[[best.name]]))
    return f"{label(best['scorer'], best['detector_settings'], best['masked'])} {value} (chance {value.chance:.3f})"


def _over_toys(rows: pd.DataFrame, scorer: str) -> dict[str, float]:
    return {toy: _mean(rows, "segmentation", scorer, "", dataset=toy).ap for toy in TOYS}


def _mean(rows: pd.DataFrame, task: str, scorer: str, settings: str, dataset: str) -> Number:
    return _needed(number(select(rows, task, scorer, settings, dataset=dataset, combination=ALL)))


def _needed(found: Number | None) -> Number:
    if found is None:
        raise ValueError("a recorded table lacks a score that the report reads")
    return found


def _versus(ours: dict[str, float], theirs: dict[str, float]) -> str:
    return ", ".join(f"{toy} {ours[toy]:.3f} against {theirs[toy]:.3f}" for toy in ours)


def _above(one: dict[str, float], other: dict[str, float]) -> bool:
    return all(one[toy] > other[toy] for toy in one)


def _verdict(holds: bool) -> str:
    return "holds here" if holds else "does not hold here"


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"


def _bullets(*sentences: str) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)
