import gzip
import logging
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from vaead_core.errors import ScanError
from vaead_core.scans.nifti import map_to_nifti, read_nifti

ROOT = Path(__file__).resolve().parents[1]
GRADIENT = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)


def stored(data=GRADIENT, affine=None, kind=nib.Nifti1Image, zipped=True) -> bytes:
    content = kind(data, np.eye(4) if affine is None else affine).to_bytes()
    return gzip.compress(content) if zipped else content


def refusal(content: bytes, name: str = "scan.nii.gz") -> str:
    with pytest.raises(ScanError) as caught:
        read_nifti(content, name)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("zipped", [True, False])
def test_both_formats_are_read_zipped_or_not(kind, zipped):
    np.testing.assert_array_equal(read_nifti(stored(kind=kind, zipped=zipped)).data, GRADIENT)


def test_trailing_axes_of_size_one_are_dropped():
    assert read_nifti(stored(GRADIENT[..., None, None])).data.shape == (4, 5, 6)


def test_every_voxel_keeps_its_world_position_whatever_the_storage_order():
    rng = np.random.default_rng(0)
    for codes in ("RAS", "LAS", "PSR", "SPL", "AIL"):
        ornt = nib.orientations.axcodes2ornt(codes)
        source = nib.Nifti1Image(GRADIENT, np.diag([1, 2, 3, 1.0])).as_reoriented(
            nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), ornt)
        )
        volume = read_nifti(source.to_bytes())
        index = tuple(rng.integers(0, size) for size in source.shape)
        world = source.affine @ [*index, 1]
        found = np.round(np.linalg.inv(volume.affine) @ world)[:3].astype(int)
        assert volume.data[tuple(found)] == source.get_fdata()[index]
        assert nib.aff2axcodes(volume.affine) == ("R", "A", "S")


@pytest.mark.parametrize("codes", [(1, 1), (4, 0), (0, 2), (2, 4)])
@pytest.mark.parametrize("order", ["RAS", "LPS", "PSR"])
def test_a_map_goes_back_with_shape_affine_and_codes_of_the_input(codes, order):
    turn = nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(order))
    source = nib.Nifti1Image(GRADIENT, np.array([[2, 0.1, 0, 5], [-0.1, 2, 0, 3], [0, 0, 2, 1], [0, 0, 0, 1.0]]))
    source = source.as_reoriented(turn)
    source.set_qform(source.affine, codes[0])
    source.set_sform(source.affine, codes[1])
    source.header["descrip"] = b"patient name"
    volume = read_nifti(source.to_bytes())
    back = nib.Nifti1Image.from_bytes(gzip.decompress(map_to_nifti(volume.data, volume)))
    np.testing.assert_array_equal(back.get_fdata(), source.get_fdata())
    np.testing.assert_allclose(back.affine, source.affine, atol=1e-5)
    assert (int(back.header["qform_code"]), int(back.header["sform_code"])) == codes
    np.testing.assert_allclose(back.header.get_qform(), source.header.get_qform(), atol=1e-6)
    assert back.header["descrip"].tobytes().strip(b"\0") == b""


def test_the_header_of_a_pair_is_refused_as_one():
    pair = nib.Nifti1Pair(GRADIENT, np.eye(4))
    with pytest.raises(ScanError, match=r"^scan\.hdr is a header alone, whose image lies in another file; save both as one"):
        read_nifti(pair.header.binaryblock + bytes(4), "scan.hdr")


def test_a_text_file_is_not_nifti():
    assert "is not a NIfTI file" in refusal(b"hello, this is no scan" * 30, "notes.nii")


def test_an_empty_file_is_not_nifti():
    assert "is not a NIfTI file" in refusal(b"", "empty.nii")


