"""What the Dockerfile says."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

from tests.support.dockerfile import Dockerfile

ROOT = Path(__file__).resolve().parents[1]

RECIPE = Dockerfile.read(ROOT / "Dockerfile")


def test_the_recipe_keeps_its_promises():
    assert RECIPE.user[0] > 0
    environment = RECIPE.environment
    assert 1 <= int(environment["OMP_NUM_THREADS"]) <= 4
    assert environment["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] == "false"
    assert "--timeout=60s" in RECIPE.all("HEALTHCHECK")[0]


def test_what_the_image_is_made_of_has_its_digest():
    (base,) = RECIPE.all("FROM")
    assert re.fullmatch(r"python:3\.11-slim@sha256:[0-9a-f]{64}", base)
    installer = "pip install --no-cache-dir --require-hashes --requirement deploy/uv.txt"
    packages = "uv pip install --system --no-cache --require-hashes --constraints requirements.txt --requirements pyproject.toml"
    assert RECIPE.installing == [installer.split(), packages.split()]


def test_hadolint_finds_nothing():
    linter = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([str(linter), "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_nothing_private_or_large_goes_into_the_image():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[0] == "*", "only what is named goes in"
    allowed = {rule[1:].split("/")[0] for rule in ignored if rule.startswith("!")}
    assert not [
        name for name in (".git", ".venv", "tests", "benchmarks", "docs") if any(fnmatch.fnmatch(name, rule) for rule in allowed)
    ]
