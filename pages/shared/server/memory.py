"""This server's memory: what is refused when little is left, and what is given back."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import cache

from vaead_core.computing.machine import c_function, memory_left
from vaead_core.errors import InputError, ScanError
from vaead_core.scans.nifti_file import MAX_VALUES_BYTES

LEAST_BYTES = 256 << 20  # below that, nothing more is begun
BYTES_A_VOXEL = 40  # of a scan and four maps on its grid, while they are made
BYTES_A_BYTE = 8  # of a file, while it is read: float32 in the file's order and in ours
NETWORK_BYTES = 640 << 20  # while the brain of a head is found
_MMAP_THRESHOLD = -3  # mallopt's M_MMAP_THRESHOLD
_droppers: list[Callable[[], None]] = []


@cache
def keep_large_arrays_apart() -> None:
    """By itself glibc puts arrays of up to 32 MB between small things that stay, and then cannot give their memory back."""
    if mallopt := c_function("mallopt"):
        mallopt(_MMAP_THRESHOLD, 1 << 20)


@cache
def set_imports_aside() -> None:
    """Once, before any scan is there: what was imported stays as it is, so that no collection looks at it again. There is one
    after each run, as Streamlit asks for it, which takes 0.1 s of every session else."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Frees what nobody uses: what pages held is full of cycles, and C's allocator keeps what was freed."""
    gc.collect()
    if trim := c_function("malloc_trim"):
        trim(0)


def drop_when_short(drop: Callable[[], None]) -> None:
    """`drop` lets go of what is kept only to be at hand again; it is called before anything is refused."""
    _droppers.append(drop)


def refuse_when_short() -> None:
    """Raises InputError when so little is left that whatever is begun could end everybody's sessions."""
    if (left := _left_for(LEAST_BYTES)) < LEAST_BYTES:
        raise InputError(f"This server has {left / 1e9:.1f} GB of memory left, too little to compute; try again later.")


def refuse_to_take(needed: int) -> None:
    """Raises ScanError when there is no room for a file that somebody is about to send, and for what comes already."""
    _refuse(needed + LEAST_BYTES, "A file is on its way", "try again")


def refuse_to_read(content: bytes, name: str) -> None:
    """Raises ScanError when there is no room to read a file, of which a gzip file says at its end what it unpacks to."""
    stored = int.from_bytes(content[-4:], "little") if content[:2] == b"\x1f\x8b" else len(content)
    _refuse(min(BYTES_A_BYTE * stored, 2 * MAX_VALUES_BYTES), f"{name} has {stored / 1e6:.0f} MB")


def refuse_to_open(needed: int) -> None:
    """Raises ScanError when there is no room for the arrays of a checkpoint that was uploaded."""
    _refuse(needed, "The checkpoint's calibration must be read", "try again")


def refuse_to_extract(name: str) -> None:
    """Raises ScanError when there is no room for the networks that find the brain of a scan."""
    _refuse(NETWORK_BYTES, f"The brain of {name} must be found")


def refuse_to_score(voxels: int, name: str) -> None:
    """Raises ScanError when there is no room for the maps of a scan."""
    _refuse(BYTES_A_VOXEL * voxels, f"{name} has {voxels / 1e6:.0f} million voxels")


def _refuse(needed: int, what: str, to_do: str = "crop or resample it, or try again") -> None:
    if (left := _left_for(needed)) < needed:
        raise ScanError(
            f"{what}, for which {needed / 1e9:.1f} GB of memory are needed and {left / 1e9:.1f} GB are left; "
            f"{to_do} when fewer people use this server."
        )


def _left_for(needed: int) -> int:
    """Bytes left: where that is less than `needed`, without what nobody uses, and then without what is kept to be at hand."""
    for drop in (lambda: None, *_droppers):
        if (left := memory_left()) >= needed:
            return left
        drop()
        give_back()
    return memory_left()
