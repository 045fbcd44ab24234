"""A share of the nightly `python -m tests.fuzz 10000`, and headers that hypothesis makes up."""

import gzip
import pickle
import subprocess
from contextlib import suppress

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import scans, series
from tests.fuzz.run import fuzz_series
from tests.fuzz.watch import watching
from vaead_core.errors import ScanError

SHORTS = st.integers(-(2**15), 2**15 - 1)
FLOATS = st.floats(width=32)


@given(
    dim=st.lists(st.integers(-2, 9) | SHORTS, min_size=8, max_size=8),
    pixdim=st.lists(FLOATS, min_size=8, max_size=8),
    rows=st.lists(FLOATS, min_size=12, max_size=12),
    numbers=st.fixed_dictionaries(
        {
            "datatype": st.sampled_from([2, 4, 8, 16, 32, 64, 128, 256, 1536]) | SHORTS, "bitpix": SHORTS,
            "qform_code": st.integers(-1, 6), "sform_code": st.integers(-1, 6), "vox_offset": st.just(352.0) | FLOATS,
            "scl_slope": FLOATS, "scl_inter": FLOATS, "quatern_b": FLOATS, "quatern_c": FLOATS, "quatern_d": FLOATS,
        }
    ),
    values=st.binary(max_size=600),
)  # fmt: skip
@settings(max_examples=150, deadline=10_000, derandomize=True, database=None)
def test_any_header_gives_a_scan_or_a_sentence(dim, pixdim, rows, numbers, values):
    header = nib.Nifti1Header()
    for name, value in {"dim": dim, "pixdim": pixdim, **numbers}.items():
        header[name] = value
    header["srow_x"], header["srow_y"], header["srow_z"] = rows[:4], rows[4:8], rows[8:]
    with suppress(ScanError):
        scans.read(gzip.compress(header.binaryblock + bytes(4) + values, 1))


def test_the_watch_sees_what_no_file_may_do(tmp_path):
    (tmp_path / "inside").mkdir()
    with watching(tmp_path / "inside") as seen:
        (tmp_path / "inside" / "allowed").write_text("x")
        assert seen == []
        (tmp_path / "outside").write_text("x")
        pickle.loads(pickle.dumps(np.float32))
        subprocess.run(["true"], check=True)
        (tmp_path / "outside").rename(tmp_path / "elsewhere")
        exec("1")
    assert [line.split()[0] for line in seen] == [
        "open",
        "pickle.find_class",
        "subprocess.Popen",
        "os.rename",
        "os.rename",
        "exec",
    ]


def test_damaged_dicom_series_are_read_or_refused_with_a_sentence_and_take_no_more_memory_than_they_have(tmp_path):
    tally = fuzz_series(150, tmp_path)
    assert tally.wrong == []
    assert tally.hangs == []
    assert tally.used > 20, "some damage must reach what follows the checks"
    assert tally.refused > 60
    assert tally.megabytes < 500, "a length in a file of 1 kB is taken at its word"


@pytest.mark.parametrize("seed", [0, 1])
def test_a_case_is_the_same_for_the_same_seed(seed):
    for made in (scans.scan_file, series.archive):
        assert made(np.random.default_rng(seed)) == made(np.random.default_rng(seed))
