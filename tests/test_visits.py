"""Two scans of one person: what changed in figures and on the atlas, beside what changes between repeated scans."""

import gzip
import io
import math

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tests.support.atlas_maps import GRID, MIDDLE, RADIUS_MM, RIGHT_FRONT, Made, place
from vaead_core.errors import InputError
from vaead_core.figures.atlas_mosaic import COLUMNS, ROWS, Colours, atlas_mosaic_png
from vaead_core.study.group import GroupTable
from vaead_core.study.visits import between_runs, changes, methods_of, remarks, repeats, two_visits, visited

PAIR = "sub-p_ses-1", "sub-p_ses-2"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """At the second visit there is 2 more in a ball on the right, in front; another's two runs of a session differ by 0.5."""
    made = Made(tmp_path_factory.mktemp("out"))
    made.scan(PAIR[0], "", 1.0, 0.0, "LAS")
    made.scan(PAIR[1], "", 1.25, 2.0, "PSR")
    made.scan("sub-q_ses-1_run-1", "", 1.0)
    made.scan("sub-q_ses-1_run-2", "", 1.5, 0.0, "LPS")
    return made


@pytest.fixture(scope="module")
def found(made):
    return two_visits(made.results, "residual", PAIR)


def test_a_change_lies_on_the_side_where_it_came_and_is_the_second_less_the_first(found):
    difference, at = found.difference, place(GRID.affine, GRID.shape)
    inside = ndimage.binary_erosion(difference.covered, iterations=3)
    away = np.linalg.norm(at - RIGHT_FRONT, axis=-1)
    mirrored = np.linalg.norm(at - RIGHT_FRONT * [-1, 1, 1] - [2 * MIDDLE[0], 0, 0], axis=-1) < RADIUS_MM - 4
    assert (inside & mirrored).sum() > 100
    np.testing.assert_allclose(difference.values[inside & (away < RADIUS_MM - 4)], 2.25, atol=0.02)
    np.testing.assert_allclose(difference.values[inside & mirrored], 0.25, atol=0.02)
    assert not difference.values[~difference.covered].any()
    assert found.typical == pytest.approx(0.25, abs=0.01)
    image = nib.Nifti1Image.from_bytes(gzip.decompress(difference.to_nifti("map difference", "second less first")))
    np.testing.assert_allclose(image.affine, GRID.affine)
    peak = np.argwhere(image.get_fdata() > 1.5).mean(0)
    np.testing.assert_allclose((image.affine @ [*peak, 1])[:3], RIGHT_FRONT, atol=1)


def test_both_maps_have_one_scale_from_0_and_the_pictures_show_the_patients_right_on_the_left(found):
    both = [(one.values, one.covered) for one in (found.first, found.second)]
    scale = Colours.of(both, "intensity", signed=False)
    assert (scale.low, scale.name) == (0, "inferno")
    assert 2.5 < scale.full <= 3.3, "that of the higher map"
    assert Colours.of(both, "intensity", signed=True).low == -scale.full
    pictures = [np.asarray(Image.open(io.BytesIO(atlas_mosaic_png(*one, GRID, scale))).convert("RGB"), int) for one in both]
    assert pictures[0].shape == pictures[1].shape
    changed = np.argwhere(np.abs(pictures[1] - pictures[0]).sum(-1) > 250)
    height, width = pictures[0].shape[0] * 0.9 / ROWS, pictures[0].shape[1] / COLUMNS
    changed = changed[changed[:, 0] < 2.9 * height]
    assert len(changed) > 100
    assert (changed[:, 1] % width).mean() < 0.5 * width
    assert (changed[:, 0] % height).mean() < 0.5 * height, "front is up"


def test_the_yardstick_is_what_differs_between_runs_of_one_session(made):
    assert between_runs(made.results, "residual", [("sub-q_ses-1_run-1", "sub-q_ses-1_run-2")]) == pytest.approx(0.5, abs=0.01)
    assert math.isnan(between_runs(made.results, "residual", []))


