"""What the Dockerfile says, done without a container: its packages, user, environment, command and health check."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.support.apptainer import Definition
from tests.support.bids import put
from tests.support.dockerfile import Dockerfile
from tests.support.scans import scan_file
from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
RECIPE = Dockerfile.read(ROOT / "Dockerfile")
PORT = "8501"


@pytest.fixture(scope="module")
def place():
    """A folder that every user may read, as pytest's own are for their owner alone."""
    with tempfile.TemporaryDirectory(prefix="vaead-container-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def python(place) -> Path:
    """The interpreter of a fresh environment that holds what the image installs, and nothing else."""
    subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
    for program, *arguments in RECIPE.installing:
        here = [f"--python={place / 'venv'}" if word == "--system" else word for word in arguments]
        subprocess.run([str(place / "venv" / "bin" / program), *here], cwd=ROOT, check=True)
    return place / "venv" / "bin" / "python"


@pytest.fixture(scope="module")
def tree(place) -> Path:
    """What .dockerignore lets into the image, read-only."""
    rules = (ROOT / ".dockerignore").read_text().split()
    copied = place / "app"
    for kept in (rule[1:] for rule in rules if rule.startswith("!")):
        for source in ROOT.glob(kept):
            target = copied / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if source.is_dir() else shutil.copyfile
            options = (
                {"ignore": shutil.ignore_patterns("__pycache__", "my-*", "*.partial", "*.unfinished")} if source.is_dir() else {}
            )
            copy(source, target, **options)
    subprocess.run(["chmod", "-R", "a-w,a+rX", str(copied)], check=True)
    return copied


def as_its_user() -> list[str]:
    """Begins a command of the image's own user, where this one may become it; which may also read where Python itself lies."""
    user, group = RECIPE.user
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    become = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *reading]
    return become if os.getuid() == 0 else []


def run(words: list[str], python: Path, tree: Path, scratch: Path, port: str, **options) -> subprocess.Popen:
    """A command of the image; `scratch` stands for its /tmp, and `port` for its port."""
    command = [*as_its_user(), *(str(python) if word == "python" else word.replace(PORT, port) for word in words)]
    environment = {name: value.replace("/tmp", str(scratch)) for name, value in RECIPE.environment.items()}
    environment |= {"PATH": os.environ["PATH"], "TMPDIR": str(scratch)}
    return subprocess.Popen(command, cwd=tree, env=environment, text=True, **options)


def checked(python: Path, tree: Path, scratch: Path) -> tuple[str, int, str]:
    """What the server printed, and the health check's status and sentence once the server answers."""
    scratch.mkdir()
    scratch.chmod(0o1777)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    words = [word.replace("0.0.0.0", "127.0.0.1") for word in RECIPE.words("ENTRYPOINT") + RECIPE.words("CMD")]
    check = [*RECIPE.words("HEALTHCHECK"), f"http://127.0.0.1:{PORT}"]
    server = run(words, python, tree, scratch, port, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            health = run(check, python, tree, scratch, port, stdout=subprocess.PIPE)
            sentence = health.communicate(timeout=PATIENCE_SECONDS)[0]
            if "does not answer" not in sentence or time.monotonic() > deadline:
                break
            time.sleep(0.5)
    finally:
        server.terminate()
        printed = server.communicate(timeout=PATIENCE_SECONDS)[0]
    gone = run(check, python, tree, scratch, port, stdout=subprocess.DEVNULL)
    assert gone.wait(PATIENCE_SECONDS) == 1, "a server that is gone is not healthy"
    return printed, health.returncode, sentence


def test_the_image_serves_a_scored_sample_and_its_health_check_sees_it(python, tree, place):
    before = sorted(tree.rglob("*"))
    printed, status, sentence = checked(python, tree, place / "tmp")
    assert (status, sentence) == (0, "The sample was scored and shown.\n"), printed
    assert "Traceback" not in printed
    assert "External URL" not in printed, "Streamlit asks an outside address for its own"
    assert sorted(tree.rglob("*")) == before


def test_the_health_check_refuses_a_server_whose_pages_are_broken(python, tree, place):
    broken = shutil.copytree(tree, place / "broken", ignore=shutil.ignore_patterns("brain-*-2mm", "thesis-*"))
    _, status, sentence = checked(python, broken, place / "tmp of the broken one")
    assert status == 1
    assert "shows an error: No checkpoint lies in checkpoints" in sentence


def test_the_images_user_cannot_write_to_the_sources(python, tree, place):
    attempt = run(["python", "-c", "open('app.py', 'a')"], python, tree, place, PORT, stderr=subprocess.PIPE)
    assert "PermissionError" in attempt.communicate(timeout=PATIENCE_SECONDS)[1]


def test_the_run_script_of_the_apptainer_image_scores_a_study(python, place, brain_volume):
    """Read-only, from another folder, as its user; its packages are the Docker image's (tests/test_cluster_files.py)."""
    definition, root = Definition.read(ROOT / "deploy" / "apptainer.def"), place / "apptainer"
    definition.lay(ROOT, root)
    subprocess.run(["chmod", "-R", "a-w,a+rX", str(root)], check=True)
    study = place / "study"
    put(study / "raw", "sub-01/anat/sub-01_T1w.nii.gz", scan_file(brain_volume))
    subprocess.run(["chmod", "-R", "a+rwX", str(study)], check=True)
    script = "\n".join([*definition.sections["environment"], *definition.sections["runscript"]]).replace(
        "/app", str(root / "app")
    )
    words = ["raw", "out", "participant", "--scorers", "voxel_atlas"]
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    done = subprocess.run(
        [*as_its_user(), "sh", "-c", script, "vaead", *words],
        cwd=study, env={"PATH": path, "TMPDIR": str(study)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (study / "out/sub-01/anat/sub-01_space-T1w_desc-voxelAtlas_statmap.nii.gz").is_file()
