import csv
import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from tests.support.bids import FEW_MAPS, put, study_tree, written
from tests.support.scans import scan_file
from vaead_core.__main__ import COMMANDS, IN_REPOSITORY, _parser, main
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.scorers import SCORERS
from vaead_core.study import work
from vaead_core.study.dataset import find_study
from vaead_core.study.derivatives import derivatives
from vaead_core.study.names import as_label

SCORED = ("sub-01_ses-1", "sub-01_ses-2", "sub-02_run-1", "sub-02_run-2")
OF_A_MAP = ("statmap.nii.gz", "statmap.json", "mask.nii.gz", "mask.json", "dseg.nii.gz", "dseg.json", "dseg.tsv")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return study_tree(tmp_path_factory.mktemp("study") / "raw")


@pytest.fixture(scope="module")
def options(tiny_checkpoint_folder):
    return ["participant", "--checkpoint", str(tiny_checkpoint_folder), "--scorers", *FEW_MAPS]


@pytest.fixture(scope="module")
def ran(tree, options):
    """The folder of results, the exit status."""
    out = tree.parent / "out"
    return out, main([str(tree), str(out), *options])


@pytest.fixture
def out(ran, tmp_path):
    """A copy beside it that a test may change."""
    return shutil.copytree(ran[0], ran[0].with_name(tmp_path.name))


def record(out, scan):
    (path,) = out.rglob(f"{scan}_scores.json")
    return json.loads(path.read_text())


def test_whatever_is_no_command_is_a_study():
    (below,) = [action.choices for action in _parser()._actions if action.choices]
    assert {*COMMANDS, *IN_REPOSITORY} == set(below)


def test_a_study_leaves_maps_masks_clusters_and_the_way_to_the_atlas_of_each_scan(ran):
    files = written(ran[0])
    for scan in SCORED:
        folder = "/".join([*scan.split("_")[: 2 if "ses" in scan else 1], "anat"])
        named = [f"{scan}_space-T1w_desc-{as_label(name)}_{what}" for name in FEW_MAPS for what in OF_A_MAP]
        named += [f"{scan}_from-T1w_to-SRI24_mode-image_xfm.{what}" for what in ("txt", "json")] + [f"{scan}_scores.json"]
        assert {f"{folder}/{name}" for name in named} == {name for name in files if name.startswith(f"{folder}/{scan}_")}


def test_bad_scans_stop_nothing_and_each_has_its_sentence(ran):
    out, status = ran
    assert status == 2
    said = {scan: record(out, scan)["sentence"] for scan in ("sub-03", "sub-04", "sub-05")}
    assert said["sub-03"] == "sub-03_T1w.nii.gz is a damaged or cut-off gzip file; copy or download it again."
    assert said["sub-04"].startswith("sub-04_T1w.nii is not a NIfTI file")
    assert "3-D" in said["sub-05"]
    assert [path.name for path in (out / "sub-03/anat").iterdir()] == ["sub-03_scores.json"]
    assert [record(out, scan)["sentence"] for scan in SCORED] == [None] * 4


def test_what_was_found_left_out_and_lacking_is_said_in_one_summary(tree, tmp_path):
    put(tree, "sub-01/anat/sub-02_T1w.nii.gz", b"")
    (tree / "sub-05/anat/old_T1w.nii.gz").symlink_to("nowhere")
    twin = shutil.copy(tree / "sub-03/anat/sub-03_T1w.nii.gz", tree / "sub-03/anat/sub-03_T1w.nii")
    said = list(find_study(tree, tmp_path / "out", sessions=["1"]).summary())
    for path in (tree / "sub-01/anat/sub-02_T1w.nii.gz", tree / "sub-05/anat/old_T1w.nii.gz", twin):
        Path(path).unlink()
    (tree / "sub-01/anat").rmdir()
    assert said == [
        "1 scan of 1 participant.",
        "Left out, as T2w is not T1w: sub-05/anat/sub-05_T2w.nii.gz.",
        "Left out, as another file has its name: sub-03/anat/sub-03_T1w.nii.gz.",
        "Left out, as its name belongs into another folder: sub-01/anat/sub-02_T1w.nii.gz.",
        "Left out, as its name is none of BIDS: sub-05/anat/old_T1w.nii.gz.",
        "Left out, of sessions that were not chosen: sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz, "
        "sub-02/anat/sub-02_run-1_T1w.nii.gz, sub-02/anat/sub-02_run-2_T1w.nii.gz and 3 more.",
    ]
    said = list(find_study(tree, tmp_path / "out", people=["02", "sub-03"]).summary())
    assert said[0] == "3 scans of 2 participants."
    assert said[-1] == "participants.tsv has no row of sub-02; they are scored all the same."


