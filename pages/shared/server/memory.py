"""How much memory this server may have, and what of it is left: the machine's, its container's, its process's limit."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
from contextlib import suppress
from functools import cache
from pathlib import Path

from vaead_core.errors import InputError, ScanError
from vaead_core.scans.nifti_file import MAX_VALUES_BYTES

LEAST_BYTES = 256 << 20  # below that, nothing more is begun
BYTES_A_VOXEL = 40  # of a scan and four maps on its grid, while they are made
BYTES_A_BYTE = 8  # of a file, while it is read: float32 in the file's order and in ours
_MMAP_THRESHOLD = -3  # mallopt's M_MMAP_THRESHOLD
_GROUP = Path("/sys/fs/cgroup")


def memory_limit() -> int:
    """Bytes that this process can have at most."""
    return min(_machine("MemTotal"), _group("memory.max"), _process_limit())


def memory_left() -> int:
    """Bytes that it can still have."""
    group = _group("memory.max") - _group("memory.current", 0) + _reclaimable()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return max(0, min(_machine("MemAvailable") + _machine("SwapFree"), group, _process_limit() - used))


@cache
def keep_large_arrays_apart() -> None:
    """By itself glibc puts arrays of up to 32 MB between small things that stay, and then cannot give their memory back."""
    with suppress(AttributeError):  # not glibc
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 1 << 20)


def give_back() -> None:
    """Frees what nobody uses: what pages held is full of cycles, and C's allocator keeps what was freed."""
    gc.collect()
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def refuse_when_short() -> None:
    """Raises InputError when so little is left that whatever is begun could end everybody's sessions."""
    if (left := memory_left()) < LEAST_BYTES:
        raise InputError(f"This server has {left / 1e9:.1f} GB of memory left, too little to compute; try again later.")


def refuse_to_read(content: bytes, name: str) -> None:
    """Raises ScanError when there is no room to read a file, of which a gzip file says at its end what it unpacks to."""
    stored = int.from_bytes(content[-4:], "little") if content[:2] == b"\x1f\x8b" else len(content)
    _refuse(min(BYTES_A_BYTE * stored, 2 * MAX_VALUES_BYTES), f"{name} has {stored / 1e6:.0f} MB")


def refuse_to_score(voxels: int, name: str) -> None:
    """Raises ScanError when there is no room for the maps of a scan."""
    _refuse(BYTES_A_VOXEL * voxels, f"{name} has {voxels / 1e6:.0f} million voxels")


def _refuse(needed: int, what: str) -> None:
    if needed > (left := memory_left()):
        raise ScanError(
            f"{what}, for which {needed / 1e9:.1f} GB of memory are needed and {left / 1e9:.1f} GB are left; "
            "crop or resample it, or try again when fewer people use this server."
        )


def _machine(what: str) -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{what}:"))


def _group(what: str, otherwise: int = 1 << 62) -> int:
    path = _GROUP / what
    text = path.read_text().strip() if path.is_file() else ""
    return int(text) if text.isdigit() else otherwise


def _reclaimable() -> int:
    """Of the container's memory, what the kernel drops when it needs it: files that were read."""
    path = _GROUP / "memory.stat"
    words = path.read_text().split() if path.is_file() else []
    return int(words[words.index("inactive_file") + 1]) if "inactive_file" in words else 0


def _process_limit() -> int:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return 1 << 62 if limit == resource.RLIM_INFINITY else limit
