"""Whether what a DICOM file announces lies in it, in every encoding that is read."""

from pathlib import Path

import pydicom
import pytest

from tests.support.dicom_files import write_series
from vaead_core.scans.dicom_elements import ends_within
from vaead_core.scans.dicom_series import find_series, header

PYDICOMS = Path(pydicom.__file__).parent / "data" / "test_files"


def test_no_good_file_is_taken_for_damaged():
    """pydicom's own collection: implicit and explicit, big endian, deflated, JPEG, RLE, nested sequences, no preamble."""
    files = [path for path in sorted(PYDICOMS.rglob("*.dcm")) if header(path) is not None]
    assert len(files) > 50
    assert [path.name for path in files if not ends_within(path.read_bytes())] == []


@pytest.mark.parametrize("name", ["MR_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "MR_small_jp2klossless.dcm"])
def test_half_a_file_is_damaged(name):
    content = (PYDICOMS / name).read_bytes()
    assert ends_within(content)
    assert not ends_within(content[: len(content) // 2])


def test_a_length_that_the_file_has_not_is_not_taken_at_its_word(tmp_path):
    write_series(tmp_path)
    spoilt = sorted(tmp_path.iterdir())[0]
    content = spoilt.read_bytes()
    at = content.index(b"\x08\x00\x3e\x10LO")  # the series description
    longer = content[: at + 4] + b"UT\0\0" + (4_000_000_000).to_bytes(4, "little") + content[at + 8 :]
    spoilt.write_bytes(longer)
    assert not ends_within(longer)
    [found] = find_series(tmp_path, "series")
    assert (len(found.slices), found.unread) == (5, 1)


def test_a_series_number_that_is_none_is_not_repeated(tmp_path):
    write_series(tmp_path)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        path.write_bytes(content.replace(b"\x20\x00\x11\x00IS\x02\x003 ", b"\x20\x00\x11\x00IS\x08\x00DOE JANE"))
    [found] = find_series(tmp_path, "series")
    assert (found.number, str(found)[:26]) == ("", "a series without a number:")
