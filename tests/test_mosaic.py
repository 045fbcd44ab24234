"""The picture of a scan and its maps, and a row of it that is cut out."""

import io

import numpy as np
import pytest
from PIL import Image

from vaead_core.figures import mosaic
from vaead_core.figures.mosaic import EVEN, TILE, mosaic_row, mosaic_webp, row_of
from vaead_core.figures.scan import ShownMap
from vaead_core.scans.volume import Volume


def phantom(at: tuple[int, int, int]) -> tuple[Volume, ShownMap]:
    """A grey block whose map marks one corner of it."""
    data, values = np.zeros((40, 50, 40), np.float32), np.zeros((40, 50, 40), np.float32)
    data[5:35, 5:45, 5:35] = 100 + np.arange(30)[:, None, None]
    values[tuple(slice(place - 3, place + 3) for place in at)] = 5
    return Volume(data, np.eye(4)), ShownMap("Marked", "", values, 1.0, 6.0)


def test_a_mosaic_shows_the_patients_right_on_the_left_and_the_largest_cluster_last():
    scan, shown = phantom((30, 25, 20))
    row = np.asarray(mosaic_row(scan, shown, 20)).astype(float)
    last = row[:, EVEN * TILE[0] :]
    coloured = np.argwhere(np.ptp(last, axis=2) > 60)
    assert len(coloured) > 50
    assert coloured[:, 1].mean() < 0.4 * TILE[0], "high i is the right"
    without = np.asarray(mosaic_row(scan, shown))
    assert not without[20 : TILE[1] - 20, EVEN * TILE[0] + 12 :].any()
    above = ShownMap("Marked", "", shown.values, 5.5, 6.0)
    assert np.ptp(np.asarray(mosaic_row(scan, above, 20)).astype(float), axis=2).max() == 0, "nothing lies above"


def test_a_mosaics_bytes_are_the_same_twice_and_few():
    scan, shown = phantom((30, 25, 20))
    noisy = Volume(
        scan.data + (scan.data > 0) * np.random.default_rng(0).normal(0, 10, scan.data.shape).astype(np.float32), scan.affine
    )
    first, second = (mosaic_webp([mosaic_row(noisy), *[mosaic_row(noisy, shown, 20)] * 3]) for _ in range(2))
    assert first == second
    assert len(first) <= 60_000
    assert Image.open(io.BytesIO(first)).format == "WEBP"


def grey(content: bytes | None) -> np.ndarray:
    assert content is not None
    return np.asarray(Image.open(io.BytesIO(content)).convert("L")).astype(float)


def test_a_row_that_is_cut_out_is_the_row_that_was_drawn():
    scan, shown = phantom((30, 25, 20))
    other = ShownMap("Another", "", shown.values[::-1], 1.0, 6.0)
    drawn = [mosaic_row(scan), mosaic_row(scan, shown, 20), mosaic_row(scan, other, 20)]
    content = mosaic_webp(drawn)
    for at in range(3):
        cut = grey(row_of(content, at, 3))
        away = [np.abs(cut - np.asarray(row.convert("L"))).mean() for row in drawn]
        assert cut.shape == (TILE[1], (EVEN + 1) * TILE[0])
        assert int(np.argmin(away)) == at
        assert away[at] < 3


def saved(kind: str, size: tuple[int, int], **options) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size).save(content, kind, **options)
    return content.getvalue()


def test_what_is_no_mosaic_of_so_many_rows_is_none_and_is_not_decoded(monkeypatch):
    scan, shown = phantom((30, 25, 20))
    content = mosaic_webp([mosaic_row(scan), mosaic_row(scan, shown, 20)])
    size = (EVEN + 1) * TILE[0], 2 * TILE[1]
    assert row_of(content, 1, 2)
    with monkeypatch.context() as patch:
        patch.setattr(mosaic.Image, "open", lambda *_, **__: pytest.fail("it was decoded"))
        assert row_of(content, 1, 3) is None, "a map more"
        assert row_of(content[:26] + 2 * (16383).to_bytes(2, "little") + content[30:], 1, 2) is None, "so wide and high"
        assert row_of(saved("PNG", size), 1, 2) is None
        assert row_of(saved("WEBP", size, lossless=True), 1, 2) is None
        assert row_of(b"", 0, 1) is None
    for damaged in (content[:29], content[:40], content[:-200]):
        assert row_of(damaged, 1, 2) is None
