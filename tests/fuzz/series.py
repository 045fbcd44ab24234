"""A DICOM series in a .zip with damaged files, headers or archive, or without some of its slices, and what becomes of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.fuzz.archives import Files, zipped
from tests.fuzz.mutations import MARKUP, mutated
from tests.fuzz.scans import is_written_back
from tests.support.dicom_files import write_series
from vaead_core.scans.reading import read_scan, series_in

KINDS = ("fields", "fields", "fields", "header bytes", "header bytes", "file bytes", "slices", "archive bytes")
FIELDS = {  # group and element
    "transfer syntax": (0x0002, 0x0010), "repetition time": (0x0018, 0x0080), "series": (0x0020, 0x000E),
    "series number": (0x0020, 0x0011), "place": (0x0020, 0x0032), "direction": (0x0020, 0x0037),
    "samples": (0x0028, 0x0002), "colours": (0x0028, 0x0004), "rows": (0x0028, 0x0010), "columns": (0x0028, 0x0011),
    "spacing": (0x0028, 0x0030), "bits allocated": (0x0028, 0x0100), "bits stored": (0x0028, 0x0101),
    "signed": (0x0028, 0x0103), "intercept": (0x0028, 0x1052), "slope": (0x0028, 0x1053),
}  # fmt: skip
VALUES = (
    b"", b"0 ", b"-1", b"nan ", b"inf ", b"1e300 ", b"1e-9", b"1,5 ", b"9" * 60, b"1\\1 ", b"0\\0\\0 ", b"1\\0\\0\\0\\1\\0 ",
    b"0\\0\\1e30", b"\0\0", b"\1\0", b"\2\0", b"\3\0", b"\x20\0", b"\0\x7f", b"\xff\xff", MARKUP, b"A" * 60_000,
    b"RGB ", b"PALETTE COLOR ", b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.2\0", b"1.2.840.10008.1.2.1.99",
    b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.5\0",
)  # fmt: skip
HEADER_BYTES = 900  # of a file; its pixels follow


def archive(rng: np.random.Generator) -> bytes:
    """One damaged upload made of a good series."""
    files = dict(_series())
    some = [name for name in files if rng.random() < rng.choice([0.2, 1])] or [next(iter(files))]
    match rng.choice(KINDS):
        case "fields":
            field, value = FIELDS[str(rng.choice(list(FIELDS)))], VALUES[int(rng.integers(len(VALUES)))]
            files |= {name: with_field(files[name], field, value) for name in some}
        case "header bytes":
            files |= {name: mutated(files[name], rng, HEADER_BYTES) for name in some}
        case "file bytes":
            files |= {name: mutated(files[name], rng) for name in some}
        case "slices":
            for name in some:
                files[f"again {name}"] = files.pop(name) if rng.random() < 0.5 else files[name]
            del files[str(rng.choice(list(files)))]
        case "archive bytes":
            return mutated(zipped(files), rng)
    return zipped(files)


def read(content: bytes, scratch: Path) -> bool:
    """What a page does with it. Raises ScanError; AssertionError where a map of it is not the scan."""
    series_in(content, "series.zip", scratch)
    return is_written_back(read_scan(content, "series.zip", scratch=scratch))


def with_field(content: bytes, field: tuple[int, int], value: bytes) -> bytes:
    """A file with another value of one field, of explicit VR, little endian, as short ones have them."""
    at = content.index(b"".join(number.to_bytes(2, "little") for number in field), 128)
    length = int.from_bytes(content[at + 6 : at + 8], "little")
    return content[: at + 6] + len(value).to_bytes(2, "little") + value + content[at + 8 + length :]


@cache
def _series() -> Files:
    """Six slices, the same bytes each time."""
    uids = {"SeriesInstanceUID": "1.2.3", "StudyInstanceUID": "1.2", "SOPInstanceUID": lambda k: f"1.2.3.{k}"}
    with TemporaryDirectory() as folder:
        write_series(Path(folder), slopes=(2.0,), **uids)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