def test_a_content_that_was_not_fetched_is_a_bad_scan_and_tried_again(tree, options, tmp_path, capsys):
    raw = tmp_path / "raw"
    (raw / "sub-09/anat").mkdir(parents=True)
    scan = raw / "sub-09/anat/sub-09_T1w.nii.gz"
    scan.symlink_to("../../.git/annex/none")
    assert main([str(raw), str(tmp_path / "out"), *options]) == 2
    assert "sub-09_T1w.nii.gz cannot be opened" in capsys.readouterr().err
    scan.unlink()
    shutil.copy(tree / "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz", scan)
    assert main([str(raw), str(tmp_path / "out"), *options]) == 0


def test_an_error_that_nobody_foresaw_stops_one_scan_alone_and_is_tried_again(tree, options, tmp_path, capsys, monkeypatch):
    def failing(scan, *given, **named):
        if scan.name.label("run") == "1":
            raise ZeroDivisionError("of a method")
        return derivatives(scan, *given, **named)

    words = [str(tree), str(tmp_path / "out"), *options, "--participant-label", "02"]
    with monkeypatch.context() as patch:
        patch.setattr(work, "derivatives", failing)
        assert main(words) == 2
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "1 of 2 scans have maps, 0 were finished before; 1 have none."
    assert "sub-02_run-1_T1w: vaead failed here as nobody foresaw (ZeroDivisionError)" in said.err
    assert "of a method" in said.err, "whoever reports it needs the traceback"
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 of 2 scans have maps, 1 were finished before; 0 have none."


def test_results_name_no_place_of_the_machine_but_the_datasets_beside_theirs(ran, tree):
    texts = {name: content for name, content in written(ran[0]).items() if not name.endswith(".gz")}
    assert not [name for name, content in texts.items() if str(tree.parent).encode() in content]
    assert json.loads(texts["dataset_description.json"])["DatasetLinks"] == {"raw": "../raw"}


def test_finished_scans_are_kept_and_bad_ones_told_again(tree, options, out, capsys):
    before = {path: path.stat().st_mtime_ns for path in out.rglob("sub-*_*")}
    assert main([str(tree), str(out), *options]) == 2
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "4 of 7 scans have maps, 7 were finished before; 3 have none."
    assert len(said.err.splitlines()) == 3
    assert {path: path.stat().st_mtime_ns for path in out.rglob("sub-*_*")} == before


def test_a_scan_is_made_anew_where_something_of_it_has_changed(tree, options, out, capsys):
    (out / "sub-02/anat/sub-02_run-1_space-T1w_desc-residual_mask.nii.gz").unlink()
    (out / "sub-02/anat/.sub-02_run-1_space-T1w_desc-residual_mask.nii.gz.0a.partial").write_text("of a run that was killed")
    whole = json.loads((out / "sub-02/anat/sub-02_run-2_scores.json").read_text())
    whole["made_of"]["scan"] = "another"
    (out / "sub-02/anat/sub-02_run-2_scores.json").write_text(json.dumps(whole))
    before = written(tree.parent / "out")
    assert main([str(tree), str(out), *options, "--participant-label", "02"]) == 0
    assert "0 were finished before" in capsys.readouterr().out
    assert written(out) == before


def test_results_of_other_options_leave_nothing_of_the_older_ones(tree, options, out):
    others = [
        *options[:3],
        "--scorers",
        "residual",
        "--percentile",
        "99",
        "--participant-label",
        "sub-01",
        "--session-label",
        "1",
    ]
    assert main([str(tree), str(out), *others]) == 0
    files = {path.name for path in (out / "sub-01/ses-1/anat").iterdir()}
    assert not [name for name in files if "voxelAtlas" in name]
    assert len(files) == len(OF_A_MAP) + 3
    assert record(out, "sub-01_ses-1")["made_of"]["rate"] == 0.01
    assert record(out, "sub-01_ses-2")["made_of"]["rate"] == 0.05


