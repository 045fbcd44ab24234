import threading

import pytest

from vaead_core.checkpoints.replace import _one_by_one, replace_folder
from vaead_core.computing.machine import c_function


def folder_with(path, text: str):
    path.mkdir()
    (path / "file").write_text(text)
    return path


@pytest.mark.skipif(not c_function("renameat2"), reason="this system cannot exchange two folders in one step")
def test_a_folder_that_is_replaced_is_there_at_every_moment(tmp_path):
    place, missing, over = folder_with(tmp_path / "model", "old"), [], threading.Event()

    def look() -> None:
        while not over.is_set():
            missing.append(0 if place.exists() else 1)

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(300):
        replace_folder(folder_with(tmp_path / "model.partial", str(number)), place)
    over.set()
    reader.join()
    assert len(missing) > 300
    assert sum(missing) == 0
    assert (place / "file").read_text() == "299"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_new_folder_needs_no_old_one(tmp_path):
    replace_folder(folder_with(tmp_path / "model.partial", "new"), tmp_path / "model")
    assert (tmp_path / "model" / "file").read_text() == "new"


def test_where_a_disk_cannot_exchange_it_is_done_in_steps(tmp_path):
    first, second = folder_with(tmp_path / "a", "a"), folder_with(tmp_path / "b", "b")
    folder_with(tmp_path / "b.old", "of one that was killed")
    _one_by_one(first, second)
    assert [(path.name, (path / "file").read_text()) for path in sorted(tmp_path.iterdir())] == [("a", "b"), ("b", "a")]
