import gzip
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pages.shared.server import memory
from vaead_core.computing import machine
from vaead_core.errors import ScanError

ROOT = Path(__file__).resolve().parents[1]


def in_process(code: str, limit: int | None = None) -> str:
    """What a new process prints, with so many bytes of address space."""
    set_limit = None if limit is None else lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    command = [sys.executable, "-c", f"from pages.shared.server import memory; from vaead_core.computing import machine; {code}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, preexec_fn=set_limit).stdout.strip()


def test_a_machine_says_what_it_has_and_what_is_left():
    assert 256 << 20 < machine.memory_left() <= machine.memory_limit()


def test_what_a_process_takes_is_no_longer_left_to_it():
    limit = 4 << 30
    said = in_process("print(machine.memory_left()); taken = bytearray(1 << 30); print(machine.memory_left())", limit)
    before, after = map(int, said.split())
    assert before < limit
    assert 0.9 * (1 << 30) < before - after < 1.1 * (1 << 30)
    assert int(in_process("print(machine.memory_limit())", limit)) == limit


def test_a_containers_limit_counts_and_files_that_were_read_do_not(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_GROUP", tmp_path)
    (tmp_path / "memory.max").write_text("600000000\n")
    (tmp_path / "memory.current").write_text("500000000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 300000000\n")
    assert (machine.memory_limit(), machine.memory_left()) == (600_000_000, 400_000_000)
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.memory_limit() > 600_000_000


@pytest.fixture
def two_gigabytes(monkeypatch):
    monkeypatch.setattr(memory, "memory_left", lambda: 2_000_000_000)


def test_a_scan_whose_maps_have_no_room_is_one_sentence(two_gigabytes):
    memory.refuse_to_score(50_000_000, "small.nii")
    with pytest.raises(ScanError) as refused:
        memory.refuse_to_score(60_000_000, "large.nii")
    assert str(refused.value) == (
        "large.nii has 60 million voxels, for which 2.4 GB of memory are needed and 2.0 GB are left; "
        "crop or resample it, or try again when fewer people use this server."
    )


def test_a_checkpoint_that_has_no_room_is_one_sentence(two_gigabytes):
    memory.refuse_to_open(1_900_000_000)
    with pytest.raises(ScanError) as refused:
        memory.refuse_to_open(2_100_000_000)
    assert str(refused.value) == (
        "The checkpoint's calibration must be read, for which 2.1 GB of memory are needed and 2.0 GB are left; "
        "try again when fewer people use this server."
    )


def test_a_file_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(memory, "memory_left", lambda: 300_000_000)
    memory.refuse_to_read(bytes(30_000_000), "small.nii")
    with pytest.raises(ScanError, match=r"large\.nii has 40 MB, for which 0\.3 GB of memory are needed and 0\.3 GB are left"):
        memory.refuse_to_read(bytes(40_000_000), "large.nii")
    with pytest.raises(ScanError, match=r"zipped\.nii\.gz has 90 MB, for which 0\.5 GB"):
        memory.refuse_to_read(gzip.compress(bytes(90_000_000), 1), "zipped.nii.gz")


def test_memory_of_large_arrays_goes_back_when_they_are_freed():
    work = """
import numpy as np
from pathlib import Path
memory.keep_large_arrays_apart()
held = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4096
small, before = [], held()
for size in (8 << 20, 4 << 20, 2 << 20) * 2:
    large = []
    for _ in range(50):
        large.append(np.ones(size, np.uint8))
        small.append(np.ones(60_000, np.uint8))
    del large
print(held() - before - sum(one.nbytes for one in small))
"""
    assert int(in_process(f"exec({work!r})")) < 20 << 20


def test_a_table_takes_no_more_addresses_than_it_needs():
    work = """
from pathlib import Path
import pandas as pd
from streamlit.dataframe_util import convert_pandas_df_to_arrow_bytes
taken = lambda: int(Path("/proc/self/statm").read_text().split()[0]) * 4096
import pyarrow
before = taken()
convert_pandas_df_to_arrow_bytes(pd.DataFrame({"a": [1.0] * 1000, "b": ["text"] * 1000}))
print(taken() - before)
"""
    assert int(in_process(f"exec({work!r})")) < 200 << 20
