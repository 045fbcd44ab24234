"""Fashion-MNIST (Xiao et al. 2017): the four official files, found on disk or downloaded with checksum and resume."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from vaead_core.cohorts.locations import find_data
from vaead_core.errors import CohortError, refusing
from vaead_core.scans.volume import Array, Slices

ADDRESS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
CACHE = Path.home() / ".cache" / "vaead" / "fashion_mnist"
MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FashionMNIST:
    """images: (70000, 28, 28) uint8, the training files' first. labels: (70000,) uint8 into CLASSES."""

    images: Array
    labels: Array


def load_fashion_mnist(folder: Path | None = None, progress: Progress | None = None) -> FashionMNIST:
    """From `folder`, the data folders, or the cache; what is missing there is downloaded into the cache.

    Raises CohortError when a file is damaged or cannot be had.
    """
    folder = folder or find_data("fashion_mnist") or CACHE
    files = {name: fetch(name, md5, folder, ADDRESS, progress) for name, md5 in MD5.items()}
    images = [_idx(files[name]) for name in MD5 if "images" in name]
    labels = [_idx(files[name]) for name in MD5 if "labels" in name]
    return FashionMNIST(np.concatenate(images), np.concatenate(labels))


def is_here() -> bool:
    """Whether all four files lie in the data folders or the cache, so that nothing would be downloaded."""
    folder = find_data("fashion_mnist") or CACHE
    return all((folder / name).is_file() for name in MD5)


def fetch(name: str, md5: str, folder: Path, address: str, progress: Progress | None = None) -> Path:
    """`folder/name`, downloaded from `address` unless it is there; a cut-off download goes on where it stopped."""
    path, partial = folder / name, folder / f"{name}.part"
    if not path.is_file():
        unreached = CohortError(f"{name} could not be downloaded; fetch it elsewhere and put it in {folder}.")
        with refusing(unreached, OSError, http.client.HTTPException):
            folder.mkdir(parents=True, exist_ok=True)
            _download(f"{address}/{name}", partial, progress)
        if hashlib.md5(partial.read_bytes()).hexdigest() != md5:
            partial.unlink()
            raise CohortError(f"The download of {name} was damaged (checksum differs) and is removed; start it again.")
        partial.rename(path)
    elif hashlib.md5(path.read_bytes()).hexdigest() != md5:
        raise CohortError(f"{name} differs from the official file (checksum); delete it and start again.")
    return path


def _download(url: str, partial: Path, progress: Progress | None) -> None:
    done = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        response = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing is left to fetch
            return
        raise
    with response, partial.open("ab" if response.status == 206 else "wb") as file:
        done = done if response.status == 206 else 0
        length = response.headers.get("Content-Length")
        total = done + int(length or 0)
        while chunk := response.read(1 << 16):
            file.write(chunk)
            done += len(chunk)
            if progress:
                progress(done, total)
    if length and done < total:  # http.client ends a cut-off body silently
        raise CohortError(f"The download of {url.rsplit('/', 1)[-1]} was cut off; start it again and it goes on from there.")


def _idx(path: Path) -> Array:
    foreign = CohortError(f"{path.name} is not a Fashion-MNIST idx file; delete it and start again.")
    with refusing(foreign, OSError, EOFError, zlib.error, ValueError, IndexError):
        content = gzip.decompress(path.read_bytes())
        if content[:3] != b"\0\0\x08":  # two zero bytes, then the code of uint8
            raise ValueError("not an idx file of uint8")
        dimensions = content[3]
        shape = tuple(np.frombuffer(content, ">u4", dimensions, 4).astype(int))
        return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def to_slices(images: Array) -> Slices:
    """(N, 28, 28) uint8 as 32 × 32 pictures in [-1, 1], rescaled bilinearly as in the thesis (section 3.1)."""
    scaled = ndimage.zoom(images.astype(np.float32), (1, 32 / 28, 32 / 28), order=1, grid_mode=True, mode="nearest")
    pixels = (scaled / 127.5 - 1).astype(np.float32)
    return Slices(pixels, np.ones(pixels.shape, bool), np.zeros(len(pixels), int))


def tshirt_split(labels: Array, seed: int = 0) -> tuple[Array, Array, Array]:
    """Indices of 4,900 training, 1,400 validation and 700 test t-shirts (70/20/10), seeded."""
    shuffled = np.random.default_rng(seed).permutation(np.flatnonzero(labels == 0))
    return shuffled[:4900], shuffled[4900:6300], shuffled[6300:7000]
