"""Preparing a cohort on several processes or a Dask cluster gives the bytes that one process gives."""

from pathlib import Path

import pytest

from tests.support.trainings import tiny
from training.data import load_data


def test_a_cluster_that_does_not_answer_is_one_sentence(monkeypatch):
    from vaead_core.errors import InputError

    monkeypatch.setattr("vaead_core.computing.dask_cluster.CONNECTING_SECONDS", 1)
    with pytest.raises(InputError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        load_data(tiny(Path("nowhere"), dask="tcp://127.0.0.1:9"))


def test_fewer_training_subjects_are_spread_over_their_list(tiny_cohort):
    all_of_them = tiny_cohort.train
    one = tiny_cohort.trained_on(1).train
    assert one.names == all_of_them.names[:1]
    assert set(one.subject) == {0}
    assert len(one.slices) == (all_of_them.subject == 0).sum()
    assert tiny_cohort.trained_on(None).train is tiny_cohort.trained_on(99).train is all_of_them