def test_mask_clusters_and_table_say_what_of_the_map_lies_above_the_threshold(ran):
    stem = ran[0] / "sub-02/anat/sub-02_run-1_space-T1w_desc-residual"
    values, mask, labels = (nib.load(f"{stem}_{what}.nii.gz") for what in ("statmap", "mask", "dseg"))
    told = json.loads(Path(f"{stem}_statmap.json").read_text())
    above = values.get_fdata() > told["Threshold"]
    assert above.any()
    assert told["ThresholdHealthyPercentile"] == 95
    np.testing.assert_array_equal(mask.get_fdata() > 0, above)
    assert (mask.get_data_dtype(), labels.get_data_dtype()) == (np.uint8, np.uint8)
    assert not (np.asarray(labels.dataobj)[~above]).any()
    header, *rows = (line.split("\t") for line in Path(f"{stem}_dseg.tsv").read_text().splitlines())
    voxel_ml = abs(np.linalg.det(labels.affine)) / 1000
    matrix = np.array(record(ran[0], "sub-02_run-1")["registration"]["scan_to_atlas"])
    for row in rows:
        told = dict(zip(header, row, strict=True))
        inside = np.asarray(labels.dataobj) == int(told["index"])
        assert float(told["volume_ml"]) == pytest.approx(inside.sum() * voxel_ml, abs=1e-3)
        peak = np.array([float(told[f"peak_{axis}"]) for axis in "xyz"])
        i, j, k = np.rint(np.linalg.inv(labels.affine) @ [*peak, 1])[:3].astype(int)
        assert values.get_fdata()[i, j, k] == pytest.approx(values.get_fdata()[inside].max())
        atlas = [float(told[f"atlas_{axis}"]) for axis in "xyz"]
        np.testing.assert_allclose(atlas, (matrix @ [*peak, 1])[:3], atol=0.02)
    assert len(rows) == min(100, json.loads(Path(f"{stem}_dseg.json").read_text())["Clusters"])


def test_headers_say_what_the_values_are(ran):
    stem = ran[0] / "sub-02/anat/sub-02_run-1_space-T1w_desc-voxelAtlas"
    for what, intent in (("statmap", "estimate"), ("mask", "label"), ("dseg", "label")):
        header = nib.load(f"{stem}_{what}.nii.gz").header
        assert header.get_intent()[0] == intent
        assert header["intent_name"].item()
        assert "voxel_atlas" in header["descrip"].item().decode()


def test_the_transform_takes_the_scan_onto_the_atlas_as_itk_reads_it(ran):
    transform = sitk.ReadTransform(str(ran[0] / "sub-02/anat/sub-02_run-1_from-T1w_to-SRI24_mode-image_xfm.txt"))
    matrix = np.array(record(ran[0], "sub-02_run-1")["registration"]["scan_to_atlas"])
    point = np.array([12.0, -20, 31])  # of the scan, RAS
    at_atlas = (matrix @ [*point, 1])[:3]
    back = np.array(transform.TransformPoint((at_atlas * [-1, -1, 1]).tolist())) * [-1, -1, 1]
    np.testing.assert_allclose(back, point, atol=1e-4)
    assert np.abs(at_atlas - point).max() > 1, "a transform of nothing would pass"


