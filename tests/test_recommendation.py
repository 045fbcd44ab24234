"""What the report advises, from invented tables: chosen where choosing is allowed, measured where it is not."""

import numpy as np
import pandas as pd

from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.experiments import ablations, records
from vaead_core.experiments.lesion_facts import sentences
from vaead_core.experiments.records import Measurement
from vaead_core.experiments.report import preprocessing
from vaead_core.experiments.report.recommendation import advice, best_map
from vaead_core.experiments.report.verdicts import READINGS
from vaead_core.experiments.scanner_changes import AS_IT_IS
from vaead_core.experiments.shift import SCALES, Shifted, table

BASELINES = {"voxel_atlas": 0.1, "histogram_equalised": 0.02}


def rows(
    experiment: str, dataset: str, values: dict[str, float], settings: str = "", model: str = "brain-slices-2mm"
) -> pd.DataFrame:
    found = [
        Measurement("segmentation", scorer, settings, True, dataset, "20% darker", subject, model, 0, ap + shift, 0.7, 0.01)
        for subject, shift in (("a", 0.0), ("b", 0.02))
        for scorer, ap in values.items()
    ]
    return records.table(experiment, found)


def test_a_map_is_chosen_on_validation_and_measured_on_test():
    tables = {
        "painted-validation": rows("painted", "mass", BASELINES | {"segmenter": 0.6, "residual": 0.2}),
        "painted": rows("painted", "mass", BASELINES | {"segmenter": 0.3, "residual": 0.9}),
    }
    text = advice(tables, ["A fact."])
    line = next(line for line in text.splitlines() if line.startswith("| painted: mass"))
    assert "Segmenter of synthetic anomalies | 0.310 [0.300, 0.320] | 0.110" in line
    assert line.endswith("| 0.0100 |")
    assert "the highest are Residual 0.910" in text
    assert text.endswith("- A fact.")


def test_patients_choose_nothing():
    tables = {
        "painted-validation": rows("painted", "mass", BASELINES | {"segmenter": 0.6, "residual": 0.2}),
        "painted": rows("painted", "mass", BASELINES | {"segmenter": 0.3, "residual": 0.9}),
        "lesions": rows("lesions", "MS", BASELINES | {"segmenter": 0.01, "residual": 0.05}),
    }
    text = advice(tables, [])
    assert "| patient: MS | Segmenter of synthetic anomalies | 0.020" in text
    assert "MS: the highest of 4 maps is Voxel atlas (baseline) 0.1100 (chance 0.0100), which finds it." in text


def test_without_a_table_to_choose_by_there_is_no_advice():
    assert advice({"painted": rows("painted", "mass", BASELINES)}, []) == ""


def test_the_best_map_is_that_of_the_mean_where_no_dataset_is_named():
    both = pd.concat(
        [
            rows("painted", "mass", {"segmenter": 0.5, "residual": 0.4}),
            rows("painted", "atrophy", {"segmenter": 0.1, "residual": 0.4}),
        ]
    )
    assert best_map(both) == ("residual", "")
    assert best_map(both, "mass") == ("segmenter", "")


def test_ablations_are_three_tables_with_a_line_a_change():
    smooth = "gaussian_mm=4"
    table = pd.concat(
        [
            rows("ablations", "mass", {"residual": 0.2, "voxel_atlas": 0.3}),
            rows("ablations", "mass", {"normalised_residual": 0.5}, smooth),
            rows("ablations", "mass", {"normalised_residual": 0.4}, smooth, "base"),
            rows("ablations", "mass", {"normalised_residual": 0.35}, smooth, "latent-32"),
            rows("ablations", "mass", {"patch_novelty": 0.25}, model="further"),
        ]
    )
    text = READINGS["ablations"]({"ablations": table})
    assert "| Residual | 0.210 [0.200, 0.220] |" in text
    assert "| base | 0.410 [0.400, 0.420] |" in text
    assert "| latent-32 | 0.360 [0.350, 0.370] |" in text
    assert "| Patch novelty | 0.260 [0.250, 0.270] |" in text
    assert "further" not in text
    assert text.count("| chance | 0.010 |") == 3


