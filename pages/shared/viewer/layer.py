"""A volume as the viewer sends it: whole numbers, zipped once, known by their content."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass

import numpy as np

LARGEST_CODE = 32767


@dataclass(frozen=True)
class Layer:
    """A volume on the scan's RAS+ grid, ready to send.

    payload: gzipped little-endian int16 codes, i fastest; value = code × step, so 0 stays 0 and the error is at most
    half a step (peak / 65,534; none for whole numbers up to 32,767). digest: of the payload. peak: voxel of the largest
    |value|. signed: 0 is the middle and both ends matter; else more is more abnormal.
    rarity: |value| at evenly spaced rarities from 0 to TOP_RARITY, rising, or empty. At rarity r, a share 10^-r of the
    healthy voxels scores at least as high: the one scale on which methods of different units compare.
    """

    name: str
    unit: str
    shape: tuple[int, int, int]
    step: float
    payload: bytes
    digest: str
    peak: tuple[int, int, int]
    signed: bool = False
    rarity: tuple[float, ...] = ()
    about: str = ""

    @staticmethod
    def of(
        values: np.ndarray, name: str, unit: str = "", *, signed: bool = False,
        rarity: np.ndarray | None = None, about: str = "",
    ) -> Layer:  # fmt: skip
        """`values` (I, J, K), finite, any number type or bool. about: one sentence for the reader."""
        if values.ndim != 3 or not np.isfinite(values).all():
            raise ValueError(f"a layer must be 3-D and finite, got shape {values.shape}")
        size = np.abs(values)
        step = _step(values, float(size.max()))
        codes = np.rint(values / step).astype("<i2")
        payload = _zipped(codes.tobytes(order="F"))
        i, j, k = (int(at) for at in np.unravel_index(int(size.argmax()), values.shape))
        curve = () if rarity is None else tuple(np.maximum.accumulate(rarity).astype(float).tolist())
        digest = hashlib.blake2b(payload, digest_size=16).hexdigest()
        return Layer(name, unit, values.shape, step, payload, digest, (i, j, k), signed, curve, about)

    def to_record(self, address: str) -> dict:
        """What the browser is told of the layer, whose payload lies at `address`."""
        return {
            "name": self.name, "unit": self.unit, "step": self.step, "address": address, "digest": self.digest,
            "signed": self.signed, "rarity": self.rarity, "about": self.about,
        }  # fmt: skip


def _zipped(content: bytes) -> bytes:
    """gzip's format, looking for runs alone: a map is zeros and noise, in which repeats are not worth their search."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS + 16, strategy=zlib.Z_RLE)
    return packer.compress(content) + packer.flush()


def _step(values: np.ndarray, largest: float) -> float:
    whole = largest <= LARGEST_CODE and bool((values == np.rint(values)).all())
    return 1.0 if whole or largest == 0 else largest / LARGEST_CODE