def test_a_mask_of_derivatives_is_the_brain_where_it_lies_on_the_scans_grid(tree, options, tmp_path, capsys):
    raw = tmp_path / "raw"
    shutil.copytree(tree / "sub-02", raw / "sub-02")
    brain = synthetic_brain(7, 1, 60.0)
    mask = type(brain)((brain.data > 0).astype(np.float32), brain.affine)
    put(raw, "derivatives/prep/sub-02/anat/sub-02_run-1_desc-brain_mask.nii.gz", scan_file(mask))
    put(raw, "derivatives/prep/sub-02/anat/sub-02_run-1_space-MNI152NLin2009cAsym_desc-brain_mask.nii.gz", scan_file(mask))
    coarse = type(brain)(mask.data[::2, ::2, ::2], brain.affine @ np.diag([2.0, 2, 2, 1]))
    put(raw, "derivatives/prep/sub-02/anat/sub-02_run-2_desc-brain_mask.nii.gz", scan_file(coarse))
    assert main([str(raw), str(raw / "derivatives/vaead"), *options]) == 0
    out = raw / "derivatives/vaead"
    assert "2 brain masks of derivatives." in capsys.readouterr().out
    assert record(out, "sub-02_run-1")["brain_found_by"] == "mask"
    other = record(out, "sub-02_run-2")
    assert other["brain_found_by"] == "background"
    assert other["warnings"][0] == "sub-02_run-2_desc-brain_mask.nii.gz has another grid than the scan and was not used."
    put(raw, "derivatives/other/sub-02_run-1_desc-brain_mask.nii.gz", scan_file(mask))
    assert main([str(raw), str(out), *options]) == 2
    assert "Several derivatives hold a brain mask of sub-02_run-1_T1w" in capsys.readouterr().err
    assert main([str(raw), str(out), *options, "--derivatives", str(raw / "derivatives/prep")]) == 0


def test_a_whole_heads_brain_is_written_and_kept_for_other_options(head, options, tmp_path):
    put(tmp_path / "raw", "sub-01/anat/sub-01_T1w.nii.gz", scan_file(head[0]))
    words = [str(tmp_path / "raw"), str(tmp_path / "out"), *options, "--work-dir", str(tmp_path / "work")]
    assert main(words) == 0
    first, before = written(tmp_path / "out"), record(tmp_path / "out", "sub-01")
    found = nib.load(tmp_path / "out/sub-01/anat/sub-01_space-T1w_desc-brain_mask.nii.gz")
    voxel_ml = abs(np.linalg.det(found.affine)) / 1000
    assert before["brain_volume_ml"] == pytest.approx(found.get_fdata().sum() * voxel_ml, abs=0.01)
    (kept,) = (tmp_path / "work").iterdir()
    assert main([*words, "--percentile", "90"]) == 0
    assert main([*words, "--percentile", "95"]) == 0
    assert written(tmp_path / "out") == first
    with np.load(kept) as held:
        smaller = ndimage.binary_erosion(np.unpackbits(held["brain"], count=head[0].data.size).reshape(head[0].data.shape))
        np.savez_compressed(kept, brain=np.packbits(smaller), notes=held["notes"])
    assert main([*words, "--percentile", "90"]) == 0
    assert record(tmp_path / "out", "sub-01")["brain_volume_ml"] < 0.95 * before["brain_volume_ml"], "it was not looked at"
    kept.write_bytes(kept.read_bytes()[:100])
    assert main(words) == 0
    assert written(tmp_path / "out") == first


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (["nowhere"], "There is no command and no folder nowhere; vaead --help lists the commands."),
        ([None, None, "--participant-label", "99"], "has no T1 scan of sub-99; it has 01, 02, 03, 04, 05."),
        ([None, None, "--session-label", "1", "--participant-label", "02"], "has a session that was chosen"),
        ([None, None, "--n-procs", "0"], "--n-procs takes a number from 1 on; found 0."),
        ([None, None, "--derivatives", "nowhere"], "There is no folder nowhere; give one of derivatives."),
        ([None, None, "--scorers", "magic"], "There is no scorer magic; choose among"),
        ([None, None, "--scorers", "patch_error"], "patch_error is made for models of patches"),
        ([None, "file"], "could not be read or written"),
        ([None, "raw"], "The results need a folder of their own"),
        ([None, "foreign"], "holds results of fMRIPrep; give vaead's results another folder."),
        (["foreign"], "No T1 scan lies in"),
    ],
)
def test_a_study_that_cannot_be_is_one_sentence(changed, sentence, tree, options, tmp_path, capsys):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "dataset_description.json").write_text('{"GeneratedBy": [{"Name": "fMRIPrep"}]}')
    folder, out, *more = [*changed, *[None] * (2 - len(changed))]
    places = {"foreign": str(foreign), "raw": str(tree), "file": str(foreign / "dataset_description.json")}
    assert main([places.get(folder, folder or str(tree)), places.get(out, str(tmp_path / "out")), *options, *more]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.strip().splitlines()) == 1


