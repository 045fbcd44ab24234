"""Where nothing is as on Linux: Python's modules and files that only Linux has are taken away from a new process."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from vaead_core.computing import machine

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_LINUX = """
import builtins, ctypes, io, os, pathlib, sys

sys.modules["fcntl"] = sys.modules["resource"] = None  # to import them is an ImportError
del os.sched_getaffinity
if {windows}:
    del os.sysconf, os.nice, os.killpg, os.waitid
LINUX = ("/proc", "/sys")

def elsewhere(opened):
    def call(file, *given, **named):
        if isinstance(file, (str, os.PathLike)) and os.fspath(file).startswith(LINUX):
            raise FileNotFoundError(2, "No such file or directory", os.fspath(file))
        return opened(file, *given, **named)
    return call

builtins.open, io.open, os.open = map(elsewhere, (builtins.open, io.open, os.open))
library = ctypes.CDLL

class NoLibrary(library):
    def __init__(self, name, *given, **named):
        if name is None:
            raise TypeError("a library has a name here") if {windows} else OSError("there is none")
        super().__init__(name, *given, **named)

ctypes.CDLL = NoLibrary
for path in ("/proc/meminfo", "/proc/self/statm"):
    try:
        pathlib.Path(path).read_text()
    except OSError:
        continue
    raise SystemExit(f"{{path}} can still be read")
"""

IMPORTS_EVERYTHING = """
import importlib, pkgutil
import pages.shared, vaead_core

for package in (vaead_core, pages.shared):
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
print("imported")
"""

TELLS_WHAT_IT_CAN = """
import json
from vaead_core.computing import machine
from pages.shared.server import memory, queue

memory.keep_large_arrays_apart()
memory.give_back()
memory.refuse_when_short()
print(json.dumps([machine.cores(), queue.MOST, machine.physical_memory(), machine.memory_limit(), machine.memory_left()]))
"""

REPLACES_A_FOLDER = """
import tempfile
from pathlib import Path
from vaead_core.checkpoints.replace import replace_folder

place = Path(tempfile.mkdtemp())
for text in ("old", "new"):
    (place / "model.partial").mkdir()
    (place / "model.partial" / "file").write_text(text)
    replace_folder(place / "model.partial", place / "model")
print([path.name for path in place.iterdir()], (place / "model" / "file").read_text())
"""

SHOWS_THE_FIRST_PAGE = """
from streamlit.testing.v1 import AppTest

app = AppTest.from_file("app.py", default_timeout=60).run()
print(app.header[0].value, [one.value for one in app.error], [one.value for one in app.exception])
"""

KEEPS_A_FOLDER = '''
from streamlit.testing.v1 import AppTest

app = AppTest.from_string("""
import streamlit as st
from pages.shared.server import sessions

sessions.follow()
own = sessions.folder("own")
(own / "file").write_text("mine")
st.text((own / "file").read_text())
""").run()
print(app.text[0].value, len(app.exception))
'''

RUNS_A_JOB = """
import runpy, sys

sys.argv = ["job_guard.py", "0.1", sys.executable, "-c", "print('the job'); raise SystemExit(3)"]
try:
    runpy.run_path("pages/shared/server/job_guard.py", run_name="__main__")
except SystemExit as end:
    print(end.code)
"""


def said(code: str, windows: bool = True) -> str:
    """What a process prints in which `code` runs after all that was taken away."""
    whole = WITHOUT_LINUX.format(windows=windows) + textwrap.dedent(code)
    given = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    with subprocess.Popen(
        [sys.executable, "-c", whole], cwd=ROOT, env=given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        found = run.stdout.read()  # its standard input stays open meanwhile, which a job needs
        assert run.wait() == 0, found
    return found.strip()


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="takes away what Windows does not have")
both = pytest.mark.parametrize("windows", [False, True], ids=["no Linux", "no POSIX"])


def test_the_core_and_what_pages_share_can_be_imported():
    assert said(IMPORTS_EVERYTHING) == "imported"


@both
def test_cores_and_memory_are_told_as_far_as_they_are_known(windows):
    cores, turns, physical, limit, left = json.loads(said(TELLS_WHAT_IT_CAN, windows))
    assert cores == turns == os.cpu_count()
    assert physical == limit == left == (machine.UNBOUNDED if windows else machine.physical_memory())


@both
def test_a_folder_is_replaced(windows):
    assert said(REPLACES_A_FOLDER, windows) == "['model'] new"


@both
def test_a_session_has_a_folder_of_its_own(windows):
    assert said(KEEPS_A_FOLDER, windows) == "mine 0"


@both
def test_a_job_runs_to_its_status(windows):
    assert said(RUNS_A_JOB, windows) == "the job\n3"


def test_the_first_page_opens():
    assert said(SHOWS_THE_FIRST_PAGE) == "Explore [] []"


@pytest.mark.skipif(sys.platform != "linux", reason="what only Linux tells")
def test_linux_tells_it_all():
    assert machine.cores() == len(os.sched_getaffinity(0))
    assert 0 < machine.memory_left() <= machine.memory_limit() <= machine.physical_memory()
    assert machine.c_function("renameat2")
    assert machine.c_function("no_such_function") is None
