"""NIfTI files with damaged headers, gzip streams, values and places, scans and truths, and what becomes of each."""

from __future__ import annotations

import gzip

import nibabel as nib
import numpy as np
from scipy.spatial.transform import Rotation

from tests.fuzz.mutations import mutated, number, packed
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.pipeline import scoring
from vaead_core.scans.nifti import map_to_nifti, read_nifti
from vaead_core.scans.truth import read_truth
from vaead_core.scans.volume import Array, Volume

KINDS = (
    *("header fields", "header fields", "header bytes", "file bytes", "gzip", "values", "affine", "noise"),
    "another format",
)
STORED = (np.uint8, np.int16, np.int32, np.float32, np.float64)
HEADERS = (nib.Nifti1Image, nib.Nifti2Image)


def scan_file(rng: np.random.Generator) -> bytes:
    """One damaged file; a small one."""
    data = rng.integers(0, 100, (7, 8, 9)).astype(rng.choice(STORED))
    image = HEADERS[int(rng.integers(2))](data, np.diag([2, 2, 2, 1.0]), dtype=data.dtype)
    content = image.to_bytes()
    match rng.choice(KINDS):
        case "header fields":
            content = _with_fields(image, rng) + content[image.header.sizeof_hdr :]
        case "header bytes":
            content = mutated(content, rng, image.header.sizeof_hdr)
        case "file bytes":
            content = mutated(content, rng)
        case "values":
            content = HEADERS[0](spoiled(data.astype(np.float32), rng), image.affine).to_bytes()
        case "affine":
            content = HEADERS[0](data.astype(np.float32), extreme_affine(rng)).to_bytes()
        case "noise":
            content = rng.bytes(int(rng.integers(2000)))
        case "another format":
            content = nib.MGHImage(data.astype(np.float32), image.affine).to_bytes()
        case _:
            return packed(content, rng)
    return gzip.compress(content, 1) if rng.random() < 0.5 else content


def brain_file(brain: Volume, rng: np.random.Generator) -> bytes:
    """A brain whose values or place in the world were changed: read as a scan, more often than not."""
    data, affine = brain.data, brain.affine.copy()
    if rng.random() < 0.5:
        data = spoiled(data, rng) * (data != 0)
    if rng.random() < 0.5:
        affine[int(rng.integers(3)), int(rng.integers(4))] *= rng.choice([0.5, -1, 2, 1e3, 1e-3, 1e12])
    elif rng.random() < 0.3:
        affine = extreme_affine(rng)
    return nib.Nifti1Image(data.astype(np.float32), affine).to_bytes()