def test_brains_that_share_no_place_are_refused(made, tmp_path):
    half = Made(tmp_path)
    for name, part in (("sub-p_ses-1", np.s_[:, :, :25]), ("sub-p_ses-2", np.s_[:, :, 45:])):
        half.scan(name, "", 1.0)
        (file,) = tmp_path.rglob(f"{name}_*statmap.nii.gz")
        image = nib.Nifti1Image.from_bytes(gzip.decompress(file.read_bytes()))
        values = np.zeros(image.shape, np.float32)
        values[part] = image.get_fdata()[part]
        file.write_bytes(gzip.compress(nib.Nifti1Image(values, image.affine).to_bytes(), 1))
    with pytest.raises(InputError, match="No place of the atlas is covered by both brains; choose other scans"):
        two_visits(half.results, "residual", PAIR)


# From the table alone


def row(scan: str, score: float, **others: str) -> dict[str, str]:
    return {
        "scan": scan, "participant_id": scan.partition("_")[0], "state": "scored", "made_by": "a", "residual_score": str(score),
        "residual_volume": str(10 * score), "brain_volume": "1200", **others,
    }  # fmt: skip


def table(*rows: dict[str, str]) -> GroupTable:
    return GroupTable({}, list(rows), ("residual",))


def test_people_have_two_scans_with_maps_in_the_order_of_their_labels():
    no_map = {**row("sub-2_ses-2", 1), "residual_volume": "n/a"}
    given = table(row("sub-1_ses-10", 1), row("sub-1_ses-9", 1), row("sub-2_ses-1", 1), no_map, row("sub-3", 1))
    assert visited(given) == {"sub-1": ["sub-1_ses-9", "sub-1_ses-10"]}
    assert methods_of(given, ("sub-1_ses-9", "sub-1_ses-10")) == ["residual"]
    assert methods_of(given, ("sub-2_ses-1", "sub-2_ses-2")) == []


def test_figures_change_from_the_first_to_the_second_beside_the_median_of_repeated_scans():
    runs = [row(f"sub-{who}_run-{run}", 1 + run * who / 10) for who in (1, 2, 4) for run in (1, 2)]
    found = changes(table(row("sub-p_ses-1", 1.0), row("sub-p_ses-2", 0.25), *runs), "residual", PAIR)
    score, _, volume, brain, similarity = found
    assert (score.first, score.second, score.change) == (1, 0.25, -0.75)
    assert score.between_runs == pytest.approx(0.2)
    assert (volume.change, volume.unit) == (-7.5, "mL")
    assert volume.between_runs == pytest.approx(2)
    assert (brain.change, brain.between_runs) == (0, 0)
    assert math.isnan(similarity.change), "it is not known"


def test_repeated_scans_are_runs_of_one_session_made_alike_of_files_that_differ():
    same = row("sub-1_run-2", 1, same_as="sub-1_run-1")
    given = [row("sub-1_run-1", 1), same, row("sub-2_ses-1_run-1", 1), row("sub-2_ses-2_run-2", 1)]
    others = [row("sub-3_run-1", 1), row("sub-3_run-2", 1, made_by="b"), row("sub-4_acq-a", 1), row("sub-4_acq-b", 1)]
    assert repeats(table(*given, *others), "residual", PAIR) == []
    three = table(*(row(f"sub-1_run-{run}", 1) for run in (1, 2, 3)))
    pairs = [("sub-1_run-1", "sub-1_run-2"), ("sub-1_run-1", "sub-1_run-3"), ("sub-1_run-2", "sub-1_run-3")]
    assert repeats(three, "residual", PAIR) == pairs
    assert repeats(three, "residual", pairs[1][::-1]) == [pairs[0], pairs[2]], "what is compared is no yardstick of itself"


def test_what_stands_against_a_comparison_is_said():
    other, same = row("sub-p_ses-2", 1, made_by="b"), row("sub-p_ses-2", 1, same_as="sub-p_ses-1")
    first = row("sub-p_ses-1", 1)
    assert remarks(table(first, row("sub-p_ses-2", 1)), PAIR) == []
    assert [said.split(";")[0] for said in remarks(table(first, other), PAIR)] == [
        "These two were not made alike (made_by): other options, code or checkpoint"
    ]
    assert remarks(table(first, same), PAIR) == ["Both are the same file under two names."]
