"""A scan is registered once, whatever file or grid it comes for, and what is remembered of it is not the scan."""

import gc
import inspect
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest

from vaead_core.computing.remembered import remembered
from vaead_core.errors import ScanError
from vaead_core.scans import heads
from vaead_core.scans.content import content
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.registration import descent, register
from vaead_core.scans.volume import Volume


def test_the_last_results_are_kept_and_no_more():
    asked = []

    @remembered(str.encode, most=2)
    def length(text):
        asked.append(text)
        return len(text)

    assert [length(text) for text in ("a", "bb", "a", "ccc", "bb")] == [1, 2, 1, 3, 2]
    assert asked == ["a", "bb", "ccc", "bb"], "bb was asked for longest ago"


def test_of_a_call_that_raises_nothing_is_kept():
    asked = []

    @remembered(str.encode, most=2)
    def refuse(text):
        asked.append(text)
        raise ScanError(text)

    for _ in range(2):
        with pytest.raises(ScanError, match="told"):
            refuse("told")
    assert len(asked) == 2


def test_many_threads_have_each_its_own_result():
    doubled = remembered(lambda number: number.to_bytes(2, "big"), most=3)(lambda number: 2 * number)
    found = {}
    threads = [
        threading.Thread(target=lambda first=first: found.update({first: [doubled((first + n) % 7) for n in range(2000)]}))
        for first in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {first: [2 * ((first + n) % 7) for n in range(2000)] for first in range(8)}


def test_another_grid_or_name_does_not_register_a_scan_again(brain_volume, monkeypatch):
    known = Preprocessor().to_brain(brain_volume).transform
    monkeypatch.setattr(descent, "from_moments", lambda small: pytest.fail("it was registered again"))
    monkeypatch.setattr(heads, "rough_brain", lambda small, name: pytest.fail("it was judged again"))
    again = replace(brain_volume, data=brain_volume.data.copy(), name="another.nii")
    fine = Preprocessor(spacing_mm=1).to_brain(again)
    assert fine.transform is known
    assert fine.mask.shape == (240, 240, 155)


def test_what_is_remembered_is_what_would_be_computed(brain_volume):
    anew = inspect.unwrap(heads.signal_outside)
    assert anew is not heads.signal_outside
    assert heads.signal_outside(brain_volume) == heads.signal_outside(brain_volume) == anew(brain_volume)
    # `register` computes anew in tests/test_preprocessing.py


def test_one_voxel_more_a_moved_grid_and_another_mask_are_other_scans(brain_volume):
    changed = brain_volume.data.copy()
    changed[tuple(np.argwhere(brain_volume.mask)[0])] += 1
    affine = brain_volume.affine.copy()
    affine[0, 3] += 0.1
    mask = brain_volume.mask.copy()
    mask[tuple(np.argwhere(brain_volume.mask)[0])] = False
    others = [replace(brain_volume, data=changed), replace(brain_volume, affine=affine), replace(brain_volume, brain=mask)]
    assert len({content(scan) for scan in [brain_volume, *others]}) == 4


def test_a_scan_that_was_asked_about_is_not_held(brain_volume):
    laid, judged = replace(brain_volume, data=brain_volume.data.copy()), Volume(np.zeros((3, 3, 3), np.float32), np.eye(4))
    assert register(laid).similarity > 0.5
    assert heads.signal_outside(judged) == 0
    held = [weakref.ref(scan) for scan in (laid, judged)] + [weakref.ref(scan.data) for scan in (laid, judged)]
    del laid, judged
    gc.collect()
    assert [scan() for scan in held] == [None] * 4