def test_every_scorer_has_a_label_of_its_own():
    labels = [as_label(name) for name in SCORERS]
    assert len({label.lower() for label in labels}) == len(labels)
    assert all(label.isalnum() and label.isascii() for label in labels)


@pytest.fixture(scope="module")
def table(tree, ran, options):
    """The group's table: scan → column → value."""
    assert main([str(tree), str(ran[0]), "group"]) == 0
    with (ran[0] / "group.tsv").open(newline="") as file:
        return {row["scan"]: row for row in csv.DictReader(file, delimiter="\t")}


def test_the_group_table_has_a_row_of_every_scan(table):
    states = {scan: row["state"] for scan, row in table.items()}
    assert states == dict.fromkeys(SCORED, "scored") | dict.fromkeys(("sub-03", "sub-04", "sub-05"), "failed")
    assert table["sub-04"]["sentence"].startswith("sub-04_T1w.nii is not a NIfTI file")
    assert table["sub-03"]["brain_volume"] == "n/a"
    assert [table[scan]["same_as"] for scan in SCORED] == ["n/a", "n/a", "n/a", "sub-02_run-1"]
    assert [table[scan]["session_id"] for scan in SCORED] == ["1", "2", "n/a", "n/a"]
    assert [table[scan]["run"] for scan in SCORED] == ["n/a", "n/a", "1", "2"]
    assert len({table[scan]["made_by"] for scan in SCORED}) == 1


def test_its_numbers_are_those_of_the_images(table, ran):
    stem = ran[0] / "sub-02/anat/sub-02_run-1_space-T1w_desc-residual"
    mask, clusters = nib.load(f"{stem}_mask.nii.gz"), Path(f"{stem}_dseg.tsv").read_text().splitlines()
    row, told = table["sub-02_run-1"], json.loads(Path(f"{stem}_mask.json").read_text())
    voxel_ml = abs(np.linalg.det(mask.affine)) / 1000
    assert float(row["residual_volume"]) == pytest.approx(mask.get_fdata().sum() * voxel_ml, abs=0.01)
    assert float(row["residual_largest_cluster"]) == pytest.approx(float(clusters[1].split("\t")[2]), abs=0.01)
    default = record(ran[0], "sub-02_run-1")["aggregates"]["default"]
    assert float(row["residual_score"]) == pytest.approx(told["ScanScores"][default], rel=1e-5)
    assert float(row["residual_percentile"]) == pytest.approx(told["ScanPercentiles"][default], abs=0.01)
    brain = synthetic_brain(7, 1, 60.0)
    assert float(row["brain_volume"]) == pytest.approx((brain.mask).sum() * brain.voxel_ml, rel=1e-4)


def test_it_is_joined_with_participants_and_every_column_is_described(table, ran):
    assert [table[scan]["age"] for scan in (*SCORED, "sub-05")] == ["40", "40", "n/a", "n/a", "n/a"]
    assert table["sub-03"]["group"] == "patient"
    assert json.loads((ran[0] / "group.json").read_text()).keys() == table["sub-03"].keys()


def test_the_table_says_what_is_missing_and_what_was_made_otherwise(tree, options, out, capsys):
    (out / "sub-02/anat/sub-02_run-1_scores.json").unlink()
    made_otherwise = json.loads((out / "sub-02/anat/sub-02_run-2_scores.json").read_text())
    made_otherwise["made_of"]["checkpoint"] = "another"
    (out / "sub-02/anat/sub-02_run-2_scores.json").write_text(json.dumps(made_otherwise))
    capsys.readouterr()
    assert main([str(tree), str(out), "group"]) == 0
    said = capsys.readouterr().out.splitlines()[-3:]
    assert said[0] == "7 scans: 3 scored, 3 failed, 1 missing."
    assert said[1] == "Run participant for those that are missing."
    assert said[2].startswith("These scans were not all made alike")
    (out / "sub-02/anat/sub-02_run-2_scores.json").write_text("[]")
    assert main([str(tree), str(out), "group"]) == 2
    assert "is no record of vaead's; delete it" in capsys.readouterr().err
    assert main([str(tree), str(out / "sub-03"), "group"]) == 2
    assert "has no results of these scans; run participant first." in capsys.readouterr().err