def extreme_affine(rng: np.random.Generator) -> Array:
    """(4, 4), invertible: turned, sheared and mirrored, with voxels of 1e-12 to 1e12 mm and an origin as far away."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.random(random_state=int(rng.integers(2**31))).as_matrix() * rng.choice([-1, 1])
    affine[:3, :3] = affine[:3, :3] @ (np.eye(3) + np.triu(rng.normal(0, rng.choice([0, 0.1, 10]), (3, 3)), 1))
    affine[:3, :3] *= 10 ** rng.uniform(-12, 12, 3 if rng.random() < 0.5 else 1)
    affine[:3, 3] = rng.choice([-1, 1], 3) * 10 ** rng.uniform(-12, 12, 3)
    return affine


def truth_file(scan: Volume, rng: np.random.Generator) -> bytes:
    """A lesion mask of a scan, damaged: its values, its grid, its place, its bytes."""
    data, affine = np.zeros(scan.data.shape, np.float32), scan.affine
    middle = [side // 2 for side in data.shape]
    data[tuple(slice(at - 2, at + 2) for at in middle)] = rng.choice([1, 255, 0.3, 1e-30, 1e30])
    match rng.choice(("values", "labels", "grid", "affine", "bytes", "header fields")):
        case "values":
            data = spoiled(data, rng)
        case "labels":
            data = data * rng.integers(-3, 300, data.shape)
        case "grid":
            data = data[tuple(slice(0, int(rng.integers(1, side + 1))) for side in data.shape)]
            data = data[..., None] if rng.random() < 0.5 else data
        case "affine":
            affine = extreme_affine(rng)
        case "bytes":
            return mutated(nib.Nifti1Image(data, affine).to_bytes(), rng, 400)
        case "header fields":
            image = nib.Nifti1Image(data, affine)
            return _with_fields(image, rng) + image.to_bytes()[image.header.sizeof_hdr :]
    return nib.Nifti1Image(data, affine).to_bytes()


def judge(content: bytes, scan: Volume) -> bool:
    """Reads a truth for `scan`. Raises ScanError; AssertionError where what it marks does not lie in the brain."""
    found = read_truth(content, scan, "lesions.nii.gz")
    assert found.marked.shape == scan.data.shape
    assert found.marked.dtype == bool
    assert not (found.marked & ~scan.mask).any()
    assert all(note.isprintable() and note.endswith(".") for note in found.notes)
    return True


def spoiled(data: Array, rng: np.random.Generator) -> Array:
    """float32: other units, other signs, holes, or values of no scan."""
    with np.errstate(all="ignore"):
        match rng.choice(("scaled", "shifted", "negative", "one value", "few values", "holes", "extreme")):
            case "scaled":
                return (data * np.float32(10.0 ** rng.integers(-44, 38))).astype(np.float32)
            case "shifted":
                return (data + np.float32(10.0 ** rng.integers(0, 16))).astype(np.float32)
            case "negative":
                return -data
            case "one value":
                return np.full_like(data, 7)
            case "few values":
                return (data > np.median(data)).astype(np.float32)
            case "holes":
                return data * (rng.random(data.shape) < rng.random())
    data = data.copy()
    data.flat[rng.integers(data.size, size=3)] = number(rng, np.dtype(np.float32))
    return data


def read(content: bytes) -> bool:
    """Reads a file and writes its values back as a map. Raises ScanError; AssertionError where the map is not the scan."""
    return is_written_back(read_nifti(content, "scan.nii.gz"))


def is_written_back(scan: Volume) -> bool:
    """Raises AssertionError where its values, written as a map, are not those of the scan, or not finite."""
    assert np.isfinite(scan.data).all()
    back = nib.Nifti2Image if isinstance(scan.native.header, nib.Nifti2Header) else nib.Nifti1Image
    written = back.from_bytes(gzip.decompress(map_to_nifti(scan.data, scan)))
    np.testing.assert_array_equal(np.asarray(written.dataobj), scan.native.from_ras(scan.data))
    return True


def score(content: bytes, checkpoint: Checkpoint) -> bool:
    """Reads a file and scores it by every map. Raises ScanError; AssertionError where a map or a score is not finite."""
    scan = read_nifti(content, "scan.nii.gz")
    prepared = scoring.prepare(scan, checkpoint)
    for name in ("residual", "normalised_residual", "voxel_atlas"):
        found = scoring.score(prepared, checkpoint, name)
        assert np.isfinite(found.maps).all()
        assert np.isfinite(list(found.scan.values())).all()
    assert np.isfinite(scoring.native_map(prepared, checkpoint, found.maps)).all()
    assert np.isfinite(scoring.reconstruction(prepared, checkpoint)).all()
    return True


def _with_fields(image: nib.Nifti1Image, rng: np.random.Generator) -> bytes:
    """The header with one to four of its numbers replaced."""
    block = image.header.structarr.copy()
    for _ in range(int(rng.integers(1, 5))):
        field = block[str(rng.choice(block.dtype.names))]
        if field.dtype.kind in "if":
            field[...] = np.where(rng.random(field.shape) < 0.5, number(rng, field.dtype), field)
    return block.tobytes()
