import gzip

import nibabel as nib
import numpy as np
import pytest

from vaead_core import nifti
from vaead_core.errors import ScanError
from vaead_core.nifti import map_to_nifti, read_nifti

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


def test_a_text_file_is_not_nifti():
    assert "is not a NIfTI file" in refusal(b"hello, this is no scan" * 30, "notes.nii")


def test_an_empty_file_is_not_nifti():
    assert "is not a NIfTI file" in refusal(b"", "empty.nii")


def test_a_truncated_gzip_is_named():
    whole = gzip.compress(np.random.default_rng(0).bytes(4000))
    assert "cut-off gzip" in refusal(whole[: len(whole) // 2])


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


def test_a_gzip_bomb_is_refused_at_the_limit(monkeypatch):
    monkeypatch.setattr(nifti, "MAX_DECOMPRESSED_BYTES", 1 << 21)
    assert "once unpacked" in refusal(gzip.compress(bytes(1 << 23)))


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
