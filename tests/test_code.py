"""Kept results live as long as the code that computed them."""

import ast
import gc
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from vaead_core.computing.checkout import PACKAGE
from vaead_core.computing.code import SHOWS, code_digest, digest_of

SOURCE = '''"""A module."""

def twice(x):
    """Doubles."""
    return 2 * x
'''


def write(folder, **files):
    for name, content in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def digest(folder, **files):
    write(folder, **files)
    return digest_of(folder)


@pytest.fixture
def before(tmp_path):
    return digest(tmp_path / "before", scans=SOURCE, figures__curves=SOURCE, experiments__report__page=SOURCE)


@pytest.mark.parametrize(
    "source",
    [
        SOURCE.replace("A module", "A better module"),
        SOURCE.replace("Doubles", "Gives the double"),
        SOURCE.replace("2 * x", "2  *  x  # doubled"),
        SOURCE.replace('"""Doubles."""', "pass"),
    ],
    ids=["module's docstring", "function's docstring", "comment and layout", "no docstring"],
)
def test_words_about_code_keep_results(tmp_path, before, source):
    assert digest(tmp_path / "after", scans=source, figures__curves=SOURCE, experiments__report__page=SOURCE) == before


def test_a_figure_keeps_results(tmp_path, before):
    changed = SOURCE.replace("2", "3")
    assert digest(tmp_path / "after", scans=SOURCE, figures__curves=changed, experiments__report__page=changed) == before


@pytest.mark.parametrize("scans", [SOURCE.replace("2", "3"), SOURCE.replace("twice", "double"), SOURCE + "twice(1)\n"])
def test_what_computes_does_not(tmp_path, before, scans):
    assert digest(tmp_path / "after", scans=scans, figures__curves=SOURCE, experiments__report__page=SOURCE) != before


def test_a_new_or_moved_module_does_not(tmp_path, before):
    others = {"figures__curves": SOURCE, "experiments__report__page": SOURCE}
    assert digest(tmp_path / "new", scans=SOURCE, more=SOURCE, **others) != before
    assert digest(tmp_path / "moved", volumes=SOURCE, **others) != before


def test_this_package_has_one():
    assert code_digest() == code_digest()
    assert len(code_digest()) == 24


def test_threads_that_ask_at_once_get_the_same(tmp_path):
    def others_turn(*_):
        time.sleep(1e-5)

    for number in range(8):
        write(tmp_path, **{f"module{number}": SOURCE + "x = [[1], {2: (3, 4)}]\n" * 200})
    gc.callbacks.append(others_turn)
    try:
        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(digest_of, [tmp_path] * 8))) == 1
    finally:
        gc.callbacks.remove(others_turn)


def test_nothing_that_computes_reads_what_shows():
    imported = [
        (path.name, node.module)
        for path in (PACKAGE / "experiments").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
    ]
    assert ("runner.py", "vaead_core.computing.code") in imported
    shows = tuple(f"vaead_core.{folder.replace('/', '.')}" for folder in SHOWS)
    assert not [one for one in imported if one[1].startswith(shows)]
