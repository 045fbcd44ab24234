"""A site's calibration: what healthy scans of one scanner score by one checkpoint, in a small file beside its folder."""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vaead_core import __version__
from vaead_core.checkpoints.archive import NAME
from vaead_core.checkpoints.arrays import packed, save_arrays, unpacked
from vaead_core.checkpoints.calibration import RATES, Calibration
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.consistency import is_calibrated
from vaead_core.checkpoints.provenance import read_quality
from vaead_core.checkpoints.untrusted import check_arrays
from vaead_core.computing.whole_file import write_whole
from vaead_core.errors import CheckpointError, InputError, refusing
from vaead_core.inference.reference import Reference
from vaead_core.scans.volume import Array
from vaead_core.scorers import scorers_of

LEAST, MOST = 3, 20  # scans
ENDING = ".site.npz"
MOST_BYTES, MOST_UNPACKED = 8 << 20, 32 << 20
SITE_FORMAT = 2
_DESCRIPTION = "site"
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Site:
    """What healthy scans of one scanner score. They are known by their number alone.

    name: what whoever made it calls the scanner. checkpoint: the digest of the one that scored them. calibration: of their
    maps as they are and on each scan's own scale. left_out: (scorer, scale) → (RATES, scans) the share of each scan above
    the thresholds that the others give. quality: MEASURES of image quality → a value a scan, rising and so of nobody.
    digest: of the file.
    """

    name: str
    checkpoint: str
    scans: int
    calibration: Calibration
    left_out: dict[tuple[str, str], Array] = field(repr=False)
    quality: dict[str, tuple[float, ...]]
    digest: str = ""

    def left_out_shares(self, scorer: str, scale: str, rate: float) -> tuple[float, float, float]:
        """Median, least and largest share (0 to 1) of a left-out scan above the threshold of `rate`."""
        shares = self.left_out[scorer, scale][RATES.index(rate)]
        return float(np.median(shares)), float(shares.min()), float(shares.max())

    def sentence(self, scorer: str, scale: str, rate: float) -> str:
        """How far a threshold of this site can be trusted."""
        median, low, high = (100 * share for share in self.left_out_shares(scorer, scale, rate))
        return (
            f"With these {self.scans} scans, a left-out one has {low:.1f} to {high:.1f} % marked at the {100 * rate:g} % "
            f"threshold, {median:.1f} % in the median."
        )

    def write(self, path: Path) -> None:
        """Writes the file; an older one stays whole until it is complete. Raises OSError."""
        write_whole(path, self.packed())

    def packed(self) -> bytes:
        """The file's content."""
        about = {
            "format": SITE_FORMAT, "name": self.name, "checkpoint": self.checkpoint, "scans": self.scans, "vaead": __version__,
            "quality": self.quality,
        }  # fmt: skip
        arrays = packed(Reference({}), self.calibration, {}) | {_DESCRIPTION: np.array(json.dumps(about))}
        arrays |= {f"left_out/{scorer}/{scale}": shares.astype(np.float32) for (scorer, scale), shares in self.left_out.items()}
        content = io.BytesIO()
        save_arrays(content, arrays)
        return content.getvalue()

    @staticmethod
    def read(source: Path | bytes, checkpoint: Checkpoint, name: str = "The site's file") -> Site:
        """The calibration of a site for `checkpoint`. Raises CheckpointError for another file or another checkpoint's.

        name: what the sentence calls `source` where that is no path.
        """
        called = source.name if isinstance(source, Path) else name
        unreadable = CheckpointError(f"{called} is no site calibration that vaead reads, or is damaged; make it again.")
        with refusing(unreadable, OSError):
            content = site_bytes(source) if isinstance(source, Path) else source
        if len(content) > MOST_BYTES:
            raise CheckpointError(f"A site's calibration may have {MOST_BYTES >> 20} MB; {called} has more, so it is none.")
        try:
            check_arrays(content, called, MOST_UNPACKED)
        except CheckpointError as error:
            raise unreadable from error
        with refusing(unreadable), np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = dict(stored)
            about = json.loads(str(arrays[_DESCRIPTION]))
            version = about["format"]
            _, calibration, _ = unpacked(arrays)
            left_out = {(key.split("/")[1], key.split("/")[2]): arrays[key] for key in arrays if key.startswith("left_out/")}
            quality = read_quality(about, "quality")
            site = Site(about["name"], about["checkpoint"], about["scans"], calibration, left_out, quality, _sha256(content))
            whole = _is_whole(site)
        if version != SITE_FORMAT or not whole:
            raise unreadable
        if site.checkpoint != checkpoint.digest:
            raise CheckpointError(
                f"{called} was made with another checkpoint than {checkpoint.name}, or with an older state of it; "
                f"calibrate {checkpoint.name} on that site's scans."
            )
        needed = {scorer for scorer in scorers_of(checkpoint.model) if scorer in checkpoint.calibration}
        if site.calibration.keys() != needed:
            raise unreadable
        return site


def site_file(folder: Path, name: str, where: Path | None = None) -> Path:
    """The file of a site's calibration for the checkpoint of `folder`: beside that, or in `where`. Raises InputError."""
    if not NAME.fullmatch(name):
        raise InputError("A site's name takes letters, digits, - and _, and begins with a letter or digit.")
    return (where or folder.absolute().parent) / f"{folder.absolute().name}.{name}{ENDING}"


def find_sites(folder: Path, where: Path | None = None) -> dict[str, Path]:
    """Name → file of the sites that the checkpoint of `folder` was calibrated for, beside it or in `where`; none is read."""
    first = f"{folder.absolute().name}."
    files = sorted((where or folder.absolute().parent).glob(f"*{ENDING}"))
    names = {path: path.name.removeprefix(first).removesuffix(ENDING) for path in files if path.name.startswith(first)}
    return {name: path for path, name in names.items() if NAME.fullmatch(name)}


def named_site(given: Path, folder: Path) -> Path:
    """A site's file, given itself or, of one beside the checkpoint of `folder`, by its name alone. Raises InputError."""
    known = find_sites(folder)
    if not given.exists() and str(given) not in known:
        named = f"it has {', '.join(known)}" if known else "it has none"
        raise InputError(f"There is no file {given}, and {folder.absolute().name} has no site of that name ({named}).")
    return given if given.is_file() else known.get(str(given), given)


def site_bytes(path: Path) -> bytes:
    """A file's content, as much of it as `Site.read` looks at. Raises OSError."""
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _is_whole(site: Site) -> bool:
    """Whether all that a file says is of the kind that `packed` writes."""
    scaled = {name for name, one in site.calibration.items() if one.scaled}
    maps = {name for name, one in site.calibration.items() if one.pixels.size}
    expected = {(name, "healthy") for name in maps} | {(name, "scan") for name in scaled}
    return (
        NAME.fullmatch(site.name) is not None
        and _DIGEST.fullmatch(site.checkpoint) is not None
        and type(site.scans) is int
        and LEAST <= site.scans <= MOST
        and bool(site.calibration)
        and all(is_calibrated(name, one) for name, one in site.calibration.items())
        and site.left_out.keys() == expected
        and all(one.shape == (len(RATES), site.scans) and one.dtype == np.float32 for one in site.left_out.values())
        and all(bool(((one >= 0) & (one <= 1)).all()) for one in site.left_out.values())
        and all(len(values) == site.scans for values in site.quality.values())
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