def test_ablations_say_what_each_change_is_worth_in_the_mean():
    smooth = "gaussian_mm=4"
    changes = [
        rows("ablations", kind, {"residual": ap, "normalised_residual": 3 * ap}) for kind, ap in (("mass", 0.1), ("atrophy", 0.2))
    ]
    networks = [
        rows("ablations", "mass", {"normalised_residual": ap}, smooth, name)
        for name, ap in (("base", 0.4), ("latent-32", 0.35), ("svdd", 0.6))
    ]
    text = READINGS["ablations"]({"ablations": pd.concat([*changes, *networks])})
    assert "Mean over the columns: Calibrating the residual at each place +0.300." in text
    assert "Mean over the columns, against base: svdd +0.200, latent-32 -0.050." in text


def test_of_a_model_that_does_not_ship_is_measured_what_no_shipped_one_can_have(tiny_checkpoint):
    assert ablations.maps_of(tiny_checkpoint, shipped=True) == ablations.MAP_CHANGES
    assert ablations.maps_of(tiny_checkpoint, shipped=False) == ablations.UNSHIPPED
    shipped = Checkpoint.load("checkpoints/brain-slices-2mm")
    assert ablations.maps_of(shipped, shipped=False) == ablations.NETWORK_MAPS


def test_nothing_is_said_of_patients_that_were_not_measured(tmp_path):
    assert sentences(tmp_path) == []


def test_a_step_of_preprocessing_is_told_by_what_it_is_worth_at_home_and_on_a_scanner_never_seen():
    def measured(measure: str, site: str, scale: str, change: str, value: float, scorer: str) -> Shifted:
        rate = 0.05 if measure == "marked" else np.nan
        return Shifted(measure, scorer, scale, rate, site, site != "ixi", change, "s0", value, 0.01, "n4", 0)

    shifted = [
        measured(*one, scorer)
        for scorer in preprocessing.MAPS
        for one in (
            *(
                ("marked", "ixi", scale, change, share)
                for scale in SCALES
                for change, share in ((AS_IT_IS, 0.05), ("noise", 0.9))
            ),
            ("marked", "elsewhere", "healthy", AS_IT_IS, 0.25),
            ("marked", "elsewhere", "scan", AS_IT_IS, 0.06),
            *(("ap", "ixi", scale, "mass 20% darker", 0.4) for scale in SCALES),
            *(("ap", "elsewhere", scale, "mass 20% darker", 0.2) for scale in SCALES),
        )
    ]
    restored = rows("ablations", "mass", {"restored_residual": 0.5}, model="restorer")
    toys = rows("ablations", "random", {"normalised_residual": 0.7}, model="n4").assign(detector_settings="gaussian_mm=4")
    painted = rows("painted", "mass", {name: 0.3 for name in preprocessing.BESIDE})
    text = preprocessing.reading(
        {
            "shift-validation": table("shift", shifted),
            "ablations-validation": pd.concat([restored, toys]),
            "painted-validation": painted,
        }
    )
    assert "there: elsewhere, which no network saw" in text
    atlas = next(line for line in text.splitlines() if line.startswith("| n4 | Voxel atlas"))
    cells = [cell.strip() for cell in atlas.split("|")[3:-1]]
    assert cells[:3] == ["5.0", "25.0", "6.0"]
    assert [cell.split()[0] for cell in cells[3:]] == ["0.400", "0.200"]
    assert "| n4 | 0.710 [0.700, 0.720] |" in text
    assert "| Restored residual | 0.510 [0.500, 0.520] |" in text
    assert "| Segmenter of synthetic anomalies | 0.310 [0.300, 0.320] |" in text
    assert not preprocessing.reading({"painted-validation": painted})