def test_a_truncated_gzip_is_named():
    whole = stored(np.random.default_rng(0).random((8, 9, 10), np.float32))
    assert "cut-off gzip" in refusal(whole[: len(whole) // 2])
    assert "cut-off gzip" in refusal(whole[:-1]), "a gzip file ends with the checksum of what it holds"


def test_cut_off_data_is_named():
    assert "incomplete or damaged" in refusal(stored(zipped=False)[:-20], "scan.nii")


def test_a_four_dimensional_file_says_to_save_one_volume():
    assert "4 × 5 × 6 × 2" in refusal(stored(np.stack([GRADIENT] * 2, -1)))


def test_a_two_dimensional_file_says_to_load_the_volume():
    assert "whole volume" in refusal(stored(GRADIENT[0]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_counted(value):
    data = GRADIENT.copy()
    data[0, 0, :3] = value
    assert "3 NaN or infinite" in refusal(stored(data))


def test_a_constant_image_is_refused():
    assert "must have contrast" in refusal(stored(np.full((4, 4, 4), 7, np.float32)))


def test_a_singular_affine_is_refused():
    image = nib.Nifti1Image(GRADIENT, np.eye(4))
    image.header["srow_x"] = image.header["srow_y"] = [1, 0, 0, 0]
    image.header["sform_code"] = 1
    header = image.header.binaryblock
    assert "singular" in refusal(header + b"\0" * 4 + GRADIENT.tobytes(order="F"), "scan.nii")


BOMB = """
import gzip, resource, sys
import nibabel as nib, numpy as np
from vaead_core.errors import ScanError
from vaead_core.scans.nifti import read_nifti

header = nib.Nifti1Header()
header.set_data_shape(eval(sys.argv[1]))
header.set_data_dtype(np.float64)
header["vox_offset"] = 352
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
zeros = gzip.compress(bytes(1 << 24), 1)
try:
    read_nifti(gzip.compress(header.binaryblock + bytes(4) + np.arange(9.0).tobytes()) + 64 * zeros, "bomb.nii.gz")
except ScanError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems measure a process in other units")
@pytest.mark.parametrize(
    ("shape", "sentence", "most_mb"),
    [
        ((4, 5, 6), "bomb.nii.gz holds more than its header announces; copy or export it again.", 50),
        ((512, 512, 255), "bomb.nii.gz holds more than its header announces; copy or export it again.", 299),
        ((512, 512, 512), "bomb.nii.gz has 512 × 512 × 512 voxels, more than the 67 million that are read; crop or", 50),
    ],
    ids=["announces little", "announces what is allowed", "announces all"],
)
def test_a_bomb_of_one_gigabyte_is_refused_before_it_fills_the_memory(shape, sentence, most_mb):
    command = [sys.executable, "-c", BOMB, str(shape)]
    said, megabytes = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said.startswith(sentence)
    assert int(megabytes) < most_mb


def test_a_gzip_file_of_countless_empty_pieces_is_refused_unread():
    assert "more than 100000 pieces" in refusal(gzip.compress(b"") * 100_001)


def test_values_beyond_those_of_any_scan_are_refused():
    assert "values up to 1e+20" in refusal(stored(np.where(GRADIENT > 60, np.float32(1e20), GRADIENT)))
    assert "values up to 1e+20" in refusal(stored(np.where(GRADIENT > 60, np.float32(-1e20), GRADIENT)))


@pytest.mark.parametrize("kind", ["i1", "u1", "<i2", ">i2", "u2", "i4", "i8", "u8", "f4", ">f4", "f8"])
@pytest.mark.parametrize(("slope", "inter"), [(1, 0), (0.37, -20), (-2, 1e6)])
def test_values_are_scaled_as_nibabel_scales_them(kind, slope, inter):
    data = np.random.default_rng(1).integers(0, 100, (4, 5, 6)).astype(kind)
    header = nib.Nifti1Header(endianness=">" if ">" in kind else "<")
    header.set_data_dtype(kind)
    header.set_data_shape(data.shape)
    header["scl_slope"], header["scl_inter"], header["vox_offset"] = slope, inter, 352
    content = header.binaryblock + bytes(4) + data.tobytes(order="F")
    expected = np.asarray(nib.Nifti1Image.from_bytes(content).dataobj, np.float32)
    scan = read_nifti(content)
    np.testing.assert_array_equal(scan.native.from_ras(scan.data), expected)


def test_no_word_of_a_header_goes_into_a_map_or_a_log(caplog):
    words = {"data_type": 10, "db_name": 18, "descrip": 80, "aux_file": 24, "intent_name": 16}
    image = nib.Nifti1Image(GRADIENT, np.eye(4))
    for field, length in words.items():
        image.header[field] = b"DOE^JANE^19700101"[:length]
    for number, field in enumerate(("cal_max", "cal_min", "intent_p1", "toffset", "slice_duration")):
        image.header[field] = np.frombuffer(b"JANE", np.float32)[0] * (number + 1)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"DOE^JANE"))
    content = bytearray(image.to_bytes())
    content[70:72] = b"JA"  # the kind of its values, which nibabel would log
    with caplog.at_level(logging.DEBUG):
        assert "is not a NIfTI file" in refusal(bytes(content), "scan.nii")
        scan = read_nifti(image.to_bytes())
    written = gzip.decompress(map_to_nifti(scan.data, scan))
    assert b"DOE" not in written
    assert b"JANE" not in written
    assert caplog.text == ""


def test_a_missing_file_is_a_scan_error(tmp_path):
    with pytest.raises(ScanError, match="cannot be opened"):
        read_nifti(tmp_path / "none.nii")


@pytest.mark.parametrize("codes", ["RAS", "LAS", "PSR", "SPL"])
def test_a_voxel_of_the_array_is_found_in_the_file(codes):
    image = nib.Nifti1Image(GRADIENT, np.diag([1, 2, 3, 1]))
    wanted = nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(tuple(codes)))
    stored_image = image.as_reoriented(wanted)
    scan = read_nifti(stored_image.to_bytes())
    i, j, k = (scan.native.voxels_from_ras @ [1, 2, 3, 1])[:3].astype(int)
    assert stored_image.get_fdata()[i, j, k] == scan.data[1, 2, 3]
