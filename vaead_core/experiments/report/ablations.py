"""What the report says of ablations."""

from __future__ import annotations

import pandas as pd

from vaead_core.experiments.ablations import UNSHIPPED
from vaead_core.experiments.records import ALL
from vaead_core.experiments.report import preprocessing
from vaead_core.experiments.report.preprocessing import JUDGED
from vaead_core.experiments.report.tables import Tables, by_dataset, label, select

BASE = "base"  # the network that the others differ from in one thing
STEPS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "Calibrating the residual at each place": (("residual", ""), ("normalised_residual", "")),
    "then smoothing it by 4 mm": (("normalised_residual", ""), JUDGED),
    "smoothing the voxel atlas by as much": (("voxel_atlas", ""), ("voxel_atlas", "gaussian_mm=4")),
    "taking the darker side of the asymmetry alone": (("asymmetry", "voxels=2"), ("dark_asymmetry", "voxels=2")),
    "a denoiser instead of the VAE": (("normalised_residual", "gaussian_mm=2"), ("denoised_residual", "")),
    "drawing the residual from the latent distribution": (("residual", ""), ("monte_carlo_residual", "")),
}


def reading(tables: Tables) -> str:
    """Tables of maps of the shipped model, of maps of none that ships, and of networks by one map; each beside chance."""
    rows = tables["ablations"]
    rows = rows[(rows["task"] == "segmentation") & (rows["combination"] == ALL)]
    unshipped = rows["scorer"].isin([name for name, _ in UNSHIPPED])
    shipped = rows["checkpoint"].str.startswith("brain-")
    networks = list(dict.fromkeys(rows.loc[~unshipped & ~shipped, "checkpoint"]))
    said = ["**Maps**, one change at a time, on the shipped model.", by_dataset("map", _by_map(rows[shipped]))]
    steps = [f"{what} {gain:+.3f}" for what, pair in STEPS.items() if (gain := _gain(rows[shipped], *pair)) is not None]
    if steps:
        said.append(f"Mean over the columns: {'; '.join(steps)}.")
    if unshipped.any():
        said += [
            "**Maps that no shipped model has**: their networks did not earn their megabytes, or they keep the training scans "
            "themselves.",
            by_dataset("map", _by_map(rows[unshipped])),
        ]
    if networks:
        mine = select(rows, "segmentation", *JUDGED)
        said += [
            f"**Networks**, one change of the base at a time, at equal budgets (width 16, the steps of 20 epochs), by the map "
            f"{label(*JUDGED)}. Each is one training: a difference of a few hundredths may be its seed.",
            by_dataset("network", {name: mine[mine["checkpoint"] == name] for name in networks}),
            _against_base(mine),
        ]
    said.append(preprocessing.reading(tables))
    return "\n\n".join(one for one in said if one)


def _gain(rows: pd.DataFrame, before: tuple[str, str], after: tuple[str, str]) -> float | None:
    """Difference in AP of two maps, the mean over the datasets that both have; None where they share none."""
    first, second = (select(rows, "segmentation", *one).set_index("dataset")["ap"] for one in (before, after))
    gain = (second - first).mean()
    return None if pd.isna(gain) else float(gain)


def _against_base(rows: pd.DataFrame) -> str:
    """How far each network's mean over the datasets lies from that of the base, the highest first."""
    means = rows[~rows["checkpoint"].str.startswith("brain-")].groupby("checkpoint")["ap"].mean()
    if BASE not in means:
        return ""
    apart = (means - means[BASE]).drop(BASE).sort_values(ascending=False)
    return f"Mean over the columns, against {BASE}: {', '.join(f'{name} {gain:+.3f}' for name, gain in apart.items())}."


def _by_map(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {label(*choice): mine for choice, mine in rows.groupby(["scorer", "detector_settings"], sort=False)}
